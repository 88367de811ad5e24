// What a head-end acknowledges: the rows it has stored, and the ranges it asks for again (contract, A1).

import type { Ack } from './contract-rules/messages.ts';
import type { Range, RowSet } from './contract-rules/row-set.ts';
import { iso } from './entries.ts';

/** A hole is asked for only when it has stood so long: events and new hours overtake a backlog (A4). */
export const ASK_AFTER_MS = 60_000;
/** What is still missing is asked for again after so long. */
const ASK_AGAIN_MS = 60_000;
/** Ranges in one message: 32 KB hold more, and the next one tells the rest. */
const RANGES_MAX = 400;

/** The acknowledgements of one collector; the clock is the caller's. */
export class Acks {
  readonly #collector: string;
  readonly #askAfterMs: number;
  /** By the row above a hole: since when it has stood. */
  #holes = new Map<number, number>();
  #epoch = '';
  #said = '';
  #sent = 0;

  constructor(collector: string, askAfterMs = ASK_AFTER_MS) {
    this.#collector = collector;
    this.#askAfterMs = askAfterMs;
  }

  /** Whatever was said may not have been heard: the next message is made in any case. */
  repeat(): void {
    this.#said = '';
  }

  /** The next message, or undefined when nothing new is to be said. */
  next(epoch: string, rows: RowSet, now: number): Ack | undefined {
    if (epoch !== this.#epoch) this.#holes = new Map();
    this.#epoch = epoch;
    const { row, missing } = this.#claim(rows, now);
    const said = JSON.stringify([epoch, row, missing]);
    const asksAgain =
      missing.length > 0 && now - this.#sent >= Math.min(this.#askAfterMs, ASK_AGAIN_MS);
    if (said === this.#said && !asksAgain) return undefined;
    this.#said = said;
    // The newest `sent` rules: it must rise, even when the clock does not.
    this.#sent = Math.max(now, this.#sent + 1);
    const sent = iso(this.#sent);
    return { v: 1, type: 'ack', collector: this.#collector, epoch, row, missing, sent };
  }

  /** The highest row that can be claimed, with the holes below it that are old enough to be asked for. */
  #claim(rows: RowSet, now: number): { row: number; missing: Range[] } {
    const standing = new Map<number, number>();
    const missing: Range[] = [];
    let row = rows.top();
    for (const [from, to] of rows.holes()) {
      const since = this.#holes.get(to + 1) ?? now;
      standing.set(to + 1, since);
      if (row < from) continue;
      if (now - since >= this.#askAfterMs && missing.length < RANGES_MAX) missing.push([from, to]);
      else row = from - 1;
    }
    this.#holes = standing;
    return { row, missing };
  }
}
