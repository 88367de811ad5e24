// Options that every command understands, wherever they stand, and the language of the session.

import { LANGUAGES, type Language, languageOf, sayIn } from '../domain/words.ts';
import { hearing } from './heard.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { wantsColor } from './say.ts';

/** A command line without its global options, and how it is to be answered. */
export interface Globals {
  readonly rest: readonly string[];
  readonly manner: Manner;
  /** What follows --lang where that is no language of ours. */
  readonly badLanguage: string | null;
}

/** Takes the global options out of `args`; behind `--` nothing is an option. */
export function globalsOf(args: readonly string[], io: Io, parts: Parts): Globals {
  const flags = new Set<string>();
  const rest: string[] = [];
  let lang: string | undefined;
  for (let i = 0; i < args.length; i += 1) {
    const word = args[i] ?? '';
    if (word === '--') {
      rest.push(...args.slice(i));
      break;
    }
    if (word === '--lang') {
      i += 1;
      lang = args[i] ?? '';
    } else if (word.startsWith('--lang=')) lang = word.slice('--lang='.length);
    else if (SWITCHES.has(word)) flags.add(word);
    else rest.push(word);
  }
  const known = LANGUAGES.find((one) => one === lang);
  const language = known ?? languageOf(...localesOf(io));
  return {
    rest,
    manner: mannerOf(flags, language, io, parts),
    badLanguage: lang === undefined || known ? null : lang,
  };
}

const SWITCHES: ReadonlySet<string> = new Set(['--json', '--plain', '--no-input', '--no-color']);

/** In the order of locale(7): the first that is set decides. */
const localesOf = ({ env }: Io) => [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']];

function mannerOf(
  flags: ReadonlySet<string>,
  language: Language,
  io: Io,
  { catalogues }: Parts,
): Manner {
  const json = flags.has('--json');
  const say = sayIn(language, catalogues[language]);
  return {
    json,
    plain: flags.has('--plain'),
    color: wantsColor(io) && !flags.has('--no-color'),
    // A script that wants JSON must never wait for an answer that nobody gives.
    asks: io.isTTY && io.hasKeyboard && !flags.has('--no-input') && !json,
    language,
    say,
    hear: hearing(language, catalogues.en, say),
  };
}
