// Which alerts a place has: defaults and its own, as the settings say and as commands have changed them.

import type { MakersRule } from './leaks/makers.ts';
import type { Amount } from './usage/threshold.ts';

/** Usage alerts of one place; dates of a vacation as civil days. */
export interface UsageSettings {
  readonly billingCycle?: Amount & { readonly day: number };
  readonly daily?: Amount;
  readonly multiDay?: Amount & { readonly days?: number };
  readonly vacation?: Amount & { readonly from: number; readonly to: number };
  readonly noUseDays?: number;
  readonly service?: 'active' | 'inactive';
}

/** What differs from the defaults; null switches a default off. */
export type UsageWishes = { readonly [K in keyof UsageSettings]?: UsageSettings[K] | null };

/** What commands said of the alerts of one place, or of all. Plain JSON. */
export interface AlertWishes {
  readonly usage: UsageWishes;
  readonly makers?: readonly MakersRule[];
}

/** What the settings say of alerts: the defaults, and by meter what differs. */
export interface AlertSettings extends AlertWishes {
  /** IANA name of the zone whose days count; null is UTC. */
  readonly timezone: string | null;
}

/** Each layer replaces what those before it say of the same alert. */
export function layered(layers: readonly (UsageWishes | undefined)[]): UsageSettings {
  const all = Object.assign({}, ...layers) as UsageWishes;
  return Object.fromEntries(
    Object.entries(all).filter(([, one]) => one !== null && one !== undefined),
  ) as UsageSettings;
}
