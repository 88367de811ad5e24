// What time may do to what is told, and what it may not: stamps that some clock showed, hours that some clock passed, nothing old before it is.

import type { HourEntry } from '../../simulator/entries.ts';
import type { Ledger } from '../../simulator/ledger.ts';
import { HOUR } from './fault-kind.ts';
import type { HostileWorld } from './hostile-world.ts';
import type { Oracle } from './oracle.ts';
import { isExcused } from './oracle-sums.ts';
import { meterOf, type Place, START } from './street.ts';

/** An answer on its way, asked twice, and what a clock drifts in a day. */
const STAMP_MS = 60_000;

/** A clock that is so far behind is in 1970, and no hour is told by it. */
const LOST_MS = 40 * 365 * 24 * HOUR;

/** Hours that nobody read are told so long beyond what the farthest clock showed: the open one. */
const BEYOND_MS = HOUR;

/**
 * I11: every reading is told at an instant that the true clock, or one of the wrong ones that ruled, showed when that dial
 * was served; and no hour is told that lies beyond all of them.
 */
export function checkStamps(world: HostileWorld, ledger: Ledger, oracle: Oracle): void {
  const errors = [...world.wallErrors];
  const first = START + Math.min(...errors.filter((error) => error > -LOST_MS)) - HOUR;
  const last = world.trueNow() + Math.max(...errors) + BEYOND_MS;
  const places = new Map(world.places.map((place) => [meterOf(place), place]));
  for (const entry of ledger.entries()) {
    const place = places.get(entry.meter);
    if (entry.kind === 'gap' || !place || isExcused(entry.meter, world, oracle)) continue;
    const name = `${entry.meter}/${entry.inst} ${new Date(entry.start).toISOString()}`;
    if (entry.start < first || entry.start > last) {
      oracle.violate('I11', `${name}: no clock that ruled has passed this hour`);
    }
    if (!wasServed(place, entry, errors)) {
      const at = entry.at === null ? 'no time' : new Date(entry.at).toISOString();
      oracle.violate('I11', `${name}: ${entry.read} was not on the dial at ${at}`);
    }
  }
}

function wasServed(
  { bodies }: Place,
  { read, at, q, total }: HourEntry,
  errors: readonly number[],
): boolean {
  // What is doubted may be anybody's dial; what a person said has the time at which it was said.
  const isOwn = total !== null && q !== 'H' && bodies.length === 1;
  if (read === null || at === null || !isOwn) return true;
  return bodies.some(({ served }) =>
    served.some(
      (one) =>
        one.register === read && errors.some((error) => Math.abs(one.at + error - at) <= STAMP_MS),
    ),
  );
}

/** P3: all that is kept is kept for longer than a world lives, whatever its clocks say. */
export function checkRetention(world: HostileWorld, oracle: Oracle): void {
  for (const [key] of world.medium.dump()) {
    if (key.startsWith('k/')) oracle.violate('P3', `${key}: something was dropped for its age`);
  }
}

interface Told {
  readonly reads: { readonly due: number; readonly made: number };
  readonly hours: object;
}

/**
 * S5: a day may be told again after a cut, and then says the same of reads and hours, unless an hour of it was restated, its
 * meters are others, or what stood in the journal was lost.
 */
export class Scorecards {
  readonly #told = new Map<string, string>();
  readonly #world: () => HostileWorld;
  readonly #violate: (code: string, text: string) => void;

  constructor(world: () => HostileWorld, violate: (code: string, text: string) => void) {
    this.#world = world;
    this.#violate = violate;
  }

  hear(payload: string): void {
    const { fired, rotten } = this.#world();
    if (rotten > 0 || CHANGING.some((id) => fired[id] !== undefined)) return;
    const { day, reads, hours } = JSON.parse(payload) as Told & { day: string };
    const says = JSON.stringify({ reads, hours });
    const before = this.#told.get(day);
    if (before !== undefined && before !== says) {
      this.#violate('S5', `${day} was told as ${before} and as ${says}`);
    }
    this.#told.set(day, says);
  }
}

/** Under these the hours of a day, the meters or their polls may be others when it is told again. */
const CHANGING = ['F13', 'F13w', 'F13u', 'F14', 'F16', 'C1', 'C2', 'F42', 'F42u', 'F49v', 'F49d'];
