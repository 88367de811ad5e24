// PUBLISH packets against the packet library's own reader: what we write is what it reads, on both versions.

import fc from 'fast-check';
import { type IPublishPacket, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PacketIds, PublishPackets } from '../../src/adapters/mqtt-publish.ts';
import type { OutMessage } from '../../src/boundaries.ts';

function readBack(bytes: Uint8Array, version: 4 | 5): IPublishPacket[] {
  const packets: IPublishPacket[] = [];
  const reader = parser({ protocolVersion: version });
  reader.on('packet', (packet) => packets.push(packet as IPublishPacket));
  reader.on('error', (error) => {
    throw error;
  });
  reader.parse(Buffer.from(bytes));
  return packets;
}

const messages = fc.record(
  {
    topic: fc.stringMatching(/^[a-zA-Z0-9_/é-]{1,150}$/),
    payload: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'x'.repeat(40_000))),
    qos: fc.constantFrom(0 as const, 1 as const),
    retain: fc.boolean(),
    expiryS: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    correlation: fc.uint8Array({ maxLength: 300 }),
  },
  { requiredKeys: ['topic', 'payload', 'qos', 'retain'] },
);

describe('a PUBLISH packet', () => {
  it('is read as it was meant, of any length and with any properties', () => {
    fc.assert(
      fc.property(
        messages,
        fc.constantFrom(4 as const, 5 as const),
        fc.integer({ min: 1, max: 65_535 }),
        (drawn, version, id) => {
          const message = drawn as OutMessage;
          const packets = new PublishPackets();
          // A second packet behind it shows that the first one ends where it says.
          for (const _ of [1, 2]) packets.add({ message, retain: message.retain, id }, version);
          const [read, again] = readBack(packets.take() ?? Buffer.alloc(0), version);
          // As text: byte by byte they are compared for half a minute.
          expect(JSON.stringify(again)).toBe(JSON.stringify(read));
          expect(read).toMatchObject({ cmd: 'publish', topic: message.topic, dup: false });
          expect(read).toMatchObject({ qos: message.qos, retain: message.retain });
          expect(read?.payload.toString()).toBe(message.payload);
          if (message.qos === 1) expect(read?.messageId).toBe(id);
          if (version === 4) return;
          const { messageExpiryInterval, correlationData, ...rest } = read?.properties ?? {};
          expect(rest).toEqual({ contentType: 'application/json', payloadFormatIndicator: true });
          expect(messageExpiryInterval).toBe(message.expiryS);
          expect(correlationData && [...correlationData]).toEqual(
            message.correlation && [...message.correlation],
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('packets that go out together', () => {
  it('are taken once and stay as they were, whatever is added after them', () => {
    const packets = new PublishPackets();
    const message = (n: number): OutMessage => {
      return { topic: 't', payload: `${n} `.repeat((n * 997) % 9_000), qos: 1, retain: false };
    };
    const taken: { readonly first: number; readonly after: number; readonly bytes: Uint8Array }[] =
      [];
    let first = 1;
    for (let n = 1; n <= 300; n += 1) {
      packets.add({ message: message(n), retain: false, id: n }, 5);
      if (n % 7 > 0 && n % 3 > 0) continue;
      taken.push({ first, after: n + 1, bytes: packets.take() ?? Buffer.alloc(0) });
      first = n + 1;
    }
    expect(packets.take()).toBeUndefined();
    for (const { first, after, bytes } of taken) {
      const read = readBack(bytes, 5);
      expect(read.map(({ messageId }) => messageId)).toEqual(
        Array.from({ length: after - first }, (_, i) => first + i),
      );
      for (const { messageId = 0, payload } of read) {
        expect(payload.toString()).toBe(message(messageId).payload);
      }
    }
  });
});

describe('packet identifiers', () => {
  it('go round from 1 to 65,535, never 0, and pass over those in use', () => {
    const ids = new PacketIds();
    const first = Array.from({ length: 65_535 }, () => ids.next(() => false));
    expect(new Set(first).size).toBe(65_535);
    expect(Math.min(...first)).toBe(1);
    expect(ids.next((id) => id < 10)).toBe(10);
  });
});
