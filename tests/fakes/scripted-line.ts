// A line in memory: a script answers what is written, bytes can be said at any time, and the port can be unplugged.

import { LineInbox } from '../../src/adapters/line-inbox.ts';
import type { Clock, Line } from '../../src/boundaries.ts';
import { CR_FRAMING, framerOf } from '../../src/codec/framer.ts';
import type { FaultCode, Result } from '../../src/domain/fault.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import type { Framing } from '../../src/domain/profile.ts';

/** Bytes that come so long after the question. */
export interface ScriptedBytes {
  readonly bytes: string | Uint8Array;
  readonly afterMs?: number;
}

/** A Line whose other end is a function. Times are of the clock given, so virtual time does. */
export class ScriptedLine implements Line {
  /** All requests so far, as text. */
  readonly requests: string[] = [];
  /** How often opening was tried. */
  opens = 0;
  readonly #clock: Clock;
  readonly #inbox: LineInbox;
  #script: (request: string) => readonly ScriptedBytes[] = () => [];
  #plugged = true;
  #absence: FaultCode = 'port.absent';
  /** Counts openings: what was said to one is not heard by the next. */
  #link = 0;
  #open = false;

  constructor(clock: Clock, framing: Framing = CR_FRAMING) {
    this.#clock = clock;
    this.#inbox = new LineInbox(clock, framerOf(framing));
  }

  /** From now on each request is answered by what `script` says. */
  answer(script: (request: string) => readonly ScriptedBytes[]): void {
    this.#script = script;
  }

  /** The other end speaks by itself. */
  say(bytes: string | Uint8Array): void {
    if (this.#open)
      this.#inbox.put(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The port goes, until `plugIn`; `absence` is what opening says meanwhile. */
  unplug(absence: FaultCode = 'port.absent'): void {
    this.#plugged = false;
    this.#absence = absence;
    this.#lose('unplugged');
  }

  plugIn(): void {
    this.#plugged = true;
  }

  isOpen(): boolean {
    return this.#open;
  }

  async open(): Promise<Result<void>> {
    if (this.#open) return good(undefined);
    this.opens += 1;
    if (!this.#plugged) return faulty(this.#absence, 'unplugged');
    this.#link += 1;
    this.#open = true;
    this.#inbox.opened();
    return good(undefined);
  }

  async write(bytes: Uint8Array): Promise<Result<void>> {
    if (!this.#open) return faulty('port.absent', 'the line is not open');
    const request = Buffer.from(bytes).toString('latin1');
    this.requests.push(request);
    for (const { bytes: said, afterMs } of this.#script(request)) this.#sayLater(said, afterMs);
    return good(undefined);
  }

  async receive(timeoutMs: number, signal?: AbortSignal): Promise<Result<Uint8Array>> {
    return this.#inbox.receive(timeoutMs, signal);
  }

  drain(): void {
    this.#inbox.drain();
  }

  async close(): Promise<void> {
    this.#lose('closed');
  }

  #lose(detail: string): void {
    this.#open = false;
    this.#inbox.lost(detail);
  }

  #sayLater(said: string | Uint8Array, afterMs = 0): void {
    const link = this.#link;
    void this.#clock.sleep(afterMs).then(() => {
      if (link === this.#link) this.say(said);
    });
  }
}
