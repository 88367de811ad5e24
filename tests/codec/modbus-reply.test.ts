// Modbus RTU replies: published frames, damaged ones, and what the profile makes of them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, decodeReplies, replyIn } from '../../src/codec/modbus-reply.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { bytesOf, replyTo } from './modbus-replies.ts';

const HOLDING = (quantity: number) => ({ function: 3, quantity }) as const;
const EIGHT = modbusProfile({ type: 'u32', order: 'ABCD' });
const told = (frame: Uint8Array, quantity = 2) => {
  const reply = replyIn(frame, HOLDING(quantity));
  return reply.ok ? reply.value : reply.fault.code;
};
const read = (bytes: Uint8Array) => {
  const register = decodeReplies(EIGHT, bytes, EIGHT.dial);
  return register.ok ? register.value : register.fault.code;
};
const GOOD = bytesOf('01 03 04 00 BC 61 4E 92 73');

describe('the CRC of Modbus', () => {
  it.each([
    ['EtherMeter, all words', '01 03 00 00 00 1A C4 01'],
    ['Octave, forward volume', '01 04 00 36 00 02 91 C5'],
    ['M2000, T1+ in m3', '01 03 00 CF 00 02 F4 34'],
    ['MAG 6000, the double at 3014', '01 03 0B C6 00 04 A6 10'],
    ['A8911, all 23 counts', '01 03 00 00 00 2E C5 D6'],
    ['a reply of 12345678', '01 03 04 00 BC 61 4E 92 73'],
    ["the EtherMeter manual's question", '04 03 00 00 00 08 44 59'],
    [
      "the EtherMeter manual's answer",
      '04 03 10 00 00 00 2F 00 00 02 0C 00 00 00 00 00 00 00 00 B7 30',
    ],
    ['a reply to function 2', '04 02 01 03 E1 45'],
    ['a command', '04 05 00 00 FF 00 8C 6F'],
  ])('fits the published frame: %s', (_what, hex) => {
    const frame = bytesOf(hex);
    const crc = crc16(frame.subarray(0, -2));
    expect([crc & 0xff, crc >> 8]).toEqual([...frame.subarray(-2)]);
    expect(crc16(frame)).toBe(0);
  });

  it('fits the example of Modbus over Serial Line, appendix B: 02 07 gives 41 12', () => {
    expect(crc16(Uint8Array.of(0x02, 0x07))).toBe(0x1241);
  });
});

describe('a reply', () => {
  it("the EtherMeter manual's answer holds 47 and 524", () => {
    const frame = bytesOf('04 03 10 00 00 00 2F 00 00 02 0C 00 00 00 00 00 00 00 00 B7 30');
    expect(told(frame, 8)).toEqual({ unit: 4, words: [0, 47, 0, 524, 0, 0, 0, 0] });
  });

  it('one wrong bit anywhere is refused', () => {
    for (let bit = 0; bit < GOOD.length * 8; bit += 1) {
      const frame = GOOD.slice();
      frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(typeof told(frame)).toBe('string');
    }
  });

  it('every part of it is refused as torn, or as no answer', () => {
    for (let length = 0; length < GOOD.length; length += 1) {
      expect(told(GOOD.subarray(0, length))).toBe('line.torn');
    }
  });

  it.each([
    ['of another function', replyTo(1, 4, [0, 1])],
    ['of fewer words', replyTo(1, 3, [1])],
    ['of more words', replyTo(1, 3, [0, 0, 1])],
    ['of the broadcast', replyTo(0, 3, [0, 1])],
    ['of a reserved unit', replyTo(248, 3, [0, 1])],
    ['with an exception of another function', replyTo(1, 0x84, [])],
  ])('%s is refused', (_what, frame) => {
    expect(['modbus.unexpected', 'line.torn', 'modbus.crc']).toContain(told(frame));
  });

  it('an exception is told, a damaged one is not', () => {
    expect(told(bytesOf('01 83 02 C0 F1'))).toBe('modbus.exception');
    expect(told(bytesOf('01 83 02 C0 F0'))).toBe('modbus.crc');
  });

  it('words of any length come back', () => {
    const words = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 125 });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 247 }), (sent, unit) => {
        expect(told(replyTo(unit, 3, sent), sent.length)).toEqual({ unit, words: sent });
      }),
    );
  });
});

describe('the replies to a profile', () => {
  it('01 03 04 00 BC 61 4E 92 73 shows 12345678', () => {
    expect(read(GOOD)).toEqual({ register: 12_345_678, digits: '12345678', id: null, flags: [] });
  });

  it('a byte too many, none, or a second reply is refused', () => {
    expect(read(new Uint8Array())).toBe('line.torn');
    expect(read(Uint8Array.of(...GOOD, 0))).toBe('modbus.unexpected');
    expect(read(Uint8Array.of(...GOOD, ...GOOD))).toBe('modbus.unexpected');
  });

  it('a fault of the second reply is the fault of all, and two units do not answer for one', () => {
    const status = { address: 100, step: 0, type: 'u16', order: 'AB', bitStep: 0 } as const;
    const two = modbusProfile(EIGHT.register, { status: [status] });
    const both = (second: Uint8Array) => {
      const register = decodeReplies(two, Uint8Array.of(...GOOD, ...second), two.dial);
      return register.ok ? register.value.register : register.fault.code;
    };
    expect(both(replyTo(1, 3, [0]))).toBe(12_345_678);
    expect(both(new Uint8Array())).toBe('line.torn');
    expect(both(bytesOf('01 83 02 C0 F1'))).toBe('modbus.exception');
    expect(both(replyTo(2, 3, [0]))).toBe('modbus.unexpected');
  });
});
