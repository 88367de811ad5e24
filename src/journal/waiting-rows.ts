// Which rows wait, by their numbers: a bit each, so that who sends them need not read what says so of every one.

import { isOfPlainHour } from '../codec/journal-record.ts';
import { RowSet } from '../domain/row-set.ts';

/** The rows that are recorded as waiting and were not settled since. */
export class WaitingRows {
  /** How many there are of each meter that ever had any. */
  readonly counts = new Map<string, number>();
  readonly #rows = new RowSet();
  /** Those that are not known to be the first revision of an hour, told after all hours before it. */
  readonly #odd = new RowSet();
  /** The highest of each meter that ever waited. */
  readonly #highest = new Map<string, number>();
  /** The newest hour of each meter that is no odd one. */
  readonly #newest = new Map<string, { readonly row: number; readonly entryKey: string }>();

  has(row: number): boolean {
    return this.#rows.has(row);
  }

  /** No row of the meter with a higher number waits. */
  highest(meter: string): number {
    return this.#highest.get(meter) ?? 0;
  }

  /** The row waits from now on, whether it did or not; `entryKey` is proved to be that of its entry, or empty. */
  add(meter: string, row: number, entryKey: string): void {
    // The number in a damaged key may be none.
    if (!Number.isSafeInteger(row) || row < 1) return;
    if (!this.#isInOrder(meter, row, entryKey)) this.#odd.add(row);
    if (this.#rows.has(row)) return;
    this.#rows.add(row);
    if (row > this.highest(meter)) this.#highest.set(meter, row);
    this.counts.set(meter, (this.counts.get(meter) ?? 0) + 1);
  }

  /** The row waits no more, whether it did or not. */
  delete(meter: string, row: number): void {
    if (!this.#rows.has(row)) return;
    this.#rows.delete(row);
    this.#odd.delete(row);
    this.counts.set(meter, (this.counts.get(meter) ?? 0) - 1);
  }

  /** Whether this row of an hour waits and is the next behind `passed`, where no hour of its meter lies between. */
  isNextHour(passed: number, row: number): boolean {
    return this.#rows.has(row) && !this.#odd.hasAny(passed + 1, row);
  }

  #isInOrder(meter: string, row: number, entryKey: string): boolean {
    if (!isOfPlainHour(entryKey)) return false;
    const newest = this.#newest.get(meter);
    if (newest === undefined || newest.row < row) {
      // An hour that was told late stands before others of lower numbers.
      if (newest && entryKey < newest.entryKey) return false;
      this.#newest.set(meter, { row, entryKey });
    }
    return true;
  }
}
