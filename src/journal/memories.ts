// What detectors remember of a meter: written rarely, within a share of the flash card, and brought up to date from the increments.

import type { Memory } from '../boundaries.ts';
import { decodeIncrement, keys, seal, unseal } from '../codec/journal-record.ts';
import type { Increment } from '../domain/entry.ts';
import type { Dial, EpochMs } from '../domain/units.ts';
import { HOUR_MS } from '../domain/units.ts';
import type { Books } from './books.ts';
import { textAt } from './thin.ts';

/** A meter's share: so many bytes an hour on average, saved up for a day at most. */
const BYTES_PER_HOUR = 1024;
const SAVED_MAX = 24 * BYTES_PER_HOUR;

/** As of the increment before `seq` of installation `inst`. */
export interface Snapshot {
  readonly inst: number;
  readonly seq: number;
  readonly known: unknown;
}

export const encodeSnapshot = (meter: string, snapshot: Snapshot): string =>
  seal(keys.snapshot(meter), snapshot);
export const decodeSnapshot = (meter: string, text: string): Snapshot | undefined =>
  unseal(keys.snapshot(meter), text) as Snapshot | undefined;

/** Shares of the flash card by meter. */
export class Shares {
  readonly #saved = new Map<string, { readonly bytes: number; readonly at: EpochMs }>();

  /** Takes `bytes` of the meter's share, or says false and takes none. */
  take(meter: string, bytes: number, now: EpochMs): boolean {
    const { bytes: saved, at } = this.#saved.get(meter) ?? { bytes: BYTES_PER_HOUR, at: now };
    const earned = (Math.max(0, now - at) / HOUR_MS) * BYTES_PER_HOUR;
    const share = Math.min(SAVED_MAX, saved + earned);
    const isWithin = bytes <= share;
    this.#saved.set(meter, { bytes: isWithin ? share - bytes : share, at: now });
    return isWithin;
  }
}

/** What detectors remember. */
export class Memories {
  readonly #books: Books;
  readonly #shares = new Shares();

  constructor(books: Books) {
    this.#books = books;
  }

  remember(meter: string, known: unknown): boolean {
    const state = this.#books.sound ? this.#books.standing.states.get(meter) : undefined;
    if (!state) return false;
    const text = encodeSnapshot(meter, { inst: state.inst, seq: state.steps, known });
    if (!this.#shares.take(meter, text.length, this.#books.now())) return false;
    this.#books.group.changes.set(keys.snapshot(meter), text);
    this.#books.stagedBell.ring();
    return true;
  }

  async remembered(meter: string): Promise<Memory | undefined> {
    const inst = this.#books.standing.states.get(meter)?.inst;
    const dial = this.#books.facts(meter)?.dial;
    if (inst === undefined || !dial) return undefined;
    let memory: Memory | undefined;
    await this.#books.reading(async () => {
      const text = await textAt(this.#books.store, keys.snapshot(meter));
      const snapshot = decodeSnapshot(meter, text ?? '');
      if (snapshot?.inst !== inst) return;
      const since = await this.#stepsFrom(meter, inst, snapshot.seq, dial);
      if (since) memory = { known: snapshot.known, since };
    });
    return memory;
  }

  /** The increments from `seq` on; undefined where one is missing or damaged. */
  async #stepsFrom(
    meter: string,
    inst: number,
    seq: number,
    dial: Dial,
  ): Promise<Increment[] | undefined> {
    const steps: Increment[] = [];
    if ((this.#books.checkpoint(meter, inst)?.seq ?? 0) > seq) return undefined;
    const from = keys.increment(meter, inst, seq);
    const to = keys.increment(meter, inst + 1, 0);
    for await (const [key, text] of this.#books.store.entries({ from, to })) {
      const step = decodeIncrement(key, text, dial);
      if (step?.seq !== seq + steps.length) return undefined;
      steps.push(step);
    }
    return steps;
  }
}
