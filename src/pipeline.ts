// The page: how water becomes increments and hours, and how hours reach the head-end. Polling and sending meet only in the journal.

import type {
  Bus,
  Clock,
  Journal,
  Log,
  Prepared,
  ReadTarget,
  Upstream,
  Watches,
} from './boundaries.ts';
import { advance, futureHours, type MeterRules, type Observation } from './domain/advance.ts';
import type { Flag, GapCause, Notice } from './domain/entry.ts';
import type { InstallationFacts } from './domain/facts.ts';
import { faulty, good, type Result } from './domain/fault.ts';
import type { Moment } from './domain/moment.ts';
import { type Counts, type Dial, limitOn } from './domain/units.ts';
import { sometimes } from './sometimes.ts';

/** One meter as the page sees it: where to ask, and what its dial can do. */
export interface MeteredPlace {
  readonly target: ReadTarget;
  readonly rules: MeterRules;
}

export interface PollParts {
  readonly bus: Bus;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the bus waits for an answer, in milliseconds of the wire. */
  readonly timeoutMs?: number;
  /** Watches over leaks and use; absent where nobody does. */
  readonly watches?: Watches;
}

/**
 * An answer is stamped when it is taken in. Where the whole process stood still meanwhile it may have lain in the system's
 * buffer for hours, and would end an hour with the dial of long ago: so many milliseconds of the wire beyond all that a bus
 * waits it is asked anew.
 */
const STALE_MS = 15_000;
/** Asked twice, and waited for with patience. */
const TIMEOUTS_MAX = 6;
const STALE = faulty('line.silent', 'the collector stood still while it was asked');
/** What came, an answer or none, is the old meter's: it says nothing of the one that stands there now, which is to be asked. */
export const OVERTAKEN = faulty('aborted', 'another meter was put there while it was asked');

/**
 * Reads one meter and takes in what was seen; a fault is taken in too, as silence. Good with the dial's counts. `spareMs`:
 * nobody else needs the bus for so long after the time-out.
 */
export async function pollMeter(
  place: MeteredPlace,
  parts: PollParts,
  signal?: AbortSignal,
  spareMs?: number,
): Promise<Result<Counts>> {
  const { clock, timeoutMs = 0 } = parts;
  const staleMs = (STALE_MS + TIMEOUTS_MAX * timeoutMs) * clock.speed;
  const asked = clock.monotonicMs();
  const { target } = standing(place, parts.journal);
  const facts = parts.journal.facts(target.meter);
  const answer = await parts.bus.read(target, signal, spareMs);
  if (!isSameMeter(facts, parts.journal.facts(target.meter))) return OVERTAKEN;
  const seen = clock.monotonicMs() - asked <= staleMs ? answer : STALE;
  const moment = momentOf(clock);
  const taken = await takeIn(
    place,
    parts,
    seen.ok
      ? {
          kind: 'reading',
          moment,
          register: seen.value.register,
          checked: place.target.profile.checked,
          identified: seen.value.id !== null && seen.value.id === journalId(place, parts.journal),
        }
      : {
          ...{ kind: 'silence', moment, why: 'bus', flags: faultFlags(seen.fault.code) },
          fault: seen.fault.code === 'aborted' ? null : seen.fault.code,
          stranger: seen.fault.id ?? null,
        },
  );
  if (!taken) return OVERTAKEN;
  return seen.ok ? good(seen.value.register) : seen;
}

/** Lets time pass for a meter that nobody read: hours whose edge can no longer be read are closed. */
export async function passTime(
  place: MeteredPlace,
  parts: Omit<PollParts, 'bus'>,
  why: GapCause,
  flags: readonly Flag[] = [],
): Promise<void> {
  const moment = momentOf(parts.clock);
  const nothing = { fault: null, stranger: null };
  await takeIn(place, parts, { kind: 'silence', moment, why, flags, ...nothing });
}

/**
 * Sends one message of claimed rows, and lets go of what was delivered; what was not stays claimed. `told` hears what came of it, `failed` of
 * a bug of ours: a promise more for each of thousands of messages a second would be felt.
 */
