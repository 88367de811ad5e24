// Plans what may be deleted of one installation, oldest first, and what its checkpoint says afterwards. Deletes nothing itself.

import type { Store } from '../boundaries.ts';
import { decodeIncrement, decodeRow, keyOfRow, keys, within } from '../codec/journal-record.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import { newest } from '../domain/conservation.ts';
import type { EntryRow, EventRow, GapEntry, Increment, Numbered } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { CLOCK_EPOCH_MS } from '../domain/moment.ts';
import { capacity, type EpochMs, HOUR_MS, hourOf, modulo } from '../domain/units.ts';

/** What may go, and what then stands in its place. */
interface ThinPlan {
  readonly keys: readonly string[];
  readonly rows: readonly (EntryRow | EventRow)[];
  readonly checkpoint: Checkpoint;
}

/** Increments that ended before `cut`, at most `limit`, in their order and without a hole. Throws StoreLost. */
export async function thinIncrements(
  store: Store,
  { meter, inst, dial }: InstallationFacts,
  before: Checkpoint,
  cut: EpochMs,
  limit: number,
): Promise<ThinPlan> {
  const from = keys.increment(meter, inst, before.seq);
  const to = keys.increment(meter, inst + 1, 0);
  const held: (readonly [key: string, step: Increment])[] = [];
  for await (const [key, text] of store.entries({ from, to, limit })) {
    const step = decodeIncrement(key, text, dial);
    // What is damaged waits for the scrub.
    if (!step) break;
    held.push([key, step]);
  }
  const gone: string[] = [];
  let { seq, total, read, at } = before;
  const ends = endsOf(held.map(([, step]) => step.toAt));
  for (const [i, [key, step]] of held.entries()) {
    // What is open or newer stays.
    if ((ends[i] ?? cut) >= cut) break;
    // Where increments are known to be lost, the dial tells what they were together.
    const lost = read === null ? 0 : modulo(step.fromRead - read, capacity(dial));
    total += lost + step.counts;
    ({ toRead: read, toAt: at } = step);
    seq = step.seq + 1;
    gone.push(key);
  }
  return { keys: gone, rows: [], checkpoint: { ...before, seq, total, read, at } };
}

/**
 * When steps in their order ended, as far as the stamps prove it: none ended after one that came later, and one that a
 * clock stamped which had lost the time is as old as the next that bears a time.
 */
function endsOf(stamps: readonly EpochMs[]): EpochMs[] {
  let later = Number.POSITIVE_INFINITY;
  const ends = stamps.map((at) => at);
  for (let i = ends.length - 1; i >= 0; i -= 1) {
    const at = stamps[i] ?? later;
    if (at >= CLOCK_EPOCH_MS) later = Math.min(later, at);
    ends[i] = later;
  }
  return ends;
}

/**
 * Hours that begin before `cut`, at most `limit` of them, and the gaps that end in them, up to the first that `mayGo`
 * does not let go. All revisions of an hour or gap go together. Gaps that begin at an instant of `growing` stay: they are told again,
 * with all that passed since their beginning, and what went would count twice. Throws StoreLost.
 */
export async function thinHours(
  store: Store,
  facts: InstallationFacts,
  before: Checkpoint,
  cut: EpochMs,
  limit: number,
  mayGo: (row: EntryRow) => Promise<boolean>,
  growing: ReadonlySet<EpochMs>,
): Promise<ThinPlan> {
  const { meter, inst } = facts;
  const found = await hoursBefore(store, meter, inst, before.start, cut, limit);
  let start = found.start;
  for (const row of found.rows) {
    if (row.start >= start || (await mayGo(row))) continue;
    start = row.start;
    break;
  }
  const gaps = (await gapsOf(store, meter, inst)).filter(({ from }) => !growing.has(from));
  for (const row of gaps) {
    const edge = edgeOf(row, gaps);
    if (edge < start && !(await mayGo(row))) start = edge;
  }
  const hours = found.rows.filter((row) => row.start < start);
  const over = gaps.filter((row) => edgeOf(row, gaps) < start);
  const [told, passed] = [newest(hours), newest(over)];
  const use = [...told, ...passed].reduce((sum, entry) => sum + (entry.use ?? 0), before.use);
  const rows = [...hours, ...over];
  return {
    keys: rows.map(keyOfRow),
    rows,
    checkpoint: {
      ...before,
      start: Math.max(before.start, start),
      hours: before.hours + told.length,
      gaps: before.gaps + passed.filter((gap) => gap.use !== null).length,
      use,
    },
  };
}

