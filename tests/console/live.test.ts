// Live events: the status when it changes, each with an id, to as many as may watch and as long as they may.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STREAMS_MAX } from '../../src/console/limits.ts';
import { LiveEvents } from '../../src/console/live.ts';
import { until } from '../fakes/until.ts';
import { type Bare, Served, ShiftedClock } from './served.ts';

let served: Served;
const streams: Bare[] = [];
beforeEach(async () => {
  served = await Served.open();
  await served.people();
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.socket.destroy();
  await served.close();
});

function watch(cookie: string, seen = ''): Bare {
  const stream = served.bare();
  streams.push(stream);
  const last = seen === '' ? '' : `Last-Event-ID: ${seen}\r\n`;
  return stream.say(
    `GET /api/live HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n${last}\r\n`,
  );
}
const ids = ({ heard }: Bare) => [...heard.matchAll(/^id: (\S+)$/gm)].map((match) => match[1]);
const counts = ({ heard }: Bare) =>
  [...heard.matchAll(/^data: (\{.*\})$/gm)].map((match) => JSON.parse(match[1] ?? '').count);
const statusAsked = () => served.commands.asked.filter(({ name }) => name === 'status').length;

describe('live events', () => {
  it('give the status at once and again when it has changed, to all from one look', async () => {
    const cookie = await served.signedIn('viewer');
    const [one, other] = [watch(cookie), watch(cookie)];
    await until('both have it', () => counts(one).length === 1 && counts(other).length === 1);
    served.commands.count = 7;
    await until('both have the news', () => counts(one).includes(7) && counts(other).includes(7));
    expect(counts(one)).toEqual([0, 7]);
    expect(one.heard).toContain('content-type: text/event-stream');
    expect(new Set(ids(one)).size).toBe(2);
    expect(statusAsked()).toBeLessThanOrEqual(5);
  });

  it('repeat nothing to who has seen it, and the newest to who has seen something else', async () => {
    const cookie = await served.signedIn('viewer');
    const first = watch(cookie);
    await until('it has come', () => ids(first).length === 1);
    const again = watch(cookie, ids(first)[0]);
    const stranger = watch(cookie, 'another-1');
    await until('the stranger has it', () => ids(stranger).length === 1);
    served.commands.count = 1;
    await until('news', () => ids(again).length > 0);
    expect(counts(again)).toEqual([1]);
  });

  it('look at nothing while nobody watches', async () => {
    const cookie = await served.signedIn('viewer');
    const stream = watch(cookie);
    await until('it has come', () => ids(stream).length === 1);
    stream.socket.destroy();
    const before = statusAsked();
    // The look under way ends, and no other begins: a second watcher is the first to cause one.
    await until('the stream is gone', async () => {
      served.commands.count += 1;
      const other = watch(cookie);
      await until('it has come', () => ids(other).length > 0);
      other.socket.destroy();
      return true;
    });
    expect(statusAsked() - before).toBeLessThanOrEqual(3);
  });

  it('end when the session does, and when its user is removed', async () => {
    const [viewer, technician] = [
      await served.signedIn('viewer'),
      await served.signedIn('technician'),
    ];
    const [one, other] = [watch(viewer), watch(technician)];
    await until('both live', () => ids(one).length === 1 && ids(other).length === 1);
    await served.ask('POST', '/api/sign-out', { cookie: viewer, body: {} });
    await served.accounts.remove('technician');
    const isOver = ({ heard }: Bare) => heard.endsWith('0\r\n\r\n');
    await until('both are over', () => isOver(one) && isOver(other));
  });

  it('end when their token is revoked, though another one has its name', async () => {
    const tokens = [0, 1].map(() =>
      served.accounts.createToken({ name: 'cron', role: 'viewer', by: 'admin', owner: null }),
    );
    const [one, other] = (await Promise.all(tokens)).map((made) => {
      if (!made.ok) throw new Error(made.message);
      const { id, token } = made.data;
      return { id, stream: watch('', `-\r\nAuthorization: Bearer ${token}`) };
    });
    if (!one || !other) throw new Error('two tokens');
    const both = [one, other];
    await until('both live', () => both.every(({ stream }) => ids(stream).length === 1));
    await served.accounts.revokeToken(one.id);
    await until('it is over', () => one.stream.heard.endsWith('0\r\n\r\n'));
    expect(other.stream.heard.endsWith('0\r\n\r\n')).toBe(false);
  });

  it('give nobody what was seen when somebody last watched, and no status that cannot be told', async () => {
    const clock = new ShiftedClock();
    const rests: (() => void)[] = [];
    clock.sleep = () => new Promise((resolve) => rests.push(resolve));
    const { commands } = served;
    const live = new LiveEvents(commands, clock);
    const opened = () => {
      const body = live.open('a', null, async () => true)?.body;
      if (!body) throw new Error('nobody may watch');
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      return { reader, next: async () => (await reader.read()).value ?? '' };
    };
    const first = opened();
    expect(await first.next()).toMatch(/^retry/);
    expect(await first.next()).toMatch(/"count":0/);
    await first.reader.cancel();
    for (const go of rests.splice(0)) go();
    await new Promise(setImmediate);
    commands.count = 7;
    const later = opened();
    expect(await later.next()).toMatch(/^retry/);
    expect(await later.next()).toMatch(/"count":7/);
    commands.scripted.set('status', {
      ...{ ok: false, code: 'internal', message: 'no', hint: '' },
    });
    for (const go of rests.splice(0)) go();
    // Broken off, after a beat that was due: a page that hears nothing says so.
    expect([await later.next(), await later.next()]).toEqual([expect.stringMatching(/beat/), '']);
    expect(live.streams).toBe(0);
    live.close();
  });

  it('do not keep a session that nobody uses', async () => {
    const cookie = await served.signedIn('viewer');
    const stream = watch(cookie);
    await until('it lives', () => ids(stream).length === 1);
    served.clock.shift += 31 * 60_000;
    await until('it is over', () => stream.heard.endsWith('0\r\n\r\n'));
    expect((await served.command('status', cookie)).status).toBe(401);
  });

  it(`are at most four of one person, whose oldest ends, and ${STREAMS_MAX} in all`, async () => {
    const cookie = await served.signedIn('viewer');
    const own = [watch(cookie)];
    for (let i = 1; i <= 4; i += 1) {
      await until('the one before lives', () => ids(own[i - 1] as Bare).length > 0);
      own.push(watch(cookie));
    }
    await until('the oldest is over', () => own[0]?.heard.endsWith('0\r\n\r\n') === true);
    expect(own[1]?.heard.endsWith('0\r\n\r\n')).toBe(false);
    const admin = await served.signedIn('admin');
    for (let i = 0; i < 5; i += 1)
      await served.accounts.add({ user: `v${i}`, role: 'viewer', password: 'a small stone 8' });
    const cookies = [admin];
    for (let i = 0; i < 5; i += 1) {
      const body = { user: `v${i}`, password: 'a small stone 8' };
      const reply = await served.ask('POST', '/api/sign-in', { body });
      cookies.push((reply.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '');
    }
    const more = cookies.flatMap((one) => Array.from({ length: 4 }, () => watch(one)));
    await until('all are answered', () => more.every(({ heard }) => heard.includes('\r\n\r\n')));
    const refused = more.filter(({ heard }) => heard.startsWith('HTTP/1.1 503'));
    expect(refused).toHaveLength(4 + more.length - STREAMS_MAX);
  });

  it('pile nothing up for a reader that does not read: it gets the newest', async () => {
    const cookie = await served.signedIn('viewer');
    served.commands.scripted.set('status', {
      ok: true,
      data: { filling: 'x'.repeat(2_000_000), n: 0 },
    });
    const stream = watch(cookie);
    stream.socket.pause();
    const memory = () => process.memoryUsage().external + process.memoryUsage().heapUsed;
    const before = memory();
    for (let n = 1; n <= 4; n += 1) {
      served.commands.scripted.set('status', {
        ok: true,
        data: { filling: 'x'.repeat(2_000_000), n },
      });
      const asked = statusAsked();
      await until('it was looked at', () => statusAsked() > asked, 5_000);
    }
    expect(memory() - before).toBeLessThan(60_000_000);
    stream.socket.resume();
    await until('the newest has come', () => stream.heard.includes('"n":4'));
    expect(ids(stream).length).toBeLessThan(5);
  });

  it('a HEAD opens no stream', async () => {
    const cookie = await served.signedIn('viewer');
    expect((await served.ask('HEAD', '/api/live', { cookie })).status).toBe(405);
  });
});
