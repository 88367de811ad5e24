// `npm run faults`: the built daemon under real faults, one process and one line a case; ends with 1 when one failed.

import { parseArgs } from 'node:util';
import { runApart } from './apart.ts';
import { CLOCKS } from './clocks.ts';
import { DISKS } from './disks.ts';
import type { FaultCase } from './fault-case.ts';
import { lacking } from './needs.ts';
import { NETWORKS } from './networks.ts';
import { PLUGS } from './plugs.ts';
import { SOAK } from './soak.ts';
import { STOPS } from './stops.ts';

/** The long one first: it begins first. */
const CASES: readonly FaultCase[] = [SOAK, ...STOPS, ...DISKS, ...NETWORKS, ...PLUGS, ...CLOCKS];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    'soak-days': { type: 'string', default: '30' },
    list: { type: 'boolean' },
    /** Runs this case in this process, and prints what came of it. */
    inside: { type: 'string' },
  },
});

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

function wholeNumber(name: 'seed' | 'soak-days', least: number, most: number): number {
  const text = values[name];
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && number >= least && number <= most) return number;
  return refuse(`--${name} wants a whole number from ${least} to ${most}, not ${text}.`);
}

const wish = {
  seed: wholeNumber('seed', 0, 2 ** 32 - 1),
  // The thirds that are compared are some days long.
  soakDays: wholeNumber('soak-days', 3, 400),
};

function caseNamed(name: string): FaultCase {
  const known = CASES.map((one) => one.name).join(', ');
  const named = CASES.find((one) => one.name === name);
  return named ?? refuse(`There is no case ${name}. Known are ${known}.`);
}

/** So many at a time beside the long one: each mostly waits. */
const LANES = 3;

const totals = { ok: 0, failed: 0, skipped: 0 };

function tell(how: keyof typeof totals, { name, means }: FaultCase, what: string): void {
  totals[how] += 1;
  process.stdout.write(`${how.padEnd(8)}${name.padEnd(16)}${means}: ${what}\n`);
}

async function runAndTell(one: FaultCase): Promise<void> {
  const lacks = lacking(one.needs);
  if (lacks.length > 0) return tell('skipped', one, `THIS MACHINE LACKS ${lacks.join('; ')}`);
  const begun = performance.now();
  const { ok, told } = await runApart(one, wish);
  const seconds = Math.round((performance.now() - begun) / 1000);
  tell(ok ? 'ok' : 'failed', one, `seed ${wish.seed}, ${seconds} s, ${told}`);
}

/** Takes one case after the other off the list. */
async function workOff(cases: FaultCase[]): Promise<void> {
  for (let one = cases.shift(); one; one = cases.shift()) await runAndTell(one);
}

if (values.inside !== undefined) {
  const figures = await caseNamed(values.inside).run(wish);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exit(0);
} else if (values.list) {
  for (const { name, means } of CASES) process.stdout.write(`${name.padEnd(16)}${means}\n`);
} else {
  const cases = values.only?.map(caseNamed) ?? CASES;
  const rest = cases.filter((one) => !one.isLong);
  const lanes = Array.from({ length: LANES }, () => workOff(rest));
  await Promise.all([workOff(cases.filter((one) => one.isLong)), ...lanes]);
  const { ok, failed, skipped } = totals;
  process.stdout.write(`${ok} ok, ${failed} failed, ${skipped} skipped\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}