export function forwardPending(
  message: Prepared,
  { upstream }: { readonly upstream: Upstream },
  told: (sent: Result<void>) => void,
  failed: (bug: unknown) => void,
  late = false,
): void {
  const heard = (sent: Result<void>) => {
    try {
      if (sent.ok) upstream.delivered(message.rows);
      told(sent);
    } catch (bug) {
      failed(bug);
    }
  };
  void upstream.publish(message, late).then(heard, failed);
}

/** The place with the dial and encoder that stand there now: after a change-out the journal knows better than the settings. */
export function standing(place: MeteredPlace, journal: Journal): MeteredPlace {
  const facts = journal.facts(place.target.meter);
  if (!facts) return place;
  const known = STANDING.get(place);
  if (known?.facts === facts) return known.now;
  const { registerId: _, ...target } = place.target;
  const { dial, registerId } = facts;
  const now = {
    target: { ...target, dial, ...(registerId === null ? {} : { registerId }) },
    rules: { ...place.rules, dial, maxFlowPerH: flowLimit(place.rules, dial) },
  };
  STANDING.set(place, { facts, now });
  return now;
}

/** The settings state the limit in counts of their own dial; the pipe is the same for every meter that stands there. */
function flowLimit({ dial: stated, maxFlowPerH }: MeterRules, dial: Dial): Counts {
  const isSame = stated.unit === dial.unit && stated.pow10 === dial.pow10;
  return isSame ? maxFlowPerH : limitOn(dial, maxFlowPerH, stated);
}

/** Whether the meter that was asked still stands there. One that nobody knows now takes nothing in. */
function isSameMeter(
  asked: InstallationFacts | undefined,
  now: InstallationFacts | undefined,
): boolean {
  if (now === undefined || now === asked) return true;
  return now.inst === asked?.inst && now.registerId === asked.registerId;
}

/** What `standing` worked out last for a place: it is asked at every poll and changes once in years. */
const STANDING = new WeakMap<
  MeteredPlace,
  { readonly facts: InstallationFacts; readonly now: MeteredPlace }
>();

/** False when another meter stands there by the time that it could be taken in: nothing is. */
async function takeIn(
  place: MeteredPlace,
  { journal, log, watches }: Omit<PollParts, 'bus'>,
  seen: Observation,
): Promise<boolean> {
  const { target, rules } = standing(place, journal);
  const { meter } = target;
  const known = journal.installation(meter);
  if (!known) {
    // The journal is not sound: registers are absolute, the next reading tells all.
    sometimes('journal: a reading was dropped while it was not sound');
    return true;
  }
  const recalling = seen.kind === 'reading' ? watches?.recall(meter, rules) : undefined;
  if (recalling !== undefined) await recalling;
  const ahead = futureHours(known, seen.moment, rules, journal.heldFrom(meter));
  const entries = ahead === null ? [] : await journal.publishedFrom(meter, ahead);
  const before = journal.installation(meter);
  if (!before) return true;
  if (before.inst !== known.inst) return false;
  const came = advance(before, seen, rules, { entries, held: journal.heldFrom(meter) });
  const after = watches?.commit(meter, rules, before, came) ?? came;
  if (!watches) journal.commit(meter, came);
  for (const { code, at, evidence } of after.notices) {
    tellNotice(code);
    log.warn({ meter, code, at, ...evidence }, 'the dial did something worth knowing');
  }
  for (const { code, phase, severity, data } of after.events) {
    if (code === 'read.implausible' && phase === 'raise') sometimes('water: a jump was held back');
    log.warn({ meter, code, phase, severity, ...data }, 'an event of the meter');
  }
  return true;
}

function tellNotice(code: Notice['code']): void {
  if (code === 'read.unconfirmed') sometimes('water: a reading was not confirmed by the next');
  if (code === 'clock.restated') sometimes('water: hours in the future were restated');
}

/** The identification the encoder that stands there must send. */
function journalId(place: MeteredPlace, journal: Journal): string | undefined {
  return standing(place, journal).target.registerId;
}

export function momentOf(clock: Clock): Moment {
  return {
    at: clock.now(),
    boot: clock.boot,
    mono: Math.floor(clock.monotonicMs()),
    synced: clock.synced(),
  };
}

function faultFlags(code: string): readonly Flag[] {
  return code === 'frame.unreadable' ? ['unreadable'] : [];
}
