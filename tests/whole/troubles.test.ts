// Troubles of the collector itself, as the head-end and a technician learn of them: a bus on which nobody is heard, a clock that steps.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualWorld } from './virtual-world.ts';

interface Alarms {
  readonly open: readonly { readonly code: string; readonly data: Record<string, unknown> }[];
  readonly recent: readonly { readonly code: string; readonly data: Record<string, unknown> }[];
}

describe('a trouble of the collector itself', () => {
  let world: VirtualWorld;
  beforeEach(async () => {
    world = new VirtualWorld({ seed: 11, meters: 2, lineType: 'line-serial' });
    await world.start();
    await world.run(1);
  });
  afterEach(() => world.stop());

  const told = (code: string) =>
    world
      .ledger()
      .events()
      .filter((event) => event['code'] === code);
  const open = async () => ((await world.ask('alarms')) as Alarms).open;

  it('a bus that is unplugged is told to the head-end, stands in `alarms`, and is over when it is plugged in', async () => {
    const [bus = ''] = world.settings.buses.map((one) => one.bus);
    world.unplug(bus);
    await world.run(2);
    expect(told('bus.down')).toMatchObject([{ phase: 'raise', severity: 'major', data: { bus } }]);
    expect(told('bus.down')[0]).not.toHaveProperty('meter');
    expect(await open()).toContainEqual(expect.objectContaining({ code: 'bus.down' }));
    world.plugIn(bus);
    await world.run(2);
    expect(told('bus.down').map(({ phase }) => phase)).toEqual(['raise', 'clear']);
    expect(new Set(told('bus.down').map(({ id }) => id)).size).toBe(1);
    expect(await open()).not.toContainEqual(expect.objectContaining({ code: 'bus.down' }));
  });

  it('a clock that is put forward is told once, with by how much, whatever the number of meters', async () => {
    world.clock.stepWall(30 * 60_000);
    await world.run(2);
    expect(told('clock.step')).toMatchObject([{ phase: 'raise', data: { step_ms: 1_800_000 } }]);
    const { recent } = (await world.ask('alarms')) as Alarms;
    expect(recent.filter(({ code }) => code === 'clock.step')).toHaveLength(1);
  });
});
