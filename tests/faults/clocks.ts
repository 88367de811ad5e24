// The daemon's wall clock: in 1970 at the start, a day ahead and back, and the civil changes of summer time.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOUR, START, type Street } from '../end-to-end/street.ts';
import { until } from '../fakes/until.ts';
import { FakeTime } from './fake-time.ts';
import {
  ARRIVAL_MS,
  actualHours,
  type FaultCase,
  type Figures,
  onStreet,
  SPEED,
  settle,
  sumsOf,
  type Wish,
} from './fault-case.ts';
import { OWN_MOUNTS } from './needs.ts';

/** A quarter of an hour, for which a doubtful clock is held, is half a minute then. */
const SLOW = 30;
/** The mark of systemd-timesyncd is looked for every 5 s. */
const HELD_MS = 8_000;

/** Its marks are those in `folder`; this machine's are left alone. */
function timesyncdIn(folder: string): string[] {
  const mount = 'mount -t tmpfs none /run && mkdir -p /run/systemd/timesync';
  const bind = 'mount --bind "$0" /run/systemd/timesync && exec "$@"';
  return [...OWN_MOUNTS, `${mount} && ${bind}`, folder];
}

/** 1970 on the schedule's clock; then it is put right, and systemd-timesyncd says so. */
async function startIn1970(street: Street, wall: FakeTime, mark: string): Promise<void> {
  await rm(mark, { force: true });
  await wall.set(-street.world.now() / SLOW);
  const before = await street.timesSaid('"collecting"');
  street.start();
  await until(
    'it collects in 1970',
    async () => (await street.timesSaid('"collecting"')) > before,
    ARRIVAL_MS,
  );
  const polled = street.world.now() + HELD_MS * SLOW;
  await until('it has been 1970 for a while', () => street.world.now() >= polled, ARRIVAL_MS);
  await wall.set(0);
  await writeFile(mark, '');
}

function in1970({ seed }: Wish): Promise<Figures> {
  const wall = new FakeTime(tmpdir());
  const marks = join(tmpdir(), 'timesync');
  const mark = join(marks, 'synchronized');
  const surroundings = { before: timesyncdIn(marks), env: wall.env };
  // Put right before the hour's edge, which comes 40 s after the beginning.
  const start = START + HOUR - 40 * 1000 * SLOW;
  const tune = (settings: { setIn(path: string[], to: string): void }) =>
    settings.setIn(['time', 'sync'], 'timesyncd');
  return onStreet({ seed, speed: SLOW, start, tune, surroundings }, async (street) => {
    await mkdir(marks);
    await startIn1970(street, wall, mark);
    await street.arrived(1, ARRIVAL_MS);
    // The power fails; the box comes back without knowing the time, its journal does.
    await street.kill();
    await startIn1970(street, wall, mark);
    await street.arrived(2, 2 * ARRIVAL_MS);
    await street.ownAudit();
    // Nothing stands still for decades: told, not refused, until the watch over stuck dials knows doubtful time.
    const stuck = await street.timesSaid('"read.stuck","phase":"raise"');
    return { starts: 2, stuck, ...conserved(street) };
  });
}

/** How long the clock is wrong each time, in simulated hours: held, and believed. */
const WRONG_HOURS = [0.15, 3.4];

/** A step is what the schedule sees of it. */
function stepped({ seed }: Wish, ahead: number): Promise<Figures> {
  const wall = new FakeTime(tmpdir());
  return onStreet({ seed, surroundings: { env: wall.env } }, async (street) => {
    await wall.set(0);
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    for (const hours of WRONG_HOURS) {
      await wall.set(ahead / SPEED);
      await street.reach((street.world.now() - street.began) / HOUR + hours);
      await wall.set(0);
      await street.reach(street.hoursNow + 2);
      await street.arrived(street.hoursNow, ARRIVAL_MS);
    }
    await street.ownAudit();
    return { steps: 2 * WRONG_HOURS.length, ...conserved(street) };
  });
}

/**
 * Conservation by registers alone, which no clock can spoil: what was told up to the last hour is what the dial moved.
 * Times that a wrong clock stamped can be held against no truth. Throws when a count is lost or invented.
 */
function conserved(street: Street): Figures {
  const figures = { hours: 0, lost: 0, invented: 0 };
  for (const { meter } of street.world.truth.meters) {
    const counts = new Map(
      street.world.truth.served(meter).map((one) => [one.register, one.count]),
    );
    const place = street.headEnd.installations().find((one) => one.meter === meter);
    const entries = street.headEnd.entries().filter((entry) => entry.meter === meter);
    const hours = street.hoursOf(meter).sort((a, b) => a.start - b.start);
    const last = hours.findLast(({ total }) => total !== null);
    const [from, to] = [counts.get(place?.initialRead ?? -1), counts.get(last?.read ?? -1)];
    if (from === undefined || to === undefined) throw new Error(`${meter} told no dial of its own`);
    const sum = entries.reduce((all, { use }) => all + (use ?? 0), 0);
    if (last?.total !== to - from) throw new Error(`${meter}: the last total is ${last?.total}`);
    figures.hours += hours.length;
    figures.lost += Math.max(0, to - from - sum);
    figures.invented += Math.max(0, sum - (to - from));
  }
  if (figures.lost + figures.invented > 0) throw new Error(JSON.stringify(figures));
  return figures;
}

/** New York, from an hour before to seven after the civil change. */
const CHANGES = [Date.UTC(2026, 2, 8, 6), Date.UTC(2026, 10, 1, 5)];
const CHANGE_HOURS = 8;

async function summerTime({ seed }: Wish): Promise<Figures> {
  let actual = 0;
  let sums: Figures = {};
  for (const start of CHANGES) {
    const surroundings = { env: { TZ: 'America/New_York' } };
    const tune = (settings: { setIn(path: string[], to: string): void }) =>
      settings.setIn(['alerts', 'timezone'], 'America/New_York');
    const [hours, audit] = await onStreet({ seed, start, tune, surroundings }, async (street) => {
      street.start();
      await street.arrived(CHANGE_HOURS, ARRIVAL_MS);
      const settled = await settle(street);
      if ((await street.timesSaid('clock.step')) > 0) throw new Error('it took it for a step');
      return [actualHours(street), settled] as const;
    });
    actual += hours;
    sums = sumsOf(audit);
  }
  return { changes: CHANGES.length, actual, ...sums };
}

export const CLOCKS: readonly FaultCase[] = [
  {
    name: 'clock-1970',
    means:
      'the wall clock starts in 1970 and is put right later, on a new journal and on one that is there',
    needs: ['mosquitto', 'faketime', 'mounts'],
    minutes: () => 12,
    run: in1970,
  },
  {
    name: 'clock-ahead',
    means: 'the wall clock is stepped a day ahead, and back',
    needs: ['mosquitto', 'faketime'],
    minutes: () => 6,
    run: (wish) => stepped(wish, 24 * HOUR),
  },
  {
    name: 'clock-behind',
    means: 'the wall clock is stepped five hours back, and forth',
    needs: ['mosquitto', 'faketime'],
    minutes: () => 6,
    run: (wish) => stepped(wish, -5 * HOUR),
  },
  {
    name: 'summer-time',
    means: 'summer time begins and ends: nothing happens, for hours are UTC',
    needs: ['mosquitto'],
    minutes: () => 6,
    run: summerTime,
  },
];
