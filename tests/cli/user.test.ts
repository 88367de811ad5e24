// `user` and `token`: over the real file of accounts, without a secret among the arguments or on the screen.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecrets } from '../../src/adapters/secrets.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { Accounts } from '../../src/console/accounts.ts';
import { faulty } from '../../src/domain/fault.ts';
import { openAccounts } from '../../src/web-console.ts';
import { fakeParts, typed } from './fake-parts.ts';

const PASSWORD = 'a long walk to the pump room';
let data = '';
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'accounts-'));
});
afterEach(() => rm(data, { recursive: true, force: true }));

function desk(prompts: readonly string[] = []) {
  const left = [...prompts];
  const secret: boolean[] = [];
  const parts = fakeParts({
    accounts: async () => openAccounts({ data }),
    prompt: async (_question, how) => {
      secret.push(how?.isSecret === true);
      return left.shift() ?? null;
    },
    readText: async function* () {
      yield `${PASSWORD}\nanother line\n`;
    },
  });
  return { parts, secret };
}

const book = () => readFile(join(data, 'console-users.json'), 'utf8');

describe('user', () => {
  it('gives the code of the first run while there is nobody', async () => {
    const { exit, out } = await typed('user code --json', desk().parts);
    expect(exit).toBe(0);
    expect(JSON.parse(out).code).toMatch(/^[\w-]{20,}$/);
    expect(JSON.parse(out).user).toBeNull();
  });

  it('is added with a role and a code, listed, given a password, and removed', async () => {
    const { parts } = desk();
    expect((await typed('user add ana --role admin', parts)).exit).toBe(0);
    expect((await typed('user add ben --role viewer --json', parts)).exit).toBe(0);
    expect((await typed('user set-password ana --password-file -', parts)).exit).toBe(0);
    const { out } = await typed('user list --json', parts);
    expect(JSON.parse(out).users).toMatchObject([
      { user: 'ana', role: 'admin', has_password: true },
      { user: 'ben', role: 'viewer', has_password: false },
    ]);
    expect((await typed('user list', parts)).out).toMatch(/ana +admin .* yes/);
    expect((await typed('user remove ben', parts)).exit).toBe(0);
    expect((await typed('user remove ben', parts)).exit).toBe(2);
    expect((await typed('user remove ana', parts)).exit).toBe(1);
    expect(await book()).not.toContain(PASSWORD);
  });

  it('has its password typed twice, unseen, and alike', async () => {
    const alike = desk([PASSWORD, PASSWORD]);
    await typed('user add ana --role admin', alike.parts);
    const said = await typed('user set-password ana', alike.parts, { isTTY: true });
    expect([said.exit, alike.secret]).toEqual([0, [true, true]]);
    expect(said.out + said.err).not.toContain(PASSWORD);
    const other = desk([PASSWORD, `${PASSWORD}!`]);
    expect((await typed('user set-password ana', other.parts, { isTTY: true })).exit).toBe(2);
    expect((await typed('user set-password ana', desk().parts)).exit).toBe(2);
  });

  it('is told in Spanish, refusals too', async () => {
    const { parts } = desk();
    expect((await typed('user list --lang es', parts)).out).toContain('Aún no hay usuarios');
    expect((await typed('user reset eva --lang es', parts)).err).toContain('No hay ningún usuario');
  });

  it('a role that is none changes nothing', async () => {
    expect((await typed('user add ana --role king', desk().parts)).exit).toBe(2);
    await expect(book()).rejects.toThrow();
  });
});

describe('a file of accounts', () => {
  it('that this user may not open is left to who may, and not called broken', async () => {
    const denied = faulty('store.failed', 'this user may not open /data/console-users.json');
    const file = { read: async () => denied, change: async () => denied };
    const parts = fakeParts({
      accounts: async () =>
        new Accounts({ file, secrets: createSecrets(), clock: createSystemClock() }),
    });
    for (const words of ['user list', 'token list', 'user add ana --role admin']) {
      const { exit, err } = await typed(words, parts);
      expect(exit).toBe(8);
      expect(err).toContain('Ask as the user who runs the collector');
      expect(err).not.toMatch(/remove/i);
    }
  });
});

describe('a data folder that the collector has not made yet', () => {
  it('is said to come with the first start, and nothing is called broken or made', async () => {
    await rm(data, { recursive: true });
    const words = ['user code', 'user add ana --role admin', 'token create nightly --role viewer'];
    for (const said of words) {
      const { exit, err } = await typed(said, desk().parts);
      expect(exit).toBe(1);
      expect(err).toContain('at its first start');
      expect(err).not.toMatch(/remove/i);
    }
    await expect(readdir(data)).rejects.toThrow();
  });
});

describe('token', () => {
  it('is shown once, alone on standard output, and can be taken back', async () => {
    const { parts } = desk();
    const made = await typed('token create nightly --role viewer --by ana', parts);
    expect(made.exit).toBe(0);
    expect(made.out).toMatch(/^mct_[\w-]+\n$/);
    expect(await book()).not.toContain(made.out.trim());
    expect(JSON.parse((await typed('token list --json', parts)).out).tokens).toMatchObject([
      { id: 't1', name: 'nightly', role: 'viewer', by: 'ana' },
    ]);
    expect((await typed('token revoke t1', parts)).exit).toBe(0);
    expect((await typed('token revoke t1', parts)).exit).toBe(2);
  });
});
