// Thresholds as a person types them, and the whole counts by which they are held.

import { GALLONS, gallonsPerCount, type Resolution } from '../leaks/rates.ts';
import type { Counts, VolumeUnit } from '../units.ts';

/** A volume as typed. */
export interface Amount {
  readonly amount: number;
  readonly unit: VolumeUnit;
}

export interface Threshold {
  /** At least 1. */
  readonly counts: Counts;
  /** The dial cannot show the typed amount; the next whole count above stands for it. */
  readonly rounded: boolean;
}

/** Conversions are exact to so much of the amount; what lies closer to a whole count is that count. */
const EXACT = 1e-9;

/** Counts of the dial that reach the amount, rounded up to a whole count. */
export function thresholdOf({ amount, unit }: Amount, dial: Resolution): Threshold {
  // Powers of ten of one unit are divided rather than multiplied, so that 10 ft3 are 100 counts of 0.1.
  const exact =
    unit === dial.unit
      ? amount / 10 ** dial.pow10
      : (amount * GALLONS[unit]) / gallonsPerCount(dial);
  const near = Math.round(exact);
  const whole = Math.abs(exact - near) <= EXACT * Math.max(1, near);
  const counts = Math.max(1, whole ? near : Math.ceil(exact));
  return { counts, rounded: Math.abs(counts - exact) > EXACT * counts };
}
