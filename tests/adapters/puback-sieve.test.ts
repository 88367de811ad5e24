// What a broker sends, cut at any places: each PUBACK is heard once, everything else comes through byte for byte.

import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PubackSieve } from '../../src/adapters/puback-sieve.ts';

/** Passes the bytes in pieces of these lengths, over and over. */
function pass(bytes: Buffer, cuts: readonly number[]) {
  const heard: (readonly [id: number, reason: number])[] = [];
  const sieve = new PubackSieve((id, reason) => heard.push([id, reason]));
  const others: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const end = at + (cuts[i % cuts.length] ?? 1);
    others.push(...sieve.take(bytes.subarray(at, end)));
    at = end;
  }
  return { heard, others: Buffer.concat(others) };
}

const id = fc.integer({ min: 1, max: 65_535 });
const puback = fc.record({
  cmd: fc.constant('puback' as const),
  messageId: id,
  reasonCode: fc.constantFrom(0, 16, 128, 135, 151),
  // The longest needs two bytes of length, and reaches over several pieces.
  properties: fc.option(
    fc.record({ reasonString: fc.string({ unit: 'grapheme-ascii', maxLength: 200 }) }),
    { nil: undefined },
  ),
});
const other = fc.oneof(
  fc.constant({ cmd: 'pingresp' as const }),
  fc.record({ cmd: fc.constant('suback' as const), messageId: id, granted: fc.constant([1, 135]) }),
  fc.record({
    cmd: fc.constant('publish' as const),
    ...{ topic: fc.constant('t'), qos: fc.constant(1 as const), messageId: id },
    ...{ dup: fc.boolean(), retain: fc.boolean() },
    // Bytes that look like a PUBACK are none inside of a packet.
    payload: fc.constantFrom('', '\x40\x02\x00\x07', '\x40'.repeat(300), 'x'.repeat(20_000)),
  }),
);

describe('a sieve for PUBACKs', () => {
  it('hears each once with its reason, wherever the stream is cut, and lets all else through', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(puback, other), { maxLength: 20 }),
        fc.oneof(cuts, fc.constant([1])),
        fc.constantFrom(4, 5),
        (packets, pieces, protocolVersion) => {
          const written = packets.map((one) => generate(one as Packet, { protocolVersion }));
          const { heard, others } = pass(Buffer.concat(written), pieces);
          const acks = packets.flatMap((one) => (one.cmd === 'puback' ? [one] : []));
          const reasonOf = (code: number) => (protocolVersion === 5 ? code : 0);
          expect(heard).toEqual(acks.map((one) => [one.messageId, reasonOf(one.reasonCode)]));
          const rest = written.filter((_, i) => packets[i]?.cmd !== 'puback');
          expect(others.equals(Buffer.concat(rest))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('hears a PUBACK of any length that MQTT 5 has for it', () => {
    const two = [0x40, 0x02, 0x12, 0x34];
    const three = [0x40, 0x03, 0x00, 0x08, 0x87];
    const four = [0x40, 0x04, 0x00, 0x09, 0x97, 0x00];
    const heard = [
      [0x1234, 0],
      [8, 0x87],
      [9, 0x97],
    ];
    for (const cut of [1, 2, 3, 100]) {
      const bytes = Buffer.from([...two, ...three, ...four]);
      expect(pass(bytes, [cut])).toEqual({ heard, others: Buffer.alloc(0) });
    }
  });

  it('lets what is no packet through to whoever ends the link for it, and keeps none of it', () => {
    const endless = Buffer.from([0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0x40, 0x02, 0x00, 0x07]);
    expect(pass(endless, [100])).toEqual({ heard: [], others: endless });
    const short = Buffer.from([0x40, 0x01, 0x00]);
    expect(pass(short, [1])).toEqual({ heard: [], others: short });
    // A quarter of a gigabyte is announced: what has come of it is heard and gone.
    const huge = Buffer.concat([
      Buffer.from([0x40, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x07, 0x87]),
      Buffer.alloc(100_000, 0x40),
    ]);
    expect(pass(huge, [1_000])).toEqual({ heard: [[7, 0x87]], others: Buffer.alloc(0) });
  });
});
