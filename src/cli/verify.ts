// `verify METER --dial D`: does the encoder say what the dial shows?

import type { Command } from 'commander';
import { askRunning } from './ask.ts';
import { addCommand, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk, Manner } from './parts.ts';
import { wanted } from './questions.ts';
import { sayJson } from './say.ts';

/** What the collector answers to `verify`. */
export interface VerifyAnswer {
  readonly meter: string;
  readonly verdict: string;
  readonly places?: Readonly<Record<string, string | number>>;
}

/** The dial as typed: what stands on it, with or without blanks. */
const DIAL = /^\d[\d ]{0,20}$/;

/** Verdicts by which dial and encoder agree. */
const AGREES: ReadonlySet<string> = new Set(['match', 'moved', 'ignored_digit_match']);
export const agrees = (verdict: string): boolean => AGREES.has(verdict);

export function addVerify(program: Command, desk: Desk): void {
  const command = addCommand(program, desk, {
    ...{ spec: 'verify <meter>', key: 'c_verify', example: 'verify SP-1 --dial 01234603' },
  });
  option(command, desk, '--dial <dial>', 'o_dial');
  withConfig(command, desk).action(async (meter, { config: file, dial }) =>
    desk.done(await verify({ file, meter, dial }, desk)),
  );
}

/** 0 when they agree, 6 when they do not, whatever the reason. */
async function verify(
  asked: { readonly file: string; readonly meter: string; readonly dial: string | undefined },
  desk: Desk,
): Promise<number> {
  const { manner, io, parts } = desk;
  const dial = await askedDial(asked.dial, desk);
  const { file, meter } = asked;
  const question = { file, name: 'verify', args: { meter, dial } };
  const answered = await askRunning(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const answer = answered.data as VerifyAnswer;
  if (manner.json) sayJson(io, answer);
  else {
    io.out(`${verdictSentence(answer, manner)}\n`);
    if (!agrees(answer.verdict))
      io.err(`${manner.say('cli.verify_next', { name: NAME, meter })}\n`);
  }
  return agrees(answer.verdict) ? EXIT.ok : EXIT.mismatch;
}

/** The dial, typed without having seen what the encoder says. */
export async function askedDial(given: string | undefined, desk: Desk): Promise<string> {
  const dial = await wanted(desk, given, {
    ...{ key: 'q_dial', flag: '--dial' },
    check: (one) => (DIAL.test(one) ? null : 'q_bad_dial'),
  });
  return dial.replaceAll(' ', '');
}

export function verdictSentence({ verdict, places = {} }: VerifyAnswer, { say }: Manner): string {
  return say(`site.verify_${verdict}`, places);
}
