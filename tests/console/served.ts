// A console on a real socket for tests: real accounts, scrypt and limits over commands that only remember what they were asked.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHttpDoor } from '../../src/adapters/http-door.ts';
import { createSecrets } from '../../src/adapters/secrets.ts';
import { createSharedText } from '../../src/adapters/shared-text.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import type { Clock, CommandAnswer, Commands, PageFiles } from '../../src/boundaries.ts';
import { Accounts } from '../../src/console/accounts.ts';
import { EMPTY_BOOK, formatBook } from '../../src/console/book.ts';
import { createConsole } from '../../src/console/console.ts';
import { hostNames } from '../../src/console/guards.ts';
import type { ConsoleEvent } from '../../src/console/parts.ts';
import { ROLES, type Role } from '../../src/console/roles.ts';
import { RecordingLog } from '../fakes/recording-log.ts';

/** The system's clock, which a test may move on. */
export class ShiftedClock implements Clock {
  readonly speed = 1;
  shift = 0;
  readonly #inner = createSystemClock();
  readonly boot = this.#inner.boot;
  now = () => this.#inner.now() + this.shift;
  monotonicMs = () => this.#inner.monotonicMs() + this.shift;
  synced = () => null;
  sleep = (ms: number, signal?: AbortSignal) => this.#inner.sleep(ms, signal);
  pause = (ms: number) => this.#inner.pause(ms);
}

/** Answers `status` with a number that changes, and everything else with what it was given. */
export class RememberingCommands implements Commands {
  readonly asked: { name: string; args: Readonly<Record<string, unknown>> }[] = [];
  readonly scripted = new Map<string, CommandAnswer>();
  count = 0;

  async run(name: string, args: Readonly<Record<string, unknown>>): Promise<CommandAnswer> {
    this.asked.push({ name, args });
    const answer = this.scripted.get(name);
    if (answer) return answer;
    if (name === 'status') return { ok: true, data: { now: 'now', count: this.count, meters: [] } };
    return { ok: true, data: { name, args } };
  }
}

export const PASSWORDS = {
  viewer: 'a quiet river 1',
  technician: 'a loud pump 22',
  admin: 'a tall tower 333',
} as const satisfies Record<Role, string>;

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked at by tests
  readonly json: any;
}

export interface Wish {
  readonly body?: unknown;
  /** Bytes as they are, instead of `body`. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookie?: string;
  /** The address of this machine that asks. */
  readonly from?: string;
}

const PAGES: PageFiles = new Map([
  ['/index.html', page('text/html; charset=utf-8', '<!doctype html><title>t</title>', false)],
  ['/assets/main-1a2b3c4d.js', page('text/javascript; charset=utf-8', 'void 0;', true)],
]);

function page(type: string, text: string, lasting: boolean) {
  const plain = new TextEncoder().encode(text);
  const packed = {
    gzip: new TextEncoder().encode('zipped'),
    br: new TextEncoder().encode('brotli'),
  };
  return { type, etag: `e${text.length}`, lasting, plain, packed };
}

/** Scrambled once for all tests of a file: it takes long on purpose. */
const SCRAMBLED = new Map<Role, Promise<string>>();
function scrambled(role: Role): Promise<string> {
  const made = SCRAMBLED.get(role) ?? createSecrets().scramble(PASSWORDS[role]);
  SCRAMBLED.set(role, made);
  return made;
}

/** Lives from `open` to `close`. */
export class Served {
  readonly clock = new ShiftedClock();
  readonly log = new RecordingLog();
  readonly commands = new RememberingCommands();
  readonly events: ConsoleEvent[] = [];
  readonly secrets = createSecrets();
  readonly folder: string;
  readonly accounts: Accounts;
  port = 0;
  #close: () => Promise<void> = async () => undefined;

  private constructor(folder: string) {
    this.folder = folder;
    const { clock, secrets } = this;
    const file = createSharedText(this.file, clock);
    this.accounts = new Accounts({ file, secrets, clock });
  }

