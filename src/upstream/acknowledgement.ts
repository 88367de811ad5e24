// When a row is settled: at the broker's PUBACK, or, where a head-end says so, once it is stored there (A1, A2).

import { Bell } from '../bell.ts';
import type { Clock, InMessage, Journal, Log } from '../boundaries.ts';
import { type Ack, readAck, readHeadEndState } from '../codec/ack-message.ts';
import type { Acknowledged, Row } from '../domain/entry.ts';
import { RowSet } from '../domain/row-set.ts';
import { sometimes } from '../sometimes.ts';

/** How the owner wants rows to be settled; `auto`: as the head-end says, and PUBACK until it does. */
export type AckMode = 'auto' | 'required' | 'none';

/** Without an acknowledgement for so long the oldest row alone is sent again (A2); the pause doubles up to the second. */
const RESEND_MS = 15 * 60_000;
const RESEND_MAX_MS = 6 * 3_600_000;

/** Sent so far ahead of our clock, an acknowledgement rules over none that is not: a head-end's clock was wrong once. */
const AHEAD_MAX_MS = 24 * 3_600_000;

export interface AcknowledgementParts {
  readonly journal: Journal;
  readonly clock: Clock;
  /** The wire's clock. */
  readonly wire: Clock;
  readonly log: Log;
  readonly collector: string;
  readonly mode: AckMode;
  /** Called when rows are to be sent again. */
  readonly stir: () => void;
}

