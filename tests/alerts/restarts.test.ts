// Leaks and alerts of the running collector over restarts, cuts, failing media and change-outs: each is told once, none is lost.

import { describe, expect, it } from 'vitest';
import { Random } from '../../simulator/random.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/journal/memories.ts';
import {
  alertsHeard,
  courseOf,
  type Heard,
  HOUR,
  leakyWorld,
  START,
  type VirtualWorld,
  wrongCourses,
} from './street.ts';

const DAYS = 5;
/** A tap that stays open for a night, a running toilet, and a leak that nobody mends. */
const LEAKS = [
  { place: 1, gph: 80, from: 40, to: 52 },
  { place: 2, gph: 15, from: 50, to: 90 },
  { place: 3, gph: 30, from: 70, to: 1_000 },
];
const OPTIONS = { seed: 3, meters: 4, check: () => undefined };

async function finish(world: VirtualWorld): Promise<Heard[]> {
  await world.clock.run(START + DAYS * 24 * HOUR);
  await world.stop();
  return alertsHeard(world);
}

const raisedOrCleared = (heard: readonly Heard[]) =>
  heard
    .filter(({ phase }) => phase !== 'update')
    .map(({ meter, code, phase }) => `${meter} ${code} ${phase}`)
    .sort();

async function undisturbed(): Promise<Heard[]> {
  const world = leakyWorld(OPTIONS, LEAKS);
  await world.start();
  return finish(world);
}

describe('alerts of a running collector', () => {
  it('a leak is raised and cleared once, with its evidence, below the meter it runs through', async () => {
    const heard = await undisturbed();
    expect(wrongCourses(heard)).toEqual([]);
    expect(raisedOrCleared(heard)).toEqual([
      'SP-00001 leak.continuous raise',
      'SP-00002 flow.burst clear',
      'SP-00002 flow.burst raise',
      'SP-00003 leak.continuous clear',
      'SP-00003 leak.continuous raise',
      'SP-00004 leak.continuous raise',
    ]);
    const raise = heard.find(({ code }) => code === 'flow.burst');
    expect(raise?.topic).toMatch(/\/up\/meter\/SP-00002\/event$/);
    expect(raise?.data).toMatchObject({ why: 'strong_flow', unit: 'ft3', clears: 'a pause' });
    expect(Number(raise?.data['rate_per_h'])).toBeCloseTo(80 / 7.4805, 0);
    for (const key of ['rate_low_per_h', 'rate_high_per_h', 'leak_volume', 'clears_after_h']) {
      expect(raise?.data[key]).toBeTypeOf('number');
    }
    const clear = heard.find(({ code, phase }) => code === 'flow.burst' && phase === 'clear');
    expect(Date.parse(clear?.at ?? '')).toBeGreaterThanOrEqual(START + 52 * HOUR);
    expect(Date.parse(clear?.at ?? '')).toBeLessThan(START + 54 * HOUR);
  });

  it('what is killed at random moments, at its syncs too, tells the same as what never was', async () => {
    const whole = raisedOrCleared(await undisturbed());
    for (const seed of [1, 2, 3, 4]) {
      const chance = new Random(`kills ${seed}`);
      const world = leakyWorld(OPTIONS, LEAKS);
      await world.start();
      while (world.clock.trueNow() < START + (DAYS * 24 - 6) * HOUR) {
        await world.run(chance.between(0.05, 5));
        if (chance.chance(0.3)) world.medium.failNext(1, chance.chance(0.5) ? 'applied' : 'lost');
        world.kill(chance.whole(0, 2));
        await world.clock.run(world.clock.trueNow() + chance.between(1, 30) * 1_000);
        await world.start();
      }
      const heard = await finish(world);
      expect(wrongCourses(heard), `seed ${seed}`).toEqual([]);
      expect(raisedOrCleared(heard), heard.map(courseOf).join('\n')).toEqual(whole);
    }
  }, 300_000);
});

