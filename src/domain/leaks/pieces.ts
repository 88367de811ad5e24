// The last two days in pieces of at least twelve minutes: the quietest stretch in them bounds any leak from above.

import { LENGTHS, PIECES, type Watch } from './state.ts';

/** Shorter polls are put together: a shorter piece cannot tell a rate. */
export const LEAST_PIECE_H = 0.2;
/** Lengths of stretches tried, in pieces: coarse to judge by, fine for a rate as exact as the pieces allow. */
const COARSE = [8, 16, 32] as const;
const FINE = [6, 7, 8, 9, 11, 13, 15, 18, 22, 27, 33, 40, 50, 64] as const;
/** Counts of a leak that a stretch must be able to hold to judge by it. */
const COUNTS_TO_JUDGE = 4;

/** Lengths are kept in units of four seconds: up to three days, which is longer than anything is looked back. */
const UNITS_PER_HOUR = 900;

const hoursOf = ({ words }: Watch, at: number): number =>
  (words[LENGTHS + at] as number) / UNITS_PER_HOUR;

/** Takes one reading in. True when it closed a piece. */
export function cut(watch: Watch, hours: number, counts: number): boolean {
  watch.openHours += hours;
  watch.openCounts += counts;
  if (watch.openHours < LEAST_PIECE_H) return false;
  const at = watch.closed % PIECES;
  watch.words[at] = Math.min(65_535, watch.openCounts);
  watch.words[LENGTHS + at] = Math.min(65_535, Math.round(watch.openHours * UNITS_PER_HOUR));
  watch.closed += 1;
  watch.openCounts = 0;
  watch.openHours = 0;
  return true;
}

export interface Piece {
  readonly hours: number;
  readonly counts: number;
}

/** The `back`-th last closed piece, 1 the newest; null beyond what is kept. */
export function pieceOf(watch: Watch, back: number): Piece | null {
  if (back > watch.closed || back > PIECES) return null;
  const at = (watch.closed - back) % PIECES;
  return { hours: hoursOf(watch, at), counts: watch.words[at] as number };
}

/** How many of the newest pieces lie within the last `span` hours. */
export function piecesWithin(watch: Watch, span: number): number {
  const reach = Math.min(watch.closed, PIECES);
  let hours = 0;
  for (let back = 1; back <= reach; back++) {
    hours += hoursOf(watch, (watch.closed - back) % PIECES);
    if (hours > span) return back - 1;
  }
  return reach;
}

/** The longest of the newest pieces that reach `span` hours back. */
export function longestPiece(watch: Watch, span: number): number {
  let total = 0;
  let longest = 0;
  for (let back = 1; total < span; back++) {
    const piece = pieceOf(watch, back);
    if (!piece) break;
    total += piece.hours;
    longest = Math.max(longest, piece.hours);
  }
  return longest;
}

/**
 * No leak faster than this ran through the last `span` hours: the least (counts + 1) / hours over stretches long enough
 * to hold four counts of a leak of `perHour`, else over the longest. Counts an hour; Infinity when nothing is known.
 */
export function quietest(watch: Watch, span: number, perHour: number): number {
  const [short, middle, long] = COARSE;
  const least = COUNTS_TO_JUDGE / perHour;
  const best = Math.min(
    leastOver(watch, span, short, least),
    leastOver(watch, span, middle, least),
    leastOver(watch, span, long, 0),
  );
  return best === Number.POSITIVE_INFINITY ? over(watch, span) : best;
}

/** The same over stretches of all lengths that last `least` hours or more. */
export function finest(watch: Watch, span: number, least: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const width of FINE) best = Math.min(best, leastOver(watch, span, width, least));
  return best === Number.POSITIVE_INFINITY ? over(watch, span) : best;
}

function leastOver(watch: Watch, span: number, width: number, least: number): number {
  const { words, closed } = watch;
  const reach = Math.min(closed, PIECES);
  let hours = 0;
  let counts = 0;
  let total = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let back = 1; back <= reach && total < span; back++) {
    const at = (closed - back) % PIECES;
    const length = hoursOf(watch, at);
    hours += length;
    counts += words[at] as number;
    total += length;
    if (back > width) {
      const left = (closed - back + width) % PIECES;
      hours -= hoursOf(watch, left);
      counts -= words[left] as number;
    }
    if (back >= width && hours >= least) best = Math.min(best, (counts + 1) / hours);
  }
  return best;
}

function over(watch: Watch, span: number): number {
  let hours = 0;
  let counts = 0;
  for (let back = 1; hours < span; back++) {
    const piece = pieceOf(watch, back);
    if (!piece) break;
    hours += piece.hours;
    counts += piece.counts;
  }
  return hours === 0 ? Number.POSITIVE_INFINITY : (counts + 1) / hours;
}

/** Pieces of a quiet stretch in which the manner of a flow shows. */
const MANNER = 8;

/**
 * Whether the quietest two hours of the last `span` show water in portions: an even flow makes equal pieces differ by one
 * count at most, so a piece without a count beside one with two or more is a tank that refills.
 */
export function inPortions(watch: Watch, span: number): boolean {
  const within = piecesWithin(watch, span);
  let best = Number.POSITIVE_INFINITY;
  let portions = false;
  for (let first = 1; first + MANNER - 1 <= within; first++) {
    let sum = 0;
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    for (let back = first; back < first + MANNER; back++) {
      const { counts, hours } = pieceOf(watch, back) as Piece;
      const even = hours < 2 * LEAST_PIECE_H ? counts : Number.POSITIVE_INFINITY;
      sum += counts;
      least = Math.min(least, even);
      most = Math.max(most, counts);
    }
    if (sum === 0 || sum >= best) continue;
    best = sum;
    portions = least === 0 && most >= 2;
  }
  return portions;
}
