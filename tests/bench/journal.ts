// What the journal costs: synced writes against the bare disk, bytes of an increment, the wear of a day, the start over 45 days.

import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeWhole } from '../../src/adapters/files.ts';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { bytesWorn } from '../../src/adapters/room.ts';
import type { Store, StoreChange } from '../../src/boundaries.ts';
import { within } from '../../src/codec/journal-record.ts';
import type { Result } from '../../src/domain/fault.ts';
import { VirtualWorld } from '../whole/virtual-world.ts';
import { atLeast, atMost, type Figure } from './figure.ts';
import { DAY, fillStore } from './old-store.ts';

const BENCH = 'journal';
/** The disk is shared with others: each is measured in turn, and the best of its rounds told. */
const ROUNDS = 9;
const COMMITS = 150;
const GROUP = 100;
const GROUPS = 30;
const RECORD = 'x'.repeat(26);

const METERS = 250;
const DAYS = 45;
/** A world lives so long before its day is measured, so that what is measured is no beginning. */
const WARM_HOURS = 6;

export async function benchJournal(): Promise<Figure[]> {
  const folder = await mkdtemp(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'bench-journal-'));
  try {
    const commits = await benchCommits(folder);
    const end = Math.floor(Date.now() / DAY) * DAY;
    const old = join(folder, 'old');
    const bytes = await benchBytes(old, end);
    const start = await benchStart(old, end);
    const wear = [
      await benchWear(join(folder, 'fresh'), 25, 20),
      await benchWear(join(old, 'store'), METERS, 40),
    ];
    return [...commits, bytes, ...start, ...wear];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Synced writes: the bare file, one record, a hundred in a group. All on the same disk, in the same run. */
export async function benchCommits(folder: string): Promise<Figure[]> {
  const file = await bareFile(join(folder, 'bare'));
  const store = must(await openLevelStore(join(folder, 'commits')));
  let n = 0;
  const records = (count: number) =>
    Array.from({ length: count }, (): StoreChange => {
      n += 1;
      return { key: `i/SP-00001/0001/${String(n).padStart(10, '0')}`, value: RECORD };
    });
  const rates: { bare: number; single: number; grouped: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = await ratePerS(COMMITS, file.commit);
    const single = await ratePerS(COMMITS, async () => must(await store.write(records(1))));
    const groups = await ratePerS(GROUPS, async () => must(await store.write(records(GROUP))));
    rates.push({ bare, single, grouped: groups * GROUP });
  }
  await file.close();
  await store.close();
  const best = (of: 'bare' | 'single' | 'grouped') => Math.max(...rates.map((rate) => rate[of]));
  const [bare, single, grouped] = [best('bare'), best('single'), best('grouped')];
  return [
    atLeast(BENCH, 'synced single commits', single, 'commits/s', bare / 2, bare),
    atLeast(BENCH, 'records in groups of 100', grouped, 'records/s', 15 * single, single),
  ];
}

/** Appends as many bytes as a record has, and waits for the medium: what no store can beat. */
async function bareFile(path: string) {
  const file = await open(path, 'a');
  const bytes = Buffer.alloc(40, 0x78);
  const commit = async () => {
    await file.write(bytes);
    await file.datasync();
  };
  return { commit, close: () => file.close() };
}

async function ratePerS(times: number, act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < times; i += 1) await act();
  return times / ((performance.now() - begun) / 1000);
}

/** Fills a journal with 45 days of 250 meters. Bytes of an increment, key and all, once LevelDB has put it in order. */
async function benchBytes(folder: string, end: number): Promise<Figure> {
  const openStore = () => openLevelStore(join(folder, 'store'));
  const increments = await fillStore(openStore, { meters: METERS, days: DAYS, end });
  const store = must(await openStore());
  must((await store.compact?.(within('i/'))) ?? LACKING);
  const bytes = must((await store.sizeOf?.(within('i/'))) ?? LACKING);
  await store.close();
  const name = `disk bytes of an increment, of ${increments}`;
  return atMost(BENCH, name, bytes / increments, 'B', 26);
}

const LACKING = {
  ok: false,
  fault: { code: 'store.failed', detail: 'cannot be measured' },
} as const;

async function benchStart(folder: string, end: number): Promise<Figure[]> {
  const here = fileURLToPath(import.meta.url);
  const script = join(dirname(here), `start-child${extname(here)}`);
  const args = [...process.execArgv, script, folder, String(METERS), String(end)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const told = JSON.parse(stdout) as { firstPollMs: number; rssMb: number; scrubRssMb: number };
  const store = `${DAYS} days of ${METERS} meters`;
  return [
    atMost(BENCH, `start to first poll over ${store}`, told.firstPollMs / 1000, 's', 3),
    atMost(BENCH, 'memory at the first poll', told.rssMb, 'MiB', null),
    atMost(BENCH, 'memory 10 s into the scrub', told.scrubRssMb, 'MiB', null),
  ];
}

/**
 * The whole collector lives a day on virtual time, its meters polled each minute, homes drawing water; every batch and
 * mark that it writes is written to LevelDB in `folder` (which may hold 45 days already), synced, as it comes. What the
 * kernel then sends to the disk is counted.
 */
async function benchWear(folder: string, meters: number, goalMb: number): Promise<Figure> {
  const store = must(await openLevelStore(folder));
  const written: (readonly StoreChange[] | string)[] = [];
  const world = new VirtualWorld({ seed: 1, meters, pollS: 60 });
  tap(world, written);
  await world.start();
  await world.run(WARM_HOURS);
  await replay(store, `${folder}.mark`, written.splice(0));
  const before = bytesWorn();
  for (let hour = 0; hour < 24; hour += 1) {
    await world.run(1);
    await replay(store, `${folder}.mark`, written.splice(0));
  }
  await world.stop();
  const worn = (bytesWorn() ?? Number.NaN) - (before ?? Number.NaN);
  await store.close();
  const name = `written to disk a day, ${meters} meters polled each minute`;
  return atMost(BENCH, name, worn / 1e6, 'MB', goalMb);
}

/** Listens to all that the collector writes. */
function tap({ vault }: VirtualWorld, written: (readonly StoreChange[] | string)[]): void {
  const [openAs, markAs] = [vault.open.bind(vault), vault.writeMark.bind(vault)];
  vault.open = async () => {
    const opened = await openAs();
    if (!opened.ok) return opened;
    const write: Store['write'] = (changes) => {
      written.push(changes);
      return opened.value.write(changes);
    };
    return { ok: true, value: { ...opened.value, write } };
  };
  vault.writeMark = (text) => {
    written.push(text);
    return markAs(text);
  };
}

/** Beside what the store holds already: as a second installation of the same meters. */
const beside = (key: string) => key.replace(/^([eghi]\/[^/]+)\/0001\//, '$1/0002/');

async function replay(
  store: Store,
  mark: string,
  written: readonly (readonly StoreChange[] | string)[],
): Promise<void> {
  for (const one of written) {
    if (typeof one === 'string') await writeWhole(mark, one);
    else must(await store.write(one.map((change) => ({ ...change, key: beside(change.key) }))));
  }
}

function must<T>(outcome: Result<T>): T {
  if (!outcome.ok) throw new Error(outcome.fault.detail);
  return outcome.value;
}
