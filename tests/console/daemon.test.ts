// The console in the real collector: what listens, what its restart keeps, TLS, a port that is taken, and polls while it is attacked.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { get, request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { openAccounts } from '../../src/web-console.ts';
import { typed } from '../end-to-end/typed.ts';
import { Authority } from '../fakes/authority.ts';
import { until } from '../fakes/until.ts';
import { attack } from './attack.ts';
import { Daemon, worse } from './daemon.ts';

let daemon: Daemon | undefined;
afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

const LOOPBACK = { listen: '127.0.0.1:0' };
const PASSWORD = 'a tall tower 333';

/** Sockets on which a process listens, as `ss -ltn` has them: `ADDRESS:PORT` in hexadecimal. */
function listening(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        const isOpen = kind.startsWith('udp') || state === '0A';
        return isOpen && inodes.has(inode) ? [`${kind} ${local}`] : [];
      }),
  );
}

const post = (url: URL, path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** Makes the first user by the link of the log, as a person would, and gives the cookie. */
async function firstRun(open: Daemon): Promise<string> {
  const { first_run } = await open.logged('has no user yet');
  const link = new URL(String(first_run));
  const code = new URLSearchParams(link.hash.slice(1)).get('code');
  const reply = await post(link, '/api/first-run', { code, user: 'anna', password: PASSWORD });
  expect(reply.status).toBe(200);
  return (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

describe('the console of a real collector', () => {
  it('S7: is the one thing that listens, on loopback alone; S1: its first user is made by the link in the log', async () => {
    daemon = await Daemon.open(LOOPBACK);
    const url = await daemon.url();
    const port = Number(url.port).toString(16).toUpperCase().padStart(4, '0');
    expect(listening(daemon.pid)).toEqual([`tcp 0100007F:${port}`]);
    expect((await fetch(new URL('/api/session', url))).status).toBe(401);
    const cookie = await firstRun(daemon);
    const file = join(daemon.folder, 'journal', 'console-users.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const status = await post(url, '/api/commands/status', {}, { cookie });
    expect(await status.json()).toMatchObject({ ok: true, data: { collector: 'COL-00001' } });
    const events = await post(url, '/api/commands/events', {}, { cookie });
    expect(JSON.stringify(await events.json())).toContain('"name":"first run","by":"anna"');
    const backup = await (await fetch(new URL('/api/backup', url), { headers: { cookie } })).text();
    expect(backup.trim().split('\n').length).toBeGreaterThan(5);
    const log = await readFile(daemon.log, 'utf8');
    for (const secret of [PASSWORD, cookie.split('=')[1] ?? '?']) expect(log).not.toContain(secret);
    expect(backup).not.toContain('scrypt');
  });

  it('a restart keeps users and sessions; the command line works meanwhile', async () => {
    daemon = await Daemon.open(LOOPBACK);
    const cookie = await firstRun(daemon);
    const accounts = openAccounts({ data: join(daemon.folder, 'journal') });
    expect(await accounts.add({ user: 'berta', role: 'viewer', password: PASSWORD })).toMatchObject(
      { ok: true },
    );
    await daemon.restart();
    const url = await daemon.url();
    expect((await post(url, '/api/commands/status', {}, { cookie })).status).toBe(200);
    for (const user of ['anna', 'berta']) {
      expect((await post(url, '/api/sign-in', { user, password: PASSWORD })).status).toBe(200);
    }
    expect(await readFile(daemon.log, 'utf8')).not.toContain('first-run');
  }, 60_000);

  it('S7: over TLS its cookie is for TLS alone; a certificate that is not there keeps no meter from being read', async () => {
    const [certFile, keyFile] = ['console.crt', 'console.key'];
    const tls = { cert_file: certFile, key_file: keyFile };
    daemon = await Daemon.open({ listen: '127.0.0.1:0', tls });
    const { problem } = await daemon.logged('the console is not open');
    expect(problem).toContain(certFile);
    expect(listening(daemon.pid)).toEqual([]);
    const read = async () => {
      const status = await daemon?.commands.run('status', {});
      const { meters } = (status?.ok ? status.data : { meters: [] }) as {
        meters: { at: string | null }[];
      };
      return meters.length === 8 && meters.every(({ at }) => at !== null);
    };
    await until('all meters are read', read, 20_000);
    const authority = new Authority('utility');
    const { cert, key } = authority.issue({ name: 'pole', addresses: ['127.0.0.1'] });
    await writeFile(join(daemon.folder, certFile), cert);
    await writeFile(join(daemon.folder, keyFile), key, { mode: 0o600 });
    await daemon.restart();
    const url = await daemon.url();
    expect(url.protocol).toBe('https:');
    const accounts = openAccounts({ data: join(daemon.folder, 'journal') });
    await accounts.code();
    await accounts.add({ user: 'anna', role: 'admin', password: PASSWORD });
    const cookie = await new Promise<string>((resolve, reject) => {
      const body = JSON.stringify({ user: 'anna', password: PASSWORD });
      const headers = { 'content-type': 'application/json', origin: url.origin };
      const asked = request(new URL('/api/sign-in', url), {
        method: 'POST',
        ca: authority.cert,
        headers,
        agent: false,
      });
      asked.on('response', (reply) => resolve(reply.headers['set-cookie']?.[0] ?? ''));
      asked.on('error', reject);
      asked.end(body);
    });
    expect(cookie).toMatch(/^__Host-meter-collector=.*; Secure$/);
    await expect(fetch(new URL('/api/session', `http://127.0.0.1:${url.port}`))).rejects.toThrow();
  });

  it('S7: on a network it makes its own certificate, once, and the code for its first user comes with what the certificate shows', async () => {
    daemon = await Daemon.open({ listen: '0.0.0.0:0', tls: 'self-signed' });
    const opened = await daemon.logged('the console is open');
    const keyFile = join(daemon.folder, 'journal', 'console.key');
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    const cert = await readFile(join(daemon.folder, 'journal', 'console.crt'));
    const port = new URL(String(opened['url'])).port;
    const asked = await new Promise<{ status: number; fingerprint: string }>((resolve, reject) => {
      const asking = get({ host: '127.0.0.1', port, path: '/', ca: cert }, (response) => {
        const { fingerprint256: fingerprint } = (response.socket as TLSSocket).getPeerCertificate();
        response.resume();
        resolve({ status: response.statusCode ?? 0, fingerprint });
      });
      asking.on('error', reject);
    });
    expect(asked).toEqual({ status: 200, fingerprint: opened['fingerprint'] });
    const coded = await typed(join(daemon.folder, 'collector.yaml'), 'user', 'code');
    const { code, link, fingerprint } = JSON.parse(coded.out);
    expect(link).toMatch(/^https:\/\/.*\/first-run#code=/);
    expect([link.endsWith(code), fingerprint]).toEqual([true, opened['fingerprint']]);
    await daemon.restart();
    expect((await daemon.logged('the console is open'))['fingerprint']).toBe(fingerprint);
  }, 60_000);

  it('a port that is taken is a line in the log, not the end of metering', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    daemon = await Daemon.open({ listen: `127.0.0.1:${port}` });
    expect(await daemon.logged('the console is not open')).toMatchObject({
      problem: `127.0.0.1:${port} is in use by another program`,
    });
    expect(await daemon.commands.run('status', {})).toMatchObject({ ok: true });
    other.close();
  });

  it('3,000 raw requests get nothing, and the meters are asked as before', async () => {
    daemon = await Daemon.open(LOOPBACK);
    const url = await daemon.url();
    await firstRun(daemon);
    const before = await daemon.lateness(6_000);
    const [during, done] = await Promise.all([
      daemon.lateness(6_000),
      attack(Number(url.port), 11, 3_000),
    ]);
    expect(done.strange).toEqual([]);
    expect(done.requests).toBeGreaterThanOrEqual(3_000);
    expect(Object.keys(done.statuses).length).toBeGreaterThan(4);
    // Both meters of the bus, each second.
    expect(during.asked / before.asked).toBeGreaterThan(0.8);
    const ratio = worse(before.late, during.late);
    expect(ratio).toBeLessThan(10);
    expect(
      (await post(url, '/api/sign-in', { user: 'anna', password: PASSWORD })).status,
    ).toBeLessThan(430);
    expect(await daemon.commands.run('status', {})).toMatchObject({ ok: true });
    // No library of the console writes anything of its own between the lines of the log.
    const lines = (await readFile(daemon.log, 'utf8')).trim().split('\n');
    expect(lines.filter((line) => !/^(?:\{"level"|warning: )/.test(line))).toEqual([]);
  }, 90_000);
});
