// Runs the leak watch and the makers' rules over labelled homes, as a meter read by this dial at this pace would show them.

import { type LabelledHome, type Reader, readings } from '../../simulator/leaks/labelled.ts';
import type { LeakPlan } from '../../simulator/leaks/leak.ts';
import { streetHome } from '../../simulator/leaks/street-home.ts';
import { townHome } from '../../simulator/leaks/town-home.ts';
import { Random } from '../../simulator/random.ts';
import { applyMakers, MAKERS_RULES, NO_MAKERS } from '../../src/domain/leaks/makers.ts';
import { gallonsPerCount } from '../../src/domain/leaks/rates.ts';
import { beginWatch, watch } from '../../src/domain/leaks/watch.ts';
import type { Dial } from '../../src/domain/units.ts';
import { newScore, type Said, type Score, scoreHome } from './leak-score.ts';

export const FINE: Dial = { digits: 8, unit: 'ft3', pow10: -1 };
export const COARSE: Dial = { digits: 4, unit: 'ft3', pow10: 2 };

const START = Date.UTC(2026, 4, 1);

export interface Trial {
  readonly dial: Dial;
  readonly pollS: number;
  /** Homes of each of the two makes. */
  readonly homes: number;
  readonly days: number;
  readonly seed: string;
  readonly plan?: LeakPlan;
  /** The makers' rules too. */
  readonly makers?: boolean;
}

export interface TrialResult {
  readonly watch: Score;
  readonly byMake: Readonly<Record<string, Score>>;
  readonly makers: ReadonlyMap<string, Score>;
  readonly readings: number;
  readonly cpuUs: number;
}

const MAKES = { street: streetHome, town: townHome } as const;

/** Every home of the trial, one after the other: memory does not grow with their number. */
export function runTrial(trial: Trial): TrialResult {
  const score = newScore();
  const byMake: Record<string, Score> = { street: newScore(), town: newScore() };
  const makers = new Map(MAKERS_RULES.map((rule) => [rule as string, newScore()]));
  let count = 0;
  let cpuUs = 0;
  for (const [make, build] of Object.entries(MAKES)) {
    for (let i = 0; i < trial.homes; i++) {
      const home = build(`${trial.seed} ${i}`, START, trial.days, trial.plan);
      const register = registerOf(home, trial);
      const begun = process.cpuUsage();
      const said = listen(register, trial);
      const { user, system } = process.cpuUsage(begun);
      cpuUs += user + system;
      count += register.length;
      scoreHome(score, home, said);
      scoreHome(byMake[make] as Score, home, said);
      if (!trial.makers) continue;
      for (const [rule, all] of listenToMakers(register, trial)) {
        scoreHome(makers.get(rule) as Score, home, all);
      }
    }
  }
  return { watch: score, byMake, makers, readings: count, cpuUs };
}

type Register = ReturnType<typeof readings>;

function registerOf(home: LabelledHome, { dial, pollS, seed }: Trial): Register {
  const how: Reader = {
    pollMs: pollS * 1000,
    gallonsPerCount: gallonsPerCount(dial),
    lateMs: Math.min(15_000, pollS * 50),
    missed: 0.002,
  };
  return readings(home, how, new Random(`register ${seed} ${home.name}`));
}

function listen(register: Register, { dial, pollS }: Trial): Said[] {
  const said: Said[] = [];
  const q = gallonsPerCount(dial);
  const rules = { dial, pollMs: pollS * 1000 };
  let state = beginWatch();
  for (let i = 1; i < register.length; i++) {
    const stepped = watch(state, stepAt(register, i), rules);
    state = stepped.state;
    for (const { alarm, phase, at, data } of stepped.events) {
      said.push({ id: String(alarm), phase, at, gph: Number(data['rate']) * q });
    }
  }
  return said;
}

function stepAt(register: Register, i: number) {
  const before = register[i - 1] as Register[number];
  const { at, count } = register[i] as Register[number];
  return { at, elapsedMs: at - before.at, counts: count - before.count, broken: false };
}

function listenToMakers(register: Register, { pollS }: Trial): Map<string, Said[]> {
  const said = new Map<string, Said[]>(MAKERS_RULES.map((rule) => [rule, []]));
  const raised = new Map<string, number>();
  let state = NO_MAKERS;
  for (let i = 1; i < register.length; i++) {
    const stepped = applyMakers(state, stepAt(register, i), pollS * 1000);
    state = stepped.state;
    for (const { rule, phase, at } of stepped.events) {
      const number = (raised.get(rule) ?? 0) + (phase === 'raise' ? 1 : 0);
      raised.set(rule, number);
      said.get(rule)?.push({ id: String(number), phase, at, gph: null });
    }
  }
  return said;
}
