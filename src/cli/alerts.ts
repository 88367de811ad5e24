// The commands by which a person says what a place is watched for, and sees what stands.

import type { Command } from 'commander';
import { ask, perform } from './ask.ts';
import { addCommand, addGroup, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk, Manner } from './parts.ts';
import { fail, sayJson, table } from './say.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An amount as it is typed: `500 gal`, `1000ft3`. Undefined for what is none. */
function amountOf(typed: string): Fields | undefined {
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*(ft3|gal|m3|L)\s*$/.exec(typed) ?? [];
  return amount === undefined ? undefined : { amount: Number(amount), unit };
}

const listOf = (typed: string): string[] => typed.split(',').map((one) => one.trim());

interface SetOptions {
  readonly defaults?: boolean;
  readonly daily?: string;
  readonly billingCycle?: string;
  readonly day?: string;
  readonly multiDay?: string;
  readonly days?: string;
  readonly idleDays?: string;
  readonly makers?: string;
  readonly off?: string;
  readonly asSettings?: string;
}

/** The arguments of `alerts.set`, or the amount that is none. */
function alertArgs(meter: string | undefined, options: SetOptions): Fields | { bad: string } {
  const { defaults, daily, billingCycle, multiDay, days, idleDays, makers, asSettings } = options;
  const amounts = [
    ['daily', daily, {}],
    ['billing_cycle', billingCycle, { day: Number(options.day ?? '1') }],
    ['multi_day', multiDay, days === undefined ? {} : { days: Number(days) }],
  ] as const;
  const args: Record<string, unknown> = {};
  for (const [name, typed, more] of amounts) {
    if (typed === undefined) continue;
    const amount = amountOf(typed);
    if (!amount) return { bad: typed };
    args[name] = { ...amount, ...more };
  }
  const off = options.off === undefined ? [] : listOf(options.off);
  return {
    ...(defaults === true ? { defaults } : { meter }),
    ...args,
    ...(idleDays === undefined ? {} : { no_use_days: Number(idleDays) }),
    ...(makers === undefined ? {} : { makers: makers === '' ? [] : listOf(makers) }),
    ...Object.fromEntries(off.map((name) => [name, null])),
    ...(asSettings === undefined ? {} : { as_settings: listOf(asSettings) }),
  };
}

interface ToldAmount {
  readonly amount: number;
  readonly unit: string;
  readonly counts: number;
  readonly rounded: string;
  readonly day?: number;
  readonly days?: number;
  readonly from?: string;
  readonly to?: string;
  readonly over?: boolean;
}

interface ToldMeter {
  readonly meter: string;
  readonly service: string;
  readonly alerts: Readonly<Record<string, ToldAmount | number | readonly string[] | null>>;
  readonly standing?: readonly {
    readonly id: string;
    readonly code: string;
    readonly since: string;
    readonly acknowledged_by: string | null;
  }[];
}

/** One alert in words: `500 gal (669 counts, rounded up)`. */
function inWords(one: ToldAmount | number | readonly string[], { say }: Manner): string {
  if (typeof one === 'number') return say('cli.a_days', { count: one });
  if ('length' in one) return one.join(', ');
  const { amount, unit, counts, rounded, day, days, from, to, over } = one;
  const when = [
    ...(day === undefined ? [] : [say('cli.a_from_day', { day })]),
    ...(days === undefined ? [] : [say('cli.a_over_days', { days })]),
    ...(from === undefined ? [] : [say('cli.a_range', { from, to: to ?? '' })]),
    ...(over === true ? [say('cli.a_over')] : []),
  ];
  const counted = say(rounded === 'no' ? 'cli.a_counts' : 'cli.a_counts_up', { counts });
  return [`${amount} ${unit} (${counted})`, ...when].join(' ');
}

function rulesText(meters: readonly ToldMeter[], manner: Manner): string {
  const { say } = manner;
  const rows = meters.flatMap(({ meter, service, alerts }) => {
    const set = Object.entries(alerts).flatMap(([name, one]) => {
      const isSet = one !== null && !(Array.isArray(one) && one.length === 0);
      return isSet ? [[meter, name, inWords(one, manner)]] : [];
    });
    return [[meter, say('cli.a_service'), service], ...set];
  });
  const headings = ['meter', 'alert', 'at_level'].map((name) => say(`cli.h_${name}`));
  return table(headings, rows, manner);
}

function standingText(meters: readonly ToldMeter[], manner: Manner): string {
  const { say } = manner;
  const rows = meters.flatMap(({ standing = [] }) =>
    standing.map(({ id, code, since, acknowledged_by: by }) => [id, code, since, by ?? '-']),
  );
  if (rows.length === 0) return `${say('cli.nothing_stands')}\n`;
  const headings = ['id', 'code', 'since', 'known_to'].map((name) => say(`cli.h_${name}`));
  return table(headings, rows, manner);
}

function toldRules(data: Fields, manner: Manner): string {
  const all = (data['meters'] ?? [data]) as readonly ToldMeter[];
  return rulesText(
    all.filter((one) => one.alerts !== undefined),
    manner,
  );
}

