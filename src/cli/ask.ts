// Asks a command of the running daemon, or, when none runs, of its journal or its settings file.

import type { CommandAnswer, Commands } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import { NAME } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { asTyped, fail, failHeard } from './say.ts';
import { settingsOf } from './settings-file.ts';

/** A command to ask, and the file that says of whom. */
export interface Question {
  readonly file: string;
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
  /** The key of a list in every good answer: what lacks it comes from another version. */
  readonly list: string;
  /** What to do about a refusal of which nobody else knows. */
  readonly otherwise?: string;
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
  const { file } = question;
  const answer = await answerOf({ file, name, args, watch }, loaded.settings, manner, io, parts);
  if (!answer.ok) {
    return {
      exit: failAsked(answer, loaded.settings, manner, io, undefined, exitAsked(name, answer)),
    };
  }
  if (!Array.isArray((answer.data as Record<string, unknown> | null)?.[list])) {
    const message = manner.say('cli.answer_unknown', { name });
    const hint = manner.say('cli.answer_unknown_hint');
    return { exit: fail(io, manner, { code: 'answer.unknown', message, hint }) };
  }
  return { data: answer.data };
}

/** The answer to a command that does something, or the exit code after the failure has been said. */
export async function perform(
  { file, name, args = {}, watch, otherwise = '' }: Omit<Question, 'list'>,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ data: unknown } | { exit: number }> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded;
  const answer = await answerOf({ file, name, args, watch }, loaded.settings, manner, io, parts);
  if (answer.ok) return { data: answer.data };
  const isUnknown = answer.hint === '' && hintOf(answer.code, loaded.settings, manner) === '';
  const told = isUnknown ? { ...answer, hint: otherwise } : answer;
  return {
    exit: failAsked(told, loaded.settings, manner, io, undefined, exitAsked(name, answer)),
  };
}

/** The answer of a running collector alone: its journal cannot stand in for it. */
export async function askRunning(
  { file, name, args = {} }: Omit<Question, 'list' | 'watch'>,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ data: unknown } | { exit: number }> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded;
  const answer = await parts.daemon(loaded.settings.control).run(name, args);
  if (answer.ok) return { data: answer.data };
  return { exit: failAsked(answer, loaded.settings, manner, io, file, exitAsked(name, answer)) };
}

/** What is not good in settings that would be written ends as a file that is not good, and not as a dial that differs. */
function exitAsked(
  name: string,
  { code }: Extract<CommandAnswer, { ok: false }>,
): number | undefined {
  return code === 'verify_failed' && /^(?:config|meter)\./.test(name) ? EXIT.settings : undefined;
}

/** Says a refusal with the next step that these settings suggest. */
export function failAsked(
  answer: Extract<CommandAnswer, { ok: false }>,
  settings: Settings,
  manner: Manner,
  io: Io,
  file?: string,
  exit?: number,
): number {
  const isAway = answer.code === 'daemon.absent' && file !== undefined;
  const own = isAway
    ? manner.say('cli.start_it', { name: NAME, file: asTyped(file) })
    : hintOf(answer.code, settings, manner);
  const hint = answer.hint === '' || (isAway && manner.language !== 'en') ? own : answer.hint;
  return failHeard(io, manner, { ...answer, hint }, exit);
}

interface Asked {
  readonly file: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly watch: Question['watch'];
}

/** What is done to the settings file alone, whether a collector runs on it or not. */
const OF_FILE: ReadonlySet<string> = new Set([
  ...['config.get', 'config.set', 'config.diff', 'meter.add', 'meter.update'],
]);

async function answerOf(
  asked: Asked,
  settings: Settings,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<CommandAnswer> {
  const answer = await watched(asked, parts.daemon(settings.control));
  if (answer.ok || answer.code !== 'daemon.absent') return answer;
  if (OF_FILE.has(asked.name)) {
    if (!manner.json) io.err(`${manner.say('cli.from_file', { file: asked.file })}\n`);
    return parts.settingsCommands(asked.file).run(asked.name, asked.args);
  }
  const opened = await parts.openJournal(settings);
  if (!opened.ok) {
    const { code, detail } = opened.fault;
    // Heard as what a collector says is, by its pattern in the catalogue.
    const message = `The journal cannot be opened: ${detail}.`;
    if (DENIED.test(detail)) {
      const hint = manner.say('cli.ask_as_owner', { path: settings.data });
      return { ok: false, code: 'forbidden', message, hint };
    }
    const hint = ABSENT.test(detail) ? manner.say('cli.has_it_run') : '';
    return { ok: false, code, message, hint };
  }
  if (!manner.json) io.err(`${manner.say('cli.from_journal')}\n`);
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
const DENIED = /permission denied|EACCES|EPERM|may not open/i;
const ABSENT = /ENOENT|there is no journal/;

/** Enough names to see what is meant, on one line. */
const NAMES_SHOWN_MAX = 8;

/** What to do about a refusal that came without a hint of its own; '' where nobody knows. */
export function hintOf(code: string, settings: Settings, { say }: Manner): string {
  switch (code) {
    case 'unknown_meter': {
      const names = settings.meters.map(({ meter }) => meter);
      if (names.length === 0) return say('cli.meters_none', { name: NAME });
      const more = names.length > NAMES_SHOWN_MAX ? ', ...' : '';
      const shown = `${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`;
      return say('cli.meters_known', { names: shown });
    }
    case 'store.locked':
      return say('cli.locked_hint', { data: settings.data, control: settings.control });
    case 'daemon.denied':
      return say('cli.denied_hint', { control: settings.control });
    case 'daemon.silent':
      return say('cli.silent_hint');
    default:
      return '';
  }
}
