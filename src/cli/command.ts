// How a command is added: its words in the language of the session, an example, and how its help is laid out.

import type { Command, Help, Option } from 'commander';
import type { Desk, Manner } from './parts.ts';

export const NAME = 'meter-collector';

/** Options that may stand anywhere and are taken out before a command is looked for. */
export const GLOBAL_FLAGS = ['--json', '--plain', '--no-input', '--no-color', '--lang'] as const;

/** What a command is: its spec, the key of its description, and one line as somebody would type it. */
export interface Wording {
  readonly spec: string;
  readonly key: string;
  /** Without the program's name. */
  readonly example: string;
}

/** Examples by command, for the test that tries them. */
const examples = new WeakMap<Command, string>();
export const exampleOf = (command: Command): string | undefined => examples.get(command);

/** Adds a command with its description and example. */
export function addCommand(parent: Command, { manner }: Desk, wording: Wording): Command {
  const { spec, key, example } = wording;
  const command = parent.command(withPlaces(spec, manner)).description(manner.say(`cli.${key}`));
  examples.set(command, example);
  return command.addHelpText(
    'after',
    () =>
      `\n${manner.say('cli.example')}\n  ${NAME} ${example}\n\n${manner.say('cli.help_global')}`,
  );
}

/** Adds a word that only leads to others. */
export function addGroup(parent: Command, { manner }: Desk, name: string, key: string): Command {
  return parent
    .command(name)
    .description(manner.say(`cli.${key}`))
    .helpCommand(false);
}

/** An option whose sentence stands under `cli.KEY`; the place in its flags is named in the language too. */
export function option(command: Command, { manner }: Desk, flags: string, key: string): Command {
  return command.option(withPlaces(flags, manner), manner.say(`cli.${key}`));
}

/** Those that ask of a collector by its settings file. */
const ofSettings = new WeakSet<Command>();
export const takesConfig = (command: Command): boolean => ofSettings.has(command);

/** The settings file: the one that is named, or the usual one. */
export function withConfig(command: Command, desk: Desk): Command {
  const { manner, parts } = desk;
  ofSettings.add(command);
  return command.option(
    withPlaces('--config <file>', manner),
    manner.say('cli.o_config'),
    parts.settingsFile.path,
  );
}

/** `<meter>` as people of this language call it. */
export function withPlaces(spec: string, { say }: Manner): string {
  return spec.replaceAll(/([<[])([a-z-]+)(\.{3})?([>\]])/g, (_, open, name, more = '', close) => {
    const key = `cli.arg_${name.replaceAll('-', '_')}`;
    const said = say(key);
    return `${open}${said === key ? name : said}${more}${close}`;
  });
}

/** Layout of every help text: commander's own, with its few words in the language of the session. */
export function helpLayout({ say }: Manner): Partial<Help> {
  const titles: Readonly<Record<string, string>> = {
    'Usage:': say('cli.title_usage'),
    'Arguments:': say('cli.title_arguments'),
    'Options:': say('cli.title_options'),
    'Commands:': say('cli.title_commands'),
  };
  return {
    styleTitle: (title) => titles[title] ?? title,
    commandUsage: (command) => usageOf(command, say),
    subcommandTerm: (command) =>
      [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    optionDescription: (option) => optionText(option, say),
  };
}

function usageOf(command: Command, say: Manner['say']): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return [
    ...names,
    ...(command.commands.length > 0 ? [`<${say('cli.usage_command')}>`] : []),
    ...(command.options.length > 0 ? [`[${say('cli.usage_options')}]`] : []),
    ...command.registeredArguments.map(argumentTerm),
  ].join(' ');
}

function argumentTerm(argument: Command['registeredArguments'][number]): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionText({ description, defaultValue }: Option, say: Manner['say']): string {
  if (typeof defaultValue !== 'string' || defaultValue === '') return description;
  return `${description} (${say('cli.default')} ${String(defaultValue)})`;
}
