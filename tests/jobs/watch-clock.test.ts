// The collector's clock: each step is told as it was, and once that nobody keeps it right, until somebody does again.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import type { EventRow } from '../../src/domain/entry.ts';
import { watchClock } from '../../src/jobs/watch-clock.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { all, FINE, HOUR, MINUTE, openMetered, rulesOf, T0 } from '../journal/metered.ts';

describe('the watch over the clock', () => {
  let clock: VirtualClock;
  let medium: Medium;
  let journal: Journal;
  let stop: AbortController;
  let done: Promise<void>;
  const open = async () => {
    journal = await openMetered(() => medium.open());
    await journal.flush();
  };
  const begin = () => {
    stop = new AbortController();
    const parts = { journal, clock, log: new RecordingLog(), toleranceMs: 15_000 };
    done = watchClock({ ...parts, source: 'timesyncd' }, stop.signal);
  };
  const end = async () => {
    stop.abort();
    await clock.runUntil(done);
  };
  beforeEach(async () => {
    clock = new VirtualClock(T0);
    medium = new Medium();
    await open();
    begin();
  });
  const later = (ms: number) => clock.run(clock.trueNow() + ms);
  const told = async () => {
    await journal.flush();
    const events: EventRow[] = await all(journal.eventsOf(''));
    return events.map(({ code, phase, data }) => ({ code, phase, data }));
  };

  it('tells each step by as much as it was, from where to where', async () => {
    await later(30_500);
    clock.stepWall(2 * HOUR);
    await later(90_000);
    clock.stepWall(-3 * HOUR);
    await later(10 * MINUTE);
    await end();
    const steps = await told();
    expect(steps.map(({ code, phase }) => [code, phase])).toEqual([
      ['clock.step', 'raise'],
      ['clock.step', 'raise'],
    ]);
    expect(steps.map(({ data }) => data['step_ms'])).toEqual([2 * HOUR, -3 * HOUR]);
    expect(steps[0]?.data).toMatchObject({
      ...{ limit_ms: 15_000, before: '2026-06-01T00:01:00Z', after: '2026-06-01T02:01:00Z' },
    });
  });

  it('a correction that moves no reading off its edge is none, nor is a clock that drifts', async () => {
    clock.driftBy(200);
    for (let day = 0; day < 3; day += 1) {
      clock.stepWall(14_000);
      await later(24 * HOUR);
    }
    await end();
    expect(await told()).toEqual([]);
  });

  it('a step while the journal is not sound is told when it is again', async () => {
    medium.failNext(1);
    journal.declare('SP-2', { dial: FINE, registerId: null }, rulesOf(FINE));
    await journal.flush();
    expect(journal.isSound()).toBe(false);
    clock.stepWall(HOUR);
    await later(5 * MINUTE);
    await journal.flush();
    await later(2 * MINUTE);
    await end();
    expect((await told()).map(({ code, data }) => [code, data['step_ms']])).toEqual([
      ['clock.step', HOUR],
    ]);
  });

  it('a quarter of an hour without synchronisation is told once, over a restart, and its end', async () => {
    clock.setSynced(false);
    await later(14 * MINUTE);
    expect(await told()).toEqual([]);
    await later(HOUR);
    await end();
    await journal.close();
    await open();
    begin();
    await later(HOUR);
    expect((await told()).map(({ code, phase }) => [code, phase])).toEqual([
      ['clock.unsynced', 'raise'],
    ]);
    clock.setSynced(true);
    await later(2 * MINUTE);
    await end();
    expect((await told()).map(({ phase }) => phase)).toEqual(['raise', 'clear']);
    expect((await told())[0]?.data).toMatchObject({ source: 'timesyncd', limit_s: 900 });
  });
});
