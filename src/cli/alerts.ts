// The commands by which a person says what a place is watched for, and sees what stands.

import type { Command } from 'commander';
import { ask, perform } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
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
function inWords(one: ToldAmount | number | readonly string[]): string {
  if (typeof one === 'number') return `${one} days`;
  if ('length' in one) return one.join(', ');
  const { amount, unit, counts, rounded, day, days, from, to } = one;
  const when = [
    ...(day === undefined ? [] : [`from day ${day}`]),
    ...(days === undefined ? [] : [`over ${days} days`]),
    ...(from === undefined ? [] : [`from ${from} to ${to}`]),
  ];
  const counted = `${counts} counts${rounded === 'no' ? '' : ', rounded up'}`;
  return [`${amount} ${unit} (${counted})`, ...when].join(' ');
}

function rulesText(meters: readonly ToldMeter[]): string {
  const rows = meters.flatMap(({ meter, service, alerts }) => {
    const set = Object.entries(alerts).flatMap(([name, one]) => {
      const isSet = one !== null && !(Array.isArray(one) && one.length === 0);
      return isSet ? [[meter, name, inWords(one)]] : [];
    });
    return [[meter, 'service', service], ...set];
  });
  return table(['METER', 'ALERT', 'AT'], rows);
}

function standingText(meters: readonly ToldMeter[]): string {
  const rows = meters.flatMap(({ standing = [] }) =>
    standing.map(({ id, code, since, acknowledged_by: by }) => [id, code, since, by ?? '-']),
  );
  return rows.length === 0 ? 'Nothing stands.\n' : table(['ID', 'CODE', 'SINCE', 'KNOWN TO'], rows);
}

function toldRules(data: Fields): string {
  const all = (data['meters'] ?? [data]) as readonly ToldMeter[];
  return rulesText(all.filter((one) => one.alerts !== undefined));
}

/** Adds the commands to the command line; `done` takes the exit code. */
export function addAlerts(
  program: Command,
  manner: Manner,
  io: Io,
  parts: Parts,
  done: (exit: number) => void,
): void {
  const command = (parent: Command, spec: string, description: string): Command =>
    parent
      .command(spec)
      .description(description)
      .option('--json', 'answer in JSON')
      .requiredOption('--config <file>', 'settings file');
  const act = async (file: string, name: string, args: Fields, say: (data: Fields) => string) => {
    const answered = await perform({ file, name, args }, manner, io, parts);
    if ('exit' in answered) return done(answered.exit);
    if (manner.json) sayJson(io, answered.data);
    else io.out(say(answered.data as Fields));
    return done(EXIT.ok);
  };
  const badAmount = (typed: string): void => {
    const message = `"${typed}" is no amount.`;
    const hint = 'An amount is a number and ft3, gal, m3 or L, as in "500 gal".';
    done(fail(io, manner, { code: 'usage.amount', message, hint }, EXIT.usage));
  };

  const alerts = program.command('alerts').description('say what meters are watched for');
  command(alerts, 'list [meter]', 'the alerts of a meter, or of all, and what stands').action(
    async (meter, { config: file }) => {
      const args = meter === undefined ? {} : { meter };
      const question = { file, name: 'alerts', args, list: 'meters' };
      const answered = await ask(question, manner, io, parts);
      if ('exit' in answered) return done(answered.exit);
      const { meters } = answered.data as { meters: readonly ToldMeter[] };
      if (manner.json) sayJson(io, answered.data);
      else io.out(`${rulesText(meters)}\n${standingText(meters)}`);
      return done(EXIT.ok);
    },
  );
  command(alerts, 'set [meter]', 'set alerts of a meter; amounts as in "500 gal"')
    .option('--defaults', 'of all meters that have none of their own')
    .option('--daily <amount>', 'use of a local day')
    .option('--billing-cycle <amount>', 'use since a day of the month')
    .option('--day <n>', 'that day, 1 to 31 (default 1)')
    .option('--multi-day <amount>', 'use of several local days')
    .option('--days <n>', 'so many, 2 to 31 (default 7)')
    .option('--idle-days <n>', 'days without a count')
    .option('--makers <rules>', 'rules of the makers, with commas between them')
    .option('--off <names>', 'any of billing_cycle, daily, multi_day, no_use_days')
    .option('--as-settings <names>', 'any of those, as the settings say again')
    .action(async (meter, { config: file, ...options }) => {
      const args = alertArgs(meter, options);
      if (typeof args['bad'] === 'string') return badAmount(args['bad']);
      return act(file, 'alerts.set', args, toldRules);
    });

  const vacations = program.command('vacation').description('watch a place while nobody is home');
  command(vacations, 'set <meter>', 'one amount over a range of dates, in place of other alerts')
    .requiredOption('--from <date>', 'first day, as in 2026-07-01')
    .requiredOption('--to <date>', 'last day')
    .requiredOption('--amount <amount>', 'as in "5 gal"')
    .action(async (meter, { config: file, from, to, amount: typed }) => {
      const amount = amountOf(typed);
      if (!amount) return badAmount(typed);
      return act(file, 'vacation.set', { meter, from, to, ...amount }, toldRules);
    });
  command(vacations, 'clear <meter>', 'the other alerts apply again').action(
    async (meter, { config: file }) => act(file, 'vacation.clear', { meter }, toldRules),
  );
  command(program, 'service <meter> <state>', 'the service is active or inactive').action(
    async (meter, service, { config: file }) =>
      act(file, 'service.set', { meter, service }, toldRules),
  );
  command(program, 'ack <event>', 'you know of an event: its id stands in "alerts list"')
    .option('--by <name>', 'who knows of it')
    .action(async (id, { config: file, by }) =>
      act(file, 'event.ack', { id, by }, ({ code, stands, acknowledged_by: who }) =>
        stands === true ? `${code} is known to ${who}.\n` : `${code} is over.\n`,
      ),
    );
}
