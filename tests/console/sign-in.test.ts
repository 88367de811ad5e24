// Who comes in: no default password, scrypt in a file of mode 0600, guessing slow, sessions that end, and nobody locked out for ever.

import { readFile, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSharedText } from '../../src/adapters/shared-text.ts';
import { Accounts } from '../../src/console/accounts.ts';
import { until } from '../fakes/until.ts';
import { cookieIn, PASSWORDS, Served } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await Served.open();
});
afterEach(() => served.close());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const signIn = (user: string, password: string, from?: string) =>
  served.ask('POST', '/api/sign-in', { body: { user, password }, ...(from && { from }) });

/** The same file as another process opens it. */
function elsewhere(): Accounts {
  const { clock, secrets, file } = served;
  return new Accounts({ file: createSharedText(file, clock), secrets, clock });
}

describe('S1: a collector without users', () => {
  it('lets nobody in, and says that it is to be set up', async () => {
    for (const path of ['/api/session', '/api/live', '/api/users', '/api/backup']) {
      const reply = await served.ask('GET', path);
      expect([path, reply.status]).toEqual([path, 401]);
      expect(reply.json.error.code).toBe('setup_required');
    }
    expect((await signIn('admin', 'admin')).status).toBe(401);
    expect((await signIn('admin', '')).status).toBe(401);
  });

  it('gives another code at each start, and only the newest makes the first admin, once', async () => {
    const [old, code] = [await served.accounts.code(), await served.accounts.code()];
    if (!old.ok || !code.ok) throw new Error('no code');
    expect(old.data.code).not.toBe(code.data.code);
    const wish = { user: 'anna', password: PASSWORDS.admin, language: 'es' };
    const first = (body: object) => served.ask('POST', '/api/first-run', { body });
    expect((await first({ ...wish, code: old.data.code })).status).toBe(401);
    expect((await first({ ...wish, code: code.data.code, password: 'short' })).json).toMatchObject({
      error: { code: 'password_short' },
    });
    const [one, other] = await Promise.all([
      first({ ...wish, code: code.data.code }),
      first({ ...wish, code: code.data.code, user: 'berta' }),
    ]);
    expect([one.status, other.status].sort()).toEqual([200, 401]);
    const made = one.status === 200 ? one : other;
    expect(made.json).toMatchObject({ role: 'admin', first_run: false });
    const session = await served.ask('GET', '/api/session', { cookie: cookieIn(made) });
    expect(session.json).toMatchObject({ role: 'admin', language: 'es', collector: 'COL-1' });
    expect((await first({ ...wish, code: code.data.code })).status).toBe(401);
  });

  it('forgets the code after a day', async () => {
    const code = await served.accounts.code();
    if (!code.ok) throw new Error('no code');
    served.clock.shift += 25 * HOUR;
    const body = { code: code.data.code, user: 'anna', password: PASSWORDS.admin };
    expect((await served.ask('POST', '/api/first-run', { body })).json.error.code).toBe(
      'code.unknown',
    );
  });

  it.each([
    'short',
    'password123',
    'contraseña',
    '1234567890',
    'aaaaaaaaaaaa',
    'ANNA-2026',
    'x'.repeat(129),
  ])('takes no password like %s', async (password) => {
    const code = await served.accounts.code();
    if (!code.ok) throw new Error('no code');
    const body = { code: code.data.code, user: 'anna', password };
    const reply = await served.ask('POST', '/api/first-run', { body });
    expect(reply.status).toBe(422);
    expect(reply.json.error.code).toMatch(/^password_(short|long|common)$/);
  });
});

