// Names what is lost: which rows, hours and increments of which meter, as far as anything still tells.

import type { Store } from '../boundaries.ts';
import { decodeEntryKey, decodeRow, keys } from '../codec/journal-record.ts';
import type { Evidence } from '../domain/alarms.ts';
import { newest } from '../domain/conservation.ts';
import type { EntryRow, Row } from '../domain/entry.ts';
import type { EpochMs } from '../domain/units.ts';
import type { Telling } from './opening.ts';
import { countOf, type Range, rangesOf, textOf } from './ranges.ts';
import { textAt } from './records.ts';
import type { Findings } from './scrub.ts';

/** What is lost of one installation, or of one that nobody can name. */
interface Loss {
  rows: number[];
  hours: EpochMs[];
  increments: readonly Range[];
}

/** Rows that are looked up one by one; beyond them only their numbers are told. */
const NAMED_MAX = 10_000;
/** Characters of one list in an event. */
const TEXT_MAX = 1_000;

/** The losses among `findings` as events, each with its ranges. Throws StoreLost. */
export async function tellLosses(store: Store, findings: Findings): Promise<Telling[]> {
  const losses = new Map<string, Loss>();
  const of = (inst: string) => {
    const loss = losses.get(inst) ?? { rows: [], hours: [], increments: [] };
    losses.set(inst, loss);
    return loss;
  };
  for (const [inst, ranges] of Object.entries(findings.increments)) of(inst).increments = ranges;
  let named = 0;
  const nameless: number[] = [];
  for (const range of findings.rows) {
    for (let row = range[0]; row <= range[1]; row += 1) {
      named += 1;
      const entryKey = named <= NAMED_MAX ? await entryKeyOf(store, row) : undefined;
      const [kind, meter, inst, start] = entryKey?.split('/') ?? [];
      if (kind === undefined) {
        nameless.push(row);
        continue;
      }
      const loss = of(`${meter}/${Number(inst)}`);
      loss.rows.push(row);
      if (kind === 'h') loss.hours.push(Number(start));
    }
  }
  const tellings = [...losses].map(([inst, loss]) => ofInstallation(inst, loss));
  if (nameless.length > 0) {
    tellings.push(await ofNobody(store, rangesOf(nameless), findings));
  }
  return tellings;
}

/** Undelivered rows that had to go: for their age, or because there was no room for them (A3). */
export function lossOf(rows: readonly Row[], why: 'age' | 'room'): Evidence {
  const ranges = rangesOf(rows.map(({ row }) => row).sort((a, b) => a - b));
  const times = rows.map(timeOf);
  const kept = newest(rows.filter((row): row is EntryRow => row.kind !== 'event'));
  const [first] = rows;
  return {
    ...(first && first.meter !== '' ? { meter: first.meter, inst: first.inst } : {}),
    why,
    rows: textOf(ranges),
    row_count: countOf(ranges),
    hours_from: isoOf(times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
    hours_to: isoOf(times.reduce((a, b) => Math.max(a, b), 0)),
    counts: kept.reduce((sum, { use }) => sum + (use ?? 0), 0),
  };
}

function ofInstallation(inst: string, { rows, hours, increments }: Loss): Telling {
  const [meter = '', number] = inst.split('/');
  const ranges = rangesOf(rows);
  hours.sort((a, b) => a - b);
  const data = {
    ...(meter === '' ? {} : { meter, inst: Number(number) }),
    rows: textOf(ranges),
    row_count: countOf(ranges),
    hours_from: isoOf(hours[0]),
    hours_to: isoOf(hours.at(-1)),
    increments: textOf(increments),
    increment_count: countOf(increments),
  };
  return { code: 'journal.loss', severity: 'major', data };
}

/** Of rows that nothing names any more, the rows beside them tell when they were written, and holes among hours whose they may be. */
async function ofNobody(
  store: Store,
  ranges: readonly Range[],
  { hours }: Findings,
): Promise<Telling> {
  const before = await rowAt(store, (ranges[0]?.[0] ?? 1) - 1);
  const after = await rowAt(store, (ranges.at(-1)?.[1] ?? 0) + 1);
  const holes = Object.entries(hours).map(
    ([inst, spans]) =>
      `${inst} ${spans.map(([from, to]) => `${isoOf(from)}..${isoOf(to)}`).join(',')}`,
  );
  const data = {
    rows: textOf(ranges),
    row_count: countOf(ranges),
    after: isoOf(before && timeOf(before)),
    before: isoOf(after && timeOf(after)),
    hours_missing: holes.join('; ').slice(0, TEXT_MAX),
  };
  return { code: 'journal.loss', severity: 'major', data };
}

async function rowAt(store: Store, row: number): Promise<Row | undefined> {
  const key = row < 1 ? undefined : await entryKeyOf(store, row);
  return key === undefined ? undefined : decodeRow(key, (await textAt(store, key)) ?? '');
}

async function entryKeyOf(store: Store, row: number): Promise<string | undefined> {
  const key = keys.row(row);
  return decodeEntryKey(key, (await textAt(store, key)) ?? '');
}

function timeOf(row: Row): EpochMs {
  if (row.kind === 'event') return row.at;
  return row.kind === 'hour' ? row.start : row.from;
}

const isoOf = (at: EpochMs | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();
