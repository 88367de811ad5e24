// Finds, among the registers the simulator really served, the one that an entry of the head-end tells of.

/** One register as it left the simulator. `at` is simulated epoch ms; `count` does not wrap; register = count mod 10^digits. */
export interface ServedReading {
  readonly at: number;
  readonly register: number;
  readonly count: number;
}

/** How many readings went out before `at`. */
export function servedBefore(served: readonly ServedReading[], at: number): number {
  return firstFrom(served, at);
}

/** Index of the first reading not before `at`; the readings are in order of time. */
function firstFrom(served: readonly ServedReading[], at: number): number {
  let low = 0;
  let high = served.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((served[middle]?.at ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The readings within `slackMs` of `at`, in order of time. */
function around(
  served: readonly ServedReading[],
  at: number,
  slackMs: number,
): readonly ServedReading[] {
  return served.slice(firstFrom(served, at - slackMs), firstFrom(served, at + slackMs + 1));
}

function nearestIn(candidates: readonly ServedReading[], at: number): ServedReading | undefined {
  let best: ServedReading | undefined;
  for (const reading of candidates) {
    if (best === undefined || Math.abs(reading.at - at) < Math.abs(best.at - at)) best = reading;
  }
  return best;
}

/**
 * The reading that served `register` nearest to `at`, within `slackMs`; undefined when it never was.
 * The dial repeats itself while no water flows, so time decides only between two turns of the dial.
 */
export function servedAs(
  served: readonly ServedReading[],
  register: number,
  at: number,
  slackMs: number,
): ServedReading | undefined {
  const same = around(served, at, slackMs).filter((reading) => reading.register === register);
  return nearestIn(same, at);
}

/**
 * The reading taken at `at`, for an edge that tells its time but no register: the newest one at or
 * before it (answers arrive after they were served; a stamp in whole seconds may lie just before).
 * Of the readings within `slackMs` one that shows `expected`, the register at which the following
 * hour says it begins, is believed before the newest.
 */
export function servedAround(
  served: readonly ServedReading[],
  at: number,
  slackMs: number,
  expected?: number,
): ServedReading | undefined {
  const near = around(served, at, slackMs);
  const shown = near.filter((reading) => reading.register === expected);
  if (shown.length > 0) return nearestIn(shown, at);
  return near.findLast((reading) => reading.at < at + 1000) ?? near[0];
}

/** The reading nearest to `at`, however far. */
export function servedNearest(
  served: readonly ServedReading[],
  at: number,
): ServedReading | undefined {
  const next = firstFrom(served, at);
  return nearestIn(served.slice(Math.max(0, next - 1), next + 1), at);
}
