// What the people of a home do on a day, and which taps run for it.

import { type Home, type Irrigation, onVacation, type Person } from './home.ts';
import { Random } from './random.ts';

const HOUR = 3600;
const MINUTE = 60;
const DAY = 86_400;

/** One tap running: `start` and `seconds` in seconds from local midnight, `gpm` in US gallons a minute. */
export interface Use {
  readonly start: number;
  readonly seconds: number;
  readonly gpm: number;
}

/** Saturday or Sunday; day 0 was a Thursday. */
function isWeekend(day: number): boolean {
  const weekday = (((day + 4) % 7) + 7) % 7;
  return weekday === 0 || weekday === 6;
}

type Spell = readonly [from: number, to: number];

/** When this person is at home and awake today. */
function atHome(one: Person, random: Random, weekend: boolean): Spell[] {
  const shift = random.around(weekend ? 1.2 : 0, 0.4, -1, 3) * HOUR;
  const wakes = one.wakes + shift;
  const sleeps = Math.min(one.sleeps + random.around(0, 0.4, -1, 1) * HOUR, 23.8 * HOUR);
  if (one.works && !weekend) {
    // A few working days are spent at home.
    if (random.chance(0.93)) {
      return [
        [wakes, Math.max(wakes + 0.4 * HOUR, one.leaves)],
        [one.returns, sleeps],
      ];
    }
  }
  if (random.chance(0.25)) return [[wakes, sleeps]];
  const out = random.between(9.5, 15) * HOUR;
  const back = out + random.between(1, 5) * HOUR;
  return [
    [wakes, out],
    [back, Math.max(back, sleeps)],
  ];
}

function hoursOf(spells: readonly Spell[]): number {
  return spells.reduce((sum, [from, to]) => sum + Math.max(0, to - from), 0) / HOUR;
}

/** A moment, evenly spread over the spells. */
function momentIn(spells: readonly Spell[], random: Random): number {
  let left = random.next() * hoursOf(spells) * HOUR;
  for (const [from, to] of spells) {
    const length = Math.max(0, to - from);
    if (left < length) return from + left;
    left -= length;
  }
  return spells[0]?.[0] ?? 0;
}

/** `gallons` drawn at `gpm`. */
function draw(start: number, gallons: number, gpm: number): Use {
  return { start, seconds: (gallons / gpm) * MINUTE, gpm };
}

function flush(uses: Use[], home: Home, random: Random, at: number): void {
  uses.push(draw(at, home.gallonsPerFlush, random.between(2, 3.2)));
  if (random.chance(0.8)) {
    uses.push({
      start: at + 25,
      seconds: random.between(8, 30),
      gpm: random.between(0.8, 1.6),
    });
  }
}

function toilets(uses: Use[], home: Home, random: Random, spells: readonly Spell[]): void {
  const wakes = spells[0]?.[0] ?? 0;
  const sleeps = spells.at(-1)?.[1] ?? 0;
  flush(uses, home, random, wakes + random.between(0, 0.15) * HOUR);
  if (random.chance(0.85)) flush(uses, home, random, sleeps - random.between(0.02, 0.25) * HOUR);
  if (random.chance(0.4)) flush(uses, home, random, random.between(0, wakes - 0.5 * HOUR));
  for (let n = random.times(0.28 * hoursOf(spells)); n > 0; n--) {
    flush(uses, home, random, momentIn(spells, random));
  }
}

function showerAndTaps(uses: Use[], home: Home, random: Random, spells: readonly Spell[]): void {
  const wakes = spells[0]?.[0] ?? 0;
  const sleeps = spells.at(-1)?.[1] ?? 0;
  if (random.chance(0.69)) {
    const start = random.chance(0.65)
      ? wakes + random.between(0.08, 0.6) * HOUR
      : sleeps - random.between(0.5, 3.5) * HOUR;
    const minutes = random.around(7.8, 2.6, 3, 18);
    uses.push({ start, seconds: minutes * MINUTE, gpm: home.showerGpm });
  }
  for (let n = random.times(1.35 * hoursOf(spells)); n > 0; n--) {
    const seconds = Math.min(240, 5 + random.waiting(34));
    uses.push({ start: momentIn(spells, random), seconds, gpm: random.between(0.5, 2) });
  }
}

