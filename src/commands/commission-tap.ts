// The tap test: this meter and its neighbours are read before the tap is opened and after it is closed.

import type { Journal } from '../boundaries.ts';
import { type Session, type StepResult, stepOf } from '../domain/commission.ts';
import {
  judgeTap,
  type SeenMovement,
  type TapOutcome,
  type TapReading,
  usualRate,
} from '../domain/tap-test.ts';
import { type EpochMs, HOUR_MS, VOLUME_UNITS, type VolumeUnit } from '../domain/units.ts';
import type { Args } from './answer.ts';
import {
  done,
  failed,
  failedBy,
  readPatiently,
  type StepOutcome,
  type StepParts,
} from './commission-step.ts';

/** So many neighbours are read anew, those of the same bus first; of the others the last poll must do. */
const NEIGHBOURS_MAX = 60;
const WITHIN_S = 20;
/** What a meter does otherwise is looked for in so much of its past. */
const PAST_MS = 7 * 24 * HOUR_MS;

interface Mark {
  readonly read: number;
  readonly at: EpochMs;
}
type Marks = Readonly<Record<string, Mark>>;

/** Reads everybody; the test is open from then on. */
export async function beginTap(session: Session, parts: StepParts): Promise<StepOutcome> {
  const marks = await marksOf(session, parts);
  if ('state' in marks) return marks;
  const { own, others } = marks;
  const result = { phase: 'open', own, others_read: Object.keys(others).length, before: others };
  return { state: 'running', result };
}

/** Reads everybody again and judges. Repeatable: a test that failed begins anew. */
export async function endTap(session: Session, args: Args, parts: StepParts): Promise<StepOutcome> {
  const { result } = stepOf(session, 'tap');
  const before = beganWith(result);
  const meter = session.meter ?? '';
  const dial = parts.journal.facts(meter)?.dial;
  if (before === null || !dial) return failed('not_begun');
  const drawn = drawnIn(args['drawn']);
  if (drawn === undefined) return failed('bad_request', { message: 'drawn is {amount, unit}.' });
  const now = await marksOf(session, parts);
  // Begun all the same: it can be ended again.
  if ('state' in now) return { ...now, result: { ...result, ...now.result } };
  const now_ = parts.clock.now();
  const readings: TapReading[] = [];
  for (const [other, after] of Object.entries(now.others)) {
    const was = before.others[other];
    const digits = parts.journal.facts(other)?.dial.digits;
    if (!was || digits === undefined || after.read === was.read) continue;
    const usualPerH = await usualOf(parts.journal, other, was.at, now_);
    readings.push({ meter: other, digits, before: was, after, usualPerH });
  }
  const own = { meter, digits: dial.digits, before: before.own, after: now.own, usualPerH: 0 };
  const outcome = judgeTap(own, readings, dial, drawn);
  const told = outcomeTold(outcome, before.own, now.own);
  if (outcome.drawn?.agrees === false) return failed('volume_differs', told);
  const isGood = outcome.verdict === 'rose' || outcome.verdict === 'below_resolution';
  return isGood ? done(told) : failed(outcome.verdict, told);
}

function outcomeTold(outcome: TapOutcome, before: Mark, after: Mark): StepResult {
  const { verdict, counts, elapsedMs, others, suspects, drawn } = outcome;
  return {
    ...{ verdict, rose: verdict === 'rose', counts, elapsed_s: Math.round(elapsedMs / 1000) },
    ...{ others, suspects, drawn, from_read: before.read, read: after.read },
    places: { counts, meters: suspects.join(', ') },
  };
}

function beganWith(result: StepResult | null): { own: Mark; others: Marks } | null {
  const [own, others] = [result?.['own'], result?.['before']];
  return own && others ? { own: own as Mark, others: others as Marks } : null;
}

/** Undefined for what is none. */
function drawnIn(said: unknown): { amount: number; unit: VolumeUnit } | null | undefined {
  if (said === undefined || said === null) return null;
  const { amount, unit } = said as { amount?: unknown; unit?: unknown };
  const known = VOLUME_UNITS.find((one) => one === unit);
  return known && typeof amount === 'number' && amount > 0 ? { amount, unit: known } : undefined;
}

/** Where this meter and its neighbours stand now, or why this one cannot be read. */
async function marksOf(
  { meter: mine, bus }: Session,
  parts: StepParts,
): Promise<{ own: Mark; others: Marks } | StepOutcome> {
  const { journal, run, clock } = parts;
  const meter = mine ?? '';
  const neighbours = await neighboursOf(meter, bus, parts);
  const asked = neighbours.map(async (one) => {
    const answer = await run('read', { meter: one, within_s: WITHIN_S });
    // As its encoder says it now, whether or not that is believed yet.
    const read = answer.ok ? Number((answer.data as { dial: string }).dial) : null;
    return [one, read === null ? null : { read, at: clock.now() }] as const;
  });
  const own = await readPatiently(meter, parts);
  const seen = new Map(await Promise.all(asked));
  if ('ok' in own) return failedBy(own);
  const others: Record<string, Mark> = {};
  for (const other of journal.meters()) {
    const last = seen.get(other) ?? journal.installation(other)?.last;
    if (other !== meter && last) others[other] = { read: last.read, at: last.at };
  }
  return { own: { read: Number(own.read.dial), at: clock.now() }, others };
}

async function neighboursOf(
  meter: string,
  bus: string | null,
  { run }: StepParts,
): Promise<string[]> {
  const answer = await run('bus.stats', {});
  if (!answer.ok) return [];
  const { buses } = answer.data as {
    buses: readonly { bus: string; addresses?: object; meters: readonly { meter: string }[] }[];
  };
  const sorted = [...buses].sort((a, b) => Number(b.bus === bus) - Number(a.bus === bus));
  const names = sorted.flatMap(({ meters }) => meters.map((one) => one.meter));
  return names.filter((one) => one !== meter).slice(0, NEIGHBOURS_MAX);
}

/** What the meter did before the test began. */
async function usualOf(journal: Journal, meter: string, began: EpochMs, now: EpochMs) {
  const seen: SeenMovement[] = [];
  const since = began - PAST_MS;
  let first = now;
  const inst = journal.facts(meter)?.inst ?? 1;
  for await (const step of journal.incrementsFrom(meter, inst, 0)) {
    first = Math.min(first, step.fromAt);
    if (step.toAt >= since && step.toAt <= began && step.seq > 0) seen.push(step);
  }
  return usualRate(seen, Math.max(since, first), began);
}
