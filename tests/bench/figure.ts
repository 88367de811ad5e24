// A figure of a bench: printed with its limit or peer of the same run, never asserted by the clock on the wall.

export interface Figure {
  readonly bench: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is held against, measured or set in the same run; null where there is none. */
  readonly limit: number | null;
  /** value / limit. */
  readonly ratio: number | null;
  /** The goal for the value, in its unit; null where it is printed for information. */
  readonly goal: number | null;
  readonly met: boolean | null;
}

/** A figure of which more is better. `goal` is in the value's unit. */
export function atLeast(
  bench: string,
  name: string,
  value: number,
  unit: string,
  goal: number | null,
  limit: number | null = null,
): Figure {
  const ratio = limit === null ? null : value / limit;
  const met = goal === null ? null : value >= goal;
  return { bench, name, value, unit, limit, ratio, goal, met };
}

/** A figure of which less is better. `goal` is in the value's unit. */
export function atMost(
  bench: string,
  name: string,
  value: number,
  unit: string,
  goal: number | null,
  limit: number | null = null,
): Figure {
  const ratio = limit === null ? null : value / limit;
  const met = goal === null ? null : value <= goal;
  return { bench, name, value, unit, limit, ratio, goal, met };
}

/** The value in the middle; of an even number of values the higher of the two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** One line: JSON with `json`, else for people. */
export function print(figure: Figure, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(figure)}\n`);
    return;
  }
  const { bench, name, value, unit, goal, ratio } = figure;
  const shown = value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  const against = ratio === null ? '' : `, ${ratio.toFixed(2)} of the limit`;
  const wanted = goal === null ? '' : ` (goal ${goal} ${unit}: ${figure.met ? 'met' : 'NOT MET'})`;
  process.stdout.write(`${bench}: ${name}: ${shown} ${unit}${against}${wanted}\n`);
}
