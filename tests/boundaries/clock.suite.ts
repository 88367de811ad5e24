// What every Clock promises, whatever moves its time.

import { getEventListeners, setMaxListeners } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/boundaries.ts';

export interface ClockRig {
  readonly clock: Clock;
  /** Listeners that stay on a signal between sleeps: none, or one that serves them all while the signal lives. */
  readonly keeps?: 1;
  /** Lets time pass until the work settles. */
  settle<T>(work: Promise<T>): Promise<T>;
}

export function clockSuite(name: string, open: () => ClockRig): void {
  describe(`${name} as a Clock`, () => {
    let clock: Clock;
    let settle: ClockRig['settle'];
    let keeps: number;
    beforeEach(() => {
      ({ clock, settle, keeps = 0 } = open());
    });

    it('a sleeper never wakes before its time', async () => {
      for (const ms of [1, 7, 20]) {
        const began = clock.monotonicMs();
        await settle(clock.sleep(ms * clock.speed));
        expect(clock.monotonicMs() - began).toBeGreaterThanOrEqual(ms * clock.speed);
      }
    });

    it('sleepers wake in the order of their times, not of their calls', async () => {
      const order: string[] = [];
      const late = clock.sleep(60 * clock.speed).then(() => order.push('late'));
      const early = clock.sleep(5 * clock.speed).then(() => order.push('early'));
      await settle(Promise.all([late, early]));
      expect(order).toEqual(['early', 'late']);
    });

    it('a pause is never shorter than asked, whole milliseconds or not', async () => {
      for (const ms of [0, 0.4, 1.75, 2.005, 4.01]) {
        const began = clock.monotonicMs();
        await settle(clock.pause(ms * clock.speed));
        // Sums of fractions miss by the last of their digits.
        expect(clock.monotonicMs() - began).toBeGreaterThan(ms * clock.speed - 1e-6);
      }
    });

    it('wall time and monotonic time go forward together', async () => {
      const wall = clock.now();
      const monotonic = clock.monotonicMs();
      await settle(clock.sleep(30 * clock.speed));
      const passed = clock.monotonicMs() - monotonic;
      expect(Math.abs(clock.now() - wall - passed)).toBeLessThanOrEqual(25 * clock.speed);
      expect(Number.isInteger(clock.now())).toBe(true);
    });

    it('an abort ends a sleep at once', async () => {
      const stop = new AbortController();
      const sleeping = clock.sleep(3_600_000 * clock.speed, stop.signal);
      stop.abort();
      const began = clock.monotonicMs();
      await settle(sleeping);
      expect(clock.monotonicMs() - began).toBeLessThan(60_000 * clock.speed);
    });

    it('a sleep on an aborted signal does not begin', async () => {
      await settle(clock.sleep(3_600_000 * clock.speed, AbortSignal.abort()));
    });

    it('a thousand sleeps leave nothing behind on their signal, or one listener for all that come', async () => {
      const stop = new AbortController();
      setMaxListeners(1_000, stop.signal);
      await settle(
        Promise.all(Array.from({ length: 1_000 }, () => clock.sleep(clock.speed, stop.signal))),
      );
      expect(getEventListeners(stop.signal, 'abort')).toHaveLength(keeps);
      const aborted = clock.sleep(3_600_000 * clock.speed, stop.signal);
      expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
      stop.abort();
      await settle(aborted);
      expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
    });

    it('a sleep longer than one timer can carry does not end early', async () => {
      const stop = new AbortController();
      const work: string[] = [];
      const long = clock.sleep((2 ** 31 + 5) * clock.speed, stop.signal).then(() => {
        work.push('long');
      });
      await settle(clock.sleep(20 * clock.speed).then(() => work.push('short')));
      expect(work).toEqual(['short']);
      stop.abort();
      await settle(long);
    });
  });
}
