// The daemon is killed, and daemon and broker stand still for longer than an acknowledgement may take.

import { Random } from '../../simulator/random.ts';
import { killAtRandomMoments } from '../end-to-end/kills.ts';
import { HOUR } from '../end-to-end/street.ts';
import { until } from '../fakes/until.ts';
import {
  ACK_TIMEOUT_S,
  ARRIVAL_MS,
  actualHours,
  broker,
  type FaultCase,
  type Figures,
  lasting,
  linksLost,
  onStreet,
  settle,
  sumsOf,
  type Wish,
} from './fault-case.ts';

const KILLS = 12;

async function kills({ seed }: Wish): Promise<Figures> {
  return { kills: KILLS, ...sumsOf(await killAtRandomMoments(await broker(), KILLS, seed)) };
}

/** Beside short stops one of hours, after which the broker has long closed the link. */
const STOPS_S = [ACK_TIMEOUT_S + 1, 2 * ACK_TIMEOUT_S, 20];

function pausedDaemon({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    const chance = new Random(`${seed}/stops`);
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    for (const s of STOPS_S) {
      await lasting(chance.between(500, 6_000));
      street.signal('SIGSTOP');
      await lasting(s * 1000);
      street.signal('SIGCONT');
      await street.arrived(street.hoursNow, ARRIVAL_MS);
    }
    return { stops: STOPS_S.length, ...sumsOf(await settle(street)) };
  });
}

function pausedBroker({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street, real) => {
    const chance = new Random(`${seed}/stops`);
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    let silences = 0;
    for (const s of STOPS_S) {
      await lasting(chance.between(500, 6_000));
      real.signal('SIGSTOP');
      const before = await linksLost(street);
      // What is under way then is never acknowledged.
      await lasting(s * 1000);
      if (s * 1000 > 2 * (6_000 + ACK_TIMEOUT_S * 1000)) {
        await until(
          'the daemon says that the broker is silent',
          async () => (await linksLost(street)) > before,
          60_000,
        );
      }
      silences += (await linksLost(street)) - before;
      real.signal('SIGCONT');
      await street.arrived(street.hoursNow, ARRIVAL_MS);
    }
    const audit = await settle(street);
    const actual = actualHours(street, undefined, street.world.now() - HOUR);
    return { stops: STOPS_S.length, silences, actual, ...sumsOf(audit) };
  });
}

export const STOPS: readonly FaultCase[] = [
  {
    name: 'kill',
    means: 'kill -9 of the daemon at random moments',
    needs: ['mosquitto'],
    minutes: () => 5,
    run: kills,
  },
  {
    name: 'paused-daemon',
    means: 'SIGSTOP and SIGCONT of the daemon, for up to hours',
    needs: ['mosquitto'],
    minutes: () => 6,
    run: pausedDaemon,
  },
  {
    name: 'paused-broker',
    means: 'SIGSTOP and SIGCONT of the broker, for longer than an acknowledgement may take',
    needs: ['mosquitto'],
    minutes: () => 6,
    run: pausedBroker,
  },
];
