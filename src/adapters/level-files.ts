// Reads LevelDB's tables and logs without LevelDB, which verifies no block it reads and ends the process over a damaged one.

import { maskedCrc32c } from './crc32c.ts';
import { unsnap, varintAt } from './snappy.ts';

/** One change of a key as it lies in a file; `value` null deletes. The higher `seq` is the newer. */
export interface Change {
  readonly key: string;
  readonly seq: number;
  readonly value: string | null;
}

/** A table by its blocks, in the order of keys. */
export interface Table {
  readonly blocks: readonly BlockHandle[];
  /** The index itself, or the end of the file, is damaged: blocks may be missing. */
  readonly isDamaged: boolean;
}

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

const FOOTER = 48;
const MAGIC_LOW = 0x8b80fb57;
const MAGIC_HIGH = 0xdb477524;
/** Behind each block: its kind, and CRC-32C of both. */
const TRAILER = 5;

/** The blocks of the table in `file`; none where its end or its index cannot be made out. */
export function tableIn(file: Buffer): Table {
  const nothing = { blocks: [], isDamaged: true };
  const foot = file.length - FOOTER;
  if (foot < 0) return nothing;
  const magic = [file.readUInt32LE(file.length - 8), file.readUInt32LE(file.length - 4)];
  const meta = handleAt(file, foot);
  const index = meta && handleAt(file, meta.end);
  if (!index) return nothing;
  const block = blockIn(file, index.handle);
  if (!block) return nothing;
  const blocks: BlockHandle[] = [];
  const entries = entriesIn(block.bytes);
  for (const { value } of entries.list) {
    const found = handleAt(value, 0);
    if (found) blocks.push(found.handle);
  }
  const isWhole = block.isSound && !entries.isTorn && blocks.length === entries.list.length;
  const isSound = isWhole && magic[0] === MAGIC_LOW && magic[1] === MAGIC_HIGH;
  return { blocks, isDamaged: !isSound };
}

function handleAt(bytes: Buffer, from: number) {
  const offset = varintAt(bytes, from);
  const size = offset && varintAt(bytes, offset.end);
  if (!offset || !size) return undefined;
  return { handle: { offset: offset.value, size: size.value }, end: size.end };
}

/** Whether the block's check sum holds. */
export function isBlockSound(file: Buffer, { offset, size }: BlockHandle): boolean {
  const end = offset + size;
  if (end + TRAILER > file.length) return false;
  return file.readUInt32LE(end + 1) === maskedCrc32c(file, offset, end + 1);
}

function blockIn(
  file: Buffer,
  handle: BlockHandle,
): { readonly bytes: Buffer; readonly isSound: boolean } | undefined {
  const { offset, size } = handle;
  const end = offset + size;
  if (end + TRAILER > file.length) return undefined;
  const stored = file.subarray(offset, end);
  const kind = file[end];
  const bytes = kind === 1 ? unsnap(stored) : stored;
  return bytes && { bytes, isSound: isBlockSound(file, handle) };
}

/** The changes in one block of a table, as far as it can be made out, and whether its check sum holds. */
export function changesIn(
  file: Buffer,
  handle: BlockHandle,
): { readonly changes: readonly Change[]; readonly isSound: boolean } {
  const block = blockIn(file, handle);
  if (!block) return { changes: [], isSound: false };
  const changes: Change[] = [];
  for (const { key, value } of entriesIn(block.bytes).list) {
    if (key.length < 8) continue;
    const kind = key[key.length - 8];
    const seq = key.readUIntLE(key.length - 7, 6);
    const name = key.toString('latin1', 0, key.length - 8);
    changes.push({ key: name, seq, value: kind === 0 ? null : value.toString('utf8') });
  }
  return { changes, isSound: block.isSound };
}

interface BlockEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Entries of a block, in which each key shares its beginning with the one before; up to the first that cannot be. */
function entriesIn(block: Buffer): { readonly list: BlockEntry[]; readonly isTorn: boolean } {
  const list: BlockEntry[] = [];
  const restarts = block.length < 4 ? 0 : block.readUInt32LE(block.length - 4);
  const end = block.length - 4 - 4 * restarts;
  let at = 0;
  let key = Buffer.alloc(0);
  while (at < end) {
    const shared = varintAt(block, at);
    const own = shared && varintAt(block, shared.end);
    const length = own && varintAt(block, own.end);
    if (!shared || !own || !length) return { list, isTorn: true };
    const begin = length.end;
    const middle = begin + own.value;
    at = middle + length.value;
    if (at > end || shared.value > key.length) return { list, isTorn: true };
    key = Buffer.concat([key.subarray(0, shared.value), block.subarray(begin, middle)]);
    list.push({ key, value: block.subarray(middle, at) });
  }
  return { list, isTorn: end < 0 };
}

const LOG_BLOCK = 32 * 1024;
const LOG_HEADER = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;
/** Stands for pieces that cannot be made out; LevelDB has none of this kind. */
const LOST = -1;
const NO_BYTES = Buffer.alloc(0);

