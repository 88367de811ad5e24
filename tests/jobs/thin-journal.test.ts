// The journal is kept small once an hour, between the edges, and never by a clock that is known to be wrong.

import { expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import { thinJournal } from '../../src/jobs/thin-journal.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const T0 = Date.UTC(2026, 5, 1, 6, 10);
const HOUR = 3_600_000;
const LIMITS = {
  ...{ incrementDays: 45, hourDays: 400, eventDays: 400, maxBytes: 1e9, minFreeBytes: 1e6 },
};

it('thins at half past each hour, goes on after a fault, and rests while the clock is not synchronised', async () => {
  const clock = new VirtualClock(T0);
  const times: string[] = [];
  const lived: number[] = [];
  let fails = false;
  const journal = {
    async thin(limits: unknown, _: unknown, livedMs = Number.NaN) {
      expect(limits).toEqual(LIMITS);
      lived.push(livedMs / HOUR);
      times.push(new Date(clock.now()).toISOString().slice(11, 16));
      if (fails) return faulty('store.failed', 'the medium does not answer');
      return good({ increments: 3, hours: 0, events: 0 });
    },
  } as Partial<Journal> as Journal;
  const stop = new AbortController();
  const log = new RecordingLog();
  const job = thinJournal({ journal, clock, wire: clock, log }, LIMITS, stop.signal);
  await clock.run(T0 + 2 * HOUR);
  expect(times).toEqual(['06:30', '07:30']);
  clock.setSynced(false);
  await clock.run(T0 + 4 * HOUR);
  expect(times).toHaveLength(2);
  clock.setSynced(true);
  fails = true;
  await clock.run(T0 + 6 * HOUR);
  expect(times.slice(2)).toEqual(['10:30', '11:30']);
  // What is lived while nobody looks counts, however the wall clock steps.
  expect(lived).toEqual([1 / 3, 1, 3, 1]);
  clock.stepWall(-T0);
  await clock.run(T0 + 8 * HOUR);
  expect(times).toHaveLength(4);
  stop.abort();
  await clock.runUntil(job);
});
