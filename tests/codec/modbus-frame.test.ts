// Modbus requests byte by byte, and answers found, or not, in whatever came.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hasShapeOf,
  layMbapRequest,
  MBAP_REQUEST_BYTES,
  mbapLength,
  pduAnswer,
  rtuAnswerIn,
  rtuRequest,
  wordsOfRtu,
} from '../../src/codec/modbus-frame.ts';
import { rtu, wordBytes } from '../boundaries/modbus-device.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const asked = { unit: 1, code: 3, address: 0, quantity: 2 } as const;

describe('a Modbus request', () => {
  // Whole frames of makers' manuals.
  it.each([
    ['01030000001ac401', { unit: 1, code: 3, address: 0, quantity: 26 }],
    ['01040036000291c5', { unit: 1, code: 4, address: 0x36, quantity: 2 }],
    ['010300cf0002f434', { unit: 1, code: 3, address: 0xcf, quantity: 2 }],
    ['01030bc60004a610', { unit: 1, code: 3, address: 0xbc6, quantity: 4 }],
    ['01030000002ec5d6', { unit: 1, code: 3, address: 0, quantity: 46 }],
  ] as const)('is %s on a line', (bytes, question) => {
    expect(hex(rtuRequest(question))).toBe(bytes);
  });

  it('is laid behind others over TCP, its transaction first', () => {
    const bytes = new Uint8Array(2 * MBAP_REQUEST_BYTES);
    layMbapRequest(bytes, 0, 0xfffe, { unit: 247, code: 4, address: 0xffff, quantity: 125 });
    layMbapRequest(bytes, MBAP_REQUEST_BYTES, 1, asked);
    expect(hex(bytes)).toBe('fffe00000006f704ffff007d000100000006010300000002');
  });

  it('can only read: its function is 3 or 4 whatever is asked', () => {
    const question = fc.record({
      unit: fc.integer({ min: 1, max: 247 }),
      code: fc.constantFrom(3 as const, 4 as const),
      address: fc.integer({ min: 0, max: 0xffff }),
      quantity: fc.integer({ min: 1, max: 125 }),
    });
    fc.assert(
      fc.property(question, (one) => {
        expect([3, 4]).toContain(rtuRequest(one)[1]);
        // Over a frame and its own CRC the sum is that of the reference.
        expect(hex(rtuRequest(one))).toBe(hex(rtu(...rtuRequest(one).subarray(0, 6))));
      }),
    );
  });
});

describe('a Modbus answer', () => {
  it('of the reference is found: 12345678 high word first', () => {
    const bytes = Buffer.from('01030400bc614e9273', 'hex');
    const found = rtuAnswerIn(bytes, 0, bytes.length);
    expect(found).toMatchObject({ from: 0, end: 9, unit: 1, code: 3, quantity: 2 });
    expect(found && wordsOfRtu(bytes, found)).toEqual([0x00bc, 0x614e]);
  });

  it('is found behind noise that looks like one, and not when a bit of it is wrong', () => {
    const good = rtu(1, 3, 4, ...wordBytes([7, 8]));
    const bytes = Buffer.concat([Buffer.of(1, 3, 4, 9, 9), good, Buffer.of(1)]);
    expect(rtuAnswerIn(bytes, 0, bytes.length)).toMatchObject({ from: 5, end: 14 });
    for (let bit = 0; bit < 8 * good.length; bit += 1) {
      const damaged = Buffer.from(good);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(rtuAnswerIn(damaged, 0, damaged.length)).toBeUndefined();
    }
  });

  it('with a wrong sum is known by its shape, half of it is not', () => {
    const damaged = rtu(1, 3, 4, ...wordBytes([7, 8]));
    damaged[4] = 0x55;
    expect(hasShapeOf(damaged, 0, 9, asked)).toBe(true);
    expect(hasShapeOf(damaged, 0, 8, asked)).toBe(false);
    expect(hasShapeOf(damaged, 0, 9, { ...asked, unit: 2 })).toBe(false);
    expect(hasShapeOf(Buffer.of(1, 0x83, 2, 0, 0), 0, 5, asked)).toBe(true);
  });

  it('that refuses is told by its number', () => {
    const refusal = rtu(1, 0x83, 2);
    expect(rtuAnswerIn(refusal, 0, 5)).toMatchObject({ exception: 2, code: 3, quantity: null });
    expect(pduAnswer(Buffer.of(1, 0x83, 2), 0, 3, asked)).toEqual({ exception: 2 });
  });

  it('over TCP is only the one to the very question', () => {
    const pdu = Buffer.of(1, 3, 4, 0, 7, 0, 8);
    expect(pduAnswer(pdu, 0, pdu.length, asked)).toEqual([7, 8]);
    for (const other of [
      { ...asked, unit: 2 },
      { ...asked, code: 4 as const },
      { ...asked, quantity: 3 },
    ]) {
      expect(typeof pduAnswer(pdu, 0, pdu.length, other)).toBe('string');
    }
    expect(typeof pduAnswer(pdu, 0, pdu.length - 1, asked)).toBe('string');
  });

  it('over TCP has a length that a frame can have, and protocol 0', () => {
    const head = (...bytes: number[]) => mbapLength(Uint8Array.from(bytes), 0, bytes.length);
    expect(head(0, 1, 0, 0, 0)).toBe(0);
    expect(head(0, 1, 0, 0, 0, 7)).toBe(13);
    expect(head(0, 1, 0, 7, 0, 7)).toBeNull();
    expect(head(0, 1, 0, 0, 0, 2)).toBeNull();
    expect(head(0, 1, 0, 0, 0, 254)).toBe(260);
    expect(head(0, 1, 0, 0, 0, 255)).toBeNull();
    expect(head(0, 1, 0, 0, 0xff, 0xf0)).toBeNull();
  });

  it('is never thrown about, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, from) => {
        const found = rtuAnswerIn(bytes, from, bytes.length);
        if (found !== undefined) expect(found.end).toBeLessThanOrEqual(bytes.length);
        hasShapeOf(bytes, from, bytes.length, asked);
        mbapLength(bytes, from, bytes.length);
        if (bytes.length >= 3) pduAnswer(bytes, 0, bytes.length, asked);
      }),
      { numRuns: 2_000 },
    );
  });
});
