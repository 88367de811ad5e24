// Pending rows that are acknowledged while the deletion of their keys is not durable yet.

type RowsOf = Map<string, Set<number>>;

/** By meter and number: those of the group that gathers, and those of the one on its way to the medium. */
export class SettledRows {
  #gathered: RowsOf = new Map();
  #underWay: RowsOf = new Map();
  /** Rows of the group that gathers. */
  size = 0;

  has(meter: string, row: number): boolean {
    const isGathered = this.#gathered.get(meter)?.has(row) === true;
    return isGathered || this.#underWay.get(meter)?.has(row) === true;
  }

  add(meter: string, row: number): void {
    const rows = this.#gathered.get(meter);
    if (rows) rows.add(row);
    else this.#gathered.set(meter, new Set([row]));
    this.size += 1;
  }

  /** The row is pending again. */
  delete(meter: string, row: number): void {
    if (this.#gathered.get(meter)?.delete(row)) this.size -= 1;
    this.#underWay.get(meter)?.delete(row);
  }

  /** The group is on its way, one at a time: what is settled from now on is of the next one. */
  begin(): void {
    this.#underWay = this.#gathered;
    this.#gathered = new Map();
    this.size = 0;
  }

  /** The group that was on its way is durable. */
  durable(): void {
    this.#underWay = new Map();
  }

  clear(): void {
    this.begin();
    this.durable();
  }
}
