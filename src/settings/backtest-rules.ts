// Reads the rules of a backtest from a YAML file, or says all of its problems at once.

import { join } from 'node:path';
import { type BacktestRules, DEFAULT_RULES } from '../domain/backtest-rules.ts';
import type { MakersRule } from '../domain/leaks/makers.ts';
import { checkVacation, checkZone, toUsage } from './alerts.ts';
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
  if (wrong.length === 0) {
    checkZone(data['timezone'], '/timezone', findings);
    checkVacations(data, findings);
  }
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
    checkVacation(record(usage)['vacation'], `${pointer}/vacation`, findings);
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
