// The journal's folder: what an opening keeps, how it comes back from each interruption, and what it gives up for room.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changesIn, changesInLog, tableIn } from '../../src/adapters/level-files.ts';
import { damagedTables } from '../../src/adapters/level-rebuild.ts';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { createLevelVault } from '../../src/adapters/level-vault.ts';
import type { Store } from '../../src/boundaries.ts';
import { encodeIncrement, keys } from '../../src/codec/journal-record.ts';
import { listed, must, put, storeSuite } from '../boundaries/store.suite.ts';

const ALL = { from: '!', to: '~' };

/** A byte of a table whose second bit, flipped, gives keys of a block to entries of another one before it. */
function twinMakingByte(bytes: Buffer): number {
  const { blocks } = tableIn(bytes);
  const first = blocks[0];
  const others = new Set(first && changesIn(bytes, first).changes.map(({ key }) => key));
  for (const block of blocks.slice(1)) {
    for (let at = block.offset; at < block.offset + block.size; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8((bytes[at] ?? 0) ^ 2, at);
      if (changesIn(flipped, block).changes.some(({ key }) => others.has(key))) return at;
    }
  }
  throw new Error('no byte of this table is such');
}

/** A bit of a table that, flipped, lets an entry of a block read as an older one of the same block, which stays as it was. */
function doublingBit(bytes: Buffer, written: ReadonlyMap<string, string>) {
  for (const block of tableIn(bytes).blocks) {
    for (let at = block.offset; at < block.offset + block.size; at += 1) {
      for (let bit = 1; bit < 16; bit *= 2) {
        const flipped = Buffer.from(bytes);
        flipped.writeUInt8((bytes[at] ?? 0) ^ bit, at);
        const { changes } = changesIn(flipped, block);
        const whole = changes.filter(({ key, value }) => written.get(key) === value);
        const hides = (key: string, seq: number, value: string | null) =>
          changes.some(
            (one) => one.key === key && one.seq > seq && one.value !== null && one.value !== value,
          );
        const hidden = whole.filter(({ key, seq, value }) => hides(key, seq, value));
        if (hidden.length > 0) return { at, bit, keys: hidden.map(({ key }) => key) };
      }
    }
  }
  throw new Error('no bit of this table is such');
}

storeSuite('LevelDB in its vault', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vault-'));
  return {
    open: () => createLevelVault({ folder: join(folder, 'data'), ballastBytes: 0 }).open(),
    dispose: () => rm(folder, { recursive: true }),
  };
});

