// Plant and habits that run without a pause for hours and are no leak: the hard cases of the benchmark.

import type { Random } from '../random.ts';
import { DAY_MS, type Draw, HOUR_MS, type Label, type TrickleKind } from './labelled.ts';

interface Span {
  readonly start: number;
  readonly days: number;
}

export interface Trickling {
  readonly labels: readonly Label<TrickleKind>[];
  readonly draws: readonly Draw[];
}

/** Runs all day in dry weather and rests at times; a spell of days or weeks. */
function humidifier({ start, days }: Span, random: Random): Trickling {
  const gph = random.between(0.3, 1.2);
  const from = start + random.between(0, days * 0.7) * DAY_MS;
  const to = Math.min(start + days * DAY_MS, from + random.between(5, 30) * DAY_MS);
  const draws: Draw[] = [];
  const rest = random.between(0.3, 2.5);
  for (let at = from; at < to; ) {
    const length = random.between(2, 9) * HOUR_MS;
    draws.push({ start: at, end: Math.min(to, at + length), gph });
    at += length + random.waiting(rest) * HOUR_MS;
  }
  return { labels: [{ kind: 'humidifier', start: from, end: to, gph }], draws };
}

/** An evaporative cooler: late morning to night, on hot days. */
function cooler({ start, days }: Span, random: Random): Trickling {
  const gph = random.between(2, 9);
  const labels: Label<TrickleKind>[] = [];
  const draws: Draw[] = [];
  const offset = random.between(15, 19) * HOUR_MS;
  for (let day = 0; day < days; day++) {
    if (!random.chance(0.6)) continue;
    const from = start + day * DAY_MS + offset + random.between(-1, 1) * HOUR_MS;
    const end = from + random.between(5, 13) * HOUR_MS;
    draws.push({ start: from, end, gph });
    labels.push({ kind: 'cooler', start: from, end, gph });
  }
  return { labels, draws };
}

/** A pool is filled once or twice, and topped up. */
function pool({ start, days }: Span, random: Random): Trickling {
  const labels: Label<TrickleKind>[] = [];
  const draws: Draw[] = [];
  for (let n = random.whole(1, 2); n > 0; n--) {
    const from = start + random.between(0, days - 2) * DAY_MS;
    const end = from + random.between(3, 18) * HOUR_MS;
    const gph = random.between(200, 500);
    draws.push({ start: from, end, gph });
    labels.push({ kind: 'pool', start: from, end, gph });
  }
  return { labels, draws };
}

/** A tray of ice every hour and a half, while ice is wanted. */
export function iceMaker({ start, days }: Span, random: Random): Draw[] {
  const draws: Draw[] = [];
  for (let at = start; at < start + days * DAY_MS; at += random.between(1.2, 2) * HOUR_MS) {
    if (random.chance(0.4)) draws.push({ start: at, end: at + 20_000, gph: 12 });
  }
  return draws;
}

/** Reverse osmosis: the tank fills for an hour or two after it was drawn from. */
export function reverseOsmosis({ start, days }: Span, random: Random): Draw[] {
  const draws: Draw[] = [];
  const gph = random.between(1.5, 4);
  for (let at = start; at < start + days * DAY_MS; at += random.between(5, 16) * HOUR_MS) {
    draws.push({ start: at, end: at + random.between(0.4, 2.2) * HOUR_MS, gph });
  }
  return draws;
}

/** Drip lines of a garden: hours at a low flow, every few days at the same time. */
export function dripLine({ start, days }: Span, random: Random): Draw[] {
  const draws: Draw[] = [];
  const gph = random.between(10, 70);
  const every = random.whole(1, 4);
  const begin = random.between(0, 24) * HOUR_MS;
  const length = random.between(0.7, 4) * HOUR_MS;
  for (let day = random.whole(0, 12); day < days; day += every) {
    const from = start + day * DAY_MS + begin;
    draws.push({ start: from, end: from + length, gph });
  }
  return draws;
}

/** A hose or sprinkler on the lawn, by hand, forgotten for a while now and then. */
export function hose({ start, days }: Span, random: Random): Draw[] {
  const draws: Draw[] = [];
  for (let n = random.times(days / 20); n > 0; n--) {
    const from = start + random.whole(0, days - 1) * DAY_MS + random.between(13, 26) * HOUR_MS;
    const length = Math.min(5, random.waiting(0.4) + 0.1) * HOUR_MS;
    draws.push({ start: from, end: from + length, gph: random.between(80, 420) });
  }
  return draws;
}

const MAKERS: Readonly<Record<TrickleKind, (span: Span, random: Random) => Trickling>> = {
  humidifier,
  cooler,
  pool,
};

/** Each kind in the given share of homes. */
export function tricklesOf(
  span: Span,
  shares: Readonly<Record<TrickleKind, number>>,
  random: Random,
): Trickling {
  const labels: Label<TrickleKind>[] = [];
  const draws: Draw[] = [];
  for (const kind of ['humidifier', 'cooler', 'pool'] as const) {
    if (!random.chance(shares[kind])) continue;
    const one = MAKERS[kind](span, random);
    labels.push(...one.labels);
    draws.push(...one.draws);
  }
  return { labels, draws };
}
