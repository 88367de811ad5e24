// A strong flow that keeps its strength: a stuck toilet or a burst, told within hours.

/** Slower flows are left to the clocks, in gallons an hour. */
const LEAST_GPH = 40;
/** Pieces within this share of the lowest are as strong as it, and such a share of them must be. */
const LIKE = 1.15;
const MOST = 0.6;
/** Pieces looked at. */
const LOOKED = 24;

export interface Steady {
  /** Hours of the run without its first piece, which holds the beginning; -1: none. */
  hours: number;
  /** When it began: true time and hour of the day. */
  since: number;
  start: number;
  /** Counts an hour of the newest pieces. */
  readonly rates: Float32Array;
  pieces: number;
}

export function newSteady(): Steady {
  return { hours: -1, since: 0, start: 0, rates: new Float32Array(LOOKED), pieces: 0 };
}

/** Counts an hour of a run and how long it has lasted; null while it is none. */
export interface SteadyRun {
  readonly perHour: number;
  readonly hours: number;
}

/** Takes one piece in. Returns the run that this piece ended, if any. */
export function run(
  steady: Steady,
  hours: number,
  counts: number,
  gallonsPerCount: number,
  now: number,
  hourOfDay: number,
): SteadyRun | null {
  const rate = counts / hours;
  if (rate * gallonsPerCount < LEAST_GPH) {
    const ended = steadyRun(steady);
    steady.hours = -1;
    steady.pieces = 0;
    return ended;
  }
  if (steady.hours < 0) {
    steady.hours = 0;
    steady.since = now;
    steady.start = hourOfDay;
    return null;
  }
  steady.hours += hours;
  steady.rates[steady.pieces % LOOKED] = rate;
  steady.pieces += 1;
  return null;
}

/** The run as it stands. */
export function steadyRun(steady: Steady): SteadyRun | null {
  const n = Math.min(steady.pieces, LOOKED);
  if (steady.hours < 0 || n < 2) return null;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) lowest = Math.min(lowest, steady.rates[i] as number);
  let alike = 0;
  for (let i = 0; i < n; i++) if ((steady.rates[i] as number) <= LIKE * lowest) alike += 1;
  return alike >= MOST * n ? { perHour: lowest, hours: steady.hours } : null;
}
