// The demo's way into the collector's web console: an account of its own with a one-time link, and where the console listens.

import { createHash, randomBytes, scryptSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The code of the link is good for a day, once. */
const CODE_MS = 24 * 3_600_000;

/** A file of accounts (docs/console.md) with one admin, whose password nobody knows, and a code for signing in. */
function accounts(code: string): string {
  const salt = randomBytes(16);
  const key = scryptSync(randomBytes(32), salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 });
  const password = `scrypt$32768$8$1$${salt.toString('base64url')}$${key.toString('base64url')}`;
  const digest = createHash('sha256').update(code).digest('base64url');
  return JSON.stringify({
    v: 1,
    users: [{ user: 'demo', role: 'admin', password, created: new Date().toISOString() }],
    tokens: [],
    codes: [{ digest, user: 'demo', until: Date.now() + CODE_MS }],
  });
}

/** Puts the account into the data folder of a collector that has not begun. Resolves to the code. */
export async function makeAccount(data: string): Promise<string> {
  const code = randomBytes(16).toString('base64url');
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(join(data, 'console-users.json'), accounts(code), { mode: 0o600 });
  return code;
}

/** Where the collector of this log says that its console is; undefined while it has not said so. */
export function consoleUrl(log: string): string | undefined {
  if (!existsSync(log)) return undefined;
  const line = readFileSync(log, 'utf8').match(/^.*"the console is open".*$/m)?.[0];
  return line === undefined ? undefined : (JSON.parse(line) as { url?: string }).url;
}