describe('a change-out', () => {
  it('ends the leak of the old meter and watches the new one afresh; what the place has used stays known', async () => {
    for (const killed of [false, true]) {
      const world = leakyWorld({ ...OPTIONS, seed: 4 }, []);
      await world.start();
      await world.run(20);
      await world.ask('alerts.set', {
        meter: 'SP-00001',
        multi_day: { amount: 100, unit: 'gal', days: 31 },
      });
      await world.run(4);
      await world.ask('changeout', { meter: 'SP-00001', register_id: '10000000' });
      if (killed) {
        world.kill();
        await world.start();
      }
      await world.run(30);
      await world.ask('alerts.set', { meter: 'SP-00001', multi_day: null });
      const heard = await finish(world);
      expect(wrongCourses(heard)).toEqual([]);
      const leaks = heard.filter(({ code, phase }) => /^leak/.test(code) && phase !== 'update');
      expect(leaks.map(({ inst, phase, data }) => [inst, phase, data['outcome']])).toEqual([
        [1, 'raise', undefined],
        [1, 'clear', 'changeout'],
        [2, 'raise', undefined],
      ]);
      const usage = heard.filter(({ code }) => code === 'usage.multi_day');
      expect(new Set(usage.map(({ id, inst }) => `${id} ${inst}`)).size).toBe(1);
      expect(usage[0]?.phase).toBe('raise');
      expect(usage.at(-1)).toMatchObject({ phase: 'clear', inst: 1 });
    }
  }, 180_000);
});

describe('a memory that is lost or damaged', () => {
  it('neither raises nor clears a leak: what stands is found again under its id, and ends with its pause', async () => {
    const whole = raisedOrCleared(await undisturbed());
    for (const hour of [20, 48, 60, 80, 100]) {
      const world = leakyWorld(OPTIONS, LEAKS);
      await world.start();
      await world.run(hour);
      world.kill();
      const opened = await world.medium.open();
      if (!opened.ok) throw new Error(opened.fault.detail);
      const memories = [...world.medium.dump()].filter(([key]) => key.startsWith('w/'));
      expect(memories.length, `hour ${hour}`).toBeGreaterThan(0);
      const spoil = (text: string) => `${text.slice(0, -9)}x${text.slice(-8)}`;
      await opened.value.write(
        memories.map(([key, value], i) => (i % 2 === 0 ? { key } : { key, value: spoil(value) })),
      );
      await opened.value.close();
      await world.start();
      const heard = await finish(world);
      expect(wrongCourses(heard), `hour ${hour}`).toEqual([]);
      expect(raisedOrCleared(heard), `hour ${hour}: ${heard.map(courseOf).join('\n')}`).toEqual(
        whole,
      );
    }
  }, 180_000);
});

describe('a memory that the program before this one kept', () => {
  it('tells of no service that was off where none was', async () => {
    const world = leakyWorld(OPTIONS, []);
    await world.start();
    await world.run(40);
    world.kill();
    const opened = await world.medium.open();
    if (!opened.ok) throw new Error(opened.fault.detail);
    const memories = [...world.medium.dump()].filter(([key]) => key.startsWith('w/'));
    const old = memories.map(([key, value]) => {
      const meter = key.slice('w/'.length);
      const memory = decodeSnapshot(meter, value);
      const known = memory?.known as { usage: { stray: number | null } };
      // It knew no service that is on: counts on one that is off were 0 there.
      const usage = { ...known.usage, stray: known.usage.stray ?? 0 };
      return {
        key,
        value: encodeSnapshot(meter, { ...memory, known: { ...known, usage } } as never),
      };
    });
    expect(old).toHaveLength(4);
    await opened.value.write(old);
    await opened.value.close();
    await world.start();
    const heard = await finish(world);
    expect(heard.filter(({ code }) => code === 'usage.inactive_service')).toEqual([]);
  }, 60_000);
});

describe('a service that was off', () => {
  it('and is on again is not told as used over a restart', async () => {
    const world = leakyWorld(OPTIONS, []);
    const meter = 'SP-00002';
    await world.start();
    await world.run(30);
    await world.ask('service.set', { meter, service: 'inactive' });
    await world.run(0.25);
    // While it is off nothing runs that is seen, and what is known is kept so.
    world.silence(meter, true);
    await world.run(5);
    await world.ask('service.set', { meter, service: 'active' });
    world.silence(meter, false);
    await world.run(12);
    world.kill();
    await world.start();
    const heard = await finish(world);
    expect(heard.filter(({ code }) => code === 'usage.inactive_service')).toEqual([]);
  }, 60_000);
});
