// Damages the files of a filled journal one way at a time, opens it, and compares what it hands out and tells with what it held.

import { cp, mkdtemp, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../../simulator/random.ts';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { createLevelVault } from '../../src/adapters/level-vault.ts';
import type { Journal, Store } from '../../src/boundaries.ts';
import { decodeRow, keyOfRow, keys, pendingOf } from '../../src/codec/journal-record.ts';
import type { Row } from '../../src/domain/entry.ts';
import { createJournal } from '../../src/journal/journal.ts';
import { isSound } from '../../src/journal/sound.ts';
import { repairedByLevel } from './level-repair.ts';
import { all, FINE, HOUR, MINUTE, observe, rulesOf, T0 } from './metered.ts';

const METERS = ['SP-1', 'SP-2', 'SP-3'];
const DAYS = 4;
const EVERYTHING = { from: ' ', to: '~' };

/** What the whole journal held, record by record. */
export interface Filled {
  readonly folder: string;
  readonly held: ReadonlyMap<string, string>;
  readonly nextRow: number;
  /** Files that may be damaged, below the folder. */
  readonly files: readonly string[];
}

export type Damage =
  | { readonly kind: 'flip'; readonly file: string; readonly at: number; readonly bit: number }
  | { readonly kind: 'truncated'; readonly file: string; readonly share: number }
  | { readonly kind: 'removed' | 'emptied'; readonly file: string };

export interface Outcome {
  /** What was wrong with it, in words; empty when all is as it must be. */
  readonly faults: readonly string[];
  readonly lostRows: number;
  readonly lostSteps: number;
  /** Records brought back or mended. */
  readonly isRepaired: boolean;
}

/**
 * A journal of several tables and a log, with delivered and pending rows, a gap and a second installation; cleanly closed.
 * `isRebuilt`: it was rebuilt before its last day, so all that is older lies in one table.
 */
export async function fill({ isRebuilt } = { isRebuilt: false }): Promise<Filled> {
  const folder = await mkdtemp(join(tmpdir(), 'damage-'));
  const place = join(folder, 'journal');
  const sessions = 4;
  const perSession = (DAYS * 24) / sessions;
  for (let session = 0; session < sessions; session += 1) {
    const journal = await openAt(place, T0 + session * perSession * HOUR);
    for (let hour = session * perSession; hour < (session + 1) * perSession; hour += 1) {
      for (const meter of METERS) live(journal, meter, hour);
      await journal.flush();
      const fresh = journal.takeFresh();
      // The broker is away on the third day and later.
      if (hour < 2 * 24) journal.settle(fresh);
      journal.release(fresh);
    }
    if (session === 1) {
      const next = { dial: FINE, registerId: null, bodySerial: null, told: { by: 'test' } };
      journal.changeOut('SP-3', next, rulesOf(FINE));
    }
    await journal.scrub(() => Promise.resolve());
    await journal.close();
  }
  const store = await openLevelStore(join(place, 'store'), { create: false });
  if (!store.ok) throw new Error(store.fault.detail);
  const held = new Map(await all(store.value.entries(EVERYTHING)));
  await store.value.close();
  // That opening has moved what was in the log: one more session leaves a log again, of its own records.
  const again = await openAt(place, T0 + DAYS * 24 * HOUR, isRebuilt ? 'damaged' : null);
  for (let hour = DAYS * 24; hour < (DAYS + 1) * 24; hour += 1) {
    for (const meter of METERS) live(again, meter, hour);
    await again.flush();
  }
  const nextRow = again.lastRow() + 1;
  for await (const [key, text] of dumpOf(again)) held.set(key, text);
  await again.close();
  return { folder, nextRow, held, files: await filesOf(place) };
}

/** Reads the medium under an open journal through its own store. */
async function* dumpOf(journal: Journal): AsyncIterable<readonly [string, string]> {
  const store = stores.get(journal);
  if (store) yield* store.entries(EVERYTHING);
}

const stores = new WeakMap<Journal, Store>();

/** A reading each quarter hour, some counts in most of them; nobody answers for half of a day. */
function live(journal: Journal, meter: string, hour: number): void {
  if (meter === 'SP-2' && hour % 48 >= 30 && hour % 48 < 36) return;
  for (const minute of [15, 30, 45, 60]) {
    observe(journal, meter, hour * 60 + minute, registerAt(meter, hour * 60 + minute));
  }
}

/** The dial at a minute after T0: it stands still at night, and SP-1 passes through zero. */
export function registerAt(meter: string, minute: number): number {
  const day = Math.floor(minute / 1440);
  const waking = Math.max(0, (minute % 1440) - 360);
  const count = day * 1080 + waking + (meter === 'SP-1' ? 99_997_000 : meter.charCodeAt(3) * 7);
  return count % 100_000_000;
}

/** As the daemon does: what cannot be opened is tried again, and declared meters are declared at every opening. */
async function openAt(
  place: string,
  now: number,
  mistrusted: string | null = null,
): Promise<Journal> {
  const vault = createLevelVault({ folder: place, ballastBytes: 0 });
  if (mistrusted !== null) vault.mistrust(mistrusted);
  const journal = createJournal({
    collector: 'COL-1',
    newEpoch: () => `E${now}`,
    now: () => now,
    vault,
    openStore: async () => {
      const outcome = await vault.open();
      if (outcome.ok) stores.set(journal, outcome.value);
      return outcome;
    },
  });
  for (const meter of METERS) {
    journal.declare(meter, { dial: FINE, registerId: null }, rulesOf(FINE));
  }
  let opened = await journal.flush();
  for (let tries = 1; !opened.ok && tries < OPENINGS_MAX; tries += 1)
    opened = await journal.flush();
  if (!opened.ok) throw new Error(`${opened.fault.code}: ${opened.fault.detail}`);
  return journal;
}

/** A daemon tries every two seconds: what is not open after so many tries is not started. */
const OPENINGS_MAX = 5;

async function filesOf(place: string): Promise<string[]> {
  const names = await readdir(join(place, 'store'));
  const store = names.filter(
    (name) => !['LOCK', 'LOG', 'LOG.old', 'lost', 'REBUILT'].includes(name),
  );
  return ['mark', ...store.map((name) => join('store', name))].sort();
}

/** One bit of one file, each byte as likely as any other. */
export async function drawFlip(filled: Filled, chance: Random): Promise<Damage> {
  const sizes = await Promise.all(
    filled.files.map(async (file) => (await stat(join(filled.folder, 'journal', file))).size),
  );
  // Half of them anywhere, half of them in any file: CURRENT is small.
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let index = chance.whole(0, sizes.length - 1);
  if (chance.chance(0.5)) {
    let at = chance.whole(0, total - 1);
    index = sizes.findIndex((size) => {
      at -= size;
      return at < 0;
    });
  }
  const file = filled.files[index] ?? 'mark';
  return {
    kind: 'flip',
    file,
    at: chance.whole(0, Math.max(0, (sizes[index] ?? 1) - 1)),
    bit: chance.whole(0, 7),
  };
}

/** Each file cut short, emptied, and removed. */
export function everyFile(filled: Filled): Damage[] {
  return filled.files.flatMap((file): Damage[] => [
    { kind: 'truncated', file, share: 0.5 },
    { kind: 'truncated', file, share: 0.95 },
    { kind: 'emptied', file },
    { kind: 'removed', file },
  ]);
}

async function inflict(place: string, damage: Damage): Promise<void> {
  const path = join(place, damage.file);
  switch (damage.kind) {
    case 'flip': {
      const handle = await open(path, 'r+');
      const byte = Buffer.alloc(1);
      await handle.read(byte, 0, 1, damage.at);
      byte[0] = (byte[0] ?? 0) ^ (1 << damage.bit);
      await handle.write(byte, 0, 1, damage.at);
      await handle.close();
      return;
    }
    case 'truncated':
      return truncate(path, Math.floor((await stat(path)).size * damage.share));
    case 'emptied':
      return truncate(path, 0);
    case 'removed':
      return rm(path);
  }
}

/** Damages a copy, opens it, lets it be scrubbed, reads the dials once more, and judges. */
export async function suffer(filled: Filled, damage: Damage): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'damaged-'));
  try {
    const place = join(folder, 'journal');
    await cp(join(filled.folder, 'journal'), place, { recursive: true });
    await inflict(place, damage);
    await cp(join(place, 'store'), join(folder, 'best'), { recursive: true });
    return await judge(filled, place, () => bestRepair(join(folder, 'best')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Sound records that LevelDB's own repair of the same files gives. */
async function bestRepair(copy: string): Promise<Set<string>> {
  const entries = await repairedByLevel(copy);
  return new Set(entries.filter(([key, text]) => isSound(key, text)).map(([key]) => key));
}

const END = DAYS + 1;

async function judge(
  filled: Filled,
  place: string,
  repair: () => Promise<ReadonlySet<string>>,
): Promise<Outcome> {
  const faults: string[] = [];
  const now = T0 + END * 24 * HOUR + 10 * MINUTE;
  const journal = await openAt(place, now);
  faults.push(...(await wrongRows(filled, journal)));
  let scrubbed = await journal.scrub(() => Promise.resolve());
  // A store that cannot be read to its end is opened again, and repaired.
  for (let tries = 0; !scrubbed.ok && tries < 5; tries += 1) {
    await journal.flush();
    scrubbed = await journal.scrub(() => Promise.resolve());
  }
  if (!scrubbed.ok) faults.push(`never read to its end: ${scrubbed.fault.detail}`);
  faults.push(...(await wrongRows(filled, journal)));
  const there = new Map<string, string>();
  for await (const [key, text] of dumpOf(journal)) there.set(key, text);
  const told = await toldLosses(journal);
  const lostRows = new Set<number>();
  const lostSteps = new Set<string>();
  for (const [key, text] of filled.held) {
    if (!/^[deghipr]\//.test(key) || there.get(key) === text) continue;
    const changed = there.get(key);
    if (/^[eghi]\//.test(key) && changed !== undefined) faults.push(`${key} has changed`);
    if (/^[egh]\//.test(key)) lostRows.add(decodeRow(key, text)?.row ?? -1);
    if (key.startsWith('i/')) lostSteps.add(key);
    if (key.startsWith('d/') && changed === undefined) faults.push(`${key} is lost`);
  }
  const best = lostRows.size + lostSteps.size > 0 ? await repair() : new Set();
  for (const key of filled.held.keys()) {
    if (/^[eghi]\//.test(key) && !there.has(key) && best.has(key)) {
      faults.push(`${key} could be repaired`);
    }
  }
  for (const [key] of filled.held) {
    const { row } = pendingOf(key);
    if (!key.startsWith('p/') || there.has(key) || lostRows.has(row)) continue;
    faults.push(`row ${row} is not pending any more`);
  }
  for (const row of lostRows) if (!told.rows.has(row)) faults.push(`row ${row} lost untold`);
  for (const row of told.rows) if (!lostRows.has(row)) faults.push(`row ${row} is not lost`);
  for (const key of lostSteps) if (!told.steps.has(key)) faults.push(`${key} lost untold`);
  for (const key of told.steps) if (!lostSteps.has(key)) faults.push(`${key} is not lost`);
  faults.push(...(await goesOn(filled, journal)));
  const isRepaired = told.repaired;
  await journal.close();
  return { faults, lostRows: lostRows.size, lostSteps: lostSteps.size, isRepaired };
}

/** Rows handed out for sending that are not what was written. */
async function wrongRows(filled: Filled, journal: Journal): Promise<string[]> {
  const wrong: string[] = [];
  const claimed: Row[] = [];
  journal.release(journal.takeFresh());
  for (const meter of journal.metersPending()) {
    for (;;) {
      const rows = await journal.backlog(meter, 10_000);
      journal.claim(rows);
      for (const row of rows) if (!isTrue(filled, row)) wrong.push(`handed out ${keyOfRow(row)}`);
      if (rows.length === 0) break;
      claimed.push(...rows);
    }
  }
  journal.release(claimed);
  return wrong;
}

/** As it was written; what the collector tells of its own repair is new. */
function isTrue(filled: Filled, row: Row): boolean {
  if (row.meter === '') return row.row >= filled.nextRow || row.kind === 'event';
  const text = filled.held.get(keyOfRow(row));
  const was = text === undefined ? undefined : decodeRow(keyOfRow(row), text);
  return JSON.stringify(was) === JSON.stringify(row);
}

async function toldLosses(journal: Journal) {
  const rows = new Set<number>();
  const steps = new Set<string>();
  let repaired = false;
  for await (const { code, data } of journal.eventsOf('')) {
    if (code === 'journal.repaired') repaired = true;
    if (code !== 'journal.loss') continue;
    for (const row of numbersIn(data['rows'])) rows.add(row);
    for (const seq of numbersIn(data['increments'])) {
      steps.add(keys.increment(String(data['meter']), Number(data['inst']), seq));
    }
  }
  return { rows, steps, repaired };
}

function numbersIn(text: unknown): number[] {
  return String(text ?? '')
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
}

/** The next day's readings: every meter goes on, its total is what its dial has passed, and no hour is told twice as another. */
async function goesOn(filled: Filled, journal: Journal): Promise<string[]> {
  const faults: string[] = [];
  for (let hour = END * 24; hour < END * 24 + 3; hour += 1) {
    for (const meter of METERS) live(journal, meter, hour);
  }
  const written = await journal.flush();
  if (!written.ok) faults.push(`it does not go on: ${written.fault.detail}`);
  for (const meter of METERS) {
    const state = journal.installation(meter);
    const facts = journal.facts(meter);
    const read = registerAt(meter, END * 24 * 60 + 180);
    if (state?.last?.read !== read) {
      faults.push(`${meter} shows ${state?.last?.read}, its dial ${read}`);
      continue;
    }
    const passed = (read - (facts?.initialRead ?? 0) + 100_000_000) % 100_000_000;
    if (state.last.total !== passed) {
      faults.push(`${meter} has a total of ${state.last.total}, its dial passed ${passed}`);
    }
    for await (const row of journal.rowsOf(meter)) {
      if (row.row < filled.nextRow) continue;
      const key = keyOfRow(row);
      const before = filled.held.get(key);
      if (before !== undefined) faults.push(`${key} is told a second time`);
    }
  }
  return faults;
}
