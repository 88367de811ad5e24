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
  const ears: Ears = {
    line(run) {
      meterDays += run.meter_days;
      ms += run.ms;
      add(faults, run.faults);
      if (run.violations.length > 0) failed.push(run);
    },
    reached: (points) => add(sometimes, points),
  };
  let next = 1;
  const work = async () => {
    while (next <= seeds) {
      const from = next;
      next += PORTION;
      await live(from, Math.min(next - 1, seeds), ears);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return { seeds, meterDays, cpuS: Math.round(ms / 1000), faults, sometimes, failed };
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

interface Ears {
  line(run: RunLine): void;
  reached(points: Readonly<Record<string, number>>): void;
}

/** The seeds from `from` to `to`, one after the other in a process of their own; fails when it does not live them all. */
export async function liveThrough(from: number, to: number): Promise<readonly RunLine[]> {
  const lines: RunLine[] = [];
  await live(from, to, { line: (run) => void lines.push(run), reached: () => undefined });
  return lines;
}

function live(from: number, to: number, ears: Ears): Promise<void> {
  const args = [MAIN, '--seeds', `${from}-${to}`, '--sometimes'];
  const options = ['--min-semi-space-size=16', '--max-semi-space-size=32', ...args];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'pipe'] });
  let lived = from - 1;
  createInterface({ input: child.stdout }).on('line', (text) => {
    const run = JSON.parse(text) as RunLine;
    lived = run.seed;
    ears.line(run);
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('close', () => {
      const last = said.trimEnd().split('\n').at(-1) ?? '';
      if (lived < to || !last.startsWith('{')) {
        reject(new Error(`the world ended after seed ${lived}: ${said.slice(-500)}`));
        return;
      }
      ears.reached(JSON.parse(last) as Record<string, number>);
      resolve();
    });
  });
}
