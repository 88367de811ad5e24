// Cuts a stream of bytes into lines ended by CR, with a bound on their length: what is torn or overlong is never a line.

import { FRAME_CAP } from './encoder-line.ts';

const CR = 0x0d;
/** CR as 7E1 shows it on a port opened 8N1: three ones, so its parity bit is set (encoders 1.7). No text holds it. */
const CR_WITH_PARITY = 0x8d;
const LF = 0x0a;

/** Cuts bounded bytes at CR. The serial line gives the library's parser this shape. */
export interface LineSplitter {
  /** The lines that end in these bytes, without their CR; the rest is held for the next call. */
  split(bytes: Uint8Array): readonly Uint8Array[];
  /** Drops what is held. */
  forget(): void;
}

/** What came out of a stream: a whole line, or the news that the cap was passed without a CR. */
export type LineItem = { readonly frame: Uint8Array } | 'overlong';

/** Guards a splitter, which by itself would hold an endless line for ever. */
export class LineFramer {
  readonly #splitter: LineSplitter;
  /** Bytes since the last CR. */
  #length = 0;
  /** The line under way began before it could be trusted: dropped up to and with its CR. */
  #skipping = false;

  constructor(splitter: LineSplitter) {
    this.#splitter = splitter;
  }

  /** Takes the next bytes of the stream and gives what they complete, in order. */
  push(bytes: Uint8Array): LineItem[] {
    const items: LineItem[] = [];
    let passed: number[] = [];
    for (const byte of bytes) {
      const admitted = this.#admit(byte);
      if (admitted === 'overlong') {
        items.push(...this.#lines(passed), 'overlong');
        passed = [];
        this.#splitter.forget();
      } else if (admitted !== null) passed.push(admitted);
    }
    items.push(...this.#lines(passed));
    return items;
  }

  /** True while a line has begun and not ended. */
  isPartial(): boolean {
    return this.#length > 0;
  }

  /**
   * Forgets all bytes so far. With `underway` a line that has begun is taken to go on, and its tail will be dropped;
   * without, what has begun was noise.
   */
  forget(underway: boolean): void {
    this.#skipping = underway && (this.#length > 0 || this.#skipping);
    this.#length = 0;
    this.#splitter.forget();
  }

  /** The byte as the splitter may see it, null to withhold it. */
  #admit(byte: number): number | null | 'overlong' {
    if (byte === CR || byte === CR_WITH_PARITY) {
      const whole = this.#length > 0 && !this.#skipping;
      this.#skipping = false;
      this.#length = 0;
      return whole ? CR : null;
    }
    // A bridge that ends its lines with CR LF: the LF begins nothing.
    if (byte === LF && this.#length === 0) return null;
    this.#length += 1;
    if (this.#length > FRAME_CAP) {
      this.#skipping = true;
      this.#length = 0;
      return 'overlong';
    }
    return this.#skipping ? null : byte;
  }

  #lines(passed: readonly number[]): LineItem[] {
    return this.#splitter.split(Uint8Array.from(passed)).map((frame) => ({ frame }));
  }
}

/** A splitter in plain arrays, for transports without one of their own. */
export function crSplitter(): LineSplitter {
  let held: number[] = [];
  return {
    split(bytes) {
      const lines: Uint8Array[] = [];
      for (const byte of bytes) {
        if (byte === CR) {
          lines.push(Uint8Array.from(held));
          held = [];
        } else held.push(byte);
      }
      return lines;
    },
    forget() {
      held = [];
    },
  };
}
