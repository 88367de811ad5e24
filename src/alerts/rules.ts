// By which rules a place is watched: what the settings say of alerts, and what commands have changed since.

import type { Journal } from '../boundaries.ts';
import { zoneOf } from '../codec/time-zone.ts';
import type { MeterRules } from '../domain/advance.ts';
import { type AlertSettings, type AlertWishes, layered } from '../domain/alert-rules.ts';
import { UTC } from '../domain/usage/civil.ts';
import type { WatchedRules } from '../domain/watched.ts';

/** What the settings say of one meter's alerts. */
export interface MeterAlerts extends AlertWishes {
  readonly service: 'active' | 'inactive';
}

/** Under no name stands what commands said of all meters. */
export const ALL = '';

const NO_ALERTS: AlertSettings = { timezone: null, usage: {} };

/** Rules of every meter; worked out once for each change of what they are made of. */
export class AlertRules {
  readonly #journal: Pick<Journal, 'wishes'>;
  readonly #settings: AlertSettings;
  readonly #meters: ReadonlyMap<string, MeterAlerts>;
  readonly #zone;
  readonly #made = new Map<
    string,
    { readonly of: readonly unknown[]; readonly rules: WatchedRules }
  >();

  constructor(
    journal: Pick<Journal, 'wishes'>,
    settings: AlertSettings = NO_ALERTS,
    meters: ReadonlyMap<string, MeterAlerts> = new Map(),
  ) {
    this.#journal = journal;
    this.#settings = settings;
    this.#meters = meters;
    this.#zone = (settings.timezone === null ? null : zoneOf(settings.timezone)) ?? UTC;
  }

  /** What commands said of a meter replaces what its settings say, and that what was said of all meters. */
  of(meter: string, rules: MeterRules): WatchedRules {
    const all = this.#journal.wishes(ALL);
    const own = this.#journal.wishes(meter);
    const known = this.#made.get(meter);
    if (known && known.of[0] === rules && known.of[1] === all && known.of[2] === own) {
      return known.rules;
    }
    const made = this.#make(meter, rules, all, own);
    this.#made.set(meter, { of: [rules, all, own], rules: made });
    return made;
  }

  #make(
    meter: string,
    { dial, pollMs }: MeterRules,
    all: AlertWishes | undefined,
    own: AlertWishes | undefined,
  ): WatchedRules {
    const settings = this.#meters.get(meter);
    const usage = layered([this.#settings.usage, all?.usage, settings?.usage, own?.usage]);
    const service = own?.usage.service ?? settings?.service ?? 'active';
    const makers =
      own?.makers ?? settings?.makers ?? all?.makers ?? this.#settings.makers ?? NO_MAKERS_RULES;
    return { dial, pollMs, makers, usage: { ...usage, service, dial, pollMs, zone: this.#zone } };
  }
}

const NO_MAKERS_RULES = [] as const;
