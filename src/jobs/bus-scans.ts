// The scan of one bus: begun and watched by a person, worked on by the bus's loop when nobody is due.

import type { BusScans, Clock, ScanRun } from '../boundaries.ts';
import type { ScanProgress } from '../domain/scan.ts';

/** How long who watches is kept waiting for news. */
const WAIT_MS = 1_000;
/** A sitting, in milliseconds of the wire: a few questions. It may last two time-outs longer. */
const SITTING_MS = 1_000;

export interface BusScansParts {
  /** The wire's clock. */
  readonly wire: Clock;
  /** Lets go of the bus's own link until its next read. */
  readonly rest: () => Promise<void>;
}

export class BusScansOf implements BusScans {
  readonly #parts: BusScansParts;
  #run: ScanRun | null = null;
  #timeoutMs = 0;
  #halt = new AbortController();
  #wake: () => void = () => undefined;

  constructor(parts: BusScansParts) {
    this.#parts = parts;
  }

  /** Who works on it, and may be asleep until the next poll, is woken by `wake` when a scan begins. */
  attach(wake: () => void): void {
    this.#wake = wake;
  }

  start(run: ScanRun, timeoutMs: number): boolean {
    if (this.isWaiting()) return false;
    this.#run = run;
    this.#timeoutMs = timeoutMs;
    this.#halt = new AbortController();
    this.#wake();
    return true;
  }

  async progress(waitMs = WAIT_MS): Promise<ScanProgress | null> {
    const before = this.#now();
    if (before === null || before.over) return before;
    await this.#parts.wire.sleep(Math.min(waitMs, WAIT_MS), this.#halt.signal);
    return this.#now();
  }

  stop(): void {
    this.#halt.abort('stopped');
  }

  /** Whether there is something to work on. */
  isWaiting(): boolean {
    return this.#now()?.over === false;
  }

  /** The longest that `work` holds the wire, in its milliseconds: a sitting, its last question, and the silence after it. */
  sittingMs(): number {
    return SITTING_MS + 2 * this.#timeoutMs;
  }

  /** One sitting. The bus's own link is closed before and opened by its next read. */
  async work(signal: AbortSignal): Promise<void> {
    const halt = this.#halt;
    const stop = () => halt.abort('stopped');
    signal.addEventListener('abort', stop, { once: true });
    await this.#parts.rest();
    await this.#run?.work(SITTING_MS, halt.signal);
    signal.removeEventListener('abort', stop);
  }

  #now(): ScanProgress | null {
    const now = this.#run?.progress() ?? null;
    return now && this.#halt.signal.aborted ? { ...now, over: true } : now;
  }
}
