// Modbus RTU replies (function 3 or 4) to words, and the replies to a profile's questions to its register.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { ModbusProfile, Register } from '../domain/profile.ts';
import type { Dial } from '../domain/units.ts';
import { blocksOf } from './modbus-blocks.ts';
import { type Answers, registerIn } from './modbus-register.ts';

/** Unit, function and number of bytes before the words, CRC after them. */
const HEAD = 3;
const CRC_BYTES = 2;
/** Unit, function with its highest bit set, exception code, CRC. */
const EXCEPTION_BYTES = 5;
const EXCEPTION_BIT = 0x80;
const UNIT_MAX = 247;

/** CRC-16 of Modbus over Serial Line 1.02, 6.2.2; it is sent low byte first. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

/** A question as far as its reply shows it. */
export interface Asked {
  readonly function: 3 | 4;
  readonly quantity: number;
}

/**
 * The words of one whole reply, with the unit that sent them. `line.torn` when the bytes are too few, `modbus.crc` when a
 * bit is wrong, `modbus.exception` when the device refuses, `modbus.unexpected` for the answer to another question.
 */
export function replyIn(
  frame: Uint8Array,
  asked: Asked,
): Result<{ unit: number; words: readonly number[] }> {
  const [unit = 0, code = 0, third = 0] = frame;
  const refusal = code === (asked.function | EXCEPTION_BIT);
  if (frame.length < EXCEPTION_BYTES) return faulty('line.torn', `${frame.length} bytes`);
  if (!refusal && frame.length < replyBytes(asked)) {
    // A short answer that is whole is another question's.
    return hasGoodCrc(frame)
      ? faulty('modbus.unexpected', `${frame.length} bytes for ${asked.quantity} words`)
      : faulty('line.torn', `${frame.length} bytes of ${replyBytes(asked)}`);
  }
  if (!hasGoodCrc(frame)) return faulty('modbus.crc', 'the CRC does not fit');
  if (unit < 1 || unit > UNIT_MAX) return faulty('modbus.unexpected', `no unit is ${unit}`);
  if (refusal && frame.length === EXCEPTION_BYTES) return faulty('modbus.exception', `${third}`);
  if (code !== asked.function) return faulty('modbus.unexpected', `function ${code}`);
  if (third !== asked.quantity * 2 || frame.length !== replyBytes(asked)) {
    return faulty('modbus.unexpected', `${third} bytes for ${asked.quantity} words`);
  }
  const view = new DataView(frame.buffer, frame.byteOffset + HEAD, third);
  return good({
    unit,
    words: Array.from({ length: asked.quantity }, (_, i) => view.getUint16(i * 2)),
  });
}

/**
 * What the replies to the profile's questions about its first channel, one after the other in the questions' order, say of
 * the dial. Faults as `replyIn` and `registerIn` say; bytes after the last reply are `modbus.unexpected`. Never throws.
 */
export function decodeReplies(
  profile: ModbusProfile,
  bytes: Uint8Array,
  dial: Dial,
): Result<Register> {
  const fn = profile.table === 'holding' ? 3 : 4;
  const answers: Answers[number][] = [];
  let unit: number | undefined;
  let from = 0;
  for (const block of blocksOf(profile, 1)) {
    const asked = { function: fn, quantity: block.quantity } as const;
    const reply = replyIn(bytes.subarray(from, from + lengthAt(bytes, from, asked)), asked);
    if (!reply.ok) return reply;
    unit ??= reply.value.unit;
    if (reply.value.unit !== unit) return faulty('modbus.unexpected', 'replies of two units');
    answers.push({ block, words: reply.value.words });
    from += replyBytes(asked);
  }
  if (from !== bytes.length) {
    return faulty('modbus.unexpected', `${bytes.length - from} bytes after the last reply`);
  }
  return registerIn(answers, profile, dial, 1);
}

/** Bytes of the header of Modbus TCP up to what its length counts. */
const MBAP_HEAD = 6;

/**
 * Replies as they come over TCP, as a serial line would bring them; null when these bytes are none. The device itself (0 or
 * 255) has no number on a line: it is written as unit 1.
 */
export function rtuOfMbap(bytes: Uint8Array): Uint8Array | null {
  const replies: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [, , high, low, longs = 0, length = 0] = bytes.subarray(at, at + MBAP_HEAD);
    const end = at + MBAP_HEAD + length;
    if (high !== 0 || low !== 0 || longs !== 0 || length < HEAD || end > bytes.length) return null;
    const reply = bytes.slice(at + MBAP_HEAD, end);
    if (reply[0] === 0 || reply[0] === 0xff) reply[0] = 1;
    const crc = crc16(reply);
    replies.push(...reply, crc & 0xff, crc >> 8);
    at = end;
  }
  return Uint8Array.from(replies);
}

function replyBytes({ quantity }: Asked): number {
  return HEAD + quantity * 2 + CRC_BYTES;
}

/** How long the reply at `from` is: that of an exception, or as asked for. */
function lengthAt(bytes: Uint8Array, from: number, asked: Asked): number {
  return bytes[from + 1] === (asked.function | EXCEPTION_BIT) ? EXCEPTION_BYTES : replyBytes(asked);
}

/** Over a frame and its own CRC, low byte first, the CRC is 0. */
function hasGoodCrc(frame: Uint8Array): boolean {
  return crc16(frame) === 0;
}
