// Serial ports are unplugged, and plugged in again as other devices behind the same link.

import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Street } from '../end-to-end/street.ts';
import { plugTerminal } from '../fakes/pseudo-terminal.ts';
import {
  ARRIVAL_MS,
  actualHours,
  type FaultCase,
  type Figures,
  metersOn,
  onStreet,
  settle,
  sumsOf,
  type Wish,
} from './fault-case.ts';

const SERIAL = ['bus-1', 'bus-3'];
const OTHERS = ['bus-2', 'bus-4'];
const AWAY_HOURS = 3;

const deviceOf = (street: Street, bus: string) => readlinkSync(join(street.folder, `${bus}.tty`));

/** Plugs it in under a name that it had not: whoever is faster takes the old one. */
async function replugElsewhere(street: Street, bus: string, before: string): Promise<void> {
  const takers: (() => void)[] = [];
  for (let tries = 0; tries < 20; tries += 1) {
    await street.world.replug(bus);
    if (deviceOf(street, bus) !== before) break;
    street.world.unplug(bus);
    const path = join(street.folder, `taker-${bus}-${tries}.tty`);
    const taker = plugTerminal(path);
    takers.push(() => taker.unplug());
  }
  const now = deviceOf(street, bus);
  for (const give of takers) give();
  if (now === before) throw new Error(`${bus} is ${now} as before`);
}

function unplugged({ seed }: Wish): Promise<Figures> {
  return onStreet({ seed }, async (street) => {
    street.start();
    await street.arrived(2, ARRIVAL_MS);
    const names: string[] = [];
    for (const bus of SERIAL) {
      const before = deviceOf(street, bus);
      street.world.unplug(bus);
      await street.reach(street.hoursNow + AWAY_HOURS);
      await replugElsewhere(street, bus, before);
      names.push(`${before} to ${deviceOf(street, bus)}`);
      await street.reach(street.hoursNow + 2);
    }
    const audit = await settle(street);
    const well = actualHours(street, metersOn(street, OTHERS));
    for (const meter of metersOn(street, SERIAL)) {
      const told = street.hoursOf(meter).sort((a, b) => a.start - b.start);
      const word = told.map(({ q }) => q).join('');
      if (!/M.*A$/.test(word)) throw new Error(`${meter} is not read again: ${word}`);
    }
    return { ports: names.join(', '), well, ...sumsOf(audit) };
  });
}

export const PLUGS: readonly FaultCase[] = [
  {
    name: 'unplugged',
    means: 'serial ports go, and come back as other devices behind the same link',
    needs: ['mosquitto'],
    minutes: () => 5,
    run: unplugged,
  },
];
