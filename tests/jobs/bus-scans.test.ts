// A scan on a bus that polls: it has the wire when nobody is due, and never when it could hold up a read for the hour's edge.

import { describe, expect, it } from 'vitest';
import type { ScanRun } from '../../src/boundaries.ts';
import { BusScansOf } from '../../src/jobs/bus-scans.ts';
import type { VirtualClock } from '../fakes/virtual-clock.ts';
import { MINUTE, T0 } from '../journal/metered.ts';
import { TimedBus, type TimedOptions } from './timed-bus.ts';

const QUESTION_MS = 300;

/** A scan of so many questions that nobody answers; `sittings` are milliseconds after T0. */
function endlessScan(clock: VirtualClock, questions: number) {
  const sittings: { from: number; to: number }[] = [];
  let asked = 0;
  const run: ScanRun = {
    progress: () => ({
      ...{ asked, of: questions, found: [], left_ms: 0, over: asked >= questions, fault: null },
    }),
    work: async (forMs, signal) => {
      const from = clock.trueNow() - T0;
      const until = clock.monotonicMs() + forMs;
      while (asked < questions && !signal?.aborted && clock.monotonicMs() < until) {
        await clock.sleep(QUESTION_MS, signal);
        asked += 1;
      }
      await clock.sleep(QUESTION_MS, signal);
      sittings.push({ from, to: clock.trueNow() - T0 });
    },
  };
  return { run, sittings };
}

async function scanned(options: Omit<TimedOptions, 'scans'>, questions = 100_000) {
  let door: BusScansOf | undefined;
  let sittings: { from: number; to: number }[] = [];
  let rests = 0;
  const bus = new TimedBus({
    ...options,
    scans: (clock) => {
      const scan = endlessScan(clock, questions);
      sittings = scan.sittings;
      const rest = async () => {
        rests += 1;
      };
      door = new BusScansOf({ wire: clock, rest });
      door.start(scan.run, QUESTION_MS);
      return door;
    },
  });
  await bus.start();
  return { bus, door: () => door as BusScansOf, sittings: () => sittings, rests: () => rests };
}

describe('a scan on a bus that polls', () => {
  it('no read for the hour’s edge is held up, and no meter is asked while the scan has the wire', async () => {
    const options = { meters: 40, pollMs: 15 * MINUTE, readMs: 200 };
    const { bus, sittings, rests } = await scanned(options);
    const alone = await new TimedBus(options).start();
    for (const one of [bus, alone]) {
      await one.until(185);
      await one.stop();
    }
    // What a scan leaves as it was: who is read when around the edges of the hours.
    const isNearEdge = ({ from }: { from: number }) =>
      from > MINUTE && Math.abs(((from + 30 * MINUTE) % (60 * MINUTE)) - 30 * MINUTE) < 15_000;
    expect(alone.asks.filter(isNearEdge)).toHaveLength(3 * 40);
    expect(bus.asks.filter(isNearEdge)).toEqual(alone.asks.filter(isNearEdge));
    expect(sittings().length).toBeGreaterThan(1_000);
    expect(rests()).toBe(sittings().length);
    const both = sittings().filter(({ from, to }) =>
      bus.asks.some((ask) => ask.from < to && ask.to > from),
    );
    expect(both).toEqual([]);
  });

  it('begun on a bus that sleeps until its next poll it has the wire at once', async () => {
    const { bus, door } = await scanned({ meters: 1, pollMs: 15 * MINUTE, readMs: 50 }, 0);
    await bus.until(20);
    const scan = endlessScan(bus.clock, 5);
    expect(door().start(scan.run, QUESTION_MS)).toBe(true);
    await bus.until(20.1);
    await bus.stop();
    expect(scan.sittings[0]?.from).toBeLessThan(20 * MINUTE + 1_000);
    expect(scan.run.progress()).toMatchObject({ asked: 5, over: true });
  });

  it('a bus that is never idle still gives it a sitting in half a minute', async () => {
    const { bus, sittings } = await scanned({ meters: 10, pollMs: 1_000, readMs: 200 });
    await bus.until(10);
    await bus.stop();
    expect(sittings().length).toBeGreaterThanOrEqual(18);
    expect(sittings().length).toBeLessThanOrEqual(22);
  });

  it('with many reads at once it waits until all are over', async () => {
    const options = { meters: 40, pollMs: 1_000, readMs: 300, parallel: 8 };
    const { bus, sittings } = await scanned(options);
    await bus.until(5);
    await bus.stop();
    expect(sittings().length).toBeGreaterThanOrEqual(8);
    const both = sittings().filter(({ from, to }) =>
      bus.asks.some((ask) => ask.from < to && ask.to > from),
    );
    expect(both).toEqual([]);
  });

  it('ends when all is asked or a person stops it; one at a time', async () => {
    const { bus, door, sittings } = await scanned({ meters: 1, pollMs: MINUTE, readMs: 50 }, 10);
    expect(door().start(endlessScan(bus.clock, 1).run, 1)).toBe(false);
    await bus.until(2);
    expect(await bus.clock.runUntil(door().progress())).toMatchObject({ asked: 10, over: true });
    const before = sittings().length;
    const second = endlessScan(bus.clock, 1_000_000);
    expect(door().start(second.run, 1)).toBe(true);
    await bus.until(3);
    door().stop();
    const asked = second.run.progress().asked;
    expect(asked).toBeGreaterThan(50);
    await bus.until(5);
    expect(second.run.progress().asked).toBeLessThanOrEqual(asked + 1);
    expect(await bus.clock.runUntil(door().progress())).toMatchObject({ over: true });
    expect(sittings().length).toBe(before);
    await bus.stop();
  });

  it('begins at once, also on a bus that has no meter yet and sleeps', async () => {
    const { bus, door, sittings } = await scanned({ meters: 0, pollMs: MINUTE, readMs: 50 }, 3);
    await bus.until(3);
    expect(sittings()).toHaveLength(1);
    const second = endlessScan(bus.clock, 3);
    expect(door().start(second.run, 1)).toBe(true);
    await bus.until(3.1);
    expect(second.sittings).toHaveLength(1);
    expect(second.sittings[0]?.from).toBeLessThan(3 * MINUTE + 1_000);
    await bus.stop();
  });
});
