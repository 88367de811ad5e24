// Who reads on in what waits gets each row that waits, once, in the order of their numbers: whatever stands between them, and whatever is
// settled, claimed or asked for again while it is read ahead.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import type { Journal, Store } from '../../src/boundaries.ts';
import { keyOfRow, keys } from '../../src/codec/journal-record.ts';
import type { EventEntry } from '../../src/domain/alarms.ts';
import type { Entry, Row } from '../../src/domain/entry.ts';
import type { Result } from '../../src/domain/fault.ts';
import { Medium } from '../fakes/memory-store.ts';
import { FINE, HOUR, openMetered, readHours, T0 } from './metered.ts';

const METERS = ['SP-1', 'SP-2'] as const;

/** What is told one after another: hours, and what stands between them. */
const part = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('hours'),
      count: fc.integer({ min: 1, max: 400 }),
    }),
  },
  fc.record({
    kind: fc.constantFrom('gap', 'late', 'again', 'older', 'event', 'installation'),
    count: fc.constant(1),
  }),
);
const told = fc.array(fc.record({ meter: fc.constantFrom(...METERS), part }), {
  minLength: 1,
  maxLength: 10,
});

/** Which rows something is done to: one in so many from some row on. */
const some = fc.record({
  from: fc.nat({ max: 1_500 }),
  count: fc.nat({ max: 600 }),
  each: fc.integer({ min: 1, max: 40 }),
});
const deed = fc.record({
  what: fc.constantFrom('settle', 'claim', 'again', 'flush', 'nothing'),
  which: some,
});

type Some = typeof some extends fc.Arbitrary<infer T> ? T : never;
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

const EVENT: Omit<EventEntry, 'inst' | 'alarm'> = {
  kind: 'event',
  ...{ message: 0, code: 'flow.reverse', severity: 'minor', phase: 'raise' },
  ...{ at: T0, since: T0, data: {} },
};

