// What is done on site only: commissionings, change-outs under way and reports, beside all other commands. No head-end is given any of it.

import type { Commands } from '../boundaries.ts';
import { type Answerer, unlessLost } from './answer.ts';
import { changeoutAnswerers } from './changeouts.ts';
import { type CommissionParts, Commissions } from './commission.ts';
import { reportAnswerers } from './report.ts';

/** `commands`, and those of the site over `parts`; several doors share one site. */
export function siteAnswerers(parts: CommissionParts): Readonly<Record<string, Answerer>> {
  return {
    ...new Commissions(parts).answerers(),
    ...reportAnswerers(parts),
    ...changeoutAnswerers(parts),
  };
}

export function withAnswerers(
  commands: Commands,
  named: Readonly<Record<string, Answerer>>,
): Commands {
  return {
    run: (name, args) =>
      Object.hasOwn(named, name) && named[name]
        ? unlessLost(named[name](args))
        : commands.run(name, args),
  };
}