/** When the oldest increment held ended. Throws StoreLost. */
export async function firstIncrement(
  store: Store,
  { meter, inst, dial }: InstallationFacts,
  { seq }: Checkpoint,
): Promise<EpochMs | undefined> {
  const range = { from: keys.increment(meter, inst, seq), to: keys.increment(meter, inst + 1, 0) };
  for await (const [key, text] of store.entries({ ...range, limit: 1 })) {
    return decodeIncrement(key, text, dial)?.toAt;
  }
  return undefined;
}

/** The beginning of the oldest hour held. Throws StoreLost. */
export async function firstHour(
  store: Store,
  { meter, inst }: InstallationFacts,
  { start }: Checkpoint,
): Promise<EpochMs | undefined> {
  const range = {
    from: keys.hoursFrom(meter, inst, start),
    to: keys.hoursFrom(meter, inst + 1, 0),
  };
  for await (const [key] of store.entries({ ...range, limit: 1 })) return startIn(key);
  return undefined;
}

/** Hours in order up to where `limit` lets them be taken whole, and the beginning of the first that is not taken. */
async function hoursBefore(
  store: Store,
  meter: string,
  inst: number,
  from: EpochMs,
  cut: EpochMs,
  limit: number,
): Promise<{ rows: Extract<EntryRow, { kind: 'hour' }>[]; start: EpochMs }> {
  const range = { from: keys.hoursFrom(meter, inst, from), to: keys.hoursFrom(meter, inst, cut) };
  const rows: Extract<EntryRow, { kind: 'hour' }>[] = [];
  let last = from;
  for await (const [key, text] of store.entries(range)) {
    const row = decodeRow(key, text);
    if (row?.kind !== 'hour') return { rows, start: startIn(key) };
    if (rows.length >= limit && row.start > last) return { rows, start: row.start };
    rows.push(row);
    last = row.start;
  }
  // Beyond the last hour there may be gaps alone.
  const isEmpty = rows.length === 0;
  return { rows, start: isEmpty ? cut : Math.min(cut, last + HOUR_MS) };
}

/** A damaged hour goes no further; its key still says which it is. */
const startIn = (key: string) => Number(key.split('/')[3] ?? 0);

type GapRow = GapEntry & Numbered;

async function gapsOf(store: Store, meter: string, inst: number): Promise<GapRow[]> {
  const gaps: GapRow[] = [];
  for await (const [key, text] of store.entries(within(keys.gaps(meter, inst)))) {
    const row = decodeRow(key, text);
    if (row?.kind === 'gap') gaps.push(row);
  }
  return gaps;
}

/** The hour in which the newest revision of a gap ends. */
function edgeOf(gap: GapRow, gaps: readonly GapRow[]): EpochMs {
  const rev = gaps
    .filter(({ from }) => from === gap.from)
    .reduce((a, b) => (b.rev > a.rev ? b : a));
  return hourOf(rev.to);
}

/** Event messages and notices of a meter from before `cut`, at most `limit`, that `mayGo`. Throws StoreLost. */
export async function thinEvents(
  store: Store,
  meter: string,
  cut: EpochMs,
  limit: number,
  mayGo: (row: EventRow) => Promise<boolean>,
): Promise<{ readonly keys: readonly string[]; readonly rows: readonly EventRow[] }> {
  const gone: string[] = [];
  const rows: EventRow[] = [];
  const timeless: EventRow[] = [];
  const drop = async (row: EventRow) => {
    if (rows.length >= limit || !(await mayGo(row))) return;
    gone.push(keyOfRow(row));
    rows.push(row);
  };
  for await (const [key, text] of store.entries(within(`e/${meter}/`))) {
    if (rows.length >= limit) break;
    const row = decodeRow(key, text);
    if (row?.kind !== 'event' || row.at >= cut) continue;
    if (row.at < CLOCK_EPOCH_MS) timeless.push(row);
    else await drop(row);
  }
  // What a clock stamped that had lost the time is as old as what came after it.
  const newest = rows.reduce((most, { row }) => Math.max(most, row), 0);
  for (const row of timeless) if (row.row < newest) await drop(row);
  const notices = { from: `n/${meter}/`, to: keys.notice(meter, cut, 0), limit };
  if (meter !== '') for await (const [key] of store.entries(notices)) gone.push(key);
  return { keys: gone, rows };
}
