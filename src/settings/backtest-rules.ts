// Reads the rules of a backtest from a YAML file, or says all of its problems at once.

import { join } from 'node:path';
import type { UsageSettings } from '../domain/alert-rules.ts';
import { type BacktestRules, DEFAULT_RULES } from '../domain/backtest-rules.ts';
import type { MakersRule } from '../domain/leaks/makers.ts';
import { dayOf } from '../domain/usage/civil.ts';
import type { Amount } from '../domain/usage/threshold.ts';
import { WINDOW_DAYS_MAX } from '../domain/usage/usage.ts';
import { checkSchema, compileSchema } from './check-schema.ts';
import { Findings, record } from './findings.ts';
import { readBounded, readSource } from './load-source.ts';
import { pointerTo } from './parse-yaml.ts';
import { inOrder, type Problem } from './problems.ts';

export type CheckedRules =
  | { readonly ok: true; readonly rules: BacktestRules }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Loads `file`. `root` is the package's folder, which holds config/. */
export async function loadBacktestRules(options: {
  readonly file: string;
  readonly root: string;
}): Promise<CheckedRules> {
  const { source, problems } = await readSource(options.file);
  if (source === undefined) return { ok: false, problems: inOrder(problems) };
  const text = await readBounded(join(options.root, 'config', 'backtest-rules.schema.json'));
  const findings = new Findings(source);
  const wrong = [...problems, ...checkSchema(source, compileSchema(text))];
  const data = record(source.data);
  if (wrong.length === 0) checkVacations(data, findings);
  const all = [...wrong, ...findings.problems];
  return all.length > 0
    ? { ok: false, problems: inOrder(all) }
    : { ok: true, rules: toRules(data) };
}

type Fields = Readonly<Record<string, unknown>>;

function checkVacations(data: Fields, findings: Findings): void {
  const meters = Object.entries(record(data['meters'])).map(
    ([meter, usage]) => [pointerTo('/meters', meter), usage] as const,
  );
  for (const [pointer, usage] of [['/usage', data['usage']] as const, ...meters]) {
    const vacation = record(record(usage)['vacation']);
    if (vacation['from'] === undefined) continue;
    for (const key of ['from', 'to']) {
      if (dayOf(String(vacation[key])) !== null) continue;
      const message = `${key} is not a date of the calendar.`;
      findings.problem({ code: 'value.time', pointer: `${pointer}/vacation/${key}`, message });
    }
    const days = (dayOf(String(vacation['to'])) ?? 0) - (dayOf(String(vacation['from'])) ?? 0) + 1;
    if (days >= 1 && days <= WINDOW_DAYS_MAX) continue;
    const message = `A vacation lasts 1 to ${WINDOW_DAYS_MAX} days.`;
    findings.problem({ code: 'value.range', pointer: `${pointer}/vacation/to`, message });
  }
}

function toRules(data: Fields): BacktestRules {
  const number = (key: string) => (typeof data[key] === 'number' ? data[key] : null);
  const meters = Object.entries(record(data['meters']));
  return {
    makers: (data['makers'] as MakersRule[] | undefined) ?? [],
    timezone: typeof data['timezone'] === 'string' ? data['timezone'] : null,
    jitter: number('jitter') ?? DEFAULT_RULES.jitter,
    toleranceS: number('tolerance_s') ?? DEFAULT_RULES.toleranceS,
    maxFlowPerH: number('max_flow_per_h'),
    usage: toUsage(record(data['usage'])),
    meters: new Map(meters.map(([meter, usage]) => [meter, toUsage(record(usage))])),
  };
}

function toUsage(data: Fields): UsageSettings {
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
