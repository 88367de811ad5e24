// A two-wire line on virtual time: characters take their time at a baud, frames are damaged by chance, two who talk at once spoil both.

import { crc16 } from '../../simulator/modbus-slave.ts';
import type { Random } from '../../simulator/random.ts';
import type { Clock, Wire } from '../../src/boundaries.ts';
import type { Result } from '../../src/domain/fault.ts';
import { faulty, good } from '../../src/domain/fault.ts';

/** How those on a line talk. */
export interface Speech {
  readonly characterBits: number;
  /** Characters of silence that end a question. */
  readonly pause: number;
  /** Whom a question is for, and what is said to it; null where no device makes anything out of it. */
  hear(bytes: Uint8Array): { readonly unit: number; readonly frame: Uint8Array } | null;
  /** An answer as it goes on the line. */
  seal(answer: Uint8Array): Uint8Array;
}

/** Modbus RTU: start, eight data bits, parity or a second stop, stop (Modbus over serial line 1.02, 2.5.1). */
export const RTU_SPEECH: Speech = {
  ...{ characterBits: 11, pause: 3.5, seal: withCrc },
  hear: (bytes) =>
    crc16(bytes) === 0 ? { unit: bytes[0] ?? 0, frame: bytes.subarray(0, -2) } : null,
};

/** A bridge of encoders, asked `#ADDRESS` CR; nothing protects question or answer. */
export const BRIDGE_SPEECH: Speech = {
  ...{ characterBits: 10, pause: 0, seal: (answer) => answer.slice() },
  hear(bytes) {
    const asked = /^#([0-9]{1,3})\r$/.exec(String.fromCharCode(...bytes));
    return asked === null ? null : { unit: Number(asked[1]), frame: bytes };
  },
};

/** A UART hands over so many characters at once. */
const FIFO = 8;

/** What a device says to a whole question that is for it, and how long it takes to begin; null: nothing. */
export type Device = (
  frame: Uint8Array,
) => { readonly answer: Uint8Array; readonly afterMs: number } | null;

export interface PacedWireOptions {
  readonly clock: Clock;
  readonly speech: Speech;
  readonly baud: number;
  readonly chance: Random;
  /** The part of all frames, questions and answers, in which a bit is wrong. */
  readonly damaged: number;
  /** The devices by their unit. */
  readonly devices: ReadonlyMap<number, Device>;
}

/** What happened on the line. */
export interface LineTally {
  questions: number;
  answers: number;
  damaged: number;
  collisions: number;
  /** Questions that began before the pause after the last character was over. */
  early: number;
}

/** Who talks from when to when, in milliseconds of the clock. */
interface Talk {
  readonly from: number;
  to: number;
  spoilt: boolean;
}

/** One port and the devices behind it. */
export class PacedWire implements Wire {
  readonly tally: LineTally = { questions: 0, answers: 0, damaged: 0, collisions: 0, early: 0 };
  readonly #options: PacedWireOptions;
  readonly #characterMs: number;
  #open = false;
  #openings = 0;
  #asking: Talk = { from: -1, to: -1, spoilt: false };
  /** The newest talk of each device. */
  readonly #answering = new Map<number, Talk>();
  #hear: (bytes: Uint8Array) => void = () => undefined;
  #lost: () => void = () => undefined;

  constructor(options: PacedWireOptions) {
    this.#options = options;
    this.#characterMs = (options.speech.characterBits * 1000) / options.baud;
  }

  isOpen(): boolean {
    return this.#open;
  }

  async open(): Promise<Result<void>> {
    this.#openings += this.#open ? 0 : 1;
    this.#open = true;
    return good(undefined);
  }

