// A Modbus device written from the specification: RTU and TCP framing, functions 3 and 4, exceptions 1, 2 and 3.

import { HangUp, type Service } from './ports.ts';

/** The 16-bit words of a unit, or null when there is no such unit. */
export type ModbusUnits = (unit: number) => UnitWords | null;

export interface UnitWords {
  /** The function that reads these words; absent: 3 and 4. */
  readonly code?: 3 | 4;
  /** Whether there is a word at an address. */
  has(address: number): boolean;
  /** The words at this instant, latched, of which the asked ones will be sent; null when the device cannot tell them. */
  latch(address: number, quantity: number): ReadonlyMap<number, number> | null;
  /** What the wire makes of this answer; absent where it comes through whole. */
  readonly damage?: (frame: Uint8Array) => Buffer;
}

const READ_HOLDING = 3;
const READ_INPUT = 4;
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_QUANTITY = 3;
const DEVICE_FAILURE = 4;
/** What a gateway says when the answer behind it did not come through whole. */
const TARGET_FAILED = 11;

/** Most words in one answer (Modbus Application Protocol 1.1b3, 6.3). */
const QUANTITY_MAX = 125;

function exception(code: number, reason: number): Buffer {
  return Buffer.from([code | 0x80, reason]);
}

/** The answer to one request PDU (function code first). */
export function answerPdu(pdu: Buffer, words: UnitWords): Buffer {
  const code = pdu[0] ?? 0;
  const known = words.code === undefined || words.code === code;
  if (!known || (code !== READ_HOLDING && code !== READ_INPUT)) {
    return exception(code & 0x7f, ILLEGAL_FUNCTION);
  }
  if (pdu.length !== 5) return exception(code, ILLEGAL_QUANTITY);
  const address = pdu.readUInt16BE(1);
  const quantity = pdu.readUInt16BE(3);
  // The order of the checks is the specification's state diagram: quantity before address.
  if (quantity < 1 || quantity > QUANTITY_MAX) return exception(code, ILLEGAL_QUANTITY);
  const asked = Array.from({ length: quantity }, (_, i) => address + i);
  if (!asked.every((at) => words.has(at))) return exception(code, ILLEGAL_ADDRESS);
  const latched = words.latch(address, quantity);
  if (latched === null) return exception(code, DEVICE_FAILURE);
  const answer = Buffer.alloc(2 + 2 * quantity);
  answer[0] = code;
  answer[1] = 2 * quantity;
  for (const [i, at] of asked.entries()) answer.writeUInt16BE(latched.get(at) ?? 0, 2 + 2 * i);
  return answer;
}

/** CRC-16 of Modbus over serial line 1.02, 6.2.2: polynomial 0xA001, start 0xFFFF, sent low byte first. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

function rtuFrame(unit: number, pdu: Buffer): Buffer {
  const frame = Buffer.concat([Buffer.from([unit]), pdu, Buffer.alloc(2)]);
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2);
  return frame;
}

/** Longest RTU frame (Modbus over serial line 1.02, 4.1). */
const RTU_MAX = 256;

/**
 * Silence that ends a frame, in milliseconds. The standard's 3.5 characters are 4 ms at 9600 baud; a pseudo-terminal
 * keeps no such time, so a pause is only taken for an end when no sender of one frame would make it.
 */
const SILENCE_MS = 100;

/** Length of the request that seems to begin here, or 0 when its function does not tell. */
function rtuLength(bytes: Buffer): number {
  const code = bytes[1] ?? 0;
  if (code >= 1 && code <= 6) return 8;
  if (code === 15 || code === 16) return 9 + (bytes[6] ?? RTU_MAX);
  return 0;
}

function hasCrc(frame: Buffer): boolean {
  return frame.length >= 4 && crc16(frame.subarray(0, -2)) === frame.readUInt16LE(frame.length - 2);
}

/** The first whole request in the bytes, wherever it begins, and what follows it. */
function findRtu(bytes: Buffer): { frame: Buffer; rest: Buffer } | null {
  for (let from = 0; from + 8 <= bytes.length; from++) {
    const length = rtuLength(bytes.subarray(from));
    const frame = bytes.subarray(from, from + length);
    if (length > 0 && frame.length === length && hasCrc(frame)) {
      return { frame, rest: bytes.subarray(from + length) };
    }
  }
  return null;
}

/** Modbus RTU on a byte stream. Requests in parts are joined; noise before one is passed over; other units are not ours. */
export function rtuSlave(units: ModbusUnits): Service {
  return (send) => {
    let bytes: Buffer = Buffer.alloc(0);
    let silence: NodeJS.Timeout | undefined;
    const answer = (frame: Buffer): void => {
      const unit = frame[0] ?? 0;
      const words = units(unit);
      if (!words) return;
      const sent = rtuFrame(unit, answerPdu(frame.subarray(1, -2), words));
      send(words.damage?.(sent) ?? sent);
    };
    const fallSilent = (): void => {
      if (hasCrc(bytes)) answer(bytes);
      bytes = Buffer.alloc(0);
    };
    return {
      receive: (chunk) => {
        clearTimeout(silence);
        bytes = Buffer.concat([bytes, chunk]);
        for (let found = findRtu(bytes); found; found = findRtu(bytes)) {
          bytes = found.rest;
          answer(found.frame);
        }
        if (bytes.length > RTU_MAX) bytes = bytes.subarray(-RTU_MAX);
        if (bytes.length > 0) silence = setTimeout(fallSilent, SILENCE_MS);
      },
      end: () => clearTimeout(silence),
    };
  };
}

/** Bytes before the PDU: transaction, protocol, length, unit (Modbus Messaging on TCP/IP 1.0b, 3.1.3). */
const MBAP = 7;

/** Modbus TCP on a byte stream. What is not Modbus is hung up on, as there is no way to find the next frame. */
export function mbapSlave(units: ModbusUnits): Service {
  return (send) => {
    let bytes: Buffer = Buffer.alloc(0);
    const answer = (frame: Buffer): void => {
      const unit = frame[6] ?? 0;
      const words = units(unit);
      if (!words) return;
      const request = frame.subarray(MBAP);
      // TCP brings bytes whole: what is damaged behind a gateway, the gateway refuses.
      const pdu = words.damage
        ? exception((request[0] ?? 0) & 0x7f, TARGET_FAILED)
        : answerPdu(request, words);
      const header = Buffer.from(frame.subarray(0, MBAP));
      header.writeUInt16BE(pdu.length + 1, 4);
      send(Buffer.concat([header, pdu]));
    };
    return {
      receive: (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        while (bytes.length >= MBAP) {
          const length = bytes.readUInt16BE(4);
          if (bytes.readUInt16BE(2) !== 0 || length < 2 || length > 254) throw new HangUp();
          if (bytes.length < 6 + length) return;
          const frame = bytes.subarray(0, 6 + length);
          bytes = bytes.subarray(6 + length);
          answer(frame);
        }
      },
      end: () => undefined,
    };
  };
}
