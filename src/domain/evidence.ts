// The evidence of leaks and use in volumes: beside each number of counts what it is in the dial's unit (E3).

import type { Evidence } from './alarms.ts';
import type { Dial } from './units.ts';

/** Counts an hour, told as volumes alone: nobody reads a leak in counts. */
const RATES = ['rate', 'rate_low', 'rate_high'] as const;
/** Counts, and under which name their volume is told beside them. */
const VOLUMES = { counts: 'volume', leak_counts: 'leak_volume', use: 'use_volume' } as const;

/** The evidence with `unit`, rates as `..._per_h` in units an hour, and volumes in units. */
export function inVolumes(data: Evidence, { unit, pow10 }: Pick<Dial, 'unit' | 'pow10'>): Evidence {
  const told: Record<string, number | string | null> = {};
  const volume = (counts: number) => Number((counts * 10 ** pow10).toPrecision(6));
  for (const [key, one] of Object.entries(data)) {
    const rate = RATES.find((name) => name === key);
    const beside = VOLUMES[key as keyof typeof VOLUMES];
    if (rate && typeof one === 'number') told[`${key}_per_h`] = volume(one);
    else told[key] = one;
    if (beside && typeof one === 'number') told[beside] = volume(one);
  }
  return { ...told, unit };
}
