// The message `last`: the latest reading of a meter and the use of its hour so far.

import type { InstallationFacts } from '../domain/facts.ts';
import type { Installation } from '../domain/installation.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import type { LastReading } from './contract.ts';
import { isoTime } from './head-end-message.ts';

/** As JSON text, by the contract's schema; undefined before the first reading. `use` is null where the hour's beginning went unread. */
export function encodeLast(
  { meter, inst, dial }: InstallationFacts,
  { last, hours }: Installation,
  collector: string,
  sent: EpochMs,
): string | undefined {
  if (!last) return undefined;
  const { unit, pow10, digits } = dial;
  const start = hours?.start ?? Math.floor(last.at / HOUR_MS) * HOUR_MS;
  const message: LastReading = {
    ...{ v: 1, type: 'last', collector, meter, inst, unit, pow10, digits },
    start: isoTime(start),
    ...{ read: last.read, at: isoTime(last.at), total: last.total },
    use: hours?.from ? last.total - hours.from.total : null,
    sent: isoTime(sent),
  };
  return JSON.stringify(message);
}
