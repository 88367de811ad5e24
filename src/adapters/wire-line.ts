// A line over a wire: what comes is cut into frames, and a peer that fell silent is made anew where that can help.

import type { Clock, Line, Wire } from '../boundaries.ts';
import type { Framer } from '../codec/line-framer.ts';
import type { Result } from '../domain/fault.ts';
import { LineInbox } from './line-inbox.ts';

export interface WireLineOptions {
  readonly wire: Wire;
  /** The wire's clock. */
  readonly clock: Clock;
  readonly framer: Framer;
  /** How the wire is named in the words of a fault. */
  readonly name: string;
  /** After so many answers missed in a row the wire is opened anew; absent: never. */
  readonly silencesToReopen?: number;
}

/** A closed line over a closed wire of its own. */
export function createWireLine(options: WireLineOptions): Line {
  return new WireLine(options);
}

class WireLine implements Line {
  readonly #wire: Wire;
  readonly #inbox: LineInbox;
  readonly #name: string;
  readonly #silencesToReopen: number;
  #silences = 0;

  constructor({ wire, clock, framer, name, silencesToReopen }: WireLineOptions) {
    this.#wire = wire;
    this.#inbox = new LineInbox(clock, framer);
    this.#name = name;
    this.#silencesToReopen = silencesToReopen ?? Number.POSITIVE_INFINITY;
    wire.onBytes((bytes) => {
      this.#silences = 0;
      this.#inbox.put(bytes);
    });
    wire.onLost(() => this.#inbox.lost(`${this.#name} is gone`));
  }

  isOpen(): boolean {
    return this.#wire.isOpen();
  }

  async open(): Promise<Result<void>> {
    if (this.isOpen()) return this.#wire.open();
    // Before the wire speaks: its first bytes may come before the word that it is open.
    this.#inbox.opened();
    const opened = await this.#wire.open();
    if (!this.#wire.isOpen()) this.#inbox.lost(`${this.#name} is gone`);
    this.#silences = 0;
    return opened;
  }

  write(bytes: Uint8Array): Promise<Result<void>> {
    return this.#wire.write(bytes);
  }

  async receive(timeoutMs: number, signal?: AbortSignal): Promise<Result<Uint8Array>> {
    const frame = await this.#inbox.receive(timeoutMs, signal);
    if (!frame.ok && frame.fault.code === 'line.silent') {
      this.#silences += 1;
      if (this.#silences >= this.#silencesToReopen) await this.#end(`${this.#name} is silent`);
    }
    return frame;
  }

  drain(): void {
    this.#inbox.drain();
  }

  close(): Promise<void> {
    return this.#end('the line was closed');
  }

  #end(detail: string): Promise<void> {
    const closed = this.#wire.close();
    this.#inbox.lost(detail);
    return closed;
  }
}
