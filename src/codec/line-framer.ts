// Cuts a stream of bytes into frames ended by CR, LF or both, with a bound on their length: what is torn or overlong is never a frame.

import { beginsLine, FRAME_CAP } from './seven-bit.ts';

const CR = 0x0d;
/** CR as 7E1 shows it on a port opened 8N1: three ones, so its parity bit is set (encoders 1.7). No text holds it. */
const CR_WITH_PARITY = 0x8d;
/** Two ones: the same with parity. */
const LF = 0x0a;
/**
 * An RS-485 driver that takes the line, and a bridge that wakes, begin with a break or a spike: at most so many are nothing. More are
 * a line that is held down.
 */
const SPIKES_MAX = 16;
/**
 * What a UART shows of a spike: the bits that it held the line down, the lowest first, then ones. No text holds FF and 00, and no
 * message begins with any of the others.
 */
const SPIKES: ReadonlySet<number> = new Set([
  ...[0xff, 0xfe, 0xfc, 0xf8, 0xf0, 0xe0, 0xc0, 0x80, 0x00],
]);

/** Whether a byte in front of a message is a spike on the line. */
export function isSpike(byte: number | undefined): boolean {
  return byte !== undefined && SPIKES.has(byte);
}

/** How a device says that it ends its lines. No text holds either, and bridges change them: a line ends at any of them. */
export type Delimiter = 'CR' | 'CR LF';

/** Cuts bounded bytes at a delimiter. The serial line gives the library's parser this shape. */
export interface LineSplitter {
  /** The lines that end in these bytes, without their delimiter; the rest is held for the next call. */
  split(bytes: Uint8Array): readonly Uint8Array[];
  /** Drops what is held. */
  forget(): void;
}

/** What came out of a stream: a whole frame, or the news that the cap was passed without an end. */
export type LineItem = { readonly frame: Uint8Array } | 'overlong';

/** Finds frames in a stream, however it is cut into pieces. */
export interface Framer {
  /** Takes the next bytes of the stream and gives what they complete, in order. */
  push(bytes: Uint8Array): LineItem[];
  /** True while bytes came that ended no frame. */
  isPartial(): boolean;
  /**
   * Forgets all bytes so far. With `underway` a frame that has begun is taken to go on, and its tail will be dropped;
   * without, what has begun was noise.
   */
  forget(underway: boolean): void;
  /** So long nothing came that no tail is to be dropped any more. */
  paused(): void;
}

/** Guards a splitter, which by itself would hold an endless line for ever. */
export class LineFramer implements Framer {
  readonly #splitter: LineSplitter;
  readonly #delimiter: Delimiter;
  /** Bytes since the last delimiter. */
  #length = 0;
  /** Spikes before the first of them. */
  #spikes = 0;
  /** The first of them that is no spike. */
  #first = 0;
  /** The line under way began before it could be trusted: dropped up to and with its delimiter. */
  #skipping = false;

  constructor(splitter: LineSplitter, delimiter: Delimiter = 'CR') {
    this.#splitter = splitter;
    this.#delimiter = delimiter;
  }

  push(bytes: Uint8Array): LineItem[] {
    const items: LineItem[] = [];
    let passed: number[] = [];
    for (const byte of bytes) {
      if (this.#next(byte, passed)) continue;
      items.push(...this.#lines(passed), 'overlong');
      passed = [];
      this.#splitter.forget();
    }
    items.push(...this.#lines(passed));
    return items;
  }

  isPartial(): boolean {
    return this.#length > 0;
  }

  forget(underway: boolean): void {
    // Noise behind an answer would else take the next answer with it.
    const hasBegun = this.#length > 0 && beginsLine(this.#first);
    this.#skipping = underway && (hasBegun || this.#skipping);
    this.#length = 0;
    this.#spikes = 0;
    this.#splitter.forget();
  }

  paused(): void {
    if (this.#skipping) this.forget(false);
  }

  /** Adds to `passed` what the splitter may see now that `byte` came; false where the line is overlong. */
  #next(byte: number, passed: number[]): boolean {
    // A bridge with a system behind it may end its lines with LF alone, or before the CR; what is left of an end ends nothing.
    const isEnd = byte === CR || byte === CR_WITH_PARITY || byte === LF;
    return isEnd ? this.#end(passed) : this.#admit(byte, passed);
  }

  #end(passed: number[]): true {
    if (this.#length > 0 && !this.#skipping) {
      passed.push(CR);
      if (this.#delimiter === 'CR LF') passed.push(LF);
    }
    this.#skipping = false;
    this.#length = 0;
    this.#spikes = 0;
    return true;
  }

  #admit(byte: number, passed: number[]): boolean {
    if (this.#length === 0 && isSpike(byte) && this.#spikes < SPIKES_MAX) {
      this.#spikes += 1;
      return true;
    }
    if (this.#length === 0) this.#first = byte;
    this.#length += 1;
    if (this.#length > FRAME_CAP) {
      this.#skipping = true;
      this.#length = 0;
      return false;
    }
    if (!this.#skipping) passed.push(byte);
    return true;
  }

  #lines(passed: readonly number[]): LineItem[] {
    return this.#splitter.split(Uint8Array.from(passed)).map((frame) => ({ frame }));
  }
}

/** A splitter in plain arrays, for transports without one of their own. */
export function delimiterSplitter(delimiter: Delimiter): LineSplitter {
  let held: number[] = [];
  const isEnd = (byte: number) =>
    delimiter === 'CR' ? byte === CR : byte === LF && held.at(-1) === CR;
  return {
    split(bytes) {
      const lines: Uint8Array[] = [];
      for (const byte of bytes) {
        if (isEnd(byte)) {
          lines.push(Uint8Array.from(delimiter === 'CR' ? held : held.slice(0, -1)));
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
