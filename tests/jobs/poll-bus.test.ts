// Whose turn it is on a bus: meters that answer first, nobody silent into the hour's edge, hours closed in time whatever happens.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Bus, Journal } from '../../src/boundaries.ts';
import { CR_FRAMING } from '../../src/codec/framer.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import type { LineProfile } from '../../src/domain/profile.ts';
import { type PollRecord, pollBus } from '../../src/jobs/poll-bus.ts';
import { Medium } from '../fakes/memory-store.ts';
import { lineProfile } from '../fakes/profiles.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { all, FINE, HOUR, MINUTE, openMetered, rulesOf, T0 } from '../journal/metered.ts';

const TIMEOUT = 3_000;
const profile = { ...lineProfile('ui1203', CR_FRAMING), dial: FINE };

let clock: VirtualClock;
let journal: Journal;
let asked: { meter: string; from: number; to: number }[];
let silent: Set<string>;
/** So many answers from now on are wrong, each otherwise. */
let damaged: number;
let records: Map<string, PollRecord>;

async function poll(
  meters: readonly string[],
  pollMs = 15 * MINUTE,
  more: Partial<LineProfile> = { checked: true },
): Promise<void> {
  clock = new VirtualClock(T0);
  asked = [];
  silent = new Set();
  damaged = 0;
  records = new Map();
  const medium = new Medium();
  const dials = Object.fromEntries(meters.map((meter) => [meter, FINE]));
  journal = await openMetered(() => medium.open(), dials);
  const bus: Bus = {
    async read({ meter }) {
      const from = clock.trueNow();
      const isSilent = silent.has(meter);
      await clock.sleep(isSilent ? 2 * TIMEOUT : 250); // Asked twice, in vain.
      asked.push({ meter, from, to: clock.trueNow() });
      if (isSilent) return faulty('line.silent', 'no answer');
      const passed = Math.floor((clock.trueNow() - T0) / MINUTE);
      const register = damaged > 0 ? 1_000_000 * damaged : passed;
      damaged = Math.max(0, damaged - 1);
      const digits = String(register).padStart(FINE.digits, '0');
      return good({ register, digits, id: null, flags: [] });
    },
    link: () => ({ open: true, detail: '' }),
    close: async () => undefined,
  };
  const places = meters.map((meter) => ({
    target: { meter, address: '1', profile: { ...profile, ...more }, dial: FINE },
    rules: { ...rulesOf(FINE), pollMs },
  }));
  const parts = { bus, journal, clock, log: new RecordingLog(), timeoutMs: TIMEOUT };
  void pollBus({ ...parts, places }, records, new AbortController().signal);
}

const until = (minutes: number) => clock.run(T0 + minutes * MINUTE);
const rows = async (meter: string) => {
  await journal.flush();
  return all(journal.rowsOf(meter));
};

describe('a bus', () => {
  beforeEach(() => poll(['SP-1', 'SP-2', 'SP-3']));

  it('reads each meter on its grid, and at every hour’s edge', async () => {
    await until(121);
    const times = asked.filter(({ meter }) => meter === 'SP-2').map(({ from }) => from - T0);
    expect(times.map((ms) => Math.floor(ms / MINUTE))).toEqual([
      0, 15, 30, 45, 60, 75, 90, 105, 120,
    ]);
    expect(await rows('SP-2')).toMatchObject([{ use: 60 }, { use: 60, q: 'A' }]);
  });

  it('asks a silent meter last, so that the others are read at the edge', async () => {
    silent.add('SP-1');
    await until(59);
    asked.length = 0;
    await until(60.5);
    expect(asked.map(({ meter }) => meter).slice(0, 3)).toEqual(['SP-2', 'SP-3', 'SP-1']);
    expect(records.get('SP-1')?.fault).toMatchObject({ code: 'line.silent' });
    expect(records.get('SP-2')?.fault).toBeNull();
  });

  it('a silent meter that is asked twice never holds the bus over the hour’s edge', async () => {
    await poll(['SP-1', 'SP-2', 'SP-3'], 719_000); // Due five seconds before each edge.
    silent.add('SP-1');
    await until(24 * 60 + 1);
    const edges = Array.from({ length: 24 }, (_, i) => i + 1).map((hour) => T0 + hour * HOUR);
    const across = asked.filter(({ from, to }) => edges.some((edge) => from < edge && to > edge));
    expect(across).toEqual([]);
    expect(asked.filter(({ meter }) => meter === 'SP-1').length).toBeGreaterThan(100);
  });

  it('a meter that answers again is read as before', async () => {
    silent.add('SP-1');
    await until(50);
    silent.clear();
    await until(70);
    expect(records.get('SP-1')?.fault).toBeNull();
    expect(journal.installation('SP-1')?.last?.read).toBe(60);
  });

  it('hours close without any reading: missing ones are told when they are missed, not at healing', async () => {
    await until(50);
    for (const meter of ['SP-1', 'SP-2', 'SP-3']) silent.add(meter);
    await until(180.5);
    for (const meter of ['SP-1', 'SP-2', 'SP-3']) {
      const hours = (await rows(meter)).map((row) => row.kind === 'hour' && row.q);
      expect(hours).toEqual(['P', 'M', 'M']);
    }
  });

  it('after the clock went forward a year and back, hours close in time again', async () => {
    await poll(['SP-1'], HOUR);
    await until(61);
    clock.stepWall(8_760 * HOUR);
    await until(90);
    clock.stepWall(-8_760 * HOUR);
    await until(130);
    silent.add('SP-1');
    const before = (await rows('SP-1')).length;
    await until(180.6); // The edge was asked for in vain; the next poll is an hour away.
    expect((await rows('SP-1')).length).toBeGreaterThan(before);
    expect(journal.installation('SP-1')?.hours?.start).toBe(T0 + 3 * HOUR);
  });

  it('an idle bus sleeps: polls and looks are few', async () => {
    let sleeps = 0;
    const { sleep } = clock;
    clock.sleep = (ms, signal) => {
      sleeps += 1;
      return sleep.call(clock, ms, signal);
    };
    await until(24 * 60);
    expect(asked.length).toBe(3 * 96);
    expect(sleeps).toBeLessThan(1_500);
  });
});

