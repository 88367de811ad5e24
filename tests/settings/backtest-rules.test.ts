// The rules of a backtest: a whole file, and what is refused in one.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { dayOf } from '../../src/domain/usage/civil.ts';
import { loadBacktestRules } from '../../src/settings/backtest-rules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'backtest-rules-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  const file = join(folder, 'rules.yaml');
  writeFileSync(file, text);
  return loadBacktestRules({ file, root });
}

describe('the rules of a backtest', () => {
  it('are all understood', async () => {
    const checked = await load(`
makers: [quarters-96, hours-24]
timezone: America/Denver
usage:
  billing_cycle: { amount: 1000, unit: ft3, day: 15 }
  daily: { amount: 500, unit: gal }
  no_use_days: 14
meters:
  SP-1:
    vacation: { amount: 5, unit: gal, from: 2026-07-01, to: 2026-07-14 }
    service: inactive
`);
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    const { rules } = checked;
    expect(rules.makers).toEqual(['quarters-96', 'hours-24']);
    expect(rules.timezone).toBe('America/Denver');
    expect(rules.usage.billingCycle).toEqual({ amount: 1000, unit: 'ft3', day: 15 });
    const { vacation, service } = rules.meters.get('SP-1') ?? {};
    expect(vacation).toMatchObject({ from: dayOf('2026-07-01'), to: dayOf('2026-07-14') });
    expect(service).toBe('inactive');
  });

  it.each([
    ['usage: { dialy: { amount: 1, unit: gal } }', 'key.unknown'],
    ['usage: { daily: { amount: -1, unit: gal } }', 'value.range'],
    ['usage: { daily: { amount: 1, unit: litres } }', 'value.enum'],
    ['makers: [neptune]', 'value.enum'],
    ['timezone: Mars/Olympus', 'value.time'],
    ['timezone: Mars Olympus', 'value.pattern'],
    [
      'usage: { vacation: { amount: 1, unit: gal, from: 2026-02-30, to: 2026-03-02 } }',
      'value.time',
    ],
    [
      'usage: { vacation: { amount: 1, unit: gal, from: 2026-03-02, to: 2026-03-01 } }',
      'value.range',
    ],
  ])('%s is refused as %s', async (text, code) => {
    const checked = await load(`${text}\n`);
    expect(checked.ok ? [] : checked.problems.map((one) => one.code)).toContain(code);
  });
});
