// What every Store promises, on disk or in memory.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyRange, Store } from '../../src/boundaries.ts';
import { type Result, StoreLost } from '../../src/domain/fault.ts';

export interface StoreRig {
  /** Opens the store on this rig's medium, which survives. */
  open(): Promise<Result<Store>>;
  dispose(): Promise<void>;
}

const ALL: KeyRange = { from: '!', to: '~' };

export function storeSuite(name: string, create: () => Promise<StoreRig>): void {
  describe(`${name} as a Store`, () => {
    let rig: StoreRig;
    let store: Store;
    beforeEach(async () => {
      rig = await create();
      store = must(await rig.open());
    });
    afterEach(async () => {
      await store.close();
      await rig.dispose();
    });

    it('what was written is there after the store was opened again', async () => {
      must(await store.write([{ key: 'm/SP-1/state', value: '{"read":1234603}' }]));
      await store.close();
      store = must(await rig.open());
      expect(must(await store.get('m/SP-1/state'))).toBe('{"read":1234603}');
      expect(must(await store.get('m/SP-2/state'))).toBeUndefined();
    });

    it('a batch puts and deletes in one go, the last change of a key wins', async () => {
      must(await store.write([put('a', '1'), put('b', '1'), put('c', '1')]));
      must(
        await store.write([
          put('a', '2'),
          { key: 'b' },
          put('d', '4'),
          { key: 'c' },
          put('c', '5'),
        ]),
      );
      must(await store.write([]));
      expect(await listed(store, ALL)).toEqual([
        ['a', '2'],
        ['c', '5'],
        ['d', '4'],
      ]);
    });

    it('a range runs in byte order from its first key up to but without its last', async () => {
      const keys = ['i/A/01', 'i/A/02', 'i/A/10', 'i/B/01', 'i/a/01', 'i0', 'i'];
      must(await store.write(keys.map((key) => put(key, key))));
      const inA = { from: 'i/A/01', to: 'i/A/10' };
      expect(await keysOf(store, inA)).toEqual(['i/A/01', 'i/A/02']);
      expect(await keysOf(store, { ...inA, reverse: true })).toEqual(['i/A/02', 'i/A/01']);
      expect(await keysOf(store, { from: 'i/', to: 'i0' })).toEqual([
        'i/A/01',
        'i/A/02',
        'i/A/10',
        'i/B/01',
        'i/a/01',
      ]);
      expect(await keysOf(store, { from: 'i/', to: 'i0', limit: 2 })).toEqual(['i/A/01', 'i/A/02']);
      expect(await keysOf(store, { from: 'i/', to: 'i0', limit: 1, reverse: true })).toEqual([
        'i/a/01',
      ]);
      expect(await keysOf(store, { from: 'i0', to: 'i/' })).toEqual([]);
      expect(await keysOf(store, { from: 'i/', to: 'i0', limit: 0 })).toEqual([]);
    });

    it('a range that ends before it begins is empty', async () => {
      must(await store.write([put('a', '1'), put('b', '2'), put('c', '3')]));
      expect(await keysOf(store, { from: 'c', to: 'a' })).toEqual([]);
      expect(await keysOf(store, { from: 'c', to: 'a', reverse: true })).toEqual([]);
    });

    it('five thousand hours come back in order, each once, whatever order they went in', async () => {
      const hours = Array.from(
        { length: 5_000 },
        (_, i) => `h/${String((i * 2_741) % 5_000).padStart(5, '0')}`,
      );
      for (let i = 0; i < hours.length; i += 250) {
        must(await store.write(hours.slice(i, i + 250).map((key) => put(key, `${key}!`))));
      }
      const sorted = hours.toSorted();
      expect(await keysOf(store, ALL)).toEqual(sorted);
      expect(await keysOf(store, { ...ALL, reverse: true })).toEqual(sorted.toReversed());
      must(await store.write(sorted.filter((_, i) => i % 3 > 0).map((key) => ({ key }))));
      expect(await listed(store, ALL)).toEqual(
        sorted.filter((_, i) => i % 3 === 0).map((key) => [key, `${key}!`]),
      );
    });

    it('a portion is what an iteration of the same range gives, at most its limit of it', async () => {
      must(await store.write(many(2_500)));
      const within = { from: 'k/00010', to: 'k/02490' };
      for (const limit of [0, 1, 2, 47, 2_000, 2_479, 2_480, 5_000]) {
        for (const reverse of [false, true]) {
          const range = { ...within, limit, reverse };
          const portion = await store.portion(range);
          expect(portion).toEqual(await listed(store, range));
          expect(portion).toHaveLength(Math.min(limit, 2_480));
        }
      }
      expect(await store.portion({ from: 'k/1', to: 'k/0', limit: 10 })).toEqual([]);
    });

    it('an iteration sees the store as it stood when it began', async () => {
      must(await store.write(many(3_000)));
      const seen: string[] = [];
      for await (const [key, value] of store.entries(ALL)) {
        if (seen.length === 0) {
          must(
            await store.write([
              { key: 'k/02999' },
              put('k/01000', 'changed'),
              put('k/00000a', 'new'),
            ]),
          );
        }
        expect(value).toBe('v');
        seen.push(key);
      }
      expect(seen).toEqual(many(3_000).map(({ key }) => key));
      expect(await keysOf(store, { from: 'k/00000', to: 'k/00001' })).toEqual([
        'k/00000',
        'k/00000a',
      ]);
    });

    it('an iteration may be left early', async () => {
      must(await store.write(many(2_500)));
      for await (const [key] of store.entries(ALL)) {
        expect(key).toBe('k/00000');
        break;
      }
      must(await store.write([put('k/00000', 'after')]));
      expect(must(await store.get('k/00000'))).toBe('after');
    });

    it('a second opening is refused as locked until the first is closed', async () => {
      const second = await rig.open();
      expect(second.ok ? 'good' : second.fault.code).toBe('store.locked');
      await store.close();
      await store.close();
      store = must(await rig.open());
      must(await store.write([put('a', '1')]));
    });

    it('a closed store answers with a fault and never throws at a write or a get', async () => {
      must(await store.write([put('a', '1')]));
      await store.close();
      const written = await store.write([put('b', '1')]);
      const got = await store.get('a');
      expect([written, got].map((outcome) => (outcome.ok ? 'good' : outcome.fault.code))).toEqual([
        'store.failed',
        'store.failed',
      ]);
      await expect(listed(store, ALL)).rejects.toBeInstanceOf(StoreLost);
    });

    it('an iteration whose medium goes away ends with StoreLost, not as if that were all', async () => {
      must(await store.write(many(5_000)));
      const seen: string[] = [];
      const reading = (async () => {
        for await (const [key] of store.entries(ALL)) {
          seen.push(key);
          if (seen.length === 1) await store.close();
        }
      })();
      await expect(reading).rejects.toBeInstanceOf(StoreLost);
      expect(seen.length).toBeLessThan(5_000);
    });
  });
}

/** The value of a good outcome; a fault fails the test with its words. */
export function must<T>(outcome: Result<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.fault.code}: ${outcome.fault.detail}`);
  return outcome.value;
}

export function put(key: string, value: string) {
  return { key, value };
}

export async function listed(store: Store, range: KeyRange) {
  const entries: (readonly [string, string])[] = [];
  for await (const entry of store.entries(range)) entries.push(entry);
  return entries;
}

async function keysOf(store: Store, range: KeyRange): Promise<string[]> {
  return (await listed(store, range)).map(([key]) => key);
}

function many(count: number) {
  return Array.from({ length: count }, (_, i) => put(`k/${String(i).padStart(5, '0')}`, 'v'));
}
