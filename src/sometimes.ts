// Points in the impure rooms that a test of the whole must have reached sometimes; nobody listens in a running collector.

/** Every point by its name: what happened there. */
export const SOMETIMES = [
  'bus: a late answer on TCP was refused',
  'bus: a late answer on a line was refused',
  'bus: a late answer on an RTU line was refused',
  'bus: a step of the wall clock was noticed',
  'bus: an hour was closed without a reading',
  'bus: another encoder answered',
  'command: an id was answered again',
  'command: one was begun and its end is not known',
  'command: one was refused',
  'journal: a damaged record was put aside',
  'journal: a group could not be written',
  'journal: a reading failed under a job',
  'journal: a reading was dropped while it was not sound',
  'journal: an opening found something amiss',
  'journal: could not be opened',
  'journal: opened',
  'journal: rows were lost and told',
  'journal: rows were made pending again',
  'upstream: a head-end came back with a new session',
  'upstream: an acknowledgement fell back',
  'upstream: an acknowledgement was of rows not sent in this life',
  'upstream: rows were asked for again',
  'upstream: rows were not acknowledged',
  'upstream: the oldest row alone was sent again',
  'water: a jump was held back',
  'water: a reading was not confirmed by the next',
  'water: hours in the future were restated',
] as const;

export type Sometimes = (typeof SOMETIMES)[number];

let listener: ((point: Sometimes) => void) | null = null;

/** Says that `point` was reached; costs a comparison where nobody listens. */
export function sometimes(point: Sometimes): void {
  if (listener !== null) listener(point);
}

/** One listener for the process; null: nobody. */
export function listenSometimes(to: ((point: Sometimes) => void) | null): void {
  listener = to;
}