/** The journal, and beside it what waits by the plainest account. */
class Told {
  readonly rows = new Map<number, Row>();
  readonly waiting = new Set<number>();
  readonly claimed = new Set<number>();
  #journal: Journal;
  readonly #next = new Map<string, { inst: number; start: number; hole: number }>();
  #told = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async tell(plan: typeof told extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    if (this.#told === 0) for (const meter of METERS) readHours(this.#journal, meter, 0, 0.25);
    for (const {
      meter,
      part: { kind, count },
    } of plan)
      this.#part(meter, kind, count);
    await this.#journal.flush();
    for (const row of this.#journal.takeFresh()) {
      this.rows.set(row.row, row);
      this.waiting.add(row.row);
      this.#journal.release([row]);
    }
  }

  #part(meter: string, kind: string, count: number): void {
    const next = this.#next.get(meter) ?? { inst: 1, start: T0, hole: T0 - 3 * HOUR };
    this.#next.set(meter, next);
    this.#told += 1;
    const { inst } = next;
    const hour = (start: number, rev: number): Entry => {
      const read = { read: 7, at: start + HOUR, total: 9, q: 'A', n: 60 } as const;
      return { kind: 'hour', inst, use: 1, flags: [], ...read, start, rev };
    };
    const entries: Entry[] = [];
    const events: EventEntry[] = [];
    if (kind === 'installation') next.inst += 1;
    if (kind === 'again') entries.push(hour(next.start - HOUR, this.#told));
    if (kind === 'older') entries.push(hour(next.start - 40 * HOUR, this.#told));
    if (kind === 'event') events.push({ ...EVENT, inst, alarm: this.#told });
    if (kind === 'gap') {
      const [from, to] = [next.start, next.start + 3 * HOUR];
      entries.push({ kind: 'gap', inst, use: 1, flags: [], from, to, why: 'bus', rev: 0 });
      next.hole = from;
      next.start = to;
    }
    if (kind === 'late' && next.hole > T0) {
      for (let at = next.hole; at < next.hole + 3 * HOUR; at += HOUR) entries.push(hour(at, 0));
      next.hole = 0;
    }
    for (let n = 0; kind === 'hours' && n < count; n += 1) {
      entries.push(hour(next.start, 0));
      next.start += HOUR;
    }
    const state = this.#journal.installation(meter);
    if (!state) throw new Error('it was read');
    this.#journal.commit(meter, { increments: [], events, notices: [], state, entries });
  }

  async do({ what, which }: Deed): Promise<void> {
    const rows = this.#some(which);
    if (what === 'flush') await this.#journal.flush();
    if (what === 'settle') {
      this.#journal.settle(rows);
      for (const { row } of rows) this.waiting.delete(row);
    }
    if (what === 'claim') {
      this.#journal.claim(rows);
      for (const { row } of rows) this.claimed.add(row);
    }
    if (what === 'again') {
      await this.#journal.sendAgain(rows.map(({ row }) => [row, row]));
      for (const { row } of rows) {
        if (!this.waiting.has(row)) this.claimed.delete(row);
        this.waiting.add(row);
      }
    }
  }

  #some({ from, count, each }: Some): Row[] {
    return [...this.rows.values()].filter(
      ({ row }) => row >= from && row < from + count && row % each === 0,
    );
  }

  isFree(row: number): boolean {
    return this.waiting.has(row) && !this.claimed.has(row);
  }

  of(meter: string): number[] {
    const rows = [...this.rows.values()].filter((row) => row.meter === meter);
    return rows.map(({ row }) => row).filter((row) => this.isFree(row));
  }
}

/** The numbers of what waits of the meter, read to the end. */
const rowsOf = (rows: readonly Row[]) => rows.map(({ row }) => row);

async function readOn(journal: Journal, meter: string, limit: number): Promise<number[]> {
  const found: number[] = [];
  const then = METERS.find((other) => other !== meter);
  for (let after = 0; ; after = found.at(-1) as number) {
    const rows = await journal.backlog(meter, limit, after, then);
    if (rows.length === 0) return found;
    expect(rows.length).toBeLessThanOrEqual(limit);
    expect(new Set(rows.map(({ inst }) => inst)).size).toBe(1);
    expect(rows.every((row) => row.meter === meter)).toBe(true);
    found.push(...rows.map(({ row }) => row));
  }
}

const stores: [name: string, runs: number, place: () => Promise<() => Promise<Result<Store>>>][] = [
  [
    'memory',
    80,
    async () => {
      const medium = new Medium();
      return () => medium.open();
    },
  ],
  [
    'LevelDB',
    25,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'ahead-'));
      folders.push(folder);
      return () => openLevelStore(folder);
    },
  ],
];
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe.each(stores)('what waits in %s', (_, numRuns, place) => {
  const open = (openStore: () => Promise<Result<Store>>) =>
    openMetered(openStore, { 'SP-1': FINE, 'SP-2': FINE });

  it('is given once and in order, whatever was done to it before, also after opening again', async () => {
    const limit = fc.integer({ min: 1, max: 300 });
    const deeds = fc.array(deed, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(told, deeds, limit, fc.boolean(), async (plan, before, most, reopens) => {
        const openStore = await place();
        let journal = await open(openStore);
        const truth = new Told(journal);
        await truth.tell(plan);
        for (const one of before) await truth.do(one);
        if (reopens) {
          await journal.flush();
          await journal.close();
          journal = await open(openStore);
          truth.claimed.clear();
        }
        for (const meter of METERS) {
          const waits = truth.of(meter);
          expect(await readOn(journal, meter, most)).toEqual(waits);
          // Also from any row on, however far was read before.
          const [after = 0, ...behind] = waits.slice(waits.length / 2);
          const found = rowsOf(await journal.backlog(meter, most, after));
          expect(found).toEqual(behind.slice(0, found.length));
          expect(found.length > 0).toBe(behind.length > 0);
        }
        expect((await journal.pending()).rows).toBe(truth.waiting.size);
        await journal.close();
      }),
      { numRuns },
    );
  });

  it('is given while more is settled, claimed and asked for: what waits all the while once, what was settled not at all', async () => {
    const limit = fc.integer({ min: 1, max: 100 });
    const deeds = fc.array(deed, { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(told, deeds, limit, async (plan, during, most) => {
        const journal = await open(await place());
        const truth = new Told(journal);
        await truth.tell(plan);
        const left = [...during];
        const meter = METERS[0];
        const all = new Set(truth.of(meter));
        const found: number[] = [];
        for (let after = 0; ; after = found.at(-1) as number) {
          const rows = await journal.backlog(meter, most, after, METERS[1]);
          if (rows.length === 0) break;
          expect(rows.filter(({ row }) => !truth.isFree(row))).toEqual([]);
          found.push(...rows.map(({ row }) => row));
          const next = left.shift();
          if (next) await truth.do(next);
          for (const row of all) if (!truth.isFree(row)) all.delete(row);
        }
        expect(new Set(found).size).toBe(found.length);
        expect(found).toEqual([...found].sort((a, b) => a - b));
        expect([...all].filter((row) => !found.includes(row))).toEqual([]);
        expect((await journal.pending()).rows).toBe(truth.waiting.size);
        await journal.close();
      }),
      { numRuns },
    );
  });

  it('is given in the order of the numbers where hours were told late, in a gap that was told before', async () => {
    const openStore = await place();
    let journal = await open(openStore);
    const truth = new Told(journal);
    const hours = { meter: 'SP-1', part: { kind: 'hours', count: 40 } } as const;
    const one = (kind: 'gap' | 'late') => ({ meter: 'SP-1', part: { kind, count: 1 } }) as const;
    await truth.tell([hours, one('gap'), hours, one('late'), hours]);
    await truth.do({ what: 'settle', which: { from: 41, count: 1, each: 1 } });
    expect(await readOn(journal, 'SP-1', 7)).toEqual(truth.of('SP-1'));
    await journal.flush();
    await journal.close();
    journal = await open(openStore);
    expect(await readOn(journal, 'SP-1', 7)).toEqual(truth.of('SP-1'));
    await journal.close();
  });

  it('a row that was settled after it was read ahead is not given, the first of an installation neither', async () => {
    const journal = await open(await place());
    const truth = new Told(journal);
    const hours = { meter: 'SP-1', part: { kind: 'hours', count: 3 } } as const;
    const ended = { meter: 'SP-1', part: { kind: 'installation', count: 1 } } as const;
    await truth.tell([hours, ended, hours]);
    expect(rowsOf(await journal.backlog('SP-1', 10))).toEqual([1, 2, 3]);
    await truth.do({ what: 'settle', which: { from: 4, count: 1, each: 1 } });
    await journal.flush();
    expect(rowsOf(await journal.backlog('SP-1', 10, 3))).toEqual([5, 6]);
    await journal.close();
  });

  it('what has begun to wait since a meter was expected is found by who begins there', async () => {
    const journal = await open(await place());
    const truth = new Told(journal);
    const hours = { part: { kind: 'hours', count: 3 } } as const;
    const plan = [
      { meter: 'SP-1', ...hours },
      { meter: 'SP-2', ...hours },
    ] as const;
    await truth.tell([...plan]);
    expect(rowsOf(await journal.backlog('SP-1', 10, 0, 'SP-2'))).toEqual([1, 2, 3]);
    await truth.do({ what: 'settle', which: { from: 4, count: 3, each: 1 } });
    await truth.tell([plan[1]]);
    expect(rowsOf(await journal.backlog('SP-2', 10))).toEqual([7, 8, 9]);
    await journal.close();
  });

  it('a damaged record that says that a row waits makes none wait of another meter', async () => {
    const openStore = await place();
    let journal = await open(openStore);
    const truth = new Told(journal);
    await truth.tell([{ meter: 'SP-1', part: { kind: 'hours', count: 80 } }]);
    const delivered = [...truth.rows.values()][60] as Row;
    journal.settle([delivered]);
    await journal.flush();
    await journal.close();
    const store = await openStore();
    if (!store.ok) throw new Error(store.fault.detail);
    const key = keys.pending('SP-2', delivered.row);
    await store.value.write([{ key, value: `2?????${keyOfRow(delivered)}` }]);
    await store.value.close();
    journal = await open(openStore);
    const found = await readOn(journal, 'SP-1', 20);
    expect(found).toHaveLength(79);
    expect(found).not.toContain(delivered.row);
    await journal.close();
  });
});
