// Modbus questions to bytes, and bytes to answers, on a serial line (RTU) and over TCP (MBAP). There is no way to write.

import { BUSY, type Fault, NOBODY } from '../domain/fault.ts';
import { crc16 } from './modbus-reply.ts';

/** A question as it goes on the wire. Function 3 reads holding registers, 4 input registers. */
export interface WordsAsked {
  /** 1 to 247; over TCP also 0 and 255, the device itself. */
  readonly unit: number;
  readonly code: 3 | 4;
  /** 0-based. */
  readonly address: number;
  /** 1 to 125. */
  readonly quantity: number;
}

/** Bytes of an RTU request: unit, function, address, quantity, CRC. */
export const RTU_REQUEST_BYTES = 8;
/** Unit, function with its highest bit set, exception code, CRC: no RTU answer is shorter. */
export const RTU_LEAST_BYTES = 5;
/** The longest RTU frame (Modbus over Serial Line 1.02, 4.1). */
export const RTU_MOST_BYTES = 256;
/** Bytes of a TCP request: the header of 7, function, address, quantity. */
export const MBAP_REQUEST_BYTES = 12;
/** Transaction, protocol and length, before what the length counts. */
export const MBAP_HEAD_BYTES = 6;
/** The longest TCP frame: 253 bytes of function and data behind 7 of header (Modbus Messaging on TCP/IP 1.0b, 3.1.3). */
export const MBAP_MOST_BYTES = 260;

const EXCEPTION_BIT = 0x80;
/** Unit, function, number of bytes before the words. */
const HEAD = 3;
const CRC_BYTES = 2;
const UNIT_MAX = 247;

/** The RTU request, 8 bytes. */
export function rtuRequest({ unit, code, address, quantity }: WordsAsked): Uint8Array {
  const [high, low] = [address >> 8, address & 0xff];
  const bytes = Uint8Array.of(unit, code, high, low, quantity >> 8, quantity & 0xff, 0, 0);
  const crc = crc16(bytes.subarray(0, RTU_REQUEST_BYTES - CRC_BYTES));
  bytes[6] = crc & 0xff;
  bytes[7] = crc >> 8;
  return bytes;
}

/** Lays the TCP request of a transaction (16 bits) into `bytes` from `at`: 12 bytes. */
export function layMbapRequest(
  bytes: Uint8Array,
  at: number,
  transaction: number,
  { unit, code, address, quantity }: WordsAsked,
): void {
  bytes[at] = transaction >> 8;
  bytes[at + 1] = transaction & 0xff;
  bytes[at + 2] = 0;
  bytes[at + 3] = 0;
  bytes[at + 4] = 0;
  bytes[at + 5] = MBAP_REQUEST_BYTES - MBAP_HEAD_BYTES;
  bytes[at + 6] = unit;
  bytes[at + 7] = code;
  bytes[at + 8] = address >> 8;
  bytes[at + 9] = address & 0xff;
  bytes[at + 10] = quantity >> 8;
  bytes[at + 11] = quantity & 0xff;
}

/** A whole RTU answer with a right CRC, at `from` up to, without, `end`. */
export interface RtuAnswer {
  readonly from: number;
  readonly end: number;
  readonly unit: number;
  /** 3 or 4, of an exception too. */
  readonly code: number;
  /** The words it brings, or null for an exception. */
  readonly quantity: number | null;
  /** The exception's number, or null. */
  readonly exception: number | null;
}

/**
 * The first whole answer to function 3 or 4 in `bytes` between `from` and `end`, wherever it begins: what stands before it
 * is noise, which looks like one by a chance of less than 2^-16 for each of its bytes. Never throws.
 */
export function rtuAnswerIn(bytes: Uint8Array, from: number, end: number): RtuAnswer | undefined {
  for (let at = from; at + RTU_LEAST_BYTES <= end; at += 1) {
    const length = answerLength(bytes, at);
    const to = at + length;
    if (length === 0 || to > end || crc16(bytes.subarray(at, to)) !== 0) continue;
    const unit = bytes[at] as number;
    const said = bytes[at + 1] as number;
    const third = bytes[at + 2] as number;
    const code = said & ~EXCEPTION_BIT;
    return said === code
      ? { from: at, end: to, unit, code, quantity: third / 2, exception: null }
      : { from: at, end: to, unit, code, quantity: null, exception: third };
  }
  return undefined;
}

