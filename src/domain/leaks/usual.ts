// Flows that this meter has had before for hours, and that ended by themselves: irrigation, softeners, fillings.

import { USUAL, USUAL_HOURS, USUAL_RATE, USUAL_SEEN, USUAL_START, type Watch } from './state.ts';

/** For how long one is remembered without being seen, in hours. */
const REMEMBERED_H = 35 * 24;
/** Two begin at the same time of the day when they are no further apart, in hours. */
const SAME_H = 3;
/** Two are as strong when they differ by no more than this. */
const LIKE = 1.4;
/** A usual flow may last so much longer than before. */
const LONGER = 1.25;
const LONGER_H = 1;

function apart(a: number, b: number): number {
  const d = Math.abs(a - b) % 24;
  return Math.min(d, 24 - d);
}

/** A flow of `perHour` counts that ran for `hours` from `start` (hour of the UTC day). */
export interface Flow {
  readonly start: number;
  readonly hours: number;
  readonly perHour: number;
}

/** Remembers a flow that ended: it widens one like it, else it takes the oldest place. */
export function remember({ cells, now }: Watch, { start, hours, perHour }: Flow): void {
  let place = 0;
  for (let i = 0; i < USUAL; i++) {
    const rate = cells[USUAL_RATE + i] as number;
    const like = perHour <= LIKE * rate && perHour >= rate / LIKE;
    if (like && apart(cells[USUAL_START + i] as number, start) <= SAME_H) {
      cells[USUAL_HOURS + i] = Math.max(hours, 0.9 * (cells[USUAL_HOURS + i] as number));
      cells[USUAL_RATE + i] = Math.max(perHour, rate);
      cells[USUAL_SEEN + i] = now;
      return;
    }
    if ((cells[USUAL_SEEN + i] as number) < (cells[USUAL_SEEN + place] as number)) place = i;
  }
  cells[USUAL_START + place] = start;
  cells[USUAL_HOURS + place] = hours;
  cells[USUAL_RATE + place] = perHour;
  cells[USUAL_SEEN + place] = now;
}

/**
 * Whether a flow is no more than what this meter has had before at this time of the day. A flow of which only the least
 * is known may be `weaker` than what is remembered by any measure; a measured one by no more than half. What makes it
 * usual is remembered as seen again: of what is not raised nobody will remember the end.
 */
export function isUsual(watch: Watch, flow: Flow, weaker: boolean): boolean {
  const place = placeOf(watch, flow, weaker);
  if (place !== null) watch.cells[USUAL_SEEN + place] = watch.now;
  return place !== null;
}

function placeOf(
  { cells, now }: Watch,
  { start, hours, perHour }: Flow,
  weaker: boolean,
): number | null {
  for (let i = 0; i < USUAL; i++) {
    const seen = cells[USUAL_SEEN + i] as number;
    if (seen === 0 || now - seen > REMEMBERED_H) continue;
    const off = apart(cells[USUAL_START + i] as number, start);
    const rate = cells[USUAL_RATE + i] as number;
    if (off > SAME_H || perHour > LIKE * rate || (!weaker && 2 * perHour < rate)) continue;
    if (hours < LONGER * (cells[USUAL_HOURS + i] as number) + LONGER_H + off) return i;
  }
  return null;
}

/** Trickles differ by this much in strength and are still of one kind: a humidifier keeps no hour and no exact rate. */
const TRICKLE_LIKE = 2;

/** A trickle that came and went twice within so long comes and goes: it must run for so long to be a leak, in hours. */
const COMES_AGAIN_H = 14 * 24;
const TWICE = 2;
const LASTS_H = 72;

const isLike = (a: number, b: number): boolean => a <= TRICKLE_LIKE * b && b <= TRICKLE_LIKE * a;

/** A raised trickle has ended. */
export function countTrickle({ trickle, now }: Watch, perHour: number): void {
  const again = now - trickle.ended < COMES_AGAIN_H && isLike(perHour, trickle.rate);
  trickle.times = again ? trickle.times + 1 : 1;
  trickle.rate = perHour;
  trickle.ended = now;
}

/** Whether a trickle has not yet run longer than one like it that ended by itself, at whatever time of the day. */
export function hasEndedBefore(watch: Watch, hours: number, perHour: number): boolean {
  const { cells, now, trickle } = watch;
  const comesAndGoes = trickle.times >= TWICE && now - trickle.ended < COMES_AGAIN_H;
  if (comesAndGoes && isLike(perHour, trickle.rate) && hours < LASTS_H) return true;
  for (let i = 0; i < USUAL; i++) {
    const seen = cells[USUAL_SEEN + i] as number;
    if (seen === 0 || now - seen > REMEMBERED_H) continue;
    const rate = cells[USUAL_RATE + i] as number;
    if (!isLike(perHour, rate)) continue;
    if (hours >= LONGER * (cells[USUAL_HOURS + i] as number) + LONGER_H) continue;
    // Seen again: of what is not raised nobody will remember the end.
    cells[USUAL_SEEN + i] = now;
    return true;
  }
  return false;
}
