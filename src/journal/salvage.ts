// Brings back from a repaired copy what a store has lost: only records that are sound, and never over a sound one.

import type { KeyRange, Store, StoreChange } from '../boundaries.ts';
import { good, type Result, StoreLost } from '../domain/fault.ts';
import { isSound } from './sound.ts';

/** Changes of one write: large enough to be quick, small enough to be no burden on memory. */
const BATCH = 500;

const EVERYTHING: KeyRange = { from: ' ', to: '~' };

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
    for await (const [key, value] of lacking(store, copy)) {
      if (!wanted(key)) continue;
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
