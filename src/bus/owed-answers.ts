// Which meters were asked on a line and may still answer, so that no late answer is taken for another meter's.

/** A question that was answered after all. */
export type Paid = Pick<Debt, 'meter' | 'asked'>;

interface Debt {
  readonly meter: string;
  /** The identification that its answer bears; undefined where none is known. */
  readonly id: string | undefined;
  readonly asked: number;
  /** Monotonic time of the wire after which no answer is expected. */
  until: number;
}

/** Questions without their answer. Times are monotonic milliseconds of the wire. */
export class OwedAnswers {
  #debts: Debt[] = [];

  /** `meter`, whose answer bears `id` where that is known, was asked at `asked` and may answer until then. */
  asked(meter: string, id: string | undefined, asked: number, until: number): void {
    this.#debts.push({ meter, id, asked, until });
  }

  /** `meter` did not answer in its time, and may do so until then. */
  late(meter: string, until: number): void {
    for (const debt of this.#debts) if (debt.meter === meter) debt.until = until;
  }

  /** A message of `meter` came: its oldest question is answered. */
  paidBy(meter: string): void {
    this.#pay((debt) => debt.meter === meter);
  }

  /**
   * A message of another than `meter` came, with this identification (null: none that could be read): whose, and when it was
   * asked; undefined when no other was asked that may have sent it.
   */
  paidByOther(meter: string, id: string | null): Paid | undefined {
    const isOther = (debt: Debt) => debt.meter !== meter;
    const named = id === null ? undefined : this.#pay((debt) => isOther(debt) && debt.id === id);
    return named ?? this.#pay((debt) => isOther(debt) && (id === null || debt.id === undefined));
  }

  /** Whether another than `meter` may still answer. */
  isOwedByOther(meter: string): boolean {
    return this.#debts.some((debt) => debt.meter !== meter);
  }

  /** A message came and nobody can tell whose: the oldest question is answered. */
  paid(): Paid | undefined {
    return this.#pay(() => true);
  }

  /** How many answers may still come at `now`. */
  countAt(now: number): number {
    this.#debts = this.#debts.filter((debt) => debt.until > now);
    return this.#debts.length;
  }

  /** How long answers are still expected at `now`, 0 when none is; those of meters that are `gone` are not. */
  leftAt(now: number, gone: (meter: string) => boolean): number {
    if (this.countAt(now) === 0) return 0;
    return this.#debts.reduce(
      (most, { meter, until }) => (gone(meter) ? most : Math.max(most, until - now)),
      0,
    );
  }

  #pay(is: (debt: Debt) => boolean): Paid | undefined {
    const index = this.#debts.findIndex(is);
    return index >= 0 ? this.#debts.splice(index, 1)[0] : undefined;
  }
}