  async write(bytes: Uint8Array): Promise<Result<void>> {
    if (!this.#open) return faulty('port.absent', 'not open');
    this.tally.questions += 1;
    const now = this.#now();
    const lastEnd = this.#others(-1).reduce((end, { to }) => Math.max(end, to), this.#asking.to);
    // A hundredth of a millisecond is the grain of sums of times, not a fault.
    const free = lastEnd + this.#options.speech.pause * this.#characterMs;
    if (now + 0.01 < free && lastEnd >= 0) this.tally.early += 1;
    const from = Math.max(now, this.#asking.to);
    const talk = { from, to: from + bytes.length * this.#characterMs, spoilt: false };
    this.#asking = talk;
    this.#collide(talk, this.#others(-1));
    const said = Uint8Array.from(bytes);
    if (this.#options.chance.chance(this.#options.damaged)) {
      this.tally.damaged += 1;
      spoil(said, this.#options.chance);
    }
    void this.#arrive(said, talk);
    return good(undefined);
  }

  unsent(): number {
    return Math.max(0, Math.floor((this.#asking.to - this.#now()) / this.#characterMs));
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#hear = listener;
  }

  onLost(listener: () => void): void {
    this.#lost = listener;
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  /** The cable is pulled out. */
  pull(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#lost();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  async #until(at: number): Promise<void> {
    const left = at - this.#now();
    if (left > 0) await this.#options.clock.sleep(left);
  }

  /** A question reaches the devices when the line has been silent behind it. */
  async #arrive(bytes: Uint8Array, talk: Talk): Promise<void> {
    const { devices, chance, damaged, speech } = this.#options;
    await this.#until(talk.to + speech.pause * this.#characterMs);
    // Talked over, or followed by more: no device makes a question out of it.
    if (talk.spoilt || this.#asking !== talk) return;
    const heard = speech.hear(bytes);
    const said = heard && devices.get(heard.unit)?.(heard.frame);
    if (!heard || !said) return;
    const { unit } = heard;
    await this.#until(talk.to + said.afterMs);
    this.tally.answers += 1;
    const frame = speech.seal(said.answer);
    const from = Math.max(this.#now(), this.#answering.get(unit)?.to ?? 0);
    const answer = { from, to: from + frame.length * this.#characterMs, spoilt: false };
    this.#collide(answer, [this.#asking, ...this.#others(unit)]);
    this.#answering.set(unit, answer);
    if (chance.chance(damaged)) {
      this.tally.damaged += 1;
      spoil(frame, chance);
    }
    await this.#deliver(frame, answer);
  }

  async #deliver(frame: Uint8Array, talk: Talk): Promise<void> {
    const opening = this.#openings;
    for (let at = 0; at < frame.length; at += FIFO) {
      const end = Math.min(frame.length, at + FIFO);
      await this.#until(talk.from + end * this.#characterMs);
      const piece = frame.slice(at, end);
      if (talk.spoilt) spoil(piece, this.#options.chance);
      if (this.#open && this.#openings === opening) this.#hear(piece);
    }
  }

  #others(unit: number): Talk[] {
    const others: Talk[] = [];
    for (const [one, talk] of this.#answering) if (one !== unit) others.push(talk);
    return others;
  }

  #collide(talk: Talk, others: readonly Talk[]): void {
    for (const other of others) {
      if (other.to <= talk.from || other.from >= talk.to) continue;
      this.tally.collisions += 1;
      other.spoilt = true;
      talk.spoilt = true;
    }
  }
}

/** The frame with its CRC, low byte first. */
export function withCrc(frame: Uint8Array): Uint8Array {
  const crc = crc16(frame);
  const sealed = new Uint8Array(frame.length + 2);
  sealed.set(frame);
  sealed[frame.length] = crc & 0xff;
  sealed[frame.length + 1] = crc >> 8;
  return sealed;
}

/** Turns one to three bits over: what a CRC of 16 bits always finds in a frame so short, and a text may hide. */
function spoil(bytes: Uint8Array, chance: Random): void {
  const bits = new Set<number>();
  const count = chance.whole(1, 3);
  while (bits.size < count) bits.add(chance.whole(0, bytes.length * 8 - 1));
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
}
