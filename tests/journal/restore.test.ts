// A backup holds the journal as it stood; what goes on from it counts nothing twice and sends nothing as new that was said before.

import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../simulator/ledger.ts';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { createLevelVault } from '../../src/adapters/level-vault.ts';
import { placeStore } from '../../src/adapters/restore-store.ts';
import { readLines, writeLines } from '../../src/adapters/text-file.ts';
import type { CommandAnswer, Journal } from '../../src/boundaries.ts';
import { encodeIntervals, eventPayload } from '../../src/codec/head-end-message.ts';
import { auditJournal } from '../../src/commands/audit.ts';
import { withLocal } from '../../src/commands/local.ts';
import { conserve } from '../../src/domain/conservation.ts';
import type { EntryRow, Row } from '../../src/domain/entry.ts';
import { createJournal } from '../../src/journal/journal.ts';
import { restoreBackup } from '../../src/journal/restore-backup.ts';
import { all, FINE, HOUR, observe, rulesOf, T0, waiting } from './metered.ts';

let folder: string;
let journal: Journal | undefined;
let epochs = 0;
let now = T0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'restore-'));
  journal = undefined;
  now = T0;
});
afterEach(async () => {
  await journal?.close();
  await rm(folder, { recursive: true });
});

const place = () => join(folder, 'journal');
const file = () => join(folder, 'backup');

async function open(): Promise<Journal> {
  await journal?.close();
  const vault = createLevelVault({ folder: place(), ballastBytes: 0 });
  const newEpoch = () => {
    epochs += 1;
    return `E${epochs}`;
  };
  const how = { openStore: () => vault.open(), vault, newEpoch, now: () => now };
  journal = createJournal({ collector: 'COL-1', ...how });
  journal.declare('SP-1', { dial: FINE, registerId: null }, rulesOf(FINE));
  const opened = await journal.flush();
  if (!opened.ok) throw new Error(opened.fault.detail);
  return journal;
}

/** Reads the dial each quarter hour; it passes two counts a minute. */
async function pass(one: Journal, from: number, to: number): Promise<void> {
  for (let minute = from * 60; minute <= to * 60; minute += 15) {
    observe(one, 'SP-1', minute, 2 * minute);
  }
  now = T0 + to * HOUR;
  await one.flush();
}

/** What a head-end takes in: every row that waits, as it is sent. */
async function send(one: Journal, ledger: Ledger): Promise<readonly Row[]> {
  const rows = await waiting(one);
  const entries = rows.filter((row): row is EntryRow => row.kind !== 'event');
  const facts = one.factsOf('SP-1', 1);
  const envelope = { collector: 'COL-1', epoch: one.epoch, cause: 'scheduled', sent: now } as const;
  for (const { payload } of facts ? encodeIntervals(entries, facts, envelope) : []) {
    ledger.take('watermeter-v1/demo/COL-1/up/meter/SP-1/interval', payload);
  }
  one.settle(rows);
  await one.flush();
  return rows;
}

const backup = (one: Journal): Promise<CommandAnswer> => {
  const nothing = { run: async () => ({ ok: false, code: '', message: '', hint: '' }) as const };
  const limits = { incrementDays: 45, hourDays: 400, eventDays: 400 };
  const local = withLocal(nothing, one, {
    ...{ collector: 'COL-1', wearBudget: 1, now: () => now, writeFile: writeLines },
    limits: { ...limits, maxBytes: 1e9, minFreeBytes: 0 },
    rest: () => Promise.resolve(),
  });
  return local.run('journal.backup', { file: file() });
};

const restore = (force = false, collector = 'COL-1', read = () => readLines(file())) =>
  restoreBackup({
    ...{ collector, force, newEpoch: () => 'NEW', read },
    openPresent: () => createLevelVault({ folder: place(), ballastBytes: 0, create: false }).open(),
    place: (records) => placeStore(place(), records),
  });

async function closed(): Promise<void> {
  await journal?.close();
  journal = undefined;
}

