// Sending what is durable: news at once and spread, the backlog beside it at its pace, nothing lost whatever the broker does.

import { beforeEach, describe, expect, it } from 'vitest';
import { Bell } from '../../src/bell.ts';
import type { Journal } from '../../src/boundaries.ts';
import { spreadOf } from '../../src/domain/schedule.ts';
import { commitGroups } from '../../src/jobs/commit-groups.ts';
import { forwardNews } from '../../src/jobs/forward.ts';
import { forwardBacklog } from '../../src/jobs/forward-backlog.ts';
import { createUpstream } from '../../src/upstream/upstream.ts';
import { MemoryBroker } from '../fakes/memory-head-end.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FINE, HOUR, MINUTE, openMetered, readHours, T0 } from '../journal/metered.ts';

const SMEAR = 300_000;
const NOW = T0 + 100 * HOUR;

let clock: VirtualClock;
let broker: MemoryBroker;
let medium: Medium;
let journal: Journal;
let stop: AbortController;
let ended: Promise<unknown>;

/** Starts the three jobs over a journal of some meters that stand at `NOW`. */
async function start(meters: readonly string[]): Promise<void> {
  clock = new VirtualClock(NOW);
  broker = new MemoryBroker(clock);
  medium = new Medium();
  stop = new AbortController();
  const dials = Object.fromEntries(meters.map((meter) => [meter, FINE]));
  journal = await openMetered(() => medium.open(), dials);
  const headEnd = broker.headEnd({ clock });
  const log = new RecordingLog();
  const names = { utility: 'u', collector: 'COL-1', session: 'S', software: '1' };
  const stir = new Bell();
  const upstream = createUpstream({
    ...{ headEnd, journal, clock, wire: clock, log, configRevision: 'r', meters: new Map() },
    ...{ ...names, ack: 'auto', stir: () => stir.ring(), commands: [], onCommand: () => undefined },
  });
  headEnd.onConnect(() => stir.ring());
  const parts = {
    ...{ journal, upstream, clock, wire: clock, log, collector: 'COL-1' },
    ...{ smearMs: SMEAR, backlogPerS: 10, stir },
  };
  ended = Promise.all([
    forwardNews(parts, stop.signal),
    forwardBacklog(parts, stop.signal),
    commitGroups({ journal, wire: clock, log }, 60_000, stop.signal),
  ]);
  upstream.start();
  await clock.run(clock.trueNow());
}

/** Hours of use that have ended by now, the last one just now when `to` is 100. */
function meter(name: string, from: number, to: number): void {
  readHours(journal, name, from, to);
}

const messages = (cause?: string) =>
  broker.received
    .filter(({ topic }) => topic.endsWith('/interval'))
    .map(({ payload, at }) => ({ at, ...JSON.parse(payload) }))
    .filter((message) => cause === undefined || message.cause === cause);
const rowsIn = (list: ReturnType<typeof messages>) =>
  list.flatMap(({ intervals }) => intervals.map(({ row }: { row: number }) => row));
const later = (ms: number) => clock.run(clock.trueNow() + ms);

