// What the command handlers share: their shape, and a refusal in the contract's codes.

import type { CommandAnswer, Commands } from '../boundaries.ts';
import { JOURNAL_CLOSED, StoreLost } from '../domain/fault.ts';

export type Args = Readonly<Record<string, unknown>>;

/** Answers one command. */
export type Answerer = (args: Args) => Promise<CommandAnswer>;

/** Commands that tell their names, so that no door forgets to say who may give them. */
export interface NamedCommands extends Commands {
  readonly names: readonly string[];
}

/** Enough names to see what is meant, on one line. */
const NAMES_SHOWN_MAX = 8;

/** Refuses a meter that is none of `meters`: names those whose names are most like it, and says how many more there are. */
export function unknownMeter(meters: readonly string[], meter: unknown) {
  const said = String(meter);
  const message = `There is no meter ${said}.`;
  if (meters.length === 0) return noMeter(message, 'There is no meter yet.');
  const names = [...meters]
    .sort((a, b) => likeness(b, said) - likeness(a, said))
    .slice(0, NAMES_SHOWN_MAX);
  const more = meters.length - names.length;
  return noMeter(message, `Known are ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`);
}

const noMeter = (message: string, hint: string) =>
  ({ ok: false, code: 'unknown_meter', message, hint }) as const;

/** Characters that two names share from the front and from the back; a digit too few or too many leaves most of them. */
function likeness(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  const most = Math.min(a.length, b.length);
  let front = 0;
  while (front < most && a[front] === b[front]) front += 1;
  let back = 0;
  while (back < most - front && a.at(-1 - back) === b.at(-1 - back)) back += 1;
  return front + back;
}

/** A refusal: a code of C1, what is wrong, and what to do. */
export const refused = (code: string, message: string, hint: string): CommandAnswer => ({
  ok: false,
  code,
  message,
  hint,
});

/** The answer, or, where the journal cannot be read for it, a refusal that says so. */
export async function unlessLost(answered: Promise<CommandAnswer>): Promise<CommandAnswer> {
  try {
    return await answered;
  } catch (error) {
    if (!(error instanceof StoreLost)) throw error;
    const { message } = error;
    const isClosed = message === JOURNAL_CLOSED;
    const hint = isClosed ? 'Try again.' : 'run "meter-collector audit" for the exact place';
    return refused('internal', message, hint);
  }
}
