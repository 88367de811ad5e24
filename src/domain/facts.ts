// What is known of a meter that stands at a place: the facts an installation begins with.

import type { Counts, Dial, EpochMs } from './units.ts';

/** What the settings say of the meter: the dial it shows and the identification it sends. */
export interface Declaration {
  readonly dial: Dial;
  readonly registerId: string | null;
}

/** That a meter was proved on site: when, by whom, with which dial typed, and in which report. */
export interface Proved {
  readonly at: EpochMs;
  readonly by: string;
  readonly dial: Counts;
  readonly report: string;
}

/** One installation's record; `inst` counts the meters that stood at this place, from 1. */
export interface InstallationFacts extends Declaration {
  readonly meter: string;
  readonly inst: number;
  /** What the settings said when this installation began, or were last found to agree with it. */
  readonly declared: Declaration;
  /** Where a change-out told it. */
  readonly bodySerial: string | null;
  /** When it was first read, and its dial then: total 0. Null before. */
  readonly installed: EpochMs | null;
  readonly initialRead: Counts | null;
  /** When it was proved last; absent: never. */
  readonly proved?: Proved;
}

/** Whether two declarations describe the same dial and encoder. */
export function sameDeclaration(one: Declaration, other: Declaration): boolean {
  const { digits, unit, pow10 } = one.dial;
  const { dial, registerId } = other;
  const sameDial = digits === dial.digits && unit === dial.unit && pow10 === dial.pow10;
  return sameDial && one.registerId === registerId;
}

/** What the settings mean for an installation on record. */
export type Verdict = 'unchanged' | 'agreed' | 'named' | 'corrected';

/**
 * `unchanged`: the settings say what they said before. `agreed`: they changed and now describe what stands there (after
 * a change-out). `named`: they name an encoder that nobody had named before. `corrected`: they changed to something else, which is a new installation (I2).
 */
export function judgeDeclaration(facts: InstallationFacts, now: Declaration): Verdict {
  if (sameDeclaration(facts.declared, now)) return 'unchanged';
  if (sameDeclaration(facts, now)) return 'agreed';
  const named = facts.registerId === null && now.registerId !== null;
  return named && sameDeclaration({ ...facts, registerId: now.registerId }, now)
    ? 'named'
    : 'corrected';
}
