// Runs the store suite on LevelDB and on memory; then what each promises alone.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { StoreLost } from '../../src/domain/fault.ts';
import { Medium, openMemoryStore } from '../fakes/memory-store.ts';
import { listed, must, put, storeSuite } from './store.suite.ts';

storeSuite('LevelDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'store-'));
  return {
    open: () => openLevelStore(join(folder, 'deep', 'journal')),
    dispose: () => rm(folder, { recursive: true }),
  };
});

storeSuite('the memory store', async () => {
  const medium = new Medium();
  return { open: () => openMemoryStore(medium), dispose: () => Promise.resolve() };
});

describe('LevelDB', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'level-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('a journal held by another process is locked, and free once that process is killed', async () => {
    const holder = spawn(process.execPath, [
      '--input-type=commonjs',
      '--eval',
      `const { Level } = require('level'); const level = new Level(${JSON.stringify(join(folder, 'journal'))});
       level.open().then(() => level.batch([{ type: 'put', key: 'a', value: '1' }], { sync: true }))
         .then(() => { console.log('held'); setInterval(() => {}, 1000); });`,
    ]);
    try {
      await once(holder.stdout, 'data');
      const refused = await openLevelStore(join(folder, 'journal'));
      expect(refused.ok ? 'good' : refused.fault.code).toBe('store.locked');
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    const store = must(await openLevelStore(join(folder, 'journal')));
    expect(must(await store.get('a'))).toBe('1');
    await store.close();
  });

  it('a damaged journal is a fault in words, not an exception', async () => {
    const journal = join(folder, 'journal');
    const store = must(await openLevelStore(journal));
    must(await store.write([put('a', '1')]));
    await store.close();
    await writeFile(join(journal, 'CURRENT'), 'nonsense');
    const damaged = await openLevelStore(journal);
    expect(damaged.ok ? 'good' : damaged.fault.code).toBe('store.failed');
    expect(damaged.ok ? '' : damaged.fault.detail).toContain('CURRENT');
  });

  it('a folder that cannot be made is a fault', async () => {
    await writeFile(join(folder, 'file'), '');
    const outcome = await openLevelStore(join(folder, 'file', 'below', 'journal'));
    expect(outcome.ok ? 'good' : outcome.fault.code).toBe('store.failed');
    expect(await readdir(folder)).toEqual(['file']);
  });
});

describe('the memory store', () => {
  it('a crash loses nothing that was written and frees the lock; the dead holder gets faults', async () => {
    const medium = new Medium();
    const first = must(await openMemoryStore(medium));
    must(await first.write([put('a', '1')]));
    medium.crash();
    const second = must(await openMemoryStore(medium));
    const late = await first.write([put('a', 'late')]);
    expect(late.ok ? 'good' : late.fault.code).toBe('store.failed');
    await first.close();
    expect(must(await second.get('a'))).toBe('1');
    must(await second.write([put('b', '2')]));
    expect([...medium.dump()]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('a planted failure answers a fault, and the writes it hit are there or not, as told', async () => {
    const medium = new Medium();
    const store = must(await openMemoryStore(medium));
    medium.failNext(2, 'lost');
    const lost = [await store.write([put('a', '1')]), await store.write([put('b', '1')])];
    medium.failNext(1, 'applied');
    const applied = await store.write([put('c', '1')]);
    expect([...lost, applied].every((outcome) => !outcome.ok)).toBe(true);
    must(await store.write([put('d', '1')]));
    expect([...medium.dump()].map(([key]) => key)).toEqual(['c', 'd']);
    expect(medium.writes).toBe(1);
  });

  it('a medium that cannot be read fails every get and ends iterations with StoreLost', async () => {
    const medium = new Medium();
    const store = must(await openMemoryStore(medium));
    must(await store.write([put('a', '1')]));
    medium.failReads(true);
    expect((await store.get('a')).ok).toBe(false);
    await expect(listed(store, { from: 'a', to: 'b' })).rejects.toBeInstanceOf(StoreLost);
    medium.failReads(false);
    expect(await listed(store, { from: 'a', to: 'b' })).toEqual([['a', '1']]);
  });

  it('a key outside ASCII is a bug and is thrown', async () => {
    const store = must(await openMemoryStore());
    expect(() => store.write([put('mètre', '1')])).toThrow();
  });
});