describe('S2: the file of accounts', () => {
  it('is its owner’s alone, and holds a password only as scrypt with N of at least 2^15', async () => {
    await served.people();
    await served.accounts.add({ user: 'twin', role: 'viewer', password: PASSWORDS.viewer });
    expect((await stat(served.file)).mode & 0o777).toBe(0o600);
    const text = await readFile(served.file, 'utf8');
    for (const password of Object.values(PASSWORDS)) expect(text).not.toContain(password);
    const { users } = JSON.parse(text) as { users: { user: string; password: string }[] };
    for (const { password } of users) {
      const [, N, r] = /^scrypt\$(\d+)\$(\d+)\$/.exec(password) ?? [];
      expect(Number(N) * Number(r)).toBeGreaterThanOrEqual(2 ** 15 * 8);
    }
    expect(new Set(users.map(({ password }) => password)).size).toBe(4);
  });

  it('that is damaged lets nobody in and nobody begin anew', async () => {
    await served.people();
    const cookie = await served.signedIn('admin');
    await writeFile(served.file, '{"v":1,"users":[');
    expect((await served.ask('GET', '/api/users', { cookie })).status).toBe(503);
    expect((await signIn('admin', PASSWORDS.admin)).json.error.code).toBe('accounts.broken');
    expect((await served.accounts.code()).ok).toBe(false);
    expect(await readFile(served.file, 'utf8')).toBe('{"v":1,"users":[');
  });

  it('may be changed by the command line while the console runs: nobody who was removed stays', async () => {
    await served.people();
    const [viewer, technician] = [
      await served.signedIn('viewer'),
      await served.signedIn('technician'),
    ];
    expect(await elsewhere().remove('viewer')).toMatchObject({ ok: true });
    expect((await served.command('status', viewer)).status).toBe(401);
    expect((await served.command('status', technician)).status).toBe(200);
    expect(await elsewhere().setPassword('technician', 'quite another 9')).toMatchObject({
      ok: true,
    });
    expect((await served.command('status', technician)).status).toBe(401);
    expect((await signIn('technician', PASSWORDS.technician)).status).toBe(401);
    expect((await signIn('technician', 'quite another 9')).status).toBe(200);
  });

  it('loses no account when two processes add some at once', async () => {
    await served.people();
    const desks = [served.accounts, elsewhere(), elsewhere()];
    const added = desks.flatMap((desk, i) =>
      Array.from({ length: 5 }, (_, n) => desk.add({ user: `u${i}-${n}`, role: 'viewer' })),
    );
    expect((await Promise.all(added)).every(({ ok }) => ok)).toBe(true);
    const list = await elsewhere().list();
    expect(list.ok && list.data.users).toHaveLength(3 + 15);
  });

  it('is not held up by a lock whose process has gone', async () => {
    await writeFile(`${served.file}.lock`, String(2 ** 22 + 1));
    expect(await served.accounts.add({ user: 'anna', role: 'admin' })).toMatchObject({ ok: true });
  });

  it('keeps one admin', async () => {
    await served.people();
    expect(await served.accounts.remove('admin')).toMatchObject({ code: 'user.last_admin' });
    expect(await served.accounts.setRole('admin', 'viewer')).toMatchObject({
      code: 'user.last_admin',
    });
  });
});

