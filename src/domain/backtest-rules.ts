// By which rules a backtest judges: the makers' beside ours, the usage alerts of each meter, and how its dial behaves.

import type { UsageSettings } from './alert-rules.ts';
import type { MakersRule } from './leaks/makers.ts';

export interface BacktestRules {
  readonly makers: readonly MakersRule[];
  /** Of single meters, in place of `makers`. */
  readonly makersOf?: ReadonlyMap<string, readonly MakersRule[]>;
  readonly timezone: string | null;
  readonly jitter: number;
  readonly toleranceS: number;
  readonly maxFlowPerH: number | null;
  readonly usage: UsageSettings;
  /** What differs for single meters; it replaces the default of the same name. */
  readonly meters: ReadonlyMap<string, UsageSettings>;
}

export const DEFAULT_RULES: BacktestRules = {
  ...{ makers: [], timezone: null, jitter: 1, toleranceS: 15, maxFlowPerH: null },
  ...{ usage: {}, meters: new Map() },
};
