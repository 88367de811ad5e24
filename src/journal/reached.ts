// How far each meter's hours and increments reach in the store: what an installation's state must not be behind.

import type { Store } from '../boundaries.ts';
import { decodeRow, incrementOf } from '../codec/journal-record.ts';
import { LOOK_BACK } from './records.ts';
import { isSound } from './sound.ts';

export interface Reached {
  /** Newest hour, and newest increment, by installation. */
  hour?: { readonly inst: number; readonly start: number };
  step?: { readonly inst: number; readonly seq: number };
}

/** One look for each meter and kind, from the end: a store of 45 days is not read for it. Throws StoreLost. */
export async function reachedIn(store: Store): Promise<Map<string, Reached>> {
  const reached = new Map<string, Reached>();
  const of = (meter: string) => {
    const known = reached.get(meter) ?? {};
    reached.set(meter, known);
    return known;
  };
  await lastOfEach(store, 'h', (meter, key, text) => {
    const row = decodeRow(key, text);
    if (row?.kind !== 'hour') return false;
    of(meter).hour = { inst: row.inst, start: row.start };
    return true;
  });
  await lastOfEach(store, 'i', (meter, key, text) => {
    if (!isSound(key, text)) return false;
    of(meter).step = incrementOf(key);
    return true;
  });
  return reached;
}

/** Calls `take` for records of each meter from the last one back, until it says that it has what it wants. */
async function lastOfEach(
  store: Store,
  kind: string,
  take: (meter: string, key: string, text: string) => boolean,
): Promise<void> {
  let to = `${kind}0`;
  for (;;) {
    const last = await lastIn(store, kind, to);
    if (!last) return;
    const [key, text] = last;
    const meter = meterOf(key);
    const prefix = `${kind}/${meter}/`;
    // A damaged key may sort before the prefix that it seems to have.
    const from = prefix < key ? prefix : key;
    if (!take(meter, key, text)) {
      const earlier = { from, to, reverse: true, limit: LOOK_BACK };
      for await (const [other, value] of store.entries(earlier)) {
        if (meterOf(other) === meter && take(meter, other, value)) break;
      }
    }
    to = from;
  }
}

async function lastIn(store: Store, kind: string, to: string) {
  const range = { from: `${kind}/`, to, reverse: true, limit: 1 };
  for await (const entry of store.entries(range)) return entry;
  return undefined;
}

const meterOf = (key: string) => key.split('/')[1] ?? '';
