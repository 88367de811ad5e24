// Counts what happens on one bus: by meter since the start and by the hour, and how long the wire was in use. All of it bounded.

import type { Clock } from '../boundaries.ts';
import {
  type BusSeen,
  type BusSummary,
  type MeterSeen,
  NONE_SEEN,
  SEEN_KEYS,
  type SeenCounts,
  type SeenEnd,
  type SeenKey,
  seenAs,
} from '../domain/bus-seen.ts';
import type { Fault, Result } from '../domain/fault.ts';
import { atShare, Latencies } from './latencies.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Hours that are counted apart: the day, and the hour that is running. */
const HOURS = 25;
/** Minutes whose use of the wire is kept: the hour, and the minute that is running. */
const MINUTES = 61;
/** Ends of questions kept of each meter: enough to tell chance from a fault, few enough to follow a repair at once. */
const RECENT = 16;
/** Words of a fault come from devices too. */
const WORDS_MAX = 200;

/** Counts in a ring of periods of the wire's time; a period that came round again begins at zero. */
class Periods {
  readonly #counts: Float64Array;
  readonly #numbers: number[];
  readonly #width: number;
  readonly #periodMs: number;

  constructor(periods: number, width: number, periodMs: number) {
    this.#counts = new Float64Array(periods * width);
    this.#numbers = new Array<number>(periods).fill(-1);
    this.#width = width;
    this.#periodMs = periodMs;
  }

