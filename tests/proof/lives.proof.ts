// 300 lives of the whole collector with faults from a seed, on virtual time.

import { expect, it } from 'vitest';
import { liveThrough } from '../whole/campaign.ts';

const SEEDS = 300;

it(`${SEEDS} lives with faults from a seed: nothing lost, nothing invented, nothing left waiting`, async () => {
  const struck: Record<string, number> = {};
  let hours = 0;
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const { audit, own, faults } = await liveThrough(seed);
    expect({ seed, findings: audit.findings }).toEqual({ seed, findings: [] });
    expect({ seed, lost: audit.lost, invented: audit.invented, twice: audit.duplicates }).toEqual({
      ...{ seed, lost: 0, invented: 0, twice: 0 },
    });
    expect({ seed, own }).toMatchObject({ seed, own: { ok: true, pending: 0 } });
    hours += audit.hours;
    for (const [kind, times] of Object.entries(faults)) struck[kind] = (struck[kind] ?? 0) + times;
  }
  process.stdout.write(
    `${SEEDS} lives, ${hours} hours of meters, faults ${JSON.stringify(struck)}\n`,
  );
  for (const times of Object.values(struck)) expect(times).toBeGreaterThan(100);
});
