// Next steps repeat the `--config` that was typed: what is said can be copied, and speaks of the same collector.

import type { Command } from 'commander';
import { NAME, takesConfig } from './command.ts';
import type { Manner } from './parts.ts';
import { asTyped } from './say.ts';

/** The program's name and the words behind it, some of which may belong to the sentence. */
const COMMAND = new RegExp(`${NAME}((?: [a-z][a-z-]*)+)`, 'g');

/** A manner whose sentences repeat the settings file, once `learn` has heard of a command that was given one. */
export function repeating(manner: Manner): {
  readonly manner: Manner;
  learn(program: Command, typed: Command): void;
} {
  let commands: ReadonlySet<string> = new Set();
  let file: string | null = null;
  const repeated = (sentence: string) =>
    file === null ? sentence : withFile(sentence, asTyped(file), commands);
  return {
    manner: {
      ...manner,
      say: (key, places) => repeated(manner.say(key, places)),
      hear: (sentence) => repeated(manner.hear(sentence)),
    },
    learn(program, typed) {
      if (!takesConfig(typed) || typed.getOptionValueSource('config') !== 'cli') return;
      commands = new Set(wordsWithConfig(program));
      file = String(typed.opts()['config']);
    },
  };
}

/** The words of every command that takes a settings file: `status`, `queue resend`. */
function* wordsWithConfig(parent: Command, before: readonly string[] = []): Generator<string> {
  for (const command of parent.commands) {
    const words = [...before, command.name()];
    if (takesConfig(command)) yield words.join(' ');
    yield* wordsWithConfig(command, words);
  }
}

/** Behind the command's own words, for what stands after them may be the rest of a sentence. */
function withFile(sentence: string, typed: string, commands: ReadonlySet<string>): string {
  return sentence.replaceAll(COMMAND, (whole, after: string, at: number) => {
    const [rest = ''] = sentence.slice(at + NAME.length).split(NAME);
    if (rest.includes(' --config ')) return whole;
    const words = after.trim().split(' ');
    const own = words
      .map((_, i) => words.slice(0, i + 1).join(' '))
      .filter((one) => commands.has(one));
    const command = own.at(-1);
    if (command === undefined) return whole;
    const head = `${NAME} ${command}`;
    return `${head} --config ${typed}${whole.slice(head.length)}`;
  });
}
