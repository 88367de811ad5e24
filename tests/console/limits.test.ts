// S5 and S8: other pages, other names, too much, too slow, too many, and paths that lead elsewhere.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONNECTIONS_MAX } from '../../src/adapters/connections.ts';
import { until } from '../fakes/until.ts';
import { type Bare, PASSWORDS, Served } from './served.ts';

let served: Served;
let cookie: string;
const bares: Bare[] = [];
beforeEach(async () => {
  served = await Served.open({ allowed: ['meters.example.org'] });
  await served.people();
  cookie = await served.signedIn('technician');
});
afterEach(async () => {
  for (const bare of bares.splice(0)) bare.socket.destroy();
  await served.close();
});

const bare = () => {
  const one = served.bare();
  bares.push(one);
  return one;
};
const statusFrom = (headers: Record<string, string>) =>
  served.ask('POST', '/api/commands/status', { body: {}, cookie, headers });

describe('S5: other pages', () => {
  const own = () => `http://127.0.0.1:${served.port}`;

  it.each([
    ['a foreign Origin', () => ({ origin: 'https://evil.example' })],
    ['an Origin of null', () => ({ origin: 'null' })],
    ['the own host with another port', () => ({ origin: 'http://127.0.0.1:1' })],
    ['the own host with another scheme', () => ({ origin: own().replace('http', 'https') })],
    ['a cross-site fetch', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['a same-site fetch', () => ({ 'sec-fetch-site': 'same-site' })],
    ['a form that was typed nowhere', () => ({ 'sec-fetch-site': 'none' })],
    [
      'a foreign Origin that says same-origin',
      () => ({ origin: 'http://x', 'sec-fetch-site': 'same-origin' }),
    ],
  ])('%s gets 403, and no command runs', async (_what, headers) => {
    const reply = await statusFrom(headers());
    expect([reply.status, reply.json.error.code]).toEqual([403, 'origin.foreign']);
    expect(served.commands.asked).toEqual([]);
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    [''],
  ])('a body of %s, as a form can send it, gets 415', async (type) => {
    const reply = await statusFrom({ 'content-type': type });
    expect(reply.status).toBe(415);
    expect(served.commands.asked).toEqual([]);
  });

  it('the own page and a program that is no browser are heard', async () => {
    const page = { origin: own(), 'sec-fetch-site': 'same-origin' };
    expect((await statusFrom(page)).status).toBe(200);
    expect((await statusFrom({})).status).toBe(200);
    expect((await statusFrom({ 'content-type': 'application/json; charset=utf-8' })).status).toBe(
      200,
    );
  });

  it('a preflight of another page is not answered with leave', async () => {
    const reply = await served.ask('OPTIONS', '/api/commands/status', {
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(reply.status).toBe(403);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual(
      [],
    );
  });

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.2',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '[::1',
    '0x7f.1',
  ])('the Host %s gets 421 for pages and for commands (DNS rebinding)', async (host) => {
    for (const path of ['/', '/api/session', '/assets/main-1a2b3c4d.js']) {
      const reply = await served.ask('GET', path, { cookie, headers: { host } });
      expect([path, reply.status === 421 || reply.status === 400]).toEqual([path, true]);
      expect(reply.text).not.toContain('technician');
    }
  });

  it('its own names are heard: addresses, localhost, the machine, and those that the settings allow', async () => {
    for (const host of [
      `127.0.0.1:${served.port}`,
      'localhost:8080',
      'LOCALHOST',
      'pole-7',
      'meters.example.org',
    ]) {
      const reply = await served.ask('GET', '/api/session', { cookie, headers: { host } });
      expect([host, reply.status]).toEqual([host, 200]);
    }
  });

  it('no Host at all, two of them, or another one in the request line get no answer of ours', async () => {
    for (const head of [
      'GET /api/session HTTP/1.1\r\n\r\n',
      'GET /api/session HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n',
      'GET http://evil.example/api/session HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /api/session HTTP/1.0\r\n\r\n',
    ]) {
      const caller = bare().say(
        head.replace('\r\n\r\n', `\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`),
      );
      await caller.closed;
      expect(caller.heard).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(caller.heard).not.toContain('technician');
    }
  });
});

describe('S8: what is asked', () => {
  it.each([
    '/../../../../etc/passwd',
    '/assets/../../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/%252e%252e/etc/passwd',
    '/assets/%00/../index.html',
    '/..\\..\\etc\\passwd',
    '//etc/passwd',
    '/api/../console-users.json',
    '/console-users.json',
    '/api/reports/..%2f..%2fconsole-users.json',
    '/api/reports/%2e%2e.json',
    '/assets/',
    '/assets',
    '/package.json',
    '/.git/config',
  ])('the path %s leads to no file', async (path) => {
    const caller = bare().say(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    );
    await caller.closed;
    expect(caller.heard).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(caller.heard).not.toMatch(/root:|scrypt|"version"/);
  });

  it('pages are served by their own paths, packed, to be kept as long as their names say', async () => {
    for (const path of ['/', '/meters', '/meters/SP-1', '/sign-in', '/first-run', '/install']) {
      const reply = await served.ask('GET', path);
      expect([path, reply.status, reply.text.slice(0, 9)]).toEqual([path, 200, '<!doctype']);
      expect(reply.headers['cache-control']).toBe('no-cache');
    }
    const path = '/assets/main-1a2b3c4d.js';
    const packed = async (wanted: string) =>
      (await served.ask('GET', path, { headers: { 'accept-encoding': wanted } })).text;
    expect(await packed('gzip, deflate, br')).toBe('brotli');
    expect(await packed('gzip')).toBe('zipped');
    expect(await packed('br;q=0, gzip')).toBe('zipped');
    expect(await packed('identity')).toBe('void 0;');
    const first = await served.ask('GET', path);
    expect(first.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const again = await served.ask('GET', path, {
      headers: { 'if-none-match': String(first.headers.etag) },
    });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('every answer forbids scripts and frames of others, sniffing and keeping', async () => {
    for (const [method, path] of [
      ...[
        ['GET', '/'],
        ['GET', '/nothing'],
        ['GET', '/api/session'],
        ['POST', '/api/sign-in'],
      ],
      ...[
        ['DELETE', '/'],
        ['GET', '/api/nothing'],
        ['GET', '/api/export.csv'],
      ],
    ] as const) {
      const { headers } = await served.ask(method, path, { cookie });
      const policy = String(headers['content-security-policy']);
      expect([path, policy]).toEqual([path, expect.stringContaining("default-src 'self'")]);
      expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['x-powered-by']).toBeUndefined();
      if (path.startsWith('/api')) expect(headers['cache-control']).toBe('no-store');
    }
  });

  it('a report bears its own style and is kept apart from the console', async () => {
    served.commands.scripted.set('report.get', {
      ...{ ok: true, data: { id: 'r', sha256: 'x', text: '<p>report</p>' } },
    });
    const html = await served.ask('GET', '/api/reports/commission-1.html?lang=es', { cookie });
    expect([html.status, html.text]).toEqual([200, '<p>report</p>']);
    expect(html.headers['content-security-policy']).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
    );
    expect(served.commands.asked.at(-1)?.args).toMatchObject({
      id: 'commission-1',
      format: 'html',
      lang: 'es',
    });
  });
});

describe('S8: too much', () => {
  it('a body of 10 MB gets 413, told or not, and costs no memory', async () => {
    const large = Buffer.alloc(10 * 1024 * 1024, 0x20);
    const told = await served.ask('POST', '/api/commands/status', { raw: large, cookie });
    expect(told.status).toBe(413);
    expect((await served.ask('POST', '/api/sign-in', { raw: large })).status).toBe(413);
    const pieces = bare().say(
      `POST /api/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let i = 0; i < 20; i += 1) pieces.say(`2000\r\n${' '.repeat(0x2000)}\r\n`);
    await pieces.closed;
    expect(pieces.heard).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('64 KiB are taken, a byte more is not', async () => {
    const bytes = (n: number) => `{"x":"${'x'.repeat(n - 8)}"}`;
    const ask = (raw: string) => served.ask('POST', '/api/commands/status', { raw, cookie });
    expect((await ask(bytes(64 * 1024))).status).toBe(200);
    expect((await ask(bytes(64 * 1024 + 1))).status).toBe(413);
  });

  it.each([
    ['no JSON', '{"a":'],
    ['a list', '[1]'],
    ['a word', 'null'],
    ['60,000 brackets', '['.repeat(60_000)],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ])('a body of %s gets 400', async (_what, raw) => {
    expect((await served.ask('POST', '/api/commands/status', { raw, cookie })).status).toBe(400);
  });

  it('keys that would change all objects change none', async () => {
    const raw = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}';
    expect((await served.ask('POST', '/api/commands/status', { raw, cookie })).status).toBe(200);
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  });

  it('headers beyond 8 KiB get 431', async () => {
    const headers = { 'x-large': 'x'.repeat(9_000) };
    expect((await served.ask('GET', '/', { headers })).status).toBe(431);
  });

  it('more than 8 requests sent ahead on a connection end it', async () => {
    const caller = bare().say('GET /api/session HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(200));
    await caller.closed;
    expect(caller.heard.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(10);
    expect((await served.command('status', cookie)).status).toBe(200);
  });

  it('more changes in a minute than a person makes get 429; looking goes on', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 65; i += 1) {
      statuses.push((await served.command('event.ack', cookie, { id: `${i}` })).status);
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(60);
    expect(statuses.at(-1)).toBe(429);
    expect((await served.command('status', cookie)).status).toBe(200);
    served.clock.shift += 61_000;
    expect((await served.command('event.ack', cookie)).status).toBe(200);
  });

  it('so it is with what is changed without a command: wishes, users, tokens', async () => {
    const viewer = await served.signedIn('viewer');
    const wish = (language: string) =>
      served.ask('PUT', '/api/session', { cookie: viewer, body: { language } });
    const statuses: number[] = [];
    for (let i = 0; i < 61; i += 1) statuses.push((await wish(i % 2 ? 'en' : 'es')).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(60);
    expect(statuses.at(-1)).toBe(429);
    expect((await served.ask('GET', '/api/session', { cookie: viewer })).status).toBe(200);
    expect((await served.ask('POST', '/api/sign-out', { cookie: viewer, body: {} })).status).toBe(
      200,
    );
  });

  it('more commands at once than eight of one person get 429; another person is heard', async () => {
    const release: (() => void)[] = [];
    const run = served.commands.run.bind(served.commands);
    served.commands.run = async (name, args) => {
      if (name === 'read') await new Promise<void>((resolve) => release.push(resolve));
      return run(name, args);
    };
    const reads = Array.from({ length: 12 }, () => served.command('read', cookie));
    await until('eight are under way', () => release.length === 8);
    const other = await served.signedIn('viewer');
    expect((await served.command('status', other)).status).toBe(200);
    for (const go of release) go();
    const statuses = (await Promise.all(reads)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(8).fill(200), ...Array(4).fill(429)]);
  });
});

describe('S8: too slow, too many', () => {
  it('who does not finish their headers is told so (408) and closed', async () => {
    const caller = bare().say('GET / HTTP/1.1\r\nHost: local');
    await until('it is closed', () => caller.isClosed, 9_000);
    expect(caller.heard).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('200 slow connections keep no person out', async () => {
    const slow = Array.from({ length: 200 }, () =>
      bare().say('POST /api/sign-in HTTP/1.1\r\nHost: l'),
    );
    await until('they are there', () => slow.every(({ socket }) => !socket.connecting));
    const drip = slow.map((one, i) => ({ one, i }));
    const stillOpen = () => slow.filter(({ isClosed }) => !isClosed).length;
    for (let round = 0; round < 10; round += 1) {
      for (const { one, i } of drip) if (i % 10 === round) one.say('o');
      expect((await served.command('status', cookie)).status).toBe(200);
      expect((await served.ask('GET', '/')).status).toBe(200);
    }
    expect(
      (
        await served.ask('POST', '/api/sign-in', {
          body: { user: 'viewer', password: PASSWORDS.viewer },
        })
      ).status,
    ).toBe(200);
    expect(stillOpen()).toBeLessThanOrEqual(CONNECTIONS_MAX);
  });

  it('200 connections that send their bodies drop by drop keep no person out', async () => {
    const head =
      'POST /api/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{';
    const slow = Array.from({ length: 200 }, () => bare().say(head));
    await until('they are there', () => slow.every(({ socket }) => !socket.connecting));
    for (let round = 0; round < 5; round += 1) {
      for (const one of slow) one.say(' ');
      expect((await served.command('status', cookie)).status).toBe(200);
    }
  });

  it('a person’s open stream and kept connection outlive 200 strangers', async () => {
    const ask = (path: string) =>
      bare().say(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`);
    const stream = ask('/api/live');
    await until('it lives', () => stream.heard.includes('event: status'));
    const kept = ask('/api/session');
    await until('it is answered', () => kept.heard.includes('"technician"'));
    const strangers = Array.from({ length: 200 }, () => bare());
    await until('they are there', () => strangers.every(({ socket }) => !socket.connecting));
    const before = stream.heard.length;
    served.commands.count += 1;
    await until('most strangers are gone', () => {
      return strangers.filter(({ isClosed }) => isClosed).length > 200 - CONNECTIONS_MAX;
    });
    expect(kept.isClosed).toBe(false);
    await until('news came through', () => stream.heard.length > before);
    expect(stream.isClosed).toBe(false);
  });

  it('a flood of requests from one connection after the other leaves each its turn', async () => {
    const flood = Array.from({ length: 400 }, () =>
      served.ask('GET', '/api/session').catch(() => null),
    );
    const replies = await Promise.all([...flood, served.command('status', cookie)]);
    expect(replies.at(-1)?.status).toBe(200);
    expect(replies.slice(0, -1).every((one) => one === null || one.status === 401)).toBe(true);
  });

  it('an upgrade, a tunnel and a trace are not to be had', async () => {
    for (const head of [
      'GET /api/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ]) {
      const caller = bare().say(head);
      await caller.closed;
      expect(caller.heard).not.toMatch(/^HTTP\/1\.1 [12]/);
    }
  });
});
