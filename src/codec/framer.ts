// Finds frames without a delimiter in a stream: between STX and ETX, or of a fixed length behind a start character.

import type { Framing } from '../domain/profile.ts';
import {
  type Delimiter,
  delimiterSplitter,
  type Framer,
  LineFramer,
  type LineItem,
  type LineSplitter,
} from './line-framer.ts';
import { FRAME_CAP, withEvenParity } from './seven-bit.ts';

const STX = 0x02;
/** Two ones: the same with even parity. */
const ETX = 0x03;
const CR = 0x0d;
const LF = 0x0a;
const LINE_ENDS: readonly number[] = [CR, LF, withEvenParity(CR)];

/** The framing of a bus nobody is on, and of every UI-1203 bridge. */
export const CR_FRAMING: Framing = { kind: 'delimiter', delimiter: 'CR' };

/** The framer of a line. `splitter` cuts at delimiters where the transport has one of its own. */
export function framerOf(
  framing: Framing,
  splitter: (delimiter: Delimiter) => LineSplitter = delimiterSplitter,
): Framer {
  switch (framing.kind) {
    case 'delimiter':
      return new LineFramer(splitter(framing.delimiter), framing.delimiter);
    case 'stx-etx':
      return new SpanFramer();
    case 'fixed':
      return new FixedFramer(framing.start, framing.length);
  }
}

/** The framing in words; equal for equal framings. */
export function framingName(framing: Framing): string {
  switch (framing.kind) {
    case 'delimiter':
      return framing.delimiter;
    case 'stx-etx':
      return 'STX ... ETX';
    case 'fixed':
      return `${framing.length} characters from "${framing.start}"`;
  }
}

/** Bytes between frames. So many without a frame in them are the sign of a wrong speed, as an endless line is. */
class Noise {
  #length = 0;

  get isHeard(): boolean {
    return this.#length > 0;
  }

  /** True when the cap is passed. Line ends that a bridge adds between frames are none. */
  hear(byte: number): boolean {
    if (byte === CR || byte === LF) return false;
    this.#length += 1;
    if (this.#length <= FRAME_CAP) return false;
    this.#length = 0;
    return true;
  }

  forget(): void {
    this.#length = 0;
  }
}

/** Frames between STX and ETX, given without them. An STX always begins anew: what came before it was torn. */
class SpanFramer implements Framer {
  #held: number[] | null = null;
  readonly #noise = new Noise();

  push(bytes: Uint8Array): LineItem[] {
    return [...bytes].flatMap((byte) => this.#next(byte));
  }

  isPartial(): boolean {
    return this.#held !== null || this.#noise.isHeard;
  }

  /** The tail of a frame under way has no STX and is noise by itself. */
  forget(): void {
    this.#held = null;
    this.#noise.forget();
  }

  paused(): void {}

  #next(byte: number): LineItem[] {
    const held = this.#held;
    if (byte === STX || byte === withEvenParity(STX)) this.#begin([]);
    else if (held === null) return this.#noise.hear(byte) ? ['overlong'] : [];
    else if (byte === ETX) {
      this.#begin(null);
      return [{ frame: Uint8Array.from(held) }];
    } else if (held.push(byte) > FRAME_CAP) {
      this.#begin(null);
      return ['overlong'];
    }
    return [];
  }

  #begin(held: number[] | null): void {
    this.#held = held;
    this.#noise.forget();
  }
}

/** Frames of one length behind a start character, which belongs to the frame. */
class FixedFramer implements Framer {
  readonly #starts: readonly number[];
  readonly #frameLength: number;
  #held: number[] = [];
  /** Bytes of a forgotten frame that are still to come. */
  #tail = 0;
  readonly #noise = new Noise();

  constructor(start: string, frameLength: number) {
    const code = start.charCodeAt(0);
    this.#starts = [code, withEvenParity(code)];
    this.#frameLength = frameLength;
  }

  push(bytes: Uint8Array): LineItem[] {
    return [...bytes].flatMap((byte) => this.#next(byte));
  }

  isPartial(): boolean {
    return this.#held.length > 0 || this.#noise.isHeard;
  }

  forget(underway: boolean): void {
    if (!underway) this.#tail = 0;
    else if (this.#held.length > 0) this.#tail = this.#frameLength - this.#held.length;
    this.#held = [];
    this.#noise.forget();
  }

  paused(): void {
    this.#tail = 0;
  }

  #next(byte: number): LineItem[] {
    if (this.#tail > 0) {
      this.#tail -= 1;
      return [];
    }
    if (this.#held.length === 0 && !this.#starts.includes(byte)) {
      return this.#noise.hear(byte) ? ['overlong'] : [];
    }
    this.#noise.forget();
    // An echo of the question that began like a frame; no frame of ours has a line end in it.
    if (LINE_ENDS.includes(byte)) {
      this.#held = [];
      return [];
    }
    if (this.#held.push(byte) < this.#frameLength) return [];
    const frame = Uint8Array.from(this.#held);
    this.#held = [];
    return [{ frame }];
  }
}
