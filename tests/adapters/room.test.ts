// The store on a disk tells what it takes up, and gives back what was deleted when it is asked to.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { bytesWorn } from '../../src/adapters/room.ts';
import { readLines, writeLines } from '../../src/adapters/text-file.ts';
import type { Store } from '../../src/boundaries.ts';
import { must } from '../boundaries/store.suite.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'room-'));
});
afterEach(() => rm(folder, { recursive: true }));

const RANGE = { from: 'i/', to: 'i0' };
/** Letters that do not compress. */
const noise = (seed: number) =>
  Array.from({ length: 200 }, (_, i) =>
    String.fromCharCode(33 + ((seed * 7_919 + i * i * 31 + i * seed) % 94)),
  ).join('');

async function filled(): Promise<Required<Store>> {
  const store = must(await openLevelStore(join(folder, 'store'))) as Required<Store>;
  for (let from = 0; from < 40_000; from += 1_000) {
    const changes = Array.from({ length: 1_000 }, (_, i) => {
      const key = `i/${String(from + i).padStart(6, '0')}`;
      return { key, value: noise(from + i) };
    });
    must(await store.write(changes));
  }
  return store;
}

it('deleted increments leave their room to others after a compaction, and what is kept stays', async () => {
  const store = await filled();
  const before = must(await store.room());
  expect(before.bytes).toBeGreaterThan(3_000_000);
  expect(before.freeBytes).toBeGreaterThan(0);
  for (let from = 0; from < 39_000; from += 1_000) {
    const gone = Array.from({ length: 1_000 }, (_, i) => ({
      key: `i/${String(from + i).padStart(6, '0')}`,
    }));
    must(await store.write(gone));
  }
  must(await store.compact(RANGE));
  const after = must(await store.room());
  expect(after.bytes).toBeLessThan(before.bytes / 2);
  expect(must(await store.sizeOf(RANGE))).toBeLessThan(before.bytes / 4);
  expect(must(await store.get('i/039500'))).toBe(noise(39_500));
  await store.close();
  expect((await store.room()).ok).toBe(true);
  expect((await store.compact(RANGE)).ok).toBe(false);
});

it.skipIf(bytesWorn() === null)(
  'what is written to the disk is counted (needs /proc)',
  async () => {
    const before = bytesWorn() ?? 0;
    const store = await filled();
    await store.close();
    expect((bytesWorn() ?? 0) - before).toBeGreaterThan(3_000_000);
  },
);

it('a file of lines is there whole, or as it was before', async () => {
  const path = join(folder, 'lines');
  async function* lines(count: number, fails = false) {
    for (let i = 0; i < count; i += 1) yield `${JSON.stringify({ i, text: 'ä' })}\n`;
    if (fails) throw new Error('the medium went away');
  }
  expect((await writeLines(path, lines(3))).ok).toBe(true);
  expect((await writeLines(path, lines(100_000, true))).ok).toBe(false);
  const read: string[] = [];
  for await (const line of readLines(path)) read.push(line);
  expect(read).toEqual([0, 1, 2].map((i) => JSON.stringify({ i, text: 'ä' })));
  expect((await writeLines(join(folder, 'absent', 'x'), lines(1))).ok).toBe(false);
  const absent = readLines(join(folder, 'nothing'))[Symbol.asyncIterator]();
  await expect(absent.next()).rejects.toThrow(/there is no/);
});
