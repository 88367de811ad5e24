// The journal over memory and over LevelDB: what it promises between polling and sending, and what it does when the medium fails.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import type { Journal, Store } from '../../src/boundaries.ts';
import { keys } from '../../src/codec/journal-record.ts';
import { conserve } from '../../src/domain/conservation.ts';
import type { EntryRow, Row } from '../../src/domain/entry.ts';
import { faulty, good, type Result } from '../../src/domain/fault.ts';
import { Medium } from '../fakes/memory-store.ts';
import {
  all,
  COARSE,
  FINE,
  HOUR,
  MINUTE,
  openMetered,
  read,
  readHours,
  rulesOf,
  silence,
  T0,
  waiting,
} from './metered.ts';

const rowsOf = (rows: readonly Row[]) => rows.map(({ row }) => row);
/** Another text than was written. */
const damage = (text: string) => text.slice(0, -1) + (text.endsWith('x') ? 'y' : 'x');

const never = () => new AbortController().signal;

interface Place {
  open(): Promise<Result<Store>>;
  dispose(): Promise<void>;
}

function journalSuite(name: string, newPlace: () => Promise<Place>): void {
  describe(`the journal over ${name}`, () => {
    let place: Place;
    let journal: Journal | undefined;
    const open = async (meters?: Parameters<typeof openMetered>[1]) => {
      await journal?.close();
      journal = await openMetered(() => place.open(), meters);
      return journal;
    };
    const change = async (key: string, edit: (text: string) => string | undefined) => {
      await journal?.close();
      journal = undefined;
      const store = await place.open();
      if (!store.ok) throw new Error(store.fault.detail);
      const found = await store.value.get(key);
      if (!found.ok || found.value === undefined) throw new Error(`nothing in ${key}`);
      const value = edit(found.value);
      await store.value.write([value === undefined ? { key } : { key, value }]);
      await store.value.close();
    };
    beforeEach(async () => {
      place = await newPlace();
      journal = undefined;
    });
    afterEach(async () => {
      await journal?.close();
      await place.dispose();
    });

    it('A1: an hour that is told again gets a row of its own', async () => {
      const one = await open({ 'SP-1': FINE });
      readHours(one, 'SP-1', 0, 3);
      await one.flush();
      const [first] = (await all(one.rowsOf('SP-1'))) as EntryRow[];
      const state = one.installation('SP-1');
      if (!first || !state) throw new Error('nothing was read');
      // As it is found in the journal, with the number that it had.
      const again = { ...first, rev: first.rev + 1 };
      const none = { increments: [], events: [], notices: [] };
      one.commit('SP-1', { ...none, state, entries: [again] });
      await one.flush();
      const rows = rowsOf(await all(one.rowsOf('SP-1')));
      expect(new Set(rows).size).toBe(rows.length);
      expect(Math.max(...rows)).toBe(one.lastRow());
    });

    it('numbers hours of all meters in one row without holes, over a restart too', async () => {
      let one = await open({ 'SP-1': FINE, 'SP-2': FINE });
      readHours(one, 'SP-1', 0, 3);
      readHours(one, 'SP-2', 0, 3);
      await one.flush();
      const { epoch } = one;
      one = await open({ 'SP-1': FINE, 'SP-2': FINE });
      readHours(one, 'SP-2', 3.25, 5);
      readHours(one, 'SP-1', 3.25, 5);
      await one.flush();
      const rows = [...(await all(one.rowsOf('SP-1'))), ...(await all(one.rowsOf('SP-2')))];
      expect(rowsOf(rows).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(one.lastRow()).toBe(10);
      expect(one.epoch).toBe(epoch);
    });

    it('hands out no hour before its group is synced', async () => {
      const one = await open();
      readHours(one, 'SP-1', 0, 2);
      expect(one.takeFresh()).toEqual([]);
      expect(await one.backlog('SP-1', 10)).toEqual([]);
      expect(await all(one.rowsOf('SP-1'))).toEqual([]);
      expect((await one.pending()).rows).toBe(0);
      await one.flush();
      expect(rowsOf(one.takeFresh())).toEqual([1, 2]);
    });

    it('the backlog is oldest first and within its limit; rows in flight are left alone until released', async () => {
      const one = await open();
      readHours(one, 'SP-1', 0, 6);
      await one.flush();
      const fresh = one.takeFresh();
      expect(await one.backlog('SP-1', 10)).toEqual([]); // The news has them.
      one.release(fresh);
      expect(rowsOf(await one.backlog('SP-1', 4))).toEqual([1, 2, 3, 4]);
      one.claim(fresh.slice(1, 3));
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([1, 4, 5, 6]);
      one.release(fresh.slice(1, 3));
      one.settle(fresh.slice(0, 2));
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([3, 4, 5, 6]);
      expect(await one.pending()).toEqual({ rows: 4, oldest: T0 + 2 * HOUR });
    });

    it('who reads on in the backlog gets what comes after, to its end and no further', async () => {
      const one = await open();
      readHours(one, 'SP-1', 0, 6);
      await one.flush();
      one.release(one.takeFresh());
      expect(rowsOf(await one.backlog('SP-1', 4))).toEqual([1, 2, 3, 4]);
      expect(rowsOf(await one.backlog('SP-1', 4, 4))).toEqual([5, 6]);
      expect(await one.backlog('SP-1', 4, 6)).toEqual([]);
      // A search from the beginning finds what reading on has passed, and what has come since.
      readHours(one, 'SP-1', 6.25, 7);
      await one.flush();
      one.release(one.takeFresh());
      expect(rowsOf(await one.backlog('SP-1', 6))).toEqual([1, 2, 3, 4, 5, 6]);
      expect(rowsOf(await one.backlog('SP-1', 6, 6))).toEqual([7]);
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(rowsOf(await one.backlog('SP-1', 10, 6))).toEqual([7]);
      one.settle(await one.backlog('SP-1', 3));
      expect(rowsOf(await one.backlog('SP-1', 10, 2))).toEqual([4, 5, 6, 7]);
    });

    it('what is settled stays settled, what is pending stays pending, after opening again', async () => {
      let one = await open();
      readHours(one, 'SP-1', 0, 5);
      await one.flush();
      one.settle(one.takeFresh().slice(0, 2));
      await one.flush();
      one = await open();
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([3, 4, 5]);
      expect((await one.pending()).rows).toBe(3);
      expect(one.metersPending()).toEqual(['SP-1']);
      one.settle(await one.backlog('SP-1', 10));
      expect(one.metersPending()).toEqual([]);
    });

    it('A4: events that are pending are known by themselves, of all meters, and after opening again', async () => {
      const events = async (of: Journal) =>
        (await of.eventsPending(10)).map(({ meter, kind }) => `${meter} ${kind}`);
      let one = await open({ 'SP-1': FINE, 'SP-2': FINE });
      for (const name of ['SP-2', 'SP-1']) {
        readHours(one, name, 0, 2);
        const next = { dial: FINE, registerId: null, bodySerial: null, told: {} };
        one.changeOut(name, next, rulesOf(FINE));
      }
      await one.flush();
      expect(await events(one)).toEqual([]); // The news has them.
      one.release(one.takeFresh());
      expect(await events(one)).toEqual(['SP-2 event', 'SP-1 event']);
      const [first] = await one.eventsPending(1);
      one.claim(first ? [first] : []);
      expect(await events(one)).toEqual(['SP-1 event']);
      one.settle(first ? [first] : []);
      await one.flush();
      one = await open({ 'SP-1': FINE, 'SP-2': FINE });
      expect(await events(one)).toEqual(['SP-1 event']);
      const row = first?.row ?? 0;
      expect(await one.sendAgain([[row, row]])).toBe(1);
      expect(await events(one)).toEqual(['SP-2 event', 'SP-1 event']);
    });

    it('a batch of the backlog is of one installation', async () => {
      let one = await open();
      readHours(one, 'SP-1', 0, 2);
      await one.flush();
      one = await open({ 'SP-1': COARSE });
      for (let minute = 125; minute < 300; minute += 5) read(one, 'SP-1', minute, minute);
      await one.flush();
      const first = await waiting(one);
      expect(new Set(first.map(({ inst }) => inst))).toEqual(new Set([1]));
      one.settle(first);
      const second = await one.backlog('SP-1', 100);
      expect(new Set(second.map(({ inst }) => inst))).toEqual(new Set([2]));
    });

    it('keeps every increment, and a step of 100 ft3 is never one of 0.1 ft3', async () => {
      const one = await open({ 'SP-1': FINE, 'SP-2': COARSE });
      for (const meter of ['SP-1', 'SP-2']) {
        for (const [i, register] of [7, 8, 8, 12].entries()) read(one, meter, i * 15, register);
      }
      await one.flush();
      const fine = await all(one.incrementsOf('SP-1'));
      const coarse = await all(one.incrementsOf('SP-2'));
      for (const steps of [fine, coarse]) {
        expect(steps).toMatchObject([
          { seq: 0, counts: 0, kind: 'first' },
          { seq: 1, fromRead: 7, toRead: 8, counts: 1 },
          { seq: 2, fromRead: 8, toRead: 12, counts: 4 },
        ]);
      }
      expect([one.facts('SP-1')?.dial, one.facts('SP-2')?.dial]).toEqual([FINE, COARSE]);
    });

    it('I2, I9: another dial in the settings is a new installation flagged config, the old one’s last hour P', async () => {
      let one = await open();
      readHours(one, 'SP-1', 0, 1);
      read(one, 'SP-1', 75, 80);
      await one.flush();
      one = await open({ 'SP-1': COARSE });
      expect(one.facts('SP-1')).toMatchObject({ inst: 2, dial: COARSE });
      expect(one.factsOf('SP-1', 1)).toMatchObject({ inst: 1, dial: FINE, initialRead: 0 });
      for (const minute of [90, 105, 120, 135]) read(one, 'SP-1', minute, minute);
      await one.flush();
      const rows = await all(one.rowsOf('SP-1'));
      expect(rows).toMatchObject([
        { inst: 1, start: T0, use: 60 },
        { inst: 1, start: T0 + HOUR, use: 20, q: 'P', flags: ['config'] },
        { inst: 2, start: T0 + HOUR, use: 30, q: 'P', flags: ['config'] },
      ]);
    });

    it('another encoder in the settings is a new installation; one named for the first time is the same meter', async () => {
      let one = await open({});
      one.declare('SP-1', { dial: FINE, registerId: null }, rulesOf(FINE));
      one.declare('SP-1', { dial: FINE, registerId: '111' }, rulesOf(FINE));
      expect(one.facts('SP-1')).toMatchObject({ inst: 1, registerId: '111' });
      await one.flush();
      one = await open({});
      one.declare('SP-1', { dial: FINE, registerId: '111' }, rulesOf(FINE));
      expect(one.facts('SP-1')?.inst).toBe(1);
      one.declare('SP-1', { dial: FINE, registerId: '222' }, rulesOf(FINE));
      expect(one.facts('SP-1')).toMatchObject({ inst: 2, registerId: '222' });
      expect(one.installation('SP-1')?.birth).toEqual(['config']);
    });

    it('tells that facts are to be described once they are durable, and again when the first reading completes them', async () => {
      const one = await open();
      expect(one.takeDescribed()).toEqual([]);
      await one.flush();
      expect(one.takeDescribed()).toEqual(['SP-1']);
      read(one, 'SP-1', 5, 4_711);
      await one.flush();
      expect(one.takeDescribed()).toEqual(['SP-1']);
      expect(one.facts('SP-1')).toMatchObject({ initialRead: 4_711, installed: T0 + 5 * 60_000 });
    });

    it('gives what was published from an hour on, the newest revision of each', async () => {
      const one = await open();
      readHours(one, 'SP-1', 0, 4);
      const found = await one.publishedFrom('SP-1', T0 + 2 * HOUR);
      expect(found).toMatchObject([{ start: T0 + 2 * HOUR }, { start: T0 + 3 * HOUR }]);
    });

    it('a gap that its last revision lets end sooner is over, whatever the one before said', async () => {
      const one = await open();
      readHours(one, 'SP-1', 0, 1);
      const state = one.installation('SP-1');
      if (!state) throw new Error('nothing was read');
      const gap = (hours: number, rev: number) => ({
        ...({ kind: 'gap', inst: 1, from: T0, to: T0 + hours * HOUR } as const),
        ...({ use: 7, why: 'clock', flags: [], rev } as const),
      });
      const nothing = { increments: [], events: [], notices: [] };
      one.commit('SP-1', { state, ...nothing, entries: [gap(6, 0), gap(1, 1)] });
      expect(await one.publishedFrom('SP-1', T0 + 4 * HOUR)).toEqual([]);
    });

    it.each([
      ['its name', () => keys.meta],
      ['the row counter', () => keys.nextRow],
      ['an installation', () => keys.state('SP-1')],
      ['the circumstances of one', () => keys.circumstances('SP-1')],
      ['the facts of one', () => keys.facts('SP-1', 1)],
    ])(
      'a journal in which %s is damaged or lost goes on from what its hours prove, under a new epoch, and says so',
      async (_, keyOf) => {
        for (const edit of [damage, () => undefined]) {
          const before = await open();
          readHours(before, 'SP-1', 0, 2);
          await before.flush();
          const { epoch } = before;
          await change(keyOf(), edit);
          const one = await open();
          expect(one.epoch).not.toBe(epoch);
          expect(one.lastRow()).toBeGreaterThanOrEqual(2);
          readHours(one, 'SP-1', 3, 4);
          await one.flush();
          expect(one.installation('SP-1')?.last).toMatchObject({ read: 240 });
          const told = await all(one.eventsOf(''));
          expect(told).toMatchObject([
            { code: 'journal.repaired', data: { new_epoch: one.epoch } },
          ]);
          const rows = await all(one.rowsOf('SP-1'));
          const last = Math.max(...rows.map(({ inst }) => inst));
          const own = rows.filter(({ inst }) => inst === last);
          const facts = one.factsOf('SP-1', last);
          const proof = conserve(last, own, facts?.initialRead ?? 0, FINE);
          expect(proof.problem).toBeNull();
          expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length);
          await journal?.close();
          journal = undefined;
          await place.dispose();
          place = await newPlace();
        }
      },
    );

    it('a damaged hour or increment ends what reads it, and never becomes a number', async () => {
      let one = await open();
      readHours(one, 'SP-1', 0, 2);
      await one.flush();
      const row = (await all(one.rowsOf('SP-1')))[1] as EntryRow;
      await change(keys.entry('SP-1', row), (text) => text.replace(/,\d/, ',9'));
      await change(keys.increment('SP-1', 1, 1), (text) => text.replace(/.$/, '~'));
      one = await open();
      await expect(all(one.rowsOf('SP-1'))).rejects.toThrow(/h\/SP-1/);
      await expect(all(one.incrementsOf('SP-1'))).rejects.toThrow(/i\/SP-1/);
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([1]);
    });

    it('the journal of another collector is refused, and opened again by its own', async () => {
      await open();
      await journal?.close();
      const other = () => openMetered(() => place.open(), {}, 'COL-2');
      await expect(other()).rejects.toThrow(/COL-1/);
      journal = undefined;
      await open();
    });
  });
}

