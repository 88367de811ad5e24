// A backtest over the journal tells what the running collector told, from what the journal kept.

import { expect, it } from 'vitest';
import { journalReadings } from '../../src/cli/journal-readings.ts';
import { Backtest } from '../../src/codec/backtest.ts';
import { DEFAULT_RULES } from '../../src/domain/backtest-rules.ts';
import { fakeParts } from '../cli/fake-parts.ts';
import { alertsHeard, HOUR, leakyWorld, START } from './street.ts';

it('the same leaks are raised and cleared within a poll of when they were', async () => {
  const world = leakyWorld({ seed: 6, meters: 4, check: () => undefined }, [
    { place: 1, gph: 80, from: 40, to: 52 },
    { place: 2, gph: 15, from: 50, to: 90 },
  ]);
  await world.start();
  await world.clock.run(START + 110 * HOUR);
  const commands = {
    async run(name: string, args: Readonly<Record<string, unknown>>) {
      return { ok: true, data: await world.ask(name, args) } as const;
    },
  };
  const events: Record<string, string>[] = [];
  const backtest = new Backtest({
    rules: DEFAULT_RULES,
    intervals: false,
    write: (line) => events.push(JSON.parse(line) as Record<string, string>),
  });
  const parts = fakeParts({ daemon: () => commands });
  for await (const text of journalReadings(world.settings, {}, parts)) {
    for (const line of text.split('\n').filter(Boolean)) expect(backtest.take(line)).toBeNull();
  }
  await world.stop();
  const brief = (one: { meter?: string; code?: string; phase?: string; at?: string }) => ({
    what: `${one.meter} ${one.code} ${one.phase}`,
    at: Date.parse(one.at ?? ''),
  });
  const sorted = (all: ReturnType<typeof brief>[]) =>
    all.sort((a, b) => a.what.localeCompare(b.what) || a.at - b.at);
  const isEdge = ({ phase }: { phase?: string }) => phase !== 'update';
  const told = sorted(alertsHeard(world).filter(isEdge).map(brief));
  const found = sorted(
    events.filter((one) => isEdge(one) && /^(?:leak|flow)/.test(one['code'] ?? '')).map(brief),
  );
  expect(told.length).toBeGreaterThanOrEqual(5);
  expect(found.map(({ what }) => what)).toEqual(told.map(({ what }) => what));
  for (const [i, { at }] of found.entries()) {
    expect(Math.abs(at - (told[i]?.at ?? 0))).toBeLessThanOrEqual(900_000);
  }
}, 180_000);
