// What a place is watched for: set by settings and by commands, kept over restarts, and told once.

import { describe, expect, it } from 'vitest';
import { Random } from '../../simulator/random.ts';
import { alertsHeard, byId, HOUR, START, VirtualWorld, wrongCourses } from './street.ts';

const OPTIONS = { seed: 5, meters: 2, check: () => undefined };
const METER = 'SP-00002';
const GAL = (amount: number) => ({ amount, unit: 'gal' });

async function begin(): Promise<VirtualWorld> {
  const world = new VirtualWorld(OPTIONS);
  await world.start();
  await world.run(30);
  return world;
}

const heardOf = (world: VirtualWorld, code: string) =>
  alertsHeard(world).filter((one) => one.meter === METER && one.code === code);

describe('alerts set by command', () => {
  it('a daily alert is raised at the reading that reaches it, cleared at midnight, and told with its counts', async () => {
    const world = await begin();
    const set = await world.ask('alerts.set', { meter: METER, daily: GAL(3) });
    // 3 gallons are 4.01 counts of 0.1 ft3.
    expect(set).toMatchObject({
      meter: METER,
      alerts: { daily: { counts: 5, rounded: 'up to whole counts' }, multi_day: null },
    });
    await world.run(30);
    await world.stop();
    const daily = heardOf(world, 'usage.daily');
    expect(wrongCourses(daily)).toEqual([]);
    expect(daily[0]).toMatchObject({ phase: 'raise', severity: 'info' });
    expect(daily[0]?.data).toMatchObject({
      ...{ threshold: 5, typed: 3, typed_unit: 'gal', rounded: 'up to whole counts', unit: 'ft3' },
      clears: 'the end of the window',
    });
    const cleared = daily.find(({ phase }) => phase === 'clear');
    expect(cleared?.at.slice(11, 16)).toBe('00:00');
  });

  it('what was set is known again after a cut, and what stands is not raised again', async () => {
    const world = await begin();
    await world.ask('alerts.set', { meter: METER, multi_day: { ...GAL(1), days: 31 } });
    await world.run(24);
    world.kill();
    await world.start();
    await world.run(30);
    const told = (await world.ask('alerts', { meter: METER })) as { meters: object[] };
    expect(told.meters).toMatchObject([
      {
        alerts: { multi_day: { amount: 1, unit: 'gal', days: 31, counts: 2 } },
        standing: [{ code: 'usage.multi_day', acknowledged_by: null }],
      },
    ]);
    await world.stop();
    const heard = heardOf(world, 'usage.multi_day');
    expect(heard.filter(({ phase }) => phase === 'raise')).toHaveLength(1);
    // Told anew at most once a day.
    const days = heard.map(({ at }) => at.slice(0, 10));
    expect(new Set(days).size).toBe(days.length);
  });

  it('a vacation replaces the others while it lasts, and they are judged again after it', async () => {
    const world = await begin();
    await world.ask('alerts.set', { meter: METER, multi_day: { ...GAL(1), days: 31 } });
    await world.run(1);
    expect(heardOf(world, 'usage.multi_day').map(({ phase }) => phase)).toEqual(['raise']);
    const vacation = { from: '2026-06-02', to: '2026-06-03', ...GAL(2) };
    await world.ask('vacation.set', { meter: METER, ...vacation });
    await world.run(1);
    const cleared = heardOf(world, 'usage.multi_day').at(-1);
    expect(cleared).toMatchObject({ phase: 'clear', data: { outcome: 'vacation' } });
    const vacations = async () =>
      ((await world.ask('alarms', {})) as { vacations: object[] }).vacations;
    expect(await vacations()).toMatchObject([{ meter: METER, to: '2026-06-03', over: false }]);
    await world.run(48);
    // It is kept with its meter, and nobody is on it any more.
    expect(await vacations()).toEqual([]);
    expect(await world.ask('alerts', { meter: METER })).toMatchObject({
      meters: [{ alerts: { vacation: { to: '2026-06-03', over: true } } }],
    });
    await world.stop();
    const away = heardOf(world, 'usage.vacation').map(({ phase }) => phase);
    expect(away[0]).toBe('raise');
    expect(away.at(-1)).toBe('clear');
  });

  it('use where the service is off is told, the head-end sees the service, and both end with it', async () => {
    const world = await begin();
    const info = () => {
      const infos = world.broker.received.filter(({ topic }) => topic.endsWith(`${METER}/info`));
      return JSON.parse(infos.at(-1)?.payload ?? '{}') as Record<string, unknown>;
    };
    expect(info()['service']).toBe('active');
    await world.ask('service.set', { meter: METER, service: 'inactive' });
    await world.run(24);
    expect(info()['service']).toBe('inactive');
    expect(heardOf(world, 'usage.inactive_service')[0]).toMatchObject({ severity: 'major' });
    await world.stop();
    await world.start();
    expect(info()['service']).toBe('inactive');
    await world.ask('service.set', { meter: METER, service: 'active' });
    await world.run(1);
    await world.stop();
    expect(info()['service']).toBe('active');
    const heard = heardOf(world, 'usage.inactive_service');
    expect(wrongCourses(heard)).toEqual([]);
    expect(heard.at(-1)?.phase).toBe('clear');
  });

  it("a maker's rule is told beside the watch while somebody wants it, and known over a cut", async () => {
    const world = await begin();
    // The home of the first meter leaks 6 gallons an hour.
    const meter = 'SP-00001';
    await world.ask('alerts.set', { meter, makers: ['hours-24'] });
    await world.run(20);
    world.kill();
    await world.start();
    await world.run(10);
    const rules = () => alertsHeard(world).filter(({ data }) => data['rule'] === 'hours-24');
    expect(rules().map(({ code, phase }) => `${code} ${phase}`)).toEqual(['leak.continuous raise']);
    await world.ask('alerts.set', { meter, makers: [] });
    await world.run(1);
    await world.stop();
    const [raised] = rules();
    const all = alertsHeard(world).filter(({ id }) => id === raised?.id);
    expect(all.at(-1)).toMatchObject({ phase: 'clear', data: { outcome: 'off' } });
    expect(wrongCourses(alertsHeard(world))).toEqual([]);
  });

  it('an event that somebody acknowledged says so once, is told no more, and is cleared', async () => {
    const world = await begin();
    await world.ask('alerts.set', { meter: METER, multi_day: { ...GAL(1), days: 31 } });
    await world.run(1);
    const [raised] = heardOf(world, 'usage.multi_day');
    // The same number in an earlier life of the journal was another alarm.
    const earlier = `${raised?.id.split('.')[0]}.1`;
    await expect(world.ask('event.ack', { id: earlier })).rejects.toThrow('bad_request');
    const acked = await world.ask('event.ack', { id: raised?.id, by: 'A. Technician' });
    expect(acked).toMatchObject({ code: 'usage.multi_day', stands: true });
    expect(await world.ask('event.ack', { id: raised?.id, by: 'B' })).toMatchObject({
      acknowledged_by: 'A. Technician',
    });
    world.kill();
    await world.start();
    await world.run(60);
    await world.ask('alerts.set', { meter: METER, multi_day: null });
    await world.run(1);
    await expect(world.ask('event.ack', { id: 'SP-00002-1-999' })).rejects.toThrow('bad_request');
    expect(await world.ask('event.ack', { id: raised?.id })).toMatchObject({ stands: false });
    await world.stop();
    const heard = heardOf(world, 'usage.multi_day');
    expect(heard.map(({ phase }) => phase)).toEqual(['raise', 'update', 'clear']);
    expect(heard[1]?.data).toEqual({ acknowledged_by: 'A. Technician' });
  });

  it('what was used before an alert was set, or the service off, is not judged by it after a cut', async () => {
    const world = await begin();
    await world.ask('alerts.set', { meter: METER, daily: GAL(100) });
    await world.ask('service.set', { meter: METER, service: 'inactive' });
    world.kill(0);
    await world.start();
    await world.run(0.1);
    await world.stop();
    const heard = alertsHeard(world, /^usage\./);
    expect(heard.filter(({ data }) => data['from'] === '2026-06-01')).toEqual([]);
    expect(heard.filter(({ code }) => code === 'usage.inactive_service')).toEqual([]);
  });

  it('what settings say anew at a start is not judged over what was used before it', async () => {
    const world = await begin();
    await world.stop();
    for (const place of world.settings.meters) {
      Object.assign(place, { service: 'inactive', alerts: { usage: { daily: GAL(20) } } });
    }
    await world.start();
    await world.run(0.1);
    await world.stop();
    const heard = alertsHeard(world, /^usage\./);
    expect(heard.filter(({ data }) => data['from'] === '2026-06-01')).toEqual([]);
    expect(heardOf(world, 'usage.inactive_service')).toEqual([]);
  });

  it('what a command said can be left to the settings again, all of it', async () => {
    const world = await begin();
    const vacation = { from: '2026-06-02', to: '2026-06-03', ...GAL(2) };
    await world.ask('vacation.set', { meter: METER, ...vacation });
    await world.ask('service.set', { meter: METER, service: 'inactive' });
    await world.ask('alerts.set', { meter: METER, makers: ['hours-24'], daily: GAL(3) });
    const none = await world.ask('alerts.set', { meter: METER, makers: null, daily: null });
    expect(none).toMatchObject({ service: 'inactive', alerts: { makers: [], daily: null } });
    const names = ['daily', 'makers', 'vacation', 'service'];
    const left = await world.ask('alerts.set', { meter: METER, as_settings: names });
    expect(left).toMatchObject({ service: 'active', alerts: { vacation: null, makers: [] } });
    await world.stop();
  });

  it('what makes no sense is refused and changes nothing', async () => {
    const world = await begin();
    const wrong: [string, Record<string, unknown>, string][] = [
      ['alerts.set', { daily: GAL(3) }, 'bad_request'],
      ['alerts.set', { meter: METER }, 'bad_request'],
      ['alerts.set', { meter: METER, defaults: true, daily: GAL(3) }, 'bad_request'],
      ['alerts.set', { meter: METER, daily: GAL(0) }, 'bad_request'],
      ['alerts.set', { meter: METER, daily: { amount: 3, unit: 'pint' } }, 'bad_request'],
      ['alerts.set', { meter: METER, daily: 'much' }, 'bad_request'],
      ['alerts.set', { meter: METER, billing_cycle: { ...GAL(3), day: 32 } }, 'bad_request'],
      ['alerts.set', { meter: METER, multi_day: { ...GAL(3), days: 1.5 } }, 'bad_request'],
      ['alerts.set', { meter: METER, no_use_days: 0 }, 'bad_request'],
      ['alerts.set', { meter: METER, makers: ['mine'] }, 'bad_request'],
      ['alerts.set', { meter: METER, as_settings: ['all'] }, 'bad_request'],
      ['alerts.set', { meter: METER, daily: GAL(3), 'multi-day': null }, 'bad_request'],
      ['alerts.set', { meter: 'SP-9', daily: GAL(3) }, 'unknown_meter'],
      ['vacation.set', { meter: METER, ...GAL(1), from: '2026-06-31', to: '2026-07-01' }, 'bad_'],
      ['vacation.set', { meter: METER, ...GAL(1), from: '2026-07-02', to: '2026-07-01' }, 'bad_'],
      ['vacation.clear', { meter: 'SP-9' }, 'unknown_meter'],
      ['service.set', { meter: METER, service: 'off' }, 'bad_request'],
      ['event.ack', { id: 'journal-7' }, 'bad_request'],
      ['event.ack', {}, 'bad_request'],
    ];
    const before = await world.ask('alerts');
    for (const [name, args, code] of wrong) {
      await expect(world.ask(name, args), JSON.stringify(args)).rejects.toThrow(code);
    }
    expect(await world.ask('alerts')).toEqual(before);
    await world.stop();
  });

  it('1,000 random reconfigurations, with cuts between them, raise nothing twice', async () => {
    const world = await begin();
    const chance = new Random('reconfigure');
    const pick = <T>(all: readonly T[]): T => all[chance.whole(0, all.length - 1)] as T;
    const amount = () => GAL(pick([0.1, 1, 5, 50, 500]));
    const date = (day: number) => new Date(START + day * 24 * HOUR).toISOString().slice(0, 10);
    const changes: (() => [string, Record<string, unknown>])[] = [
      () => ['alerts.set', { meter: METER, daily: chance.chance(0.3) ? null : amount() }],
      () => ['alerts.set', { meter: METER, multi_day: chance.chance(0.3) ? null : amount() }],
      () => [
        'alerts.set',
        { meter: METER, billing_cycle: { ...amount(), day: chance.whole(1, 31) } },
      ],
      () => ['alerts.set', { defaults: true, daily: amount() }],
      () => ['alerts.set', { meter: METER, as_settings: ['daily', 'multi_day'] }],
      () => ['alerts.set', { meter: METER, no_use_days: chance.chance(0.5) ? null : 1 }],
      () => {
        const now = Math.floor((world.clock.trueNow() - START) / (24 * HOUR));
        const from = now + chance.whole(-2, 2);
        const to = from + chance.whole(0, 3);
        return ['vacation.set', { meter: METER, ...amount(), from: date(from), to: date(to) }];
      },
      () => ['vacation.clear', { meter: METER }],
      () => ['service.set', { meter: METER, service: chance.chance(0.5) ? 'active' : 'inactive' }],
    ];
    for (let i = 0; i < 1_000; i += 1) {
      const [name, args] = pick(changes)();
      await world.ask(name, args);
      if (chance.chance(0.2)) await world.run(chance.between(0.1, 2));
      if (chance.chance(0.02)) {
        world.kill(chance.whole(0, 1));
        await world.start();
      }
    }
    await world.run(1);
    await world.stop();
    const heard = alertsHeard(world, /^usage\./);
    expect(heard.length).toBeGreaterThan(50);
    expect(wrongCourses(heard)).toEqual([]);
    // At any moment at most one alert of a code stands at a place.
    for (const code of new Set(heard.map((one) => one.code))) {
      let standing: string | null = null;
      for (const one of heard.filter((each) => each.code === code && each.meter === METER)) {
        if (one.phase === 'raise') expect(standing, JSON.stringify(one)).toBeNull();
        standing = one.phase === 'clear' ? null : one.id;
      }
    }
    // The same water is told again only after a higher amount, or more of it.
    expect(byId(heard).size).toBeLessThan(500);
  }, 300_000);
});
