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

describe('bus trace', () => {
  const frame = (at_us: number) => ({ at_us, dir: 'tx', hex: '01', gap_us: 1 });
  /** A collector that hands out two pieces, then says that it lost three, then ends. */
  function tracing() {
    const asked: [string, unknown][] = [];
    const taken = [
      { frames: [frame(1), frame(2)], next: 2, lost: 0, over: false },
      { frames: [frame(9)], next: 6, lost: 3, over: true },
    ];
    const run = async (name: string, args: unknown) => {
      asked.push([name, args]);
      const data = name === 'bus.trace.take' ? taken.shift() : { bus: 'pit', trace: 4 };
      return { ok: true, data } as const;
    };
    return { asked, daemon: () => ({ run }) };
  }
  const lines = [1, 2, 9].map((at) => `${JSON.stringify(frame(at))}\n`).join('');

  it('writes each piece as a line on standard output, and says what was lost', async () => {
    const { asked, daemon } = tracing();
    const line = 'bus trace pit --for 5m --config good.yaml';
    const { exit, out, err } = await typed(line, fakeParts({ daemon }));
    expect({ exit, out }).toEqual({ exit: 0, out: lines });
    expect(asked[0]).toEqual(['bus.trace', { bus: 'pit', for_s: 300 }]);
    expect(asked[2]).toEqual(['bus.trace.take', { bus: 'pit', trace: 4, after: 2 }]);
    expect(err).toContain('3 pieces. 3 more came too fast');
  });

  it('writes into a file instead, and a wish to stop ends it', async () => {
    const { asked, daemon } = tracing();
    let text = '';
    let closed = false;
    const createFile = async () => ({
      write: async (more: string) => {
        text += more;
      },
      close: async () => {
        closed = true;
      },
    });
    const onStop = (listener: () => void) => {
      listener();
      return () => undefined;
    };
    const parts = fakeParts({ daemon, createFile, onStop });
    const { out } = await typed('bus trace pit --out x.ndjson --config good.yaml', parts);
    expect({ out, text, closed }).toEqual({ out: '', text: lines, closed: true });
    expect(asked.map(([name]) => name)).toContain('bus.trace.stop');
  });

  it('refuses a time that is none, and a bus that is not there', async () => {
    const wrong = await typed('bus trace pit --for soon --config good.yaml', fakeParts());
    expect(wrong.exit).toBe(2);
    const refusal = { ok: false, code: 'bad_request', message: 'No.', hint: '' } as const;
    const { commands } = scriptedCommands({ 'bus.trace': refusal });
    const parts = fakeParts({ daemon: () => commands });
    expect((await typed('bus trace hut --config good.yaml', parts)).exit).toBe(2);
  });
});
