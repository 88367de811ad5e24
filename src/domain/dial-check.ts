// Whether a dial read by eye agrees with what its encoder said; where it does not, what was mistaken is named.

import { type Counts, capacity, modulo } from './units.ts';

/**
 * `match`: the same number. `moved`: the water that may have run since the eye explains the difference. `ignored_digit_match`:
 * the dial shows one digit more than its encoder sends. `scale`: the same digits, ten, a hundred or more times apart.
 * `off_by_digit`: one digit was mistyped, left out, typed twice or exchanged with its neighbour. `wrong_meter`: it is what
 * another meter shows. `mismatch`: none of these.
 */
export type DialVerdict =
  | 'match'
  | 'moved'
  | 'ignored_digit_match'
  | 'scale'
  | 'off_by_digit'
  | 'wrong_meter'
  | 'mismatch';

/** A register as an encoder told it, and how far its dial may have moved between eye and encoder. */
export interface ToldRegister {
  readonly register: Counts;
  readonly digits: number;
  readonly movable: Counts;
}

/** What another meter showed when it was read last, and how far its dial may have moved from then until the eye. */
export interface OtherRegister extends ToldRegister {
  readonly meter: string;
}

/** What came of a comparison. `difference`: the encoder's counts less the dial's, signed, on the shorter way round the dial. */
export interface DialComparison {
  readonly verdict: DialVerdict;
  readonly difference: Counts;
  /** The digit that the encoder does not send; the last one of the dial. */
  readonly ignoredDigit?: string;
  /** How many times the register the dial shows: 10, 100, 0.1 .. */
  readonly factor?: number;
  /** Place of the wrong digit, from 1 at the left. */
  readonly place?: number;
  /** Meters that show what was typed. */
  readonly others?: readonly string[];
}

/** More digits than any dial has, and fewer than an exact integer. */
const TYPED_MAX = 15;
/** Ten times, a hundred times .. are what a wrong resolution makes of a dial. */
const FACTORS = [10, 100, 1000, 10_000];
/** With fewer digits than two, anything is ten times something. */
const TELLING_MIN = 10;
/** When other meters show any number that is typed more often than this, that one does says little. */
const CHANCE_MAX = 0.02;

/** The digits typed, without spaces and points between them; null for what is no dial. Nothing is not zero. */
export function typedDigits(typed: unknown): string | null {
  if (typeof typed !== 'string') return null;
  const digits = typed.replace(/(?<=\d)[ .,'](?=\d)/g, '').trim();
  return /^\d+$/.test(digits) && digits.length <= TYPED_MAX ? digits : null;
}

/** Compares `typed` (digits as from `typedDigits`) with what the encoder said, and with what others of the collector show. */
export function compareDial(
  typed: string,
  told: ToldRegister,
  others: readonly OtherRegister[],
): DialComparison {
  const plain = plainComparison(typed, told);
  if (plain) return plain;
  const difference = differenceOf(Number(typed), told);
  const elsewhere = others.filter((other) => plainComparison(typed, furthest(other)) !== null);
  const wrongMeter: DialComparison | null =
    elsewhere.length > 0
      ? { verdict: 'wrong_meter', difference, others: elsewhere.map(({ meter }) => meter) }
      : null;
  // What few others could show by chance is no chance.
  if (wrongMeter && chanceOf(others) <= CHANCE_MAX) return wrongMeter;
  const mistaken = scaled(typed, told) ?? offByDigit(typed, told);
  return mistaken ?? wrongMeter ?? { verdict: 'mismatch', difference };
}

/** Match, moved or one digit more than is sent; null for anything else. */
function plainComparison(typed: string, told: ToldRegister): DialComparison | null {
  if (Number(typed) < capacity(told)) {
    const difference = differenceOf(Number(typed), told);
    if (isWithin(difference, told)) {
      return { verdict: difference === 0 ? 'match' : 'moved', difference };
    }
  }
  if (typed.length !== told.digits + 1) return null;
  const difference = differenceOf(Number(typed.slice(0, -1)), told);
  if (!isWithin(difference, told)) return null;
  return { verdict: 'ignored_digit_match', difference, ignoredDigit: typed.slice(-1) };
}

/** An earlier register as if it were told now, gone as far as it may have. */
function furthest({ register, digits, movable }: OtherRegister): ToldRegister {
  const most = modulo(register + movable, capacity({ digits }));
  return { register: most, digits, movable: movable + 1 };
}

/** Encoder less dial, on the shorter way round. */
function differenceOf(typed: Counts, { register, digits }: ToldRegister): Counts {
  const turn = capacity({ digits });
  const forward = modulo(register - typed, turn);
  return forward > turn / 2 ? forward - turn : forward;
}

/** The dial may have gone on since the eye, and rocked back by a count. */
const isWithin = (difference: Counts, { movable }: ToldRegister) =>
  difference >= -1 && difference <= movable;

function scaled(typed: string, told: ToldRegister): DialComparison | null {
  const counts = Number(typed);
  const { register, movable } = told;
  if (Math.min(counts, register) < TELLING_MIN) return null;
  for (const by of FACTORS) {
    const finer = Math.floor(counts / by);
    if (finer < capacity(told) && isWithin(differenceOf(finer, told), told)) {
      return { verdict: 'scale', difference: register - counts, factor: by };
    }
    const [least, most] = [Math.floor((register - movable) / by), Math.floor((register + 1) / by)];
    if (counts >= least && counts <= most) {
      return { verdict: 'scale', difference: register - counts, factor: 1 / by };
    }
  }
  return null;
}

/** The nearest correction of one slip of the fingers that makes it agree. */
function offByDigit(typed: string, told: ToldRegister): DialComparison | null {
  let best: { readonly place: number; readonly off: number } | null = null;
  for (const [place, corrected] of corrections(typed, told.digits)) {
    const difference = differenceOf(Number(corrected), told);
    if (!isWithin(difference, told)) continue;
    if (best === null || Math.abs(difference) < best.off) {
      best = { place, off: Math.abs(difference) };
    }
  }
  if (best === null) return null;
  const difference = differenceOf(Number(typed), told);
  return { verdict: 'off_by_digit', difference, place: best.place };
}

/** What may have been meant, by the place of the slip: another digit, two exchanged, one left out, one too many. */
function* corrections(typed: string, digits: number): Generator<readonly [number, string]> {
  // Zeros before the number are typed or not.
  const whole = typed.padStart(digits, '0');
  for (let i = 0; i < whole.length && whole.length === digits; i += 1) {
    const [before, at, after] = cutAt(whole, i);
    for (const digit of DIGITS) yield [i + 1, before + digit + after];
    if (after !== '') yield [i + 1, before + after.slice(0, 1) + at + after.slice(1)];
  }
  for (let i = 0; i <= typed.length; i += 1) {
    const [before, at, after] = cutAt(typed, i);
    if (at !== '' && typed.length <= digits + 1) yield [i + 1, before + after];
    if (typed.length >= digits) continue;
    for (const digit of DIGITS) yield [i + 1, before + digit + at + after];
  }
}

const DIGITS = '0123456789';

const cutAt = (text: string, i: number) =>
  [text.slice(0, i), text.slice(i, i + 1), text.slice(i + 1)] as const;

/** How likely any number that is typed agrees with one of these. */
function chanceOf(others: readonly OtherRegister[]): number {
  return others.reduce((sum, one) => sum + Math.min(1, (one.movable + 2) / capacity(one)), 0);
}
