// A strong flow that keeps its strength: a stuck toilet or a burst, told within hours.

import type { Piece } from './pieces.ts';
import { STRONG, STRONG_RATE, type Watch } from './state.ts';
import { type Flow, remember } from './usual.ts';

/** Slower flows are left to the clocks, in gallons an hour. */
const LEAST_GPH = 40;
/** Pieces within this share of the lowest are as strong as it, and such a share of them must be. */
const LIKE = 1.15;
const MOST = 0.7;
/** Pieces of fewer counts are alike by the coarseness of the dial, whatever runs. */
const LEAST_COUNTS = 5;
/** A run shorter than this is everyday use, in hours. */
const WORTH_H = 0.5;

/** How long a strong flow may run before it means something, by its strength: from so many gallons an hour on. */
const LIMITS: readonly { readonly gph: number; readonly hours: number }[] = [
  // A hose or a row of sprinklers: beyond what a toilet's valve passes.
  { gph: 215, hours: 2.2 },
  // A toilet or a tap that stayed open.
  { gph: 70, hours: 1.4 },
  // Drip lines of a garden lie here too.
  { gph: 0, hours: 2.6 },
];
/** In its first days a meter's irrigation is not known yet: limits are at least so long, up to so many days. */
const YOUNG: readonly { readonly days: number; readonly hours: number }[] = [
  { days: 3, hours: 4 },
  { days: 10, hours: 2.2 },
];

/** Takes one piece in; what has run for long and ends with it is remembered as usual. */
export function runOn(watch: Watch, piece: Piece, gallonsPerCount: number, hour: number): void {
  const { strong, cells } = watch;
  const rate = piece.counts / piece.hours;
  if (rate * gallonsPerCount < LEAST_GPH || piece.counts < LEAST_COUNTS) {
    const ended = strongFlow(watch);
    if (ended && ended.hours >= WORTH_H) remember(watch, ended);
    stop(watch);
  } else if (strong.hours < 0) {
    // The first piece holds the beginning: its rate says nothing.
    strong.hours = 0;
    strong.since = watch.now;
    strong.start = hour;
  } else {
    strong.hours += piece.hours;
    cells[STRONG_RATE + (strong.pieces % STRONG)] = rate;
    strong.pieces += 1;
  }
}

/** Nobody knows whether it runs on. */
export function stop({ strong }: Watch): void {
  strong.hours = -1;
  strong.pieces = 0;
}

/** The flow that runs, if it keeps its strength. */
export function strongFlow({ strong, cells }: Watch): Flow | null {
  const n = Math.min(strong.pieces, STRONG);
  if (strong.hours < 0 || n < 2) return null;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) lowest = Math.min(lowest, cells[STRONG_RATE + i] as number);
  let alike = 0;
  for (let i = 0; i < n; i++) {
    if ((cells[STRONG_RATE + i] as number) <= LIKE * lowest) alike += 1;
  }
  if (alike < MOST * n) return null;
  return { perHour: lowest, hours: strong.hours, start: strong.start };
}

/** Hours that a flow of this strength may run at this meter, if it is not usual there. */
export function strongLimit({ days }: Watch, gph: number): number {
  const limit = LIMITS.find((one) => gph >= one.gph)?.hours ?? 0;
  return Math.max(limit, YOUNG.find((one) => days < one.days)?.hours ?? 0);
}
