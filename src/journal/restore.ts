// Turns a backup into the journal of a new epoch: rows are numbered anew, what they say and how often it was said stays.

import { type BackupHead, BackupReader, type StoredRecord } from '../codec/backup.ts';
import {
  decodeEntryKey,
  decodeRow,
  encodeEntryKey,
  encodeRow,
  isOfNewerVersion,
  keyOfRow,
  keys,
  pendingOf,
  seal,
} from '../codec/journal-record.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { ABSENT_KEY, decodeAbsent, encodeAbsent } from './absent.ts';
import { encodeMeta } from './meta.ts';
import { isSound } from './sound.ts';
import { WEAR_KEY } from './standing.ts';

/** A backup that was read from its first line to its last and found whole. */
export interface WholeBackup {
  readonly head: BackupHead;
  /** Numbers of the rows whose entries it holds, ascending. */
  readonly rows: readonly number[];
}

/**
 * Reads a whole backup and verifies it. `store.failed` in words, or `store.newer`. A record that was damaged when it was
 * backed up is no fault of the backup: it is left out.
 */
export async function verifyBackup(lines: AsyncIterable<string>): Promise<Result<WholeBackup>> {
  const reader = new BackupReader();
  const rows: number[] = [];
  let head: BackupHead | undefined;
  let isWhole = false;
  for await (const line of lines) {
    const taken = reader.take(line);
    if (taken.kind === 'damaged') return faulty('store.failed', taken.detail);
    if (taken.kind === 'head') head = taken.head;
    else if (taken.kind === 'end') isWhole = true;
    else if (isOfNewerVersion(...taken.record)) return NEWER;
    else rows.push(...rowIn(taken.record));
  }
  if (!head || !isWhole) return faulty('store.failed', 'it breaks off before its end');
  return good({ head, rows: rows.sort((a, b) => a - b) });
}

const NEWER = faulty('store.newer', 'it was written by a newer version of the program');

function rowIn([key, text]: StoredRecord): number[] {
  const row = decodeEntry(key, text)?.row;
  return row === undefined ? [] : [row];
}

const decodeEntry = (key: string, text: string) =>
  /^[egh]\//.test(key) ? decodeRow(key, text) : undefined;

/** The records of the journal that goes on from a verified backup. Throws where it reads otherwise than when it was verified. */
export async function* restoredRecords(
  lines: AsyncIterable<string>,
  { head, rows }: WholeBackup,
  name: { readonly epoch: string; readonly collector: string },
): AsyncGenerator<StoredRecord> {
  const reader = new BackupReader();
  const backup = { epoch: head.epoch, rows: head.rows, at: head.at };
  yield [keys.meta, encodeMeta({ ...name, restored: true, backup })];
  yield [keys.nextRow, seal(keys.nextRow, rows.length + 1)];
  let isWhole = false;
  for await (const line of lines) {
    const taken = reader.take(line);
    isWhole = taken.kind === 'end';
    if (taken.kind === 'damaged') break;
    if (taken.kind === 'record' && isSound(...taken.record)) yield* renumbered(taken.record, rows);
  }
  // A file that was replaced meanwhile, or a stick that reads once so, once otherwise.
  if (!isWhole) throw new Error('the backup reads otherwise than when it was verified');
}

/** What a new journal tells of itself anew. */
const FORGOTTEN: readonly string[] = [keys.meta, keys.nextRow, WEAR_KEY];

function* renumbered([key, text]: StoredRecord, rows: readonly number[]): Generator<StoredRecord> {
  if (FORGOTTEN.includes(key) || key.startsWith('r/')) return;
  if (key === ABSENT_KEY) {
    yield [key, encodeAbsent({ rows: [], increments: decodeAbsent(text)?.increments ?? {} })];
    return;
  }
  if (key.startsWith('p/')) {
    const { meter, row } = pendingOf(key);
    const entryKey = decodeEntryKey(key, text);
    const number = rankOf(rows, row);
    if (entryKey === undefined || number === undefined) return;
    const renamed = keys.pending(meter, number);
    yield [renamed, encodeEntryKey(renamed, entryKey)];
    return;
  }
  const entry = decodeEntry(key, text);
  const number = entry && rankOf(rows, entry.row);
  if (!entry || number === undefined) {
    yield [key, text];
    return;
  }
  const row = { ...entry, row: number };
  yield [key, encodeRow(row)];
  yield [keys.row(number), encodeEntryKey(keys.row(number), keyOfRow(row))];
}

/** The place of a number among the ascending ones, from 1. */
function rankOf(rows: readonly number[], row: number): number | undefined {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as number) < row) low = middle + 1;
    else high = middle;
  }
  return rows[low] === row ? low + 1 : undefined;
}