  get file(): string {
    return join(this.folder, 'console-users.json');
  }

  get sessionFile(): string {
    return join(this.folder, 'console-sessions.json');
  }

  /** The collector starts again: what only its memory knew is gone. */
  async restart(): Promise<void> {
    await this.#close();
    await this.#start([], PAGES);
  }

  static async open(
    options: { readonly allowed?: readonly string[]; readonly pages?: PageFiles } = {},
  ): Promise<Served> {
    const served = new Served(await mkdtemp(join(tmpdir(), 'console-')));
    await served.#start(options.allowed ?? [], options.pages ?? PAGES);
    return served;
  }

  async #start(allowed: readonly string[], pages: PageFiles): Promise<void> {
    const { accounts, secrets, clock, log, commands, events } = this;
    const tell = async (event: ConsoleEvent) => void events.push(event);
    const backup = async function* () {
      yield 'first\n';
      yield 'last\n';
    };
    const desk = createConsole(
      { collector: 'COL-1', version: '1', commands, tell, backup },
      {
        ...{ accounts, secrets, clock, log, pages, hosts: hostNames(allowed, ['pole-7']) },
        sessionFile: createSharedText(this.sessionFile, clock),
      },
    );
    // An address of its own, so that its tests can ask from several.
    const door = await openHttpDoor({ host: '127.0.0.1', port: 0, clock, handle: desk.handle });
    if (door.problem !== null) throw new Error(door.problem);
    this.port = Number(new URL(door.url).port);
    this.#close = async () => {
      desk.close();
      await door.close();
      await desk.saved();
    };
  }

  async close(): Promise<void> {
    await this.#close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Makes a user of each role, named as it, without signing anybody in. */
  async people(): Promise<void> {
    const created = new Date(0).toISOString();
    const users = await Promise.all(
      ROLES.map(async (role) => ({ user: role, role, password: await scrambled(role), created })),
    );
    await writeFile(this.file, formatBook({ ...EMPTY_BOOK, users }), { mode: 0o600 });
  }

  /** Signs a user in and gives the cookie. */
  async signedIn(user: Role, from?: string): Promise<string> {
    const body = { user, password: PASSWORDS[user] };
    const reply = await this.ask('POST', '/api/sign-in', { body, ...(from && { from }) });
    if (reply.status !== 200) throw new Error(`${user} was not let in: ${reply.text}`);
    return cookieIn(reply);
  }

  /** One request on a connection of its own. Rejects when there is no answer. */
  ask(method: string, path: string, wish: Wish = {}): Promise<Reply> {
    const { body, raw, headers = {}, cookie, from } = wish;
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          ...{ host: '127.0.0.1', port: this.port, method, path, agent: false },
          ...(from && { localAddress: from }),
          headers: {
            ...(sent !== undefined && { 'content-type': 'application/json' }),
            ...(sent !== undefined && { 'content-length': Buffer.byteLength(sent) }),
            ...(cookie && { cookie }),
            ...headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = String(incoming.headers['content-type']).includes('json');
            const json = isJson && text.startsWith('{') ? JSON.parse(text) : undefined;
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(sent);
    });
  }

  command(name: string, cookie: string, args: object = {}): Promise<Reply> {
    return this.ask('POST', `/api/commands/${name}`, { body: args, cookie });
  }

  /** A bare connection; what it receives is gathered in `heard`. */
  bare(): Bare {
    return new Bare(this.port);
  }
}

export class Bare {
  readonly socket: Socket;
  heard = '';
  isClosed = false;
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes: Buffer) => {
      this.heard += bytes.toString('latin1');
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  say(text: string): this {
    this.socket.write(text);
    return this;
  }
}

/** The cookie of a reply, to be sent back. */
export function cookieIn(reply: Reply): string {
  return (reply.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}
