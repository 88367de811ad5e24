// Flows that this meter has had before for hours, and that ended by themselves: irrigation, softeners, fillings.

/** How many are remembered, and for how long without being seen, in hours. */
const KEPT = 12;
const REMEMBERED_H = 35 * 24;
/** Two begin at the same time of the day when they are no further apart, in hours. */
const SAME_HOURS = 3;

export interface Schedules {
  /** Hour of the UTC day at which it begins. */
  readonly start: Float32Array;
  readonly hours: Float32Array;
  readonly perHour: Float32Array;
  /** When it was seen last, in hours of true time; 0: an empty place. */
  readonly seen: Float32Array;
}

export function newSchedules(): Schedules {
  return {
    start: new Float32Array(KEPT),
    hours: new Float32Array(KEPT),
    perHour: new Float32Array(KEPT),
    seen: new Float32Array(KEPT),
  };
}

const apart = (a: number, b: number): number => {
  const d = Math.abs(a - b) % 24;
  return Math.min(d, 24 - d);
};

/** Remembers a flow that ended: like an earlier one it widens it, else it takes the oldest place. */
export function remember(
  all: Schedules,
  start: number,
  hours: number,
  perHour: number,
  now: number,
): void {
  let place = 0;
  for (let i = 0; i < KEPT; i++) {
    const known = (all.seen[i] as number) > 0;
    const rate = all.perHour[i] as number;
    const like = perHour <= 1.4 * rate && perHour >= rate / 1.4;
    if (known && like && apart(all.start[i] as number, start) <= SAME_HOURS) {
      all.hours[i] = Math.max(hours, 0.9 * (all.hours[i] as number));
      all.perHour[i] = Math.max(perHour, rate);
      all.seen[i] = now;
      return;
    }
    if ((all.seen[i] as number) < (all.seen[place] as number)) place = i;
  }
  all.start[place] = start;
  all.hours[place] = hours;
  all.perHour[place] = perHour;
  all.seen[place] = now;
}

/** Whether a flow that has run for `hours` is no more than what this meter has had before at this time of the day. */
export function isUsual(
  all: Schedules,
  start: number,
  hours: number,
  perHour: number,
  now: number,
): boolean {
  for (let i = 0; i < KEPT; i++) {
    const seen = all.seen[i] as number;
    if (seen === 0 || now - seen > REMEMBERED_H) continue;
    const off = apart(all.start[i] as number, start);
    if (off > SAME_HOURS || perHour > 1.4 * (all.perHour[i] as number)) continue;
    if (hours < 1.25 * (all.hours[i] as number) + 1 + off) return true;
  }
  return false;
}
