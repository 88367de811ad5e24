// What a wrong word is answered, and how a failure that nobody expected is said.

import type { CommanderError } from 'commander';
import { nearest } from '../settings/problems.ts';
import { GLOBAL_FLAGS, NAME } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner } from './parts.ts';
import type { Unanswered } from './questions.ts';
import { fail } from './say.ts';

/** The failure behind what commander found wrong in a command of those `words`, in the language of the session. */
export function usageFailure(
  error: CommanderError,
  words: readonly string[],
  manner: Manner,
  io: Io,
): number {
  // Help and version were asked for, and have been written.
  if (error.exitCode === 0) return EXIT.ok;
  const { say } = manner;
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const what = /'([^']*)'/.exec(first)?.[1] ?? '';
  const kind = error.code.replace('commander.', '');
  const key = `cli.usage_${kind}`;
  const said = say(key, { what });
  const message = said === key ? `${first.replace(/\.$/, '')}.` : said;
  const meant = /\(Did you mean (.+)\?\)/.exec(rest.join(' '))?.[1] ?? globalMeant(kind, what);
  const help = words.length === 0 ? '--help' : `help ${words.join(' ')}`;
  const next = say('cli.usage_see', { name: NAME, help });
  const hint = meant === undefined ? next : `${say('cli.usage_meant', { meant })} ${next}`;
  return fail(io, manner, { code: `usage.${kind}`, message, hint }, EXIT.usage);
}

/** Global options are taken out before commander looks, so it cannot suggest them. */
function globalMeant(kind: string, what: string): string | undefined {
  return kind === 'unknownOption' ? nearest(what, GLOBAL_FLAGS) : undefined;
}

/** A question that nobody answered: 130 where the person has left, 2 where an option is missing or wrong. */
export function unanswered({ flag, wrong }: Unanswered, manner: Manner, io: Io): number {
  const { say } = manner;
  if (flag === null) {
    const failure = { code: 'interrupted', message: say('cli.stopped'), hint: '' };
    // The terminal's line still holds the question.
    if (!manner.json) io.err('\n');
    return fail(io, manner, failure, EXIT.interrupted);
  }
  if (wrong !== null) {
    const message = say('cli.usage_wrong', { flag });
    return fail(
      io,
      manner,
      { code: 'usage.value', message, hint: say(`cli.${wrong}`) },
      EXIT.usage,
    );
  }
  const message = say('cli.usage_missing', { flag });
  const hint = say('cli.usage_missing_hint');
  return fail(io, manner, { code: 'usage.missing', message, hint }, EXIT.usage);
}

/** With a capital letter and a full stop. */
function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, '')}.`;
}

/** What the operating system refuses is a failure; anything else is a bug of ours. Neither shows a stack. */
export function failureOf(error: unknown, manner: Manner, io: Io): number {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') {
    const said = manner.hear(sentence(String(message)));
    const hint = code === 'EACCES' || code === 'EPERM' ? manner.say('cli.denied_path_hint') : '';
    return fail(io, manner, { code, message: said, hint });
  }
  if (io.env['METER_COLLECTOR_TRACE']) io.err(`${stack}\n`);
  return fail(io, manner, {
    code: 'internal',
    message: manner.say('cli.bug', { detail: String(message ?? error) }),
    hint: manner.say('cli.bug_hint'),
  });
}
