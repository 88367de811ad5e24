// The command that lives a run again, and the lines in which runs that once failed are kept.

import { expand, type WorldOptions } from './options.ts';

/** As a person types it. */
export function commandOf(options: WorldOptions): string {
  return `npm run world -- ${argumentsOf(options).join(' ')}`;
}

/** As the program takes them. */
export function argumentsOf(options: WorldOptions): string[] {
  const { seed, meters, days, pollS } = options;
  const size = ['--meters', `${meters}`, '--days', `${days}`, '--poll', `${pollS / 60}`];
  return ['--seed', `${seed}`, ...size, '--faults', faultsOf(options)];
}

function faultsOf({ rates }: WorldOptions): string {
  return Object.keys(rates).join(',') || 'none';
}

export interface Regression {
  readonly options: WorldOptions;
  /** What it found. */
  readonly found: string;
}

/** Lines of `seed meters days poll faults  what was found`; `#` begins a remark. */
export function readRegressions(text: string): Regression[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, seed, meters, days, poll, faults = '', found = ''] =
        /^(\d+) (\d+) (\d+) (\d+) (\S+)\s+(.*)$/.exec(line) ?? [];
      if (seed === undefined) throw new Error(`no regression: ${line}`);
      const wishes = { seed: Number(seed), meters: Number(meters), days: Number(days) };
      return { options: expand({ ...wishes, pollMinutes: Number(poll), faults }), found };
    });
}
