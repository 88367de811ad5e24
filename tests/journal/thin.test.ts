// What is thinned leaves a checkpoint: all that was provable before is provable after, and nothing undelivered goes unsaid.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Journal, KeepLimits, Room, Store } from '../../src/boundaries.ts';
import { auditJournal } from '../../src/commands/audit.ts';
import type { EventRow } from '../../src/domain/entry.ts';
import { good, type Result } from '../../src/domain/fault.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { Medium } from '../fakes/memory-store.ts';
import {
  all,
  FINE,
  HOUR,
  MINUTE,
  observeAt,
  read,
  rulesOf,
  silence,
  T0,
  waiting,
} from './metered.ts';

const DAY = 24 * HOUR;
const FOREVER: KeepLimits = {
  ...{ incrementDays: 10_000, hourDays: 10_000, eventDays: 10_000 },
  ...{ maxBytes: Number.POSITIVE_INFINITY, minFreeBytes: 0 },
};
const rest = () => Promise.resolve();

interface Life {
  readonly journal: Journal;
  readonly medium: Medium;
  now: number;
  room: Room | null;
}

async function live(medium = new Medium(), meters = ['SP-1', 'SP-2']): Promise<Life> {
  const life = { medium, now: T0, room: null as Room | null };
  const openStore = async (): Promise<Result<Store>> => {
    const opened = await medium.open();
    if (!opened.ok) return opened;
    const room = () =>
      Promise.resolve(good(life.room ?? { bytes: 0, freeBytes: 1e12, totalBytes: 1e12 }));
    return good({ ...opened.value, room });
  };
  const newEpoch = () => 'E1';
  const how = { collector: 'COL-1', openStore, newEpoch, now: () => life.now };
  const opened = await openJournal(how);
  if (!opened.ok) throw new Error(opened.fault.detail);
  for (const meter of meters) {
    opened.value.declare(meter, { dial: FINE, registerId: null }, rulesOf(FINE));
  }
  return Object.assign(life, { journal: opened.value });
}

/** Reads both meters each quarter hour for so many hours; `silent` hours go unread, which leaves gaps. */
async function pass(life: Life, hours: number, silent: ReadonlySet<number> = new Set()) {
  const from = (life.now - T0) / MINUTE;
  for (let minute = from; minute <= from + hours * 60; minute += 15) {
    for (const meter of life.journal.meters()) {
      if (silent.has(Math.floor(minute / 60))) silence(life.journal, meter, minute);
      else read(life.journal, meter, minute, (minute * 3) % 10 ** 8);
    }
  }
  life.now += hours * HOUR;
  await life.journal.flush();
}

async function deliver({ journal }: Life): Promise<void> {
  for (const meter of ['', ...journal.meters()]) journal.settle(await waiting(journal, meter));
  await journal.flush();
}

type Audit = { ok: boolean; meters: { sum: number; total: number; problem: string | null }[] };
const audit = async ({ journal }: Life) => (await auditJournal(journal)) as Audit;
const told = async ({ journal }: Life, code: string): Promise<EventRow[]> =>
  (await all(journal.eventsOf(''))).filter((event) => event.code === code);

