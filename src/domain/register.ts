// What one reading means against the accepted one before it: nothing is ever dropped without a name.

import { UNKNOWN_ABSENCE_MS } from './moment.ts';
import { type Counts, capacity, type Dial, HOUR_MS, modulo } from './units.ts';

/** What a dial can do in the time that passed. */
export interface RegisterRules {
  readonly dial: Dial;
  /** Counts an hour at the meter's safe maximum flow. */
  readonly maxFlowPerH: Counts;
  /** Counts the dial may rock back without any water. */
  readonly jitter: Counts;
}

/**
 * `forward` and `reverse` are accepted and signed; `jitter` and `implausible` are not.
 * `ambiguous`: the dial may have turned further, the smallest forward amount is taken (contract I7).
 */
export type Movement =
  | { readonly kind: 'none'; readonly counts: 0; readonly ambiguous: boolean }
  | {
      readonly kind: 'forward';
      readonly counts: Counts;
      readonly rollover: boolean;
      readonly ambiguous: boolean;
    }
  | { readonly kind: 'reverse'; readonly counts: Counts; readonly rollover: boolean }
  | { readonly kind: 'jitter'; readonly counts: Counts }
  | { readonly kind: 'implausible'; readonly forward: Counts; readonly limit: Counts };

/** Two polls may fall on either side of a step at each end, so two counts more than the flow explains are always believed. */
const LIMIT_SLACK_COUNTS = 2;

/** The most counts a meter can pass in `elapsedMs` of true time. */
export function flowLimit(elapsedMs: number, rules: RegisterRules): Counts {
  return Math.ceil((rules.maxFlowPerH * Math.max(0, elapsedMs)) / HOUR_MS) + LIMIT_SLACK_COUNTS;
}

/**
 * Classifies the dial position `seen` against the accepted position `before`, `elapsedMs` of true time earlier.
 * Both are counts in [0, 10^digits). Total: every pair has exactly one movement.
 *
 * A dial that stands a little behind has rocked, however far it could have turned meanwhile. And where nobody knows how
 * long that was, more than half a turn is not taken for water: that would be a flow without a pause, or a dial that ran back.
 */
export function classify(
  before: Counts,
  seen: Counts,
  elapsedMs: number,
  rules: RegisterRules,
): Movement {
  const turn = capacity(rules.dial);
  const forward = modulo(seen - before, turn);
  const back = turn - forward;
  const limit = flowLimit(elapsedMs, rules);
  const ambiguous = forward + turn <= limit || (forward > 0 && forward <= limit && back <= limit);
  if (forward === 0) return { kind: 'none', counts: 0, ambiguous };
  if (back <= rules.jitter) return { kind: 'jitter', counts: -back };
  if (forward <= limit) {
    if (elapsedMs === UNKNOWN_ABSENCE_MS && back < forward) {
      return { kind: 'implausible', forward, limit };
    }
    return { kind: 'forward', counts: forward, rollover: seen < before, ambiguous };
  }
  if (back <= limit) return { kind: 'reverse', counts: -back, rollover: seen > before };
  return { kind: 'implausible', forward, limit };
}
