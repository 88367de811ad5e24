// A month in minutes: memory, descriptors and timers of the daemon must be flat.

import { readdirSync, readlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOUR, type Street } from '../end-to-end/street.ts';
import { until } from '../fakes/until.ts';
import {
  ARRIVAL_MS,
  type FaultCase,
  type Figures,
  onStreet,
  settle,
  sumsOf,
  type Wish,
} from './fault-case.ts';
import { flatness, type Look } from './flatness.ts';

const SOAK_SPEED = 3_600;
/** Looks a simulated day. */
const LOOKS = 12;
/** A look lasts for some polls: half a simulated hour. */
const GLANCES = 40;
const GLANCE_MS = 12;

/**
 * Loaded into the daemon before its own code: on SIGUSR2 it clears the heap, looks at itself for a while and writes down the least
 * that it saw. What is under way at one moment is over at another; what was left behind is there at all of them.
 */
const PROBE = `
const { appendFileSync } = require('node:fs');
require('node:v8').setFlagsFromString('--expose-gc');
const gc = require('node:vm').runInNewContext('gc');
require('node:v8').setFlagsFromString('--no-expose-gc');
const held = () => {
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((name) => name === 'Timeout').length;
  return { timers, handles: resources.length - timers };
};
process.on('SIGUSR2', () => {
  gc();
  const { rss, heapUsed } = process.memoryUsage();
  let least = held();
  let left = ${GLANCES};
  const glance = () => {
    const { timers, handles } = held();
    least = { timers: Math.min(least.timers, timers), handles: Math.min(least.handles, handles) };
    left -= 1;
    if (left > 0) setTimeout(glance, ${GLANCE_MS});
    else appendFileSync(process.env.SOAK_LOOKS, JSON.stringify({ rss, heap: heapUsed, ...least }) + '\\n');
  };
  setTimeout(glance, ${GLANCE_MS});
});
`;

function descriptorsOf(street: Street): { descriptors: number; files: number } {
  const folder = `/proc/${street.pid}/fd`;
  const targets = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(join(folder, fd));
    } catch {
      return '';
    }
  });
  const files = targets.filter((path) => path.startsWith(join(street.folder, 'journal'))).length;
  return { descriptors: targets.length - files, files };
}

async function look(street: Street, file: string): Promise<Look> {
  const linesOf = async () =>
    (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n').filter(Boolean);
  const before = (await linesOf()).length;
  street.signal('SIGUSR2');
  await until('a look', async () => (await linesOf()).length > before, ARRIVAL_MS);
  const seen = JSON.parse((await linesOf()).at(-1) ?? '') as Omit<Look, 'day'>;
  const day = (street.world.now() - street.began) / (24 * HOUR);
  return { ...seen, day, ...descriptorsOf(street) };
}

async function soak({ seed, soakDays }: Wish): Promise<Figures> {
  const probe = join(tmpdir(), 'probe.cjs');
  const file = join(tmpdir(), 'looks.ndjson');
  await writeFile(probe, PROBE);
  const env = { NODE_OPTIONS: `--require ${probe}`, SOAK_LOOKS: file };
  const wish = { seed, speed: SOAK_SPEED, surroundings: { env } };
  return onStreet(wish, async (street) => {
    street.start();
    await street.arrived(3, ARRIVAL_MS);
    const looks: Look[] = [];
    for (let n = 1; n <= soakDays * LOOKS; n += 1) {
      await street.reach((n * 24) / LOOKS);
      looks.push(await look(street, file));
    }
    const audit = await settle(street);
    return { days: soakDays, ...flatness(looks), ...sumsOf(audit) };
  });
}

/** Of the system, beside the time that the days take. */
const MARGIN_MIN = 6;

export const SOAK: FaultCase = {
  name: 'soak',
  means: `days at ${SOAK_SPEED} times speed: memory, descriptors and timers are flat`,
  needs: ['mosquitto'],
  isLong: true,
  minutes: ({ soakDays }) => (soakDays * 24 * 60) / SOAK_SPEED + MARGIN_MIN,
  run: soak,
};
