// What goes over a wire, in both directions, with the gaps between: switched on while it runs, bounded in bytes and time.

import type { Clock, TracedFrame, TracedFrames, Wire, WireTrace } from '../boundaries.ts';

/** Bytes kept that nobody has taken yet: a quarter of an hour of a 9600-baud line that is never idle. */
const KEPT_BYTES = 1024 * 1024;
/** So many pieces, however short they are. */
const KEPT_PIECES = 20_000;
/** Pieces handed out at once: an answer of some hundred kB. */
const TAKEN_PIECES = 2_000;
/** How long who takes is kept waiting for something to take. */
const WAIT_MS = 1_000;

interface Piece {
  readonly atMs: number;
  readonly gapMs: number;
  readonly dir: 'tx' | 'rx';
  readonly bytes: Uint8Array;
}

/** The trace of one wire. `clock` is the wire's. Off, it costs one comparison for each piece of bytes. */
export class FrameTrace implements WireTrace {
  readonly #clock: Clock;
  #on = false;
  #trace = 0;
  #began = 0;
  #until = 0;
  #lastAt = 0;
  #pieces: Piece[] = [];
  /** How many pieces went before the first one kept. */
  #gone = 0;
  #bytes = 0;
  #wake: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The wire, listened to. */
  over(wire: Wire): Wire {
    return new TracedWire(wire, (dir, bytes) => {
      if (this.#on) this.#note(dir, bytes);
    });
  }

  start(forMs: number): number {
    this.#wake?.();
    this.#trace += 1;
    this.#pieces = [];
    this.#gone = 0;
    this.#bytes = 0;
    this.#began = this.#clock.monotonicMs();
    this.#lastAt = this.#began;
    this.#until = this.#began + forMs;
    this.#on = true;
    return this.#trace;
  }

  stop(trace: number): void {
    if (trace !== this.#trace) return;
    this.#on = false;
    this.#wake?.();
  }

  async take(trace: number, after: number): Promise<TracedFrames> {
    if (trace === this.#trace && this.#isOn() && after >= this.#end()) await this.#wait();
    if (trace !== this.#trace) return { frames: [], next: after, lost: 0, over: true };
    const from = Math.max(after, this.#gone);
    const taken = this.#pieces.slice(from - this.#gone, from - this.#gone + TAKEN_PIECES);
    const next = from + taken.length;
    // What was taken need not be kept: who takes asks for what follows it.
    this.#forget(Math.max(0, after - this.#gone));
    const over = !this.#isOn() && next >= this.#end();
    return { frames: taken.map((piece) => this.#told(piece)), next, lost: from - after, over };
  }

  #isOn(): boolean {
    if (this.#on && this.#clock.monotonicMs() >= this.#until) this.#on = false;
    return this.#on;
  }

  #end(): number {
    return this.#gone + this.#pieces.length;
  }

  #note(dir: 'tx' | 'rx', bytes: Uint8Array): void {
    const now = this.#clock.monotonicMs();
    if (!this.#isOn()) return;
    // No `slice`: of a Buffer that is a view of what its owner writes over.
    const copy = new Uint8Array(bytes);
    this.#pieces.push({ atMs: now, gapMs: now - this.#lastAt, dir, bytes: copy });
    this.#lastAt = now;
    this.#bytes += bytes.length;
    // The newest are the ones wanted.
    while (this.#bytes > KEPT_BYTES || this.#pieces.length > KEPT_PIECES) this.#forget(1);
    this.#wake?.();
  }

  #forget(count: number): void {
    for (const { bytes } of this.#pieces.splice(0, count)) {
      this.#bytes -= bytes.length;
      this.#gone += 1;
    }
  }

  async #wait(): Promise<void> {
    const over = new AbortController();
    this.#wake?.();
    this.#wake = () => over.abort('something came');
    const left = this.#until - this.#clock.monotonicMs();
    await this.#clock.sleep(Math.min(WAIT_MS, left), over.signal);
  }

  #told({ atMs, gapMs, dir, bytes }: Piece): TracedFrame {
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return { at_us: micros(atMs - this.#began), dir, hex, gap_us: micros(gapMs) };
  }
}

function micros(ms: number): number {
  return Math.round(ms * 1000);
}

/** A wire that tells what goes over it. */
class TracedWire implements Wire {
  readonly #wire: Wire;
  readonly #tell: (dir: 'tx' | 'rx', bytes: Uint8Array) => void;

  constructor(wire: Wire, tell: (dir: 'tx' | 'rx', bytes: Uint8Array) => void) {
    this.#wire = wire;
    this.#tell = tell;
  }

  isOpen() {
    return this.#wire.isOpen();
  }

  open() {
    return this.#wire.open();
  }

  write(bytes: Uint8Array) {
    this.#tell('tx', bytes);
    return this.#wire.write(bytes);
  }

  unsent() {
    return this.#wire.unsent();
  }

  onBytes(listener: (bytes: Uint8Array) => void) {
    this.#wire.onBytes((bytes) => {
      this.#tell('rx', bytes);
      listener(bytes);
    });
  }

  onLost(listener: () => void) {
    this.#wire.onLost(listener);
  }

  close() {
    return this.#wire.close();
  }
}
