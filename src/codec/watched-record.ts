// What is known of a place's leaks and use, as plain JSON for the journal: cells as base 64, for they are most of it.

import { loadWatch, type SavedWatch, saveWatch } from '../domain/leaks/watch.ts';
import type { Watched } from '../domain/watched.ts';

/** Another layout is not understood: then what the increments tell is all that is known. */
const VERSION = 1;

type Record = Omit<Watched, 'watch' | 'torn'> & {
  readonly v: typeof VERSION;
  readonly watch: Omit<SavedWatch, 'cells' | 'pieces'> & {
    readonly cells: string;
    readonly pieces: string;
  };
};

export function encodeWatched({ watch, torn: _, ...rest }: Watched): Record {
  const { cells: __, pieces: ___, ...few } = saveWatch(watch);
  const packed = { cells: packFloats(watch.cells), pieces: packWords(watch.pieces) };
  return { v: VERSION, ...rest, watch: { ...few, ...packed } };
}

/** What was known; undefined for what another version kept. */
export function decodeWatched(known: unknown): Watched | undefined {
  if (typeof known !== 'object' || known === null) return undefined;
  const { v, watch: packed, ...rest } = known as Record;
  if (v !== VERSION) return undefined;
  const cells = unpackFloats(packed.cells);
  const watch = loadWatch({ ...packed, cells, pieces: unpackWords(packed.pieces) });
  return watch ? { ...rest, watch, torn: false } : undefined;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...LETTERS].map((letter, i) => [letter, i]));

function packFloats(cells: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(4 * cells.length));
  for (const [i, cell] of cells.entries()) bytes.setFloat32(4 * i, cell, true);
  return toText(new Uint8Array(bytes.buffer));
}

function unpackFloats(text: string): number[] {
  const bytes = new DataView(toBytes(text).buffer);
  const count = Math.floor(bytes.byteLength / 4);
  return Array.from({ length: count }, (_, i) => bytes.getFloat32(4 * i, true));
}

function packWords(words: Uint16Array): string {
  const bytes = new Uint8Array(2 * words.length);
  for (const [i, word] of words.entries()) {
    bytes[2 * i] = word & 0xff;
    bytes[2 * i + 1] = word >>> 8;
  }
  return toText(bytes);
}

function unpackWords(text: string): number[] {
  const bytes = toBytes(text);
  const count = Math.floor(bytes.length / 2);
  return Array.from({ length: count }, (_, i) => {
    return (bytes[2 * i] as number) + 256 * (bytes[2 * i + 1] as number);
  });
}

/** Base 64 (RFC 4648, 4) without its padding. */
function toText(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const word = a * 65_536 + b * 256 + c;
    const letters = Math.min(3, bytes.length - i) + 1;
    for (let k = 0; k < letters; k++) text += LETTERS[(word >>> (18 - 6 * k)) & 63];
  }
  return text;
}

function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    held = ((held << 6) | (VALUES.get(letter) ?? 0)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = (held >>> bits) & 0xff;
    at += 1;
  }
  return bytes;
}
