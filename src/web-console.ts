// The web console with its real outside: its accounts in the data folder, its pages in dist, its server on a socket.

import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from './adapters/files.ts';
import { openHttpDoor } from './adapters/http-door.ts';
import { ensureOwnCertificate, fingerprintOf } from './adapters/own-certificate.ts';
import { readPageFiles } from './adapters/page-files.ts';
import { createSecrets } from './adapters/secrets.ts';
import { createSharedText } from './adapters/shared-text.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import type { Clock, Log } from './boundaries.ts';
import { Accounts } from './console/accounts.ts';
import { createConsole } from './console/console.ts';
import { hostNames } from './console/guards.ts';
import type { Inside } from './console/parts.ts';
import type { ConsoleSettings, Settings } from './settings/settings.ts';

/** In the data folder: users, tokens and one-time codes, mode 0600. */
const ACCOUNTS_FILE = 'console-users.json';
/** Beside it, mode 0600: who is signed in, by the digests of their cookies. */
const SESSIONS_FILE = 'console-sessions.json';

/** Users and tokens of a collector, whether it runs or not: a running one notices what changes. */
export function openAccounts(
  { data }: Pick<Settings, 'data'>,
  clock: Clock = createSystemClock(),
): Accounts {
  const file = createSharedText(join(data, ACCOUNTS_FILE), clock);
  return new Accounts({ file, secrets: createSecrets(), clock });
}

/** How a browser comes to this collector's console, as far as can be told before it runs; null where there is none. */
export async function wayIn({ console }: Pick<Settings, 'console'>): Promise<{
  readonly url: string;
  readonly fingerprint: string | null;
} | null> {
  if (!console) return null;
  const { host, port, tls } = console;
  const shown = host.includes(':') ? `[${host}]` : host;
  const url = named(`${tls ? 'https' : 'http'}://${shown}:${port}`);
  return { url, fingerprint: (tls && (await fingerprintOf(tls.certFile))) ?? null };
}

/** Opens the console; `problem` says why it cannot be opened. Never rejects for reasons of the world. */
export async function openConsole(
  settings: Pick<Settings, 'data'> & { readonly console: ConsoleSettings },
  inside: Inside,
  { root, clock, log }: { readonly root: string; readonly clock: Clock; readonly log: Log },
): Promise<{ readonly problem: string | null; close(): Promise<void> }> {
  const { host, port, tls, allowedHosts } = settings.console;
  const closed = async () => undefined;
  const folder = join(root, 'dist', 'console');
  const made = await makeFolder(settings.data, 0o700).then(
    () => readPageFiles(folder),
    (cause: unknown) => cause as Error,
  );
  if (made instanceof Error) return { problem: made.message, close: closed };
  const accounts = openAccounts(settings, clock);
  const own = [hostname(), `${hostname()}.local`, host];
  const outside = {
    ...{ accounts, secrets: createSecrets(), clock, log, pages: made },
    sessionFile: createSharedText(join(settings.data, SESSIONS_FILE), clock),
    hosts: hostNames(allowedHosts, own),
  };
  const desk = createConsole(inside, outside);
  const unmade = tls?.isOwn
    ? await ensureOwnCertificate(tls, [...own, 'localhost', '127.0.0.1'])
    : null;
  if (unmade !== null) return { problem: unmade, close: closed };
  const door = await openHttpDoor({ host, port, ...(tls && { tls }), clock, handle: desk.handle });
  if (door.problem !== null) return { problem: door.problem, close: closed };
  const fingerprint = tls && (await fingerprintOf(tls.certFile));
  log.info({ url: door.url, ...(fingerprint && { fingerprint }) }, 'the console is open');
  await welcome(accounts, named(door.url), log);
  return {
    problem: null,
    async close() {
      desk.close();
      await door.close();
      await desk.saved();
    },
  };
}

/** Where it listens on every address, a link bears the machine's name. */
function named(url: string): string {
  const { protocol, hostname: address, port } = new URL(url);
  const isEvery = address === '0.0.0.0' || address === '[::]';
  return isEvery ? `${protocol}//${hostname()}:${port}` : url;
}

/** Where there is no user yet: the code for making the first, told once in the log. There is no default password. */
async function welcome(accounts: Accounts, url: string, log: Log): Promise<void> {
  const book = await accounts.book();
  if (!book.ok) log.error({ code: book.code, hint: book.hint }, book.message);
  else if (book.data.users.length === 0) {
    const made = await accounts.code();
    if (!made.ok) log.error({ code: made.code, hint: made.hint }, made.message);
    else {
      const link = `${url}/first-run#code=${made.data.code}`;
      log.warn({ first_run: link }, 'the console has no user yet: open the link within a day');
    }
  }
}
