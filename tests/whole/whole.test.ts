// The composition root on virtual time: days of metering in seconds, with the truth to compare, and faults one at a time.

import { describe, expect, it } from 'vitest';
import { passes } from '../../simulator/audit.ts';
import { HOUR, START, VirtualWorld } from './virtual-world.ts';

async function lived(options: { seed: number; meters: number; pollS?: number }, hours: number) {
  const world = new VirtualWorld(options);
  await world.start();
  await world.run(hours);
  await world.stop();
  return world;
}

const qualities = (world: VirtualWorld, meter: string, from = 1) =>
  world
    .ledger()
    .entries()
    .filter((entry) => entry.kind === 'hour' && entry.meter === meter)
    .slice(from)
    .map((entry) => (entry.kind === 'hour' ? entry.q : ''));

describe('the whole collector on virtual time', () => {
  it('publishes every hour of every meter, and not one count is lost or invented', async () => {
    const world = new VirtualWorld({ seed: 1, meters: 12 });
    await world.start();
    await world.run(49);
    expect(await world.ask('audit')).toMatchObject({ ok: true, pending: 0 });
    await world.stop();
    const result = world.audit(START + 48 * HOUR);
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
    expect(result.hours).toBe(12 * 48);
    for (const { settings } of world.places) {
      expect(new Set(qualities(world, settings.meter))).toEqual(new Set(['A']));
    }
  });

  it('gives the same hash of everything published for the same seed, and another for another', async () => {
    const [one, same, other] = [
      await lived({ seed: 7, meters: 4 }, 30),
      await lived({ seed: 7, meters: 4 }, 30),
      await lived({ seed: 8, meters: 4 }, 30),
    ];
    expect(same.hash()).toBe(one.hash());
    expect(other.hash()).not.toBe(one.hash());
  });

  it('the broker gone for 48 hours: the backlog follows, live hours are not held up by it', async () => {
    const world = new VirtualWorld({ seed: 3, meters: 8 });
    await world.start();
    await world.run(5);
    world.broker.setUp(false);
    await world.run(48);
    world.broker.setUp(true);
    const back = world.clock.trueNow();
    await world.run(3);
    await world.stop();
    const result = world.audit(START + 55 * HOUR);
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
    const live = world.broker.received.filter(
      ({ at, payload }) => at > back + HOUR && payload.includes('"cause":"scheduled"'),
    );
    const slowest = Math.max(...live.map(({ at }) => at % HOUR));
    expect(live.length).toBeGreaterThanOrEqual(16);
    expect(slowest).toBeLessThanOrEqual(330_000); // The smear, and half a minute.
  });

  it('one meter silent: the hours of the others stay actual, its own volume is in a gap', async () => {
    const world = new VirtualWorld({ seed: 4, meters: 8 });
    await world.start();
    await world.run(3.5);
    world.silence('SP-00001', true);
    await world.run(5);
    world.silence('SP-00001', false);
    await world.run(4);
    await world.stop();
    expect(passes(world.audit(START + 12 * HOUR))).toBe(true);
    expect(qualities(world, 'SP-00001').join('')).toBe('AAPMMMMPAAA');
    for (const { settings } of world.places.slice(1)) {
      expect(qualities(world, settings.meter).join('')).toMatch(/^A+$/);
    }
    const gaps = world
      .ledger()
      .entries()
      .filter((entry) => entry.kind === 'gap');
    expect(gaps).toMatchObject([{ meter: 'SP-00001', why: 'bus' }]);
  });

  it('one port unplugged and back: the meters of other buses stay actual, nothing is lost on its own', async () => {
    const world = new VirtualWorld({ seed: 5, meters: 8 });
    await world.start();
    await world.run(3.5);
    world.unplug('bus-3');
    await world.run(4);
    world.plugIn('bus-3');
    await world.run(4);
    await world.stop();
    expect(passes(world.audit(START + 11 * HOUR))).toBe(true);
    for (const { settings } of world.places) {
      const pattern = settings.bus === 'bus-3' ? /^AAPM+PA+$/ : /^A+$/;
      expect(qualities(world, settings.meter).join('')).toMatch(pattern);
    }
  });

  it('killed at any instant and started again: what the head-end holds still equals the truth', async () => {
    const world = new VirtualWorld({ seed: 6, meters: 8 });
    for (let life = 0; life < 20; life += 1) {
      await world.start();
      await world.run(0.1 + ((life * 7_919) % 100) / 40);
      world.kill();
      await world.run(((life * 104_729) % 10) / 20);
    }
    await world.start();
    await world.run(3);
    await world.stop();
    const result = world.audit();
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
  });

  it('a write that fails costs no water, whether the medium applied it or not', async () => {
    for (const outcome of ['applied', 'lost'] as const) {
      const world = new VirtualWorld({ seed: 9, meters: 4 });
      await world.start();
      for (let hour = 0; hour < 12; hour += 1) {
        world.clock.at(world.clock.trueNow() + 50_000 * hour, () =>
          world.medium.failNext(1, outcome),
        );
        await world.run(1);
      }
      await world.run(3);
      await world.stop();
      const result = world.audit(START + 14 * HOUR);
      expect(result.findings).toEqual([]);
      expect(passes(result)).toBe(true);
    }
  });

  it('a broker that takes everything and answers nothing holds a stop for seconds, and loses nothing', async () => {
    const world = new VirtualWorld({ seed: 5, meters: 4 });
    await world.start();
    await world.run(3);
    world.broker.withheld = 'messages';
    await world.run(1.002); // An hour has ended, and its rows are on their way.
    const began = world.clock.trueNow();
    await world.stop();
    expect(world.clock.trueNow() - began).toBeLessThan(10_000);
    world.broker.withheld = 'nothing';
    await world.start();
    await world.run(2);
    await world.stop();
    const result = world.audit(START + 6 * HOUR);
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
  });

  it('a meter read on demand shows its dial of this moment, and the reading is in the journal', async () => {
    const world = new VirtualWorld({ seed: 12, meters: 8 });
    await world.start();
    await world.run(3.1);
    for (const { settings, meter } of world.places) {
      const seen = (await world.ask('read', { meter: settings.meter })) as Record<string, unknown>;
      const shown = meter.countAt(world.clock.trueNow()) % 10 ** settings.dial.digits;
      expect(seen).toMatchObject({ read: Number(seen['dial']), q: 'A' });
      expect(Math.abs(Number(seen['dial']) - shown)).toBeLessThanOrEqual(1);
      expect(Date.parse(String(seen['at']))).toBeGreaterThan(world.clock.trueNow() - 5_000);
    }
    world.silence('SP-00002', true);
    await expect(world.ask('read', { meter: 'SP-00002' })).rejects.toThrow('no_answer');
    await world.run(2);
    await world.stop();
    expect(passes(world.audit(START + 4 * HOUR))).toBe(true);
  });
});

it('stops within seconds though the broker acknowledges nothing any more', async () => {
  const world = new VirtualWorld({ seed: 5, meters: 8 });
  await world.start();
  await world.run(1.5);
  world.broker.withheld = 'acks';
  // An hour's end is under way and unacknowledged, and the window of a link that is new is one message.
  await world.run(0.501);
  const asked = world.clock.trueNow();
  await world.stop();
  expect(world.clock.trueNow() - asked).toBeLessThan(5_000);
});
