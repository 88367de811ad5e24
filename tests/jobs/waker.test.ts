// A sleep that a bell ends: woken when rung and when its time is over, and nothing of the sleeps before is left behind.

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Waker } from '../../src/jobs/waker.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const T0 = Date.UTC(2026, 5, 1);

function sleeper() {
  const clock = new VirtualClock(T0);
  const stop = new AbortController();
  const waker = new Waker(clock, stop.signal);
  const woken: number[] = [];
  /** Sleeps so long, and notes when it woke. */
  const sleep = async (ms: number) => {
    await waker.sleep(ms);
    woken.push(clock.trueNow() - T0);
  };
  return { clock, stop, waker, woken, sleep };
}

describe('a waker', () => {
  it('wakes when its time is over, when rung, and at once when it was rung before', async () => {
    const { clock, waker, woken, sleep } = sleeper();
    void sleep(1_000);
    await clock.run(T0 + 5_000);
    void sleep(1_000);
    await clock.run(T0 + 5_500);
    waker.ring();
    await clock.run(T0 + 5_600);
    waker.ring();
    void sleep(1_000);
    await clock.run(T0 + 5_700);
    expect(woken).toEqual([1_000, 5_500, 5_600]);
  });

  it('a sleep that was begun for sooner ends a later one', async () => {
    const { clock, waker, woken, sleep } = sleeper();
    void sleep(1_000);
    waker.ring();
    await clock.run(T0 + 10);
    void sleep(60_000);
    await clock.run(T0 + 120_000);
    expect(woken).toEqual([0, 1_000]);
  });

  it('a longer sleep goes on beneath a shorter one, and no other is begun beside it', async () => {
    const { clock, stop, waker, woken, sleep } = sleeper();
    for (let i = 0; i < 100; i += 1) {
      void sleep(300_000);
      await clock.run(clock.trueNow());
      waker.ring();
      await clock.run(clock.trueNow());
      void sleep(100);
      await clock.run(clock.trueNow() + 1_000);
    }
    expect(woken).toHaveLength(200);
    expect(clock.sleepers()).toBe(1);
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
  });

  it('of a thousand ever shorter sleeps few last, and the last of them wakes in time', async () => {
    const { clock, waker, woken, sleep } = sleeper();
    for (let ms = 300_000; ms > 200_000; ms -= 100) {
      void sleep(ms);
      await clock.run(clock.trueNow());
      waker.ring();
      await clock.run(clock.trueNow());
      expect(clock.sleepers()).toBeLessThanOrEqual(4);
    }
    void sleep(100);
    await clock.run(T0 + 5_000);
    expect(woken.at(-1)).toBe(100);
    expect(clock.sleepers()).toBeLessThanOrEqual(3);
  });

  it('wakes at the end of its signal, and sleeps no more', async () => {
    const { clock, stop, woken, sleep } = sleeper();
    void sleep(60_000);
    await clock.run(T0 + 1_000);
    stop.abort('over');
    await clock.run(T0 + 1_001);
    void sleep(60_000);
    await clock.run(T0 + 1_002);
    expect(woken).toEqual([1_000, 1_001]);
    expect(clock.sleepers()).toBe(0);
  });
});
