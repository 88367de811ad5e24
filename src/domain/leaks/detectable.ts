// What a meter can show of leaks at all: the smallest one, and after how many hours (contract S3).

import type { Dial, VolumeUnit } from '../units.ts';
import { GALLONS, gallonsPerCount } from './rates.ts';

export interface Detectable {
  /** The smallest leak that can be told from use, in `unit` an hour of the dial. */
  readonly perHour: number;
  readonly unit: VolumeUnit;
  /** Hours until it is found, as a rule. */
  readonly hours: number;
  /** The smallest leak found within a day, in `unit` an hour. */
  readonly perHourInADay: number;
}

/** Below this no household's quiet hours suffice, in gallons an hour. */
const SMALLEST_GPH = 0.25;
/** A leak is told by the spacing of so many of its counts, none further apart than this, in hours. */
const COUNTS = 6;
const COUNT_H = 12.5;
/** Nights in which a drip must show, in hours. */
const NIGHTS_H = 72;
/** Counts of a leak that one night must hold for it to be found within a day, and how long a night is quiet, in hours. */
const NIGHT_COUNTS = 4;
const NIGHT_H = 5;

/** The smallest leak that this dial can show when it is read every `pollS` seconds. */
export function detectable(dial: Dial, pollS: number): Detectable {
  const q = gallonsPerCount(dial);
  const pollH = pollS / 3600;
  const gph = Math.max(SMALLEST_GPH, q / COUNT_H);
  const hours = Math.max(NIGHTS_H, COUNTS * (q / gph + pollH));
  // A poll that is long against the night leaves fewer pauses to look into.
  const night = Math.max(pollH, NIGHT_H - 2 * pollH);
  const inADay = Math.max(gph, (NIGHT_COUNTS * q) / night);
  const inUnit = (gallons: number) => Number((gallons / GALLONS[dial.unit]).toPrecision(2));
  return {
    perHour: inUnit(gph),
    unit: dial.unit,
    hours: Math.ceil(hours),
    perHourInADay: inUnit(inADay),
  };
}
