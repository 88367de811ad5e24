// A broker that takes a collector's hours and not what it says of itself: `status` tells it, until it is mended.

import { expect, it } from 'vitest';
import { VirtualWorld } from './virtual-world.ts';

it('a meter that may not be described is told in the words of status', async () => {
  const world = new VirtualWorld({ seed: 37, meters: 2 });
  const says = async () => ((await world.ask('status')) as Status).upstream;
  world.broker.refuses = (topic) => topic.endsWith('/info');
  await world.start();
  await world.run(0.5);
  expect(await says()).toMatchObject({ connected: true, refused: 0 });
  expect((await says()).detail).toContain('2 messages of the collector itself refused: 135');
  world.broker.refuses = () => false;
  await world.run(0.5);
  expect((await says()).detail).not.toContain('refused');
  await world.stop();
});

interface Status {
  readonly upstream: { readonly detail: string };
}