describe('a backup that is restored', () => {
  it('goes on under a new epoch with the same hours, rows from 1 without holes, and what waited still waiting', async () => {
    const one = await open();
    await pass(one, 0, 30);
    one.settle((await waiting(one)).slice(0, 20));
    await one.flush();
    const before = await all(one.rowsOf('SP-1'));
    const { epoch } = one;
    expect(await backup(one)).toMatchObject({ ok: true });
    await closed();
    await rm(place(), { recursive: true });
    expect(await restore()).toMatchObject({ ok: true, data: { rows: 30 } });
    const again = await open();
    expect(again.epoch).not.toBe(epoch);
    const after = await all(again.rowsOf('SP-1'));
    expect(after.map(withoutRow)).toEqual(before.map(withoutRow));
    expect(after.map(({ row }) => row)).toEqual(after.map((_, i) => i + 1));
    expect((await waiting(again)).map(({ row }) => row)).toEqual(
      Array.from({ length: 10 }, (_, i) => 21 + i),
    );
    expect(await auditJournal(again)).toMatchObject({ ok: true });
  });

  it('I6: hours that were sent after the backup are said again with a higher rev, and the head-end counts them once', async () => {
    const ledger = new Ledger();
    let one = await open();
    await pass(one, 0, 30);
    await send(one, ledger);
    await backup(one);
    await pass(one, 30.25, 50);
    await send(one, ledger);
    await closed();
    await rm(place(), { recursive: true });
    expect(await restore()).toMatchObject({ ok: true });
    one = await open();
    await pass(one, 53.25, 60);
    await send(one, ledger);
    expect(ledger.conflicts).toEqual([]);
    const proof = conserve(1, entriesOf(ledger), 0, FINE);
    expect(proof).toMatchObject({ problem: null, sum: 60 * 120, total: 60 * 120 });
    expect(await auditJournal(one)).toMatchObject({ ok: true });
  });

  it('E1: no event of it has the id of one that was told after the backup, nor has one of a new journal', async () => {
    const told = new Map<string, string>();
    const tell = async (one: Journal) => {
      for (const row of await all(one.eventsOf(''))) {
        const { id, code, since } = eventPayload(row);
        expect(told.get(id) ?? `${code} ${since}`).toBe(`${code} ${since}`);
        told.set(id, `${code} ${since}`);
      }
    };
    const note = async (one: Journal, code: 'login.failed' | 'config.changed') => {
      one.note({ code, severity: 'info', data: { by: 'ana' } });
      await one.flush();
      await tell(one);
    };
    let one = await open();
    await pass(one, 0, 3);
    await note(one, 'login.failed');
    await backup(one);
    await note(one, 'config.changed');
    const before = new Set(told.keys());
    await closed();
    await rm(place(), { recursive: true });
    expect(await restore()).toMatchObject({ ok: true });
    now += 60_000;
    one = await open();
    await note(one, 'config.changed');
    await closed();
    await rm(place(), { recursive: true });
    one = await open();
    await pass(one, 4, 7);
    await note(one, 'config.changed');
    expect(before.size).toBe(2);
    // Two of the restored journal, which tells that it was repaired, and one of the new one.
    expect(told.size).toBe(5);
  });

  it('goes on from the newest increment, also where the hour’s edge was placed some milliseconds before its reading was stamped', async () => {
    const one = await open();
    for (let minute = 0; minute <= 5 * 60 + 45; minute += 15) {
      // A reading at an edge while nobody vouches for the clock is placed by the next one's.
      observe(one, 'SP-1', minute, 2 * minute, { aheadMs: minute / 15, synced: minute % 60 > 0 });
    }
    await one.flush();
    await backup(one);
    await closed();
    await rm(place(), { recursive: true });
    expect(await restore()).toMatchObject({ ok: true });
    const again = await open();
    expect(again.installation('SP-1')?.last).toMatchObject({ read: 690, total: 690 });
    expect(await auditJournal(again)).toMatchObject({ ok: true });
    await pass(again, 6, 9);
    expect(await auditJournal(again)).toMatchObject({ ok: true });
  });

  it('is refused when it is another collector’s, or older than what is there, until told', async () => {
    const one = await open();
    await pass(one, 0, 5);
    await backup(one);
    expect(await restore()).toMatchObject({ ok: false, code: 'store.locked' });
    await pass(one, 5.25, 9);
    await closed();
    expect(await restore()).toMatchObject({ ok: false, code: 'conflict' });
    expect(await restore(false, 'COL-2')).toMatchObject({ ok: false, code: 'conflict' });
    const untouched = await open();
    expect((await all(untouched.rowsOf('SP-1'))).length).toBe(9);
    await closed();
    expect(await restore(true)).toMatchObject({ ok: true, data: { rows: 5 } });
    expect((await all((await open()).rowsOf('SP-1'))).length).toBe(5);
  });

  it('with one letter changed, or cut short anywhere, changes nothing of what is there', async () => {
    const one = await open();
    await pass(one, 0, 5);
    await backup(one);
    await closed();
    const text = await readFile(file(), 'utf8');
    for (let i = 0; i < 40; i += 1) {
      const at = Math.floor((text.length * i) / 40);
      const changed = text[at] === '1' ? '2' : '1';
      for (const spoiled of [text.slice(0, at), text.slice(0, at) + changed + text.slice(at + 1)]) {
        await writeFile(file(), spoiled);
        expect(await restore(true), `at ${at}`).toMatchObject({ ok: false, code: 'store.failed' });
      }
    }
    const present = await open();
    expect((await all(present.rowsOf('SP-1'))).length).toBe(5);
    expect(present.epoch).not.toBe('NEW');
  });

  it('that reads otherwise when it is read for the second time changes nothing of what is there', async () => {
    const one = await open();
    await pass(one, 0, 5);
    await backup(one);
    await closed();
    const text = await readFile(file(), 'utf8');
    const before = (await readdir(place())).sort();
    const lines = text.split('\n').slice(0, -1);
    const middle = Math.floor(lines.length / 2);
    const wrong = lines.with(middle, lines[middle]?.replace('1', '2') ?? '');
    for (const second of [lines.slice(0, middle), wrong, [...lines, '[]']]) {
      let readings = 0;
      const read = async function* () {
        readings += 1;
        yield* readings === 1 ? lines : second;
      };
      expect(await restore(true, 'COL-1', read)).toMatchObject({ ok: false, code: 'store.failed' });
      expect((await readdir(place())).sort()).toEqual([...before, 'kept'].sort());
    }
    expect((await all((await open()).rowsOf('SP-1'))).length).toBe(5);
  });

  it('replaces no journal that somebody has opened meanwhile, and leaves nothing of itself', async () => {
    const one = await open();
    await pass(one, 0, 5);
    await backup(one);
    await closed();
    let readings = 0;
    const read = async function* () {
      readings += 1;
      // A collector of an earlier version, which asks LevelDB alone.
      if (readings === 2) held = await openLevelStore(join(place(), 'store'));
      yield* readLines(file());
    };
    let held: Awaited<ReturnType<typeof openLevelStore>> | undefined;
    expect(await restore(true, 'COL-1', read)).toMatchObject({ ok: false, code: 'store.locked' });
    if (held?.ok) await held.value.close();
    expect((await readdir(place())).sort()).toEqual(['kept', 'mark', 'store']);
    expect((await all((await open()).rowsOf('SP-1'))).length).toBe(5);
  });

  it('keeps every collector from the folder while it is under way', async () => {
    const one = await open();
    await pass(one, 0, 5);
    await backup(one);
    await closed();
    let readings = 0;
    const codes: string[] = [];
    const read = async function* () {
      readings += 1;
      if (readings === 2) {
        const other = await createLevelVault({ folder: place(), ballastBytes: 0 }).open();
        codes.push(other.ok ? 'good' : other.fault.code);
      }
      yield* readLines(file());
    };
    expect(await restore(true, 'COL-1', read)).toMatchObject({ ok: true });
    expect(codes).toEqual(['store.locked']);
    expect((await readdir(place())).sort()).toEqual(['quarantine', 'store']);
  });

  it.each([
    ['the new store has its name, and the old one its place', ['store', 'mark'], 9],
    ['the old store is put aside', ['mark'], 5],
    ['the mark of the old one is gone, too', [], 5],
  ])('that is cut off when %s leaves one whole journal and no trace', async (_, left, hours) => {
    const one = await open();
    await pass(one, 0, 5);
    await backup(one);
    await pass(one, 5.25, 9);
    await closed();
    const there = await readdir(place());
    const old = join(folder, 'old');
    await rename(place(), old);
    expect(await restore()).toMatchObject({ ok: true });
    // As the kill leaves them: the new store named whole, and what of the old one is still there.
    await rename(join(place(), 'store'), join(place(), 'store.repaired'));
    await writeFile(join(place(), 'store.repaired', 'RESTORED'), '');
    await mkdir(join(place(), 'quarantine'));
    for (const name of there) {
      const isLeft = left.includes(name) || (name === 'kept' && left.length > 0);
      if (isLeft) await rename(join(old, name), join(place(), name));
    }
    const again = await open();
    expect((await all(again.rowsOf('SP-1'))).length).toBe(hours);
    expect(await auditJournal(again)).toMatchObject({ ok: true, problems: [] });
    expect(again.epoch === 'NEW' || again.epoch === one.epoch || hours === 5).toBe(true);
    const names = await readdir(place());
    expect(names).not.toContain('store.repaired');
    expect(await readdir(join(place(), 'store'))).not.toContain('RESTORED');
    const told = await all(again.eventsOf(''));
    expect(told.map(({ data }) => data['found']).join()).not.toMatch(/mark|rows up to/);
  });

  it('is taken while the collector goes on, as of one moment', async () => {
    const one = await open();
    await pass(one, 0, 200);
    const taking = backup(one);
    await pass(one, 200.25, 230);
    expect(await taking).toMatchObject({ ok: true });
    await closed();
    await rm(place(), { recursive: true });
    expect(await restore()).toMatchObject({ ok: true });
    const again = await open();
    const hours = (await all(again.rowsOf('SP-1'))).length;
    expect(hours).toBeGreaterThanOrEqual(200);
    expect(await auditJournal(again)).toMatchObject({ ok: true, problems: [] });
  });
});

const withoutRow = ({ row: _, ...entry }: EntryRow) => entry;

/** The newest revision of all that a head-end has heard. */
function entriesOf(ledger: Ledger): Parameters<typeof conserve>[1] {
  return ledger.entries() as unknown as Parameters<typeof conserve>[1];
}
