// Sets of numbers as ranges: rows, increments and hours that are absent, short enough to be told.

/** Both ends belong to it. */
export type Range = readonly [from: number, to: number];

/** Ascending numbers as ranges. */
export function rangesOf(numbers: Iterable<number>): Range[] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last && number <= last[1] + 1) last[1] = Math.max(last[1], number);
    else ranges.push([number, number]);
  }
  return ranges;
}

/** Everything that is in either. */
export function union(one: readonly Range[], other: readonly Range[]): Range[] {
  const sorted = [...one, ...other].sort((a, b) => a[0] - b[0]);
  const ranges: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = ranges.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else ranges.push([from, to]);
  }
  return ranges;
}

/** What is in `one` and not in `other`. */
export function without(one: readonly Range[], other: readonly Range[]): Range[] {
  let left: Range[] = [...one];
  for (const [from, to] of other) {
    left = left.flatMap(([a, b]): Range[] => {
      if (to < a || from > b) return [[a, b]];
      const parts: Range[] = [];
      if (a < from) parts.push([a, from - 1]);
      if (b > to) parts.push([to + 1, b]);
      return parts;
    });
  }
  return left;
}

export function holds(ranges: readonly Range[], number: number): boolean {
  return ranges.some(([from, to]) => from <= number && number <= to);
}

export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** More than the rows of a damaged block lie apart; some 4 KB of text. */
const RANGES_MAX = 300;

/**
 * As people and programs read it, `3-5,9`. Every number is covered: where there are too many ranges the last ones are
 * joined, and numbers between them are covered that do not belong to it.
 */
export function textOf(ranges: readonly Range[]): string {
  const first = ranges.slice(0, RANGES_MAX - 1);
  const rest = ranges.slice(RANGES_MAX - 1);
  const [begin, end] = [rest[0], rest.at(-1)];
  const shown = begin && end ? [...first, [begin[0], end[1]] as const] : first;
  return shown.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