describe('S3: guessing', () => {
  it('200 wrong passwords in a row: 429 from the eleventh, and the owner comes in from elsewhere', async () => {
    await served.people();
    const statuses: number[] = [];
    for (let i = 0; i < 200; i += 1) statuses.push((await signIn('admin', `wrong ${i}`)).status);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(new Set(statuses.slice(10))).toEqual(new Set([429]));
    expect((await signIn('admin', PASSWORDS.admin)).status).toBe(429);
    expect((await signIn('admin', PASSWORDS.admin, '127.0.0.2')).status).toBe(200);
  });

  it('at once counts like one after another', async () => {
    await served.people();
    const tries = Array.from({ length: 60 }, (_, i) => signIn('admin', `wrong ${i}`));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
    expect((await signIn('admin', PASSWORDS.admin, '127.0.0.3')).status).toBe(200);
  });

  it('waits longer each time, says for how long, and is forgiven', async () => {
    await served.people();
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      let reply = await signIn('admin', 'wrong');
      while (reply.status === 401) reply = await signIn('admin', 'wrong');
      waits.push(Number(reply.headers['retry-after']));
      served.clock.shift += waits.at(-1) ? Number(waits.at(-1)) * 1000 : 0;
    }
    expect(waits.map((s) => Math.round(s / 60))).toEqual([1, 2, 4, 8, 15, 15]);
    expect((await signIn('admin', PASSWORDS.admin)).status).toBe(200);
  });

  it('is not forgotten for a good sign-in of somebody else in between', async () => {
    await served.people();
    const guesses = async (count: number) => {
      const replies = [];
      for (let i = 0; i < count; i += 1) replies.push(await signIn(`somebody-${i}`, 'wrong'));
      return replies.filter(({ status }) => status === 401).length;
    };
    expect(await guesses(9)).toBe(9);
    expect((await signIn('viewer', PASSWORDS.viewer)).status).toBe(200);
    expect(await guesses(9)).toBe(1);
  });

  it('is not prolonged by trying', async () => {
    await served.people();
    for (let i = 0; i < 11; i += 1) await signIn('admin', 'wrong');
    served.clock.shift += 30_000;
    for (let i = 0; i < 20; i += 1) expect((await signIn('admin', 'wrong')).status).toBe(429);
    served.clock.shift += 31_000;
    expect((await signIn('admin', PASSWORDS.admin)).status).toBe(200);
  });

  it('from many addresses is bounded for the account, and keeps the owner’s address in', async () => {
    await served.people();
    await served.signedIn('admin', '127.0.0.2');
    let let401 = 0;
    for (let i = 0; i < 40; i += 1) {
      const reply = await signIn('admin', 'wrong', `127.0.1.${i + 1}`);
      if (reply.status === 401) let401 += 1;
    }
    expect(let401).toBe(30);
    expect((await signIn('admin', PASSWORDS.admin, '127.0.0.9')).status).toBe(429);
    expect((await signIn('admin', PASSWORDS.admin, '127.0.0.2')).status).toBe(200);
    expect((await signIn('viewer', PASSWORDS.viewer, '127.0.0.9')).status).toBe(200);
  });

  it('never keeps out who stands at the collector: a one-time code lets in from a locked address, once', async () => {
    await served.people();
    for (let i = 0; i < 12; i += 1) await signIn('technician', 'wrong');
    expect((await signIn('technician', PASSWORDS.technician)).status).toBe(429);
    const code = await elsewhere().code('technician');
    if (!code.ok) throw new Error('no code');
    const byCode = () => served.ask('POST', '/api/sign-in', { body: { code: code.data.code } });
    const [one, other] = await Promise.all([byCode(), byCode()]);
    expect([one.status, other.status].sort()).toEqual([200, 401]);
  });

  it('names no user that exists: who is not known waits as long and hears the same', async () => {
    await served.people();
    const replies = [await signIn('admin', 'wrong'), await signIn('nobody', 'wrong', '127.0.0.5')];
    expect(replies[0]?.text).toBe(replies[1]?.text);
  });

  it('is told as login.failed at once, then once a minute with how many there were', async () => {
    await served.people();
    for (let i = 0; i < 30; i += 1) await signIn('admin', 'wrong');
    const failed = () => served.events.filter(({ code }) => code === 'login.failed');
    expect(failed()).toHaveLength(1);
    expect(failed()[0]?.data).toMatchObject({ user: 'admin', from: '127.0.0.1', failures: 1 });
    served.clock.shift += 61_000;
    await signIn('admin', 'wrong');
    expect(failed().map(({ data }) => data['failures'])).toEqual([1, 30]);
  });
});

