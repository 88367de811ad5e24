// Makes a failing run small: fewer faults, then fewer days, then fewer meters, as long as it fails in the same way.

import { commandOf } from './command.ts';
import { expand, type Wishes, type WorldOptions } from './options.ts';
import { runOptions } from './run.ts';

export interface Small {
  readonly command: string;
  readonly code: string;
  readonly runs: number;
}

/** The smallest run found that shows the first violation's code again; undefined where the seed fails in nothing. */
export async function shrink(wishes: Wishes): Promise<Small | undefined> {
  let options = expand(wishes);
  const [first] = (await runOptions(options)).line.violations;
  if (!first) return undefined;
  let runs = 1;
  const keeps = async (smaller: WorldOptions): Promise<boolean> => {
    runs += 1;
    const { violations } = (await runOptions(smaller)).line;
    const failed = violations.some(({ code }) => code === first.code);
    if (failed) options = smaller;
    return failed;
  };
  await dropFaults(() => options, keeps);
  for (const days of [1, 2, 3, 5]) {
    if (days < options.days && (await keeps({ ...options, days }))) break;
  }
  await dropFaults(() => options, keeps);
  for (const meters of [4, 8, 12, 18]) {
    if (meters < options.meters && (await keeps({ ...options, meters }))) break;
  }
  return { command: commandOf(options), code: first.code, runs };
}

/** Halves first, then one after another. */
async function dropFaults(
  options: () => WorldOptions,
  keeps: (smaller: WorldOptions) => Promise<boolean>,
): Promise<void> {
  const without = (gone: readonly string[]): WorldOptions => {
    const rates = Object.entries(options().rates).filter(([id]) => !gone.includes(id));
    return { ...options(), rates: Object.fromEntries(rates) };
  };
  for (let size = Math.ceil(Object.keys(options().rates).length / 2); size >= 1; size >>= 1) {
    const ids = Object.keys(options().rates);
    for (let at = 0; at < ids.length; at += size) {
      await keeps(without(ids.slice(at, at + size)));
    }
  }
}
