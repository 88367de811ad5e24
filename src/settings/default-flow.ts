// What a dial can pass in an hour at most when the settings do not say: the default of `max_flow_per_h`.

import { type Counts, CUBIC_INCHES, capacity, type Dial } from '../domain/units.ts';

/** Safe maximum of a 1-inch meter, gallons a minute; larger meters state their own. */
const SAFE_GPM = 50;
/** A meter passes more than its safe maximum for a while before it breaks. */
const MARGIN = 1.5;

/**
 * 1.5 x 50 gal/min x 60 min = 4,500 gal/h, in counts of `dial`, rounded up, at least 1 and below the dial's capacity:
 * 6,016 counts at 0.1 ft3 (4,500 / 7.48052 = 601.56 ft3), 7 counts at 100 ft3.
 */
export function defaultMaxFlowPerH(dial: Dial): Counts {
  const cubicInches = SAFE_GPM * MARGIN * 60 * CUBIC_INCHES.gal;
  const units = cubicInches / CUBIC_INCHES[dial.unit];
  const counts = dial.pow10 < 0 ? units * 10 ** -dial.pow10 : units / 10 ** dial.pow10;
  return Math.max(1, Math.min(Math.ceil(counts), capacity(dial) - 1));
}
