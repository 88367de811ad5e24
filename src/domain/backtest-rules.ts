// By which rules a backtest judges: the makers' beside ours, the usage alerts of each meter, and how its dial behaves.

import type { MakersRule } from './leaks/makers.ts';
import type { Amount } from './usage/threshold.ts';

/** Usage alerts of one meter; dates of a vacation as civil days. */
export interface UsageSettings {
  readonly billingCycle?: Amount & { readonly day: number };
  readonly daily?: Amount;
  readonly multiDay?: Amount & { readonly days?: number };
  readonly vacation?: Amount & { readonly from: number; readonly to: number };
  readonly noUseDays?: number;
  readonly service?: 'active' | 'inactive';
}

export interface BacktestRules {
  readonly makers: readonly MakersRule[];
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
