// What detectors remember of a meter: written rarely, within a share of the flash card, and brought up to date from the increments.

import type { Memory } from '../boundaries.ts';
import { keys, seal, unseal } from '../codec/journal-record.ts';
import type { EpochMs } from '../domain/units.ts';
import { HOUR_MS } from '../domain/units.ts';

/** A meter's share: so many bytes an hour on average, saved up for a day at most. */
const BYTES_PER_HOUR = 1024;
const SAVED_MAX = 24 * BYTES_PER_HOUR;

export const encodeSnapshot = (meter: string, snapshot: Memory): string =>
  seal(keys.snapshot(meter), snapshot);
export const decodeSnapshot = (meter: string, text: string): Memory | undefined =>
  unseal(keys.snapshot(meter), text) as Memory | undefined;

/** Shares of the flash card by meter. */
export class Shares {
  readonly #saved = new Map<string, { readonly bytes: number; readonly at: EpochMs }>();

  /** Takes `bytes` of the meter's share, or says false and takes none. What `must` be written is owed. */
  take(meter: string, bytes: number, now: EpochMs, must = false): boolean {
    const { bytes: saved, at } = this.#saved.get(meter) ?? { bytes: BYTES_PER_HOUR, at: now };
    const earned = (Math.max(0, now - at) / HOUR_MS) * BYTES_PER_HOUR;
    const share = Math.min(SAVED_MAX, saved + earned);
    const isWithin = must || bytes <= share;
    this.#saved.set(meter, { bytes: isWithin ? share - bytes : share, at: now });
    return isWithin;
  }
}
