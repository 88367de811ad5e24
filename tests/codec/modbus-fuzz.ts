// Damaged Modbus replies through every Modbus profile: what throws, hangs, leaks or is believed.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../../simulator/random.ts';
import { blocksOf } from '../../src/codec/modbus-blocks.ts';
import { decodeReplies } from '../../src/codec/modbus-reply.ts';
import type { ModbusProfile } from '../../src/domain/profile.ts';
import type { Device } from '../../src/settings/check-profile.ts';
import { withCrc } from './modbus-replies.ts';

export interface ModbusFuzz {
  readonly frames: number;
  /** Frames that are not made of whole, sound replies. */
  readonly damaged: number;
  readonly throws: number;
  /** Damaged frames that became a register: the CRC cannot see one in 65,536. */
  readonly believed: number;
  /** Frames that became a register once their CRC was put right after the damage: so far the damage does reach. */
  readonly reached: number;
  /** Of all frames with a CRC put right after the damage, registers that are no whole count of the dial. */
  readonly outside: number;
  /** The slowest decoding, each slow one measured again, so that a pause of the machine is not taken for a hang. */
  readonly slowestMs: number;
  readonly heapGrowthBytes: number;
}

interface Subject {
  readonly profile: ModbusProfile;
  readonly frames: readonly Uint8Array[];
  /** Every sound reply to each of its questions, as text. */
  readonly sound: readonly ReadonlySet<string>[];
  readonly lengths: readonly number[];
}

/** Frames decoded before the heap is first measured: the engine's own code and shapes are made by then. */
const WARM_UP = 2_000;
const SLOW_MS = 5;
const AGAIN = 3;

/** Decodes `frames` damaged replies of `devices`, each as it is and once more with its CRC put right. */
export function fuzzReplies(devices: readonly Device[], frames: number, seed: string): ModbusFuzz {
  const subjects = devices.flatMap(subjectOf);
  const random = new Random(seed);
  const sum = { damaged: 0, throws: 0, believed: 0, reached: 0, outside: 0, slowestMs: 0 };
  const run = (count: number) => {
    for (let i = 0; i < count; i += 1) one(subjects, random, sum);
  };
  run(Math.min(WARM_UP, frames));
  const before = heapAfterCollection();
  run(Math.max(0, frames - WARM_UP));
  return { frames, ...sum, heapGrowthBytes: heapAfterCollection() - before };
}

function subjectOf({ profile, examples }: Device): Subject[] {
  if (profile.transport !== 'modbus') return [];
  const lengths = blocksOf(profile, 1).map(({ quantity }) => 5 + quantity * 2);
  const whole = lengths.reduce((total, length) => total + length, 0);
  const frames = examples.map(({ frame }) => frame);
  const parts = frames.filter(({ length }) => length === whole).map((frame) => cut(frame, lengths));
  const sound = lengths.map((_, i) => new Set(parts.map((part) => part[i] ?? '')));
  return [{ profile, frames, sound, lengths }];
}

/** A frame as the texts of its replies. */
function cut(frame: Uint8Array, lengths: readonly number[]): string[] {
  let from = 0;
  return lengths.map((length) => {
    from += length;
    return frame.subarray(from - length, from).toString();
  });
}

type Sum = { -readonly [K in Exclude<keyof ModbusFuzz, 'frames' | 'heapGrowthBytes'>]: number };

function one(subjects: readonly Subject[], random: Random, sum: Sum): void {
  const subject = pick(subjects, random);
  const { profile } = subject;
  const damaged = mutate(subject, random);
  const isSound =
    damaged.length === subject.lengths.reduce((total, length) => total + length, 0) &&
    cut(damaged, subject.lengths).every((part, i) => subject.sound[i]?.has(part));
  if (!isSound) sum.damaged += 1;
  const register = decoded(profile, damaged, sum);
  if (register !== null && !isSound) sum.believed += 1;
  const mended = decoded(profile, mend(damaged, subject.lengths), sum);
  if (mended !== null) sum.reached += 1;
  const capacity = 10 ** profile.dial.digits;
  const isCount = (n: number) => Number.isInteger(n) && n >= 0 && n < capacity;
  if (mended !== null && !isCount(mended)) sum.outside += 1;
}

function decoded(profile: ModbusProfile, bytes: Uint8Array, sum: Sum): number | null {
  try {
    let ms = Number.POSITIVE_INFINITY;
    let register: number | null = null;
    for (let i = 0; i < AGAIN && ms > SLOW_MS; i += 1) {
      const began = performance.now();
      const read = decodeReplies(profile, bytes, profile.dial);
      ms = Math.min(ms, performance.now() - began);
      register = read.ok ? read.value.register : null;
    }
    sum.slowestMs = Math.max(sum.slowestMs, ms);
    return register;
  } catch {
    sum.throws += 1;
    return null;
  }
}

/** A real reply with one to four faults of a line: bits, a cut, bytes put in or doubled, the tail of another reply. */
function mutate(subject: Subject, random: Random): Uint8Array {
  let frame = [...pick(subject.frames, random)];
  for (let left = 1 + below(4, random); left > 0; left -= 1) {
    const at = below(frame.length + 1, random);
    switch (below(5, random)) {
      case 0:
        if (at < frame.length) frame[at] = (frame[at] ?? 0) ^ (1 << below(8, random));
        break;
      case 1:
        frame = frame.slice(0, at);
        break;
      case 2:
        frame.splice(
          at,
          0,
          ...Array.from({ length: 1 + below(4, random) }, () => below(256, random)),
        );
        break;
      case 3:
        frame.splice(at, below(6, random));
        break;
      default:
        frame = [...frame.slice(0, at), ...pick(subject.frames, random).subarray(at)];
    }
  }
  return Uint8Array.from(frame);
}

/** Each reply with a CRC that fits what came before it: so that the damage reaches what lies behind the CRC. */
function mend(frame: Uint8Array, lengths: readonly number[]): Uint8Array {
  let from = 0;
  const parts = lengths.map((length) => {
    const part = frame.subarray(from, from + length);
    from += length;
    return part.length < 3 ? part : withCrc([...part.subarray(0, -2)]);
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function below(limit: number, random: Random): number {
  return Math.floor(random.next() * limit);
}

function pick<T>(all: readonly T[], random: Random): T {
  return all[below(all.length, random)] as T;
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
