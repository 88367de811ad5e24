// Pending rows that are acknowledged while the deletion of their keys is not durable yet.

import { RowSet } from '../domain/row-set.ts';

/** By number: those of the group that gathers, and those of the one on its way to the medium. */
export class SettledRows {
  #gathered = new RowSet();
  #underWay = new RowSet();

  /** Rows of the group that gathers. */
  get size(): number {
    return this.#gathered.size;
  }

  has(row: number): boolean {
    return this.#gathered.has(row) || this.#underWay.has(row);
  }

  add(row: number): void {
    this.#gathered.add(row);
  }

  /** The row is pending again. */
  delete(row: number): void {
    this.#gathered.delete(row);
    this.#underWay.delete(row);
  }

  /** The group is on its way, one at a time: what is settled from now on is of the next one. */
  begin(): void {
    this.#underWay = this.#gathered;
    this.#gathered = new RowSet();
  }

  /** The group that was on its way is durable. */
  durable(): void {
    this.#underWay.clear();
  }

  clear(): void {
    this.#gathered.clear();
    this.#underWay.clear();
  }
}
