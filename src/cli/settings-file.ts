// Loads the settings for a command, or says all of their problems; and the command `config check`.

import type { Problem } from '../settings/problems.ts';
import type { Settings } from '../settings/settings.ts';
import { NAME } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { asTyped, fail, sayJson } from './say.ts';

/** A file so broken would fill the screen with nothing new; the rest is counted. --json has them all. */
const PROBLEMS_SHOWN_MAX = 100;

/** The settings of `file`, or the exit code after its problems have been said. */
export async function settingsOf(
  file: string,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ settings: Settings; warnings: readonly Problem[] } | { exit: number }> {
  const checked = await parts.loadSettings(file);
  if (checked.ok) return checked;
  const { problems } = checked;
  if (!manner.json) sayProblems(problems, manner, io);
  const message = manner.say('cli.settings_bad', { file, count: problems.length });
  const isAbsent = problems.some(({ code }) => code === 'file.absent');
  const denied = problems.every(({ code }) => code === 'file.denied');
  const next = denied ? 'settings_denied' : isAbsent ? 'settings_begin' : 'settings_mend';
  const hint = manner.say(`cli.${next}`, { name: NAME, file: asTyped(file) });
  const failure = { code: 'config.invalid', message, hint, more: { problems } };
  return { exit: fail(io, manner, failure, denied ? EXIT.permission : EXIT.settings) };
}

/** `config check FILE`: 0 and a sentence when it is good, else 3 and every problem. */
export async function checkConfig(
  file: string,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const { settings, warnings } = loaded;
  const { buses, meters } = settings;
  if (manner.json) {
    sayJson(io, { ok: true, file, buses: buses.length, meters: meters.length, warnings });
    return EXIT.ok;
  }
  sayWarnings(warnings, manner, io);
  const { say } = manner;
  const counted = {
    meters: say('cli.meters', { count: meters.length }),
    buses: say('cli.buses', { count: buses.length }),
  };
  io.out(`${say('cli.settings_good', { file, ...counted })}\n`);
  io.err(`${say('cli.next_run', { name: NAME, file: asTyped(file) })}\n`);
  return EXIT.ok;
}

/** Warnings, each on a line of standard error. */
export function sayWarnings(warnings: readonly Problem[], manner: Manner, io: Io): void {
  for (const warning of warnings) {
    io.err(`${manner.say('cli.warning', { text: problemText(warning, manner) })}\n`);
  }
}

/** `file:line:column: sentence. Did you mean "..."?`, on one line. */
export function problemText(problem: Problem, { say, hear }: Manner): string {
  const { file, line, column, message, suggestion } = problem;
  const meant = suggestion === undefined ? '' : ` ${say('cli.meant', { meant: suggestion })}`;
  return `${file}:${line}:${column}: ${hear(message)}${meant}`;
}

/** Problems, each on a line of standard error. */
export function sayProblems(problems: readonly Problem[], manner: Manner, io: Io): void {
  for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) {
    io.err(`${problemText(problem, manner)}\n`);
  }
  const more = problems.length - PROBLEMS_SHOWN_MAX;
  if (more > 0) io.err(`${manner.say('cli.and_more', { count: more })}\n`);
}
