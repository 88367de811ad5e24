// kill -9 at random moments of the real collector: what the head-end holds still equals the truth.

import { describe, expect, it } from 'vitest';
import { aedes, hasMosquitto, mosquitto } from '../fakes/real-brokers.ts';
import { killAtRandomMoments } from './kills.ts';

const KILLS = 20;

describe(`kill -9 of the collector at ${KILLS} random moments loses and invents nothing`, () => {
  it.skipIf(!hasMosquitto)(
    'on Mosquitto (needs mosquitto)',
    async () => {
      const broker = await mosquitto({ acl: 'topic readwrite #' });
      const result = await killAtRandomMoments(broker, KILLS, 41);
      expect(result).toMatchObject({ lost: 0, invented: 0, duplicates: 0, findings: [] });
      expect(result.hours).toBeGreaterThan(8 * 5);
    },
    300_000,
  );

  it('on aedes', async () => {
    const result = await killAtRandomMoments(await aedes(), KILLS, 42);
    expect(result).toMatchObject({ lost: 0, invented: 0, duplicates: 0, findings: [] });
    expect(result.hours).toBeGreaterThan(8 * 5);
  }, 300_000);
});
