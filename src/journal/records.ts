// Reads the store for who cannot go on without it: a medium that fails is thrown, never taken for an absence.

import type { KeyRange, Store } from '../boundaries.ts';
import { unseal, within } from '../codec/journal-record.ts';
import { StoreLost } from '../domain/fault.ts';

/** Keys of the journal are printable ASCII. */
export const EVERYTHING: KeyRange = { from: ' ', to: '~' };

/** Damaged records, left out and named. */
export type Damaged = (readonly [key: string, text: string])[];

/** Damaged records at the end of a range that are passed over in search of a sound one. */
export const LOOK_BACK = 64;

/** The text under `key`; undefined where there is none. Throws StoreLost. */
export async function textAt(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(key);
  if (!found.ok) throw new StoreLost(found.fault.detail);
  return found.value;
}

/** What was sealed under `key`; undefined where there is nothing, or it is damaged. Throws StoreLost. */
export async function sealedAt<T>(store: Store, key: string): Promise<T | undefined> {
  return unseal(key, (await textAt(store, key)) ?? '') as T | undefined;
}

/** The records below `prefix` by `meter/inst`; those that `decode` cannot read are added to `damaged`. Throws StoreLost. */
export async function byInstallation<T extends { readonly meter: string; readonly inst: number }>(
  store: Store,
  prefix: string,
  decode: (key: string, text: string) => T | undefined,
  damaged: Damaged = [],
): Promise<Map<string, T>> {
  const all = new Map<string, T>();
  for await (const [key, text] of store.entries(within(prefix))) {
    const found = decode(key, text);
    if (found) all.set(`${found.meter}/${found.inst}`, found);
    else damaged.push([key, text]);
  }
  return all;
}
