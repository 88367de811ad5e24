// The water of simulated homes: repeatable, never falling, and like the homes of the end-use studies.

import { describe, expect, test } from 'vitest';
import { Household } from '../../simulator/household.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Midnight in the simulated street (UTC-6), in a winter month. */
const START = Date.UTC(2026, 0, 12, 6);
const INDOORS = { start: START, irrigation: false, softener: false } as const;

/** Gallons in each hour of the local day, summed over homes and days. */
function drawnByHour(homes: number, days: number): number[] {
  const hours = new Array<number>(24).fill(0);
  for (let seed = 0; seed < homes; seed++) {
    const home = new Household({ ...INDOORS, seed });
    for (let h = 0; h < 24 * days; h++) {
      const used = home.gallonsAt(START + (h + 1) * HOUR) - home.gallonsAt(START + h * HOUR);
      hours[h % 24] = (hours[h % 24] ?? 0) + used;
    }
  }
  return hours;
}

function smallestHour(home: Household, from: number, days: number): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let at = from; at < from + days * DAY; at += HOUR) {
    smallest = Math.min(smallest, home.gallonsAt(at + HOUR) - home.gallonsAt(at));
  }
  return smallest;
}

describe('a simulated household', () => {
  test('draws the same water from the same seed, and other water from another', () => {
    const one = new Household({ seed: 'elm street', start: START });
    const same = new Household({ seed: 'elm street', start: START });
    const other = new Household({ seed: 'oak street', start: START });
    const hours = Array.from({ length: 24 * 20 }, (_, h) => START + h * HOUR);
    const drawn = hours.map((at) => one.gallonsAt(at));
    expect(hours.map((at) => same.gallonsAt(at))).toEqual(drawn);
    expect(hours.map((at) => other.gallonsAt(at))).not.toEqual(drawn);
  });

  test('never gives water back, minute by minute across midnights', () => {
    const home = new Household({ seed: 3, start: START, leakGalPerHour: 0.3, softener: true });
    let last = 0;
    let falls = 0;
    for (let at = START - HOUR; at < START + 12 * DAY; at += 61_000) {
      const gallons = home.gallonsAt(at);
      if (gallons < last) falls++;
      last = gallons;
    }
    expect(falls).toBe(0);
    expect(last).toBeGreaterThan(100);
  });

  test('never gives water back between one millisecond and the next around midnight', () => {
    const home = new Household({ seed: 11, start: START, leakGalPerHour: 7 });
    const midnight = START + 9 * DAY;
    const around = Array.from({ length: 4000 }, (_, i) => home.gallonsAt(midnight - 2000 + i));
    expect(around).toEqual(around.toSorted((a, b) => a - b));
    expect((around.at(-1) ?? 0) - (around[0] ?? 0)).toBeCloseTo((7 * 4) / 3600, 4);
  });

  test('tells the same volume whether it is asked in order, backwards, or for days long forgotten', () => {
    const forwards = new Household({ seed: 8, start: START });
    const instants = Array.from({ length: 40 * 8 }, (_, i) => START + i * 3 * HOUR + i * 777);
    const drawn = instants.map((at) => forwards.gallonsAt(at));
    const backwards = new Household({ seed: 8, start: START });
    const reversed = instants.toReversed().map((at) => backwards.gallonsAt(at));
    expect(reversed.toReversed()).toEqual(drawn);
    expect(instants.map((at) => forwards.gallonsAt(at))).toEqual(drawn);
  });

  test('has drawn nothing at its start, nor before', () => {
    const home = new Household({ seed: 1, start: START + 7 * HOUR + 123 });
    expect(home.gallonsAt(START + 7 * HOUR + 123)).toBe(0);
    expect(home.gallonsAt(START - DAY)).toBe(0);
  });

  test('draws 45 to 60 gallons a person and day indoors, and 100 to 150 a home (leaks aside), over many homes', () => {
    const homes = 150;
    const days = 28;
    let people = 0;
    let gallons = 0;
    for (let seed = 0; seed < homes; seed++) {
      const home = new Household({ ...INDOORS, seed: `band ${seed}` });
      people += home.people;
      gallons += home.gallonsAt(START + days * DAY);
    }
    expect(people / homes).toBeGreaterThan(2.1);
    expect(people / homes).toBeLessThan(2.9);
    expect(gallons / people / days).toBeGreaterThan(45);
    expect(gallons / people / days).toBeLessThan(60);
    expect(gallons / homes / days).toBeGreaterThan(100);
    expect(gallons / homes / days).toBeLessThan(150);
  });

  test('is quiet at night and busy in the morning and the evening', () => {
    const hours = drawnByHour(60, 21);
    const sum = (from: number, to: number) => hours.slice(from, to).reduce((a, b) => a + b, 0);
    const whole = sum(0, 24);
    expect(sum(1, 4) / whole).toBeLessThan(0.03);
    expect(sum(1, 4)).toBeGreaterThan(0);
    expect(sum(6, 9)).toBeGreaterThan(8 * sum(1, 4));
    expect(sum(6, 9)).toBeGreaterThan(1.5 * sum(12, 15));
    expect(sum(18, 21)).toBeGreaterThan(1.5 * sum(12, 15));
  });

  test('has whole hours without water when nothing leaks, and none with a leak: its rate is the night minimum', () => {
    const tight = new Household({ ...INDOORS, seed: 21, people: 3 });
    const leaking = new Household({ ...INDOORS, seed: 21, people: 3, leakGalPerHour: 1.5 });
    expect(smallestHour(tight, START, 10)).toBe(0);
    expect(smallestHour(leaking, START, 10)).toBeCloseTo(1.5, 3);
    const more = leaking.gallonsAt(START + 10 * DAY) - tight.gallonsAt(START + 10 * DAY);
    expect(more).toBeCloseTo(360, 1);
  });

  test('goes away at times: some home has three days running without a drop', () => {
    const empty = Array.from({ length: 40 }, (_, seed) => seed).filter((seed) => {
      const home = new Household({ ...INDOORS, seed: `away ${seed}` });
      for (let day = 0; day < 60; day++) {
        const from = home.gallonsAt(START + day * DAY);
        if (home.gallonsAt(START + (day + 3) * DAY) === from) return true;
      }
      return false;
    });
    expect(empty.length).toBeGreaterThan(2);
    expect(empty.length).toBeLessThan(35);
  });

  test('waters its lawn in July before sunrise and not in January', () => {
    const night = (start: number) => {
      const dry = new Household({ seed: 5, start, irrigation: false, vacations: false });
      const lawn = new Household({ seed: 5, start, irrigation: true, vacations: false });
      return lawn.gallonsAt(start + 12 * DAY) - dry.gallonsAt(start + 12 * DAY);
    };
    expect(night(START)).toBe(0);
    expect(night(Date.UTC(2026, 6, 6, 6))).toBeGreaterThan(400);
  });

  test('regenerates its softener in the night every few days', () => {
    const plain = new Household({ ...INDOORS, seed: 9 });
    const soft = new Household({ ...INDOORS, seed: 9, softener: true });
    const nights = Array.from({ length: 24 }, (_, day) => {
      const [from, to] = [START + day * DAY + HOUR, START + day * DAY + 5 * HOUR];
      const extra = soft.gallonsAt(to) - soft.gallonsAt(from);
      return extra - (plain.gallonsAt(to) - plain.gallonsAt(from)) > 40;
    });
    const regenerated = nights.filter(Boolean).length;
    expect(regenerated).toBeGreaterThanOrEqual(4);
    expect(regenerated).toBeLessThanOrEqual(8);
  });

  test('loses water for hours when a toilet runs', () => {
    const tight = new Household({ ...INDOORS, seed: 4, vacations: false });
    const running = new Household({
      ...INDOORS,
      seed: 4,
      vacations: false,
      runningToiletPerDay: 1,
    });
    const lost = running.gallonsAt(START + 10 * DAY) - tight.gallonsAt(START + 10 * DAY);
    expect(lost / 10).toBeGreaterThan(60);
  });

  test('a tap that is run by hand adds its water, and no more once it is closed', () => {
    const plain = new Household({ ...INDOORS, seed: 3 });
    const tapped = new Household({ ...INDOORS, seed: 3 });
    const minute = 60_000;
    tapped.openTap(START + HOUR, 6);
    const extra = (at: number) => tapped.gallonsAt(at) - plain.gallonsAt(at);
    expect(extra(START + HOUR)).toBe(0);
    expect(extra(START + HOUR + minute)).toBeCloseTo(6);
    tapped.openTap(START + HOUR + 2 * minute, 3);
    tapped.closeTap(START + HOUR + 4 * minute);
    tapped.closeTap(START + HOUR + 5 * minute);
    expect(extra(START + 2 * HOUR)).toBeCloseTo(18);
    expect(extra(START + DAY)).toBeCloseTo(18);
  });
});
