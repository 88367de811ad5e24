// `npm run world -- --seed N`: one run of the hostile world, one line of JSON; ends with 1 when something was violated.

import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readRegressions } from './command.ts';
import { FAULT_KINDS } from './faults.ts';
import { findMutants } from './mutants.ts';
import { type Run, runOptions, runSeed } from './run.ts';
import { shrink } from './shrink.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    /** `1-200`: many, one line each. */
    seeds: { type: 'string' },
    meters: { type: 'string' },
    days: { type: 'string' },
    poll: { type: 'string' },
    faults: { type: 'string' },
    /** A file of runs that once found something: each is lived again. */
    regressions: { type: 'string' },
    /** Ends with the first that violates anything. */
    'until-found': { type: 'boolean' },
    /** Makes a failing run small, and says so on standard error. */
    shrink: { type: 'boolean' },
    /** Says on standard error which points of the code were reached. */
    sometimes: { type: 'boolean' },
    mutants: { type: 'boolean' },
    only: { type: 'string' },
  },
});

/** The number that an option gives, or the end with what is wanted of it. */
function numberOf(name: string, text: string, [least, most]: readonly [number, number]): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  process.stderr.write(`--${name} wants a whole number from ${least} to ${most}, not ${text}.\n`);
  process.exit(2);
}

/** Ids as `F1` and `-F1`, and the words for many. */
function knownFaults(text: string): string {
  const known = [...FAULT_KINDS.map(({ id }) => id), 'swarm', 'all', 'none'];
  const strange = text.split(',').find((id) => !known.includes(id.replace(/^-/, '')));
  if (strange === undefined) return text;
  process.stderr.write(`There is no fault ${strange}. Known are ${known.join(', ')}.\n`);
  process.exit(2);
}

const SEEDS: readonly [number, number] = [0, 2 ** 32 - 1];

const print = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function live(): Promise<void> {
  const wishes = {
    ...(values.meters && { meters: numberOf('meters', values.meters, [1, 250]) }),
    ...(values.days && { days: numberOf('days', values.days, [1, 400]) }),
    ...(values.poll && { pollMinutes: numberOf('poll', values.poll, [1, 60]) }),
    ...(values.faults && { faults: knownFaults(values.faults) }),
  };
  const [first = '', last = first] = (values.seeds ?? values.seed ?? '1').split('-');
  const [from, to] = [numberOf('seed', first, SEEDS), numberOf('seed', last, SEEDS)];
  for (let seed = from; seed <= to; seed += 1) {
    if (tell(await runSeed({ seed, ...wishes }))) continue;
    const small = values.shrink ? await shrink({ seed, ...wishes }) : undefined;
    if (small) process.stderr.write(`${small.code}: ${small.command}\n`);
    if (values['until-found']) break;
  }
}

async function liveAgain(file: string): Promise<void> {
  if (!existsSync(file)) {
    process.stderr.write(`There is no file ${file}. Known is tests/world/regressions.txt.\n`);
    process.exit(2);
  }
  for (const { options } of readRegressions(readFileSync(file, 'utf8'))) {
    tell(await runOptions(options));
  }
}

const reached: Record<string, number> = {};

/** Prints what came of a run; false where something was violated. */
function tell({ line, sometimes }: Run): boolean {
  print(line);
  for (const [point, n] of Object.entries(sometimes)) reached[point] = (reached[point] ?? 0) + n;
  const isSound = line.violations.length === 0;
  if (!isSound) process.exitCode = 1;
  return isSound;
}

if (values.mutants) {
  for await (const found of findMutants(values.only)) {
    print(found);
    if (found.seed === null) process.exitCode = 1;
  }
} else if (values.regressions) await liveAgain(values.regressions);
else await live();
if (values.sometimes) process.stderr.write(`${JSON.stringify(reached)}\n`);