describe('the forwarder', () => {
  beforeEach(() => start(['SP-1', 'SP-2', 'SP-3']));

  it('A4: the newest hour goes as scheduled, spread by the collector’s id', async () => {
    meter('SP-1', 98.75, 100);
    await later(SMEAR);
    const news = messages('scheduled');
    expect(rowsIn(news)).toEqual([1, 2]);
    expect(news.map(({ at }) => at)).toEqual([Math.floor(NOW + spreadOf('COL-1') * SMEAR)]);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('A4: the backlog goes by meter, oldest first, at its pace, and the news does not wait for it', async () => {
    broker.setUp(false);
    await later(1_000);
    for (const name of ['SP-2', 'SP-3']) meter(name, 0, 90);
    await later(2 * MINUTE);
    broker.setUp(true);
    broker.latencyMs = 1_000;
    meter('SP-1', 98.75, 100);
    await later(SMEAR);
    const late = messages('backfill');
    expect(late.map(({ meter: of }) => of)).toEqual(['SP-2', 'SP-3']);
    for (const { intervals } of late) {
      const starts = intervals.map((hour: { start: string }) => hour.start);
      expect(starts).toEqual(starts.toSorted());
      expect(starts).toHaveLength(90);
    }
    expect(messages('scheduled')).toHaveLength(1);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('A4: no more backlog messages in a second than the setting says', async () => {
    for (let i = 0; i < 40; i += 1) {
      journal.declare(`M-${i}`, { dial: FINE, registerId: null }, { ...rules, dial: FINE });
      meter(`M-${i}`, 0, 5);
    }
    await later(10_000);
    const at = messages('backfill').map((message) => message.at);
    expect(at).toHaveLength(40);
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(3_900);
  });

  it('what the broker refuses stays pending, is not sent again and again, and goes when it is allowed', async () => {
    let asked = 0;
    broker.refuses = (topic) => {
      if (topic.includes('/interval')) asked += 1;
      return topic.includes('/interval');
    };
    meter('SP-1', 90, 100);
    await later(24 * HOUR);
    expect((await journal.pending()).rows).toBe(10);
    expect(asked).toBeGreaterThan(100);
    expect(asked).toBeLessThan(700); // Two messages, each tried once in five minutes, not two thousand times an hour.
    broker.refuses = () => false;
    await later(6 * MINUTE);
    expect((await journal.pending()).rows).toBe(0);
    expect(new Set(rowsIn(messages()))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  });

  it('A4: of what is new the events go first, whatever meter they are of', async () => {
    for (const name of ['SP-1', 'SP-2', 'SP-3']) {
      meter(name, 98.75, 100);
      journal.changeOut(
        name,
        { dial: FINE, registerId: null, bodySerial: null, told: {} },
        { ...rules, dial: FINE },
      );
    }
    await later(SMEAR);
    const kinds = broker.received.flatMap(
      ({ topic }) => /(event|interval)$/.exec(topic)?.[1] ?? [],
    );
    expect(kinds.length).toBeGreaterThan(5);
    expect(kinds.filter((kind) => kind === 'event')).toHaveLength(3);
    expect(kinds.slice(0, 3)).toEqual(['event', 'event', 'event']);
  });

  it('A4: after an outage the events of all meters go before the hours of any', async () => {
    broker.setUp(false);
    await later(1_000);
    for (const name of ['SP-1', 'SP-2', 'SP-3']) {
      meter(name, 0, 90);
      journal.changeOut(
        name,
        { dial: FINE, registerId: null, bodySerial: null, told: {} },
        { ...rules, dial: FINE },
      );
    }
    await later(2 * MINUTE);
    const before = broker.received.length;
    broker.latencyMs = 1_000;
    broker.setUp(true);
    await later(SMEAR);
    const told = broker.received
      .slice(before)
      .flatMap(({ topic }) => /meter\/(.+\/(?:event|interval))$/.exec(topic)?.[1] ?? []);
    expect(told.slice(0, 3)).toEqual(['SP-1/event', 'SP-2/event', 'SP-3/event']);
    expect(told.slice(3).filter((topic) => topic.endsWith('event'))).toEqual([]);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('I8: the last hour of an installation that ended goes as final, the next one as scheduled', async () => {
    meter('SP-1', 98, 99.75);
    const told = { final: 0 };
    const next = { dial: FINE, registerId: null, bodySerial: 'N-1', told };
    journal.changeOut('SP-1', next, { ...rules, dial: FINE });
    await later(SMEAR + MINUTE);
    const final = messages('final');
    expect(final).toMatchObject([{ inst: 1, intervals: [{ q: 'P' }, { flags: ['changeout'] }] }]);
    meter('SP-1', 99.75, 101);
    await later(SMEAR + MINUTE);
    expect(messages('scheduled').at(-1)).toMatchObject({ inst: 2 });
  });

  it('one meter refused holds up no other', async () => {
    broker.refuses = (topic) => topic.includes('SP-1/interval');
    for (const name of ['SP-1', 'SP-2', 'SP-3']) meter(name, 90, 100);
    await later(SMEAR + MINUTE);
    expect(journal.metersPending()).toEqual(['SP-1']);
  });

  it('rows of which no message can be made hold up no other meter, and nothing of their own', async () => {
    const known = journal.factsOf.bind(journal);
    journal.factsOf = (name, inst) => (name === 'SP-1' ? undefined : known(name, inst));
    broker.setUp(false);
    for (const name of ['SP-1', 'SP-2']) meter(name, 0, 90);
    await later(SMEAR + MINUTE);
    broker.setUp(true);
    await later(SMEAR + MINUTE);
    expect(journal.metersPending()).toEqual(['SP-1']);
  });

  it('a message that is refused holds up nothing else of its meter, and goes when it is allowed', async () => {
    const isPoison = (payload: string) => payload.includes('"row":3,');
    broker.refusesMessage = ({ payload }) => isPoison(payload);
    broker.setUp(false);
    meter('SP-1', 0, 400);
    await later(2 * SMEAR);
    broker.setUp(true);
    await later(2 * MINUTE);
    expect((await journal.pending()).rows).toBe(168);
    broker.refusesMessage = () => false;
    await later(6 * MINUTE);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('a stop does not wait for what the broker leaves unacknowledged', async () => {
    broker.setUp(false);
    meter('SP-1', 0, 90);
    await later(2 * MINUTE);
    broker.withheld = 'acks';
    broker.setUp(true);
    await later(2_000);
    stop.abort();
    const from = clock.trueNow();
    await clock.runUntil(ended);
    expect(clock.trueNow() - from).toBeLessThan(1_000);
  });

  it('withheld acks lose nothing: every row is delivered, and settled once acks come', async () => {
    broker.withheld = 'acks';
    meter('SP-1', 90, 100);
    await later(HOUR);
    expect((await journal.pending()).rows).toBe(10);
    expect(messages().length).toBeLessThan(400);
    broker.withheld = 'nothing';
    await later(10 * MINUTE);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('a broker that acknowledges nothing is sent one message a link, not a window of them', async () => {
    broker.setUp(false);
    for (const name of ['SP-1', 'SP-2', 'SP-3']) meter(name, 0, 90);
    await later(2 * SMEAR);
    broker.withheld = 'acks';
    broker.setUp(true);
    await later(HOUR);
    const links = broker.connections;
    expect(links).toBeGreaterThan(20);
    expect(messages('backfill').length).toBeLessThanOrEqual(links + 3);
    broker.withheld = 'nothing';
    await later(10 * MINUTE);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('what was refused waits quietly while there is no link', async () => {
    broker.refuses = (topic) => topic.includes('/interval');
    meter('SP-1', 90, 100);
    await later(SMEAR + MINUTE);
    broker.setUp(false);
    await later(24 * HOUR);
    broker.refuses = () => false;
    broker.setUp(true);
    await later(6 * MINUTE);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('hours that a wrong clock closed far ahead go within the spread, and what follows them too', async () => {
    const year = 8_760;
    readHours(journal, 'SP-1', year, year + 1);
    await later(SMEAR + MINUTE);
    meter('SP-2', 98.75, 100);
    await later(SMEAR + MINUTE);
    expect(rowsIn(messages()).length).toBe(journal.lastRow());
    expect((await journal.pending()).rows).toBe(0);
  });

  it.each(['applied', 'lost'] as const)(
    'a group whose write failed and was %s leaves nothing waiting on the medium',
    async (outcome) => {
      medium.failNext(1, outcome);
      meter('SP-1', 98.75, 100);
      await later(SMEAR + 2 * MINUTE);
      expect((await journal.pending()).rows).toBe(0);
      expect(rowsIn(messages())).toEqual(outcome === 'applied' ? [1, 2] : []);
    },
  );

  it('rows that become durable while the news waits are sent once, not by the backlog as well', async () => {
    meter('SP-1', 98.75, 100);
    await later(1_000);
    meter('SP-2', 98.75, 100); // Its group is written while SP-1 waits for the spread.
    await later(1_000);
    broker.cut(); // The new link stirs the backlog.
    await later(2 * SMEAR);
    const rows = rowsIn(messages());
    expect(rows).toHaveLength(journal.lastRow());
    expect(new Set(rows).size).toBe(rows.length);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('asked to stop, it ends at once, though the news waits for the spread', async () => {
    meter('SP-1', 98.75, 100);
    await later(10);
    stop.abort();
    await later(1_000);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    await later(0);
    expect(over).toBe(true);
    expect(rowsIn(messages())).toEqual([1, 2]);
  });

  it('four weeks without a broker hold no rows in memory and keep all on the medium', async () => {
    broker.setUp(false);
    for (let day = 0; day < 28; day += 1) {
      readHours(journal, 'SP-1', 101 + day * 24, 124.75 + day * 24);
      await later(24 * HOUR);
    }
    expect(journal.takeFresh()).toEqual([]);
    expect((await journal.pending()).rows).toBe(journal.lastRow());
    broker.setUp(true);
    await later(2 * MINUTE);
    expect((await journal.pending()).rows).toBe(0);
    const rows = rowsIn(messages());
    expect(rows).toEqual(Array.from({ length: journal.lastRow() }, (_, i) => i + 1));
  });
});

const rules = {
  ...{ maxFlowPerH: 2_000, jitter: 1, toleranceMs: 15_000, pollMs: 15 * MINUTE },
  stuckMs: 10 * 24 * HOUR,
};
