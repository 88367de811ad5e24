// `alerts.set`, `vacation.set`, `vacation.clear`, `service.set`, `event.ack` and `alerts`: what a place is watched for, and what stands.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { eventIdOf, isoTime } from '../codec/head-end-message.ts';
import type { AlertWishes, UsageSettings, UsageWishes } from '../domain/alert-rules.ts';
import { acknowledge, standingAlarm } from '../domain/alerts.ts';
import type { EventRow } from '../domain/entry.ts';
import { MAKERS_RULES, type MakersRule } from '../domain/leaks/makers.ts';
import { type EpochMs, VOLUME_UNITS } from '../domain/units.ts';
import { dateOf, dayOf } from '../domain/usage/civil.ts';
import { type Amount, thresholdOf } from '../domain/usage/threshold.ts';
import { WINDOW_DAYS_MAX } from '../domain/usage/usage.ts';
import type { WatchedRules } from '../domain/watched.ts';
import type { MeteredPlace } from '../pipeline.ts';
import { standing } from '../pipeline.ts';
import { type Answerer, type Args, refused } from './answer.ts';
import { type Operating, placeOf, textOf, written } from './operations.ts';

/** Under no name stands what was said of all meters. */
const ALL = '';
/** Meters told of in one answer: it must fit in a message of 32 KB. */
const TOLD_MAX = 50;
const AMOUNT_MAX = 1e9;
const NO_USE_DAYS_MAX = 400;
const CYCLE_DAYS_MAX = 31;

/** The commands of this file by name. */
export function createAlertCommands(
  journal: Journal,
  operating: Operating,
): Readonly<Record<string, Answerer>> {
  const change = (make: (args: Args) => Change | string): Answerer => {
    return (args) => changeRules(journal, operating, args, make(args));
  };
  return {
    alerts: (args) => tellAlerts(journal, operating, args),
    'alerts.set': change(alertsOf),
    'vacation.set': change(vacationOf),
    'vacation.clear': change(({ meter }) => ({ whose: meter, usage: { vacation: null } })),
    'service.set': change(({ meter, service }) => {
      if (service !== 'active' && service !== 'inactive') return 'service is active or inactive.';
      return { whose: meter, usage: { service } };
    }),
    'event.ack': (args) => acknowledgeEvent(journal, operating, args),
  };
}

/** What a command changes; `again` names what is to be as the settings have it. */
interface Change {
  readonly whose: unknown;
  readonly usage: UsageWishes;
  readonly makers?: readonly MakersRule[];
  readonly again?: readonly (keyof typeof AGAIN)[];
}

/** Names of the contract, and ours. */
const KEYS = {
  billing_cycle: 'billingCycle',
  daily: 'daily',
  multi_day: 'multiDay',
  no_use_days: 'noUseDays',
} as const;

type Name = keyof typeof KEYS;

/** What commands say in place of the settings, and how it is kept; of `makers` beside the others. */
const AGAIN = {
  ...KEYS,
  ...{ vacation: 'vacation', service: 'service', makers: null },
} as const satisfies Readonly<Record<string, keyof UsageSettings | null>>;

const TAKEN = ['meter', 'by', 'defaults', 'makers', 'as_settings', ...Object.keys(KEYS)];

/**
 * `alerts.set` {meter, or defaults: true, then any of billing_cycle {amount, unit, day}, daily {amount, unit}, multi_day
 * {amount, unit, days}, no_use_days, makers [..]}; null switches one off, `as_settings` [..] lets the settings decide again.
 */
function alertsOf(args: Args): Change | string {
  const { meter, defaults, as_settings: again = [] } = args;
  const makers = args['makers'] === null ? [] : args['makers'];
  // Who misspells what is to be switched off must not believe that it is.
  const other = Object.keys(args).find((key) => !TAKEN.includes(key));
  if (other !== undefined) return `alerts.set takes no "${other}".`;
  if ((defaults === true) === (meter !== undefined)) {
    return 'Say which meter, or defaults: true for all that have none of their own.';
  }
  const usage = usageOf(args);
  if (typeof usage === 'string') return usage;
  if (!Array.isArray(again) || !again.every(isName)) {
    return `as_settings is a list of ${Object.keys(AGAIN).join(', ')}.`;
  }
  if (makers !== undefined && !isRules(makers)) {
    return `makers is a list of ${MAKERS_RULES.join(', ')}.`;
  }
  if (Object.keys(usage).length + again.length === 0 && makers === undefined) {
    return `Nothing is said of ${Object.keys(KEYS).join(', ')} or makers.`;
  }
  return {
    whose: defaults === true ? ALL : meter,
    usage,
    again,
    ...(makers === undefined ? {} : { makers }),
  };
}

const isName = (one: unknown): one is keyof typeof AGAIN => Object.hasOwn(AGAIN, String(one));

const isRules = (said: unknown): said is readonly MakersRule[] =>
  Array.isArray(said) && said.every((one) => MAKERS_RULES.some((rule) => rule === one));

