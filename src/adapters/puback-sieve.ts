// Takes the PUBACKs out of what a broker sends, in one go: the library makes an object and a turn of its own of each.

const PUBACK = 0x40;
/** Of a PUBACK behind its length: packet identifier and, on MQTT 5, perhaps a reason code (MQTT 5 3.4.2). */
const ID_BYTES = 2;
const HEAD_BYTES = ID_BYTES + 1;
const LENGTH_BYTES_MAX = 4;
const NOTHING: readonly Uint8Array[] = [];

/** The bytes of one connection from its first on, however they are cut. */
export class PubackSieve {
  readonly #heard: (id: number, reason: number) => void;
  /** The beginning of a packet that does not tell yet what is to be known of it: a few bytes. */
  #rest: Uint8Array | undefined;
  /** Bytes that are left of the packet that has begun, and whether they are a PUBACK's. */
  #left = 0;
  #isPuback = false;

  /** `heard` is told of each PUBACK; its reason is 0 where it gives none. */
  constructor(heard: (id: number, reason: number) => void) {
    this.#heard = heard;
  }

  /** What is none of a PUBACK, in its order. */
  take(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    let others = NOTHING;
    let from = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#left === 0 && !this.#begin(bytes, at)) {
        this.#rest = bytes.subarray(at);
        break;
      }
      if (this.#isPuback && from < at) others = [...others, bytes.subarray(from, at)];
      const end = Math.min(at + this.#left, bytes.length);
      this.#left -= end - at;
      at = end;
      if (this.#isPuback) from = at;
    }
    return from < at ? [...others, bytes.subarray(from, at)] : others;
  }

  /** Begins the packet at `at`, and hears it when it is a PUBACK; false when more of it must come first. */
  #begin(bytes: Uint8Array, at: number): boolean {
    let length = 0;
    let head = at + 1;
    for (let more = true; more; head += 1) {
      // A length of more bytes is none (MQTT 5 1.5.5): whoever reads it is to say so, and nothing follows.
      if (head - at > LENGTH_BYTES_MAX) return this.#pass(Number.POSITIVE_INFINITY);
      const byte = bytes[head];
      if (byte === undefined) return false;
      length += (byte & 0x7f) * 0x80 ** (head - at - 1);
      more = byte >= 0x80;
    }
    if (bytes[at] !== PUBACK || length < ID_BYTES) return this.#pass(head - at + length);
    if (bytes.length < head + Math.min(length, HEAD_BYTES)) return false;
    this.#isPuback = true;
    this.#left = head - at + length;
    const id = (bytes[head] as number) * 256 + (bytes[head + 1] as number);
    this.#heard(id, length >= HEAD_BYTES ? (bytes[head + ID_BYTES] as number) : 0);
    return true;
  }

  #pass(bytes: number): boolean {
    this.#isPuback = false;
    this.#left = bytes;
    return true;
  }
}
