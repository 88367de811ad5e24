// Brings back from a repaired copy what a store has lost: only records that are sound, and never over a sound one.

import type { Store, StoreChange } from '../boundaries.ts';
import { decodeCheckpoint, decodeEntryKey, decodeRow } from '../codec/journal-record.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import { good, type Result, StoreLost } from '../domain/fault.ts';
import { hourOf } from '../domain/units.ts';
import { byInstallation, EVERYTHING } from './records.ts';
import { isSound } from './sound.ts';

/** Changes of one write: large enough to be quick, small enough to be no burden on memory. */
const BATCH = 500;

/**
 * Writes into `store` what `copy` has and `store` lacks, or holds damaged. `wanted` says which keys may come back. Good
 * with the number of records brought back.
 */
export async function bringBack(
  store: Store,
  copy: Store,
  wanted: (key: string) => boolean = () => true,
): Promise<Result<number>> {
  let brought = 0;
  let changes: StoreChange[] = [];
  const ship = async () => {
    const written = await store.write(changes);
    if (written.ok) brought += changes.length;
    changes = [];
    return written;
  };
  try {
    // What is left of what was thinned since the copy was made.
    const points = await byInstallation(store, 'k/', decodeCheckpoint);
    for await (const [key, value] of lacking(store, copy)) {
      if (!wanted(key) || isThinned(key, value, points)) continue;
      changes.push({ key, value });
      if (changes.length < BATCH) continue;
      const written = await ship();
      if (!written.ok) return written;
    }
    const written = await ship();
    return written.ok ? good(brought) : written;
  } catch (error) {
    if (error instanceof StoreLost) return { ok: false, fault: error.fault };
    throw error;
  }
}

/** Whether a record was deleted for its age, or stands under the number of one that was: the checkpoint has counted it. */
function isThinned(key: string, text: string, points: ReadonlyMap<string, Checkpoint>): boolean {
  const named = /^[pr]\//.test(key) ? decodeEntryKey(key, text) : undefined;
  if (named !== undefined) return isThinned(named, '', points);
  const [kind, meter, inst, place] = key.split('/');
  const point = points.get(`${meter}/${Number(inst)}`);
  if (!point) return false;
  if (kind === 'i') return Number(place) < point.seq;
  if (kind === 'h') return Number(place) < point.start;
  if (kind !== 'g') return false;
  const gap = decodeRow(key, text);
  return hourOf(gap?.kind === 'gap' ? gap.to : Number(place)) < point.start;
}

/** Sound records of `copy` that `store` lacks or holds damaged: both are walked side by side, in the order of keys. */
async function* lacking(
  store: Store,
  copy: Store,
): AsyncGenerator<readonly [key: string, value: string]> {
  const own = store.entries(EVERYTHING)[Symbol.asyncIterator]();
  try {
    let at = await own.next();
    for await (const [key, value] of copy.entries(EVERYTHING)) {
      while (!at.done && at.value[0] < key) at = await own.next();
      const isHeld = !at.done && at.value[0] === key && isSound(key, at.value[1]);
      if (!isHeld && isSound(key, value)) yield [key, value];
    }
  } finally {
    await own.return?.();
  }
}
