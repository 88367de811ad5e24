// What the leak watch of one meter remembers: two flat arrays and a few numbers, under 4 KB, exact through JSON.

import { CLOCKS_MAX } from './rates.ts';

/** Bins of the UTC day in which the pace of pauses is learned; a fixed zone only shifts them. */
export const BINS = 6;
/** Pieces of the newest two days (see pieces.ts). */
export const PIECES = 192;
/** Flows remembered as usual (see usual.ts). */
export const USUAL = 8;
/** Pieces of a strong flow looked at (see strong.ts). */
export const STRONG = 24;
/** Bounds of the newest four days, four a day (see nights.ts). */
export const NIGHTS = 16;

/** Counts whose times are kept on a coarse dial (see coarse.ts). */
export const COUNTS_KEPT = 8;

/** Where each part begins in `cells`; parts of the bank have one cell a clock. */
export const LACK = 0;
export const EVIDENCE = LACK + CLOCKS_MAX;
export const SINCE = EVIDENCE + CLOCKS_MAX;
export const PEAK = SINCE + CLOCKS_MAX;
export const PEAK_BEFORE = PEAK + CLOCKS_MAX;
export const EXCESS = PEAK_BEFORE + CLOCKS_MAX;
export const OBSERVED = EXCESS + CLOCKS_MAX;
export const USUAL_START = OBSERVED + BINS;
export const USUAL_HOURS = USUAL_START + USUAL;
export const USUAL_RATE = USUAL_HOURS + USUAL;
export const USUAL_SEEN = USUAL_RATE + USUAL;
export const STRONG_RATE = USUAL_SEEN + USUAL;
export const NIGHT = STRONG_RATE + STRONG;
export const COARSE_AT = NIGHT + NIGHTS;
const CELLS = COARSE_AT + COUNTS_KEPT;

/** Where each part begins in `words`, after the counts of the pieces; the last three have cells a clock. */
export const LENGTHS = PIECES;
export const KNOWN = LENGTHS + PIECES;
export const EXCURSIONS = KNOWN + CLOCKS_MAX;
export const PAUSES = EXCURSIONS + CLOCKS_MAX;
const WORDS = PAUSES + CLOCKS_MAX * BINS;

/** Why an alarm was raised. */
export type Why = 'no_pause' | 'even_counts' | 'even_spacing' | 'louder_nights' | 'strong_flow';

/** Codes of contract E2 that the leak watch raises. */
export type LeakCode = 'leak.continuous' | 'leak.intermittent' | 'leak.slow' | 'flow.burst';

/** A leak that stands. Rates in counts an hour, times in hours of true time since the watch began unless epoch ms. */
export interface Standing {
  /** Number of the alarm within the installation. */
  readonly alarm: number;
  readonly code: LeakCode;
  readonly why: Why;
  messages: number;
  /** The clock it is held to. */
  clock: number;
  readonly since: number;
  readonly sinceAt: number;
  readonly raised: number;
  /** When it was found faster or slower last. */
  changed: number;
  told: number;
  rate: number;
  /** Bounds on the rate, one every six hours, the newest last. */
  bounds: number[];
  boundAt: number;
  /** Counts moved since the beginning. */
  counts: number;
  /** Counts that the leak would have made and that did not come; the most while it ran. */
  lack: number;
  most: number;
  /** What was observed at the raise, and the limit it exceeded. */
  readonly observed: number;
  readonly limit: number;
}

/** The watch of one installation. It is changed in place by `watch`; `saveWatch` and `loadWatch` keep it exactly. */
export interface Watch {
  readonly cells: Float32Array;
  /** What needs no more than sixteen bits. */
  readonly words: Uint16Array;
  /** Hours of true time since the watch began, those of them in which nobody looked, and whole days of the others. */
  now: number;
  away: number;
  days: number;
  /** Hours since a count, and since it was last unknown what passed. */
  idle: number;
  unbroken: number;
  /** Counts the dial went back and has not made good, and since how many hours. */
  debt: number;
  debtHours: number;
  /** Number of the next alarm. */
  next: number;
  closed: number;
  openCounts: number;
  openHours: number;
  gap: GapState;
  strong: StrongState;
  nights: NightState;
  pace: PaceState;
  trickle: TrickleState;
  standing: Standing[];
}