/** What was delivered and is not acknowledged yet. Everything else stands in the journal, so a restart only sends again. */
export class Acknowledgement {
  readonly #parts: AcknowledgementParts;
  /** Delivered in this life, waiting for the head-end. */
  readonly #awaiting = new RowSet();
  readonly #heard = new Bell();
  /** An acknowledgement of rows that this life has not sent yet: they may have been sent by an earlier one. */
  #early: Ack | undefined;
  #highestSent = 0;
  /** After a silence: the highest row that had been sent by then. Up to there everything follows the next acknowledgement. */
  #silentTo = 0;
  /** Ends the wait for a sign of the head-end. */
  #hearSign: () => void = () => undefined;
  /** Rows of another epoch are other rows. */
  #epoch = '';
  #session: string | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: AcknowledgementParts) {
    this.#parts = parts;
  }

  isRequired(): boolean {
    const { mode, journal } = this.#parts;
    return mode === 'required' || (mode === 'auto' && journal.acknowledged().required);
  }

  /** Rows that wait for the head-end alone. */
  awaiting(): number {
    return this.#awaiting.size;
  }

  isAwaiting(row: number): boolean {
    return this.#awaiting.has(row);
  }

  /** Takes claimed rows that the broker has. */
  delivered(rows: readonly Row[]): void {
    const { journal } = this.#parts;
    this.#watchEpoch();
    for (const { row } of rows) this.#highestSent = Math.max(this.#highestSent, row);
    if (!this.isRequired()) {
      journal.settle(rows);
      journal.release(rows);
    } else {
      for (const { row } of rows) this.#awaiting.add(row);
      if (rows.length > 0) this.#heard.ring();
    }
    if (this.#early && this.#early.row <= this.#highestSent) this.#take(this.#early);
  }

  /** Takes a message on `dn/ack`. */
  hearAck({ payload }: InMessage): void {
    if (this.#parts.mode === 'none') return;
    const ack = readAck(payload, this.#parts.collector);
    if (typeof ack === 'string') return this.#refuse('an acknowledgement', ack);
    if (ack.epoch !== this.#parts.journal.epoch)
      return this.#refuse('an acknowledgement', 'of another epoch');
    this.#take(ack);
  }

  /** Takes a message on `_headend/state`. */
  hearState({ payload }: InMessage): void {
    if (payload.length === 0) return; // Cleared.
    const said = readHeadEndState(payload);
    if (typeof said === 'string') return this.#refuse("the head-end's state", said);
    if (said.ack === 'required' && this.#parts.mode === 'auto') this.#parts.journal.requireAcks();
    if (said.state !== 'online') return;
    const isNew = this.#session !== undefined && this.#session !== said.session;
    this.#session = said.session;
    if (!isNew) return;
    sometimes('upstream: a head-end came back with a new session');
    this.#silentTo = 0;
    this.#sendAgain([...this.#awaiting]);
    this.#hearSign();
  }

  /** Sends the oldest row again where no acknowledgement comes, until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    let pause = RESEND_MS;
    while (!signal.aborted) {
      if (this.#awaiting.size === 0) {
        await this.#heard.wait(signal);
        pause = RESEND_MS;
        continue;
      }
      if (await this.#isSilent(pause, signal)) {
        sometimes('upstream: the oldest row alone was sent again');
        this.#silentTo = this.#highestSent;
        this.#sendAgain([...this.#awaiting].slice(0, 1));
        pause = Math.min(2 * pause, RESEND_MAX_MS);
      } else pause = RESEND_MS;
    }
  }

  /** Whether the head-end says nothing new for so long; false as soon as it does, and when `signal` aborts. */
  async #isSilent(ms: number, signal: AbortSignal): Promise<boolean> {
    const turn = new AbortController();
    this.#hearSign = () => turn.abort('heard');
    signal.addEventListener('abort', this.#hearSign, { once: true });
    await this.#parts.wire.sleep(ms, turn.signal);
    await this.#work;
    signal.removeEventListener('abort', this.#hearSign);
    return !turn.signal.aborted;
  }

  /** After a restore, or a journal that lost rows, everything is numbered and waited for anew. */
  #watchEpoch(): void {
    const { journal } = this.#parts;
    if (journal.epoch === this.#epoch) return;
    this.#epoch = journal.epoch;
    this.#awaiting.clear();
    this.#early = undefined;
    this.#silentTo = 0;
    this.#highestSent = journal.acknowledged().row;
  }

  /** Acknowledgements are taken one after another: each is held against what the one before left. */
  #take(ack: Ack): void {
    this.#work = this.#work.then(() => this.#acknowledge(ack));
  }

  async #acknowledge(ack: Ack): Promise<void> {
    const { journal } = this.#parts;
    this.#watchEpoch();
    const before = journal.acknowledged();
    if (ack.epoch !== journal.epoch || !this.#isNewer(ack, before)) return;
    if (ack.row > journal.lastRow())
      return this.#refuse('an acknowledgement', `of row ${ack.row}, never sent`);
    // One of rows that are not sent yet goes on waiting for them, whatever was said before it.
    const early = this.#early;
    const rules = early === undefined || early === ack || this.#isNewer(ack, early);
    if (ack.row > this.#highestSent) {
      sometimes('upstream: an acknowledgement was of rows not sent in this life');
      if (rules) this.#early = ack;
      return;
    }
    if (rules) this.#early = undefined;
    await this.#settleBy(ack, before);
  }

  async #settleBy(ack: Ack, before: Acknowledged): Promise<void> {
    const { row, missing, sent } = ack;
    const isLast = this.isRequired();
    if (row < before.row) sometimes('upstream: an acknowledgement fell back');
    if (missing.length > 0) sometimes('upstream: rows were asked for again');
    const { required } = before;
    const settling = { epoch: ack.epoch, required, row, missing, sent };
    await this.#parts.journal.acknowledge(settling, isLast);
    const again: number[] = [];
    for (const waiting of this.#awaiting) {
      const wanted = missing.some(([first, last]) => waiting >= first && waiting <= last);
      if (waiting <= row && !wanted) this.#awaiting.delete(waiting);
      else if (wanted || row < before.row || waiting <= this.#silentTo) again.push(waiting);
    }
    this.#silentTo = 0;
    this.#sendAgain(again);
    this.#hearSign();
    if (missing.length > 0) this.#parts.stir();
  }

  /**
   * The newest rules (A1); of two of one instant, for many head-ends tell whole seconds, the one that goes further. Simulated
   * time may be behind the true one, or before it.
   */
  #isNewer(ack: Ack, before: Pick<Ack, 'row' | 'sent'>): boolean {
    const { clock, wire } = this.#parts;
    const most = Math.max(clock.now(), wire.now()) + AHEAD_MAX_MS;
    if (before.sent > most && ack.sent <= most) return true;
    return ack.sent > before.sent || (ack.sent === before.sent && ack.row > before.row);
  }

  #sendAgain(rows: readonly number[]): void {
    if (rows.length === 0) return;
    for (const row of rows) this.#awaiting.delete(row);
    this.#parts.journal.release(rows.map((row) => ({ row })));
    this.#parts.stir();
  }

  #refuse(what: string, why: string): void {
    this.#parts.log.warn({ what, why }, 'a message of the head-end settles nothing');
  }
}
