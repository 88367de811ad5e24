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

const SOAK_SPEED = 3_600;
/** Looks a simulated day. */
const LOOKS = 12;
/** A process that begins grows until everything in it has been used once. */
const MEMORY_PER_DAY_MAX = 0.01;

/** What a look finds; sizes in bytes. */
interface Look {
  readonly day: number;
  readonly rss: number;
  readonly heap: number;
  readonly timers: number;
  /** Handles of the event loop, timers apart. */
  readonly handles: number;
  /** Descriptors that are no file of the journal, and those that are. */
  readonly descriptors: number;
  readonly files: number;
}

/** Loaded into the daemon before its own code: on SIGUSR2 it clears the heap and writes down what is left. */
const PROBE = `
const { appendFileSync } = require('node:fs');
require('node:v8').setFlagsFromString('--expose-gc');
const gc = require('node:vm').runInNewContext('gc');
require('node:v8').setFlagsFromString('--no-expose-gc');
process.on('SIGUSR2', () => {
  gc();
  const { rss, heapUsed } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((name) => name === 'Timeout').length;
  const handles = resources.length - timers;
  appendFileSync(process.env.SOAK_LOOKS, JSON.stringify({ rss, heap: heapUsed, timers, handles }) + '\\n');
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

/** Least squares: how much more a day. */
function slope(looks: readonly Look[], of: (look: Look) => number): number {
  const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [x, y] = [mean(looks.map(({ day }) => day)), mean(looks.map(of))];
  const over = looks.reduce((sum, one) => sum + (one.day - x) * (of(one) - y), 0);
  return over / looks.reduce((sum, one) => sum + (one.day - x) ** 2, 0);
}

/** Half of the looks show less. */
function middle(looks: readonly Look[], of: (look: Look) => number): number {
  return looks.map(of).sort((a, b) => a - b)[Math.floor(looks.length / 2)] ?? 0;
}

const MIB = 1024 * 1024;

/** First third against last; throws when something still grows in the last. */
export function flatness(looks: readonly Look[]): Figures {
  const third = Math.floor(looks.length / 3);
  const [first, last] = [looks.slice(0, third), looks.slice(-third)];
  const figures: Record<string, string> = {};
  const grown: string[] = [];
  for (const [name, of] of [
    ['rss', ({ rss }: Look) => rss],
    ['heap', ({ heap }: Look) => heap],
  ] as const) {
    const share = slope(last, of) / middle(last, of);
    const words = (part: readonly Look[]) =>
      `${(middle(part, of) / MIB).toFixed(1)} MiB ${((slope(part, of) / MIB) * 1024).toFixed(0)} KiB/day`;
    figures[name] = `${words(first)}, then ${words(last)}`;
    if (share > MEMORY_PER_DAY_MAX) grown.push(`${name} by ${(100 * share).toFixed(2)} % a day`);
  }
  for (const [name, of] of [
    ['timers', ({ timers }: Look) => timers],
    ['handles', ({ handles }: Look) => handles],
    ['descriptors', ({ descriptors }: Look) => descriptors],
  ] as const) {
    figures[name] = `${middle(first, of)}, then ${middle(last, of)}`;
    if (middle(last, of) > middle(first, of)) grown.push(name);
  }
  figures['files'] =
    `${middle(first, ({ files }) => files)}, then ${middle(last, ({ files }) => files)}`;
  if (grown.length > 0) throw new Error(`grows: ${grown.join(', ')}: ${JSON.stringify(figures)}`);
  return figures;
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
