// The group commit: hours at once, readings once a period, nothing when nothing changed, and a failing medium is opened again.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import { commitGroups } from '../../src/jobs/commit-groups.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FINE, MINUTE, openMetered, read, readHours, rulesOf, T0 } from '../journal/metered.ts';

const PERIOD = 60_000;

describe('the group commit', () => {
  let clock: VirtualClock;
  let medium: Medium;
  let journal: Journal;
  let log: RecordingLog;
  let stop: AbortController;
  let job: Promise<void>;
  const later = (ms: number) => clock.run(clock.trueNow() + ms);
  beforeEach(async () => {
    clock = new VirtualClock(T0);
    medium = new Medium();
    log = new RecordingLog();
    stop = new AbortController();
    journal = await openMetered(() => medium.open());
    read(journal, 'SP-1', 0, 0);
    await journal.flush();
    job = commitGroups({ journal, wire: clock, log }, PERIOD, stop.signal);
    await later(2 * PERIOD);
    medium.writes = 0;
  });

  it('writes nothing while nothing changes', async () => {
    await later(24 * 60 * MINUTE);
    expect(medium.writes).toBe(0);
  });

  it('writes many readings as one group, a period after the first', async () => {
    for (const minute of [1, 2, 3]) read(journal, 'SP-1', minute, minute);
    await later(PERIOD - 1_000);
    expect(medium.writes).toBe(0);
    await later(2_000);
    expect(medium.writes).toBe(1);
  });

  it('writes the end of an hour at once', async () => {
    readHours(journal, 'SP-1', 0.25, 1);
    await later(1);
    expect(medium.writes).toBe(1);
    expect(journal.takeFresh()).toHaveLength(1);
  });

  it('the first hour of an edge goes at once, those of the meters read after it go together', async () => {
    for (const meter of ['SP-2', 'SP-3', 'SP-4']) {
      journal.declare(meter, { dial: FINE, registerId: null }, rulesOf(FINE));
    }
    for (const meter of ['SP-2', 'SP-3', 'SP-4']) read(journal, meter, 0, 0);
    await later(PERIOD);
    medium.writes = 0;
    for (const [i, meter] of ['SP-1', 'SP-2', 'SP-3', 'SP-4'].entries()) {
      readHours(journal, meter, 0.25, 1);
      await later(i === 0 ? 1 : 400);
    }
    expect(journal.takeFresh()).toHaveLength(1);
    await later(2_000);
    expect(journal.takeFresh()).toHaveLength(3);
    expect(medium.writes).toBe(2);
  });

  it('what a long drain has settled is written as soon as it is a group of its own, again and again', async () => {
    const hours = 20_000;
    for (let hour = 0; hour <= hours; hour += 1) read(journal, 'SP-1', hour * 60, hour);
    await journal.flush();
    const drained = journal.takeFresh();
    expect(drained.length).toBeGreaterThan(hours - 2);
    await later(PERIOD);
    medium.writes = 0;
    const begun = clock.trueNow();
    // A thousand rows each ten milliseconds: all is over before two groups would be apart.
    for (let from = 0; from < drained.length; from += 1_000) {
      journal.settle(drained.slice(from, from + 1_000));
      await later(10);
    }
    expect(medium.writes).toBe(2);
    expect(clock.trueNow() - begun).toBeLessThan(2_000);
    await later(2 * PERIOD);
    expect(medium.writes).toBe(3);
    expect((await journal.pending()).rows).toBe(0);
  });

  it('a failing medium is opened again, and then what comes is kept', async () => {
    read(journal, 'SP-1', 1, 1);
    medium.failNext(1);
    await later(PERIOD);
    expect(journal.isSound()).toBe(false);
    await later(3_000);
    expect(journal.isSound()).toBe(true);
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info']);
    readHours(journal, 'SP-1', 0.5, 1);
    await later(1_000);
    expect(journal.takeFresh()).toHaveLength(1);
  });

  it('a journal that failed under another job is opened again at once, not a period later', async () => {
    read(journal, 'SP-1', 1, 1);
    await later(1_000);
    medium.failNext(1);
    expect((await journal.flush()).ok).toBe(false);
    await later(3_000);
    expect(journal.isSound()).toBe(true);
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(journal.installation('SP-1')).toBeDefined();
  });

  it('asked to stop, it writes what is staged and ends', async () => {
    journal.declare('SP-2', { dial: FINE, registerId: null }, rulesOf(FINE));
    await later(10);
    stop.abort();
    await clock.runUntil(Promise.race([job, clock.sleep(1_000)]));
    expect(medium.writes).toBe(1);
  });

  it('asked to stop while the medium fails, it ends and does not call the journal sound', async () => {
    read(journal, 'SP-1', 1, 1);
    medium.failNext(1);
    await later(PERIOD);
    medium.failReads(true);
    stop.abort();
    await clock.runUntil(Promise.race([job, clock.sleep(10_000)]));
    expect(journal.isSound()).toBe(false);
    expect(log.lines.some(({ level }) => level === 'info')).toBe(false);
  });
});
