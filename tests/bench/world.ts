// How many meter-days a second the whole collector lives on virtual time, in one process.

import { createHash } from 'node:crypto';
import { VirtualWorld } from '../whole/virtual-world.ts';
import { atLeast, type Figure, median } from './figure.ts';

const METERS = 25;
/** The week in which the program warms up does not count. */
const WARM_WEEKS = 1;
const WEEKS = 5;
const WEEK_HOURS = 7 * 24;
const GOAL = 100;
const MIB = 2 ** 20;
const CALIBRATION_MIB = 128;

/** Meter-days a second of processor, all threads together, at 15-minute polls: the week in the middle; the clock on the wall beside. */
export async function benchWorld(): Promise<Figure[]> {
  const world = new VirtualWorld({ seed: 1, meters: METERS, check: () => undefined });
  await world.start();
  await world.run(WARM_WEEKS * WEEK_HOURS);
  const weeks: { readonly ofProcessor: number; readonly onTheWall: number }[] = [];
  for (let week = 0; week < WEEKS; week += 1) {
    const begun = performance.now();
    const cpuBegun = process.cpuUsage();
    await world.run(WEEK_HOURS);
    const { user, system } = process.cpuUsage(cpuBegun);
    const wallS = (performance.now() - begun) / 1_000;
    const meterDays = METERS * 7;
    weeks.push({
      ofProcessor: meterDays / ((user + system) / 1e6),
      onTheWall: meterDays / wallS,
    });
  }
  await world.stop();
  const ofProcessor = median(weeks.map((week) => week.ofProcessor));
  const onTheWall = median(weeks.map((week) => week.onTheWall));
  const unit = 'meter-days/s';
  return [
    atLeast('world', 'whole collector on virtual time, of processor', ofProcessor, unit, GOAL),
    atLeast('world', 'the same on the clock of the wall', onTheWall, unit, GOAL),
    atLeast('world', 'this processor, SHA-256 beside', hashed(), 'MiB/s', null),
  ];
}

/** What the machine does of something that never changes, in MiB a second. */
function hashed(): number {
  const bytes = new Uint8Array(MIB);
  const hash = createHash('sha256');
  const begun = performance.now();
  for (let i = 0; i < CALIBRATION_MIB; i += 1) hash.update(bytes);
  hash.digest();
  return CALIBRATION_MIB / ((performance.now() - begun) / 1_000);
}
