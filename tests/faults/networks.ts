// The way to the broker and to a Modbus peer, in a network of its own: packets are lost, late, or fall into a black hole.

import { execFileSync, spawnSync } from 'node:child_process';
import { HOUR, type Street } from '../end-to-end/street.ts';
import { until } from '../fakes/until.ts';
import {
  ACK_TIMEOUT_S,
  ARRIVAL_MS,
  actualHours,
  type FaultCase,
  type Figures,
  linksLost,
  metersOn,
  onStreet,
  settle,
  sumsOf,
  type Wish,
} from './fault-case.ts';

/** Rules for both ways of a TCP port, until `lift`. */
function drop(port: number, share: number): { lift(): void } {
  const chance =
    share < 1 ? ['-m', 'statistic', '--mode', 'random', '--probability', String(share)] : [];
  const rules = ['--dport', '--sport'].map((end) => [
    ...['INPUT', '-i', 'lo', '-p', 'tcp', end, String(port), ...chance, '-j', 'DROP'],
  ]);
  for (const rule of rules) execFileSync('iptables', ['-I', ...rule]);
  return {
    lift: () => {
      for (const rule of rules) execFileSync('iptables', ['-D', ...rule]);
    },
  };
}

const FAULT_HOURS = 5;
const LOST = 0.2;

function loss({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    const lossy = drop(street.gate.port, LOST);
    street.start();
    await street.reach(street.hoursNow + FAULT_HOURS);
    lossy.lift();
    const audit = await settle(street);
    return { lost_packets: `${100 * LOST} %`, actual: actualHours(street), ...sumsOf(audit) };
  });
}

function blackHole({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    const before = await linksLost(street);
    const hole = drop(street.gate.port, 1);
    await street.reach(street.hoursNow + FAULT_HOURS);
    await until('it says so', async () => (await linksLost(street)) > before, 60_000);
    hole.lift();
    const audit = await settle(street);
    return { hours_away: FAULT_HOURS, actual: actualHours(street), ...sumsOf(audit) };
  });
}

/** Most of what an acknowledgement may take, there and back. */
const LATE_MS = 1_000;

function netemDelays(port: number): boolean {
  const tc = (...words: string[]) => spawnSync('tc', words, { stdio: 'ignore' }).status === 0;
  const filter = (end: string) =>
    tc(
      ...'filter add dev lo protocol ip parent 1: u32 match ip'.split(' '),
      end,
      String(port),
      '0xffff',
      ...'flowid 1:3'.split(' '),
    );
  return (
    tc(...'qdisc add dev lo root handle 1: prio'.split(' ')) &&
    tc(
      ...'qdisc add dev lo parent 1:3 handle 30: netem delay'.split(' '),
      `${LATE_MS}ms`,
      '200ms',
    ) &&
    filter('dport') &&
    filter('sport')
  );
}

/** By the kernel where it can, else by the way through this process. */
function delay({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    const by = netemDelays(street.gate.port) ? 'netem' : 'the way (netem is not in this kernel)';
    if (by !== 'netem') street.gate.delayMs = LATE_MS;
    street.start();
    await street.reach(street.hoursNow + FAULT_HOURS);
    const audit = await settle(street);
    const late = `${2 * LATE_MS} of ${1000 * ACK_TIMEOUT_S} ms`;
    return { late, by, actual: actualHours(street), ...sumsOf(audit) };
  });
}

/** The peer goes without a word, and is back later: our end of the link still stands, its end does not. */
function halfOpen({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    const port = street.portOf('bus-4');
    const hole = drop(port, 1);
    street.world.unplug('bus-4');
    await street.reach(street.hoursNow + FAULT_HOURS);
    await street.world.replug('bus-4');
    hole.lift();
    const back = street.hoursNow + 1;
    const audit = await settle(street);
    const well = actualHours(street, metersOn(street, ['bus-1', 'bus-2', 'bus-3']));
    const healed = await answering(street, back);
    return { well, healed, ...sumsOf(audit) };
  });
}

/** Hours of the sick meters that are actual again; throws when there is none. */
async function answering(street: Street, since: number): Promise<number> {
  const from = street.began + since * HOUR;
  const actual = metersOn(street, ['bus-4']).map(
    (meter) => street.hoursOf(meter).filter(({ start, q }) => start >= from && q === 'A').length,
  );
  if (Math.min(...actual) === 0) throw new Error('the peer is back and not read');
  return actual.reduce((sum, n) => sum + n, 0);
}

export const NETWORKS: readonly FaultCase[] = [
  {
    name: 'loss',
    means: 'a fifth of all packets to and from the broker is lost',
    needs: ['mosquitto', 'network'],
    ownNetwork: true,
    minutes: () => 5,
    run: loss,
  },
  {
    name: 'delay',
    means: 'the broker is far away: acknowledgements take most of their time',
    needs: ['mosquitto', 'network'],
    ownNetwork: true,
    minutes: () => 5,
    run: delay,
  },
  {
    name: 'black-hole',
    means: 'packets to and from the broker vanish for hours',
    needs: ['mosquitto', 'network'],
    ownNetwork: true,
    minutes: () => 5,
    run: blackHole,
  },
  {
    name: 'half-open',
    means: 'a Modbus TCP peer goes without a word and comes back',
    needs: ['mosquitto', 'network'],
    ownNetwork: true,
    minutes: () => 5,
    run: halfOpen,
  },
];