describe('S4: a session', () => {
  it('is 256 random bits in a cookie that no script reads and no other site sends', async () => {
    await served.people();
    const body = { user: 'admin', password: PASSWORDS.admin };
    const tokens = new Set<string>();
    for (let i = 0; i < 3; i += 1) {
      const reply = await served.ask('POST', '/api/sign-in', { body });
      const cookie = reply.headers['set-cookie']?.[0] ?? '';
      expect(cookie).toMatch(/; HttpOnly(;|$)/);
      expect(cookie).toMatch(/; SameSite=Strict(;|$)/);
      expect(cookie).toMatch(/; Path=\/(;|$)/);
      const token = cookieIn(reply).split('=')[1] ?? '';
      expect(Buffer.from(token, 'base64url')).toHaveLength(32);
      tokens.add(token);
    }
    expect(tokens.size).toBe(3);
  });

  it('ends with signing out', async () => {
    await served.people();
    const cookie = await served.signedIn('viewer');
    expect((await served.ask('GET', '/api/session', { cookie })).status).toBe(200);
    expect((await served.ask('POST', '/api/sign-out', { cookie, body: {} })).status).toBe(200);
    expect((await served.ask('GET', '/api/session', { cookie })).status).toBe(401);
    expect((await served.command('status', cookie)).json.error.code).toBe('unauthorized');
  });

  it('ends 30 minutes after its last use, and twelve hours after its beginning', async () => {
    await served.people();
    const cookie = await served.signedIn('viewer');
    const ask = async () => (await served.command('status', cookie)).status;
    for (let minutes = 0; minutes < 11 * 60; minutes += 29) {
      served.clock.shift += 29 * MINUTE;
      expect(await ask()).toBe(200);
    }
    served.clock.shift += 29 * MINUTE;
    await ask();
    served.clock.shift += 29 * MINUTE;
    expect(await ask()).toBe(401);
    const other = await served.signedIn('viewer');
    served.clock.shift += 30 * MINUTE;
    expect((await served.command('status', other)).status).toBe(401);
  });

  it('is one of at most eight of a user: the one unused for longest ends', async () => {
    await served.people();
    const cookies: string[] = [];
    for (let i = 0; i < 9; i += 1) {
      cookies.push(await served.signedIn('viewer'));
      served.clock.shift += 1;
    }
    expect((await served.command('status', cookies[0] ?? '')).status).toBe(401);
    expect((await served.command('status', cookies[1] ?? '')).status).toBe(200);
  });

  it('goes on over a restart of the collector, from a file of mode 0600 in which nothing lets anybody in', async () => {
    await served.people();
    const cookie = await served.signedIn('technician');
    const token = cookie.split('=')[1] ?? '?';
    expect((await stat(served.sessionFile)).mode & 0o777).toBe(0o600);
    const text = await readFile(served.sessionFile, 'utf8');
    expect(text).not.toContain(token);
    const [{ digest }] = JSON.parse(text).sessions;
    await served.restart();
    const ask = async (one = cookie) => (await served.command('status', one)).status;
    expect(await ask()).toBe(200);
    expect(await ask(`meter-collector=${digest}`)).toBe(401);
    const [restarted] = JSON.parse(await readFile(served.sessionFile, 'utf8')).sessions;
    served.clock.shift += 10 * MINUTE;
    expect(await ask()).toBe(200);
    const laterUsed = async () =>
      JSON.parse(await readFile(served.sessionFile, 'utf8')).sessions[0].used > restarted.used;
    await until('its use is written down', laterUsed);
    served.clock.shift += 29 * MINUTE;
    await served.restart();
    expect(await ask()).toBe(200);
    served.clock.shift += 30 * MINUTE;
    await served.restart();
    expect(await ask()).toBe(401);
  });

  it('that was signed out, or whose password was changed meanwhile, or that lies in the future stays over after a restart', async () => {
    await served.people();
    const out = await served.signedIn('viewer');
    await served.ask('POST', '/api/sign-out', { cookie: out, body: {} });
    const old = await served.signedIn('technician');
    expect(await elsewhere().setPassword('technician', 'a still pond 44')).toMatchObject({
      ok: true,
    });
    const ahead = await served.signedIn('admin');
    await served.restart();
    expect((await served.command('status', out)).status).toBe(401);
    expect((await served.command('status', old)).status).toBe(401);
    expect((await served.command('status', ahead)).status).toBe(200);
    served.clock.shift -= 24 * HOUR;
    await served.restart();
    expect((await served.command('status', ahead)).status).toBe(401);
  });

  it('is nobody’s where the file is damaged: then everybody signs in again', async () => {
    await served.people();
    const cookie = await served.signedIn('viewer');
    for (const text of ['{', '[]', '{"v":1,"sessions":[{"digest":1},null]}', '{"v":2}']) {
      await writeFile(served.sessionFile, text);
      await served.restart();
      expect((await served.command('status', cookie)).status).toBe(401);
    }
    expect((await signIn('viewer', PASSWORDS.viewer)).status).toBe(200);
  });

  it('after a reset is for setting a password and nothing else', async () => {
    await served.people();
    const before = await served.signedIn('technician');
    const reset = await elsewhere().reset('technician');
    if (!reset.ok) throw new Error('no code');
    expect((await served.command('status', before)).status).toBe(401);
    expect((await signIn('technician', PASSWORDS.technician)).status).toBe(401);
    expect((await signIn('technician', '')).status).toBe(401);
    const reply = await served.ask('POST', '/api/sign-in', { body: { code: reset.data.code } });
    expect(reply.json).toMatchObject({ user: 'technician', first_run: true });
    const cookie = cookieIn(reply);
    expect((await served.command('status', cookie)).json.error.code).toBe('password.required');
    expect((await served.ask('GET', '/api/live', { cookie })).status).toBe(403);
    const body = { password: 'a new pump 4711' };
    expect((await served.ask('POST', '/api/password', { cookie, body })).status).toBe(200);
    expect((await served.command('status', cookie)).status).toBe(200);
    expect((await signIn('technician', body.password)).status).toBe(200);
  });

  it('changes its own password only with the old one, and ends the other sessions of its user', async () => {
    await served.people();
    const [cookie, other] = [await served.signedIn('viewer'), await served.signedIn('viewer')];
    const change = (before: string) =>
      served.ask('POST', '/api/password', { cookie, body: { before, password: 'a new river 55' } });
    expect((await change('a guess it is')).status).toBe(403);
    expect((await change(PASSWORDS.viewer)).status).toBe(200);
    expect((await served.command('status', cookie)).status).toBe(200);
    expect((await served.command('status', other)).status).toBe(401);
  });

  it('a change of password under way undoes no reset, and brings no session back that was signed out', async () => {
    await served.people();
    const { scramble } = served.secrets;
    const changed = async (meanwhile: (cookie: string) => Promise<unknown>, before: string) => {
      const cookie = await served.signedIn('viewer');
      Object.assign(served.secrets, {
        scramble: async (password: string) => {
          Object.assign(served.secrets, { scramble });
          await meanwhile(cookie);
          return scramble(password);
        },
      });
      const body = { before, password: 'a new river 55' };
      const reply = await served.ask('POST', '/api/password', { cookie, body });
      const after = await served.ask('GET', '/api/session', { cookie });
      return [reply.status, after.status];
    };
    const signOut = (cookie: string) => served.ask('POST', '/api/sign-out', { cookie, body: {} });
    expect(await changed(signOut, PASSWORDS.viewer)).toEqual([200, 401]);
    await served.people();
    expect(await changed(() => elsewhere().reset('viewer'), PASSWORDS.viewer)).toEqual([401, 401]);
    expect((await signIn('viewer', 'a new river 55')).status).toBe(401);
  });

  it('is not begun more often in a minute than a person signs in', async () => {
    await served.people();
    const statuses: number[] = [];
    for (let i = 0; i < 61; i += 1) {
      const code = await elsewhere().code('technician');
      if (!code.ok) throw new Error('no code');
      const body = { code: code.data.code };
      statuses.push((await served.ask('POST', '/api/sign-in', { body })).status);
    }
    expect(statuses).toEqual([...Array(60).fill(200), 429]);
    expect((await signIn('viewer', PASSWORDS.viewer)).status).toBe(200);
  });
});

