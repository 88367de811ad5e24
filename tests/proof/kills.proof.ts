// kill -9 of the real collector, more often than `npm test` does, on both brokers.

import { describe, expect, it } from 'vitest';
import { killAtRandomMoments } from '../end-to-end/kills.ts';
import { aedes, hasMosquitto, mosquitto } from '../fakes/real-brokers.ts';

const KILLS = 100;

describe(`${KILLS} times kill -9 of the collector`, () => {
  it.skipIf(!hasMosquitto)('on Mosquitto (needs mosquitto)', async () => {
    const broker = await mosquitto({ acl: 'topic readwrite #' });
    expect(await killAtRandomMoments(broker, KILLS, 91)).toMatchObject({ lost: 0, invented: 0 });
  });

  it('on aedes', async () => {
    expect(await killAtRandomMoments(await aedes(), KILLS, 92)).toMatchObject({
      lost: 0,
      invented: 0,
    });
  });
});