  add(now: number, column: number, amount: number): void {
    const number = Math.floor(now / this.#periodMs);
    const slot = number % this.#numbers.length;
    if (this.#numbers[slot] !== number) {
      this.#numbers[slot] = number;
      this.#counts.fill(0, slot * this.#width, (slot + 1) * this.#width);
    }
    const at = slot * this.#width + column;
    this.#counts[at] = (this.#counts[at] ?? 0) + amount;
  }

  /** Sum of a column over every period of the ring that ends after `now` less its length. */
  sum(now: number, column: number): number {
    const oldest = Math.floor(now / this.#periodMs) - this.#numbers.length + 1;
    return this.#numbers.reduce(
      (sum, number, slot) =>
        number < oldest ? sum : sum + (this.#counts[slot * this.#width + column] ?? 0),
      0,
    );
  }
}

const COLUMN = Object.fromEntries(SEEN_KEYS.map((key, column) => [key, column])) as Record<
  SeenKey,
  number
>;

class MeterTally {
  readonly latencies = new Latencies();
  readonly recent: SeenEnd[] = [];
  latestMs: number | null = null;
  strangerId: string | null = null;
  lastFault: string | null = null;
  readonly #total = new Float64Array(SEEN_KEYS.length);
  readonly #hours = new Periods(HOURS, SEEN_KEYS.length, HOUR_MS);

  count(key: SeenKey, now: number): void {
    const column = COLUMN[key];
    this.#total[column] = (this.#total[column] ?? 0) + 1;
    this.#hours.add(now, column, 1);
  }

  ended(end: SeenEnd, now: number): void {
    this.count(end, now);
    this.recent.push(end);
    if (this.recent.length > RECENT) this.recent.shift();
  }

  /** How often so far. */
  total(column: number): number {
    return this.#total[column] ?? 0;
  }

  seen(meter: string, now: number): MeterSeen {
    const { latencies, recent, latestMs, strangerId, lastFault } = this;
    const total = this.#total.slice();
    const hours = this.#hours;
    // Worked out when looked at, for nearly nobody looks at all of it.
    return {
      ...{ meter, recent: [...recent], latestMs, strangerId, lastFault },
      get total() {
        return countsBy((column) => total[column] ?? 0);
      },
      get p50Ms() {
        return latencies.atShare(0.5);
      },
      get p95Ms() {
        return latencies.atShare(0.95);
      },
      get day() {
        return countsBy((column) => hours.sum(now, column));
      },
    };
  }
}

/** What a link hears beside the answers to its questions. */
export interface StrayEar {
  /** An answer of `unit` came so long after its question, which had been given up. */
  late(unit: number, afterMs: number): void;
  /** An answer of `unit` came that nobody had asked for. */
  unasked(unit: number): void;
}

const BUSY = 0;
const READS = 1;

/** The counts of one bus. `clock` is the wire's. */
export class BusTally implements StrayEar {
  readonly #clock: Clock;
  readonly #began: number;
  readonly #atOnce: number;
  readonly #meters = new Map<string, MeterTally>();
  /** The meter of each unit that was asked last; at most 247. */
  readonly #units = new Map<number, string>();
  readonly #minutes = new Periods(MINUTES, 2, MINUTE_MS);
  /** The latencies of all meters, rising; null when one of them has changed since. */
  #sorted: Float64Array | null = null;

  /** `atOnce`: how many reads may share the wire. */
  constructor(clock: Clock, atOnce = 1) {
    this.#clock = clock;
    this.#began = clock.monotonicMs();
    this.#atOnce = atOnce;
  }

  /** `meter` is about to be asked through `unit`. */
  asks(meter: string, unit: number): void {
    this.#units.set(unit, meter);
  }

  /** A question to `meter` was put and ended so, `tookMs` after it was written; `second` when it is asked again at once. */
  ended(meter: string, outcome: Result<unknown>, tookMs: number, second: boolean): void {
    const end = outcome.ok ? 'ok' : seenAs(outcome.fault);
    if (end === undefined) return;
    const now = this.#clock.monotonicMs();
    const tally = this.#tallyOf(meter);
    tally.count('polls', now);
    if (second) tally.count('second', now);
    tally.ended(end, now);
    if (!outcome.ok) notice(tally, outcome.fault);
    else if (tally.latencies.took(tookMs)) this.#sorted = null;
  }

  /** A read held the wire for so long. One that the link kept away did not. */
  used(outcome: Result<unknown>, ms: number): void {
    if (!outcome.ok && seenAs(outcome.fault) === undefined) return;
    const now = this.#clock.monotonicMs();
    this.#minutes.add(now, BUSY, ms);
    this.#minutes.add(now, READS, 1);
  }

  /** An answer of `meter` came too late and was refused. */
  lateOf(meter: string, afterMs: number): void {
    const tally = this.#tallyOf(meter);
    tally.latestMs = Math.max(tally.latestMs ?? 0, afterMs);
    tally.ended('late', this.#clock.monotonicMs());
  }

  late(unit: number, afterMs: number): void {
    const meter = this.#units.get(unit);
    if (meter !== undefined) this.lateOf(meter, afterMs);
  }

  unasked(unit: number): void {
    const meter = this.#units.get(unit);
    if (meter !== undefined) this.#tallyOf(meter).ended('unasked', this.#clock.monotonicMs());
  }

  /** What health tells of a bus, every quarter of an hour. */
  summary(): BusSummary {
    const meters = [...this.#meters.values()];
    const sorted = this.#latencies();
    return {
      total: countsBy((column) => meters.reduce((sum, tally) => sum + tally.total(column), 0)),
      p50Ms: atShare(sorted, 0.5),
      p95Ms: atShare(sorted, 0.95),
    };
  }

  seen(): BusSeen {
    const now = this.#clock.monotonicMs();
    const spanMs = Math.min(HOUR_MS, Math.max(MINUTE_MS, now - this.#began));
    const reads = this.#minutes.sum(now, READS);
    const busy = this.#minutes.sum(now, BUSY);
    const utilisation = Math.min(1, busy / (spanMs * this.#atOnce));
    const readMs = reads === 0 ? null : busy / reads;
    const sorted = this.#latencies();
    return {
      meters: [...this.#meters].map(([meter, tally]) => tally.seen(meter, now)),
      ...{ utilisation, readMs },
      headroomPerMin:
        readMs === null || readMs <= 0
          ? null
          : ((1 - utilisation) * this.#atOnce * MINUTE_MS) / readMs,
      p50Ms: atShare(sorted, 0.5),
      p95Ms: atShare(sorted, 0.95),
    };
  }

  /** Of the last good answers of all meters, rising. */
  #latencies(): Float64Array {
    if (this.#sorted) return this.#sorted;
    const all: number[] = [];
    for (const { latencies } of this.#meters.values()) all.push(...latencies.all());
    this.#sorted = Float64Array.from(all).sort();
    return this.#sorted;
  }

  #tallyOf(meter: string): MeterTally {
    const tally = this.#meters.get(meter) ?? new MeterTally();
    this.#meters.set(meter, tally);
    return tally;
  }
}

function notice(tally: MeterTally, { code, detail, id }: Fault): void {
  tally.lastFault = `${code}: ${detail}`.slice(0, WORDS_MAX);
  if (code === 'frame.wrong_id') tally.strangerId = id?.slice(0, WORDS_MAX) ?? null;
}

function countsBy(count: (column: number) => number): SeenCounts {
  // One shape for all of them: it is filled, not grown.
  const counts = { ...NONE_SEEN };
  for (let column = 0; column < SEEN_KEYS.length; column += 1) {
    counts[SEEN_KEYS[column] as SeenKey] = count(column);
  }
  return counts;
}
