// PUBLISH packets as bytes, in one piece: the library hands its socket a dozen for each, which takes longer than all the rest of a message.

import type { OutMessage } from '../boundaries.ts';
import type { Version } from './mqtt-connect.ts';

const PUBLISH = 0x30;
const RETAIN = 0x01;
/** Identifiers of properties (MQTT 5 table 2-4), and the two that every message of ours has. */
const EXPIRY = 0x02;
const CORRELATION = 0x09;
const OURS = Buffer.from([0x01, 1, 0x03, 0, 16, ...Buffer.from('application/json')]);
const ID_MAX = 65_535;

/** What goes out: a message, whether the broker may keep it, and its packet identifier (QoS 1 only). */
export interface Publish {
  readonly message: OutMessage;
  readonly retain: boolean;
  readonly id: number;
}

/** Packets are written one behind the other into pieces of memory of this size: a piece of its own for each takes longer to have. */
const PIECE_BYTES = 32 * 1024;

/** PUBLISH packets that go out together. */
export class PublishPackets {
  #piece = Buffer.allocUnsafeSlow(0);
  /** Where what was not taken yet begins, and where it ends. */
  #from = 0;
  #to = 0;

  /** Adds the bytes of a PUBLISH (MQTT 5 3.3, MQTT 3.1.1 3.3), which has no DUP: nothing is sent twice on one link. */
  add({ message, retain, id }: Publish, version: Version): void {
    const { topic, payload, qos } = message;
    const properties = version === 5 ? propertiesOf(message) : undefined;
    const topicBytes = bytesOfTopic(topic);
    const payloadBytes = Buffer.byteLength(payload);
    const length = 2 + topicBytes.length + 2 * qos + (properties?.length ?? 0) + payloadBytes;
    this.#makeRoom(1 + lengthBytes(length) + length);
    const piece = this.#piece;
    let at = this.#to;
    piece[at] = PUBLISH | (qos << 1) | (retain ? RETAIN : 0);
    at = writeLength(piece, at + 1, length);
    at = writeNumber(piece, at, topicBytes.length);
    piece.set(topicBytes, at);
    at += topicBytes.length;
    if (qos === 1) at = writeNumber(piece, at, id);
    if (properties) {
      piece.set(properties, at);
      at += properties.length;
    }
    // Nearly every payload is ASCII, which is copied as it stands.
    piece.write(payload, at, payloadBytes === payload.length ? 'latin1' : 'utf8');
    this.#to = at + payloadBytes;
  }

  /** What was added since the last call, in one piece; undefined where nothing was. Nobody writes there again. */
  take(): Uint8Array | undefined {
    if (this.#from === this.#to) return undefined;
    const packets = this.#piece.subarray(this.#from, this.#to);
    this.#from = this.#to;
    return packets;
  }

  #makeRoom(bytes: number): void {
    if (this.#to + bytes <= this.#piece.length) return;
    const waiting = this.#piece.subarray(this.#from, this.#to);
    this.#piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, waiting.length + bytes));
    this.#piece.set(waiting);
    this.#from = 0;
    this.#to = waiting.length;
  }
}

/** A backlog is sent meter by meter: hundreds of messages in a row have one topic. */
let newest = { topic: '', bytes: Buffer.alloc(0) };

function bytesOfTopic(topic: string): Buffer {
  if (newest.topic !== topic) newest = { topic, bytes: Buffer.from(topic) };
  return newest.bytes;
}

/** Packet identifiers one after another, for ever; `isTaken` says which are in use. */
export class PacketIds {
  #last = 0;

  next(isTaken: (id: number) => boolean): number {
    do this.#last = (this.#last % ID_MAX) + 1;
    while (isTaken(this.#last));
    return this.#last;
  }
}

const PLAIN = withLength(OURS);

function propertiesOf({ expiryS, correlation }: OutMessage): Buffer {
  if (expiryS === undefined && correlation === undefined) return PLAIN;
  const parts: Uint8Array[] = [OURS];
  if (expiryS !== undefined) {
    const bytes = Buffer.from([EXPIRY, 0, 0, 0, 0]);
    bytes.writeUInt32BE(expiryS, 1);
    parts.push(bytes);
  }
  if (correlation !== undefined) {
    parts.push(Buffer.from([CORRELATION, correlation.length >> 8, correlation.length & 0xff]));
    parts.push(correlation);
  }
  return withLength(Buffer.concat(parts));
}

function withLength(properties: Buffer): Buffer {
  const bytes = lengthBytes(properties.length);
  const all = Buffer.alloc(bytes + properties.length);
  properties.copy(all, writeLength(all, 0, properties.length));
  return all;
}

function writeNumber(bytes: Buffer, at: number, number: number): number {
  bytes[at] = number >> 8;
  bytes[at + 1] = number;
  return at + 2;
}

/** A variable byte integer (MQTT 5 1.5.5): seven bits a byte. */
function lengthBytes(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  return length < 0x20_0000 ? 3 : 4;
}

function writeLength(bytes: Buffer, at: number, length: number): number {
  let left = length;
  let place = at;
  while (left >= 0x80) {
    bytes[place] = (left & 0x7f) | 0x80;
    left >>>= 7;
    place += 1;
  }
  bytes[place] = left;
  return place + 1;
}
