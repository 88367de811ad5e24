// The demo's way into the collector's web console: an account of its own with a one-time link, and where the console listens.

import { createHash, randomBytes, scryptSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The code of the link is good for a day, once. */
const CODE_MS = 24 * 3_600_000;

/** What opens the demo's console: a code for a person, once, and a token for what the demo itself does there. */
export interface Keys {
  readonly code: string;
  readonly token: string;
}

const digestOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');

/** A file of accounts (docs/console.md) with one admin, whose password nobody knows. */
function accounts({ code, token }: Keys): string {
  const salt = randomBytes(16);
  const key = scryptSync(randomBytes(32), salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 });
  const password = `scrypt$32768$8$1$${salt.toString('base64url')}$${key.toString('base64url')}`;
  const created = new Date().toISOString();
  const about = { role: 'admin', created };
  return JSON.stringify({
    v: 1,
    users: [{ user: 'demo', ...about, password }],
    tokens: [{ id: 't1', name: 'demo', ...about, digest: digestOf(token), by: 'demo', used: null }],
    codes: [{ digest: digestOf(code), user: 'demo', until: Date.now() + CODE_MS }],
  });
}

/** Puts the account into the data folder of a collector that has not begun. */
export async function makeAccount(data: string): Promise<Keys> {
  const random = (bytes: number) => randomBytes(bytes).toString('base64url');
  const keys = { code: random(16), token: `mct_${random(32)}` };
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(join(data, 'console-users.json'), accounts(keys), { mode: 0o600 });
  return keys;
}

/** Where the collector of this log says that its console is; undefined while it has not said so. */
export function consoleUrl(log: string): string | undefined {
  if (!existsSync(log)) return undefined;
  const line = readFileSync(log, 'utf8').match(/^.*"the console is open".*$/m)?.[0];
  return line === undefined ? undefined : (JSON.parse(line) as { url?: string }).url;
}
