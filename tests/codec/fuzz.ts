// Damaged lines through every line profile, alone and out of a stream: what throws, hangs, leaks or is made up.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../../simulator/random.ts';
import { decodeFrame } from '../../src/codec/decode.ts';
import { withoutDelimiter } from '../../src/codec/frame-edges.ts';
import { framerOf } from '../../src/codec/framer.ts';
import type { Framer, LineItem } from '../../src/codec/line-framer.ts';
import { FRAME_CAP, withEvenParity } from '../../src/codec/seven-bit.ts';
import type { LineProfile, Register } from '../../src/domain/profile.ts';
import type { Device } from '../../src/settings/check-profile.ts';
import { framed } from '../devices/examples.ts';

export interface LineFuzz {
  readonly frames: number;
  /** Frames that came out of the streams made of them. */
  readonly cut: number;
  readonly throws: number;
  /** Frames that became a register: without a check sum a damaged digit is a digit. */
  readonly readings: number;
  /** Registers that are not what the digits in the frame say, as many as the dial has, in their order. */
  readonly madeUp: number;
  /** Frames of a stream that were longer than the cap. */
  readonly overlong: number;
  /** The slowest step, each slow one measured again, so that a pause of the machine is not taken for a hang. */
  readonly slowestMs: number;
  readonly heapGrowthBytes: number;
}

interface Subject {
  readonly profile: LineProfile;
  /** All fed alike, so that each step is taken and timed as often: only what is slow in every one is slow. */
  readonly framers: readonly Framer[];
  readonly frames: readonly Uint8Array[];
}

/** Frames decoded before the heap is first measured: the engine's own code and shapes are made by then. */
const WARM_UP = 5_000;
const SLOW_MS = 5;
const AGAIN = 3;

/** Decodes `frames` damaged frames of `devices`, each alone and as the next bytes of its line. */
export function fuzzLines(devices: readonly Device[], frames: number, seed: string): LineFuzz {
  const subjects = devices.flatMap(subjectOf);
  const all = subjects.flatMap((subject) => subject.frames);
  const random = new Random(seed);
  const sum = { cut: 0, throws: 0, readings: 0, madeUp: 0, overlong: 0, slowestMs: 0 };
  const run = (count: number) => {
    for (let i = 0; i < count; i += 1) one(pick(subjects, random), all, random, sum);
  };
  run(Math.min(WARM_UP, frames));
  const before = heapAfterCollection();
  run(Math.max(0, frames - WARM_UP));
  return { frames, ...sum, heapGrowthBytes: heapAfterCollection() - before };
}

function subjectOf({ profile, examples }: Device): Subject[] {
  if (profile.transport !== 'line') return [];
  const { framing } = profile;
  const frames = examples.map(({ frame }) =>
    Uint8Array.from(framed(framing, withoutDelimiter(framing, frame))),
  );
  return [{ profile, framers: Array.from({ length: AGAIN }, () => framerOf(framing)), frames }];
}

type Sum = { -readonly [K in Exclude<keyof LineFuzz, 'frames' | 'heapGrowthBytes'>]: number };

function one(subject: Subject, all: readonly Uint8Array[], random: Random, sum: Sum): void {
  const { profile, framers } = subject;
  const damaged = mutate(pick(subject.frames, random), all, random);
  const alone = withoutDelimiter(profile.framing, damaged);
  decoded(profile, alone, sum);
  for (const item of pushed(framers, damaged, sum)) {
    if (item === 'overlong') sum.overlong += 1;
    else {
      sum.cut += 1;
      decoded(profile, item.frame, sum);
      if (item.frame.length > FRAME_CAP) sum.madeUp += 1;
    }
  }
  if (!random.chance(0.1)) return;
  const underway = random.chance(0.5);
  for (const framer of framers) framer.forget(underway);
}

function pushed(framers: readonly Framer[], bytes: Uint8Array, sum: Sum): LineItem[] {
  let ms = Number.POSITIVE_INFINITY;
  let items: LineItem[] = [];
  try {
    for (const framer of framers) {
      const began = performance.now();
      items = framer.push(bytes);
      ms = Math.min(ms, performance.now() - began);
    }
    sum.slowestMs = Math.max(sum.slowestMs, ms);
  } catch {
    sum.throws += 1;
  }
  return items;
}

function decoded(profile: LineProfile, frame: Uint8Array, sum: Sum): void {
  const read = timed(sum, () => decodeFrame(profile, frame, profile.dial));
  if (!read?.ok) return;
  sum.readings += 1;
  if (!isInFrame(read.value, profile, frame)) sum.madeUp += 1;
}

/** What `step` gives; null when it throws. A slow one is taken again. */
function timed<T>(sum: Sum, step: () => T): T | null {
  try {
    let ms = Number.POSITIVE_INFINITY;
    let given: T | null = null;
    for (let i = 0; i < AGAIN && ms > SLOW_MS; i += 1) {
      const began = performance.now();
      given = step();
      ms = Math.min(ms, performance.now() - began);
    }
    sum.slowestMs = Math.max(sum.slowestMs, ms);
    return given;
  } catch {
    sum.throws += 1;
    return null;
  }
}

/** As many digits as the dial has; all but filled-up zeros stand in the frame, in this order. */
function isInFrame(read: Register, { dial }: LineProfile, frame: Uint8Array): boolean {
  const { register, digits } = read;
  if (!/^[0-9]+$/.test(digits) || digits.length !== dial.digits) return false;
  if (register !== Number(digits) || !Number.isSafeInteger(register)) return false;
  let left = digits.replace(/^0+/, '');
  for (const byte of frame) {
    if (left.charCodeAt(0) === (byte & 0x7f)) left = left.slice(1);
  }
  return left === '';
}

/** A real frame with one to four faults of a line. */
function mutate(clean: Uint8Array, all: readonly Uint8Array[], random: Random): Uint8Array {
  let frame = [...clean];
  for (let left = random.whole(1, 4); left > 0; left -= 1) {
    const at = random.whole(0, frame.length);
    switch (random.whole(0, 7)) {
      case 0:
        if (at < frame.length) frame[at] = (frame[at] ?? 0) ^ (1 << random.whole(0, 7));
        break;
      case 1:
        frame = frame.slice(0, at);
        break;
      case 2: {
        const length = random.chance(0.02) ? random.whole(100, 400) : random.whole(1, 4);
        frame.splice(at, 0, ...Array.from({ length }, () => random.whole(0, 255)));
        break;
      }
      case 3:
        frame.splice(at, random.whole(1, 5));
        break;
      case 4:
        frame = [...frame.slice(0, at), ...pick(all, random).subarray(at)];
        break;
      case 5:
        if (at < frame.length) frame[at] = random.whole(0x20, 0x7e);
        break;
      case 6:
        frame = [...frame, ...pick(all, random)];
        break;
      default:
        frame = frame.map((byte) => withEvenParity(byte & 0x7f));
    }
  }
  return Uint8Array.from(frame);
}

function pick<T>(all: readonly T[], random: Random): T {
  return all[random.whole(0, all.length - 1)] as T;
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
