// The water that has passed into a house at any instant: exact, never falling, made day by day from a seed.

import { DayFlow, type Flow, UNITS_PER_GALLON, unitsPerMs } from './flow.ts';
import { usesOfDay } from './habits.ts';
import { type Home, type HomeOptions, settleIn } from './home.ts';

const DAY_MS = 86_400_000;

/** Days whose flow is kept ready; older ones are made anew from the seed when somebody asks. */
const DAYS_KEPT = 3;

export interface HouseholdOptions extends Omit<HomeOptions, 'seed'> {
  readonly seed: string | number;
  /** Instant (epoch ms) at which `gallonsAt` is 0. */
  readonly start: number;
  /** Homes behind the one meter, each with its own people; default 1. */
  readonly homes?: number;
  /** A steady leak, from `start` on, in US gallons an hour. */
  readonly leakGalPerHour?: number;
  /** Local time is UTC plus so many hours; default -6. */
  readonly utcOffsetHours?: number;
}

/** Water that somebody lets run by hand, from `from` to `to` (epoch ms; Infinity while it runs), in gallons a minute. */
interface Tap {
  readonly from: number;
  to: number;
  readonly gpm: number;
}

/**
 * The volume drawn by one house (or several homes behind one meter). Pure but for taps that are opened by hand: the same
 * options give the same water.
 */
export class Household {
  readonly start: number;
  readonly #homes: readonly Home[];
  readonly #leak: number;
  readonly #offset: number;
  readonly #firstDay: number;
  /** Units before the k-th day since `#firstDay`: eight bytes a day is all that the past costs. */
  readonly #before: number[] = [0];
  readonly #days = new Map<number, DayFlow>();
  readonly #atStart: number;
  readonly #taps: Tap[] = [];
  #today: DayFlow;

  constructor(options: HouseholdOptions) {
    const { seed, start, homes = 1, leakGalPerHour = 0, utcOffsetHours = -6, ...rest } = options;
    this.start = start;
    this.#homes = Array.from({ length: homes }, (_, i) =>
      settleIn({ ...rest, seed: `${seed}/${i}` }),
    );
    this.#leak = unitsPerMs(leakGalPerHour / 60);
    this.#offset = utcOffsetHours * 3_600_000;
    this.#firstDay = this.#dayOf(start);
    this.#today = this.#flowOf(this.#firstDay);
    this.#atStart = this.#today.unitsAt(start);
  }

  /** People behind the meter. */
  get people(): number {
    return this.#homes.reduce((sum, home) => sum + home.people.length, 0);
  }

  /** US gallons drawn from `start` to `at` (epoch ms); 0 before `start`. Never falls as `at` grows. */
  gallonsAt(at: number): number {
    if (at <= this.start) return 0;
    if (at < this.#today.from || at >= this.#today.to) this.#today = this.#flowOf(this.#dayOf(at));
    const drawn = (this.#today.before + this.#today.unitsAt(at) - this.#atStart) / UNITS_PER_GALLON;
    return this.#taps.length === 0 ? drawn : drawn + this.#byHand(at);
  }

  /** A tap that runs from `at` on; `at` is now or later, for what has passed has been read. */
  openTap(at: number, gpm: number): void {
    this.closeTap(at);
    this.#taps.push({ from: at, to: Number.POSITIVE_INFINITY, gpm });
  }

  /** Closes the tap that runs, if one does. */
  closeTap(at: number): void {
    const last = this.#taps.at(-1);
    if (last) last.to = Math.min(last.to, at);
  }

  #byHand(at: number): number {
    return this.#taps.reduce(
      (sum, { from, to, gpm }) => sum + (gpm * Math.max(0, Math.min(at, to) - from)) / 60_000,
      0,
    );
  }

  #dayOf(at: number): number {
    return Math.floor((at + this.#offset) / DAY_MS);
  }

  #flowOf(day: number): DayFlow {
    const kept = this.#days.get(day);
    if (kept) return kept;
    for (let k = this.#before.length; k <= day - this.#firstDay; k++) {
      const earlier = this.#flowOf(this.#firstDay + k - 1);
      this.#before[k] = earlier.before + earlier.total;
    }
    const flow = this.#make(day);
    this.#days.set(day, flow);
    for (const oldest of this.#days.keys()) {
      if (this.#days.size <= DAYS_KEPT) break;
      this.#days.delete(oldest);
    }
    return flow;
  }

  #make(day: number): DayFlow {
    const from = day * DAY_MS - this.#offset;
    const flows: Flow[] = [];
    for (const home of this.#homes) {
      for (const use of usesOfDay(home, day)) {
        const start = from + Math.round(use.start * 1000);
        const end = Math.min(start + Math.round(use.seconds * 1000), from + DAY_MS);
        flows.push({ start, end, rate: unitsPerMs(use.gpm) });
      }
    }
    const before = this.#before[day - this.#firstDay] ?? 0;
    return new DayFlow(from, from + DAY_MS, before, this.#leak, flows);
  }
}
