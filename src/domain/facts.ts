// What is known of a meter that stands at a place: the facts an installation begins with and never changes.

import type { Counts, Dial, EpochMs } from './units.ts';

/** One installation's record; `inst` counts the meters that stood at this place, from 1. */
export interface InstallationFacts {
  readonly meter: string;
  readonly inst: number;
  readonly dial: Dial;
  /** Identification the encoder sends, where the settings name it. */
  readonly registerId: string | null;
  /** When it was first read, and its dial then: total 0. Null before. */
  readonly installed: EpochMs | null;
  readonly initialRead: Counts | null;
}

/** Whether the settings now describe another dial or encoder than the one recorded: a correction is a new installation (I2). */
export function differs(
  facts: InstallationFacts,
  dial: Dial,
  registerId: string | undefined,
): boolean {
  const { digits, unit, pow10 } = facts.dial;
  if (digits !== dial.digits || unit !== dial.unit || pow10 !== dial.pow10) return true;
  return (facts.registerId ?? registerId) !== registerId;
}
