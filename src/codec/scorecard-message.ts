// The message `scorecard` (S5).

import type { Scorecard } from '../domain/scorecard.ts';
import type { EpochMs } from '../domain/units.ts';
import { dateOf } from '../domain/usage/civil.ts';
import type { Scorecard as ScorecardMessage } from './contract.ts';
import { isoTime } from './head-end-message.ts';

/** As JSON text, by the contract's schema. */
export function encodeScorecard(card: Scorecard, collector: string, sent: EpochMs): string {
  const { span, reads, hours, available, unavailable, day1, day3 } = card;
  const message: ScorecardMessage = {
    ...{ v: 1, type: 'scorecard', collector, day: dateOf(span.day) },
    ...{ from: isoTime(span.from), to: isoTime(span.to), reads, hours },
    meters: { available, unavailable },
    success: { day_1: share(day1), day_3: share(day3) },
    // No setting says yet when a meter's billing window is open.
    billing: [],
    sent: isoTime(sent),
  };
  return JSON.stringify(message);
}

const share = (of: number | null) => (of === null ? null : Math.round(of * 10_000) / 10_000);
