// Dials and volumes as a person reads them; counts become volume here and nowhere before.

import type { Dial } from './entries.ts';

/** Gallons in a cubic foot, as the city's rate sheets give it. */
const GALLONS_PER_FT3 = 7.48052;

/** The dial as it looks: every digit, the decimal point or the multiplier printed beside it, the unit. */
export function dialText(register: number, { digits, unit, pow10 }: Dial): string {
  const figures = String(register).padStart(digits, '0');
  if (pow10 < 0) return `${figures.slice(0, pow10)}.${figures.slice(pow10)} ${unit}`;
  return pow10 === 0 ? `${figures} ${unit}` : `${figures} x${10 ** pow10} ${unit}`;
}

/** A volume in the unit of the dial, to the last count. */
export function volumeText(counts: number, { unit, pow10 }: Dial): string {
  return `${(counts * 10 ** pow10).toFixed(Math.max(0, -pow10))} ${unit}`;
}

/** The same volume in gallons, to a person's precision; empty for a dial that is not in cubic feet. */
export function gallonsText(counts: number, { unit, pow10 }: Dial): string {
  if (unit !== 'ft3') return '';
  const gallons = counts * 10 ** pow10 * GALLONS_PER_FT3;
  return `${gallons.toFixed(Math.abs(gallons) < 10 ? 1 : 0)} gal`;
}

/** Cubic feet in so many counts, to add up dials of different resolution; undefined for another unit. */
export function cubicFeet(counts: number, { unit, pow10 }: Dial): number | undefined {
  return unit === 'ft3' ? counts * 10 ** pow10 : undefined;
}
