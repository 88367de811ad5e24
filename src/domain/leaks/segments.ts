// The last two days in pieces of at least twelve minutes: the quietest stretch in them bounds any leak from above.

/** Two days and a little at quarter hours. */
const SEGMENTS = 200;
/** Shorter polls are put together: a shorter piece cannot tell a rate. */
const LEAST_H = 0.2;

export interface Segments {
  readonly counts: Uint16Array;
  readonly hours: Float32Array;
  /** Pieces ever closed; the ring's next place is this modulo its size. */
  closed: number;
  openCounts: number;
  openHours: number;
}

export function newSegments(): Segments {
  return {
    counts: new Uint16Array(SEGMENTS),
    hours: new Float32Array(SEGMENTS),
    closed: 0,
    openCounts: 0,
    openHours: 0,
  };
}

/** Takes one reading in. True when it closed a piece. */
export function cut(segments: Segments, hours: number, counts: number): boolean {
  segments.openHours += hours;
  segments.openCounts += counts;
  if (segments.openHours < LEAST_H) return false;
  const at = segments.closed % SEGMENTS;
  segments.counts[at] = Math.min(65_535, segments.openCounts);
  segments.hours[at] = segments.openHours;
  segments.closed += 1;
  segments.openCounts = 0;
  segments.openHours = 0;
  return true;
}

/** The `back`-th last closed piece, 1 the newest; null beyond what is kept. */
export function piece(
  segments: Segments,
  back: number,
): { readonly hours: number; readonly counts: number } | null {
  if (back > segments.closed || back > SEGMENTS) return null;
  const at = (segments.closed - back) % SEGMENTS;
  return { hours: segments.hours[at] as number, counts: segments.counts[at] as number };
}

/** Windows tried, in pieces. */
const WINDOWS = [8, 16, 32] as const;

/**
 * No leak faster than this ran through the last `span` hours: the least (counts + 1) / hours over windows long enough to
 * hold at least four counts of a leak of `perHour`, else over the longest. Counts an hour; Infinity when nothing is known.
 */
export function quietest(segments: Segments, span: number, perHour: number): number {
  const reach = Math.min(segments.closed, SEGMENTS);
  let best = Number.POSITIVE_INFINITY;
  for (const width of WINDOWS) {
    const last = width === WINDOWS[WINDOWS.length - 1];
    const bound = leastOver(segments, reach, span, width, last ? 0 : 4 / perHour);
    if (bound < best) best = bound;
  }
  return best === Number.POSITIVE_INFINITY ? over(segments, reach, span) : best;
}

function leastOver(s: Segments, reach: number, span: number, width: number, least: number): number {
  let hours = 0;
  let counts = 0;
  let total = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let back = 1; back <= reach && total < span; back++) {
    const at = (s.closed - back) % SEGMENTS;
    hours += s.hours[at] as number;
    counts += s.counts[at] as number;
    total += s.hours[at] as number;
    if (back > width) {
      const left = (s.closed - back + width) % SEGMENTS;
      hours -= s.hours[left] as number;
      counts -= s.counts[left] as number;
    }
    if (back >= width && hours >= least) best = Math.min(best, (counts + 1) / hours);
  }
  return best;
}

function over(s: Segments, reach: number, span: number): number {
  let hours = 0;
  let counts = 0;
  for (let back = 1; back <= reach && hours < span; back++) {
    const at = (s.closed - back) % SEGMENTS;
    hours += s.hours[at] as number;
    counts += s.counts[at] as number;
  }
  return hours === 0 ? Number.POSITIVE_INFINITY : (counts + 1) / hours;
}

/** Widths for a rate as exact as the pieces allow. */
const FINE = [6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 19, 22, 25, 29, 33, 38, 44, 51, 59, 68] as const;

/** The least (counts + 1) / hours over stretches of all lengths from an hour and a half on in the last `span` hours. */
export function finest(segments: Segments, span: number, least: number): number {
  const reach = Math.min(segments.closed, SEGMENTS);
  let best = Number.POSITIVE_INFINITY;
  for (const width of FINE) best = Math.min(best, leastOver(segments, reach, span, width, least));
  return best === Number.POSITIVE_INFINITY ? over(segments, reach, span) : best;
}
