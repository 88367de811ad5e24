// When an RTU line is quiet, and for how long it is left alone, on virtual time.

import { beforeEach, describe, expect, it } from 'vitest';
import { charactersMs, framePauseMs, LineSilence } from '../../src/bus/line-silence.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

let clock: VirtualClock;
let silence: LineSilence;
beforeEach(() => {
  clock = new VirtualClock();
  silence = new LineSilence(clock, 9_600);
});

async function waited<T>(work: () => Promise<T>): Promise<{ outcome: T; ms: number }> {
  const began = clock.monotonicMs();
  const outcome = await clock.runUntil(work());
  return { outcome, ms: clock.monotonicMs() - began };
}

describe('the silence of an RTU line', () => {
  it('is three and a half characters of eleven bits, and 1.75 ms above 19200 baud', () => {
    expect(framePauseMs(9_600)).toBeCloseTo(4.01, 2);
    expect(framePauseMs(19_200)).toBeCloseTo(2.005, 3);
    expect(framePauseMs(19_201)).toBe(1.75);
    expect(framePauseMs(115_200)).toBe(1.75);
    expect(charactersMs(8, 9_600)).toBeCloseTo(9.17, 2);
  });

  it('is kept after the last byte heard', async () => {
    expect(await waited(() => silence.quiet())).toEqual({ outcome: true, ms: 0 });
    silence.heard();
    const kept = await waited(() => silence.quiet());
    expect(kept.outcome).toBe(true);
    expect(kept.ms).toBeCloseTo(framePauseMs(9_600), 6);
  });

  it('is kept after the last byte sent, unless that was answered already', async () => {
    silence.sending(8);
    const sent = await waited(() => silence.quiet());
    expect(sent.ms).toBeCloseTo(charactersMs(8, 9_600) + framePauseMs(9_600), 6);
    silence.sending(8);
    silence.answered();
    expect((await waited(() => silence.quiet())).ms).toBe(0);
  });

  it('does not come while a device babbles, and is not waited for without end', async () => {
    const babble = async () => {
      for (let ms = 0; ms < 1_000; ms += 1) {
        silence.heard();
        await clock.sleep(1);
      }
    };
    void babble();
    const babbling = await waited(() => silence.quiet());
    expect(babbling.outcome).toBe(false);
    expect(babbling.ms).toBeGreaterThanOrEqual(200);
    expect(babbling.ms).toBeLessThan(220);
  });

  it('spares a unit whose answer may be under way, once, and no other', async () => {
    silence.spare(5, 80);
    expect((await waited(() => silence.grace(6))).ms).toBe(0);
    expect((await waited(() => silence.grace(5))).ms).toBe(80);
    expect((await waited(() => silence.grace(5))).ms).toBe(0);
  });

  it('is ended by giving up, and by the end of the link', async () => {
    const giveUp = new AbortController();
    clock.at(clock.trueNow() + 30, () => giveUp.abort());
    expect((await waited(() => silence.rest(1_000, giveUp.signal))).ms).toBe(30);
    clock.at(clock.trueNow() + 20, () => silence.end());
    expect((await waited(() => silence.rest(1_000))).ms).toBe(20);
  });
});
