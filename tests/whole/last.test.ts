// The latest reading of each meter, where the owner wants it: retained, at most once a minute, only when it changed.

import { expect, it } from 'vitest';
import { HOUR, START, VirtualWorld } from './virtual-world.ts';

const lastsOf = (world: VirtualWorld) =>
  world.broker.received
    .filter(({ topic }) => topic.endsWith('/last'))
    .map((message) => ({ ...message, said: JSON.parse(message.payload) }));

it('is not published unless the owner says so', async () => {
  const world = new VirtualWorld({ seed: 31, meters: 2 });
  await world.start();
  await world.run(1);
  await world.stop();
  expect(lastsOf(world)).toEqual([]);
});

it('tells the dial as it was served and the use since the hour began, at most once a minute', async () => {
  const world = new VirtualWorld({ seed: 31, meters: 2, last: true, pollS: 20 });
  await world.start();
  await world.run(2.4);
  world.silence('SP-00002', true);
  await world.run(0.5);
  await world.stop();
  const lasts = lastsOf(world);
  expect(lasts.every(({ qos, retain }) => qos === 0 && retain)).toBe(true);
  for (const meter of ['SP-00001', 'SP-00002']) {
    const mine = lasts.filter(({ said }) => said.meter === meter);
    const steps = mine.slice(1).map(({ at }, i) => at - (mine[i]?.at ?? 0));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(59_000);
    const served = world.places.find(({ settings }) => settings.meter === meter)?.served ?? [];
    for (const { said } of mine) {
      expect(served.map(({ register }) => register)).toContain(said.read);
      expect(said.use).toBeGreaterThanOrEqual(0);
    }
  }
  // A silent meter has nothing new to tell.
  const silent = lasts.filter(({ said }) => said.meter === 'SP-00002').at(-1);
  expect(silent?.at).toBeLessThan(START + 2.45 * HOUR);
  const talking = lasts.filter(({ said }) => said.meter === 'SP-00001').at(-1);
  expect(talking?.at).toBeGreaterThan(START + 2.8 * HOUR);
  expect(talking?.said.start).toBe('2026-06-01T02:00:00Z');
});
