// Puts a backup in the place of the journal, after everything that speaks against it has been looked at.

import type { CommandAnswer, Store } from '../boundaries.ts';
import { keys, unseal } from '../codec/journal-record.ts';
import type { Result } from '../domain/fault.ts';
import { decodeMeta } from './meta.ts';
import { restoredRecords, verifyBackup, type WholeBackup } from './restore.ts';

export interface RestoreParts {
  /** Whose journal it is to be. */
  readonly collector: string;
  /** Although the backup is another collector's, or older than what is there. */
  readonly force: boolean;
  readonly newEpoch: () => string;
  /** Reads the backup from its first line. Throws what the file system says. */
  readonly read: () => AsyncIterable<string>;
  /** Opens the journal that is there; `store.failed` where there is none, or it is beyond opening. */
  readonly openPresent: () => Promise<Result<Store>>;
  /** Puts a journal of these records in the place of what is there. Good with their number. */
  readonly place: (
    records: AsyncIterable<readonly [key: string, value: string]>,
  ) => Promise<Result<number>>;
}

/** Verifies first, then asks whose it is and what it would replace, then restores. Never rejects for what the world does. */
export async function restoreBackup(parts: RestoreParts): Promise<CommandAnswer> {
  const verified = await verify(parts);
  if (!verified.ok) {
    const { code, detail } = verified.fault;
    return refused(code, `The backup cannot be restored: ${detail}.`, 'Nothing was changed.');
  }
  const against = foreign(verified.value, parts) ?? (await newer(verified.value, parts));
  if (against) return against;
  const { collector } = parts;
  const epoch = parts.newEpoch();
  const records = restoredRecords(parts.read(), verified.value, { epoch, collector });
  const placed = await parts.place(records);
  if (!placed.ok) {
    const { code, detail } = placed.fault;
    if (code === 'store.locked') return LOCKED;
    return refused(code, `The journal was not restored: ${detail}.`, 'See its folder; try again.');
  }
  return { ok: true, data: { epoch, rows: verified.value.rows.length, records: placed.value } };
}

const refused = (code: string, message: string, hint: string): CommandAnswer => ({
  ...{ ok: false, code, message, hint },
});

const LOCKED = refused('store.locked', 'A collector has the journal open.', 'Stop it first.');

async function verify({ read }: RestoreParts): Promise<Result<WholeBackup>> {
  try {
    return await verifyBackup(read());
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return { ok: false, fault: { code: 'store.failed', detail } };
  }
}

function foreign({ head }: WholeBackup, { collector, force }: RestoreParts): CommandAnswer | null {
  if (head.collector === collector || force) return null;
  const message = `The backup is of collector ${head.collector}; these settings are of ${collector}.`;
  return refused('conflict', message, 'If it is to take its place, add --force.');
}

/** A journal that is there and knows more than the backup is not given up for it unasked. */
async function newer({ head }: WholeBackup, parts: RestoreParts): Promise<CommandAnswer | null> {
  const opened = await parts.openPresent();
  if (!opened.ok) {
    if (opened.fault.code !== 'store.locked') return null;
    return LOCKED;
  }
  const store = opened.value;
  const [meta, row] = [await store.get(keys.meta), await store.get(keys.nextRow)];
  await store.close();
  const present = meta.ok ? decodeMeta(meta.value) : undefined;
  const nextRow = row.ok ? unseal(keys.nextRow, row.value ?? '') : undefined;
  const rows = typeof nextRow === 'number' ? nextRow - 1 : 0;
  const isOlder = present !== undefined && (rows > head.rows || present.epoch !== head.epoch);
  if (!isOlder || parts.force) return null;
  const message = `The journal that is there has ${rows} rows of epoch ${present.epoch}; the backup has ${head.rows} of ${head.epoch}.`;
  return refused('conflict', message, 'If the backup is to replace it all the same, add --force.');
}
