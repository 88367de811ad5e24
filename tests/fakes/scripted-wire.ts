// A wire in memory: what is written goes to a function, bytes can be said at any time, and the wire can be unplugged.

import type { Clock, Wire } from '../../src/boundaries.ts';
import type { FaultCode, Result } from '../../src/domain/fault.ts';
import { faulty, good } from '../../src/domain/fault.ts';

/** A Wire whose other end is a test. Times are of the clock given, so virtual time does. */
export class ScriptedWire implements Wire {
  /** How often opening was tried. */
  opens = 0;
  readonly #clock: Clock;
  #open = false;
  #plugged = true;
  #absence: FaultCode = 'port.absent';
  /** Counts openings: what was said to one is not heard by the next. */
  #link = 0;
  #hear: (bytes: Uint8Array) => void = () => {};
  #tellLost: () => void = () => {};
  #device: (bytes: Uint8Array) => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What happens at the other end with the bytes of each write. */
  device(device: (bytes: Uint8Array) => void): void {
    this.#device = device;
  }

  /** The other end speaks, so long from now, to whoever has the wire open by then since now. */
  say(bytes: Uint8Array, afterMs = 0): void {
    const link = this.#link;
    const said = Uint8Array.from(bytes);
    const speak = () => {
      if (this.#open && link === this.#link) this.#hear(said);
    };
    if (afterMs <= 0) speak();
    else void this.#clock.sleep(afterMs).then(speak);
  }

  /** As a line does, where what was asked before it was closed is answered all the same. */
  sayAnyway(bytes: Uint8Array, afterMs: number): void {
    void this.#clock.sleep(afterMs).then(() => {
      if (this.#open) this.#hear(Uint8Array.from(bytes));
    });
  }

  unplug(absence: FaultCode = 'port.absent'): void {
    this.#plugged = false;
    this.#absence = absence;
    if (!this.#open) return;
    this.#open = false;
    this.#tellLost();
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
    return good(undefined);
  }

  async write(bytes: Uint8Array): Promise<Result<void>> {
    if (!this.#open) return faulty('port.absent', 'not open');
    const heard = Uint8Array.from(bytes);
    this.#device(heard);
    return good(undefined);
  }

  unsent(): number {
    return 0;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#hear = listener;
  }

  onLost(listener: () => void): void {
    this.#tellLost = listener;
  }

  async close(): Promise<void> {
    this.#open = false;
  }
}
