// What is known of a place's leaks and use, as plain JSON for the journal: cells as base 64, for they are most of it.

import { loadWatch, type SavedWatch, saveNumbers } from '../domain/leaks/watch.ts';
import type { Watched } from '../domain/watched.ts';

/** Another layout is not understood: then what the increments tell is all that is known. */
const VERSION = 1;

type Record = Omit<Watched, 'watch' | 'torn'> & {
  readonly v: typeof VERSION;
  readonly watch: Omit<SavedWatch, 'cells' | 'words'> & {
    readonly cells: string;
    readonly words: string;
  };
};

export function encodeWatched({ watch, torn: _, ...rest }: Watched): Record {
  const packed = { cells: packFloats(watch.cells), words: packWords(watch.words) };
  return { v: VERSION, ...rest, watch: { ...saveNumbers(watch), ...packed } };
}

/** What was known; undefined for what another version kept. */
export function decodeWatched(known: unknown): Watched | undefined {
  if (typeof known !== 'object' || known === null) return undefined;
  const { v, watch: packed, inst, seen, usage, makers, used } = known as Record;
  if (v !== VERSION || packed.v !== 2) return undefined;
  const cells = unpackFloats(packed.cells);
  const watch = loadWatch({ ...packed, cells, words: unpackWords(packed.words) });
  // In the order of one that begins: two shapes would make each step of both slower (V8).
  return watch ? { inst, seen, watch, usage, makers, used, torn: false } : undefined;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** By the code of a letter; of what is none, 0. */
const VALUES = new Uint8Array(256);
for (let i = 0; i < LETTERS.length; i++) VALUES[LETTERS.charCodeAt(i)] = i;

function packFloats(cells: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(4 * cells.length));
  for (let i = 0; i < cells.length; i++) bytes.setFloat32(4 * i, cells[i] as number, true);
  return toText(new Uint8Array(bytes.buffer));
}

function unpackFloats(text: string): number[] {
  const bytes = new DataView(toBytes(text).buffer);
  const count = Math.floor(bytes.byteLength / 4);
  return Array.from({ length: count }, (_, i) => bytes.getFloat32(4 * i, true));
}

function packWords(words: Uint16Array): string {
  const bytes = new Uint8Array(2 * words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
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
  const letters: number[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    letters.push(code(word >>> 18), code((word >>> 12) & 63));
    if (i + 1 < bytes.length) letters.push(code((word >>> 6) & 63));
    if (i + 2 < bytes.length) letters.push(code(word & 63));
  }
  return String.fromCharCode(...letters);
}

const code = (six: number): number => LETTERS.charCodeAt(six);

function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    held = ((held << 6) | (VALUES[text.charCodeAt(i)] ?? 0)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = (held >>> bits) & 0xff;
    at += 1;
  }
  return bytes;
}
