// What detectors remember of a meter: written rarely, within a share of the flash card, and brought up to date from the increments.

import type { Memory } from '../boundaries.ts';
import { keys, seal, unseal } from '../codec/journal-record.ts';
import type { AlertWishes } from '../domain/alert-rules.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import { type Books, COLLECTOR } from './books.ts';
import { textAt } from './records.ts';

/** A meter's share: so many bytes an hour on average, saved up for a day at most. */
const BYTES_PER_HOUR = 1024;
const SAVED_MAX = 24 * BYTES_PER_HOUR;

export const encodeSnapshot = (meter: string, snapshot: Memory): string =>
  seal(keys.snapshot(meter), snapshot);
export const decodeSnapshot = (meter: string, text: string): Memory | undefined =>
  unseal(keys.snapshot(meter), text) as Memory | undefined;

/** Shares of the flash card by meter. */
class Shares {
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

/** What detectors remember, and what is wished of them. */
export class Memories {
  readonly #books: Books;
  readonly #shares = new Shares();

  constructor(books: Books) {
    this.#books = books;
  }

  remember(meter: string, known: unknown, must: boolean): boolean {
    const { group, sound, standing, stagedBell } = this.#books;
    const state = sound ? standing.states.get(meter) : undefined;
    if (!state) return false;
    const text = encodeSnapshot(meter, { inst: state.inst, seq: state.steps, known });
    if (!this.#shares.take(meter, text.length, this.#books.now(), must)) return false;
    group.changes.set(keys.snapshot(meter), text);
    // What it knows of a reading must not outlive the reading.
    group.states.add(meter);
    stagedBell.ring();
    return true;
  }

  async remembered(meter: string): Promise<Memory | undefined> {
    let memory: Memory | undefined;
    await this.#books.reading(async () => {
      const text = await textAt(this.#books.store, keys.snapshot(meter));
      memory = decodeSnapshot(meter, text ?? '');
    });
    return memory;
  }

  wishes(meter: string): AlertWishes | undefined {
    return this.#books.standing.wishes.get(meter);
  }

  keepWishes(meter: string, wishes: AlertWishes): void {
    const { group, sound, standing, stagedBell } = this.#books;
    if (!sound) return;
    standing.wishes.set(meter, wishes);
    group.changes.set(keys.wishes(meter), seal(keys.wishes(meter), wishes));
    if (meter !== COLLECTOR) group.described.add(meter);
    stagedBell.ring();
  }
}
