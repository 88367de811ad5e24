// What a seed stands for: every option of a run written out, each fault on or off with a rate of its own.

import { Random } from '../../simulator/random.ts';
import { FAULT_KINDS } from './faults.ts';
import type { AckMode } from './storing-head-end.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly meters: number;
  readonly days: number;
  readonly pollS: number;
  /** Strikes a day of each fault that is on. */
  readonly rates: Readonly<Record<string, number>>;
  readonly ack: AckMode;
  /** A head-end may operate and configure. */
  readonly operate: boolean;
  /** How long the medium takes for a sync, and the broker's link for one way, when nothing is wrong with them. */
  readonly syncMs: number;
  readonly latencyMs: number;
  /** The part of the dials that are near their end. */
  readonly nearEnd: number;
}

export interface Wishes {
  readonly seed: number;
  readonly meters?: number;
  readonly days?: number;
  readonly pollMinutes?: number;
  /** `swarm`, `none`, `all`, and ids, `-` before what is left out; all at the rates that the swarm would draw. */
  readonly faults?: string;
}

/** Each draw has dice of its own, so that leaving one fault out changes nothing of the others. */
export function expand({
  seed,
  meters = 25,
  days = 7,
  pollMinutes = 15,
  faults = 'swarm',
}: Wishes): WorldOptions {
  const dice = (what: string) => new Random(`${seed}/option/${what}`);
  const named = faults.split(',');
  const rates: Record<string, number> = {};
  for (const { id, perDay } of FAULT_KINDS) {
    const chance = dice(id);
    const isOn = chance.chance(0.5);
    const rate = chance.between(...perDay);
    const isDrawn = named.includes('swarm') ? isOn : named.includes('all');
    const wanted = (isDrawn || named.includes(id)) && !named.includes(`-${id}`);
    if (wanted) rates[id] = Number(rate.toFixed(2));
  }
  const chance = dice('world');
  return {
    ...{ seed, meters, days, pollS: 60 * pollMinutes, rates },
    ack: chance.chance(0.5) ? 'required' : 'none',
    operate: chance.chance(0.5),
    syncMs: chance.chance(0.6) ? 0 : chance.whole(5, 60),
    latencyMs: chance.chance(0.6) ? 0 : chance.whole(20, 200),
    nearEnd: 0.2,
  };
}
