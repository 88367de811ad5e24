// Leaks of every class as draws: how fast, how long, how the pressure of the street moves them.

import type { Random } from '../random.ts';
import { type Draw, HOUR_MS, type Label, type LeakKind } from './labelled.ts';

/** Flow in gallons an hour and length in hours of each kind, from low to high, spread evenly over the logarithm. */
const SHAPES: Readonly<
  Record<LeakKind, { gph: readonly [number, number]; hours: readonly [number, number] }>
> = {
  drip: { gph: [0.25, 1], hours: [120, 700] },
  steady: { gph: [1, 8], hours: [60, 600] },
  toilet: { gph: [6, 60], hours: [30, 300] },
  refill: { gph: [0.5, 6], hours: [100, 500] },
  stuck: { gph: [60, 240], hours: [3, 14] },
  burst: { gph: [200, 600], hours: [4, 30] },
};

function spread(random: Random, [low, high]: readonly [number, number]): number {
  return low * (high / low) ** random.next();
}

/** A leak of `kind` that begins at `start`, cut off at `until`. */
export function leakOf(
  kind: LeakKind,
  start: number,
  until: number,
  random: Random,
): { readonly label: Label<LeakKind>; readonly draws: readonly Draw[] } {
  const shape = SHAPES[kind];
  const gph = spread(random, shape.gph);
  const end = Math.min(until, start + spread(random, shape.hours) * HOUR_MS);
  const draws =
    kind === 'refill' ? packets(start, end, gph, random) : swinging(start, end, gph, random);
  const volume = draws.reduce((sum, one) => sum + one.gph * (one.end - one.start), 0);
  return { label: { kind, start, end, gph: volume / (end - start) }, draws };
}

/** A hole in the pipe: more at night, when the street's pressure is high, and a little by chance. */
function swinging(start: number, end: number, gph: number, random: Random): Draw[] {
  const swing = random.between(0, 0.12);
  const draws: Draw[] = [];
  for (let at = start; at < end; at += HOUR_MS) {
    const day = Math.cos(((at / HOUR_MS - 9) / 12) * Math.PI);
    const rate = gph * (1 + swing * day + random.between(-0.02, 0.02));
    draws.push({ start: at, end: Math.min(end, at + HOUR_MS), gph: rate });
  }
  return draws;
}

/** A flapper that seeps: the tank is topped up, the same amount each time. */
function packets(start: number, end: number, gph: number, random: Random): Draw[] {
  const gallons = random.between(0.25, 1);
  const filling = random.between(1.2, 3) * 60;
  const draws: Draw[] = [];
  for (let at = start; at < end; ) {
    const length = (gallons / filling) * HOUR_MS;
    draws.push({ start: at, end: Math.min(end, at + length), gph: filling });
    at += (gallons / gph) * HOUR_MS * random.between(0.94, 1.06);
  }
  return draws;
}

/**
 * Kinds as often as they are met: so that the rule of 24 hours, each with water, finds about the share that is known of
 * it elsewhere (88 % of the leaks of 0.25 gal/h and more).
 */
const MIX: readonly LeakKind[] = [
  ...(['drip', 'drip', 'steady', 'steady', 'steady', 'toilet', 'toilet', 'toilet'] as const),
  ...(['refill', 'stuck', 'burst'] as const),
];

const LASTING = MIX.filter((kind) => kind !== 'stuck' && kind !== 'burst');

/** What goes wrong in one home. */
export interface Leaks {
  readonly labels: Label<LeakKind>[];
  readonly draws: Draw[];
}

export type LeakPlan = (start: number, days: number, random: Random) => Leaks;

/** US gallons in a count of 100 ft3. */
const COARSE_COUNT = 100 * (1728 / 231);

/** One leak large and long enough for a dial of 100 ft3: 60 gallons an hour or more for six of its counts or longer. */
export const coarseLeaks: LeakPlan = (start, days, random) => {
  if (random.chance(0.4)) return { labels: [], draws: [] };
  const gph = spread(random, [60, 300]);
  const hours = (random.between(6.2, 14) * COARSE_COUNT) / gph;
  const from = start + random.between(5, Math.max(6, days - 1 - hours / 24)) * 24 * HOUR_MS;
  const end = Math.min(start + days * 24 * HOUR_MS, from + hours * HOUR_MS);
  const draws = swinging(from, end, gph, random);
  const volume = draws.reduce((sum, one) => sum + one.gph * (one.end - one.start), 0);
  return { labels: [{ kind: 'burst', start: from, end, gph: volume / (end - from) }], draws };
};

/** The leaks of one home over `days` from `start`: none in two homes of five, in one of seven there from the beginning. */
export const leaksOf: LeakPlan = (start, days, random) => {
  const labels: Label<LeakKind>[] = [];
  const draws: Draw[] = [];
  const stop = start + days * 24 * HOUR_MS;
  if (random.chance(0.4)) return { labels, draws };
  const there = random.chance(0.14);
  let from = there ? start : start + random.between(3, days - 8) * 24 * HOUR_MS;
  for (let n = 0; n < 3 && from < stop - 30 * HOUR_MS; n++) {
    // Nobody starts to read a meter in the very hours of a burst.
    const kinds = there && n === 0 ? LASTING : MIX;
    const kind = kinds[random.whole(0, kinds.length - 1)] as LeakKind;
    const leak = leakOf(kind, from, stop - 8 * HOUR_MS, random);
    labels.push(leak.label);
    draws.push(...leak.draws);
    from = leak.label.end + random.between(5, 20) * 24 * HOUR_MS;
  }
  return { labels, draws };
};
