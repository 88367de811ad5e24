// `verify`: the dial as a person typed it, held against what its encoder says now.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { compareDial, type OtherRegister, typedDigits } from '../domain/dial-check.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import { standing } from '../pipeline.ts';
import { type Args, refused } from './answer.ts';
import type { Operating } from './operations.ts';
import { type ReadNow, readMeter } from './read.ts';

/** Between a look at the dial and its last digit typed: as long as a person takes at a pit, in seconds. */
const LOOKED_S = 60;
const LOOKED_MAX_S = 3_600;

/**
 * `verify` {meter, dial, looked_s?, within_s?}: reads the meter as `read` does, refuses as it does, and answers {meter, verdict, read,
 * register, dial, digits, unit, pow10, at, q, difference, places, ignored_digit?, factor?, place?, others?}. `dial` is what was
 * typed, `read` what the encoder says, `difference` their counts apart. A dial that does not agree is no refusal.
 */
export async function verifyDial(
  journal: Journal,
  operating: Operating,
  readNow: ReadNow | undefined,
  args: Args,
): Promise<CommandAnswer> {
  const typed = typedDigits(args['dial']);
  if (typed === null) {
    const message = 'dial is the digits as they stand on the dial, as text.';
    return refused('bad_request', message, 'For example "01234603". An empty field is not zero.');
  }
  const { looked_s: lookedS = LOOKED_S } = args;
  if (typeof lookedS !== 'number' || !(lookedS >= 0 && lookedS <= LOOKED_MAX_S)) {
    return refused('bad_request', `looked_s is 0 to ${LOOKED_MAX_S}.`, 'When it was looked at.');
  }
  const { clock } = operating;
  const began = clock.now() - lookedS * 1000 * clock.speed;
  const { dial: _, looked_s: __, ...reading } = args;
  const answer = await readMeter(journal, readNow, reading);
  if (!answer.ok) return answer;
  const told = answer.data as ReadAnswer;
  const now = clock.now();
  const movable = movableOf(journal, operating, told.meter, now - began);
  const register = Number(told.dial);
  const found = compareDial(
    typed,
    { register, digits: told.digits, movable },
    othersOf(journal, operating, told.meter, now),
  );
  const { verdict, difference, ignoredDigit, factor, place, others } = found;
  const named = {
    ...(ignoredDigit === undefined ? {} : { ignored_digit: ignoredDigit }),
    ...(factor === undefined ? {} : { factor }),
    ...(place === undefined ? {} : { place }),
    ...(others === undefined ? {} : { others }),
  };
  const { meter, digits, unit, pow10, q, inst } = told;
  const at = told.at ?? new Date(now).toISOString();
  const places = {
    ...{ meter, dial: typed, register: told.dial, difference },
    ...named,
    ...(others ? { others: others.join(', ') } : {}),
  };
  return {
    ok: true,
    data: {
      ...{ meter, inst, verdict, read: register, register: told.dial, dial: typed, digits },
      ...{ unit, pow10, at, q, difference, ...named, places },
    },
  };
}

interface ReadAnswer {
  readonly meter: string;
  readonly inst: number;
  readonly dial: string;
  readonly digits: number;
  readonly unit: string;
  readonly pow10: number;
  readonly at: string | null;
  readonly q: string;
}

/** Counts that a meter can pass in that time; without the slack of two polls, for this is a comparison of one. */
function movableOf(
  journal: Journal,
  { places }: Operating,
  meter: string,
  elapsedMs: number,
): number {
  const place = places.get(meter);
  const perHour = place ? standing(place, journal).rules.maxFlowPerH : 0;
  return Math.ceil((perHour * Math.max(0, elapsedMs)) / HOUR_MS);
}

/** What the other meters showed last, and how far they may have gone since. */
function othersOf(
  journal: Journal,
  operating: Operating,
  meter: string,
  now: EpochMs,
): OtherRegister[] {
  return journal.meters().flatMap((other) => {
    const last = journal.installation(other)?.last;
    const facts = journal.facts(other);
    if (other === meter || !last || !facts) return [];
    const movable = movableOf(journal, operating, other, now - last.at);
    return [{ meter: other, register: last.read, digits: facts.dial.digits, movable }];
  });
}
