// The soak's measure finds one timer that stays and is not deceived by those that come and go.

import { describe, expect, it } from 'vitest';
import { Random } from '../../simulator/random.ts';
import { flatness, type Look } from './flatness.ts';

const DAYS = 30;
const LOOKS = 12;
const MIB = 1024 * 1024;

/** A month of looks: some five timers of reads under way, come and gone, beside what `more` adds by the day. */
function month(seed: string, more: (day: number) => Partial<Look>): Look[] {
  const chance = new Random(seed);
  return Array.from({ length: DAYS * LOOKS }, (_, i) => {
    const day = (i + 1) / LOOKS;
    const underWay = Array.from({ length: 12 }, () => Number(chance.chance(0.4)));
    return {
      ...{ day, rss: 90 * MIB + chance.whole(0, MIB), heap: 20 * MIB, handles: 5, descriptors: 27 },
      ...{ files: 4, timers: 25 + underWay.reduce((a, b) => a + b, 0) },
      ...more(day),
    };
  });
}

describe('flatness', () => {
  it('lets what only comes and goes be', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      expect(() => flatness(month(`flat/${seed}`, () => ({})))).not.toThrow();
    }
  });

  it.each(['handles', 'descriptors'] as const)('finds one more of %s', (name) => {
    const base = { handles: 5, descriptors: 27 }[name];
    const looks = month('one more', (day) => ({ [name]: base + Number(day > 15) }));
    expect(() => flatness(looks)).toThrow(`grows: ${name}`);
  });

  it('finds two timers that stayed, among those that come and go', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const looks = month(`two/${seed}`, () => ({}));
      const leaky = looks.map((one) => ({ ...one, timers: one.timers + 2 * Number(one.day > 15) }));
      expect(() => flatness(leaky)).toThrow('grows: timers');
    }
  });

  it('finds memory that grows by two hundredths a day', () => {
    const looks = month('memory', (day) => ({ heap: 20 * MIB * (1 + 0.02 * day) }));
    expect(() => flatness(looks)).toThrow('grows: heap');
  });
});
