// Fills a journal with what a street of meters leaves in so many days, quickly: the records themselves, not the readings.

import { Random } from '../../simulator/random.ts';
import type { Store, StoreChange } from '../../src/boundaries.ts';
import {
  encodeCircumstances,
  encodeEntryKey,
  encodeIncrement,
  encodeRow,
  encodeState,
  keyOfRow,
  keys,
  seal,
} from '../../src/codec/journal-record.ts';
import type { EntryRow, Increment } from '../../src/domain/entry.ts';
import type { Result } from '../../src/domain/fault.ts';
import type { Installation } from '../../src/domain/installation.ts';
import { openJournal } from '../../src/journal/journal.ts';

export const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;
export const FINE = { digits: 8, unit: 'ft3', pow10: -1 } as const;

export const RULES = {
  ...{ dial: FINE, maxFlowPerH: 2_406, jitter: 1, toleranceMs: 15_000 },
  ...{ pollMs: MINUTE, stuckMs: 10 * DAY },
};

export const meterName = (i: number) => `SP-${String(i + 1).padStart(5, '0')}`;

/** The share of minutes of each hour of the day in which a home draws water: some 280 of the day's 1,440. */
const DRAWING = [0.05, 0.4, 0.15, 0.35, 0.1].flatMap((share, i) =>
  Array.from({ length: [6, 3, 8, 5, 2][i] ?? 0 }, () => share),
);

export interface Meter {
  readonly meter: string;
  steps: number;
  total: number;
  at: number;
  since: number;
}

/**
 * Writes `days` days up to `end` into the empty store: increments at one-minute polls, hours and their rows, all delivered,
 * and the state in which the next reading finds each meter. Returns the number of increments.
 */
export async function fillStore(
  openStore: () => Promise<Result<Store>>,
  options: { meters: number; days: number; end: number },
): Promise<number> {
  const names = Array.from({ length: options.meters }, (_, i) => meterName(i));
  const begin = options.end - options.days * DAY;
  const opened = await openJournal({ collector: 'COL-1', openStore, newEpoch: () => 'BENCH' });
  if (!opened.ok) throw new Error(opened.fault.detail);
  for (const meter of names) opened.value.declare(meter, { dial: FINE, registerId: null }, RULES);
  await opened.value.close();
  const store = await openStore();
  if (!store.ok) throw new Error(store.fault.detail);
  const random = new Random('old-store');
  const meters = names.map(
    (meter): Meter => ({ meter, steps: 0, total: 0, at: begin, since: begin }),
  );
  let row = 1;
  let count = 0;
  for (let hour = begin; hour < options.end; hour += HOUR) {
    const changes: StoreChange[] = [];
    for (const one of meters) {
      const before = one.total;
      for (const step of incrementsOf(one, hour, random)) {
        count += 1;
        const key = keys.increment(one.meter, 1, step.seq);
        changes.push({ key, value: encodeIncrement(one.meter, step) });
      }
      changes.push(...recordsOf(hourOf(one, hour, before, row)));
      row += 1;
    }
    const written = await store.value.write(changes);
    if (!written.ok) throw new Error(written.fault.detail);
  }
  const last = meters.flatMap((one) => stateRecords(one, begin, options.end));
  const written = await store.value.write([
    ...last,
    { key: keys.nextRow, value: seal(keys.nextRow, row) },
  ]);
  if (!written.ok) throw new Error(written.fault.detail);
  await store.value.close();
  return count;
}

function* incrementsOf(one: Meter, hour: number, random: Random): Generator<Increment> {
  const share = DRAWING[(hour / HOUR) % 24] ?? 0;
  for (let at = hour; at < hour + HOUR; at += MINUTE) {
    const stamp = at + 250 + Math.floor(random.next() * 700);
    const isFirst = one.steps === 0;
    if (isFirst || random.next() < share) {
      const counts = isFirst ? 0 : 1 + Math.floor(random.next() * 12);
      const fromRead = one.total;
      one.total += counts;
      yield {
        ...{ inst: 1, seq: one.steps, fromAt: isFirst ? stamp : one.at, fromRead, toAt: stamp },
        ...{ toRead: one.total, counts, kind: isFirst ? 'first' : 'forward' },
      };
      one.steps += 1;
      one.since = stamp;
    }
    one.at = stamp;
  }
}

export function hourOf(
  { meter, total, at }: Meter,
  start: number,
  before: number,
  row: number,
): EntryRow {
  const use = total - before;
  const counted = { read: total, at, total, use, q: 'A', n: 60 } as const;
  return { kind: 'hour', meter, row, inst: 1, start, ...counted, flags: [], rev: 0 };
}

export function recordsOf(row: EntryRow): StoreChange[] {
  const key = keyOfRow(row);
  const number = keys.row(row.row);
  return [
    { key, value: encodeRow(row) },
    { key: number, value: encodeEntryKey(number, key) },
  ];
}

export function stateRecords(
  { meter, steps, total, at, since }: Meter,
  begin: number,
  end: number,
) {
  const edge = { seq: steps, at, read: total, total };
  const clock = { boot: 'before', at, mono: at - begin, heldSince: null, waitedOut: false };
  const nothing = { unconfirmed: null, suspect: null, reversedAt: null, stranger: null };
  const state: Installation = {
    ...{ inst: 1, birth: [], initial: { seq: 0, at: begin, read: 0, total: 0 }, ...nothing },
    last: { ...edge, clock },
    ...{ steps, rocked: 0, silences: 0, unreadables: 0, turns: 0, turnedAt: null },
    moved: { at: since, longestIdleMs: HOUR },
    alarms: { next: 1, standing: {} },
    clock,
    hours: {
      ...{ start: end, last: edge, from: edge, whole: true, first: false, n: 1, flags: [] },
      ...{ person: false, maintained: false, gap: null, ended: null, until: 0, rev: 0 },
    },
    ...{ held: [], disabled: false, maintenance: false },
  };
  const facts = { meter, inst: 1, dial: FINE, registerId: null, bodySerial: null };
  const declared = { dial: FINE, registerId: null };
  const born = { ...facts, declared, installed: begin, initialRead: 0 };
  const named = keys.facts(meter, 1);
  return [
    { key: named, value: seal(named, born) },
    { key: keys.state(meter), value: encodeState(meter, state) },
    { key: keys.circumstances(meter), value: encodeCircumstances(meter, state) ?? '' },
  ];
}
