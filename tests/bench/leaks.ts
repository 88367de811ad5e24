// What the leak watch finds on homes it was not tuned on, how soon and at what price, beside the makers' rules on the same water.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { coarseLeaks } from '../../simulator/leaks/leak.ts';
import { gallonsPerCount } from '../../src/domain/leaks/rates.ts';
import { atLeast, type Figure } from './figure.ts';
import { chartOf } from './leak-chart.ts';
import { bytesOfAWatch } from './leak-memory.ts';
import { COARSE, FINE, runTrial, type TrialResult } from './leak-run.ts';
import { figuresOf, type LeakFigures, type Outcome, perYear, type Score } from './leak-score.ts';

/** Seeds of this bench; tuning used others. */
const SEED = 'bench';
const DAYS = 60;
const CHART = new URL('../../docs/leaks.svg', rootOf(import.meta.url));

/** The project's folder from here, built or not. */
function rootOf(here: string): string {
  return here.includes('/dist/') ? `${here.split('/dist/')[0]}/tests/bench/leaks.ts` : here;
}

const SETS = {
  quarter: { dial: FINE, pollS: 900, homes: 600, days: DAYS, seed: SEED, makers: true },
  minute: { dial: FINE, pollS: 60, homes: 100, days: DAYS, seed: SEED },
  hour: { dial: FINE, pollS: 3600, homes: 300, days: DAYS, seed: SEED, makers: true },
  coarse: { dial: COARSE, pollS: 900, homes: 200, days: DAYS, seed: SEED, plan: coarseLeaks },
} as const;

function atMost(name: string, value: number, unit: string, goal: number): Figure {
  return { ...atLeast('leaks', name, value, unit, goal), met: value <= goal };
}

const percent = (share: number): number => 100 * share;
const over =
  (gph: number, below = Number.POSITIVE_INFINITY) =>
  (one: Outcome) =>
    one.gph >= gph && one.gph < below;

/** The goals of a dial of 0.1 ft3; `medianH` for the pace of its polls. */
function figures(set: string, { watch }: TrialResult, medianH: number): Figure[] {
  const q = gallonsPerCount(FINE);
  const of = (keep: (one: Outcome) => boolean): LeakFigures =>
    figuresOf(watch.outcomes.filter(keep), q);
  const all = of(over(0.25));
  const fast = of(over(1));
  const slow = of(over(0.25, 1));
  const stuck = of(({ kind }) => kind === 'stuck');
  const least = (name: string, value: number, goal: number) =>
    atLeast('leaks', `${set}: ${name}`, percent(value), '%', goal);
  const most = (name: string, value: number, unit: string, goal: number) =>
    atMost(`${set}: ${name}`, value, unit, goal);
  return [
    least('recall, 0.25 gal/h and more', all.recall, 97),
    least('recall, 1 gal/h and more', fast.recall, 99.5),
    least('found within 24 h', all.in24, 80),
    least('found within 72 h', all.in72, 92),
    most('median delay', all.delay, 'h', medianH),
    most('false alarms', perYear(watch.falseAlarms, watch), 'a meter-year', 0.25),
    most('alarms on harmless trickles', perYear(watch.nuisances, watch), 'a meter-year', 0.5),
    least('stuck toilets found', stuck.recall, 75),
    most('stuck toilets, median delay', stuck.delay, 'h', 2),
    most('rate error, 1 gal/h and more', percent(fast.rateError), '%', 5),
    most('rate error, 0.25 to 1 gal/h', percent(slow.rateError), '%', 25),
    most('time to clear, 2 gal/h and more', of(over(2)).clearH, 'h', 1),
    most('time to clear, slower', of(over(0, 2)).clearCounts, 'times of one count', 2.5),
    most('premature clears', percent(all.premature), '% of leaks', 3),
    most(`water lost a leak (median ${all.gph.toPrecision(2)} gal/h)`, all.lost, 'gal', 190),
  ];
}

function coarseFigures({ watch }: TrialResult): Figure[] {
  const { recall } = figuresOf(watch.outcomes, gallonsPerCount(COARSE));
  return [
    atLeast('leaks', '4 digits: recall, 60 gal/h and more', percent(recall), '%', 80),
    atMost('4 digits: false alarms', perYear(watch.falseAlarms, watch), 'a meter-year', 0.25),
  ];
}

