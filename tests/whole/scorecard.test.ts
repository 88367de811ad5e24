// S5: how well the meters were read, told once a local day by the whole collector on virtual time.

import { describe, expect, it } from 'vitest';
import { zoneOf } from '../../src/codec/time-zone.ts';
import type { HourEntry } from '../../src/domain/entry.ts';
import { scoreOf, spanOf } from '../../src/domain/scorecard.ts';
import { UTC } from '../../src/domain/usage/civil.ts';
import { HOUR, START, VirtualWorld } from './virtual-world.ts';

const DAY = 24 * HOUR;

const cardsOf = (world: VirtualWorld) =>
  world.broker.received
    .filter(({ topic }) => topic.endsWith('/COL-1/up/scorecard'))
    .map(({ payload, at }) => ({ at, ...JSON.parse(payload) }));

describe('S5: the scorecard', () => {
  it('comes once a day after its last hour is decided, and agrees with the hours published', async () => {
    const world = new VirtualWorld({ seed: 21, meters: 4 });
    await world.start();
    await world.run(10);
    world.silence('SP-00002', true);
    await world.run(50);
    await world.stop();
    const cards = cardsOf(world);
    expect(cards.map(({ day }) => day)).toEqual(['2026-06-01', '2026-06-02']);
    for (const card of cards) {
      expect(card.at).toBeGreaterThanOrEqual(Date.parse(card.to) + HOUR);
      expect(card.at).toBeLessThan(Date.parse(card.to) + 3 * HOUR);
      const hours = world
        .ledger()
        .entries()
        .filter(
          (one): one is HourEntry & { meter: string } & typeof one =>
            one.kind === 'hour' &&
            one.start >= Date.parse(card.from) &&
            one.start < Date.parse(card.to),
        );
      const count = (...of: string[]) => hours.filter(({ q }) => of.includes(q)).length;
      const told = { actual: count('A', 'T'), partial: count('P', 'S', 'H'), missing: count('M') };
      expect(card.hours).toEqual(told);
    }
    const [first, second] = cards;
    expect(first.meters).toEqual({ available: 4, unavailable: [] });
    const unavailable = [{ meter: 'SP-00002', reason: 'line.silent' }];
    expect(second.meters).toEqual({ available: 3, unavailable });
    expect(second.success).toEqual({ day_1: 0.75, day_3: 1 });
    expect(second.reads.made).toBeLessThan(second.reads.due);
  });

  it('is told once although the collector is started again, and later where there was no link', async () => {
    const world = new VirtualWorld({ seed: 22, meters: 2 });
    await world.start();
    await world.run(25);
    world.broker.setUp(false);
    await world.run(5);
    expect(cardsOf(world)).toEqual([]);
    world.broker.setUp(true);
    await world.run(0.5);
    expect(cardsOf(world)).toHaveLength(1);
    world.kill();
    await world.start();
    await world.run(10);
    await world.stop();
    expect(cardsOf(world).map(({ day }) => day)).toEqual(['2026-06-01']);
  });

  it('a local day has 23, 24 or 25 hours', () => {
    const denver = zoneOf('America/Denver') ?? UTC;
    const lengths = ['2026-03-08', '2026-06-01', '2026-11-01'].map((date) => {
      const { from, to } = spanOf(denver, Date.parse(date) / DAY);
      return (to - from) / HOUR;
    });
    expect(lengths).toEqual([23, 24, 25]);
    expect(spanOf(UTC, START / DAY)).toEqual({ day: START / DAY, from: START, to: START + DAY });
  });

  it('names why a meter has nothing: disabled, never read, or what ails it', () => {
    const span = spanOf(UTC, START / DAY);
    const of = {
      pollMs: 900_000,
      entries: [],
      installed: START - DAY,
      disabled: false,
      fault: null,
    };
    const card = scoreOf(span, START - 2 * DAY, [
      { ...of, meter: 'A', disabled: true },
      { ...of, meter: 'B', installed: null },
      { ...of, meter: 'C', fault: 'modbus.crc' },
      { ...of, meter: 'D' },
    ]);
    const reasons = card.unavailable.map(({ reason }) => reason);
    expect(reasons).toEqual(['disabled', 'never_read', 'modbus.crc', 'no_reading']);
    expect(scoreOf(span, START, []).day1).toBeNull();
  });
});
