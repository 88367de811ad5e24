// Gathers what the store and the mark prove of a meter whose state was lost, so that it can go on from there.

import type { Store } from '../boundaries.ts';
import { decodeIncrement, decodeRow, keys, within } from '../codec/journal-record.ts';
import type { GapEntry, HourEntry, Increment } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import type { DialPoint, Proved } from '../domain/resume.ts';
import { capacity, HOUR_MS, hourOf, modulo } from '../domain/units.ts';
import type { MarkedMeter } from './mark.ts';

/** Hours looked back through for one that states a total, and increments since then: 400 days, and a day of minutes. */
const HOURS_MAX = 9_600;
const STEPS_MAX = 100_000;

/** What is proved of the installation with these facts; undefined when it was never read. Throws StoreLost. */
export async function prove(
  store: Store,
  facts: InstallationFacts,
  marked: MarkedMeter | undefined,
): Promise<Proved | undefined> {
  const mark = marked?.facts.inst === facts.inst ? marked : undefined;
  const initial = initialOf(facts) ?? mark?.initial ?? (await initialIn(store, facts));
  if (!initial) return undefined;
  const hours = await hoursOf(store, facts, initial);
  const steps = await stepsOf(store, facts);
  const alarm = await lastAlarm(store, facts);
  const common = {
    inst: facts.inst,
    initial,
    rev: Math.max(hours.rev, mark?.rev ?? 0),
    nextAlarm: Math.max(alarm + 1, mark?.nextAlarm ?? 1),
  };
  // What the mark had told and delivered stays told; what was not delivered is told again, as a gap (see resume.ts).
  const isDelivered = mark && mark.pending === 0 && mark.told && mark.hour !== null;
  const isShort = mark && (mark.hour ?? 0) > hours.start;
  const { told, start } =
    isShort && isDelivered && mark.told && mark.hour !== null
      ? { told: mark.told, start: mark.hour }
      : hours;
  const last = newestOf(told, steps, mark, facts);
  return { ...common, told, start, last, steps: Math.max(steps.count, mark?.steps ?? 0) };
}

function initialOf({ installed, initialRead }: InstallationFacts): DialPoint | undefined {
  if (installed === null || initialRead === null) return undefined;
  return { at: installed, read: initialRead, total: 0 };
}

/** The first reading by the first increment, else by what any hour says of its dial and its total. */
async function initialIn(
  store: Store,
  { meter, inst, dial }: InstallationFacts,
): Promise<DialPoint | undefined> {
  const steps = { from: keys.increment(meter, inst, 0), to: keys.increment(meter, inst, 1) };
  for await (const [key, text] of store.entries(steps)) {
    const step = decodeIncrement(key, text, dial);
    if (step) return { at: step.fromAt, read: step.fromRead, total: 0 };
  }
  const hours = { from: keys.hoursFrom(meter, inst, 0), to: keys.hoursFrom(meter, inst + 1, 0) };
  for await (const [key, text] of store.entries({ ...hours, limit: HOURS_MAX })) {
    const hour = decodeRow(key, text);
    const end = hour?.kind === 'hour' ? endOf(hour) : undefined;
    if (end && hour?.kind === 'hour') {
      return { at: hour.start, read: modulo(end.read - end.total, capacity(dial)), total: 0 };
    }
  }
  return undefined;
}

/** Where the newest hour or gap ends, the hour to tell next, and the highest revision. */
async function hoursOf(
  store: Store,
  { meter, inst, dial }: InstallationFacts,
  initial: DialPoint,
): Promise<{ told: DialPoint; start: number; rev: number }> {
  const from = keys.hoursFrom(meter, inst, 0);
  const to = keys.hoursFrom(meter, inst + 1, 0);
  let told = initial;
  let start = hourOf(initial.at);
  let rev = 0;
  const seen = new Set<number>();
  for await (const [key, text] of store.entries({ from, to, reverse: true, limit: HOURS_MAX })) {
    const hour = decodeRow(key, text);
    if (hour?.kind !== 'hour') continue;
    rev = Math.max(rev, hour.rev);
    if (seen.has(hour.start)) continue; // An older revision.
    seen.add(hour.start);
    start = Math.max(start, hour.start + HOUR_MS);
    const point = endOf(hour);
    if (!point) continue;
    told = point;
    break;
  }
  for (const gap of await gapsOf(store, meter, inst)) {
    rev = Math.max(rev, gap.rev);
    if (gap.to <= told.at || gap.use === null) continue;
    const read = modulo(told.read + gap.use, capacity(dial));
    told = { at: gap.to, read, total: told.total + gap.use };
  }
  return { told, start, rev };
}

function endOf({ at, read, total }: HourEntry): DialPoint | undefined {
  if (at === null || read === null || total === null) return undefined;
  return { at, read, total };
}

/** Newest revisions, in the order of their ends. */
async function gapsOf(store: Store, meter: string, inst: number): Promise<GapEntry[]> {
  const gaps = new Map<number, GapEntry>();
  for await (const [key, text] of store.entries(within(keys.gaps(meter, inst)))) {
    const gap = decodeRow(key, text);
    if (gap?.kind === 'gap') gaps.set(gap.from, gap);
  }
  return [...gaps.values()].sort((a, b) => a.to - b.to);
}

/** Increments of the installation from the last one back, and how many there must have been. */
async function stepsOf(
  store: Store,
  { meter, inst, dial }: InstallationFacts,
): Promise<{ newest: readonly Increment[]; count: number }> {
  const from = keys.increment(meter, inst, 0);
  const to = keys.increment(meter, inst + 1, 0);
  const newest: Increment[] = [];
  let count = 0;
  for await (const [key, text] of store.entries({ from, to, reverse: true, limit: STEPS_MAX })) {
    const step = decodeIncrement(key, text, dial);
    if (!step) break;
    count = Math.max(count, step.seq + 1);
    newest.push(step);
  }
  return { newest, count };
}

/** The newest reading: by the increments that go on from `told` without a break, or by the mark where it is newer. */
function newestOf(
  told: DialPoint,
  steps: { readonly newest: readonly Increment[]; readonly count: number },
  mark: MarkedMeter | undefined,
  { dial }: InstallationFacts,
): DialPoint {
  let last = told;
  const since = steps.newest.filter((step) => step.toAt > told.at).reverse();
  // The edge's instant was placed anew when the hour closed, by milliseconds: the increment that ends at it may be stamped later.
  if (since[0] && since[0].fromRead !== told.read && since[0].toRead === told.read) since.shift();
  for (const step of since) {
    if (step.fromRead !== last.read) break;
    last = { at: step.toAt, read: step.toRead, total: last.total + step.counts };
  }
  const other = mark?.last;
  const isNewer = other && other.at > last.at && (mark?.steps ?? 0) >= steps.count;
  if (!isNewer) return last;
  // Both say what the dial showed: where they do not agree the older one, which is told, stands.
  return modulo(told.read + other.total - told.total - other.read, capacity(dial)) === 0
    ? other
    : last;
}

async function lastAlarm(store: Store, { meter, inst }: InstallationFacts): Promise<number> {
  const events = within(`e${keys.gaps(meter, inst).slice(1)}`);
  for await (const [key] of store.entries({ ...events, reverse: true, limit: 1 })) {
    const alarm = Number(key.split('/')[3]);
    return Number.isSafeInteger(alarm) ? alarm : 0;
  }
  return 0;
}
