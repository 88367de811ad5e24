// `npm run world -- --seed N`: one run of the hostile world, one line of JSON; ends with 1 when something was violated.

import { parseArgs } from 'node:util';
import { runSeed } from './run.ts';
import { shrink } from './shrink.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    meters: { type: 'string' },
    days: { type: 'string' },
    poll: { type: 'string' },
    faults: { type: 'string' },
    shrink: { type: 'boolean' },
  },
});

const wishes = {
  ...(values.meters === undefined ? {} : { meters: Number(values.meters) }),
  ...(values.days === undefined ? {} : { days: Number(values.days) }),
  ...(values.poll === undefined ? {} : { pollMinutes: Number(values.poll) }),
  ...(values.faults === undefined ? {} : { faults: values.faults }),
};

const [from, to] = (values.seeds ?? `${values.seed ?? 1}-${values.seed ?? 1}`)
  .split('-')
  .map(Number);
for (let seed = from as number; seed <= (to as number); seed += 1) {
  const { line } = await runSeed({ seed, ...wishes });
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (line.violations.length === 0) continue;
  process.exitCode = 1;
  if (!values.shrink) continue;
  const small = await shrink({ seed, ...wishes });
  process.stderr.write(`${small?.code}: ${small?.command}\n`);
}
