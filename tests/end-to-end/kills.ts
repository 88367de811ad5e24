// Kills the real collector again and again, lets it recover, and compares the head-end with the truth.

import type { Audit } from '../../simulator/audit.ts';
import { Random } from '../../simulator/random.ts';
import type { RealBroker } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import { Street } from './street.ts';

const SPEED = 2_400;

/** How long a start takes here and now, in real ms: from the process to its first word at the head-end. */
async function startUp(street: Street): Promise<number> {
  const begun = performance.now();
  street.start();
  await until('the first start', () => street.headEnd.state('COL-00001') === 'ready');
  await street.kill();
  return performance.now() - begun;
}

/** The audit after `kills` times kill -9 at moments drawn from `seed`. Throws when something is found. */
export async function killAtRandomMoments(
  broker: RealBroker,
  kills: number,
  seed: number,
): Promise<Audit> {
  const street = await Street.open({ seed, speed: SPEED, broker });
  try {
    const { world } = street;
    const moments = new Random(`${seed}/kills`);
    const startMs = await startUp(street);
    for (let kill = 0; kill < kills; kill += 1) {
      street.start();
      const end = world.now() + moments.between(0.2, 3) * startMs * SPEED;
      await until('the moment of the kill', () => world.now() >= end, 60_000);
      await street.kill();
    }
    street.start();
    const hours = street.hoursNow + 2;
    await street.arrived(hours, 60_000);
    return await street.settled(hours);
  } finally {
    await street.close();
  }
}
