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
