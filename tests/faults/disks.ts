// The journal's disk: power cuts, no room, read-only, errors and slowness of its system calls.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '../../simulator/random.ts';
import { fillUpAndComeBack } from '../end-to-end/full-disk.ts';
import { cutPower } from '../end-to-end/power-cuts.ts';
import type { Street } from '../end-to-end/street.ts';
import { until } from '../fakes/until.ts';
import {
  ARRIVAL_MS,
  actualHours,
  broker,
  type FaultCase,
  type Figures,
  onStreet,
  settle,
  sumsOf,
  type Wish,
} from './fault-case.ts';
import { type Injection, injectedIn, Strace, straceWords } from './strace.ts';

const CUTS = 3;

async function powerCuts({ seed }: Wish): Promise<Figures> {
  const { audit, unheld, complaints } = await cutPower(await broker(), CUTS, seed);
  const wrong = [...unheld, ...complaints];
  if (wrong.length > 0) throw new Error(wrong.slice(0, 5).join('; '));
  return { cuts: CUTS, ...sumsOf(audit) };
}

async function fullDisk({ seed }: Wish): Promise<Figures> {
  const { audit, starts, log } = await fillUpAndComeBack(await broker(), seed);
  for (const words of [/No space left|ENOSPC/i, /Read-only file system|EROFS/i]) {
    if (!words.test(log)) throw new Error(`the log does not say ${words.source}`);
  }
  if (log.includes('the journal was damaged')) throw new Error('it took a full disk for damage');
  return { starts, ...sumsOf(audit) };
}

const SYNCS = ['fdatasync', 'fsync'];
const WRITES = ['write', 'pwrite64', 'writev'];

/** How many simulated hours a fault of the disk lasts. */
const FAULT_HOURS = 4;

/** One fault of the disk while the daemon works, then another; it must say so, and mend itself without a restart. */
async function strike(street: Street, injection: Injection, says: RegExp | null): Promise<number> {
  const trace = join(street.folder, 'strace');
  const before = (await readFile(street.log, 'utf8')).length;
  const strace = await Strace.onto(street.pid, injection, trace);
  const since = async () => (await readFile(street.log, 'utf8')).slice(before);
  try {
    await street.reach(street.hoursNow + FAULT_HOURS);
    await until('it struck', async () => (await injectedIn(trace)) > 0, 60_000);
    if (says)
      await until(`the log says ${says.source}`, async () => says.test(await since()), 60_000);
  } finally {
    await strace.off();
  }
  const struck = await injectedIn(trace);
  if (says) {
    const sound = 'the journal is sound again';
    await until(sound, async () => (await since()).includes(sound), ARRIVAL_MS);
  }
  await street.arrived(street.hoursNow, ARRIVAL_MS);
  return struck;
}

/** The files that LevelDB writes now and next, by the numbers that it gives them. */
async function storeFiles(street: Street): Promise<string[]> {
  const store = join(street.folder, 'journal', 'store');
  const numbers = (await readdir(store)).map((name) => Number(/\d+/.exec(name)?.[0] ?? 0));
  const newest = Math.max(...numbers);
  return Array.from({ length: 120 }, (_, i) => Math.max(1, newest - 20 + i)).flatMap((number) => {
    const digits = String(number).padStart(6, '0');
    return [`${digits}.log`, `${digits}.ldb`, `MANIFEST-${digits}`].map((name) =>
      join(store, name),
    );
  });
}

/** Twice: now and then, and at every call. */
function failingSyncs({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    const chance = new Random(`${seed}/syncs`);
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    const first = chance.whole(1, 4);
    const some = { calls: SYNCS, how: `error=EIO:when=${first}+${chance.whole(2, 4)}` };
    const failed = await strike(street, some, /store\.failed/);
    const all = { calls: SYNCS, how: 'error=EIO' };
    const more = await strike(street, all, /store\.failed/);
    return { failed: failed + more, ...sumsOf(await settle(street)) };
  });
}

function failingWrites({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    let failed = 0;
    for (const error of ['ENOSPC', 'EIO']) {
      const paths = await storeFiles(street);
      const injection = { calls: WRITES, how: `error=${error}`, paths };
      failed += await strike(street, injection, /store\.failed/);
    }
    return { failed, ...sumsOf(await settle(street)) };
  });
}

/** Two seconds a sync: a flash card at its worst. Nobody's poll waits for it. */
function slowDisk({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    const slow = await strike(street, { calls: SYNCS, how: 'delay_exit=2000000' }, null);
    const audit = await settle(street);
    return { slow, actual: actualHours(street), ...sumsOf(audit) };
  });
}

const STARTS = 4;

/** The first syncs of a start fail, on a fresh journal and on one that is there. */
function failingStarts({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    const chance = new Random(`${seed}/starts`);
    let failed = 0;
    for (let start = 0; start < STARTS; start += 1) {
      const trace = join(street.folder, `strace-${start}`);
      const how = `error=EIO:when=1..${chance.whole(1, 5)}`;
      // With -D the daemon is our child, and strace its own.
      const words = ['strace', '-D', ...straceWords({ calls: SYNCS, how }, trace)];
      street.start({ before: words });
      await until('it publishes', () => street.headEnd.state('COL-00001') === 'ready', ARRIVAL_MS);
      await street.arrived(street.hoursNow + 1, ARRIVAL_MS);
      failed += await injectedIn(trace);
      await street.kill();
    }
    if (failed === 0) throw new Error('no sync failed');
    street.start();
    return { starts: STARTS + 1, failed, ...sumsOf(await settle(street)) };
  });
}

export const DISKS: readonly FaultCase[] = [
  {
    name: 'power-cut',
    means: 'the power of the disk is cut at random moments',
    needs: ['mosquitto', 'loop'],
    minutes: () => 4,
    run: powerCuts,
  },
  {
    name: 'full-disk',
    means: 'the disk is full to the last byte, then read-only',
    needs: ['mosquitto', 'tmpfs'],
    minutes: () => 5,
    run: fullDisk,
  },
  {
    name: 'failing-syncs',
    means: 'EIO of fdatasync and fsync, some and all, while the daemon works',
    needs: ['mosquitto', 'strace'],
    minutes: () => 6,
    run: failingSyncs,
  },
  {
    name: 'failing-writes',
    means: 'ENOSPC and EIO of every write to the journal while the daemon works',
    needs: ['mosquitto', 'strace'],
    minutes: () => 6,
    run: failingWrites,
  },
  {
    name: 'failing-starts',
    means: 'EIO of the first syncs of a start',
    needs: ['mosquitto', 'strace'],
    minutes: () => 6,
    run: failingStarts,
  },
  {
    name: 'slow-disk',
    means: 'every sync takes two seconds; no poll waits',
    needs: ['mosquitto', 'strace'],
    minutes: () => 5,
    run: slowDisk,
  },
];
