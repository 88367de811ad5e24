// Asks a command of the running daemon, or, when none runs, of its journal.

import type { CommandAnswer, Commands } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail } from './say.ts';
import { settingsOf } from './settings-file.ts';

/** A command to ask, and the file that says of whom. */
export interface Question {
  readonly file: string;
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
  /** The key of a list in every good answer: what lacks it comes from another version. */
  readonly list: string;
  /** Looks on while it is answered; returns how to stop looking. */
  readonly watch?: (commands: Commands) => () => void;
}

/** The answer's data, or the exit code after the failure has been said. */
export async function ask(
  question: Question,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ data: unknown } | { exit: number }> {
  const loaded = await settingsOf(question.file, manner, io, parts);
  if ('exit' in loaded) return loaded;
  const { name, args = {}, list, watch } = question;
  const answer = await answerOf({ name, args, watch }, loaded.settings, manner, io, parts);
  if (!answer.ok) {
    const hint = answer.hint === '' ? hintOf(answer.code, loaded.settings) : answer.hint;
    return { exit: fail(io, manner, { ...answer, hint }) };
  }
  if (!Array.isArray((answer.data as Record<string, unknown> | null)?.[list])) {
    const message = `The collector gave an answer to "${name}" that this program does not know.`;
    const hint = 'Restart the collector, so that both are of one version.';
    return { exit: fail(io, manner, { code: 'answer.unknown', message, hint }) };
  }
  return { data: answer.data };
}

/** The answer to a command that does something, or the exit code after the failure has been said. */
export async function perform(
  { file, name, args = {}, watch }: Omit<Question, 'list'>,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ data: unknown } | { exit: number }> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded;
  const answer = await answerOf({ name, args, watch }, loaded.settings, manner, io, parts);
  if (answer.ok) return { data: answer.data };
  const hint = answer.hint === '' ? hintOf(answer.code, loaded.settings) : answer.hint;
  return { exit: fail(io, manner, { ...answer, hint }) };
}

interface Asked {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly watch: Question['watch'];
}

async function answerOf(
  asked: Asked,
  settings: Settings,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<CommandAnswer> {
  const answer = await watched(asked, parts.daemon(settings.control));
  if (answer.ok || answer.code !== 'daemon.absent') return answer;
  const opened = await parts.openJournal(settings);
  if (!opened.ok) {
    const { code, detail } = opened.fault;
    const message = `The journal cannot be opened: ${detail}.`;
    if (DENIED.test(detail)) {
      const hint = `Ask as the user who runs the collector, who owns ${settings.data}.`;
      return { ok: false, code: 'forbidden', message, hint };
    }
    const hint = ABSENT.test(detail) ? 'Has the collector run with these settings yet?' : '';
    return { ok: false, code, message, hint };
  }
  if (!manner.json) io.err('The collector is not running; this is what its journal says.\n');
  try {
    return await watched(asked, opened.value);
  } finally {
    await opened.value.close();
  }
}

async function watched({ name, args, watch }: Asked, commands: Commands): Promise<CommandAnswer> {
  const stop = watch?.(commands);
  try {
    return await commands.run(name, args);
  } finally {
    stop?.();
  }
}

/** How LevelDB and the operating system say that this user may not. */
const DENIED = /permission denied|EACCES|EPERM/i;
const ABSENT = /ENOENT/;

/** Enough names to see what is meant, on one line. */
const NAMES_SHOWN_MAX = 8;

function hintOf(code: string, settings: Settings): string {
  switch (code) {
    case 'unknown_meter': {
      const names = settings.meters.map(({ meter }) => meter);
      const more = names.length > NAMES_SHOWN_MAX ? ', ...' : '';
      return `Meters in the settings: ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`;
    }
    case 'store.locked':
      return `Another process holds ${settings.data}, but nothing answers on ${settings.control}.`;
    case 'daemon.denied':
      return `Ask as the user who runs the collector: ${settings.control} is for that user alone.`;
    case 'daemon.silent':
      return 'See the log of the collector; it may be starting, stopping or stuck.';
    default:
      return '';
  }
}
