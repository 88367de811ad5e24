// Simulated meters: counts from water, the dial's wrap, and the instants at which counts pass.

import { describe, expect, test } from 'vitest';
import { Household } from '../../simulator/household.ts';
import { SimulatedMeter } from '../../simulator/meter.ts';
import { layStreet } from '../../simulator/street.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 5, 1);
const EIGHT = { digits: 8, unit: 'ft3', pow10: -1 } as const;
const FOUR = { digits: 4, unit: 'ft3', pow10: 2 } as const;

function meterAt(seed: string, initial: number): SimulatedMeter {
  const household = new Household({ seed, start: START, people: 4 });
  return new SimulatedMeter({ household, dial: EIGHT, initial });
}

describe('a simulated meter', () => {
  test('counts tenths of a cubic foot of the water behind it', () => {
    const household = new Household({ seed: 'q', start: START });
    const meter = new SimulatedMeter({ household, dial: EIGHT, initial: 5000 });
    const at = START + 50 * HOUR;
    expect(meter.countAt(at)).toBe(5000 + Math.floor(household.gallonsAt(at) / 0.748051948));
    expect(meter.countAt(START)).toBe(5000);
  });

  test('with four digits steps once where one with eight steps a thousand times', () => {
    const household = new Household({ seed: 'block', start: START, homes: 40 });
    const fine = new SimulatedMeter({ household, dial: EIGHT, initial: 0 });
    const coarse = new SimulatedMeter({ household, dial: FOUR, initial: 0 });
    const at = START + 5 * 24 * HOUR;
    expect(coarse.countAt(at)).toBeGreaterThan(5);
    expect(coarse.countAt(at)).toBe(Math.floor(fine.countAt(at) / 1000));
  });

  test('tells every passing once, at the first millisecond at which the dial shows it', () => {
    const meter = meterAt('passings', 1000);
    const to = START + 60 * HOUR;
    const passings = [...meter.passings(START, to)];
    expect(passings.length).toBe(meter.countAt(to) - 1000);
    expect(passings.length).toBeGreaterThan(100);
    expect(passings.map(({ count }) => count)).toEqual(passings.map((_, i) => 1001 + i));
    for (const { at, count } of passings) {
      expect(meter.countAt(at)).toBeGreaterThanOrEqual(count);
      expect(meter.countAt(at - 1)).toBeLessThan(count);
    }
  });

  test('tells the same passings in one sweep and in many short ones', () => {
    const meter = meterAt('sweeps', 0);
    const whole = [...meter.passings(START, START + 30 * HOUR)];
    const pieces = [];
    for (let at = START; at < START + 30 * HOUR; at += 100_000) {
      pieces.push(...meter.passings(at, Math.min(at + 100_000, START + 30 * HOUR)));
    }
    expect(pieces).toEqual(whole);
  });

  test('passes 99999999 and goes on from zero', () => {
    const meter = meterAt('wrap', 99_999_990);
    const wrap = [...meter.passings(START, START + 48 * HOUR)].find(({ count }) => count === 1e8);
    expect(wrap).toBeDefined();
    const at = wrap?.at ?? 0;
    expect(meter.registerAt(at - 1)).toBe(99_999_999);
    expect(meter.registerAt(at)).toBe(0);
    expect(meter.countAt(at)).toBe(100_000_000);
  });
});

describe('a simulated street', () => {
  const street = layStreet({ seed: 42, meters: 40, start: START });

  test('is the same for the same seed: homes, identities and initial registers', () => {
    const again = layStreet({ seed: 42, meters: 40, start: START });
    expect(again.map((point) => point.truth)).toEqual(street.map((point) => point.truth));
    const at = START + 70 * HOUR;
    expect(again.map(({ meter }) => meter.countAt(at))).toEqual(
      street.map(({ meter }) => meter.countAt(at)),
    );
    const other = layStreet({ seed: 43, meters: 40, start: START });
    expect(other.map((point) => point.truth)).not.toEqual(street.map((point) => point.truth));
  });

  test('grows by further places: the first eight stay who they are', () => {
    const eight = layStreet({ seed: 42, meters: 8, start: START });
    expect(eight.map((point) => point.truth)).toEqual(
      street.slice(0, 8).map((point) => point.truth),
    );
  });

  test('has two meters on each bus, both kinds of dial, a leak and a rollover among its first eight', () => {
    const eight = street.slice(0, 8).map((point) => point.truth);
    for (const bus of ['bus-1', 'bus-2', 'bus-3', 'bus-4']) {
      expect(eight.filter((truth) => truth.bus === bus)).toHaveLength(2);
    }
    expect(new Set(eight.map(({ digits }) => digits))).toEqual(new Set([4, 8]));
    expect(eight.filter(({ labels }) => labels.includes('leak')).map((t) => t.digits)).toEqual([8]);
    const [rollover] = eight.filter(({ labels }) => labels.includes('rollover'));
    expect(rollover?.initial).toBeGreaterThan(99_999_900);
  });

  test('gives each place an address and an identification of its own', () => {
    const addresses = street.map(({ truth, unit }) => `${truth.bus} ${unit}`);
    expect(new Set(addresses).size).toBe(street.length);
    const ids = street.flatMap(({ truth }) => truth.registerId ?? []);
    expect(ids.length).toBe(20);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[0-9]{8}$/.test(id))).toBe(true);
  });

  test.each([1, 2, 7, 99, 12345])(
    'with seed %i passes zero within a day and steps a four-digit dial',
    (seed) => {
      const points = layStreet({ seed, meters: 8, start: START });
      const rollover = points.find(({ truth }) => truth.labels.includes('rollover'));
      const apartments = points.find(({ truth }) => truth.labels.includes('apartments'));
      expect(rollover?.meter.registerAt(START)).toBeGreaterThan(99_999_900);
      expect(rollover?.meter.registerAt(START + 3 * HOUR)).toBeLessThan(1000);
      const steps =
        (apartments?.meter.countAt(START + 24 * HOUR) ?? 0) - (apartments?.truth.initial ?? 0);
      expect(steps).toBeGreaterThanOrEqual(3);
    },
  );

  test('never draws more in an hour than its meters state as possible', () => {
    const over = street.flatMap(({ truth, meter, maxFlowPerH }) => {
      let most = 0;
      for (let h = 0; h < 24 * 30; h++) {
        const used = meter.countAt(START + (h + 1) * HOUR) - meter.countAt(START + h * HOUR);
        most = Math.max(most, used);
      }
      return most > maxFlowPerH ? [`${truth.meter} drew ${most}`] : [];
    });
    expect(over).toEqual([]);
  });
});
