// Loads the settings for a command, or says all of their problems; and the command `config check`.

import type { Problem } from '../settings/problems.ts';
import type { Settings } from '../settings/settings.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail, sayJson } from './say.ts';

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
  if (!manner.json) sayProblems(problems, io, parts);
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const message = `${file} has ${count}; nothing was started.`;
  const hint = `Mend the file, then try: meter-collector config check ${file}`;
  const denied = problems.every(({ code }) => code === 'file.denied');
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
  sayWarnings(warnings, io, parts);
  io.out(`${file} is good: ${plural(meters.length, 'meter')} on ${plural(buses.length, 'bus')}.\n`);
  io.err(`Next: meter-collector run --config ${file}\n`);
  return EXIT.ok;
}

/** Warnings, each on a line of standard error. */
export function sayWarnings(warnings: readonly Problem[], io: Io, parts: Parts): void {
  for (const warning of warnings) io.err(`warning: ${parts.formatProblem(warning)}\n`);
}

function sayProblems(problems: readonly Problem[], io: Io, parts: Parts): void {
  for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) {
    io.err(`${parts.formatProblem(problem)}\n`);
  }
  const more = problems.length - PROBLEMS_SHOWN_MAX;
  if (more > 0) io.err(`and ${more} more\n`);
}

function plural(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun}${noun.endsWith('s') ? 'es' : 's'}`;
}
