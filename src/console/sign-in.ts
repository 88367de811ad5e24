// Sign-in by password or one-time code, sign-out, the first run, and what a person may change of their own account.

import { tooOften } from './acts.ts';
import type { Account } from './book.ts';
import { SESSION_MS, TELL_FAILURES_MS } from './limits.ts';
import type { Asked, Desk } from './parts.ts';
import { json, refusal, refuse, statusOf } from './refusals.ts';

export const COOKIE = 'meter-collector';
/** Of the prefix browsers know that it is ours alone, under TLS, for every path (RFC 6265bis). */
export const TLS_COOKIE = `__Host-${COOKIE}`;

const REFUSED = refusal(401, 'sign_in.refused', 'That user and password do not belong together.');
const BUSY = refusal(503, 'busy', 'Too many sign in at once.', 'Try again.', 2);

export async function signIn(asked: Asked): Promise<Response> {
  const { desk, args, caller } = asked;
  if (args['code'] !== undefined) return signInByCode(asked);
  const { user, password } = args;
  if (typeof user !== 'string' || typeof password !== 'string') {
    return refuse(refusal(400, 'bad_request', 'A sign-in has user and password, or a code.'));
  }
  // What nobody can be called is counted as one name.
  const name = user.length <= 32 ? user : '';
  const wait = desk.throttle.begin(caller.address, name);
  if (wait > 0) {
    await tellFailure(desk, name, caller.address);
    const seconds = Math.ceil(wait / 1000);
    const hint =
      'Wait, or have a one-time code made at the collector: meter-collector user reset NAME';
    return refuse(refusal(429, 'sign_in.locked', `Wait for ${seconds} s.`, hint, seconds));
  }
  const book = await desk.accounts.book();
  if (!book.ok) return refuse(refusal(503, book.code, book.message, book.hint));
  const account = book.data.users.find((one) => one.user === user);
  const matches = await desk.scrambler.matches(password.slice(0, 1024), account?.password);
  if (matches === null) {
    desk.throttle.succeed(caller.address, name);
    return refuse(BUSY);
  }
  if (!matches || !account) {
    await tellFailure(desk, name, caller.address);
    return refuse(REFUSED);
  }
  desk.throttle.succeed(caller.address, name);
  return begin(asked, account, 'sign-in');
}

/** A code is beyond guessing: it lets its owner in whatever others try. */
async function signInByCode(asked: Asked): Promise<Response> {
  const { desk, args, caller } = asked;
  const redeemed = await desk.accounts.redeem(args['code']);
  if (redeemed.ok) return begin(asked, redeemed.data, 'sign-in by code');
  await tellFailure(desk, '', caller.address);
  return refuse(refusal(401, redeemed.code, redeemed.message, redeemed.hint));
}

export async function firstRun(asked: Asked): Promise<Response> {
  const { desk, args, caller } = asked;
  const { code, user, password, language } = args;
  const made = await desk.accounts.firstRun({ code, user, password, language });
  if (made.ok) return begin(asked, made.data, 'first run');
  if (made.code === 'code.unknown') await tellFailure(desk, '', caller.address);
  const status = made.code === 'code.unknown' ? 401 : statusOf(made.code);
  return refuse(refusal(status, made.code, made.message, made.hint));
}

async function begin(asked: Asked, account: Account, how: string): Promise<Response> {
  const { desk, caller } = asked;
  // Counted apart, by what nobody is called: who may not change more may come in.
  const often = tooOften(desk, `sign-in ${account.user}`);
  if (often) return often;
  await desk.sessions.loaded();
  const { token } = desk.sessions.begin(account);
  await desk.sessions.saved();
  const data = { name: how, by: account.user, from: caller.address, code: 'ok' };
  await desk.tell({ code: 'command.executed', severity: 'info', data });
  const { user, role } = account;
  const cookie = cookieOf(token, SESSION_MS / 1000, caller.secure);
  return json({ user, role, first_run: account.password === null }, 200, { 'set-cookie': cookie });
}

function cookieOf(token: string, maxAgeS: number, secure: boolean): string {
  const name = secure ? TLS_COOKIE : COOKIE;
  const common = `${name}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}`;
  return secure ? `${common}; Secure` : common;
}

export async function signOut({ desk, person, caller }: Asked): Promise<Response> {
  if (person?.session) {
    desk.sessions.end(person.session.session);
    await desk.sessions.saved();
    const data = { name: 'sign-out', by: person.name, from: caller.address, code: 'ok' };
    await desk.tell({ code: 'command.executed', severity: 'info', data });
  }
  return json({ ok: true }, 200, { 'set-cookie': cookieOf('', 0, caller.secure) });
}

export function sessionOf({ desk, person }: Asked): Response {
  const account = person?.session?.account;
  return json({
    user: person?.name ?? '',
    role: person?.role ?? 'viewer',
    first_run: account?.password === null,
    language: account?.language ?? null,
    units: account?.units ?? null,
    collector: desk.collector,
    version: desk.version,
  });
}

/** What a person prefers: {language, units}. */
export async function prefer({ desk, person, args }: Asked): Promise<Response> {
  if (!person?.session) return refuse(ONLY_PEOPLE);
  const done = await desk.accounts.prefer(person.name, args);
  return done.ok ? json(done.data) : refuse(refusalOf(done));
}

const ONLY_PEOPLE = refusal(403, 'forbidden', 'A token has no account.');

/** A person's own password: {password, before}; `before` may be left out by who came in by a code because of a reset. */
export async function ownPassword(asked: Asked): Promise<Response> {
  const { desk, person, args, caller } = asked;
  const own = person?.session;
  if (!own) return refuse(ONLY_PEOPLE);
  const { account, session } = own;
  if (account.password !== null) {
    const wait = desk.throttle.begin(caller.address, account.user);
    if (wait > 0) {
      const seconds = Math.ceil(wait / 1000);
      return refuse(refusal(429, 'sign_in.locked', `Wait for ${seconds} s.`, '', seconds));
    }
    const matches = await desk.scrambler.matches(String(args['before'] ?? ''), account.password);
    if (matches !== false) desk.throttle.succeed(caller.address, account.user);
    if (matches === null) return refuse(BUSY);
    if (!matches) return refuse(refusal(403, 'sign_in.refused', 'The old password is another.'));
  }
  const done = await desk.accounts.setPassword(account.user, args['password'], account);
  if (!done.ok) return refuse(refusalOf(done));
  const book = await desk.accounts.book();
  const changed = book.ok && book.data.users.find(({ user }) => user === account.user);
  if (changed) desk.sessions.renew(session, changed);
  await desk.sessions.saved();
  const data = { name: 'user.password', by: account.user, code: 'ok' };
  await desk.tell({ code: 'command.executed', severity: 'info', data });
  return json(done.data);
}

export const refusalOf = (no: {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}) => refusal(statusOf(no.code), no.code, no.message, no.hint);

/** Told at once, and then once a minute with how many there were. */
const TOLD = new WeakMap<Desk, { at: number; failures: number }>();

async function tellFailure(desk: Desk, user: string, address: string): Promise<void> {
  const now = desk.clock.monotonicMs();
  const told = TOLD.get(desk) ?? { at: Number.NEGATIVE_INFINITY, failures: 0 };
  TOLD.set(desk, told);
  told.failures += 1;
  if (now - told.at < TELL_FAILURES_MS) return;
  const data = { user: user.slice(0, 32), from: address, failures: told.failures };
  Object.assign(told, { at: now, failures: 0 });
  desk.log.warn(data, 'a sign-in at the console failed');
  await desk.tell({ code: 'login.failed', severity: 'minor', data });
}
