// The commands that look at a bus, as a technician reads them.

import { describe, expect, it } from 'vitest';
import { SEEN_KEYS } from '../../src/domain/bus-seen.ts';
import { fakeParts, scriptedCommands, typed } from './fake-parts.ts';

const counts = (more: Record<string, number>) => ({
  ...Object.fromEntries(SEEN_KEYS.map((key) => [key, 0])),
  ...more,
});

const STATS = {
  buses: [
    {
      ...{ bus: 'pit', type: 'modbus-rtu', open: true, detail: 'open', timeout_ms: 1000 },
      ...{ utilisation: 0.125, headroom_per_min: 700, read_ms: 75, p50_ms: 40, p95_ms: 44.4 },
      advice: [
        { code: 'bus.spoilt', meters: [], says: 'Bits arrive wrong: baud or parity.', next: 'Do.' },
      ],
      total: counts({ polls: 5 }),
      day: counts({ polls: 5 }),
      meters: [
        {
          ...{ meter: 'SP-1', address: '17', p50_ms: 40, p95_ms: null, latest_ms: null },
          ...{ total: counts({ polls: 5 }), day: counts({ polls: 5, crc: 4, ok: 1, wrong_id: 2 }) },
        },
      ],
    },
  ],
};

describe('bus stats', () => {
  it('says how busy each bus is, what is wrong and how the questions ended', async () => {
    const { asked, commands } = scriptedCommands({ 'bus.stats': { ok: true, data: STATS } });
    const parts = fakeParts({ daemon: () => commands });
    const { exit, out } = await typed('bus stats pit --config good.yaml', parts);
    expect(exit).toBe(0);
    expect(asked).toEqual([['bus.stats', { bus: 'pit' }]]);
    expect(out).toContain('pit (modbus-rtu): 12.5 % busy in the last hour, 700 reads a minute');
    expect(out).toContain('Bits arrive wrong: baud or parity. Do.');
    expect(out).toMatch(/SP-1 +17 +40\.0 ms +- +5 +1 +0 +0 +0 +4 +0 +0 +2 +0 +0 +0\n/);
  });

  it('answers as the collector does with --json, and ends with 7 where none runs', async () => {
    const { commands } = scriptedCommands({ 'bus.stats': { ok: true, data: STATS } });
    const parts = fakeParts({ daemon: () => commands });
    const { out } = await typed('bus stats --config good.yaml --json', parts);
    expect(JSON.parse(out)).toEqual(STATS);
    expect((await typed('bus stats --config good.yaml', fakeParts())).exit).toBe(7);
  });
});
