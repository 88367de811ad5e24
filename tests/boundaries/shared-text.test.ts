// The suite of shared texts, on the fake and on a real file; and what only a file can suffer.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { freeLock, tryLock } from '../../src/adapters/lock-file.ts';
import { createSharedText } from '../../src/adapters/shared-text.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { MemoryText } from '../fakes/memory-text.ts';
import { sharedTextSuite } from './shared-text.suite.ts';

const clock = createSystemClock();
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true, force: true });
  }
});

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shared-'));
  folders.push(folder);
  return join(folder, 'text.json');
}

sharedTextSuite('in memory', async () => {
  const text = new MemoryText();
  return { one: text, other: text, close: async () => {} };
});
sharedTextSuite('a file', async () => {
  const path = await place();
  const [one, other] = [createSharedText(path, clock), createSharedText(path, clock)];
  return { one, other, close: async () => {} };
});

it('a file of secrets is its owner’s alone, and leaves nothing beside it', async () => {
  const path = await place();
  await writeFile(path, 'before', { mode: 0o644 });
  await createSharedText(path, clock).change(() => ({ text: 'after', outcome: null }));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(path, '..'))).toEqual(['text.json']);
});

it('the lock of a process that was killed holds nobody up, that of one that lives does', async () => {
  const path = await place();
  const text = createSharedText(path, clock);
  const put = () => text.change(() => ({ text: 'x', outcome: null }));
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await writeFile(`${path}.lock`, String(child.pid));
  expect(await put()).toMatchObject({ ok: false, fault: { code: 'store.failed' } });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await put()).toEqual({ ok: true, value: null });
  // In a container every start has the same number.
  await writeFile(`${path}.lock`, String(process.pid));
  expect(await put()).toEqual({ ok: true, value: null });
}, 20_000);

it.each([
  ['a power cut left empty', ''],
  ['was held before the machine started again, by a number that is another’s now', '1 a-boot 5'],
  ['was held by one that began at another tick', null],
])('a lock that %s holds nobody up', async (_, left) => {
  const path = await place();
  const text = createSharedText(path, clock);
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  await writeFile(`${path}.lock`, left ?? `1 ${boot} 999999999`);
  expect(await text.change(() => ({ text: 'x', outcome: null }))).toEqual({
    ok: true,
    value: null,
  });
  expect(await readdir(join(path, '..'))).toEqual(['text.json']);
});

it('a lock says from its first moment whose it is', async () => {
  const path = await place();
  expect(await tryLock(path)).toBe(true);
  const stat = await readFile('/proc/self/stat', 'latin1');
  expect((await readlink(path)).split(' ')).toEqual([
    String(process.pid),
    (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim(),
    stat.split(' ')[21],
  ]);
  expect(await tryLock(path)).toBe(false);
  await freeLock(path);
  expect(await readdir(join(path, '..'))).toEqual([]);
});

it('a file that is too large, or lies where none can be, is a fault in words', async () => {
  const path = await place();
  await writeFile(path, 'x'.repeat(300_000));
  const text = createSharedText(path, clock);
  expect(await text.read()).toMatchObject({ ok: false, fault: { code: 'store.failed' } });
  const lost = createSharedText(join(path, 'below', 'text.json'), clock);
  const put = () => lost.change(() => ({ text: 'x', outcome: null }));
  expect(await put()).toMatchObject({ ok: false, fault: { code: 'store.failed' } });
  expect(await put()).toMatchObject({ ok: false, fault: { code: 'store.failed' } });
});
