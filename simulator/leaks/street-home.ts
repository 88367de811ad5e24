// Homes of the simulated street with labelled leaks: people who keep hours, their appliances, and what goes wrong.

import { usesOfDay } from '../habits.ts';
import { settleIn } from '../home.ts';
import { Random } from '../random.ts';
import { DAY_MS, type Draw, type LabelledHome } from './labelled.ts';
import { type LeakPlan, leaksOf } from './leak.ts';
import { dripLine, hose, iceMaker, reverseOsmosis, tricklesOf } from './trickles.ts';

/** West of Greenwich, in milliseconds. */
const LOCAL_MS = 6 * 3_600_000;

const TRICKLES = { humidifier: 0.04, cooler: 0.03, pool: 0.02 };

/** The home of a seed over `days` from `start` (epoch ms, a UTC midnight). */
export function streetHome(
  seed: string,
  start: number,
  days: number,
  plan: LeakPlan = leaksOf,
): LabelledHome {
  const random = new Random(`leak home ${seed}`);
  const home = settleIn({ seed });
  const draws: Draw[] = [];
  const first = Math.floor((start - LOCAL_MS) / DAY_MS);
  for (let day = first; day <= first + days; day++) {
    for (const { start: from, seconds, gpm } of usesOfDay(home, day)) {
      const at = day * DAY_MS + LOCAL_MS + from * 1000;
      draws.push({ start: at, end: at + seconds * 1000, gph: gpm * 60 });
    }
  }
  const span = { start, days };
  if (random.chance(0.35)) draws.push(...iceMaker(span, random));
  if (random.chance(0.08)) draws.push(...reverseOsmosis(span, random));
  if (random.chance(0.06)) draws.push(...dripLine(span, random));
  if (random.chance(0.15)) draws.push(...hose(span, random));
  const trickles = tricklesOf(span, TRICKLES, random);
  const leaks = plan(start, days, random);
  draws.push(...trickles.draws, ...leaks.draws);
  return { name: seed, start, days, draws, leaks: leaks.labels, trickles: trickles.labels };
}
