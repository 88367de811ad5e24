// Alerts in a settings file: what its schema cannot say of them, and what they are in our terms.

import { zoneOf } from '../codec/time-zone.ts';
import type {
  AlertSettings,
  AlertWishes,
  UsageSettings,
  UsageWishes,
} from '../domain/alert-rules.ts';
import type { MakersRule } from '../domain/leaks/makers.ts';
import { dayOf } from '../domain/usage/civil.ts';
import { type Amount, thresholdOf } from '../domain/usage/threshold.ts';
import { WINDOW_DAYS_MAX } from '../domain/usage/usage.ts';
import { entries, type Findings, record, text } from './findings.ts';
import { nearest } from './problems.ts';
import type { Settings } from './settings.ts';

/** As in the schema. */
const ZONE_NAME = /^[A-Za-z0-9_+/-]{1,64}$/;

type Fields = Readonly<Record<string, unknown>>;

/** Zones and dates of the calendar. */
export function checkAlerts(data: unknown, findings: Findings): void {
  checkZone(record(record(data)['alerts'])['timezone'], '/alerts/timezone', findings);
  for (const { pointer, entry } of entries(data, 'meters')) {
    const vacation = record(entry['alerts'])['vacation'];
    checkVacation(vacation, `${pointer}/alerts/vacation`, findings);
  }
}

/** What cannot be the name of a zone is said by the schema. */
export function checkZone(data: unknown, pointer: string, findings: Findings): void {
  const zone = text(data);
  if (zone === undefined || !ZONE_NAME.test(zone) || zoneOf(zone) !== null) return;
  const message = `There is no time zone "${zone}".`;
  const suggestion = nearest(zone, Intl.supportedValuesOf('timeZone'));
  findings.problem({ code: 'value.time', pointer, message, suggestion });
}

export function checkVacation(data: unknown, pointer: string, findings: Findings): void {
  const vacation = record(data);
  if (vacation['from'] === undefined) return;
  const strange = ['from', 'to'].filter((key) => dayOf(String(vacation[key])) === null);
  for (const key of strange) {
    const message = `${key} is not a date of the calendar.`;
    findings.problem({ code: 'value.time', pointer: `${pointer}/${key}`, message });
  }
  if (strange.length > 0) return;
  const days = (dayOf(String(vacation['to'])) ?? 0) - (dayOf(String(vacation['from'])) ?? 0) + 1;
  if (days >= 1 && days <= WINDOW_DAYS_MAX) return;
  const message = `A vacation lasts 1 to ${WINDOW_DAYS_MAX} days.`;
  findings.problem({ code: 'value.range', pointer: `${pointer}/to`, message });
}

/** Warns of amounts that a dial cannot show: one count stands for them. */
export function checkThresholds({ meters }: Settings, findings: Findings): void {
  for (const [i, { dial, alerts }] of meters.entries()) {
    const { billingCycle, daily, multiDay, vacation } = alerts?.usage ?? {};
    const named = { billing_cycle: billingCycle, daily, multi_day: multiDay, vacation };
    for (const [name, amount] of Object.entries(named)) {
      if (!amount) continue;
      const { counts, rounded } = thresholdOf(amount, dial);
      if (counts > 1 || !rounded) continue;
      const told = `${amount.amount} ${amount.unit} is less than a count of this dial`;
      const message = `${told}: it is taken for one count, 10^${dial.pow10} ${dial.unit}.`;
      findings.warning({
        code: 'alert.below_count',
        pointer: `/meters/${i}/alerts/${name}`,
        message,
      });
    }
  }
}

/** The alerts of all meters. */
export function toAlerts(data: Fields): AlertSettings {
  const { timezone } = data;
  return { ...toWishes(data), timezone: typeof timezone === 'string' ? timezone : null };
}

/** The alerts of one meter where they differ; what is `off` is null. */
export function toWishes(data: Fields): AlertWishes {
  const off = (data['off'] ?? []) as (keyof typeof KEYS)[];
  const usage: UsageWishes = {
    ...Object.fromEntries(off.map((name) => [KEYS[name], null])),
    ...toUsage(data),
  };
  return { usage, ...(data['makers'] ? { makers: data['makers'] as MakersRule[] } : {}) };
}

/** Names of alerts that can be switched off, and of what they are here. */
const KEYS = {
  billing_cycle: 'billingCycle',
  daily: 'daily',
  multi_day: 'multiDay',
  no_use_days: 'noUseDays',
} as const satisfies Readonly<Record<string, keyof UsageSettings>>;

export function toUsage(data: Fields): UsageSettings {
  const { billing_cycle: billing, daily, multi_day: several, vacation } = data;
  const { no_use_days: noUse, service } = data;
  return {
    ...(billing ? { billingCycle: billing as Amount & { day: number } } : {}),
    ...(daily ? { daily: daily as Amount } : {}),
    ...(several ? { multiDay: several as Amount & { days?: number } } : {}),
    ...(vacation ? { vacation: toVacation(record(vacation)) } : {}),
    ...(typeof noUse === 'number' ? { noUseDays: noUse } : {}),
    ...(service === 'active' || service === 'inactive' ? { service } : {}),
  };
}

function toVacation(data: Fields): Amount & { from: number; to: number } {
  const { amount, unit } = data as unknown as Amount;
  const day = (key: string) => dayOf(String(data[key])) ?? 0;
  return { amount, unit, from: day('from'), to: day('to') };
}
