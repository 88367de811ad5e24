// Gathers what the store and the mark prove of a meter whose state was lost, so that it can go on from there.

import type { Store } from '../boundaries.ts';
import { decodeIncrement, decodeRow, keys, within } from '../codec/journal-record.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import { newest } from '../domain/conservation.ts';
import type { GapEntry, HourEntry, Increment } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import type { DialPoint, Proved } from '../domain/resume.ts';
import { capacity, type Dial, HOUR_MS, hourOf, modulo } from '../domain/units.ts';
import type { MarkedMeter } from './mark.ts';

/** Hours looked through for one that tells the first dial, and increments looked back through: 400 days, and 45 days of minutes. */
const HOURS_MAX = 9_600;
const STEPS_MAX = 100_000;

/**
 * What is proved of the installation with these facts; undefined when it was never read. `thinned` is what is left of what
 * is not held any more: it was told all the same. Throws StoreLost.
 */
export async function prove(
  store: Store,
  facts: InstallationFacts,
  marked: MarkedMeter | undefined,
  thinned: Checkpoint,
): Promise<Proved | undefined> {
  const mark = marked?.facts.inst === facts.inst ? marked : undefined;
  const initial = initialOf(facts) ?? mark?.initial ?? (await initialIn(store, facts, thinned));
  if (!initial) return undefined;
  const hours = await hoursOf(store, facts, initial, thinned);
  const steps = await stepsOf(store, facts, thinned);
  const alarm = await lastAlarm(store, facts);
  const common = {
    inst: facts.inst,
    initial,
    taken: hours.taken,
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

/** The first reading by what was thinned of the increments, or by the first one, else by what any hour says of its dial and its total. */
async function initialIn(
  store: Store,
  { meter, inst, dial }: InstallationFacts,
  { seq, total, read, at }: Checkpoint,
): Promise<DialPoint | undefined> {
  if (seq > 0 && read !== null && at !== null) {
    return { at, read: modulo(read - total, capacity(dial)), total: 0 };
  }
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
  facts: InstallationFacts,
  initial: DialPoint,
  thinned: Checkpoint,
): Promise<{ told: DialPoint; start: number; rev: number; taken: readonly number[] }> {
  const { dial } = facts;
  const { hour, ...hours } = await lastTotal(store, facts);
  const base = thinned.start > 0 ? pointAfter(initial, thinned.use, thinned.start, dial) : initial;
  let told = (hour && endOf(hour)) ?? base;
  let { rev } = hours;
  const taken: number[] = [];
  for (const gap of await gapsOf(store, facts.meter, facts.inst)) {
    rev = Math.max(rev, gap.rev);
    if (gap.use !== null) taken.push(gap.from);
    // A gap is counted with the hour in which it ends (I4); where no hour states a total, after what was thinned.
    if ((hour && hourOf(gap.to) <= hour.start) || gap.use === null) continue;
    told = pointAfter(told, gap.use, gap.to, dial);
  }
  return { told, start: Math.max(hourOf(initial.at), thinned.start, hours.start), rev, taken };
}

/**
 * The newest hour that states a total, with the hour after the last one told and the highest revision since. However many
 * without a total lie between (a meter silent for a year, a clock that was years ahead): without it all water would be told again.
 */
async function lastTotal(
  store: Store,
  { meter, inst }: InstallationFacts,
): Promise<{ hour: HourEntry | undefined; start: number; rev: number }> {
  const from = keys.hoursFrom(meter, inst, 0);
  const to = keys.hoursFrom(meter, inst + 1, 0);
  let hour: HourEntry | undefined;
  let start = 0;
  let rev = 0;
  for await (const [key, text] of store.entries({ from, to, reverse: true })) {
    const other = decodeRow(key, text);
    if (other?.kind !== 'hour') continue;
    const isSame = other.start === hour?.start;
    if (!isSame && hour && endOf(hour)) break;
    rev = Math.max(rev, other.rev);
    start = Math.max(start, other.start + HOUR_MS);
    if (!isSame || other.rev > (hour?.rev ?? 0)) hour = other;
  }
  return { hour: hour && endOf(hour) ? hour : undefined, start, rev };
}

/** Where the dial stands when `counts` more have passed. */
function pointAfter({ read, total }: DialPoint, counts: number, at: number, dial: Dial): DialPoint {
  return { at, read: modulo(read + counts, capacity(dial)), total: total + counts };
}

function endOf({ at, read, total }: HourEntry): DialPoint | undefined {
  if (at === null || read === null || total === null) return undefined;
  return { at, read, total };
}

/** Newest revisions, in the order of their ends. */
async function gapsOf(store: Store, meter: string, inst: number): Promise<GapEntry[]> {
  const gaps: GapEntry[] = [];
  for await (const [key, text] of store.entries(within(keys.gaps(meter, inst)))) {
    const gap = decodeRow(key, text);
    if (gap?.kind === 'gap') gaps.push(gap);
  }
  return newest(gaps).sort((a, b) => a.to - b.to);
}

/** Increments that are held, oldest first and without a hole, where the first of them begins, and how many there must have been. */
interface Steps {
  readonly held: readonly Increment[];
  /** Null where those before them are neither held nor thinned: nobody knows what they sum to. */
  readonly begin: DialPoint | null;
  readonly isThinned: boolean;
  readonly count: number;
}

async function stepsOf(
  store: Store,
  { meter, inst, dial }: InstallationFacts,
  thinned: Checkpoint,
): Promise<Steps> {
  const from = keys.increment(meter, inst, 0);
  const to = keys.increment(meter, inst + 1, 0);
  const held: Increment[] = [];
  let count = thinned.seq;
  for await (const [key, text] of store.entries({ from, to, reverse: true, limit: STEPS_MAX })) {
    const step = decodeIncrement(key, text, dial);
    const after = held.at(-1);
    if (!step) break;
    count = Math.max(count, step.seq + 1);
    if (after && (step.seq + 1 !== after.seq || step.toRead !== after.fromRead)) break;
    held.push(step);
  }
  held.reverse();
  return { held, begin: beginOf(held, thinned), isThinned: thinned.seq > 0, count };
}

function beginOf(held: readonly Increment[], thinned: Checkpoint): DialPoint | null {
  const { seq, total, read, at } = thinned;
  const [first] = held;
  if (read === null || at === null) {
    return first?.seq === 0 ? { at: first.fromAt, read: first.fromRead, total: 0 } : null;
  }
  const goesOn = !first || (first.seq === seq && first.fromRead === read);
  return goesOn ? { at, read, total } : null;
}

/**
 * The newest reading: by the increments, or by the mark where it is newer. They are followed by what they sum to, not by their
 * stamps: a clock that was ahead for an hour stamped some that come before later than those that come after.
 */
function newestOf(
  told: DialPoint,
  steps: Steps,
  mark: MarkedMeter | undefined,
  { dial }: InstallationFacts,
): DialPoint {
  // Both say what the dial showed: where they do not agree the older one, which is told, stands.
  const agrees = ({ read, total }: DialPoint) =>
    modulo(told.read + total - told.total - read, capacity(dial)) === 0;
  const end = endOfSteps(steps, told);
  const last = end && agrees(end) ? end : afterTold(told, steps.held);
  const other = mark?.last;
  const isNewer = other && other.at > last.at && (mark?.steps ?? 0) >= steps.count;
  return isNewer && agrees(other) ? other : last;
}

/** Where increments end that pass `told`; undefined where they do not: then those that did are lost. */
function endOfSteps({ begin, held, isThinned }: Steps, told: DialPoint): DialPoint | undefined {
  if (!begin) return undefined;
  let last = begin;
  // What was thinned may have passed it; a dial that ran back since stands below it.
  let passes = begin.total === told.total;
  if (isThinned) passes = begin.total >= told.total || begin.at >= told.at;
  for (const { toAt, toRead, counts } of held) {
    last = { at: toAt, read: toRead, total: last.total + counts };
    passes ||= last.total === told.total;
  }
  return passes ? last : undefined;
}

/** The increments that go on from `told` without a break, by their stamps. */
function afterTold(told: DialPoint, held: readonly Increment[]): DialPoint {
  let last = told;
  const since = held.filter((step) => step.toAt > told.at);
  // The edge's instant was placed anew when the hour closed, by milliseconds: the increment that ends at it may be stamped later.
  if (since[0] && since[0].fromRead !== told.read && since[0].toRead === told.read) since.shift();
  for (const step of since) {
    if (step.fromRead !== last.read) break;
    last = { at: step.toAt, read: step.toRead, total: last.total + step.counts };
  }
  return last;
}

/** The highest number of an alarm of the installation that is still held; 0 for none. Throws StoreLost. */
export async function lastAlarm(store: Store, { meter, inst }: InstallationFacts): Promise<number> {
  const events = within(`e${keys.gaps(meter, inst).slice(1)}`);
  for await (const [key] of store.entries({ ...events, reverse: true, limit: 1 })) {
    const alarm = Number(key.split('/')[3]);
    return Number.isSafeInteger(alarm) ? alarm : 0;
  }
  return 0;
}
