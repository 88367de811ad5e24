// What a person says of alerts reaches the collector as typed, and what the collector knows of them is shown in words.

import { describe, expect, it } from 'vitest';
import { good } from '../../src/domain/fault.ts';
import { absent, fakeParts, scriptedCommands, typed } from './fake-parts.ts';

const TOLD = {
  meter: 'SP-1',
  service: 'active',
  alerts: {
    daily: { amount: 3, unit: 'gal', counts: 5, rounded: 'up to whole counts' },
    multi_day: { amount: 10, unit: 'ft3', counts: 100, rounded: 'no', days: 7 },
    ...{ billing_cycle: null, vacation: null, no_use_days: 14, makers: ['hours-24'] },
  },
  standing: [
    { id: 'SP-1-1-7', code: 'leak.slow', since: '2026-06-01T00:00:00Z', acknowledged_by: null },
  ],
};
const done = { ok: true, data: TOLD } as const;

describe('alerts on the command line', () => {
  it.each([
    [
      'alert set SP-1 --daily 500gal --idle-days 14 --off multi_day',
      'alerts.set',
      { meter: 'SP-1', daily: { amount: 500, unit: 'gal' }, no_use_days: 14, multi_day: null },
    ],
    [
      'alert set --defaults --billing-cycle 1000ft3 --day 15 --multi-day 2.5m3 --days 10',
      'alerts.set',
      {
        defaults: true,
        billing_cycle: { amount: 1000, unit: 'ft3', day: 15 },
        multi_day: { amount: 2.5, unit: 'm3', days: 10 },
      },
    ],
    [
      'alert set SP-1 --makers hours-24,quarters-96 --as-settings daily',
      'alerts.set',
      { meter: 'SP-1', makers: ['hours-24', 'quarters-96'], as_settings: ['daily'] },
    ],
    [
      'vacation set SP-1 --from 2026-07-01 --to 2026-07-14 --amount 5L',
      'vacation.set',
      { meter: 'SP-1', from: '2026-07-01', to: '2026-07-14', amount: 5, unit: 'L' },
    ],
    ['vacation clear SP-1', 'vacation.clear', { meter: 'SP-1' }],
    ['service SP-1 inactive', 'service.set', { meter: 'SP-1', service: 'inactive' }],
    ['ack SP-1-1-7 --by t4', 'event.ack', { id: 'SP-1-1-7', by: 't4' }],
  ])('"%s" asks for %s', async (line, name, args) => {
    const { asked, commands } = scriptedCommands({ [name]: done });
    const parts = fakeParts({ daemon: () => commands });
    const { exit } = await typed(`${line} --config good.yaml`, parts);
    expect(exit).toBe(0);
    expect(asked).toEqual([[name, args]]);
  });

  it('lists what is watched for in counts, and what stands', async () => {
    const { commands } = scriptedCommands({ alerts: { ok: true, data: { meters: [TOLD] } } });
    const parts = fakeParts({ daemon: () => commands });
    const { exit, out } = await typed('alert list --config good.yaml', parts);
    expect(exit).toBe(0);
    for (const words of [
      '3 gal (5 counts, rounded up)',
      '10 ft3 (100 counts) over 7 days',
      '14 days',
      'hours-24',
      'SP-1-1-7',
      'leak.slow',
    ]) {
      expect(out).toContain(words);
    }
    const { out: json } = await typed('alert list --json --config good.yaml', parts);
    expect(JSON.parse(json)).toEqual({ meters: [TOLD] });
  });

  it('an amount that is none is wrong usage, and nothing is asked', async () => {
    const { asked, commands } = scriptedCommands({ 'alerts.set': done });
    const parts = fakeParts({ daemon: () => commands });
    const { exit, err } = await typed('alert set SP-1 --daily much --config good.yaml', parts);
    expect(exit).toBe(2);
    expect(err).toContain('"much"');
    expect(asked).toEqual([]);
  });
});

describe('backtest over a journal', () => {
  const T0 = Date.UTC(2026, 5, 1);
  const MINUTE = 60_000;
  const dial = { digits: 8, unit: 'ft3', pow10: -1 };
  /** A leak of 4 counts an hour for three days, as the journal keeps it: a count each quarter hour. */
  const steps = Array.from({ length: 288 }, (_, i) => [
    ...[T0 + i * 15 * MINUTE, 1_000 + i, T0 + (i + 1) * 15 * MINUTE, 1_001 + i],
  ]);
  function pages() {
    const asked: Record<string, unknown>[] = [];
    const commands = {
      async run(name: string, args: Readonly<Record<string, unknown>>) {
        if (name === 'ping') return { ok: true, data: {} } as const;
        asked.push(args);
        const { seq } = args['next'] as { seq: number };
        const page = steps.slice(seq, seq + 100);
        const next = seq + 100 < steps.length ? { inst: 1, seq: seq + 100 } : null;
        const installations = [{ inst: 1, dial, steps: page }];
        const data = { meter: 'SP-1', poll_s: 900, max_flow_per_h: 2_406, installations, next };
        return { ok: true, data } as const;
      },
    };
    return { asked, commands };
  }

  it('takes the readings page by page and tells what would have been raised', async () => {
    const { asked, commands } = pages();
    const parts = fakeParts({ daemon: () => commands });
    const { exit, out, err } = await typed('backtest --config good.yaml', parts);
    expect(exit).toBe(0);
    expect(asked).toHaveLength(3);
    expect(out).toContain('"code":"leak.continuous","phase":"raise"');
    expect(err).toContain('289 readings of 1 meters');
  });

  it('asks for the time that is wanted, and only for one meter where one is named', async () => {
    const { asked, commands } = pages();
    const parts = fakeParts({ daemon: () => commands });
    const span = '--from 2026-06-01 --to 2026-06-02T00:00:00Z --meter SP-1';
    const { exit, err } = await typed(`backtest --config good.yaml ${span}`, parts);
    expect(exit).toBe(0);
    expect(asked[0]).toMatchObject({ meter: 'SP-1', from: T0, to: T0 + 24 * 60 * MINUTE });
    expect(err).toContain('96 readings');
  });

  it.each([
    ['backtest'],
    ['backtest --readings f --config good.yaml'],
    ['backtest --readings f --from 2026-06-01'],
    ['backtest --config good.yaml --from yesterday'],
  ])('"%s" is wrong usage', async (line) => {
    const { exit } = await typed(line, fakeParts());
    expect(exit).toBe(2);
  });

  it('a journal that is not there is said', async () => {
    const fault = { code: 'store.failed', detail: 'ENOENT' } as const;
    const parts = fakeParts({
      daemon: () => absent,
      openJournal: async () => ({ ok: false, fault }),
    });
    const { exit, err } = await typed('backtest --config good.yaml', parts);
    expect(exit).toBe(1);
    expect(err).toContain('ENOENT');
    const empty = fakeParts({
      openJournal: async () => good({ ...absent, close: async () => {} }),
    });
    expect((await typed('backtest --config good.yaml', empty)).exit).toBe(7);
  });
});
