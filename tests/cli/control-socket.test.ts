// The control socket: the same Commands behind it, for its owner alone, whatever callers send or crashes leave behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { AT_WORK_MAX, CALLERS_MAX } from '../../src/adapters/callers.ts';
import {
  type ControlSocket,
  callCommands,
  serveCommands,
} from '../../src/adapters/control-socket.ts';
import type { Commands } from '../../src/boundaries.ts';
import { until } from '../fakes/until.ts';
import { commandsSuite, EXAMPLES } from './commands.suite.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function socketPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'control-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'control.sock');
}

async function serve(path: string, commands: Commands = EXAMPLES): Promise<ControlSocket> {
  const door = await serveCommands(path, commands);
  cleanups.push(() => door.close());
  return door;
}

/** A socket file as a killed process leaves it. */
async function leaveStale(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Sends a raw request; resolves to status and body, or to the error's code when the connection breaks first. */
function send(path: string, url: string, body: string, method = 'POST') {
  return new Promise<{ status: number; answer: { code?: string } }>((resolve, reject) => {
    const outgoing = request({ socketPath: path, path: url, method, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk) => {
        text += chunk;
      });
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, answer: JSON.parse(text) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

commandsSuite('themselves', async () => EXAMPLES);
commandsSuite('behind the control socket', async () => {
  const path = await socketPath();
  await serve(path);
  return callCommands(path);
});

describe('the control socket', () => {
  test('is its owner’s alone', async () => {
    const path = await socketPath();
    expect((await serve(path)).problem).toBeNull();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('is gone after closing, and may be opened again', async () => {
    const path = await socketPath();
    const door = await serve(path);
    await door.close();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await serve(path)).problem).toBeNull();
  });

  test('replaces a file that a killed collector left', async () => {
    const path = await socketPath();
    await leaveStale(path);
    expect((await stat(path)).isSocket()).toBe(true);
    expect((await serve(path)).problem).toBeNull();
    expect(await callCommands(path).run('nothing', {})).toEqual({ ok: true, data: null });
  });

  test('leaves a socket alone on which another collector answers', async () => {
    const path = await socketPath();
    const first = scripted('first');
    await serve(path, first);
    const second = await serve(path, scripted('second'));
    expect(second.problem).toMatch(/in use/);
    await second.close();
    expect(await callCommands(path).run('who', {})).toEqual({ ok: true, data: 'first' });
  });

  test('leaves a file alone that is no socket', async () => {
    const path = await socketPath();
    await writeFile(path, 'a letter');
    expect((await serve(path)).problem).not.toBeNull();
    expect(await readFile(path, 'utf8')).toBe('a letter');
  });

  test('that cannot be made is a problem in words, not the end of the collector', async () => {
    const path = await socketPath();
    await writeFile(path, '');
    expect((await serve(join(path, 'control.sock'))).problem).toMatch(/ENOTDIR|EEXIST/);
    expect((await serve(`${path}${'x'.repeat(120)}`)).problem).not.toBeNull();
  });

  test.each([
    [
      'a body over 64 KiB',
      '/v1/commands/echo',
      JSON.stringify({ x: 'x'.repeat(65_536) }),
      'POST',
      413,
    ],
    ['arguments that are no JSON', '/v1/commands/echo', '{', 'POST', 400],
    ['arguments that are a list', '/v1/commands/echo', '[]', 'POST', 400],
    ['nesting without end', '/v1/commands/echo', '['.repeat(60_000), 'POST', 400],
    ['another path', '/v1/other', '{}', 'POST', 404],
    ['a GET', '/v1/commands/echo', '', 'GET', 404],
  ])('refuses %s', async (_what, url, body, method, status) => {
    const path = await socketPath();
    await serve(path);
    const refused = await send(path, url, body, method);
    expect(refused).toMatchObject({ status, answer: { ok: false, code: 'bad_request' } });
    expect(await callCommands(path).run('nothing', {})).toEqual({ ok: true, data: null });
  });

  test('refuses a name that is not decodable', async () => {
    const path = await socketPath();
    await serve(path);
    expect((await send(path, '/v1/commands/%E0%A4%A', '{}')).answer).toMatchObject({ ok: false });
  });

  test('takes 64 KiB less one byte', async () => {
    const path = await socketPath();
    await serve(path);
    const body = JSON.stringify({ x: '' });
    const full = JSON.stringify({ x: 'x'.repeat(65_536 - body.length) });
    expect((await send(path, '/v1/commands/echo', full)).status).toBe(200);
  });

  test('survives a caller that talks nonsense or leaves in the middle', async () => {
    const path = await socketPath();
    await serve(path);
    for (const words of [
      '\0\0\0',
      'POST /v1/commands/echo HTTP/1.1\r\nContent-Length: 9\r\n\r\n{',
    ]) {
      const caller = connect(path);
      caller.on('error', () => undefined);
      caller.end(words);
      caller.resume();
      await once(caller, 'close');
    }
    expect(await callCommands(path).run('nothing', {})).toEqual({ ok: true, data: null });
  });

  test('says so when a command breaks by a bug', async () => {
    const path = await socketPath();
    const broken = { run: () => Promise.reject(new Error('a bug')) };
    await serve(path, broken);
    expect(await callCommands(path).run('any', {})).toMatchObject({ ok: false, code: 'internal' });
  });

  test('answers a question while 600 connections stay open and ask nothing', async () => {
    const path = await socketPath();
    await serve(path);
    const idle = await idlers(path, 600);
    const asked = Array.from({ length: 5 }, () => callCommands(path).run('nothing', {}));
    for (const answer of await Promise.all(asked)) expect(answer).toEqual({ ok: true, data: null });
    // Those that came last may stay.
    expect(idle.filter((one) => one.readyState === 'open').length).toBeLessThan(CALLERS_MAX);
  });

  test('lets nobody go who is being answered, whoever comes after', async () => {
    const path = await socketPath();
    const { commands, begun, finish } = held(AT_WORK_MAX);
    await serve(path, commands);
    const working = Array.from({ length: AT_WORK_MAX }, () => callCommands(path).run('slow', {}));
    await begun;
    // No more are answered at a time, and the one that is too many is told so.
    const more = await callCommands(path).run('slow', {});
    expect(more).toMatchObject({ ok: false, code: 'busy' });
    await idlers(path, 2 * CALLERS_MAX);
    expect(await callCommands(path).run('slow', {})).toMatchObject({ code: 'busy' });
    finish();
    for (const answer of await Promise.all(working)) expect(answer).toEqual({ ok: true, data: 1 });
    expect(await callCommands(path).run('slow', {})).toEqual({ ok: true, data: 1 });
  });

  test('does no more at a time because those who asked have gone', async () => {
    const path = await socketPath();
    const { commands, begun, finish } = held(AT_WORK_MAX);
    await serve(path, commands);
    const words = 'POST /v1/commands/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
    const callers = Array.from({ length: AT_WORK_MAX }, () => {
      const caller = connect(path);
      caller.on('error', () => undefined);
      caller.write(words);
      return caller;
    });
    await begun;
    const gone = Promise.all(callers.map((caller) => once(caller, 'close')));
    for (const caller of callers) caller.destroy();
    await gone;
    // The server has heard of it once it has cut what came later.
    for (let i = 0; i < 20; i += 1) {
      const caller = connect(path);
      caller.end('nonsense\r\n\r\n').resume();
      await once(caller, 'close');
    }
    const more = callCommands(path).run('slow', {});
    setImmediate(() => setImmediate(finish));
    expect(await more).toMatchObject({ ok: false, code: 'busy' });
    await until('room for a command', async () => (await callCommands(path).run('slow', {})).ok);
  });

  test('cuts a question that is still open when it closes', async () => {
    const path = await socketPath();
    let asked = () => undefined as undefined;
    const arrived = new Promise<void>((resolve) => {
      asked = () => void resolve();
    });
    const door = await serve(path, {
      run: () => {
        asked();
        return new Promise(() => undefined);
      },
    });
    const answer = callCommands(path).run('slow', {});
    await arrived;
    await door.close();
    expect(await answer).toMatchObject({ ok: false, code: 'daemon.silent' });
  });
});

describe('a caller of the control socket', () => {
  test('hears that nobody is there, by an absent file and by a stale one', async () => {
    const path = await socketPath();
    expect(await callCommands(path).run('status', {})).toMatchObject({ code: 'daemon.absent' });
    await leaveStale(path);
    expect(await callCommands(path).run('status', {})).toMatchObject({ code: 'daemon.absent' });
  });

  test.each(['hello', '{"hello":1}', 'null', '{"ok":'])(
    'hears that what answers %s is no collector',
    async (body) => {
      const path = await socketPath();
      const server = createServer((socket) => void socket.end(`HTTP/1.1 200 OK\r\n\r\n${body}`));
      server.listen(path);
      await once(server, 'listening');
      cleanups.push(() => server.close());
      expect(await callCommands(path).run('status', {})).toMatchObject({ code: 'daemon.silent' });
    },
  );

  test('hears that a collector has hung up', async () => {
    const path = await socketPath();
    const server = createServer((socket) => void socket.destroy());
    server.listen(path);
    await once(server, 'listening');
    cleanups.push(() => server.close());
    expect(await callCommands(path).run('status', {})).toMatchObject({ code: 'daemon.silent' });
  });

  test.skipIf(process.getuid?.() === 0)(
    'hears that the socket is another user’s (needs a user other than root)',
    async () => {
      const path = await socketPath();
      await serve(path);
      await import('node:fs/promises').then(({ chmod }) => chmod(path, 0o000));
      expect(await callCommands(path).run('status', {})).toMatchObject({ code: 'daemon.denied' });
    },
  );
});

/** Open connections that never ask anything. */
async function idlers(path: string, count: number): Promise<Socket[]> {
  const all: Socket[] = [];
  // One after the other: the kernel keeps only so many for a server to take.
  while (all.length < count) {
    const one = connect(path);
    one.on('error', () => undefined);
    cleanups.push(() => one.destroy());
    await once(one, 'connect');
    all.push(one);
  }
  return all;
}

/** Commands that are answered all at once, when `finish` says so; `begun` when so many are under way. */
function held(count: number) {
  let left = count;
  let [started, finish] = [() => {}, () => {}];
  const begun = new Promise<void>((resolve) => {
    started = resolve;
  });
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const run = async () => {
    left -= 1;
    if (left === 0) started();
    await finished;
    return { ok: true, data: 1 } as const;
  };
  return { commands: { run }, begun, finish: () => finish() };
}

function scripted(name: string): Commands {
  return { run: async () => ({ ok: true, data: name }) };
}
