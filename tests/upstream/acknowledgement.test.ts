// What settles a row: PUBACK, or the head-end's own word, which asks again, falls back, stays away or is not to be believed.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bell } from '../../src/bell.ts';
import type { Journal } from '../../src/boundaries.ts';
import { commitGroups } from '../../src/jobs/commit-groups.ts';
import { forwardNews } from '../../src/jobs/forward.ts';
import { forwardBacklog } from '../../src/jobs/forward-backlog.ts';
import { type AckMode, Acknowledgement } from '../../src/upstream/acknowledgement.ts';
import { createUpstream } from '../../src/upstream/upstream.ts';
import { MemoryBroker } from '../fakes/memory-head-end.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { type Life, VirtualClock } from '../fakes/virtual-clock.ts';
import { FINE, HOUR, MINUTE, openMetered, readHours, T0 } from '../journal/metered.ts';

const NOW = T0 + 100 * HOUR;
const DOWN = 'watermeter-v1/u/COL-1/dn/ack';
const STATE = 'watermeter-v1/u/_headend/state';

let clock: VirtualClock;
let broker: MemoryBroker;
let medium: Medium;
let journal: Journal;
let log: RecordingLog;
let life: Life;
let stop: AbortController;
let jobs: Promise<unknown>;

async function start(ack: AckMode = 'auto'): Promise<void> {
  stop = new AbortController();
  life = clock.life();
  log = new RecordingLog();
  journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': FINE });
  const stir = new Bell();
  const headEnd = broker.headEnd({ clock: life });
  const upstream = createUpstream({
    ...{ headEnd, journal, clock: life, wire: life, log, configRevision: 'r', meters: new Map() },
    ...{ utility: 'u', collector: 'COL-1', session: 'S', software: '1' },
    ...{ ack, stir: () => stir.ring(), commands: [], onCommand: () => undefined },
  });
  headEnd.onConnect(() => stir.ring());
  const parts = {
    ...{ journal, upstream, clock: life, wire: life, log, collector: 'COL-1' },
    ...{ smearMs: 0, backlogPerS: 10, stir },
  };
  upstream.start();
  jobs = Promise.all([
    forwardNews(parts, stop.signal),
    forwardBacklog(parts, stop.signal),
    commitGroups({ journal, wire: life, log }, 60_000, stop.signal),
    upstream.watchAcks(stop.signal),
  ]);
  await later(10);
}

/** The collector dies and is started again. */
async function restart(ack: AckMode = 'auto', meanwhile = () => {}): Promise<void> {
  life.halt();
  broker.vanish();
  medium.crash();
  meanwhile();
  await start(ack);
}

const later = (ms: number) => clock.run(clock.trueNow() + ms);
/** Rows in the order in which they were heard, resends too. */
const heard = () =>
  broker.received
    .filter(({ topic }) => topic.endsWith('/interval'))
    .flatMap(({ payload }) => JSON.parse(payload).intervals as { row: number }[])
    .map(({ row }) => row);
const forget = () => broker.received.splice(0);
const pending = async () => (await journal.pending()).rows;
const ack = (row: number, more: object = {}) =>
  JSON.stringify({
    ...{ v: 1, type: 'ack', collector: 'COL-1', epoch: journal.epoch, row, missing: [] },
    ...{ sent: new Date(clock.now()).toISOString(), ...more },
  });
const online = (session: string, mode = 'required') =>
  broker.say(STATE, JSON.stringify({ v: 1, type: 'headend', state: 'online', session, ack: mode }));

beforeEach(async () => {
  clock = new VirtualClock(NOW);
  broker = new MemoryBroker(clock);
  medium = new Medium();
  await start();
});
afterEach(async () => {
  stop.abort();
  await clock.runUntil(jobs);
});