function usageOf(args: Args): UsageWishes | string {
  const usage: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(KEYS) as [Name, (typeof KEYS)[Name]][]) {
    const wanted = args[name];
    if (wanted === undefined) continue;
    const read = wanted === null ? null : READERS[name](wanted);
    if (typeof read === 'string') return `${name}: ${read}`;
    usage[key] = read;
  }
  return usage as UsageWishes;
}

/** What is said of each alert, or what is wrong with it. */
const READERS: Readonly<Record<Name, (said: unknown) => object | number | string>> = {
  billing_cycle(said) {
    const amount = amountOf(said);
    const { day } = said as { day?: unknown };
    if (typeof amount === 'string') return amount;
    return isWhole(day, 1, CYCLE_DAYS_MAX) ? { ...amount, day } : 'day is 1 to 31.';
  },
  daily: amountOf,
  multi_day(said) {
    const amount = amountOf(said);
    const { days } = said as { days?: unknown };
    if (typeof amount === 'string' || days === undefined) return amount;
    return isWhole(days, 2, CYCLE_DAYS_MAX) ? { ...amount, days } : 'days is 2 to 31.';
  },
  no_use_days: (said) =>
    isWhole(said, 1, NO_USE_DAYS_MAX) ? said : `it is 1 to ${NO_USE_DAYS_MAX}.`,
};

function amountOf(said: unknown): Amount | string {
  if (typeof said !== 'object' || said === null) return 'it has an amount and a unit.';
  const { amount, unit } = said as { amount?: unknown; unit?: unknown };
  const known = VOLUME_UNITS.find((one) => one === unit);
  if (!known) return `unit is one of ${VOLUME_UNITS.join(', ')}.`;
  if (typeof amount !== 'number' || !(amount > 0 && amount <= AMOUNT_MAX)) {
    return `amount is more than 0 and at most ${AMOUNT_MAX}.`;
  }
  return { amount, unit: known };
}

const isWhole = (said: unknown, least: number, most: number): said is number =>
  typeof said === 'number' && Number.isInteger(said) && said >= least && said <= most;

/** `vacation.set` {meter, from, to, amount, unit}: local dates, both included. */
function vacationOf(args: Args): Change | string {
  const amount = amountOf(args);
  if (typeof amount === 'string') return amount;
  const [from, to] = [args['from'], args['to']].map((one) => dayOf(String(one)));
  if (from == null || to == null) return 'from and to are dates, as in 2026-07-01.';
  if (to < from || to - from >= WINDOW_DAYS_MAX) {
    return `A vacation lasts 1 to ${WINDOW_DAYS_MAX} days.`;
  }
  return { whose: args['meter'], usage: { vacation: { ...amount, from, to } } };
}

/** What commands have said before and with this change. */
function wishesAfter(before: AlertWishes | undefined, change: Change): AlertWishes {
  const { usage, again = [] } = change;
  const wished: Record<string, unknown> = { ...before?.usage, ...usage };
  for (const name of again) delete wished[AGAIN[name] ?? ''];
  const makers = again.includes('makers') ? undefined : (change.makers ?? before?.makers);
  return { usage: wished, ...(makers ? { makers } : {}) };
}

async function changeRules(
  journal: Journal,
  operating: Operating,
  args: Args,
  change: Change | string,
): Promise<CommandAnswer> {
  if (typeof change === 'string') return refused('bad_request', change, 'See docs/leaks.md.');
  const { whose } = change;
  const place = whose === ALL ? null : placeOf(journal, operating, { ...args, meter: whose });
  if (place && 'ok' in place) return place;
  if (!journal.isSound()) {
    return refused('busy', 'The journal cannot be written now.', 'Try again.');
  }
  const meter = place?.target.meter ?? ALL;
  journal.keepWishes(meter, wishesAfter(journal.wishes(meter), change));
  // Before anything is waited for: a write that failed meanwhile would have taken them along.
  const kept = await written(journal, {});
  if (!kept.ok) return kept;
  for (const one of place ? [meter] : operating.places.keys()) await operating.watches?.heed(one);
  const told = place ? [place] : [...operating.places.values()];
  const meters = told.slice(0, TOLD_MAX).map((one) => rulesTold(journal, operating, one));
  const all = { defaults: true, meters_count: told.length, meters };
  return written(journal, place ? { ...meters[0] } : all);
}

/** The rules of a place, each amount with the counts it is compared in. */
export function rulesTold(
  journal: Journal,
  { watches, clock }: Operating,
  place: MeteredPlace,
): object {
  const { target, rules } = standing(place, journal);
  const now = watches?.rulesOf(target.meter, rules);
  return {
    meter: target.meter,
    ...(now ? { service: now.usage.service, alerts: told(now, clock.now()) } : {}),
  };
}

function told({ usage, makers, dial }: WatchedRules, at: EpochMs): object {
  const { billingCycle, daily, multiDay, vacation, noUseDays } = usage;
  const counted = <T extends Amount>(amount: T | undefined) => {
    if (!amount) return null;
    const { counts, rounded } = thresholdOf(amount, dial);
    return { ...amount, counts, rounded: rounded ? 'up to whole counts' : 'no' };
  };
  const away = counted(vacation);
  return {
    billing_cycle: counted(billingCycle),
    daily: counted(daily),
    multi_day: counted(multiDay && { days: 7, ...multiDay }),
    vacation: away && {
      ...away,
      ...{ from: dateOf(away.from), to: dateOf(away.to), over: usage.zone(at) > away.to },
    },
    ...{ no_use_days: noUseDays ?? null, makers },
  };
}

