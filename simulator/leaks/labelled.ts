// A home whose leaks and harmless trickles are known: what the benchmark of the detectors is held against.

import type { Random } from '../random.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A flow of `gph` US gallons an hour from `start` to `end` (epoch ms). */
export interface Draw {
  readonly start: number;
  readonly end: number;
  readonly gph: number;
}

export const LEAK_KINDS = ['drip', 'steady', 'toilet', 'refill', 'stuck', 'burst'] as const;
export type LeakKind = (typeof LEAK_KINDS)[number];

/** Water that runs by plan and is no leak, though it looks like one for a while. */
export const TRICKLE_KINDS = ['humidifier', 'cooler', 'pool'] as const;
export type TrickleKind = (typeof TRICKLE_KINDS)[number];

/** `gph` is the mean flow in US gallons an hour between `start` and `end` (epoch ms). */
export interface Label<Kind extends string> {
  readonly kind: Kind;
  readonly start: number;
  readonly end: number;
  readonly gph: number;
}

export interface LabelledHome {
  readonly name: string;
  readonly start: number;
  readonly days: number;
  readonly draws: readonly Draw[];
  readonly leaks: readonly Label<LeakKind>[];
  readonly trickles: readonly Label<TrickleKind>[];
}

/** A reading of the dial: unwrapped counts. */
export interface LabelledReading {
  readonly at: number;
  readonly count: number;
}

export interface Reader {
  readonly pollMs: number;
  /** US gallons in one count. */
  readonly gallonsPerCount: number;
  /** A reading comes at most so late. */
  readonly lateMs: number;
  /** Share of polls that fail. */
  readonly missed: number;
}

/** The readings of a home, in order. Consumes `random`. */
export function readings(home: LabelledHome, how: Reader, random: Random): LabelledReading[] {
  const meter = new Totaliser(home.draws, home.start);
  const out: LabelledReading[] = [];
  const phase = random.next();
  const end = home.start + home.days * DAY_MS;
  for (let due = home.start; due < end; due += how.pollMs) {
    const at = due + Math.round(random.next() * how.lateMs);
    if (random.chance(how.missed)) continue;
    const count = Math.floor(phase + meter.gallonsAt(at) / how.gallonsPerCount);
    out.push({ at, count });
  }
  return out;
}

/** Sums draws up to instants asked for in order. */
class Totaliser {
  readonly #edges: { readonly at: number; readonly change: number }[];
  #next = 0;
  #at: number;
  #gph = 0;
  #gallons = 0;

  constructor(draws: readonly Draw[], start: number) {
    this.#at = start;
    this.#edges = draws.flatMap(({ start: from, end, gph }) => [
      { at: Math.max(start, from), change: gph },
      { at: Math.max(start, end), change: -gph },
    ]);
    this.#edges.sort((a, b) => a.at - b.at);
  }

  gallonsAt(at: number): number {
    for (
      let edge = this.#edges[this.#next];
      edge !== undefined && edge.at <= at;
      edge = this.#edges[++this.#next]
    ) {
      this.#run(edge.at);
      this.#gph += edge.change;
    }
    this.#run(at);
    return this.#gallons;
  }

  #run(to: number): void {
    // Rounding of many sums must not let the water run back.
    this.#gallons += Math.max(0, (this.#gph * (to - this.#at)) / HOUR_MS);
    this.#at = to;
  }
}
