// `npm run world -- --seed N`: one run of the hostile world, one line of JSON; ends with 1 when something was violated.

import { parseArgs } from 'node:util';
import { findMutants } from './mutants.ts';
import { runSeed } from './run.ts';
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

const print = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function live(): Promise<void> {
  const wishes = {
    ...(values.meters === undefined ? {} : { meters: Number(values.meters) }),
    ...(values.days === undefined ? {} : { days: Number(values.days) }),
    ...(values.poll === undefined ? {} : { pollMinutes: Number(values.poll) }),
    ...(values.faults === undefined ? {} : { faults: values.faults }),
  };
  const [from = 1, to = from] = (values.seeds ?? values.seed ?? '1').split('-').map(Number);
  const reached: Record<string, number> = {};
  for (let seed = from; seed <= to; seed += 1) {
    const { line, sometimes } = await runSeed({ seed, ...wishes });
    print(line);
    for (const [point, n] of Object.entries(sometimes)) reached[point] = (reached[point] ?? 0) + n;
    if (line.violations.length === 0) continue;
    process.exitCode = 1;
    const small = values.shrink ? await shrink({ seed, ...wishes }) : undefined;
    if (small) process.stderr.write(`${small.code}: ${small.command}\n`);
    if (values['until-found']) break;
  }
  if (values.sometimes) process.stderr.write(`${JSON.stringify(reached)}\n`);
}

if (values.mutants) {
  for await (const found of findMutants(values.only)) {
    print(found);
    if (found.seed === null) process.exitCode = 1;
  }
} else await live();
