// The watch over leaks and use.

import type { Advance, Installation, MeterRules } from '../domain/advance.ts';
import type { WatchedRules } from '../domain/watched.ts';

/** Watches over leaks and use at every place. What it knows is the journal's, and recalled after each opening. */
export interface Watches {
  /** Has in memory what is known of a meter; undefined where it has, or where there is nothing to know yet. Never rejects. */
  recall(meter: string, rules: MeterRules): Promise<void> | undefined;
  /** Adds what an observation tells of leaks and use to what it produced, commits all of it as one, and gives it back. */
  commit(meter: string, rules: MeterRules, before: Installation, after: Advance): Advance;
  /** The rules by which a meter is watched now. */
  rulesOf(meter: string, rules: MeterRules): WatchedRules;
  /** Takes in that the rules of a meter have changed; what no longer holds is cleared, what does is raised. */
  heed(meter: string): Promise<void>;
}
