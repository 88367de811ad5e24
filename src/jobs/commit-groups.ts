// Makes the journal's staged changes durable: hours at once, everything else as one group a period.

import type { Clock, Journal, Log } from '../boundaries.ts';
import { Waker } from './waker.ts';

/** A failing medium is tried again after this long, in milliseconds of the wire. */
const RETRY_MS = 2_000;

/**
 * Two groups are so far apart, in milliseconds of the schedule: the first meter's hour goes at once, those that end within
 * the next moments go together. A synced write wears a whole page of flash, whatever is in it.
 */
const APART_MS = 2_000;

interface CommitParts {
  readonly journal: Journal;
  readonly wire: Clock;
  readonly log: Log;
  /** How much faster than the wire the schedule's clock runs. */
  readonly speed?: number;
  /** Called when a write begins and when it has ended, good or bad. */
  readonly writing?: (isWriting: boolean) => void;
}

/** Writes groups until `signal` aborts, then the last one. `periodMs` is time of the wire, as the disk's. */
export async function commitGroups(
  { journal, wire, log, speed = 1, writing }: CommitParts,
  periodMs: number,
  signal: AbortSignal,
): Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  const due = new UntilDue(journal, wire, signal);
  while (!signal.aborted) {
    await journal.staged(signal);
    const stood = journal.isSound();
    if (stood) await due.wait(periodMs);
    await due.apart(before + APART_MS / speed - wire.monotonicMs());
    before = wire.monotonicMs();
    // Whoever wrote or read when it failed says why.
    const isSound = journal.isSound();
    if (stood && !isSound)
      log.error({}, 'the journal failed under another job; it is opened again');
    writing?.(true);
    const written = await journal.flush();
    writing?.(false);
    if (written.ok && !isSound) log.info({}, 'the journal is sound again');
    if (written.ok) continue;
    log.error({ ...written.fault }, 'the journal could not be written; it is opened again');
    await openAgain({ journal, wire, log }, written.fault.detail, signal);
    if (journal.isSound()) log.info({}, 'the journal is sound again');
  }
  await journal.flush();
}

/** Tries until the journal is sound; the same trouble is told once. */
async function openAgain(
  { journal, wire, log }: CommitParts,
  trouble: string,
  signal: AbortSignal,
): Promise<void> {
  let told = trouble;
  while (!signal.aborted) {
    await wire.sleep(RETRY_MS, signal);
    const again = await journal.flush();
    if (again.ok) return;
    const { detail } = again.fault;
    if (detail !== told) log.error({ ...again.fault }, 'the journal is not open; trying again');
    told = detail;
  }
}

/** Waits for the period's end or for something urgent; what is waited for goes on while a group is written. */
class UntilDue {
  readonly #journal: Journal;
  readonly #waker: Waker;
  readonly #wire: Clock;
  readonly #signal: AbortSignal;
  #isListening = false;
  #isUrgent = false;

  constructor(journal: Journal, wire: Clock, signal: AbortSignal) {
    this.#journal = journal;
    this.#wire = wire;
    this.#waker = new Waker(wire, signal);
    this.#signal = signal;
  }

  async wait(periodMs: number): Promise<void> {
    await this.#until(periodMs, () => this.#isUrgent);
    this.#isUrgent = false;
  }

  /** Keeps groups apart; one that is full wears its pages by itself. */
  async apart(ms: number): Promise<void> {
    await this.#until(ms, () => this.#journal.isFull());
  }

  async #until(ms: number, isOver: () => boolean): Promise<void> {
    const ends = this.#wire.monotonicMs() + ms;
    for (let left = ms; left > 0 && !isOver() && !this.#signal.aborted; ) {
      if (!this.#isListening) void this.#listen();
      await this.#waker.sleep(left);
      left = ends - this.#wire.monotonicMs();
    }
  }

  async #listen(): Promise<void> {
    this.#isListening = true;
    await this.#journal.urgent(this.#signal);
    this.#isListening = false;
    this.#isUrgent = true;
    this.#waker.ring();
  }
}
