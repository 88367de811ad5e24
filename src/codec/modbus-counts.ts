// A total held in Modbus words to counts of the dial: exact arithmetic, so that no bill is ever rounded in silence.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { Sends } from '../domain/profile.ts';
import type { Counts, Dial } from '../domain/units.ts';
import type { HeldNumber } from './modbus-words.ts';

/**
 * Below this no totalizer resolves anything: a total of 10^-12 units is one whose bytes come in another order, and would
 * pass as a dial at zero.
 */
const LEAST_POW2 = -40;

/**
 * The counts that a total of `held` x 10^`pow10` units shows on `dial`, whose unit is the same: those it has passed
 * (floor), exactly. Only a float may show the next one: when that is the nearest, and less than one step of the float
 * above it, so that the float's own rounding has put it just below a count it was meant to be (0.545 m3 comes as
 * 0.54499996, one step too low, from a device that cuts off; encoders 3.8).
 *
 * `register.precision`: a negative total, one whose smallest step is more than a count (a float so big that it skips
 * counts), or one too small to be a volume. `register.digits`: beyond the dial's capacity.
 */
export function countsOf(
  held: HeldNumber,
  pow10: number,
  dial: Pick<Dial, 'digits' | 'pow10'>,
  sends: Sends,
): Result<Counts> {
  if (held.steps < 0n) return faulty('register.precision', 'a negative total');
  if (held.rounded && held.steps !== 0n && magnitude(held) < LEAST_POW2) {
    return faulty('register.precision', 'too small for a volume: another byte order?');
  }
  // One step is step/count counts; both are whole.
  const tens = held.pow10 + pow10 - dial.pow10;
  const step = power(2n, held.pow2) * power(10n, tens);
  const count = power(2n, -held.pow2) * power(10n, -tens);
  if (step > count) {
    return faulty('register.precision', 'the total moves in steps of more than one count');
  }
  const passed = (held.steps * step) / count;
  const short = (passed + 1n) * count - held.steps * step;
  const counts = held.rounded && short < step && 2n * short < count ? passed + 1n : passed;
  const turn = 10n ** BigInt(dial.digits);
  if (counts >= turn && sends !== 'right-most') {
    return faulty('register.digits', `${counts} does not fit a dial of ${dial.digits} digits`);
  }
  return good(Number(counts % turn));
}

/** The number is below 2^(magnitude + 1). */
function magnitude({ steps, pow2 }: HeldNumber): number {
  return steps.toString(2).length - 1 + pow2;
}

/** `base` to a power that is not negative; 1 for one that is. */
function power(base: bigint, exponent: number): bigint {
  return exponent > 0 ? base ** BigInt(exponent) : 1n;
}
