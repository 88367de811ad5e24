// `backtest` over small files: what it writes, in which order, and how it refuses what is no reading.

import { describe, expect, it } from 'vitest';
import type { CommandAnswer } from '../../src/boundaries.ts';
import { ownRules } from '../../src/cli/journal-readings.ts';
import { Backtest } from '../../src/codec/backtest.ts';
import { DEFAULT_RULES } from '../../src/domain/backtest-rules.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { registers, T0 } from '../domain/leaks/watched.ts';
import { fakeParts, typed } from './fake-parts.ts';

const METER = { type: 'meter', meter: 'SP-1', digits: 8, unit: 'ft3', pow10: -1, poll_s: 900 };
const line = (fields: object) => `${JSON.stringify(fields)}\n`;
const reading = (at: number, read: number, meter = 'SP-1') =>
  line({ type: 'reading', meter, at: new Date(at).toISOString(), read });

function file(text: string, pieces = 7) {
  return fakeParts({
    readText: async function* () {
      const size = Math.ceil(text.length / pieces);
      for (let from = 0; from < text.length; from += size) yield text.slice(from, from + size);
    },
  });
}

function leaky(meter = 'SP-1'): string[] {
  const leak = { perHour: 8, from: 15, to: 18 };
  return registers({ days: 20, seed: 'a', leak }).map(({ at, count }) =>
    reading(at, count + 5_000, meter),
  );
}

const command = 'backtest --readings file';
const parse = (out: string) =>
  out
    .split('\n')
    .filter(Boolean)
    .map((one) => JSON.parse(one) as Record<string, unknown>);