/** Draws and the gaps between them (see gaps.ts), in hours. */
export interface GapState {
  open: number;
  quiet: number;
  size: number;
  gap: number;
  before: number;
  small: boolean;
  run: number;
  low: number;
  high: number;
}

/** A strong flow that runs (see strong.ts). */
export interface StrongState {
  /** Hours without its first piece; -1: none runs. */
  hours: number;
  since: number;
  start: number;
  pieces: number;
}

/** What the quietest stretches of past days were (see nights.ts). */
export interface NightState {
  days: number;
  mean: number;
  variance: number;
  taken: number;
  at: number;
}

/** How fast a coarse dial counts as a rule (see coarse.ts): hours and counts of it, and until when they reach. */
export interface PaceState {
  hours: number;
  counts: number;
  from: number;
  taken: number;
}

/** A trickle that was raised and ended by itself, again and again (see usual.ts). */
export interface TrickleState {
  rate: number;
  times: number;
  ended: number;
}

export const NO_GAPS: GapState = {
  open: 0,
  quiet: 0,
  size: 0,
  gap: 0,
  before: 0,
  small: false,
  run: 0,
  low: 0,
  high: 0,
};

export const NO_STRONG: StrongState = { hours: -1, since: 0, start: 0, pieces: 0 };

/** The watch of an installation that begins. */
export function newWatch(nights: NightState): Watch {
  // One buffer for both: each costs a hundred bytes by itself.
  const memory = new ArrayBuffer(4 * CELLS + 2 * WORDS);
  return {
    cells: new Float32Array(memory, 0, CELLS),
    words: new Uint16Array(memory, 4 * CELLS, WORDS),
    now: 0,
    away: 0,
    days: 0,
    idle: 0,
    unbroken: 0,
    debt: 0,
    debtHours: 0,
    next: 1,
    closed: 0,
    openCounts: 0,
    openHours: 0,
    gap: { ...NO_GAPS },
    strong: { ...NO_STRONG },
    nights,
    pace: { hours: 0, counts: 0, from: 0, taken: 0 },
    trickle: { rate: 0, times: 0, ended: 0 },
    standing: [],
  };
}

/** A saved watch: plain JSON. */
export interface SavedWatch extends Omit<Watch, 'cells' | 'words'> {
  readonly v: 2;
  readonly cells: readonly number[];
  readonly words: readonly number[];
}

/** The watch as plain JSON that shares nothing with it. Nine digits are enough for a cell to come back exactly. */
export function saveWatch(watch: Watch): SavedWatch {
  return {
    ...saveNumbers(watch),
    cells: Array.from(watch.cells, (cell) => Number(cell.toPrecision(9))),
    words: Array.from(watch.words),
  };
}

/** As `saveWatch`, without the two arrays. */
export function saveNumbers(watch: Watch): Omit<SavedWatch, 'cells' | 'words'> {
  const { cells: _, words: __, gap, strong, nights, pace, trickle, standing, ...rest } = watch;
  return {
    v: 2,
    ...rest,
    gap: { ...gap },
    strong: { ...strong },
    nights: { ...nights },
    pace: { ...pace },
    trickle: { ...trickle },
    standing: standing.map((one) => ({ ...one, bounds: [...one.bounds] })),
  };
}

/** The watch that was saved; null when it was saved by another version of this layout. */
export function loadWatch(saved: SavedWatch): Watch | null {
  if (saved.v !== 2 || saved.cells.length !== CELLS) return null;
  if (saved.words.length !== WORDS) return null;
  const { v: _, cells, words, gap, strong, nights, pace, trickle, standing, ...numbers } = saved;
  // Into one that begins: two shapes would make each step of both slower (V8).
  const watch = newWatch({ ...nights });
  Object.assign(watch, numbers);
  Object.assign(watch.gap, gap);
  Object.assign(watch.strong, strong);
  Object.assign(watch.pace, pace);
  Object.assign(watch.trickle, trickle);
  watch.standing = standing.map((one) => ({ ...one, bounds: [...one.bounds] }));
  watch.cells.set(cells);
  watch.words.set(words);
  return watch;
}
