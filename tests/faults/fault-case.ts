// What a fault on the real thing is: a name, what it needs of the machine, and a life that ends with the audits.

import type { Audit } from '../../simulator/audit.ts';
import { HOUR, Street, type StreetOptions } from '../end-to-end/street.ts';
import { type BrokerProcess, mosquitto } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import type { Need } from './needs.ts';

export type Figures = Readonly<Record<string, number | string>>;

/** What the command line asks of a case. */
export interface Wish {
  readonly seed: number;
  readonly soakDays: number;
}

export interface FaultCase {
  readonly name: string;
  readonly means: string;
  readonly needs: readonly Need[];
  /** Its whole process lives in a network of its own, with nothing but loopback. */
  readonly ownNetwork?: boolean;
  /** Runs beside the others, for it mostly waits. */
  readonly isLong?: boolean;
  /** Longest it may take, in minutes. */
  readonly minutes: (wish: Wish) => number;
  /** Throws unless nothing was lost, invented or told twice, and what is well stayed well. */
  readonly run: (wish: Wish) => Promise<Figures>;
}

/** An hour is six seconds here: a machine that is busy for a moment is no fault of the wire. */
export const SPEED = 600;
/** Half an hour is three of those seconds. */
const TOLERANCE_S = 1_800;
/** What a busy machine may take for the backlog to arrive, in ms. */
export const ARRIVAL_MS = 180_000;

/** A broker on which everybody may do everything. */
export function broker(): Promise<BrokerProcess> {
  return mosquitto({ acl: 'topic readwrite #' });
}

/** Lives `life` on a street of SPEED over Mosquitto, and takes everything away after it. */
export async function onStreet<T>(
  options: Omit<StreetOptions, 'speed' | 'broker'> & { readonly speed?: number },
  life: (street: Street, broker: BrokerProcess) => Promise<T>,
): Promise<T> {
  const real = await broker();
  const street = await Street.open({
    speed: SPEED,
    ...options,
    broker: real,
    tune: (settings) => {
      const { meters } = settings.toJS() as { meters: unknown[] };
      for (const i of meters.keys()) settings.setIn(['meters', i, 'tolerance_s'], TOLERANCE_S);
      settings.setIn(['upstream', 'keepalive_s'], 5);
      settings.setIn(['upstream', 'ack_timeout_s'], ACK_TIMEOUT_S);
      options.tune?.(settings);
    },
  });
  try {
    return await life(street, real);
  } catch (error) {
    // The folder goes with the street.
    process.stderr.write(`${street.lastLines()}\n`);
    throw error;
  } finally {
    await street.close();
  }
}

/** A link without a PUBACK for so long is made anew. */
export const ACK_TIMEOUT_S = 3;

/** The length of a fault: resolves when so many ms have passed. */
export async function lasting(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await until('the end of the fault', () => performance.now() >= end, ms + 60_000);
}

/** Waits for all hours up to now and two more, then settles. */
export async function settle(street: Street): Promise<Audit> {
  const hours = street.hoursNow + 2;
  await street.arrived(hours, ARRIVAL_MS);
  return street.settled(hours);
}

/** How often the daemon said that its link to the broker was lost, or could not be made. */
export async function linksLost(street: Street): Promise<number> {
  const words = ['lost the link', 'no answer from', 'PUBACK'];
  const times = await Promise.all(words.map((said) => street.timesSaid(said)));
  return times.reduce((sum, n) => sum + n, 0);
}

export function sumsOf({ hours, lost, invented, duplicates }: Audit): Figures {
  return { hours, lost, invented, duplicates };
}

/** How many hours of these meters were told; throws unless all between the first and `until` (epoch ms) are actual. */
export function actualHours(
  street: Street,
  meters: readonly string[] = street.world.truth.meters.map(({ meter }) => meter),
  until = Number.POSITIVE_INFINITY,
): number {
  let actual = 0;
  for (const meter of meters) {
    const hours = street.hoursOf(meter).sort((a, b) => a.start - b.start);
    for (const { start, q } of hours.slice(1)) {
      if (start + HOUR > until) continue;
      if (q !== 'A') throw new Error(`${meter}: the hour ${new Date(start).toISOString()} is ${q}`);
      actual += 1;
    }
  }
  if (actual === 0) throw new Error('no hour of a well meter was told');
  return actual;
}

/** The meters on these buses. */
export function metersOn(street: Street, buses: readonly string[]): string[] {
  return street.world.truth.meters.filter(({ bus }) => buses.includes(bus)).map((m) => m.meter);
}