describe('backtest', () => {
  it('writes what would have been raised, with one id from raise to clear', async () => {
    const { exit, out, err } = await typed(command, file(line(METER) + leaky().join('')));
    expect(exit).toBe(0);
    const events = parse(out);
    expect(events.at(0)).toMatchObject({
      ...{ type: 'event', meter: 'SP-1', code: 'leak.continuous', phase: 'raise', unit: 'ft3' },
    });
    expect(events.at(-1)).toMatchObject({ phase: 'clear' });
    expect(new Set(events.map(({ id }) => id)).size).toBe(1);
    expect(Number(events.at(-1)?.['rate_per_h'])).toBeCloseTo(0.8, 1);
    expect(Date.parse(String(events[0]?.['at']))).toBeGreaterThan(T0 + 15 * 86_400_000);
    expect(err).toContain('1920 readings of 1 meters');
  });

  it('tells interleaved meters exactly as it tells them alone', async () => {
    const [one, two] = [leaky('SP-1'), leaky('SP-2')];
    const meters = line(METER) + line({ ...METER, meter: 'SP-2' });
    const mixed = one.map((text, i) => text + two[i]).join('');
    const both = parse((await typed(command, file(meters + mixed, 50))).out);
    const alone = parse((await typed(command, file(line(METER) + one.join('')))).out);
    expect(both.filter(({ meter }) => meter === 'SP-1')).toEqual(alone);
    expect(both.filter(({ meter }) => meter === 'SP-2')).toHaveLength(alone.length);
  });

  it('passes a rollover as water and not as an event of a leak', async () => {
    const rolled = registers({ days: 20, seed: 'a' }).map(({ at, count }) =>
      reading(at, (99_999_000 + count) % 100_000_000),
    );
    const { out } = await typed(command, file(line(METER) + rolled.join('')));
    expect(parse(out).map(({ code }) => code)).toEqual(['meter.rollover']);
  });

  it('writes the hours of the contract beside the same events', async () => {
    const text = line(METER) + leaky().join('');
    const hours = parse((await typed(`${command} --intervals`, file(text))).out);
    const events = parse((await typed(command, file(text))).out);
    expect(hours.filter(({ type }) => type === 'event')).toEqual(events);
    const intervals = hours.filter(({ type }) => type === 'interval');
    expect(intervals).toHaveLength(20 * 24 - 1);
    const entries = intervals.flatMap(
      (one) => one['intervals'] as { use: number; total: number }[],
    );
    const sum = entries.reduce((total, { use }) => total + use, 0);
    expect(sum).toBe(entries.at(-1)?.total);
    expect(intervals[1]).toMatchObject({
      ...{ unit: 'ft3', pow10: -1, digits: 8, len: 3600, inst: 1 },
    });
  });

  it.each([
    ['{"type":"reading"', 2],
    ['[1]', 2],
    ['{"type":"water"}', 2],
    ['{"type":"reading","meter":"SP-9","at":"2026-05-01T00:00:00Z","read":1}', 2],
    ['{"type":"reading","meter":"SP-1","at":"yesterday","read":1}', 2],
    ['{"type":"reading","meter":"SP-1","at":"2026-05-01T00:00:00+02:00","read":1}', 2],
    ['{"type":"reading","meter":"SP-1","at":"2026-06-31T00:00:00Z","read":1}', 2],
    ['{"type":"reading","meter":"SP-1","at":"2026-05-01T00:00:00Z","read":1.5}', 2],
    ['{"type":"reading","meter":"SP-1","at":"2026-05-01T00:00:00Z","read":100000000}', 2],
    ['{"type":"meter","meter":"SP 1","digits":8,"unit":"ft3","pow10":-1,"poll_s":900}', 2],
    ['{"type":"meter","meter":"SP-2","digits":8,"unit":"ft4","pow10":-1,"poll_s":900}', 2],
    ['{"type":"meter","meter":"SP-2","digits":8,"unit":"ft3","pow10":-1,"poll_s":0}', 2],
    [JSON.stringify({ ...METER, timezone: 'Mars/Olympus' }), 2],
    [`\n${reading(T0, 7)}${reading(T0 - 1, 7)}`, 4],
  ])('refuses %s and names its line', async (bad, number) => {
    const { exit, out, err } = await typed(command, file(`${line(METER)}${bad}\n`));
    expect(exit).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(`line ${number} `);
  });

  it.each(['--from 2026-06-01', '--to 2026-06-01', '--meter SP-1'])(
    'refuses %s of a file, which is taken whole',
    async (option) => {
      const { exit, out } = await typed(`${command} ${option}`, file(line(METER)));
      expect([exit, out]).toEqual([2, '']);
    },
  );

  it('says whom to ask where this user may not ask the collector', async () => {
    const refusal = { ok: false, code: 'daemon.denied', message: 'Not for this user.', hint: '' };
    const parts = fakeParts({ daemon: () => ({ run: async () => refusal as CommandAnswer }) });
    const { exit, err } = await typed('backtest --config good.yaml', parts);
    expect(exit).toBe(8);
    expect(err).toContain('Ask as the user who runs the collector');
  });

  it('takes line ends of other systems, a byte order mark and a last line without an end', async () => {
    const text = `\ufeff${JSON.stringify(METER)}\r\n${reading(T0, 1).trim()}\r\n\r\n${reading(T0 + 9e5, 2).trim()}`;
    const { exit, err } = await typed(command, file(text));
    expect(exit).toBe(0);
    expect(err).toContain('2 readings of 1 meters');
  });

  it("applies the makers' rules and usage alerts that are asked for", () => {
    const lines: string[] = [];
    const rules = {
      ...DEFAULT_RULES,
      makers: ['hours-24'] as const,
      usage: { daily: { amount: 50, unit: 'gal' as const } },
    };
    const write = (text: string) => lines.push(text);
    const backtest = new Backtest({ rules, intervals: false, write });
    for (const text of [line(METER), ...leaky()]) expect(backtest.take(text)).toBeNull();
    const events = parse(lines.join(''));
    const codes = new Set(events.map(({ code }) => code));
    expect(codes).toContain('usage.daily');
    const makers = events.filter((one) => (one['data'] as { rule?: string }).rule === 'hours-24');
    expect(makers.map(({ phase }) => phase)).toEqual(['raise', 'clear']);
  });

  it('ends what stood with its meter, as the collector does', () => {
    const lines: string[] = [];
    const rules = { ...DEFAULT_RULES, makers: ['hours-24'] as const };
    const backtest = new Backtest({ rules, intervals: false, write: (text) => lines.push(text) });
    for (const text of [line(METER), ...leaky().slice(0, 17 * 96), line(METER)]) {
      expect(backtest.take(text)).toBeNull();
    }
    const told = parse(lines.join('')).filter(({ phase }) => phase !== 'update');
    const ids = (phase: string) => told.filter((one) => one['phase'] === phase).map(({ id }) => id);
    expect(ids('raise')).toHaveLength(2);
    expect(ids('clear').sort()).toEqual(ids('raise').sort());
    expect(told.at(-1)?.['data']).toMatchObject({ outcome: 'changeout' });
  });

  it("judges a meter by makers' rules of its own where the settings name them", () => {
    const lines: string[] = [];
    const own = { usage: {}, makers: ['hours-24'] as const };
    const settings = { meters: [{ meter: 'SP-1', service: 'active', alerts: own }] };
    const rules = ownRules(settings as unknown as Settings);
    const backtest = new Backtest({ rules, intervals: false, write: (text) => lines.push(text) });
    for (const meter of ['SP-1', 'SP-2']) {
      for (const text of [line({ ...METER, meter }), ...leaky(meter)]) backtest.take(text);
    }
    const makers = parse(lines.join('')).filter((one) => 'rule' in (one['data'] as object));
    expect(makers.map(({ meter }) => meter)).toEqual(['SP-1', 'SP-1']);
  });

  it('starts the watch afresh with another meter, and knows what the place has used', () => {
    const lines: string[] = [];
    const rules = { ...DEFAULT_RULES, usage: { daily: { amount: 8, unit: 'ft3' as const } } };
    const backtest = new Backtest({ rules, intervals: false, write: (text) => lines.push(text) });
    const take = (text: string) => expect(backtest.take(text)).toBeNull();
    take(line(METER));
    for (let i = 0; i < 8; i++) take(reading(T0 + i * 9e5, 500 + 10 * i));
    take(line({ ...METER, digits: 6, unit: 'gal', pow10: 0 }));
    for (let i = 8; i < 20; i++) take(reading(T0 + i * 9e5, 10 * i));
    const events = parse(lines.join(''));
    expect(events.map(({ code, unit }) => [code, unit])).toEqual([['usage.daily', 'gal']]);
    expect(events[0]?.['data']).toMatchObject({ use: 62 });
  });
});
