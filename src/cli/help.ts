// `help`: on a command, or on the exit codes; and `version`.

import type { Command } from 'commander';
import { addCommand, NAME } from './command.ts';
import { EXIT, EXIT_MEANINGS } from './exit-codes.ts';
import type { Desk } from './parts.ts';
import { fail, sayJson } from './say.ts';

export function addHelp(program: Command, desk: Desk): void {
  const wording = { spec: 'help [topic...]', key: 'c_help', example: 'help commission' };
  addCommand(program, desk, wording).action((topic) => desk.done(help(program, topic, desk)));
  addCommand(program, desk, { spec: 'version', key: 'c_version', example: 'version' }).action(
    () => {
      const { manner, io, parts } = desk;
      if (manner.json) sayJson(io, { name: NAME, version: parts.version });
      else io.out(`${NAME} ${parts.version}\n`);
      desk.done(EXIT.ok);
    },
  );
}

function help(program: Command, topic: readonly string[], { manner, io }: Desk): number {
  if (topic[0] === 'exit-codes') {
    const lines = Object.keys(EXIT_MEANINGS).map(
      (n) => `${n.padStart(3)}  ${manner.say(`cli.exit_${n}`)}\n`,
    );
    if (manner.json) sayJson(io, EXIT_MEANINGS);
    else io.out(lines.join(''));
    return EXIT.ok;
  }
  let command: Command = program;
  for (const word of topic) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) {
      const message = manner.say('cli.no_command', { what: topic.join(' ') });
      const names = command.commands.map((one) => one.name()).join(', ');
      const hint = manner.say('cli.known_are', { names });
      return fail(io, manner, { code: 'usage.command', message, hint }, EXIT.usage);
    }
    command = next;
  }
  command.outputHelp();
  return EXIT.ok;
}
