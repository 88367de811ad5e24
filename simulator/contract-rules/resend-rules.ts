// The rule of resends (A2): without an acknowledgement the oldest message alone is sent again, more and more rarely.

import { CROSSING_MS } from './patience.ts';
import type { Verdicts } from './verdicts.ts';

/** The pause before a message is sent again unasked, doubled with each (contract, A2). */
const PAUSE_MS = 15 * 60_000;
const PAUSE_MAX_MS = 6 * 3_600_000;

/** One message with a row that had come before, without an occasion in between. */
interface Again {
  readonly at: number;
  readonly what: string;
}

/** When a row last came, and when the message said that it was sent; NaN for one that does not say. */
interface Came {
  readonly at: number;
  readonly sent: number;
}

/**
 * The resends of one collector. A row may come again after each occasion for it: an acknowledgement, a new session of the head-end,
 * a new connection, a request. Judged only where acknowledgements are heard: else nobody knows what was asked for.
 */
export class ResendRules {
  readonly #verdicts: Verdicts;
  readonly #isAcknowledged: () => boolean;
  /** By epoch and row. */
  readonly #came = new Map<string, Map<number, Came>>();
  #occasion = Number.NEGATIVE_INFINITY;
  /** Not judged yet: an occasion that was sent before may come after. */
  #again: Again[] = [];
  /** Since the last occasion: how many resends nobody asked for, and when the last sign or resend was. */
  #unasked = 0;
  #since = Number.NEGATIVE_INFINITY;

  constructor(verdicts: Verdicts, isAcknowledged: () => boolean) {
    this.#verdicts = verdicts;
    this.#isAcknowledged = isAcknowledged;
  }

  /** Something came after which rows may come again. */
  occasion(at: number): void {
    this.#settle(at);
    this.#again = [];
    this.#occasion = at;
    this.#unasked = 0;
    this.#since = at;
  }

  /** A message with these rows came; `sent` as it says, NaN where it does not, `asked`: it says that it was asked for. */
  take(epoch: string, rows: readonly number[], message: Came & { readonly asked: boolean }): void {
    const { at, sent, asked } = message;
    this.#settle(at);
    const came = this.#came.get(epoch) ?? new Map<number, Came>();
    this.#came.set(epoch, came);
    const before = rows.flatMap((row) => came.get(row) ?? []);
    for (const row of rows) came.set(row, { at, sent });
    // The same message delivered twice is none that was sent twice.
    const again = before.filter((one) => one.sent !== sent);
    if (again.length === 0 || asked) return;
    // An occasion may have come before a row that was sent before it.
    const last = Math.max(...again.map((one) => one.at));
    if (this.#occasion >= last - CROSSING_MS) return;
    this.#again.push({ at, what: `row ${rows[0]} of ${epoch}` });
  }

  /** Whether a row of the epoch has come since it was asked for at `at`; what it asked for may overtake an acknowledgement. */
  cameSince(epoch: string, at: number): (row: number) => boolean {
    const came = this.#came.get(epoch);
    return (row) => (came?.get(row)?.at ?? Number.NEGATIVE_INFINITY) >= at - CROSSING_MS;
  }

  finish(): void {
    this.#settle(Number.POSITIVE_INFINITY);
  }

  /** Judges the resends for which no occasion can come any more. */
  #settle(now: number): void {
    while (this.#again[0] && now - this.#again[0].at > CROSSING_MS) {
      this.#judge(this.#again.shift() as Again);
    }
  }

  #judge({ at, what }: Again): void {
    if (!this.#isAcknowledged()) return;
    const pause = Math.min(PAUSE_MS * 2 ** this.#unasked, PAUSE_MAX_MS);
    const waited = at - this.#since;
    this.#verdicts.check(
      'A2',
      waited >= pause - CROSSING_MS,
      () => `${what} was sent again ${Math.round(waited / 1_000)} s after the last sign or resend`,
    );
    this.#unasked += 1;
    this.#since = at;
  }
}
