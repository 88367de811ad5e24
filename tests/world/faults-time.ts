// Faults of the wall clock: steps, drift, no synchronisation, and 1970 after a power cut.

import type { Random } from '../../simulator/random.ts';
import { type FaultKind, HOUR, MINUTE } from './fault-kind.ts';
import type { HostileWorld } from './hostile-world.ts';

/** Mostly small, sometimes a day: what an operator or a broken time server does. */
function stepMs(chance: Random): number {
  const sign = chance.chance(0.5) ? 1 : -1;
  const draw = chance.next();
  if (draw < 0.4) return sign * chance.between(1_000, 60_000);
  if (draw < 0.8) return sign * chance.between(1, 90) * MINUTE;
  return sign * chance.between(2, 26) * HOUR;
}

function setRight(world: HostileWorld): void {
  world.clock.setSynced(true);
  world.setWall(0);
}

export const TIME_FAULTS: readonly FaultKind[] = [
  {
    id: 'F13',
    means: 'the wall clock is stepped, and later put right',
    perDay: [0.2, 1.5],
    strike(world, chance) {
      world.hit('F13');
      world.setWall(Math.round(stepMs(chance)));
      world.later(chance.between(0.05, 8) * HOUR, () => setRight(world));
    },
  },
  {
    id: 'F13w',
    means:
      'the wall clock is so far ahead that increments look old, for an hour or a few, as a broken time server has it',
    perDay: [0.1, 0.3],
    strike(world, chance) {
      world.hit('F13w');
      world.setWall(Math.round((world.incrementDays + chance.between(1, 5)) * 24 * HOUR));
      world.later(chance.between(0.5, 4) * HOUR, () => setRight(world));
    },
  },
  {
    id: 'F13u',
    means: 'the wall clock is not synchronised for a while',
    perDay: [0.2, 1.5],
    strike(world, chance) {
      world.hit('F13u');
      world.clock.setSynced(false);
      world.disturb();
      world.later(chance.between(0.02, 3) * HOUR, () => {
        world.clock.setSynced(true);
        world.disturb();
      });
    },
  },
  {
    id: 'F14',
    means: 'after a power cut the wall clock is in 1970, until it is synchronised',
    perDay: [0.2, 1],
    async strike(world, chance) {
      world.hit('F14');
      world.kill(0);
      world.clock.setSynced(false);
      world.setWall(Math.round(chance.between(0, 100 * HOUR)) - Math.floor(world.trueNow()));
      await world.clock.run(world.trueNow() + chance.between(1_000, 20 * MINUTE));
      await world.begin();
      // Mostly until a network is there; sometimes for hours, through other starts.
      const hours = chance.chance(0.6) ? chance.between(0.01, 0.5) : chance.between(0.5, 12);
      world.later(hours * HOUR, () => setRight(world));
    },
  },
  {
    id: 'F16',
    means: 'the wall clock drifts, and is stepped right after hours',
    perDay: [0.2, 1],
    strike(world, chance) {
      world.hit('F16');
      world.clock.driftBy(chance.between(-300, 300));
      world.later(chance.between(2, 24) * HOUR, () => {
        world.wallErrors.add(world.clock.now() - Math.floor(world.trueNow()));
        setRight(world);
      });
    },
  },
];
