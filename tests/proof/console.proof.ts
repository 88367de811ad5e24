// The console under 100,000 raw requests, 200 slow connections and a guesser at once, while the meters are read each second.

import { connect, type Socket } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import { attack } from '../console/attack.ts';
import { Daemon, quantile, worse } from '../console/daemon.ts';

const REQUESTS = 100_000;
const SLOW = 200;
const CALM_MS = 20_000;
const WINDOW_MS = 30_000;
const PASSWORD = 'a tall tower 333';

let daemon: Daemon | undefined;
const slow = new Set<Socket>();
afterAll(async () => {
  for (const socket of slow) socket.destroy();
  await daemon?.close();
});

/** Keeps so many connections open that never finish what they say, until `isOver`. */
function dripping(port: number, isOver: () => boolean): void {
  const open = () => {
    if (isOver()) return;
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('POST /api/sign-in HTTP/1.1\r\nX: '),
    );
    slow.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      slow.delete(socket);
      setImmediate(open);
    });
  };
  for (let i = 0; i < SLOW; i += 1) open();
}

it('the console under attack: polls on time, no access, no crash', async () => {
  daemon = await Daemon.open({ listen: '127.0.0.1:0' });
  const url = await daemon.url();
  const port = Number(url.port);
  const { first_run } = await daemon.logged('has no user yet');
  const code = new URLSearchParams(new URL(String(first_run)).hash.slice(1)).get('code');
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(new URL(path, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const first = await post('/api/first-run', { code, user: 'anna', password: PASSWORD });
  const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const before = await daemon.lateness(CALM_MS);

  let over = false;
  dripping(port, () => over);
  const guesses: number[] = [];
  const guessing = (async () => {
    while (!over)
      guesses.push(
        (await post('/api/sign-in', { user: 'anna', password: 'x' }).catch(() => null))?.status ??
          0,
      );
  })();
  const waits: number[] = [];
  const person = (async () => {
    while (!over) {
      const began = performance.now();
      const reply = await post('/api/commands/status', {}, { cookie }).catch(() => null);
      if (reply?.status === 200) waits.push(performance.now() - began);
      else waits.push(Number.POSITIVE_INFINITY);
    }
  })();
  const late: number[] = [];
  let asked = 0;
  let windows = 0;
  const watching = (async () => {
    do {
      const seen = await daemon.lateness(WINDOW_MS);
      late.push(...seen.late);
      asked += seen.asked;
      windows += 1;
    } while (!over);
  })();
  const began = performance.now();
  const done = await attack(port, 1, REQUESTS);
  const seconds = (performance.now() - began) / 1000;
  over = true;
  for (const socket of slow) socket.destroy();
  await Promise.all([guessing, person, watching]);

  const ms = (all: readonly number[], share: number) => Math.round(quantile(all, share));
  const figures = {
    requests: done.requests,
    seconds: Math.round(seconds),
    statuses: done.statuses,
    guesses: guesses.length,
    late_p50_p99_before: [ms(before.late, 0.5), ms(before.late, 0.99)],
    late_p50_p99_during: [ms(late, 0.5), ms(late, 0.99)],
    ratio: Number(worse(before.late, late).toFixed(2)),
    person_p50_p99: [ms(waits, 0.5), ms(waits, 0.99)],
    asked_per_s: [before.asked / (CALM_MS / 1000), asked / ((windows * WINDOW_MS) / 1000)],
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(done.strange).toEqual([]);
  expect(guesses).not.toContain(200);
  expect(waits.filter((wait) => !Number.isFinite(wait)).length / waits.length).toBeLessThan(0.01);
  expect(figures.ratio).toBeLessThan(10);
  expect((figures.asked_per_s[1] ?? 0) / (figures.asked_per_s[0] ?? 1)).toBeGreaterThan(0.9);
  expect(await daemon.commands.run('status', {})).toMatchObject({ ok: true });
});
