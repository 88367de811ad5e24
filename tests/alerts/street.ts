// A street whose first home begins to leak and is mended, and what its collector tells of it.

import { HOUR, START, VirtualWorld, type WorldOptions } from '../whole/virtual-world.ts';

export { HOUR, START, VirtualWorld };

/** An event as the head-end got it. */
export interface Heard {
  readonly topic: string;
  readonly row: number;
  readonly id: string;
  readonly meter: string;
  readonly inst: number;
  readonly code: string;
  readonly severity: string;
  readonly phase: 'raise' | 'update' | 'clear';
  readonly at: string;
  readonly since: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Each event message once, in the order of its row, of the kinds that alerts are told under. */
export function alertsHeard(
  world: VirtualWorld,
  kinds = /^(?:leak|usage)\.|^flow\.burst/,
): Heard[] {
  const heard = new Map<number, Heard>();
  for (const { topic, payload } of world.broker.received) {
    if (!topic.endsWith('/event')) continue;
    const event = JSON.parse(payload) as Heard;
    if (kinds.test(event.code)) heard.set(event.row, { ...event, topic });
  }
  return [...heard.values()].sort((a, b) => a.row - b.row);
}

/** The messages of each alarm, by its id. */
export function byId(heard: readonly Heard[]): ReadonlyMap<string, readonly Heard[]> {
  const ids = new Map<string, Heard[]>();
  for (const one of heard) ids.set(one.id, [...(ids.get(one.id) ?? []), one]);
  return ids;
}

/** What is wrong with the course of any alarm: it is raised once, first, and cleared at most once, last (E1). */
export function wrongCourses(heard: readonly Heard[]): string[] {
  return [...byId(heard)].flatMap(([id, messages]) => {
    const phases = messages.map(({ phase }) => phase).join(' ');
    return /^raise(?: update)*(?: clear)?$/.test(phases) ? [] : [`${id}: ${phases}`];
  });
}

/** In the words of a comparison: what, when, and how it went on. */
export const courseOf = ({ meter, code, phase, at }: Heard): string =>
  `${meter} ${code} ${phase} ${at}`;

/** Leaks of single meters, in gallons an hour from one hour of the world to another. */
export interface Leak {
  readonly place: number;
  readonly gph: number;
  readonly from: number;
  readonly to: number;
}

/** A world in which homes leak for a while. */
export function leakyWorld(options: WorldOptions, leaks: readonly Leak[]): VirtualWorld {
  const world = new VirtualWorld(options);
  for (const { place, gph, from, to } of leaks) {
    const at = world.places[place];
    if (!at) throw new Error(`there is no place ${place}`);
    const { meter } = at;
    const { unit, pow10 } = at.settings.dial;
    if (unit !== 'ft3') throw new Error('this street counts in cubic feet');
    const perHour = gph / (1728 / 231) / 10 ** pow10;
    const plain = meter.countAt.bind(meter);
    const ran = (now: number) =>
      Math.max(0, Math.min(now, START + to * HOUR) - (START + from * HOUR)) / HOUR;
    meter.countAt = (now: number) => plain(now) + Math.floor(perHour * ran(now));
  }
  return world;
}
