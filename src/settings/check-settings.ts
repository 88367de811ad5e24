// A parsed settings file to Settings or to all of its problems: pure, everything it needs is given.

import { checkAlerts, checkThresholds } from './alerts.ts';
import { checkConsole } from './check-console.ts';
import { checkMeters, type Profiles } from './check-meters.ts';
import { checkRounds } from './check-rounds.ts';
import { checkSchema, type Schema } from './check-schema.ts';
import { checkCollector } from './check-upstream.ts';
import { Findings } from './findings.ts';
import type { Source } from './parse-yaml.ts';
import { inOrder, type Problem } from './problems.ts';
import type { Settings } from './settings.ts';
import { toSettings } from './to-settings.ts';

export type Checked =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks `source` against `schema` (filling its defaults in) and against itself. `before` are problems found already,
 * in this file or in those of the profiles it names; `folder` is where relative paths start.
 */
export function checkSettings(
  source: Source,
  parts: {
    readonly schema: Schema;
    readonly profiles: Profiles;
    readonly folder: string;
    readonly before?: readonly Problem[];
    /** Warnings found already. */
    readonly doubts?: readonly Problem[];
  },
): Checked {
  const { schema, profiles, folder, before = [], doubts = [] } = parts;
  const findings = new Findings(source);
  findings.problems.push(...before, ...checkSchema(source, schema));
  findings.warnings.push(...doubts);
  checkCollector(source.data, folder, findings);
  checkConsole(source.data, findings);
  checkMeters(source, profiles, findings);
  checkAlerts(source.data, findings);
  if (findings.problems.length > 0) return { ok: false, problems: inOrder(findings.problems) };
  const settings = toSettings(source.data, folder, profiles);
  checkRounds(settings, findings);
  checkThresholds(settings, findings);
  return { ok: true, settings, warnings: inOrder(findings.warnings) };
}
