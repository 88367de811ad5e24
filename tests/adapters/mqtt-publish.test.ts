// PUBLISH packets against the packet library's own reader: what we write is what it reads, on both versions.

import fc from 'fast-check';
import { type IPublishPacket, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { encodePublish, PacketIds } from '../../src/adapters/mqtt-publish.ts';
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
          const bytes = encodePublish({ message, retain: message.retain, id }, version);
          // A second packet behind it shows that the first one ends where it says.
          const [read, again] = readBack(Buffer.concat([bytes, bytes]), version);
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

describe('packet identifiers', () => {
  it('go round from 1 to 65,535, never 0, and pass over those in use', () => {
    const ids = new PacketIds();
    const first = Array.from({ length: 65_535 }, () => ids.next(() => false));
    expect(new Set(first).size).toBe(65_535);
    expect(Math.min(...first)).toBe(1);
    expect(ids.next((id) => id < 10)).toBe(10);
  });
});
