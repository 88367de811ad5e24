// Every story under this folder, played by the whole collector: the hours, gaps and events a head-end hears are the golden ones.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { conserve } from '../../src/domain/conservation.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { play, type Scenario } from './stage.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const stories = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** The golden lines as the entries of a head-end. */
function entriesOf(golden: string): Entry[] {
  return golden
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((row) => row['event'] === undefined)
    .map((row) => {
      const rev = (row['rev'] as number | undefined) ?? 0;
      const at = (name: string) => Date.parse(String(row[name]));
      return row['start'] === undefined
        ? ({ kind: 'gap', ...row, from: at('from'), to: at('to'), rev } as unknown as Entry)
        : ({ kind: 'hour', ...row, start: at('start'), rev } as unknown as Entry);
    });
}

describe('stories of a meter', () => {
  it.each(stories)('%s', async (name) => {
    const text = readFileSync(join(here, name, 'scenario.yaml'), 'utf8');
    const scenario = parse(text) as Scenario;
    const golden = await play(scenario);
    // What it says must be true whatever the golden file says: `vitest -u` writes that anew.
    const entries = entriesOf(golden);
    for (const inst of new Set(entries.map((entry) => entry.inst))) {
      const mine = entries.filter((entry) => entry.inst === inst);
      const hour = mine.find((entry) => entry.kind === 'hour' && entry.total !== null);
      if (hour?.kind !== 'hour' || hour.read === null || hour.total === null) continue;
      const digits =
        inst > 1 ? (scenario.swapped?.digits ?? scenario.dial.digits) : scenario.dial.digits;
      const initial = (((hour.read - hour.total) % 10 ** digits) + 10 ** digits) % 10 ** digits;
      expect(conserve(inst, mine, initial, { digits }).problem).toBeNull();
    }
    await expect(golden).toMatchFileSnapshot(join(here, name, 'expected.ndjson'));
  });
});
