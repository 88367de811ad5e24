// Who lives behind a meter and what never changes there from day to day.

import { Random } from './random.ts';

const HOUR = 3600;
const MINUTE = 60;

/** One of the people; times in seconds from local midnight. */
export interface Person {
  readonly works: boolean;
  readonly wakes: number;
  readonly sleeps: number;
  readonly leaves: number;
  readonly returns: number;
}

/** What does not change from day to day. */
export interface Home {
  readonly seed: string;
  readonly people: readonly Person[];
  readonly gallonsPerFlush: number;
  readonly showerGpm: number;
  readonly efficientWasher: boolean;
  readonly dishwasher: boolean;
  readonly vacations: boolean;
  /** Absent: no irrigation. Hours of the local day, gallons a minute. */
  readonly irrigation?: Irrigation;
  /** Absent: no softener. It regenerates every `everyDays` in the night. */
  readonly softener?: {
    readonly everyDays: number;
    readonly phase: number;
    readonly start: number;
  };
  readonly runningToiletPerDay: number;
}

/** A timer: from `start` one zone after the other for `minutes`, at `gpm`. */
export interface Irrigation {
  readonly start: number;
  readonly zones: number;
  readonly minutes: number;
  readonly gpm: number;
  readonly everyDays: number;
}

/** What may be said about a home; everything left out is drawn from the seed. */
export interface HomeOptions {
  readonly seed: string;
  readonly people?: number;
  readonly irrigation?: boolean;
  readonly softener?: boolean;
  readonly vacations?: boolean;
  /** How often a day a toilet's flapper sticks and water runs for hours. */
  readonly runningToiletPerDay?: number;
}

/** Shares of homes with 1, 2, ... 6 people; the mean is 2.5, near the 2.6 of US homes. */
const SIZES = [0.27, 0.34, 0.16, 0.13, 0.07, 0.03];

function householdSize(random: Random): number {
  let left = random.next();
  for (const [i, share] of SIZES.entries()) {
    left -= share;
    if (left < 0) return i + 1;
  }
  return 2;
}

function person(random: Random, first: boolean): Person {
  const wakes = random.around(6.4, 0.6, 4.8, 8) * HOUR;
  const leaves = wakes + random.around(1.2, 0.3, 0.6, 2) * HOUR;
  return {
    works: random.chance(first ? 0.72 : 0.62),
    wakes,
    sleeps: random.around(22.6, 0.6, 20.5, 23.7) * HOUR,
    leaves,
    returns: leaves + random.around(9.2, 1, 6.5, 11.5) * HOUR,
  };
}

function irrigation(random: Random): Irrigation {
  return {
    start: random.whole(16, 24) * 15 * MINUTE,
    zones: random.whole(3, 6),
    minutes: random.whole(8, 15),
    gpm: random.between(5, 10),
    everyDays: random.whole(2, 3),
  };
}

/** The home behind a seed: 37 % of toilets under 2 gallons a flush, 46 % efficient washers (leaks.md A4). */
export function settleIn(options: HomeOptions): Home {
  const random = new Random(`home ${options.seed}`);
  const drawn = householdSize(random);
  const people = Array.from({ length: options.people ?? drawn }, (_, i) => person(random, i === 0));
  const thrifty = random.chance(0.37);
  const waters = random.chance(0.25);
  const softens = random.chance(0.15);
  const sprinklers = irrigation(random);
  const everyDays = random.whole(3, 6);
  const softener = {
    everyDays,
    phase: random.whole(0, everyDays - 1),
    start: random.between(1.5, 3) * HOUR,
  };
  return {
    seed: options.seed,
    people,
    gallonsPerFlush: thrifty ? random.between(1.28, 1.8) : random.between(2.2, 3.6),
    showerGpm: random.between(1.6, 2.6),
    efficientWasher: random.chance(0.46),
    dishwasher: random.chance(0.65),
    vacations: options.vacations ?? true,
    runningToiletPerDay: options.runningToiletPerDay ?? 0,
    ...((options.irrigation ?? waters) ? { irrigation: sprinklers } : {}),
    ...((options.softener ?? softens) ? { softener } : {}),
  };
}

/** Longest time away, in days; also how far back a day must look to know whether its people are away. */
const LONGEST_VACATION = 14;

/** True when nobody sleeps at home on local day `day`. Each day is decided by itself, so any day can be asked for. */
export function onVacation(home: Home, day: number): boolean {
  if (!home.vacations) return false;
  for (let left = day; left > day - LONGEST_VACATION; left--) {
    const random = new Random(`vacation ${home.seed} ${left}`);
    // About three times in 400 days.
    if (random.chance(1 / 130) && left + random.whole(2, LONGEST_VACATION) > day) return true;
  }
  return false;
}