/** `alerts` {meter}: rules and standing alarms of a meter, or of all. */
async function tellAlerts(
  journal: Journal,
  operating: Operating,
  args: Args,
): Promise<CommandAnswer> {
  const one = args['meter'] === undefined ? null : placeOf(journal, operating, args);
  if (one && 'ok' in one) return one;
  const places = one ? [one] : [...operating.places.values()];
  const meters = places.map((place) => {
    const { meter } = place.target;
    return { ...rulesTold(journal, operating, place), standing: standingTold(journal, meter) };
  });
  return { ok: true, data: { meters } };
}

function standingTold(journal: Journal, meter: string): readonly object[] {
  const state = journal.installation(meter);
  if (!state) return [];
  const { standing: own, alerts = {} } = state.alarms;
  const all = [
    ...Object.entries(own).map(([code, alarm]) => ({ code, inst: state.inst, ...alarm })),
    ...Object.values(alerts),
  ];
  return all
    .sort((a, b) => a.since - b.since)
    .map((alarm) => ({
      ...{ id: eventIdOf(meter, alarm), code: alarm.code, severity: alarm.severity },
      ...{ since: isoTime(alarm.since), acknowledged_by: alarm.acknowledged ?? null },
    }));
}

/** An event's id, with or without the time at which it began (see `eventIdOf`). */
const OWN_ID = /^journal-(\d+)(?:\.[0-9a-z]+)?$/;
const METER_ID = /^(.+)-(\d+)-(\d+)(?:\.[0-9a-z]+)?$/;

/** Whether `id` may mean this alarm: one of an earlier life of the journal began at another time. */
function means(id: string, meter: string, alarm: Parameters<typeof eventIdOf>[1]): boolean {
  return !id.includes('.') || id === eventIdOf(meter, alarm);
}

/** `event.ack` {id, by}: somebody knows of it. What is over needs nobody; it is said so. */
async function acknowledgeEvent(
  journal: Journal,
  operating: Operating,
  { id, by }: Args,
): Promise<CommandAnswer> {
  const [, own] = OWN_ID.exec(String(id)) ?? [];
  if (own !== undefined) return acknowledgeOwn(journal, String(id), Number(own));
  const [, meter = '', inst, alarm] = METER_ID.exec(String(id)) ?? [];
  const place = placeOf(journal, operating, { meter });
  const state = journal.installation(meter);
  if ('ok' in place || !state) {
    const message = `There is no event ${String(id)} of a meter.`;
    return refused('bad_request', message, 'The id stands in the event: meter-collector events');
  }
  const [of, number] = [Number(inst), Number(alarm)];
  const found = standingAlarm(state.alarms, state.inst, of, number);
  if (!found || !means(String(id), meter, { inst: of, alarm: number, since: found.since })) {
    return overOrUnknown(journal, String(id), meter, of, number);
  }
  const who = textOf(by) ?? 'unnamed';
  if (found.acknowledged === undefined) {
    const at = operating.clock.now();
    const { alarms, events } = acknowledge(state.alarms, of, number, who, at);
    const nothing = { increments: [], entries: [], notices: [] };
    journal.commit(meter, { state: { ...state, alarms }, events, ...nothing });
  }
  const known = found.acknowledged ?? who;
  return written(journal, { id, code: found.code, stands: true, acknowledged_by: known });
}

/** What lasts of what the collector tells of itself. */
export const LASTING: ReadonlySet<string> = new Set([
  'journal.pressure',
  'bus.down',
  'clock.unsynced',
]);

/** What the collector told of itself is over when it is told, but for what lasts: nothing keeps who knows of that. */
async function acknowledgeOwn(journal: Journal, id: string, alarm: number): Promise<CommandAnswer> {
  let last: EventRow | undefined;
  for await (const row of journal.eventsOf('')) {
    if (row.alarm === alarm && LASTING.has(row.code)) last = row;
  }
  if (last === undefined || last.phase === 'clear' || !means(id, '', last)) {
    return overOrUnknown(journal, id, '', 0, alarm);
  }
  const message = `${last.code} stands, and is over by itself alone.`;
  return refused('conflict', message, 'Only events of a meter are acknowledged.');
}

async function overOrUnknown(
  journal: Journal,
  id: string,
  meter: string,
  inst: number,
  alarm: number,
): Promise<CommandAnswer> {
  for await (const row of journal.eventsOf(meter)) {
    if (row.inst !== inst || row.alarm !== alarm || !means(id, meter, row)) continue;
    return { ok: true, data: { id, code: row.code, stands: false, acknowledged_by: null } };
  }
  const message = `There is no event ${id}.`;
  return refused('bad_request', message, 'The id stands in the event: meter-collector events');
}
