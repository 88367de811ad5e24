// Which answers Modbus units may still owe, so that a late one is not taken for the answer to the next question.

/**
 * An answer so much later than its question is not reckoned with: ten time-outs, and at the least ten seconds, which
 * outlasts the buffers of serial device servers and radios. Nothing in an answer could tell one that is later still.
 */
const HORIZON_TIMEOUTS = 10;
const HORIZON_LEAST_MS = 10_000;

interface Debt {
  readonly code: number;
  readonly quantity: number;
  /** Monotonic times of the wire. */
  readonly asked: number;
  until: number;
  /** Nobody put such a question: its answer is only feared. */
  readonly feared: boolean;
}

/** Questions without their answer, by unit. Times are monotonic milliseconds of the wire. */
export class OwedWords {
  readonly #debts = new Map<number, Debt[]>();

  /** The question for so many words, put at `asked`, was given up. */
  add(
    { unit, code, quantity, timeoutMs }: OwedQuestion & { readonly timeoutMs: number },
    asked: number,
  ): void {
    const debts = this.#debts.get(unit) ?? [];
    const until = asked + horizonMs(timeoutMs);
    debts.push({ code, quantity, asked, until, feared: false });
    this.#debts.set(unit, debts);
  }

  /** An answer came at `now` that nobody asked for: there may be one more, as where frames are doubled. */
  unasked({ unit, code, quantity }: OwedQuestion, now: number): void {
    const same = (debt: Debt) => debt.code === code && debt.quantity === quantity;
    const debts = (this.#debts.get(unit) ?? []).filter((debt) => !(debt.feared && same(debt)));
    debts.push({ code, quantity, asked: now, until: now + HORIZON_LEAST_MS, feared: true });
    this.#debts.set(unit, debts);
  }

  /** How many answers of the form of the answer to this question may still come. */
  of({ unit, code, quantity }: OwedQuestion, now: number): number {
    const debts = this.#debts.get(unit);
    if (debts === undefined) return 0;
    const left = debts.filter((debt) => debt.until > now);
    if (left.length === 0) this.#debts.delete(unit);
    else this.#debts.set(unit, left);
    return left.filter((debt) => debt.code === code && debt.quantity === quantity).length;
  }

  /**
   * Such a question was put at `asked` and an answer came: perhaps an older one's, and then this one's is owed in its
   * place. So what is owed may come for as long as this one's answer may.
   */
  renew(
    { unit, code, quantity, timeoutMs }: OwedQuestion & { readonly timeoutMs: number },
    asked: number,
  ): void {
    for (const debt of this.#debts.get(unit) ?? []) {
      if (debt.feared || debt.code !== code || debt.quantity !== quantity) continue;
      debt.until = Math.max(debt.until, asked + horizonMs(timeoutMs));
    }
  }

  /** Whether no unit owes anything. */
  isClear(now: number): boolean {
    for (const unit of [...this.#debts.keys()]) if (this.clearAt(unit) > now) return false;
    return true;
  }

  /** When nothing of what `unit` owes can come any more; minus infinity when it owes nothing. */
  clearAt(unit: number): number {
    const debts = this.#debts.get(unit) ?? [];
    return debts.reduce((latest, { until }) => Math.max(latest, until), Number.NEGATIVE_INFINITY);
  }

  /**
   * An answer came that is not the present question's: it pays the oldest such question. When that one was put; null when
   * there was none.
   */
  pay({ unit, code, quantity }: OwedQuestion): number | null {
    const debts = this.#debts.get(unit);
    const index =
      debts?.findIndex(
        (debt) => !debt.feared && debt.code === code && debt.quantity === quantity,
      ) ?? -1;
    const [paid] = index >= 0 ? (debts?.splice(index, 1) ?? []) : [];
    return paid?.asked ?? null;
  }
}

function horizonMs(timeoutMs: number): number {
  return Math.max(HORIZON_LEAST_MS, HORIZON_TIMEOUTS * timeoutMs);
}

/** A question as far as an RTU answer shows it. */
export interface OwedQuestion {
  readonly unit: number;
  readonly code: number;
  readonly quantity: number;
}
