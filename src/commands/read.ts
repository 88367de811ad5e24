// `read`: a meter's dial now, ahead of every poll; the reading is taken in like any other.

import type { AskedOutcome, CommandAnswer, Journal } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { type Args, refused, unknownMeter } from './answer.ts';

/** Has a meter read now, within so many milliseconds of the wire; undefined for a meter on no bus. */
export type ReadNow = (meter: string, withinMs: number) => Promise<AskedOutcome> | undefined;

/** As long as a person waits at a pole; the slowest encoders and a pause of 15 s before a second read fit. */
const WITHIN_S = 30;
/** The command line's door gives up after two minutes. */
const WITHIN_MAX_S = 100;

/**
 * Answers `{ meter, inst, read, dial, digits, unit, pow10, at, q }`. `q` is A for a reading that counts (T under
 * maintenance) and S for one that was seen and is doubted, for which `read` is the newest that counts. Refusals:
 * `no_answer` with the fault, `busy` with the time from which the meter may be asked, `conflict` for a disabled meter.
 */
export async function readMeter(
  journal: Journal,
  readNow: ReadNow | undefined,
  { meter, within_s = WITHIN_S }: Args,
): Promise<CommandAnswer> {
  if (typeof meter !== 'string' || !journal.meters().includes(meter)) {
    return unknownMeter(journal.meters(), meter);
  }
  if (typeof within_s !== 'number' || !(within_s >= 1 && within_s <= WITHIN_MAX_S)) {
    const message = `A read is waited for 1 to ${WITHIN_MAX_S} s.`;
    return refused('bad_request', message, `Usual are ${WITHIN_S} s.`);
  }
  if (journal.installation(meter)?.disabled) {
    const hint = `To have it read: meter-collector meter enable ${meter}`;
    return refused('conflict', `${meter} is disabled.`, hint);
  }
  const outcome = await readNow?.(meter, within_s * 1000);
  if (outcome === undefined) {
    const message = 'Only a running collector reads meters.';
    return refused('daemon.absent', message, 'Start it: meter-collector run');
  }
  if (outcome.ok) return seen(journal, meter, outcome.value);
  if ('busyUntil' in outcome) {
    const from = isoTime(outcome.busyUntil);
    const message = `${meter} cannot be asked now; it can from ${from} on.`;
    return refused('busy', message, 'Its device needs the pause, or others are read first.');
  }
  const { code, detail } = outcome.fault;
  return refused('no_answer', `${meter} was not read: ${code} (${detail}).`, HINT);
}

const HINT = 'See "meter-collector status" for how long this has lasted.';

function seen(journal: Journal, meter: string, register: number): CommandAnswer {
  const facts = journal.facts(meter);
  const state = journal.installation(meter);
  if (!facts || !state) {
    const message = `${meter} shows ${register}, but the journal cannot be written now.`;
    return refused('internal', message, 'The next poll tells it again.');
  }
  const { digits, unit, pow10 } = facts.dial;
  const last = state.last;
  const counts = state.unconfirmed === null && state.suspect === null && last !== null;
  const q = counts ? (state.maintenance ? 'T' : 'A') : 'S';
  return {
    ok: true,
    data: {
      ...{ meter, inst: facts.inst, read: last?.read ?? null },
      ...{ dial: String(register).padStart(digits, '0'), digits, unit, pow10 },
      ...{ at: last ? isoTime(last.at) : null, q },
    },
  };
}