describe('a bus whose answers carry no check sum', () => {
  const unchecked = (minPollS = 0) => poll(['SP-1'], 15 * MINUTE, { checked: false, minPollS });

  it('an unchanged reading is not read again', async () => {
    await poll(['SP-1'], MINUTE / 2, { checked: false });
    await until(9.9);
    expect(asked.length).toBe(10 * 3); // Each minute one that changed, its second, and one that did not.
  });

  it('a changed reading is read again at once', async () => {
    await unchecked();
    await until(50);
    expect(asked.length).toBe(2 * 4);
    const between = asked.flatMap(({ from }, i) =>
      i % 2 === 1 ? [from - (asked[i - 1]?.to ?? 0)] : [],
    );
    expect(Math.max(...between)).toBeLessThan(1_000);
    expect(journal.installation('SP-1')?.last?.read).toBe(45);
    expect(await rows('SP-1')).toEqual([]);
    await until(60.5);
    expect(await rows('SP-1')).toMatchObject([{ use: 60 }]);
  });

  it('a meter that may not be asked again at once is asked as soon as it may', async () => {
    await unchecked(20);
    await until(14);
    expect(asked.map(({ from }) => from - T0)).toEqual([0, 20_000]);
  });

  it('a damaged reading is never counted, and answers that never agree are not asked for without end', async () => {
    await unchecked();
    await until(20);
    asked.length = 0;
    damaged = 4;
    await until(40);
    expect(asked.length).toBe(4);
    expect(journal.installation('SP-1')?.last?.read).toBe(15);
    await until(59);
    expect(journal.installation('SP-1')?.last?.read).toBe(45);
  });

  it('a second reading that does not come costs neither water nor the hours after it', async () => {
    await unchecked();
    await until(29.9);
    void clock.sleep(6_100).then(() => silent.add('SP-1')); // The first one is on its way.
    await until(170);
    expect(journal.installation('SP-1')?.unconfirmed?.read).toBe(30);
    silent.clear();
    await until(241);
    const told = await rows('SP-1');
    expect(told.reduce((sum, row) => sum + (row.use ?? 0), 0)).toBe(240);
    const gap = told.find((row) => row.kind === 'gap');
    expect(gap).toMatchObject({ kind: 'gap', from: T0 + 15 * MINUTE + 500 });
    expect((gap?.kind === 'gap' ? gap.to : 0) - T0).toBeGreaterThanOrEqual(3 * HOUR);
    expect((gap?.kind === 'gap' ? gap.to : 0) - T0).toBeLessThan(3 * HOUR + 2_000);
  });

  it('the edge of an hour is read though the reading before it waits for its second', async () => {
    await unchecked();
    await until(44.9);
    void clock.sleep(6_100).then(() => silent.add('SP-1')); // The first one is on its way.
    await until(46);
    expect(journal.installation('SP-1')?.unconfirmed?.read).toBe(45);
    silent.clear();
    await until(121);
    expect(await rows('SP-1')).toMatchObject([
      { use: 60, flags: [] },
      { use: 60, q: 'A', flags: [] },
    ]);
  });
});