/** Hourly registers have no goal of their own; they must work. */
function hourFigures({ watch }: TrialResult): Figure[] {
  const all = figuresOf(watch.outcomes.filter(over(0.25)), gallonsPerCount(FINE));
  const say = (name: string, value: number, unit: string) =>
    atLeast('leaks', `hourly: ${name}`, value, unit, null);
  return [
    say('recall, 0.25 gal/h and more', percent(all.recall), '%'),
    say('found within 72 h', percent(all.in72), '%'),
    say('median delay', all.delay, 'h'),
    say('false alarms', perYear(watch.falseAlarms, watch), 'a meter-year'),
  ];
}

const HEADING = 'leaks  recall  24 h  72 h  delay h  rate %  clear h  early %  gal lost';

function row(name: string, outcomes: readonly Outcome[], q: number): string {
  const of = figuresOf(outcomes, q);
  const cells = [
    String(of.leaks).padStart(5),
    percent(of.recall).toFixed(1).padStart(6),
    percent(of.in24).toFixed(0).padStart(5),
    percent(of.in72).toFixed(0).padStart(5),
    of.delay.toFixed(1).padStart(8),
    percent(of.rateError).toFixed(1).padStart(7),
    of.clearH.toFixed(2).padStart(8),
    percent(of.premature).toFixed(1).padStart(8),
    of.lost.toFixed(0).padStart(9),
  ];
  return `${name.padEnd(28)} ${cells.join(' ')}\n`;
}

function price(name: string, score: Score): string {
  const alarms = perYear(score.falseAlarms, score).toFixed(2);
  const nuisances = perYear(score.nuisances, score).toFixed(2);
  return `${name.padEnd(28)} ${alarms} false, ${nuisances} on harmless trickles a meter-year\n`;
}

/** The table of one set, on standard error: standard output has the figures. */
function table(title: string, result: TrialResult, q: number): string {
  const { outcomes } = result.watch;
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))];
  const lines = [
    `\n${title}, ${Math.round(result.watch.meterYears * 365)} meter-days\n`,
    `${''.padEnd(28)} ${HEADING}\n`,
    row('leak watch', outcomes.filter(over(0.25)), q),
    ...kinds.map((kind) =>
      row(
        `  ${kind}`,
        outcomes.filter((one) => one.kind === kind),
        q,
      ),
    ),
    ...Object.entries(result.byMake).map(([make, { outcomes: own }]) =>
      row(`  all of the ${make}`, own.filter(over(0.25)), q),
    ),
    ...[...result.makers]
      .filter(([, score]) => score.outcomes.length > 0)
      .map(([rule, score]) => row(rule, score.outcomes.filter(over(0.25)), q)),
    price('leak watch', result.watch),
    ...Object.entries(result.byMake).map(([make, score]) => price(`  ${make}`, score)),
    ...[...result.makers]
      .filter(([, score]) => score.outcomes.length > 0)
      .map(([rule, score]) => price(rule, score)),
  ];
  return lines.join('');
}

/** All sets; the chart is written beside the documentation. `LEAK_HOMES` makes every set smaller, for a first look. */
export async function benchLeaks(): Promise<Figure[]> {
  const fewer = Number(process.env['LEAK_HOMES'] ?? Number.POSITIVE_INFINITY);
  const run = (set: keyof typeof SETS): TrialResult => {
    const trial = SETS[set];
    const result = runTrial({ ...trial, homes: Math.min(trial.homes, fewer) });
    process.stderr.write(
      table(`${set}: one poll in ${trial.pollS} s`, result, gallonsPerCount(trial.dial)),
    );
    return result;
  };
  const quarter = run('quarter');
  if (!Number.isFinite(fewer)) writeFileSync(fileURLToPath(CHART), chartOf(quarter));
  const cost = quarter.cpuUs / quarter.readings;
  return [
    ...figures('15 min', quarter, 10),
    atMost('cost of a reading', cost, 'us', 5),
    atMost('memory of a meter under watch', bytesOfAWatch(), 'bytes', 4096),
    ...figures('1 min', run('minute'), 6),
    ...hourFigures(run('hour')),
    ...coarseFigures(run('coarse')),
  ];
}
