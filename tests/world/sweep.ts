// Many seeds in processes of their own, side by side: which faults struck how often, what was reached, what was violated.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SOMETIMES } from '../../src/sometimes.ts';
import { CONTRACT } from '../contract/schemas.ts';
import { COUNTED_OTHERWISE, FAULT_KINDS } from './faults.ts';
import type { RunLine } from './run.ts';

/** Seeds of one process: lives that were killed in it stay in its memory. */
const PORTION = 10;

/** Where `tsc -p tests/world` puts the program. */
const MAIN = join(CONTRACT, '..', '..', 'dist', 'tests', 'world', 'main.js');

export interface Sweep {
  readonly seeds: number;
  readonly meterDays: number;
  /** Of all processes, in seconds. */
  readonly cpuS: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly sometimes: Readonly<Record<string, number>>;
  readonly failed: readonly RunLine[];
}

/** Lives the seeds from 1 to `seeds` in `workers` processes. */
export async function sweep(seeds: number, workers: number): Promise<Sweep> {
  const faults: Record<string, number> = {};
  const sometimes: Record<string, number> = {};
  const failed: RunLine[] = [];
  let meterDays = 0;
  let ms = 0;
  const hear = (run: RunLine) => {
    meterDays += run.meter_days;
    ms += run.ms;
    add(faults, run.faults);
    if (run.violations.length > 0) failed.push(run);
  };
  const portions = portionsOf(seeds);
  const work = async () => {
    for (let next = portions.shift(); next; next = portions.shift()) {
      add(sometimes, await live(['--seeds', next], hear));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return { seeds, meterDays, cpuS: Math.round(ms / 1000), faults, sometimes, failed };
}

/** The seeds from 1 to `seeds` as the program takes them, in as many as one process should live. */
export function portionsOf(seeds: number): string[] {
  const count = Math.ceil(seeds / PORTION);
  return Array.from(
    { length: count },
    (_, i) => `${i * PORTION + 1}-${Math.min((i + 1) * PORTION, seeds)}`,
  );
}

/** Faults that struck less than `least` times, and points of the code that nothing reached. */
export function missing({ faults, sometimes }: Sweep, least: number): string[] {
  const ids = [...FAULT_KINDS.map(({ id }) => id), ...COUNTED_OTHERWISE];
  const rare = ids.filter((id) => (faults[id] ?? 0) < least);
  const never = SOMETIMES.filter((point) => !sometimes[point]);
  return [...rare.map((id) => `${id} struck ${faults[id] ?? 0} times`), ...never];
}

function add(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

/**
 * Lives what the arguments of the program say, in a process of its own, and hears of each life; gives the points of the code that were
 * reached. Fails where the process does not come to its end.
 */
export function live(
  args: readonly string[],
  hear: (run: RunLine) => void,
): Promise<Readonly<Record<string, number>>> {
  const options = ['--min-semi-space-size=16', '--max-semi-space-size=32', MAIN, ...args];
  const child = spawn(process.execPath, [...options, '--sometimes'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  createInterface({ input: child.stdout }).on('line', (text) => hear(JSON.parse(text) as RunLine));
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('close', () => {
      const last = said.trimEnd().split('\n').at(-1) ?? '';
      if (last.startsWith('{')) resolve(JSON.parse(last) as Record<string, number>);
      else reject(new Error(`the world of ${args.join(' ')} came to no end: ${said.slice(-500)}`));
    });
  });
}