function kitchen(uses: Use[], home: Home, random: Random, spells: readonly Spell[]): void {
  const share = Math.sqrt(home.people.length);
  for (let n = random.times(3.2 * share); n > 0; n--) {
    uses.push(draw(random.between(16.8, 19.8) * HOUR, random.between(0.4, 2.4), 1.6));
  }
  for (let n = random.times(1.2 * share); n > 0; n--) {
    const wakes = spells[0]?.[0] ?? 0;
    uses.push(draw(wakes + random.between(0.2, 0.9) * HOUR, random.between(0.3, 1.2), 1.4));
  }
  const sleeps = spells.at(-1)?.[1] ?? 0;
  if (home.dishwasher && random.chance(Math.min(0.9, 0.2 * home.people.length))) {
    const start = sleeps - random.between(1, 2.5) * HOUR;
    for (const minutes of [0, 22, 48]) uses.push(draw(start + minutes * MINUTE, 2, 1.5));
  }
}

function laundry(uses: Use[], home: Home, random: Random, spells: readonly Spell[]): void {
  const fills = home.efficientWasher ? [6, 5, 5] : [16, 12, 11];
  const weekend = hoursOf(spells) > 10;
  for (let n = random.times(home.people.length * (weekend ? 0.42 : 0.22)); n > 0; n--) {
    const start = Math.min(momentIn(spells, random), 22 * HOUR);
    for (const [i, gallons] of fills.entries()) {
      uses.push(draw(start + i * 16 * MINUTE, gallons, 3.4));
    }
  }
  for (let n = random.times(0.06 * home.people.length); n > 0; n--) {
    uses.push(draw(random.between(18, 20.5) * HOUR, random.between(16, 28), 4.5));
  }
  for (let n = random.times(0.3 * home.people.length); n > 0; n--) {
    uses.push(draw(momentIn(spells, random), random.between(2, 12), 3));
  }
}

/** The timer waters from May to September, people at home or not. */
function sprinkle(uses: Use[], plan: Irrigation, day: number): void {
  const month = new Date(day * DAY * 1000).getUTCMonth();
  if (month < 4 || month > 8 || day % plan.everyDays !== 0) return;
  for (let zone = 0; zone < plan.zones; zone++) {
    const start = plan.start + zone * plan.minutes * MINUTE;
    uses.push({ start, seconds: plan.minutes * MINUTE, gpm: plan.gpm });
  }
}

/** Backwash, brine, rinse and refill: about 60 gallons in an hour and a half. */
function regenerate(uses: Use[], start: number): void {
  uses.push({ start, seconds: 10 * MINUTE, gpm: 2.2 });
  uses.push({ start: start + 10 * MINUTE, seconds: 55 * MINUTE, gpm: 0.4 });
  uses.push({ start: start + 65 * MINUTE, seconds: 8 * MINUTE, gpm: 1.8 });
  uses.push({ start: start + 75 * MINUTE, seconds: 4 * MINUTE, gpm: 0.8 });
}

/** Within the day: a use that would pass midnight begins earlier instead, so that each day stands by itself. */
function withinDay(use: Use): Use {
  const start = Math.max(0, Math.min(use.start, DAY - use.seconds));
  return { start, seconds: use.seconds, gpm: use.gpm };
}

/** Everything that runs in `home` on local day `day` (days since 1970-01-01), in no order. */
export function usesOfDay(home: Home, day: number): Use[] {
  const random = new Random(`day ${home.seed} ${day}`);
  const uses: Use[] = [];
  if (!onVacation(home, day)) {
    const weekend = isWeekend(day);
    let spells: Spell[] = [];
    for (const one of home.people) {
      spells = atHome(one, random, weekend);
      toilets(uses, home, random, spells);
      showerAndTaps(uses, home, random, spells);
    }
    kitchen(uses, home, random, spells);
    laundry(uses, home, random, spells);
    if (random.chance(home.runningToiletPerDay)) {
      const seconds = random.between(1, 9) * HOUR;
      uses.push({ start: momentIn(spells, random), seconds, gpm: random.between(0.4, 2) });
    }
  }
  if (home.irrigation) sprinkle(uses, home.irrigation, day);
  if (home.softener && (day + home.softener.phase) % home.softener.everyDays === 0) {
    regenerate(uses, home.softener.start);
  }
  return uses.map(withinDay);
}
