// Dials, counts and times: the quantities of the domain. Counts are integers; volume appears only at the edge.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/** A dial position or a number of dial steps; always an integer. */
export type Counts = number;

export const HOUR_MS = 3_600_000;

/** Units of volume a count may be stated in. */
export const VOLUME_UNITS = ['ft3', 'gal', 'm3', 'L'] as const;
export type VolumeUnit = (typeof VOLUME_UNITS)[number];

/** What one dial shows: its capacity is 10^`digits` counts, one count is 10^`pow10` `unit`. */
export interface Dial {
  readonly digits: number;
  readonly unit: VolumeUnit;
  readonly pow10: number;
}

/** By which power of ten a number in `from` is multiplied to be in `to`; null for units that are not a power of ten apart. */
export function metricShift(from: VolumeUnit, to: VolumeUnit): number | null {
  if (from === to) return 0;
  if (from === 'm3' && to === 'L') return 3;
  return from === 'L' && to === 'm3' ? -3 : null;
}

/** Cubic inches in each unit, all exact by definition: 1 gal = 231 in3, 1 ft3 = 12^3 in3, 1 in = 0.0254 m. */
export const CUBIC_INCHES: Readonly<Record<VolumeUnit, number>> = {
  gal: 231,
  ft3: 1728,
  L: 0.001 / 0.0254 ** 3,
  m3: 1 / 0.0254 ** 3,
};

/** A limit of `counts` on the dial `from`, as counts of the dial `to`: rounded up, at least 1 and below the capacity. */
export function limitOn(to: Dial, counts: Counts, from: Dial): Counts {
  const tens = from.pow10 - to.pow10;
  const units = (counts * CUBIC_INCHES[from.unit]) / CUBIC_INCHES[to.unit];
  // Powers of ten are not exact: 400 x 0.1 must not become 41.
  const exact = tens < 0 ? units / 10 ** -tens : units * 10 ** tens;
  return Math.max(1, Math.min(Math.ceil(exact - 1e-6), capacity(to) - 1));
}

/** Counts at which the dial passes through zero, 10^digits. */
export function capacity(dial: Pick<Dial, 'digits'>): Counts {
  return 10 ** dial.digits;
}

/** The start of the UTC hour that holds `at`. */
export function hourOf(at: EpochMs): EpochMs {
  return Math.floor(at / HOUR_MS) * HOUR_MS;
}

/** Whether an hour ends or begins at most `withinMs` from `at`. */
export function isNearEdge(at: EpochMs, withinMs: number): boolean {
  const past = at - hourOf(at);
  return past <= withinMs || HOUR_MS - past <= withinMs;
}

/** `a` modulo `m`, never negative. */
export function modulo(a: number, m: number): number {
  return ((a % m) + m) % m;
}