describe('a token for scripts', () => {
  it('asks in its role, is kept as a digest, tells its last use, and ends when it is revoked', async () => {
    await served.people();
    const cookie = await served.signedIn('admin');
    const made = await served.ask('POST', '/api/tokens', {
      cookie,
      body: { name: 'cron', role: 'viewer' },
    });
    const { token, id } = made.json;
    expect(await readFile(served.file, 'utf8')).not.toContain(token);
    const ask = (name: string, bearer = token) =>
      served.ask('POST', `/api/commands/${name}`, {
        body: {},
        headers: { authorization: `Bearer ${bearer}` },
      });
    expect((await ask('status')).status).toBe(200);
    expect(served.commands.asked.at(-1)?.args).toEqual({ by: 'token:cron' });
    expect((await ask('read')).status).toBe(403);
    expect((await ask('status', `${token}x`)).status).toBe(401);
    const tokens = () => served.ask('GET', '/api/tokens', { cookie });
    await until('its use is noted', async () => (await tokens()).json.tokens[0].used !== null);
    expect((await tokens()).text).not.toContain('digest');
    await served.ask('DELETE', `/api/tokens/${id}`, { cookie });
    expect((await ask('status')).status).toBe(401);
  });

  describe('that an admin has made in the console', () => {
    const asks = async (method: string, path: string, bearer: string, body?: object) =>
      await served.ask(method, path, { body, headers: { authorization: `Bearer ${bearer}` } });
    const made = async (bearer: string, name: string) =>
      (await asks('POST', '/api/tokens', bearer, { name, role: 'admin' })).json.token as string;
    const roles = async () => {
      const listed = await served.accounts.listTokens();
      return listed.ok ? listed.data.tokens.map((one) => (one as { role: string }).role) : [];
    };
    let tokens: readonly string[];

    beforeEach(async () => {
      await served.people();
      await served.accounts.add({ user: 'boss', role: 'admin', password: PASSWORDS.admin });
      const cookie = await served.signedIn('admin');
      const body = { name: 'export', role: 'admin' };
      const first = (await served.ask('POST', '/api/tokens', { cookie, body })).json.token;
      tokens = [first, await made(first, 'made-by-the-token')];
    });

    it('may do what its owner may now, and so may a token that it has made', async () => {
      for (const token of tokens) expect((await asks('GET', '/api/users', token)).status).toBe(200);
      await served.accounts.setRole('admin', 'viewer');
      for (const token of tokens) {
        expect((await asks('GET', '/api/users', token)).status).toBe(403);
        expect((await asks('POST', '/api/commands/status', token, {})).status).toBe(200);
      }
      expect(await roles()).toEqual(['viewer', 'viewer']);
      await served.accounts.setRole('admin', 'admin');
      expect(await roles()).toEqual(['admin', 'admin']);
    });

    it('goes with its owner’s account, also where another one of that name comes after it', async () => {
      await served.accounts.remove('admin');
      expect(await roles()).toEqual([]);
      await served.accounts.add({ user: 'admin', role: 'admin', password: PASSWORDS.admin });
      for (const token of tokens) expect((await asks('GET', '/api/users', token)).status).toBe(401);
    });

    it('does so in a file of before owners were kept, and one of the command line stands by itself', async () => {
      const own = { name: 'nightly', role: 'admin', by: 'boss', owner: null };
      expect((await served.accounts.createToken(own)).ok).toBe(true);
      const book = JSON.parse(await readFile(served.file, 'utf8'));
      delete book.tokens[0].owner;
      await writeFile(served.file, JSON.stringify(book));
      await served.accounts.setRole('admin', 'technician');
      await served.accounts.setRole('boss', 'viewer');
      expect(await roles()).toEqual(['technician', 'technician', 'admin']);
    });
  });
});