/** How long the answer is that seems to begin at `at`, CRC and all; 0 when none does. */
function answerLength(bytes: Uint8Array, at: number): number {
  const unit = bytes[at] as number;
  const said = bytes[at + 1] as number;
  const code = said & ~EXCEPTION_BIT;
  if (unit < 1 || unit > UNIT_MAX || (code !== 3 && code !== 4)) return 0;
  if (said !== code) return RTU_LEAST_BYTES;
  const wordBytes = bytes[at + 2] as number;
  const sound =
    wordBytes > 0 && wordBytes % 2 === 0 && wordBytes <= RTU_MOST_BYTES - RTU_LEAST_BYTES;
  return sound ? HEAD + wordBytes + CRC_BYTES : 0;
}

/** Whether something of the shape of the answer awaited is there whole, between `from` and `end`, whatever its CRC. */
export function hasShapeOf(
  bytes: Uint8Array,
  from: number,
  end: number,
  { unit, code, quantity }: WordsAsked,
): boolean {
  const wordBytes = quantity * 2;
  for (let at = from; at + RTU_LEAST_BYTES <= end; at += 1) {
    if (bytes[at] !== unit) continue;
    if (bytes[at + 1] === (code | EXCEPTION_BIT)) return true;
    const whole = at + HEAD + wordBytes + CRC_BYTES <= end;
    if (whole && bytes[at + 1] === code && bytes[at + 2] === wordBytes) return true;
  }
  return false;
}

/** The bytes of the words of `answer`, before its CRC. */
export function wordsOfRtu(bytes: Uint8Array, answer: RtuAnswer): number[] {
  return wordsAt(bytes, answer.from + HEAD, answer.quantity ?? 0);
}

/** How long the TCP frame at `at` is (header and all), 0 when too little of it is there to tell; null when it is none. */
export function mbapLength(bytes: Uint8Array, at: number, end: number): number | null {
  if (end - at < MBAP_HEAD_BYTES) return 0;
  if (bytes[at + 2] !== 0 || bytes[at + 3] !== 0) return null;
  const length = ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number);
  // Unit, function and one byte more at the least.
  if (length < HEAD || length > MBAP_MOST_BYTES - MBAP_HEAD_BYTES) return null;
  return MBAP_HEAD_BYTES + length;
}

/** The words of an answer, the number of an exception, or what else is wrong with it, in words. */
export type PduAnswer = readonly number[] | { readonly exception: number } | string;

/** What the unit and PDU between `at` and `end` (of at least 3 bytes) answer to `asked`. */
export function pduAnswer(
  bytes: Uint8Array,
  at: number,
  end: number,
  { unit, code, quantity }: WordsAsked,
): PduAnswer {
  const said = bytes[at + 1] as number;
  const third = bytes[at + 2] as number;
  if (bytes[at] !== unit && !NO_UNIT.has(bytes[at] as number)) {
    return `unit ${bytes[at]} answered instead of ${unit}`;
  }
  if (said === (code | EXCEPTION_BIT) && isPadding(bytes, at, at + HEAD, end)) {
    return { exception: third };
  }
  if (said !== code) return `function ${said} instead of ${code}`;
  const whole = at + HEAD + third;
  if (third !== quantity * 2 || whole > end || !isPadding(bytes, at, whole, end)) {
    return `${end - at - HEAD} bytes for ${quantity} words`;
  }
  return wordsAt(bytes, at + HEAD, quantity);
}

/**
 * What devices without a line behind them answer as whatever unit they were asked: there the unit means nothing (Messaging
 * guide 4.4.1.3), and the transaction tells whose answer it is.
 */
const NO_UNIT: ReadonlySet<number> = new Set([0, 255]);

/** Whether only zeros follow an answer, or the CRC that it had on the line behind a gateway. */
function isPadding(bytes: Uint8Array, at: number, from: number, end: number): boolean {
  const rest = bytes.subarray(from, end);
  if (rest.every((byte) => byte === 0)) return true;
  return rest.length === CRC_BYTES && crc16(bytes.subarray(at, end)) === 0;
}

/** Names of the exceptions (Modbus application protocol 7). */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
};

/**
 * What an exception says beyond a refusal, for programs: the device is at something else just now, or it is not the device
 * at all but a gateway, behind which nobody answers.
 */
const WHY: Readonly<Record<number, string>> = { 5: BUSY, 6: BUSY, 10: NOBODY, 11: NOBODY };

/** The fault that an exception is: in words, its number first. */
export function exceptionFault(exception: number): Fault {
  const detail = `${exception} ${EXCEPTIONS[exception] ?? 'unknown'}`;
  const why = WHY[exception];
  return { code: 'modbus.exception', detail, ...(why !== undefined && { why }) };
}

function wordsAt(bytes: Uint8Array, at: number, quantity: number): number[] {
  const words: number[] = [];
  for (let i = at; i < at + 2 * quantity; i += 2) {
    words.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  }
  return words;
}
