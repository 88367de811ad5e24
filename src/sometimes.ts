// Points in the impure rooms that a test of the whole must have reached sometimes; nobody listens in a running collector.

/** Every point by its name: what happened there. */
export const SOMETIMES = [
  'journal: a group could not be written',
  'journal: opened again after a failure',
  'journal: could not be opened',
  'journal: an opening found something amiss',
  'journal: a reading failed under a job',
  'journal: a reading was dropped while it was not sound',
  'journal: rows were made pending again',
  'journal: a damaged record was put aside',
  'journal: rows were lost and told',
  'upstream: rows were not acknowledged',
  'upstream: rows waited for another try',
  'upstream: the oldest row alone was sent again',
  'upstream: a head-end of a new session was sent everything again',
  'upstream: an acknowledgement fell back',
  'upstream: an acknowledgement of another epoch was refused',
  'bus: a late answer was refused',
  'bus: an answer of another encoder was passed over',
  'bus: a link was opened again',
  'bus: hours were closed without a reading',
  'bus: a step of the wall clock was noticed',
  'command: an id was answered again',
  'command: one was begun and its end is not known',
  'command: one was refused',
  'water: a reading was doubted',
  'water: an hour was restated',
  'water: a jump was held back',
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