describe('the head-end acknowledges', () => {
  beforeEach(async () => {
    online('A');
    await later(10);
    readHours(journal, 'SP-1', 94, 100); // Rows 1 to 6.
    await later(2 * MINUTE);
  });

  it('A2: a delivered row is not settled before the head-end has it, and not sent again meanwhile', async () => {
    expect(heard().sort()).toEqual([1, 2, 3, 4, 5, 6]);
    await later(10 * MINUTE);
    expect(heard()).toHaveLength(6);
    expect(await pending()).toBe(6);
  });

  it('A1: every row up to the one named is settled, those missing are sent again at once', async () => {
    forget();
    broker.say(DOWN, ack(5, { missing: [[2, 3]] }));
    await later(MINUTE);
    expect(heard().sort()).toEqual([2, 3]);
    expect(await pending()).toBe(3); // 2, 3 and 6.
    broker.say(DOWN, ack(6));
    await later(MINUTE);
    expect(await pending()).toBe(0);
    await restart();
    await later(10 * MINUTE);
    expect(heard().sort()).toEqual([2, 3]);
  });

  it('A1: of two acknowledgements of one second the one that goes further rules', async () => {
    const sent = new Date(clock.now()).toISOString();
    for (const row of [2, 5, 4]) broker.say(DOWN, ack(row, { sent }));
    await later(MINUTE);
    expect(await pending()).toBe(1); // 6.
  });

  it('A1: an acknowledgement of a clock that was far ahead rules over no true one, after a restart either', async () => {
    broker.say(DOWN, ack(2, { sent: '9999-12-31T00:00:00Z' }));
    await later(MINUTE);
    expect(await pending()).toBe(4);
    await restart();
    broker.say(DOWN, ack(5));
    await later(MINUTE);
    expect(await pending()).toBe(1); // 6.
    broker.say(DOWN, ack(6, { sent: new Date(NOW - HOUR).toISOString() }));
    await later(MINUTE);
    expect(await pending()).toBe(1);
  });

  it('A1: the newest acknowledgement rules; one of another epoch, collector or future row settles nothing', async () => {
    broker.say(DOWN, ack(3));
    await later(10);
    for (const bad of [
      ack(6, { sent: new Date(NOW - HOUR).toISOString() }),
      ack(6, { epoch: 'OTHER' }),
      ack(6, { collector: 'COL-2' }),
      ack(1_000_000),
      ack(6, { row: -1 }),
      ack(6, { row: 5.5 }),
      ack(6, { missing: [[4, 2]] }),
      ack(6, { missing: 'all' }),
      ack(6, { sent: 'now' }),
      ack(6, { sent: '2026-12-01T00:00:00' }),
      '{"v":1,"type":"ack","__proto__":{"row":6}}',
      '[',
      'null',
      ' '.repeat(70_000),
    ]) {
      broker.say(DOWN, bad);
      await later(1_000);
    }
    expect(await pending()).toBe(3);
    broker.say(DOWN, ack(6));
    await later(10);
    expect(await pending()).toBe(0);
  });

  it('A2: without a word for 15 minutes the oldest row alone is sent again, backing off to six hours', async () => {
    forget();
    await later(48 * HOUR);
    const again = heard();
    expect(new Set(again)).toEqual(new Set([1]));
    // 15, 30, 60, 120, 240 minutes, then every 360.
    expect(again.length).toBeGreaterThanOrEqual(11);
    expect(again.length).toBeLessThanOrEqual(13);
    broker.say(DOWN, ack(6));
    await later(12 * HOUR);
    expect(heard()).toHaveLength(again.length);
    expect(await pending()).toBe(0);
  });

  it('A2: after a silence the rest follow once the row that was sent again is acknowledged', async () => {
    await later(16 * MINUTE);
    forget();
    broker.say(DOWN, ack(1)); // It had lost them all, and has now what was sent again.
    await later(MINUTE);
    expect(heard().sort()).toEqual([2, 3, 4, 5, 6]);
    forget();
    broker.say(DOWN, ack(4));
    await later(MINUTE);
    expect(heard()).toEqual([]); // It listens: what is on its way is not sent twice.
    expect(await pending()).toBe(2);
  });

  it('A2: the 15 minutes begin with the last word, however long the silence before it was', async () => {
    await later(20 * HOUR);
    broker.say(DOWN, ack(2));
    await later(MINUTE);
    forget();
    await later(10 * MINUTE);
    expect(heard()).toEqual([]);
    await later(5 * MINUTE);
    expect(heard()).toEqual([3]);
  });

  it('A2: the 15 minutes begin with a new session of the head-end, however long the silence before it was', async () => {
    await later(20 * HOUR);
    online('B');
    await later(MINUTE);
    forget();
    await later(15 * MINUTE);
    expect(heard()).toEqual([1]);
  });

  it('A2: a new session of the head-end is sent everything that waits for it, once', async () => {
    forget();
    online('A');
    await later(MINUTE);
    expect(heard()).toEqual([]);
    online('B');
    await later(MINUTE);
    expect(heard().sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('A2: an acknowledgement that falls back makes the rows after it pending again', async () => {
    broker.say(DOWN, ack(6));
    await later(2 * MINUTE);
    expect(await pending()).toBe(0);
    forget();
    broker.say(DOWN, ack(2));
    await later(2 * MINUTE);
    expect(heard().sort()).toEqual([3, 4, 5, 6]);
    expect(await pending()).toBe(4);
    broker.say(DOWN, ack(6));
    await later(MINUTE);
    expect(await pending()).toBe(0);
  });

  it('A2: that the head-end wants to be waited for outlives a restart, and only the setting ends it', async () => {
    broker.say(DOWN, ack(6));
    await later(2 * MINUTE);
    await restart();
    readHours(journal, 'SP-2', 98, 100);
    await later(2 * MINUTE);
    expect(await pending()).toBe(2);
    await restart('none');
    await later(2 * MINUTE);
    expect(await pending()).toBe(0);
  });

  it('A1: after a restart the word kept for rows sent before it settles them once they are sent again', async () => {
    const word = ack(6);
    await restart('auto', () => broker.say(DOWN, word, true));
    await later(2 * MINUTE);
    expect(await pending()).toBe(0);
  });
});

it('A1: an older acknowledgement that comes late does not stand for a newer one of rows not sent yet', async () => {
  const acks = new Acknowledgement({
    ...{ journal, clock: life, wire: life, log, collector: 'COL-1', mode: 'required' },
    stir: () => undefined,
  });
  const hear = (payload: string) =>
    acks.hearAck({ topic: DOWN, payload, bytes: payload.length, retained: false });
  broker.setUp(false);
  await later(10);
  readHours(journal, 'SP-1', 94, 100); // Rows 1 to 6.
  await later(2 * MINUTE);
  hear(ack(6));
  hear(ack(2, { sent: new Date(clock.now() - MINUTE).toISOString() }));
  await later(10);
  acks.delivered(await journal.backlog('SP-1', 10));
  await later(10);
  expect(await pending()).toBe(0);
});

describe('without a head-end that wants to be waited for', () => {
  it('A2: PUBACK settles, and a word of the head-end still asks for what it misses', async () => {
    readHours(journal, 'SP-1', 97, 100); // Rows 1 to 3.
    await later(2 * MINUTE);
    expect(await pending()).toBe(0);
    forget();
    broker.say(DOWN, ack(2, { missing: [[1, 1]] }));
    await later(2 * MINUTE);
    expect(heard()).toEqual([1]);
    expect(await pending()).toBe(0);
  });

  it('A2: when it first says so, what PUBACK had settled is owed again as far as it says it is not there', async () => {
    readHours(journal, 'SP-1', 97, 100);
    await later(2 * MINUTE);
    forget();
    online('A');
    broker.say(DOWN, ack(1));
    await later(2 * MINUTE);
    expect(heard().sort()).toEqual([2, 3]);
    expect(await pending()).toBe(2);
  });
});
