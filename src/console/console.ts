// The console: who asks, whether they may, and the route that answers; hono finds the route.

import { Hono } from 'hono';
import type { Caller } from '../boundaries.ts';
import { guarded, hostProblem, originProblem, readBody, shapeProblem } from './guards.ts';
import { LiveEvents } from './live.ts';
import { pageResponse } from './pages.ts';
import type { Desk, Inside, Outside, Person } from './parts.ts';
import { BROKEN, type Refusal, refusal, refuse } from './refusals.ts';
import { mayPass } from './roles.ts';
import { ROUTES, type Route } from './routes.ts';
import { Scrambler } from './scrambler.ts';
import { Sessions } from './sessions.ts';
import { COOKIE, TLS_COOKIE } from './sign-in.ts';
import { Throttle } from './throttle.ts';

export interface Console {
  /** Answers every request; never rejects. */
  handle(request: Request, caller: Caller): Promise<Response>;
  /** Ends the live streams. */
  close(): void;
  /** Resolves when who is signed in is in the file, or cannot be: the last thing, when nobody asks any more. */
  saved(): Promise<void>;
}

/** The console over what the collector lends and what is outside. */
export function createConsole(inside: Inside, outside: Outside): Console {
  const { clock, secrets } = outside;
  const desk: Desk = {
    ...inside,
    ...outside,
    sessions: new Sessions({ clock, secrets, file: outside.sessionFile, log: outside.log }),
    throttle: new Throttle(clock),
    scrambler: new Scrambler(secrets),
    live: new LiveEvents(inside.commands, clock),
  };
  const app = appOf(desk);
  return {
    async handle(request, caller) {
      try {
        return guarded(await app.fetch(request, caller));
      } catch (bug) {
        desk.log.error({ error: String(bug) }, 'the console failed');
        return guarded(refuse(BROKEN));
      }
    },
    close: () => desk.live.close(),
    saved: () => desk.sessions.saved(),
  };
}

type App = Hono<{ Bindings: Caller; Variables: { url: URL } }>;

function appOf(desk: Desk): App {
  const app: App = new Hono();
  app.onError((bug) => {
    desk.log.error({ error: String(bug.stack ?? bug) }, 'the console failed');
    return refuse(BROKEN);
  });
  app.use(async (c, next) => {
    const url = new URL(c.req.url);
    const foreign = hostProblem(c.req.header('host'), url, desk.hosts, c.env);
    if (foreign) return refuse(foreign);
    c.set('url', url);
    return next();
  });
  app.use('/api/*', async (c, next) => {
    const { method, headers } = c.req.raw;
    const problem = shapeProblem(method, headers) ?? originProblem(method, headers, c.get('url'));
    return problem ? refuse(problem) : next();
  });
  for (const route of ROUTES) {
    app.on(route.method, route.path, async (c) => {
      const { env: caller, req } = c;
      const request = req.raw;
      const person = await personOf(desk, request, caller);
      const barred = await barredBy(desk, route, person);
      if (barred) return refuse(barred);
      if (person) caller.trust();
      const body = route.method === 'GET' ? { args: {} } : await readBody(request);
      if (!('args' in body)) return refuse(body);
      const asked = { desk, request, url: c.get('url'), caller, person, params: req.param() };
      return route.handle({ ...asked, args: body.args });
    });
  }
  app.all('/api/*', (c) => {
    const isKnown = ROUTES.some(({ path }) => path === c.get('url').pathname);
    return refuse(isKnown ? NO_METHOD : NOT_FOUND);
  });
  app.get('*', (c) => {
    return pageResponse(c.req.raw, c.get('url').pathname, desk.pages) ?? refuse(NOT_FOUND);
  });
  app.notFound(() => refuse(NOT_FOUND));
  return app;
}

const NOT_FOUND = refusal(404, 'not_found', 'There is nothing here.');
const NO_METHOD = refusal(405, 'bad_request', 'Not in this way.');
const SETUP = refusal(
  ...([401, 'setup_required', 'This collector has no user yet.'] as const),
  'Its log has the code for the first one: /first-run',
);
const SIGN_IN = refusal(401, 'unauthorized', 'Sign in first.', '/sign-in');
const SET_PASSWORD = refusal(403, 'password.required', 'Set a password first.', '/first-run');

async function barredBy(
  desk: Desk,
  { access, beforePassword }: Route,
  person: Person | undefined,
): Promise<Refusal | null> {
  if (access === 'anyone') return null;
  if (!person) {
    const book = await desk.accounts.book();
    if (!book.ok) return refusal(503, book.code, book.message, book.hint);
    return book.data.users.length === 0 ? SETUP : SIGN_IN;
  }
  if (person.session?.account.password === null && !beforePassword) return SET_PASSWORD;
  if (mayPass(person.role, access)) return null;
  return refusal(403, 'forbidden', `That is not for a ${person.role}.`, 'Ask an admin.');
}

/** Who asks, by token or by cookie, as the accounts are at this moment. */
async function personOf(
  desk: Desk,
  request: Request,
  { secure }: Caller,
): Promise<Person | undefined> {
  const { accounts, sessions } = desk;
  const [, bearer] =
    /^Bearer +(\S{1,200})$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  if (bearer !== undefined) {
    const token = await accounts.tokenOf(bearer);
    if (!token) return undefined;
    const { id, name, role, owner } = token;
    return { name: `token:${name}`, role, owner, token: id };
  }
  const cookie = cookieIn(request.headers.get('cookie') ?? '', secure ? TLS_COOKIE : COOKIE);
  if (cookie === undefined) return undefined;
  await sessions.loaded();
  const session = sessions.of(cookie, true);
  if (!session) return undefined;
  const book = await accounts.book();
  const account = book.ok ? book.data.users.find(({ user }) => user === session.user) : undefined;
  if (!account || sessions.stampOf(account) !== session.stamp) {
    if (book.ok) sessions.end(session);
    return undefined;
  }
  const { user, role } = account;
  return { name: user, role, owner: user, session: { session, account } };
}

function cookieIn(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const [key, text] = pair.trim().split('=');
    if (key === name && text !== undefined && text.length <= 100) return text;
  }
  return undefined;
}
