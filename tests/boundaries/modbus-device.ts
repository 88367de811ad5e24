// Modbus devices written for the tests from the frames of the standard: what a script says, as RTU or TCP bytes.

import type { ModbusAnswer, ModbusScript } from '../fakes/scripted-modbus.ts';

/** Bytes that go on the wire so long after the question. */
export interface WireBytes {
  readonly bytes: Buffer;
  readonly afterMs: number;
}

/** CRC-16 of Modbus (serial line 6.2.2), low byte first. */
export function crc(frame: Uint8Array): Buffer {
  let sum = 0xffff;
  for (const byte of frame) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >> 1) ^ 0xa001 : sum >> 1;
  }
  return Buffer.of(sum & 0xff, sum >> 8);
}

/** An RTU frame around unit, function and data. */
export function rtu(...frame: number[]): Buffer {
  return Buffer.concat([Buffer.from(frame), crc(Buffer.from(frame))]);
}

/** The words as bytes, high byte first. */
export function wordBytes(words: readonly number[]): number[] {
  return words.flatMap((word) => [word >> 8, word & 0xff]);
}

/** Answers RTU requests, which must come in 8 bytes each. */
export function rtuDevice(script: () => ModbusScript): (request: Buffer) => WireBytes | null {
  return (request) => {
    if (!crc(request.subarray(0, 6)).equals(request.subarray(6))) return null;
    const reply = answerTo(request.subarray(0, 6), script());
    return reply && { ...reply, bytes: Buffer.concat([reply.bytes, crc(reply.bytes)]) };
  };
}

/** Answers TCP requests, which must come in 12 bytes each. */
export function tcpDevice(script: () => ModbusScript): (request: Buffer) => WireBytes | null {
  return (request) => {
    const reply = answerTo(request.subarray(6, 12), script());
    if (reply === null) return null;
    const header = Buffer.from(request.subarray(0, 6));
    header.writeUInt16BE(reply.bytes.length, 4);
    return { ...reply, bytes: Buffer.concat([header, reply.bytes]) };
  };
}

function answerTo(request: Buffer, script: ModbusScript): WireBytes | null {
  const unit = request.readUInt8(0);
  const code = request.readUInt8(1);
  const table = code === 3 ? 'holding' : 'input';
  const address = request.readUInt16BE(2);
  const quantity = request.readUInt16BE(4);
  const answer = script({ unit, table, address, quantity });
  return encode(answer, unit, code);
}

function encode(answer: ModbusAnswer, unit: number, code: number): WireBytes | null {
  if (answer === 'silence' || 'fault' in answer) return null;
  if ('exception' in answer) {
    return { bytes: Buffer.of(unit, code | 0x80, answer.exception), afterMs: 0 };
  }
  const data = wordBytes(answer.words);
  const bytes = Buffer.of(answer.unit ?? unit, code, data.length, ...data);
  return { bytes, afterMs: answer.afterMs ?? 0 };
}
