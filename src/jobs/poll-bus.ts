// One loop per bus: whose turn it is, one conversation at a time, hours closed in time whatever the bus does.

import type { Fault } from '../domain/fault.ts';
import { nextPoll } from '../domain/schedule.ts';
import { type EpochMs, HOUR_MS, hourOf } from '../domain/units.ts';
import { type MeteredPlace, type PollParts, passTime, pollMeter } from '../pipeline.ts';

/** What status tells of a meter's polling. */
export interface PollRecord {
  readonly fault: (Fault & { readonly since: EpochMs }) | null;
}

export interface PollPlan extends PollParts {
  readonly places: readonly MeteredPlace[];
  /** How long a silent meter may hold the bus, in milliseconds of the wire. */
  readonly timeoutMs: number;
}

/** A long sleep is cut so that a wall clock that steps is noticed. */
const SLEEP_MAX_MS = 5 * 60_000;

/** A changed reading without a check sum is read again at once, so often; then the next poll tells. */
const SECOND_READS_MAX = 3;

/** A meter whose hours cannot close yet (a doubtful clock) is looked at again after this. */
const CLOSING_RETRY_MS = 30_000;

/** A bus asks a silent meter once more where that helps (see Bus.read), so it is held for two time-outs. */
const ASKS_MAX = 2;

interface Turn {
  readonly place: MeteredPlace;
  due: EpochMs;
  failures: number;
  fault: PollRecord['fault'];
  /** The hour's edge that was already asked for a second time. */
  retried: EpochMs;
  closingTried: EpochMs;
  /** Readings made in a row to confirm one. */
  seconds: number;
}

/** Polls the meters of one bus until `signal` aborts; `records` is kept up to date for status. */
export async function pollBus(
  plan: PollPlan,
  records: Map<string, PollRecord>,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = plan;
  const turns = plan.places.map((place) => newTurn(place, clock.now()));
  while (!signal.aborted) {
    forgetFuture(turns, clock.now());
    await closeHours(turns, plan);
    const now = clock.now();
    skipDisabled(turns, now, plan);
    const turn = nextTurn(turns, now, ASKS_MAX * plan.timeoutMs * clock.speed);
    if (turn) {
      await poll(turn, plan, signal);
      records.set(turn.place.target.meter, { fault: turn.fault });
      continue;
    }
    await clock.sleep(Math.max(1, wakeAt(turns, plan) - now), signal);
  }
}

function newTurn(place: MeteredPlace, now: EpochMs): Turn {
  return { place, due: now, failures: 0, fault: null, retried: 0, closingTried: 0, seconds: 0 };
}

/** After the wall clock went back nothing waits for an instant that it had reached before. */
function forgetFuture(turns: readonly Turn[], now: EpochMs): void {
  for (const turn of turns) {
    turn.due = Math.min(turn.due, nextPoll(now, turn.place.rules.pollMs));
    turn.closingTried = Math.min(turn.closingTried, now);
  }
}

/**
 * The meter to ask now: those that answer before those that do not, then the one longest due. A meter that was silent
 * is not asked when its time-out could reach into the next hour's edge, where the others are read.
 */
function nextTurn(turns: readonly Turn[], now: EpochMs, silentMs: number): Turn | undefined {
  const edge = hourOf(now) + HOUR_MS;
  return turns
    .filter((turn) => turn.due <= now)
    .filter((turn) => turn.failures === 0 || turns.length === 1 || now + silentMs < edge)
    .sort((a, b) => Math.min(a.failures, 1) - Math.min(b.failures, 1) || a.due - b.due)[0];
}

async function poll(turn: Turn, plan: PollPlan, signal: AbortSignal): Promise<void> {
  const { rules } = turn.place;
  const asked = plan.clock.now();
  const outcome = await pollMeter(turn.place, plan, signal);
  const now = plan.clock.now();
  turn.due = nextPoll(Math.max(asked, turn.due), rules.pollMs);
  if (outcome.ok) {
    if (turn.fault) plan.log.info({ meter: turn.place.target.meter }, 'the meter answers again');
    turn.failures = 0;
    turn.fault = null;
    readSecond(turn, asked, plan);
    return;
  }
  if (signal.aborted) return;
  turn.failures += 1;
  turn.seconds = 0;
  turn.fault = { ...outcome.fault, since: turn.fault?.since ?? asked };
  if (turn.failures === 1) {
    plan.log.warn({ meter: turn.place.target.meter, ...outcome.fault }, 'the meter was not read');
  }
  if (mayRetryEdge(turn, now, plan)) {
    turn.retried = hourOf(now);
    turn.due = now;
  }
}

/** A disabled meter is left in peace. */
function skipDisabled(turns: readonly Turn[], now: EpochMs, { journal }: PollPlan): void {
  for (const turn of turns) {
    const { rules, target } = turn.place;
    if (journal.installation(target.meter)?.disabled) turn.due = nextPoll(now, rules.pollMs);
  }
}

/** Where a reading waits for a second one, the meter's next turn is as soon as it may be read again. */
function readSecond(turn: Turn, asked: EpochMs, { journal, clock }: PollPlan): void {
  const { target } = turn.place;
  const waits = (journal.installation(target.meter)?.unconfirmed ?? null) !== null;
  turn.seconds = waits ? turn.seconds + 1 : 0;
  if (turn.seconds > SECOND_READS_MAX) turn.seconds = 0; // The next poll begins anew.
  if (turn.seconds === 0) return;
  turn.due = Math.max(clock.now(), asked + target.profile.minPollS * 1000);
}

/** The hour's edge is worth a second try while a reading would still count for it. */
function mayRetryEdge(turn: Turn, now: EpochMs, plan: PollPlan): boolean {
  const edge = hourOf(now);
  const { toleranceMs } = turn.place.rules;
  const inTime = now + plan.timeoutMs * plan.clock.speed <= edge + toleranceMs;
  return inTime && turn.retried !== edge && now - edge <= toleranceMs;
}

/** Closes hours whose edge has passed unread by more than the tolerance. */
async function closeHours(turns: readonly Turn[], plan: PollPlan): Promise<void> {
  const now = plan.clock.now();
  for (const turn of turns) {
    if (closingOf(turn, plan) > now || now < turn.closingTried + CLOSING_RETRY_MS) continue;
    turn.closingTried = now;
    await passTime(turn.place, plan, 'bus');
  }
}

/** When the meter's open hour can no longer be read at its end. */
function closingOf(turn: Turn, { journal }: PollPlan): EpochMs {
  const hours = journal.installation(turn.place.target.meter)?.hours;
  if (!hours) return Number.POSITIVE_INFINITY;
  return hours.start + HOUR_MS + turn.place.rules.toleranceMs + 1;
}

function wakeAt(turns: readonly Turn[], plan: PollPlan): EpochMs {
  const { clock } = plan;
  const now = clock.now();
  let wake = now + SLEEP_MAX_MS;
  for (const turn of turns) {
    // A due meter that waits for its turn (see nextTurn) is looked at after the edge.
    const due = turn.due > now ? turn.due : hourOf(now) + HOUR_MS;
    wake = Math.min(
      wake,
      due,
      Math.max(closingOf(turn, plan), turn.closingTried + CLOSING_RETRY_MS),
    );
  }
  return wake;
}

/** Lets the time pass that went by while the collector was not running: its hours close as cut by power. */
export async function passAbsence(
  places: readonly MeteredPlace[],
  parts: Omit<PollParts, 'bus'>,
): Promise<void> {
  for (const place of places) await passTime(place, parts, 'power', ['restart']);
}