journalSuite('memory', async () => {
  const medium = new Medium();
  return { open: () => medium.open(), dispose: async () => undefined };
});

journalSuite('LevelDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'journal-'));
  return {
    open: () => openLevelStore(join(folder, 'journal')),
    dispose: () => rm(folder, { recursive: true }),
  };
});

describe('the journal when its medium fails', () => {
  let medium: Medium;
  let journal: Journal;
  beforeEach(async () => {
    medium = new Medium();
    journal = await openMetered(() => medium.open());
    readHours(journal, 'SP-1', 0, 2);
    await journal.flush();
    journal.settle(journal.takeFresh());
    await journal.flush();
  });

  it.each(['applied', 'lost'] as const)(
    'a failed write that was %s drops what memory held, and the medium is read again',
    async (outcome) => {
      readHours(journal, 'SP-1', 2.25, 4);
      medium.failNext(1, outcome);
      expect((await journal.flush()).ok).toBe(false);
      expect(journal.isSound()).toBe(false);
      expect(journal.installation('SP-1')).toBeUndefined();
      readHours(journal, 'SP-1', 4.25, 4.5); // Not kept; the dial will tell.
      expect((await journal.flush()).ok).toBe(true);
      expect(journal.takeFresh()).toEqual([]);
      read(journal, 'SP-1', 285, 285);
      read(journal, 'SP-1', 300, 300);
      await journal.flush();
      const rows = await all(journal.rowsOf('SP-1'));
      expect(rowsOf(rows).sort((a, b) => a - b)).toEqual(
        Array.from({ length: journal.lastRow() }, (_, i) => i + 1),
      );
      expect(rows.reduce((sum, row) => sum + (row.use ?? 0), 0)).toBe(300);
    },
  );

  it.each(['applied', 'lost'] as const)(
    'after a failed write that was %s the forwarder is woken, for rows may wait that never were news',
    async (outcome) => {
      await journal.fresh(AbortSignal.abort());
      readHours(journal, 'SP-1', 2.25, 3);
      medium.failNext(1, outcome);
      await journal.flush();
      let woken = false;
      const waited = journal.fresh(never()).then(() => {
        woken = true;
      });
      await journal.flush();
      await waited;
      expect(woken).toBe(true);
      expect(rowsOf(await waiting(journal))).toEqual(outcome === 'applied' ? [3] : []);
    },
  );

  it('a reading that found the dial as it was waits for the next thing worth a write, or for a clean stop', async () => {
    const { writes } = medium;
    read(journal, 'SP-1', 122, 120);
    await journal.flush();
    expect(medium.writes).toBe(writes);
    read(journal, 'SP-1', 124, 121);
    await journal.flush();
    expect(medium.writes).toBe(writes + 1);
    read(journal, 'SP-1', 126, 121);
    await journal.close();
    const again = await openMetered(() => medium.open());
    expect(again.installation('SP-1')?.last).toMatchObject({ at: T0 + 126 * MINUTE, read: 121 });
  });

  it('an acknowledgement whose group was lost leaves its rows pending, to be sent again', async () => {
    readHours(journal, 'SP-1', 2.25, 4);
    await journal.flush();
    const fresh = journal.takeFresh();
    journal.settle(fresh);
    journal.release(fresh);
    expect(await journal.backlog('SP-1', 10)).toEqual([]);
    medium.failNext(1, 'lost');
    await journal.flush();
    await journal.flush();
    expect(rowsOf(await journal.backlog('SP-1', 10))).toEqual([3, 4]);
    expect((await journal.pending()).rows).toBe(2);
  });

  describe('while its medium is slow', () => {
    let slow: 'reads' | 'writes' | null;
    let letGo: () => void;
    let one: Journal;

    /** Five hours, of which two wait; `slow` holds back what is begun meanwhile, until `letGo`. */
    beforeEach(async () => {
      slow = null;
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const other = new Medium();
      one = await openMetered(async () => {
        const opened = await other.open();
        if (!opened.ok) return opened;
        const store = opened.value;
        const entries: Store['entries'] = async function* (range) {
          const waits = slow === 'reads' && range.from.startsWith('p/');
          // As the search found them, told later.
          const found = await all(store.entries(range));
          if (waits) await held;
          yield* found;
        };
        const write: Store['write'] = async (changes) => {
          if (slow === 'writes') await held;
          return store.write(changes);
        };
        return good({ ...store, entries, write });
      });
      readHours(one, 'SP-1', 0, 5);
      await one.flush();
      const rows = one.takeFresh();
      one.release(rows);
      one.settle(rows.slice(0, 3));
    });

    it('a row asked for again while the backlog is searched is found by the next search', async () => {
      await one.flush();
      slow = 'reads';
      const searching = one.backlog('SP-1', 10);
      slow = null;
      await one.sendAgain([[2, 2]]);
      letGo();
      expect(rowsOf(await searching)).toEqual([4, 5]);
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([2, 4, 5]);
    });

    it('a row asked for again while its deletion is written is pending again, once', async () => {
      slow = 'writes';
      const written = one.flush();
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      const again = one.sendAgain([[2, 2]]);
      await turn();
      const twice = one.sendAgain([[2, 2]]);
      await turn();
      slow = null;
      letGo();
      await Promise.all([written, again, twice]);
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([2, 4, 5]);
      expect((await one.pending()).rows).toBe(3);
    });

    it('what is settled while a group is written waits no more, and is gone with the next', async () => {
      slow = 'writes';
      const written = one.flush();
      one.settle((await one.backlog('SP-1', 10)).slice(0, 1));
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([5]);
      slow = null;
      letGo();
      await written;
      expect(rowsOf(await one.backlog('SP-1', 10))).toEqual([5]);
      await one.flush();
      expect(await one.isPending('SP-1', 4)).toBe(false);
    });
  });

  it('a medium that cannot be read hides no row: the journal is opened again and finds it', async () => {
    readHours(journal, 'SP-1', 2.25, 4);
    await journal.flush();
    medium.failReads(true);
    expect(await waiting(journal)).toEqual([]);
    expect(journal.isSound()).toBe(false);
    expect((await journal.flush()).ok).toBe(false);
    medium.failReads(false);
    expect((await journal.flush()).ok).toBe(true);
    expect(rowsOf(await waiting(journal))).toEqual([3, 4]);
  });

  it('a row whose entry alone cannot be fetched makes the journal unsound; it is not passed over', async () => {
    let broken = false;
    const open = async () => {
      const opened = await medium.open();
      if (!opened.ok) return opened;
      const store: Store = {
        ...opened.value,
        get: (key) =>
          broken ? Promise.resolve(faulty('store.failed', 'rotten')) : opened.value.get(key),
      };
      return { ok: true, value: store } as const;
    };
    await journal.close();
    journal = await openMetered(open);
    readHours(journal, 'SP-1', 2.25, 4);
    await journal.flush();
    broken = true;
    expect(await waiting(journal)).toEqual([]);
    expect(journal.isSound()).toBe(false);
    broken = false;
    await journal.flush();
    expect(rowsOf(await waiting(journal))).toEqual([3, 4]);
  });

  it('what was declared while the medium failed is declared again', async () => {
    medium.failNext(1, 'lost');
    journal.declare('SP-9', { dial: COARSE, registerId: null }, rulesOf(COARSE));
    await journal.flush();
    expect(journal.installation('SP-9')).toBeUndefined();
    await journal.flush();
    expect(journal.installation('SP-9')).toMatchObject({ inst: 1 });
    await journal.flush();
    expect([...medium.dump()].map(([key]) => key)).toContain(keys.facts('SP-9', 1));
  });

  it('a row that was settled is counted once, however late', async () => {
    readHours(journal, 'SP-1', 2.25, 4);
    await journal.flush();
    const fresh = journal.takeFresh();
    journal.settle(fresh.slice(0, 1));
    journal.settle(fresh.slice(0, 1));
    expect((await journal.pending()).rows).toBe(1);
    expect(journal.metersPending()).toEqual(['SP-1']);
  });

  it('silence that changes no hour leaves no row', async () => {
    silence(journal, 'SP-1', 130);
    await journal.flush();
    expect(journal.lastRow()).toBe(2);
  });
});

describe('a flush', () => {
  it('is no good where what was staged before is on its way and is lost', async () => {
    const medium = new Medium();
    const journal = await openMetered(() => medium.open(), { 'SP-1': FINE });
    journal.keepWishes('SP-1', { usage: { service: 'inactive' } });
    medium.failNext(1);
    const others = journal.flush();
    // Who staged it had something else to do before.
    await Promise.resolve();
    const own = journal.flush();
    expect([(await others).ok, (await own).ok]).toEqual([false, false]);
    expect(journal.wishes('SP-1')).toBeUndefined();
    journal.keepWishes('SP-1', { usage: { service: 'inactive' } });
    const written = [journal.flush(), journal.flush()];
    expect((await Promise.all(written)).map(({ ok }) => ok)).toEqual([true, true]);
    await journal.close();
  });
});
