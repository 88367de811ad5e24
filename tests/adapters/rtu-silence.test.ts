// When an RTU line is quiet, disturbed or owed an answer, on virtual time.

import { beforeEach, describe, expect, it } from 'vitest';
import { LEAST_FRAME, QUIET_LIMIT_MS, RtuSilence } from '../../src/adapters/rtu-silence.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

let clock: VirtualClock;
let silence: RtuSilence;
beforeEach(() => {
  clock = new VirtualClock();
  silence = new RtuSilence(clock, 9_600);
});

async function waited<T>(work: () => Promise<T>): Promise<{ outcome: T; ms: number }> {
  const began = clock.monotonicMs();
  const outcome = await clock.runUntil(work());
  return { outcome, ms: clock.monotonicMs() - began };
}

describe('the silence of an RTU line', () => {
  it('is three and a half characters after the last byte, and never under 1.75 ms', async () => {
    expect(await waited(() => silence.quiet())).toEqual({ outcome: true, ms: 0 });
    silence.heard(1);
    const slow = await waited(() => silence.quiet());
    expect(slow.outcome).toBe(true);
    expect(slow.ms).toBeCloseTo(4.01, 2);
    const fast = new RtuSilence(clock, 115_200);
    fast.heard(1);
    expect((await waited(() => fast.quiet())).ms).toBeCloseTo(1.75, 6);
  });

  it('does not come while a device babbles, and is not waited for without end', async () => {
    const babble = async () => {
      for (let ms = 0; ms < 1_000; ms += 1) {
        silence.heard(1);
        await clock.sleep(1);
      }
    };
    void babble();
    const babbling = await waited(() => silence.quiet());
    expect(babbling.outcome).toBe(false);
    expect(babbling.ms).toBeGreaterThanOrEqual(QUIET_LIMIT_MS);
    expect(babbling.ms).toBeLessThan(QUIET_LIMIT_MS + 10);
  });

  it('is disturbed by enough unasked bytes for an answer, until a question is settled', () => {
    silence.heard(9);
    silence.asked();
    expect(silence.wasDisturbed()).toBe(false);
    silence.heard(LEAST_FRAME - 1);
    expect(silence.wasDisturbed()).toBe(false);
    silence.heard(1);
    expect(silence.wasDisturbed()).toBe(true);
    silence.asked();
    expect(silence.wasDisturbed()).toBe(false);
  });

  it('is kept for the rest of its grace before a unit that owes an answer is asked again', async () => {
    silence.owes(5, 400);
    expect(silence.isOwing(5)).toBe(true);
    expect(silence.isOwing(6)).toBe(false);
    expect((await waited(() => silence.grace(6))).ms).toBe(0);
    await clock.run(clock.trueNow() + 100);
    expect((await waited(() => silence.grace(5))).ms).toBe(300);
    expect((await waited(() => silence.grace(5))).ms).toBe(0);
    expect(silence.isOwing(5)).toBe(true);
    silence.settled(5);
    expect(silence.isOwing(5)).toBe(false);
  });
});