describe('thinning', () => {
  it('changes nothing of what is provable, whatever is cut, over restarts, and a scrub finds nothing lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 3, max: 90 }), { maxLength: 20 }),
        fc.array(
          fc.record({
            increments: fc.integer({ min: 0, max: 4 }),
            hours: fc.integer({ min: 0, max: 4 }),
          }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        async (silent, cuts) => {
          let life = await live();
          await pass(life, 96, new Set(silent));
          await deliver(life);
          const before = await audit(life);
          expect(before.ok).toBe(true);
          for (const cut of cuts) {
            const { now, medium } = life;
            must(
              await life.journal.thin(
                { ...FOREVER, incrementDays: cut.increments, hourDays: cut.hours },
                rest,
              ),
            );
            await life.journal.close();
            life = await live(medium);
            life.now = now;
            const after = await audit(life);
            expect(after.ok).toBe(true);
            expect(sums(after)).toEqual(sums(before));
          }
          const scrubbed = must(await life.journal.scrub(rest));
          expect(scrubbed).toMatchObject({ damaged: 0, lost: 0, sums: [] });
          await pass(life, 5);
          expect((await audit(life)).ok).toBe(true);
          await life.journal.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('still finds a count that is missing after what was thinned', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 96);
    await deliver(life);
    must(await life.journal.thin({ ...FOREVER, incrementDays: 2, hourDays: 2 }, rest));
    await life.journal.close();
    const store = must(await life.medium.open());
    const hour = [...life.medium.dump()].map(([key]) => key).filter((key) => /^h\//.test(key))[3];
    await store.write([{ key: hour ?? '' }]);
    await store.close();
    expect((await audit(await live(life.medium))).ok).toBe(false);
  });

  it('takes increments of 45 days, hours and events of 400, and no more of either in one pass than a wrong clock may cost', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 24 * 10);
    await deliver(life);
    life.now = T0 + 10_000 * DAY; // A clock that stands years ahead.
    must(await life.journal.thin({ ...FOREVER, hourDays: 400 }, rest));
    expect((await all(life.journal.rowsOf('SP-1'))).length).toBe(240 - 48);
    expect((await audit(life)).ok).toBe(true);
  });

  it('looks again a day after a pass that left nothing, the next hour where one left some, and at once by other limits', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 24 * 6);
    await deliver(life);
    const thin = async (limits: KeepLimits) =>
      must(await life.journal.thin(limits, rest)) as { readonly hours: number };
    const three = { ...FOREVER, hourDays: 3 };
    const two = { ...FOREVER, hourDays: 2 };
    expect((await thin(three)).hours).toBe(48); // As many as one pass takes.
    expect((await thin(three)).hours).toBe(24);
    life.now += 5 * HOUR;
    expect((await thin(three)).hours).toBe(0);
    expect((await thin(two)).hours).toBe(29);
    life.now += 23 * HOUR;
    expect((await thin(two)).hours).toBe(0);
    life.now += HOUR;
    expect((await thin(two)).hours).toBe(24);
    life.now -= 2 * DAY; // A clock that was ahead.
    expect((await thin(two)).hours).toBe(0);
    expect((await audit(life)).ok).toBe(true);
  });

  it('A3: what was never delivered is kept until its days are over, and then told with its rows and hours', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 48);
    must(await life.journal.thin({ ...FOREVER, hourDays: 2 }, rest));
    expect(await told(life, 'journal.loss')).toEqual([]);
    life.now += 30 * HOUR;
    life.journal.release(life.journal.takeFresh()); // Nothing is on its way.
    must(await life.journal.thin({ ...FOREVER, hourDays: 2 }, rest));
    const [loss] = await told(life, 'journal.loss');
    expect(loss?.data).toMatchObject({
      meter: 'SP-1',
      why: 'age',
      rows: '1-30',
      row_count: 30,
      counts: 30 * 180,
    });
    expect((await life.journal.pending()).rows).toBe(48 - 30 + 1);
    expect((await waiting(life.journal, '')).map(({ kind }) => kind)).toEqual(['event']);
    expect((await audit(life)).ok).toBe(true);
  });

  it('leaves rows that are on their way alone', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 48);
    life.now += 10 * DAY; // All of them are news, claimed since they became durable.
    must(await life.journal.thin({ ...FOREVER, hourDays: 2 }, rest));
    expect((await all(life.journal.rowsOf('SP-1'))).length).toBe(48);
  });

  it('under pressure delivered increments go first, then delivered hours, and it is told once until it is over', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 24 * 6);
    await deliver(life);
    const limits = { ...FOREVER, maxBytes: 1_000_000 };
    const size = async () => ({
      increments: (await all(life.journal.incrementsOf('SP-1'))).length,
      hours: (await all(life.journal.rowsOf('SP-1'))).length,
    });
    const whole = await size();
    life.room = { bytes: 1_000_001, freeBytes: 1e12, totalBytes: 1e12 };
    const measured = life.medium;
    // As much room as there are records: half of the increments are enough.
    life.room = roomOf(measured, 1_000_001, 0.9);
    Object.defineProperty(life, 'room', { get: () => roomOf(measured, 1_000_001, 0.9) });
    must(await life.journal.thin(limits, rest));
    const first = await size();
    expect(first.hours).toBe(whole.hours);
    expect(first.increments).toBeLessThan(whole.increments);
    const [raised, ...more] = await told(life, 'journal.pressure');
    expect(raised).toMatchObject({ phase: 'raise', data: { max_bytes: 1_000_000 } });
    expect(more).toEqual([]);
    must(await life.journal.thin(limits, rest));
    const phases = (await told(life, 'journal.pressure')).map(({ phase, alarm }) => [phase, alarm]);
    expect(phases).toEqual([
      ['raise', raised?.alarm],
      ['clear', raised?.alarm],
    ]);
    expect((await audit(life)).ok).toBe(true);
  });

  it('what was never delivered goes last, for the journal’s own size, and is told', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 24 * 6);
    life.journal.release(life.journal.takeFresh());
    life.room = { bytes: 1_000_001, freeBytes: 1e12, totalBytes: 1e12 };
    must(await life.journal.thin({ ...FOREVER, maxBytes: 1_000_000 }, rest));
    const kept = await all(life.journal.rowsOf('SP-1'));
    expect(kept.length).toBeLessThanOrEqual(48);
    expect(kept.length).toBeGreaterThanOrEqual(24);
    const lost = (await told(life, 'journal.loss')).reduce(
      (rows, { data }) => rows + Number(data['row_count']),
      0,
    );
    expect(lost + kept.length).toBe(24 * 6);
    expect((await audit(life)).ok).toBe(true);
  });

  it('a disk that others have filled costs delivered records, and the undelivered ones only when nothing is left', async () => {
    const life = await live(new Medium(), ['SP-1']);
    await pass(life, 24 * 6);
    life.journal.release(life.journal.takeFresh());
    const limits = { ...FOREVER, minFreeBytes: 1_000 };
    life.room = { bytes: 2_000, freeBytes: 900, totalBytes: 1e12 };
    must(await life.journal.thin(limits, rest));
    expect((await all(life.journal.rowsOf('SP-1'))).length).toBe(24 * 6);
    life.room = { bytes: 2_000, freeBytes: 100, totalBytes: 1e12 };
    must(await life.journal.thin(limits, rest));
    expect((await all(life.journal.rowsOf('SP-1'))).length).toBeLessThanOrEqual(48);
  });

  it('a clock a year ahead, over restarts and looks, drops nothing that is not old by the time that was lived', async () => {
    let life = await live(new Medium(), ['SP-1']);
    const limits = { ...FOREVER, incrementDays: 3, hourDays: 3, eventDays: 3 };
    await pass(life, 48);
    await deliver(life);
    must(await life.journal.thin(limits, rest, 48 * HOUR));
    const held = await kinds(life);
    const right = life.now;
    for (let look = 1; look <= 4; look += 1) {
      life.now = right + look * HOUR + 365 * DAY;
      must(await life.journal.thin(limits, rest, HOUR));
      await life.journal.close();
      const { now, medium } = life;
      life = await live(medium, ['SP-1']);
      life.now = now;
    }
    expect(await kinds(life)).toEqual(held);
    // Lived, it is old all the same.
    life.now = right + 10 * DAY;
    for (let look = 0; look < 3; look += 1) must(await life.journal.thin(limits, rest, 5 * DAY));
    expect((await kinds(life)).increments).toBeLessThan(held.increments);
  });

  it('what a clock in 1970 stamped is as old as what came after it, and no older', async () => {
    const life = await live(new Medium(), ['SP-1']);
    life.now = 5 * MINUTE;
    life.journal.note({ code: 'config.changed', severity: 'info', data: {} });
    const lost = (mono: number) => ({ at: mono, mono, boot: 'lost', synced: false });
    for (let i = 0; i < 4; i += 1) observeAt(life.journal, 'SP-1', lost(i * 15 * MINUTE), i);
    life.now = T0;
    await pass(life, 24);
    await deliver(life);
    const early = async () =>
      (await all(life.journal.incrementsOf('SP-1'))).filter(({ toAt }) => toAt < T0).length;
    expect([await early(), (await told(life, 'config.changed')).length]).toEqual([4, 1]);
    must(await life.journal.thin({ ...FOREVER, incrementDays: 2, eventDays: 2 }, rest));
    expect([await early(), (await told(life, 'config.changed')).length]).toEqual([4, 1]);
    life.journal.note({ code: 'config.changed', severity: 'info', data: {} });
    await life.journal.flush();
    await deliver(life);
    life.now += 5 * DAY;
    must(await life.journal.thin({ ...FOREVER, incrementDays: 2, eventDays: 2 }, rest));
    expect([await early(), (await told(life, 'config.changed')).length]).toEqual([0, 0]);
  });

  it('a write that fails in the middle leaves records and checkpoint as they were, or both changed', async () => {
    for (const outcome of ['applied', 'lost'] as const) {
      const life = await live(new Medium(), ['SP-1']);
      await pass(life, 96);
      await deliver(life);
      const before = await audit(life);
      life.medium.failNext(1, outcome);
      const thinned = await life.journal.thin({ ...FOREVER, incrementDays: 1, hourDays: 1 }, rest);
      expect(thinned.ok).toBe(false);
      await life.journal.flush();
      const after = await audit(life);
      expect(after.ok).toBe(true);
      expect(sums(after)).toEqual(sums(before));
    }
  });
});

const kinds = async ({ journal }: Life) => ({
  increments: (await all(journal.incrementsOf('SP-1'))).length,
  hours: (await all(journal.rowsOf('SP-1'))).length,
});

const sums = ({ meters }: Audit) => meters.map(({ sum, total }) => [sum, total]);

/** A disk on which a journal takes up `full` bytes when it holds all that it holds now. */
const FULL = new WeakMap<Medium, number>();
function roomOf(medium: Medium, full: number, least: number): Room {
  const records = [...medium.dump()].length;
  const most = Math.max(FULL.get(medium) ?? 0, records);
  FULL.set(medium, most);
  const share = records / most;
  return { bytes: share < least ? 0.5 * full : full, freeBytes: 1e12, totalBytes: 1e12 };
}

function must<T>(outcome: Result<T>): T {
  if (!outcome.ok) throw new Error(outcome.fault.detail);
  return outcome.value;
}
