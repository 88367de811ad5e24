// A limit stated for one dial, held against another: the pipe is the same, the counts are not.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CUBIC_INCHES,
  capacity,
  type Dial,
  limitOn,
  VOLUME_UNITS,
} from '../../src/domain/units.ts';

const old: Dial = { digits: 4, unit: 'ft3', pow10: 2 };
const young: Dial = { digits: 8, unit: 'ft3', pow10: -1 };

describe('the flow limit of a place where a meter of another dial stands now', () => {
  it('is a thousand times as many counts of 0.1 ft3 as of 100 ft3, and back', () => {
    expect(limitOn(young, 20, old)).toBe(20_000);
    expect(limitOn(old, 19_250, young)).toBe(20);
    expect(limitOn(old, 20_000, young)).toBe(20);
  });

  it('crosses units: 100 gallons are 134 counts of 0.1 ft3, rounded up', () => {
    expect(limitOn(young, 100, { digits: 8, unit: 'gal', pow10: 0 })).toBe(134);
  });

  it('never forbids what it allowed: at least as much volume, at least one count, less than the dial', () => {
    const dial = fc.record({
      digits: fc.integer({ min: 4, max: 9 }),
      unit: fc.constantFrom(...VOLUME_UNITS),
      pow10: fc.integer({ min: -3, max: 3 }),
    });
    const volume = ({ unit, pow10 }: Dial, counts: number) =>
      counts * CUBIC_INCHES[unit] * 10 ** pow10;
    fc.assert(
      fc.property(dial, dial, fc.integer({ min: 1, max: 100_000 }), (to, from, counts) => {
        const limit = limitOn(to, counts, from);
        expect(Number.isInteger(limit)).toBe(true);
        expect(limit).toBeGreaterThanOrEqual(1);
        expect(limit).toBeLessThan(capacity(to));
        if (limit === capacity(to) - 1) return;
        expect(volume(to, limit + 1e-5)).toBeGreaterThanOrEqual(volume(from, counts) * (1 - 1e-9));
      }),
    );
  });
});