describe('the vault', () => {
  let folder: string;
  let store: Store | undefined;
  const vaultAt = (ballastBytes = 0) => createLevelVault({ folder, ballastBytes });
  const opened = async (vault = vaultAt()) => {
    store = must(await vault.open());
    return store;
  };
  const again = async () => {
    await store?.close();
    return opened();
  };
  const firstTable = async () => {
    const names = await readdir(join(folder, 'store'));
    const table = names.find((name) => name.endsWith('.ldb')) ?? '';
    const path = join(folder, 'store', table);
    return { table, path, bytes: await readFile(path) };
  };
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'vault-')), 'data');
    store = undefined;
  });
  afterEach(async () => {
    await store?.close();
    await rm(join(folder, '..'), { recursive: true });
  });

  it('lets nobody else on the machine read when a house uses water', async () => {
    await opened();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('keeps what was there before an opening until that is proved', async () => {
    must(await (await opened()).write([put('a', '1')]));
    await store?.close();
    const before = (await readdir(join(folder, 'store'))).filter((name) =>
      /log|MANI|CURR/.test(name),
    );
    const vault = vaultAt();
    await opened(vault);
    expect(await readdir(join(folder, 'kept'))).toEqual(
      expect.arrayContaining(before.filter((name) => /\d\.log|MANI|CURR/.test(name))),
    );
    expect(vault.signs()).toEqual([]);
    await vault.release();
    expect(await readdir(folder)).not.toContain('kept');
  });

  it('what a rebuilt store took in is there after it had to be rebuilt once more, whatever was kept before', async () => {
    const many = Array.from({ length: 50 }, (_, i) => put(`a${10 + i}`, 'before'));
    for (const change of many) must(await (store ?? (await opened())).write([change]));
    await store?.close();
    const vault = vaultAt();
    for (const [key, round] of [
      ['b', 'first'],
      ['c', 'second'],
      ['d', 'third'],
    ] as const) {
      // As after a medium that failed again and again: nothing of it was ever proved.
      vault.mistrust('damaged');
      await opened(vault);
      must(await (store as Store).write([put(key, round), put('a10', round)]));
      await store?.close();
    }
    vault.mistrust('damaged');
    const held = await listed(await opened(vault), ALL);
    expect(held).toHaveLength(53);
    expect(Object.fromEntries(held)).toMatchObject({
      a10: 'third',
      b: 'first',
      c: 'second',
      d: 'third',
    });
  });

  it('a LevelDB in the data folder itself is moved to its place, however often that is interrupted', async () => {
    const old = must(await openLevelStore(folder));
    must(await old.write([put('a', '1')]));
    await old.close();
    // As after a power cut in the midst of the move.
    await mkdir(join(folder, 'store.moving'));
    await rename(join(folder, 'CURRENT'), join(folder, 'store.moving', 'CURRENT'));
    expect(await listed(await opened(), ALL)).toEqual([['a', '1']]);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['store']));
  });

  it('a whole repaired copy takes the place of a store that was put aside before the power failed', async () => {
    must(await (await opened()).write([put('a', '1')]));
    await store?.close();
    await rename(join(folder, 'store'), join(folder, 'store.repaired'));
    expect(await listed(await opened(), ALL)).toEqual([['a', '1']]);
  });

  it.each(['CURRENT', 'MANIFEST'])(
    'a store without its %s is rebuilt, and says so',
    async (name) => {
      must(await (await opened()).write([put('a', '1'), put('b', '2')]));
      must(await (await again()).write([{ key: 'b' }, put('c', '3')]));
      await store?.close();
      for (const file of await readdir(join(folder, 'store'))) {
        if (file.startsWith(name)) await rm(join(folder, 'store', file));
      }
      const vault = vaultAt();
      expect(await listed(await opened(vault), ALL)).toEqual([
        ['a', '1'],
        ['c', '3'],
      ]);
      expect(vault.signs()).not.toEqual([]);
    },
  );

  it('a flipped bit in a table is found before LevelDB reads it, and only its block is in doubt', async () => {
    const rows = Array.from({ length: 2_000 }, (_, i) =>
      put(`k/${String(i).padStart(5, '0')}`, `${i} of many`),
    );
    must(await (await opened()).write(rows));
    await again();
    await store?.close();
    const { table, path, bytes } = await firstTable();
    bytes[100] = (bytes[100] ?? 0) ^ 4;
    await writeFile(path, bytes);
    expect(await damagedTables(join(folder, 'store'))).toEqual([table]);
    const vault = vaultAt();
    const left = await listed(await opened(vault), ALL);
    expect(vault.signs()).toEqual([`damaged: ${table}`]);
    expect(left.length).toBeGreaterThan(1_700);
    expect(left.slice(-1_700)).toEqual(rows.slice(-1_700).map(({ key, value }) => [key, value]));
  });

  it('a key that a flipped bit has made another’s leaves what that other held', async () => {
    const rows = ['1', '3'].flatMap((meter) =>
      Array.from({ length: 1_000 }, (_, i) => put(`i/${meter}/${1_000 + i}`, `${meter} ${i * i}`)),
    );
    must(await (await opened()).write(rows));
    await again();
    await store?.close();
    const { path, bytes } = await firstTable();
    const at = twinMakingByte(bytes);
    bytes.writeUInt8((bytes[at] ?? 0) ^ 2, at);
    await writeFile(path, bytes);
    const left = new Map(await listed(await opened(), ALL));
    for (const { key, value } of rows.slice(0, 1_000))
      expect([key, left.get(key)]).toEqual([key, value]);
  });

  it('an entry of a damaged block that reads as an older one of it takes the place of none that proves itself', async () => {
    const rows = Array.from({ length: 300 }, (_, seq) => {
      const [at, counts] = [Date.UTC(2026, 5, 1) + 60_000 * seq, 1 + (seq % 7)];
      const step = {
        inst: 1,
        seq,
        fromAt: at,
        toAt: at + 60_000,
        fromRead: seq,
        toRead: seq + counts,
      };
      const value = encodeIncrement('SP-1', { ...step, counts, kind: 'forward' });
      return put(keys.increment('SP-1', 1, seq), value);
    });
    must(await (await opened()).write(rows));
    await store?.close();
    const proved = vaultAt();
    await opened(proved);
    await proved.release();
    await store?.close();
    const { path, bytes } = await firstTable();
    const written = new Map(rows.map(({ key, value }) => [key, value ?? '']));
    const { at, bit, keys: doubled } = doublingBit(bytes, written);
    bytes.writeUInt8((bytes[at] ?? 0) ^ bit, at);
    await writeFile(path, bytes);
    const left = new Map(await listed(await opened(), ALL));
    for (const key of doubled) expect([key, left.get(key)]).toEqual([key, written.get(key)]);
  });

  it.each([
    ['a piece in the middle', 32_768],
    ['the first piece', 0],
  ])(
    'a batch of the log that has lost %s is doubtful, whatever is left of it',
    async (_, header) => {
      // Over six blocks of the log, in pieces of which the second begins where a batch of its own might.
      const rows = Array.from({ length: 1_000 }, (_, i) => put(`k/${10_000 + i}`, 'x'.repeat(170)));
      must(await (await opened()).write(rows));
      await store?.close();
      const log = (await readdir(join(folder, 'store'))).find((name) => /^\d+\.log$/.test(name));
      const bytes = await readFile(join(folder, 'store', log ?? ''));
      expect(changesInLog(bytes).sound).toHaveLength(rows.length);
      // The header of a block's piece: its length reaches beyond the block now.
      bytes[header + 5] = 0xff;
      expect(changesInLog(bytes).sound.length).toBe(0);
    },
  );

  it('a table whose writing was cut off is no damage, and hides none that takes its number later', async () => {
    for (const round of ['1', '2', '3']) must(await (await again()).write([put(round, 'x')]));
    await store?.close();
    const at = (name: string) => join(folder, 'store', name);
    const tables = (await readdir(at(''))).filter((name) => name.endsWith('.ldb')).sort();
    const half = await readFile(at(tables[0] ?? ''));
    // As a stop in the midst of a compaction leaves it, under each number that LevelDB may give next.
    const next = Math.max(...(await readdir(at(''))).map((name) => Number(/\d+/.exec(name)) || 0));
    for (let n = next + 1; n <= next + 9; n += 1) {
      await writeFile(at(`${String(n).padStart(6, '0')}.ldb`), half.subarray(0, half.length / 2));
    }
    expect(await damagedTables(at(''))).toEqual([]);
    const vault = vaultAt();
    await opened(vault);
    expect(vault.signs()).toEqual([]);
    // So much that the log of the first of it is gone before the next opening could keep it.
    const many = Array.from({ length: 40 }, (_, i) => put(`m${10 + i}`, 'x'.repeat(250_000)));
    for (const change of many) must(await (store as Store).write([change]));
    await again();
    await store?.close();
    await rm(at(''), { recursive: true });
    expect(await listed(await opened(), ALL)).toHaveLength(3 + many.length);
  });

  it('a second collector is refused, and what the first one kept stays', async () => {
    must(await (await opened()).write([put('a', '1')]));
    await again();
    const kept = await readdir(join(folder, 'kept'));
    const other = await vaultAt().open();
    expect(other.ok ? 'good' : other.fault.code).toBe('store.locked');
    expect(await readdir(join(folder, 'kept'))).toEqual(expect.arrayContaining(kept));
  });

  it('what was found amiss is said again until it was heard, and not after', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => put(`k/${1_000 + i}`, `${i} of many`));
    must(await (await opened()).write(rows));
    await again();
    await store?.close();
    const { table, path, bytes } = await firstTable();
    bytes[100] = (bytes[100] ?? 0) ^ 4;
    await writeFile(path, bytes);
    const signs = [`damaged: ${table}`];
    for (const life of ['found', 'cut off', 'cut off again']) {
      const vault = vaultAt();
      await opened(vault);
      expect([life, vault.signs()]).toEqual([life, signs]);
      await store?.close();
    }
    const last = vaultAt();
    await opened(last);
    await last.heard();
    await store?.close();
    const next = vaultAt();
    await opened(next);
    expect(next.signs()).toEqual([]);
    expect(await readdir(folder)).not.toContain('signs');
  });

  it('a repaired store that was put in place before the power failed says what was amiss', async () => {
    must(await (await opened()).write([put('a', '1')]));
    await store?.close();
    await writeFile(join(folder, 'signs'), 'damaged: 000007.ldb');
    await rename(join(folder, 'store'), join(folder, 'store.repaired'));
    const vault = vaultAt();
    expect(await listed(await opened(vault), ALL)).toEqual([['a', '1']]);
    expect(vault.signs()).toEqual(['damaged: 000007.ldb']);
  });

  it('a second collector takes nothing from the first, whose tables are damaged and whose copy is read just now', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => put(`k/${1_000 + i}`, `${i} of many`));
    must(await (await opened()).write(rows));
    const vault = vaultAt();
    await store?.close();
    await opened(vault);
    const copy = must(await vault.salvage());
    const { path, bytes } = await firstTable();
    bytes[100] = (bytes[100] ?? 0) ^ 4;
    await writeFile(path, bytes);
    const before = (await readdir(folder)).sort();
    const { ino } = await stat(join(folder, 'store'));
    const other = await vaultAt().open();
    expect(other.ok ? 'good' : other.fault.code).toBe('store.locked');
    expect((await readdir(folder)).sort()).toEqual(before);
    expect((await stat(join(folder, 'store'))).ino).toBe(ino);
    expect(await readdir(join(folder, 'salvage'))).not.toEqual([]);
    await copy?.close();
  });

  it('a second collector waits for one that is opening, and not for one that was killed over it', async () => {
    must(await (await opened()).write([put('a', '1')]));
    await store?.close();
    await mkdir(join(folder, 'repair'));
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await writeFile(join(folder, 'opening'), String(child.pid));
    const other = await vaultAt().open();
    expect(other.ok ? 'good' : other.fault.code).toBe('store.locked');
    expect(await readdir(folder)).toContain('repair');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await listed(await opened(), ALL)).toEqual([['a', '1']]);
    expect((await readdir(folder)).sort()).toEqual(['kept', 'store']);
  });

  it('a folder in which nothing may be written is said to be that, and why', async () => {
    // Nobody makes files there, root neither.
    const vault = createLevelVault({ folder: '/sys/kernel', ballastBytes: 0, create: false });
    const opened = await vault.open();
    expect(opened).toMatchObject({ ok: false, fault: { code: 'store.failed' } });
    expect(opened.ok ? '' : opened.fault.detail).toMatch(
      /^(?:this user may not open|the disk of) \/sys\/kernel(?: can only be read)? \(E[A-Z]+\)$/,
    );
  });

  it.each(['/proc', '/proc/meter-collector/data'])(
    'a folder that cannot be made is said to be one: %s',
    async (place) => {
      const none = await createLevelVault({ folder: place, ballastBytes: 0 }).open();
      expect(none.ok ? 'good' : none.fault.code).toBe('store.failed');
    },
  );

  it('what is damaged is put aside up to a megabyte on the disk, however its characters are written', async () => {
    const file = join(folder, 'quarantine', 'records.ndjson');
    const vault = vaultAt();
    const euros = (count: number) => [['k', '€'.repeat(count)]] as const;
    // Half of it in characters, more than all in bytes.
    await vault.quarantine(euros(512 * 1024));
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await vault.quarantine(euros(256 * 1024));
    expect((await stat(file)).size).toBeGreaterThan(256 * 1024 * 3);
  });

  it('the mark is the old one or the new one, and a ballast holds real room', async () => {
    const vault = vaultAt(1024 * 1024);
    await opened(vault);
    expect(must(await vault.readMark())).toBeUndefined();
    must(await vault.writeMark('one'));
    must(await vault.writeMark('two'));
    expect(must(await vault.readMark())).toBe('two');
    await vault.reserve();
    const { size, blocks } = await stat(join(folder, 'ballast'));
    expect([size, blocks * 512 >= size]).toEqual([1024 * 1024, true]);
  });
});