/** Adds `alert`, `vacation`, `service` and `ack`. */
export function addAlerts(program: Command, desk: Desk): void {
  addAlert(program, desk);
  addVacation(program, desk);
  const service = addCommand(program, desk, {
    ...{ spec: 'service <meter> <state>', key: 'c_service', example: 'service SP-1 inactive' },
  });
  withConfig(service, desk).action(async (meter, state, { config: file }) =>
    act(desk, { file, name: 'service.set', args: { meter, service: state } }, toldRules),
  );
  const ack = addCommand(program, desk, {
    ...{ spec: 'ack <event>', key: 'c_ack', example: 'ack SP-1-1-7 --by ANA' },
  });
  option(withConfig(ack, desk), desk, '--by <name>', 'o_by_ack').action(
    async (id, { config: file, by }) =>
      act(
        desk,
        { file, name: 'event.ack', args: { id, by } },
        ({ code, stands, acknowledged_by: who }, { say }) =>
          `${say(stands === true ? 'cli.ack_known' : 'cli.ack_over', {
            ...{ code: String(code), who: String(who) },
          })}\n`,
      ),
  );
}

async function act(
  { manner, io, parts, done }: Desk,
  asked: { readonly file: string; readonly name: string; readonly args: Fields },
  told: (data: Fields, manner: Manner) => string,
): Promise<void> {
  const answered = await perform(asked, manner, io, parts);
  if ('exit' in answered) return done(answered.exit);
  if (manner.json) sayJson(io, answered.data);
  else io.out(told(answered.data as Fields, manner));
  return done(EXIT.ok);
}

function badAmount(what: string, { manner, io, done }: Desk): void {
  const message = manner.say('cli.bad_amount', { what });
  const hint = manner.say('cli.bad_amount_hint');
  done(fail(io, manner, { code: 'usage.amount', message, hint }, EXIT.usage));
}

const SET_OPTIONS: readonly (readonly [flags: string, key: string])[] = [
  ['--defaults', 'o_defaults'],
  ['--daily <amount>', 'o_daily'],
  ['--billing-cycle <amount>', 'o_billing'],
  ['--day <n>', 'o_day'],
  ['--multi-day <amount>', 'o_multi'],
  ['--days <n>', 'o_days'],
  ['--idle-days <n>', 'o_idle'],
  ['--makers <rules>', 'o_makers'],
  ['--off <names>', 'o_off'],
  ['--as-settings <names>', 'o_as_settings'],
];

function addAlert(program: Command, desk: Desk): void {
  const { manner, io, parts, done } = desk;
  const alert = addGroup(program, desk, 'alert', 'g_alert');
  const list = addCommand(alert, desk, {
    ...{ spec: 'list [meter]', key: 'c_alert_list', example: 'alert list SP-1' },
  });
  withConfig(list, desk).action(async (meter, { config: file }) => {
    const args = meter === undefined ? {} : { meter };
    const answered = await ask({ file, name: 'alerts', args, list: 'meters' }, manner, io, parts);
    if ('exit' in answered) return done(answered.exit);
    const { meters } = answered.data as { meters: readonly ToldMeter[] };
    if (manner.json) sayJson(io, answered.data);
    else io.out(`${rulesText(meters, manner)}\n${standingText(meters, manner)}`);
    return done(EXIT.ok);
  });
  const set = addCommand(alert, desk, {
    ...{ spec: 'set [meter]', key: 'c_alert_set', example: 'alert set SP-1 --daily "500 gal"' },
  });
  for (const [flags, key] of SET_OPTIONS) option(set, desk, flags, key);
  withConfig(set, desk).action(async (meter, { config: file, ...options }) => {
    const args = alertArgs(meter, options);
    if (typeof args['bad'] === 'string') return badAmount(args['bad'], desk);
    return act(desk, { file, name: 'alerts.set', args }, toldRules);
  });
}

function addVacation(program: Command, desk: Desk): void {
  const { say } = desk.manner;
  const vacation = addGroup(program, desk, 'vacation', 'g_vacation');
  const set = addCommand(vacation, desk, {
    spec: 'set <meter>',
    key: 'c_vacation_set',
    example: 'vacation set SP-1 --from 2026-07-01 --to 2026-07-14 --amount "5 gal"',
  });
  const date = say('cli.arg_date');
  set
    .requiredOption(`--from <${date}>`, say('cli.o_first_day'))
    .requiredOption(`--to <${date}>`, say('cli.o_last_day'))
    .requiredOption(`--amount <${say('cli.arg_amount')}>`, say('cli.o_amount'));
  withConfig(set, desk).action(async (meter, { config: file, from, to, amount: typed }) => {
    const amount = amountOf(typed);
    if (!amount) return badAmount(typed, desk);
    const args = { meter, from, to, ...amount };
    return act(desk, { file, name: 'vacation.set', args }, toldRules);
  });
  const clear = addCommand(vacation, desk, {
    ...{ spec: 'clear <meter>', key: 'c_vacation_clear', example: 'vacation clear SP-1' },
  });
  withConfig(clear, desk).action(async (meter, { config: file }) =>
    act(desk, { file, name: 'vacation.clear', args: { meter } }, toldRules),
  );
}