/** Changes in a log, from batches whose check sums hold and, apart, from those that can be made out all the same. */
export function changesInLog(file: Buffer): {
  readonly sound: readonly Change[];
  readonly doubtful: readonly Change[];
} {
  const sound: Change[] = [];
  const doubtful: Change[] = [];
  for (const { bytes, isSound } of recordsOf(file)) {
    (isSound ? sound : doubtful).push(...batchIn(bytes));
  }
  return { sound, doubtful };
}

/** The whole records of a log or MANIFEST, each from its pieces. One of which any piece is missing is not sound. */
function* recordsOf(file: Buffer) {
  let pieces: Buffer[] = [];
  let isSound = false;
  for (const piece of piecesOf(file)) {
    if (piece.kind === FULL || piece.kind === FIRST) {
      pieces = [];
      isSound = true;
    }
    pieces.push(piece.bytes);
    isSound = isSound && piece.isSound;
    if (piece.kind !== FULL && piece.kind !== LAST) continue;
    yield { bytes: Buffer.concat(pieces), isSound };
    pieces = [];
    isSound = false;
  }
}

function* piecesOf(file: Buffer) {
  for (let block = 0; block < file.length; block += LOG_BLOCK) {
    const end = Math.min(file.length, block + LOG_BLOCK);
    let at = block;
    while (at + LOG_HEADER <= end) {
      const length = file.readUInt16LE(at + 4);
      const kind = file[at + 6] as number;
      const begin = at + LOG_HEADER;
      // Zeros at the end of a block are no piece.
      if (kind === 0 && length === 0) break;
      // A length beyond the block is damaged, and with it the rest of the block: nobody knows what is missing there.
      if (begin + length > end) {
        yield { kind: LOST, bytes: NO_BYTES, isSound: false };
        break;
      }
      const isSound = file.readUInt32LE(at) === maskedCrc32c(file, at + 6, begin + length);
      yield { kind, bytes: file.subarray(begin, begin + length), isSound };
      at = begin + length;
    }
  }
}

/** The changes of one written batch: its first sequence number, their count, and they themselves. */
function batchIn(batch: Buffer): Change[] {
  const changes: Change[] = [];
  if (batch.length < 12) return changes;
  let seq = batch.readUIntLE(0, 6);
  let at = 12;
  while (at < batch.length) {
    const kind = batch[at];
    const key = textAt(batch, at + 1);
    if (!key || (kind !== 0 && kind !== 1)) return changes;
    at = key.end;
    let value: string | null = null;
    if (kind === 1) {
      const found = textAt(batch, at);
      if (!found) return changes;
      value = found.bytes.toString('utf8');
      at = found.end;
    }
    changes.push({ key: key.bytes.toString('latin1'), seq, value });
    seq += 1;
  }
  return changes;
}

function textAt(bytes: Buffer, from: number) {
  const length = varintAt(bytes, from);
  if (!length || length.end + length.value > bytes.length) return undefined;
  const end = length.end + length.value;
  return { bytes: bytes.subarray(length.end, end), end };
}

/** Tags of a MANIFEST's edits, and of what each consists: a number or a text with its length before it. */
const EDITS: ReadonlyMap<number, readonly ('number' | 'text')[]> = new Map([
  [1, ['text']], // comparator
  [2, ['number']], // log
  [3, ['number']], // next file
  [4, ['number']], // last sequence
  [5, ['number', 'text']], // compaction: level, key
  [6, ['number', 'number']], // table no longer there: level, number
  [7, ['number', 'number', 'number', 'text', 'text']], // table: level, number, size, first and last key
  [9, ['number']], // log before
]);
const TABLE_GONE = 6;
const TABLE_NEW = 7;

/** Numbers of the tables that a MANIFEST names in the end; undefined where it cannot be made out whole. */
export function tablesNamedIn(manifest: Buffer): ReadonlySet<number> | undefined {
  const named = new Set<number>();
  for (const { bytes, isSound } of recordsOf(manifest)) {
    if (!isSound) return undefined;
    for (let at = 0; at < bytes.length; ) {
      const edit = editAt(bytes, at);
      if (!edit) return undefined;
      at = edit.end;
      if (edit.tag === TABLE_NEW) named.add(edit.table);
      if (edit.tag === TABLE_GONE) named.delete(edit.table);
    }
  }
  return named;
}

function editAt(bytes: Buffer, from: number) {
  const tag = varintAt(bytes, from);
  const parts = tag && EDITS.get(tag.value);
  if (!parts) return undefined;
  const numbers: number[] = [];
  let at = tag.end;
  for (const part of parts) {
    const found = varintAt(bytes, at);
    if (!found) return undefined;
    at = found.end + (part === 'text' ? found.value : 0);
    if (part === 'number') numbers.push(found.value);
  }
  return { tag: tag.value, table: numbers[1] ?? 0, end: at };
}
