// Homes of another make, for validation: intensities by the hour and a mood of the day instead of people with habits.

import { Random } from '../random.ts';
import { DAY_MS, type Draw, HOUR_MS, type LabelledHome } from './labelled.ts';
import { type LeakPlan, leaksOf } from './leak.ts';
import { dripLine, hose, iceMaker, reverseOsmosis, tricklesOf } from './trickles.ts';

const MINUTE_MS = 60_000;
const TRICKLES = { humidifier: 0.04, cooler: 0.04, pool: 0.02 };

/** How busy each hour of the local day is, 0 to 9, by kind of household. */
const RHYTHMS = {
  office: '100001585311111122467753',
  retired: '110101256776555554566421',
  night: '664325776311111124566655',
  family: '210102698534334566899864',
  shifts: '433223456655555566666554',
  student: '532100012345554455667787',
  pair: '000000275432222334677520',
} as const;
type Rhythm = keyof typeof RHYTHMS;
const KINDS = Object.keys(RHYTHMS) as Rhythm[];

/** Uses as a table: gallons an hour low and high, seconds low and high, weight. */
const USES: readonly (readonly [number, number, number, number, number])[] = [
  [110, 200, 30, 70, 30], // toilet
  [25, 110, 3, 70, 46], // tap
  [90, 150, 200, 900, 6], // shower
  [160, 260, 90, 240, 4], // bath, bucket
  [90, 200, 60, 220, 5], // washing machine, one fill
  [60, 100, 60, 110, 5], // dishwasher, one fill
];
const WEIGHT = USES.reduce((sum, use) => sum + use[4], 0);

interface Town {
  readonly rhythm: Rhythm;
  /** Uses a day. */
  readonly busy: number;
  readonly zoneMs: number;
  /** Days away, as [from, to). */
  readonly away: readonly (readonly [number, number])[];
}

function settle(random: Random, days: number): Town {
  const rhythm = KINDS[random.whole(0, KINDS.length - 1)] as Rhythm;
  const away: [number, number][] = [];
  for (let n = random.times(days / 50); n > 0; n--) {
    const from = random.whole(0, days);
    away.push([from, from + random.whole(1, 12)]);
  }
  const busy = rhythm === 'family' ? random.between(45, 110) : random.between(14, 55);
  return { rhythm, busy, zoneMs: random.whole(4, 9) * HOUR_MS, away };
}

function useAt(at: number, random: Random): Draw {
  let left = random.next() * WEIGHT;
  for (const [low, high, short, long, weight] of USES) {
    left -= weight;
    if (left >= 0) continue;
    const length = short * (long / short) ** random.next() * 1000;
    return { start: at, end: at + length, gph: random.between(low, high) };
  }
  return { start: at, end: at + 10_000, gph: 60 };
}

/** One day's uses: a mood that carries over half to the next day makes whole days quiet or busy. */
function day(town: Town, midnight: number, mood: number, late: number, random: Random): Draw[] {
  const shape = RHYTHMS[town.rhythm];
  const sum = [...shape].reduce((total, digit) => total + Number(digit), 0);
  const draws: Draw[] = [];
  for (let hour = 0; hour < 24; hour++) {
    const level = Number(shape[(hour + 24 - late) % 24]) + (random.chance(0.01) ? 4 : 0);
    for (let n = random.times((town.busy * mood * level) / sum); n > 0; n--) {
      draws.push(useAt(midnight + (hour + random.next()) * HOUR_MS, random));
    }
  }
  return draws;
}

function sprinklers(start: number, days: number, random: Random): Draw[] {
  const draws: Draw[] = [];
  const at = random.between(0, 24) * HOUR_MS;
  const zones = random.whole(2, 9);
  const every = random.whole(1, 4);
  const minutes = random.between(8, 30);
  for (let n = random.whole(0, 20); n < days; n += every) {
    for (let zone = 0; zone < zones; zone++) {
      const from = start + n * DAY_MS + at + zone * minutes * MINUTE_MS;
      draws.push({ start: from, end: from + minutes * MINUTE_MS, gph: random.between(200, 600) });
    }
  }
  return draws;
}

function softener(start: number, days: number, random: Random): Draw[] {
  const draws: Draw[] = [];
  const at = random.between(6, 11) * HOUR_MS;
  const every = random.between(2, 8);
  const stages = [
    [12, 150],
    [random.between(40, 75), random.between(18, 35)],
    [10, 110],
    [5, 45],
  ] as const;
  for (let n = random.next() * every; n < days; n += every) {
    let from = start + Math.floor(n) * DAY_MS + at;
    for (const [minutes, gph] of stages) {
      draws.push({ start: from, end: from + minutes * MINUTE_MS, gph });
      from += minutes * MINUTE_MS;
    }
  }
  return draws;
}

/** The home of a seed over `days` from `start` (epoch ms, a UTC midnight). */
export function townHome(
  seed: string,
  start: number,
  days: number,
  plan: LeakPlan = leaksOf,
): LabelledHome {
  const random = new Random(`town home ${seed}`);
  const draws = people(start, days, random);
  const span = { start, days };
  if (random.chance(0.25)) draws.push(...sprinklers(start, days, random));
  if (random.chance(0.2)) draws.push(...softener(start, days, random));
  if (random.chance(0.3)) draws.push(...iceMaker(span, random));
  if (random.chance(0.1)) draws.push(...reverseOsmosis(span, random));
  if (random.chance(0.08)) draws.push(...dripLine(span, random));
  if (random.chance(0.15)) draws.push(...hose(span, random));
  const trickles = tricklesOf(span, TRICKLES, random);
  const leaks = plan(start, days, random);
  draws.push(...trickles.draws, ...leaks.draws);
  return { name: seed, start, days, draws, leaks: leaks.labels, trickles: trickles.labels };
}

/** What people draw: a mood of the day carries over half to the next. */
function people(start: number, days: number, random: Random): Draw[] {
  const town = settle(random, days);
  const draws: Draw[] = [];
  let mood = 1;
  for (let n = 0; n < days; n++) {
    mood = Math.exp(0.5 * Math.log(mood) + random.around(0, 0.25, -0.8, 0.8));
    if (town.away.some(([from, to]) => n >= from && n < to)) continue;
    const weekend = n % 7 >= 5;
    const late = weekend ? random.whole(0, 2) : random.chance(0.1) ? 1 : 0;
    const midnight = start + n * DAY_MS + town.zoneMs;
    draws.push(...day(town, midnight, mood * (weekend ? 1.2 : 1), late, random));
  }
  return draws;
}
