// Pending rows that are acknowledged while the deletion of their keys is not durable yet.

import { RowSet } from '../domain/row-set.ts';

/** So many are a group of their own: a long drain waits in no memory, and each is written while the next is sent. */
const FULL = 8_000;

/** Rows of one group: their numbers, and each with its meter in the order in which they were settled. */
class Settled {
  readonly numbers = new RowSet();
  readonly rows: number[] = [];
  readonly meters: string[] = [];
}

/** By number: those of the group that gathers, and those of the one on its way to the medium. */
export class SettledRows {
  #gathered = new Settled();
  #underWay = new RowSet();

  /** Rows of the group that gathers. */
  get size(): number {
    return this.#gathered.numbers.size;
  }

  isFull(): boolean {
    return this.#gathered.numbers.size >= FULL;
  }

  has(row: number): boolean {
    return this.#gathered.numbers.has(row) || this.#underWay.has(row);
  }

  add(meter: string, row: number): void {
    this.#gathered.numbers.add(row);
    this.#gathered.rows.push(row);
    this.#gathered.meters.push(meter);
  }

  /** The row is pending again. */
  delete(row: number): void {
    this.#gathered.numbers.delete(row);
    this.#underWay.delete(row);
  }

  /**
   * The group is on its way, one at a time: what is settled from now on is of the next one. Told are the rows whose keys it deletes;
   * one that was settled, asked for again and settled again may be told twice.
   */
  begin(told: (meter: string, row: number) => void): void {
    const { numbers, rows, meters } = this.#gathered;
    rows.forEach((row, n) => {
      if (numbers.has(row)) told(meters[n] as string, row);
    });
    this.#underWay = numbers;
    this.#gathered = new Settled();
  }

  /** The group that was on its way is durable. */
  durable(): void {
    this.#underWay.clear();
  }

  clear(): void {
    this.#gathered = new Settled();
    this.#underWay.clear();
  }
}
