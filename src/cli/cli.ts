// The command line: what may be typed, what each command does with it, and what a wrong word is answered.

import { Command, CommanderError } from 'commander';
import { addAlerts } from './alerts.ts';
import { addBacktest } from './backtest.ts';
import { addBusCommands } from './bus.ts';
import { addChangeout } from './changeout.ts';
import { addGroup, helpLayout, NAME } from './command.ts';
import { addCommission } from './commission.ts';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { EXIT } from './exit-codes.ts';
import { globalsOf } from './globals.ts';
import { addHelp } from './help.ts';
import { addInit } from './init.ts';
import { addInstall } from './install.ts';
import { addJournal } from './journal.ts';
import { addLook } from './look.ts';
import { addMeters } from './meter.ts';
import { addOperations } from './operate.ts';
import type { Desk, Io, Manner, Parts } from './parts.ts';
import { PROGRAMS } from './parts.ts';
import { Unanswered } from './questions.ts';
import { addQueue } from './queue.ts';
import { repeating } from './repeated.ts';
import { addReports } from './report.ts';
import { fail } from './say.ts';
import { addUpstream } from './upstream.ts';
import { failureOf, unanswered, usageFailure } from './usage.ts';
import { addUsers } from './user.ts';
import { addVerify } from './verify.ts';

/** Runs one command line (without node and script). Resolves to the exit code; never rejects. */
export async function runCli(args: readonly string[], io: Io, parts: Parts): Promise<number> {
  const { rest, manner: plain, badLanguage } = globalsOf(args, io, parts);
  const { manner, learn } = repeating(plain);
  try {
    if (badLanguage !== null) {
      const message = manner.say('cli.usage_lang', { what: badLanguage });
      return fail(io, manner, { code: 'usage.lang', message, hint: '' }, EXIT.usage);
    }
    const forwarded = programOf(rest, manner, args.includes('--no-color'));
    if (forwarded !== undefined) return await parts.runProgram(...forwarded);
    return await parse(rest, { manner, io, parts }, learn);
  } catch (error) {
    if (error instanceof CommanderError) {
      const program = commandLine({ manner, io, parts, done: () => undefined });
      return usageFailure(error, wordsOf(program, rest), manner, io);
    }
    if (error instanceof Unanswered) return unanswered(error, manner, io);
    return failureOf(error, manner, io);
  }
}

/** The words of the command that is meant, as far as there is one: `config set`. */
function wordsOf(program: Command, args: readonly string[]): readonly string[] {
  const [first = '', ...others] = args;
  const one = program.commands.find((command) => command.name() === first);
  return one === undefined ? [] : [first, ...wordsOf(one, others)];
}

/**
 * The simulator's programs take their own arguments as they are, and of those that every command has what they know;
 * `help sim` is their own help.
 */
function programOf(
  rest: readonly string[],
  { json, plain }: Manner,
  isGrey: boolean,
): Parameters<Parts['runProgram']> | undefined {
  const [first, second] = rest;
  const program = PROGRAMS.find((name) => name === (first === 'help' ? second : first));
  if (program === undefined) return undefined;
  const env: Record<string, string> = isGrey ? { NO_COLOR: '1' } : {};
  if (first === 'help') return [program, ['--help'], env];
  const said = [...(json ? ['--json'] : []), ...(plain && program === 'demo' ? ['--plain'] : [])];
  return [program, [...said, ...rest.slice(1)], env];
}

async function parse(
  args: readonly string[],
  { manner, io, parts }: Omit<Desk, 'done'>,
  learn: ReturnType<typeof repeating>['learn'],
): Promise<number> {
  let exit: number = EXIT.ok;
  const program = commandLine({
    ...{ manner, io, parts },
    done: (code) => {
      exit = code;
    },
  });
  if (args.length === 0 && manner.json) {
    const [message, hint] = [
      manner.say('cli.usage_help'),
      manner.say('cli.usage_see', { name: NAME, help: '--help' }),
    ];
    return fail(io, manner, { code: 'usage.help', message, hint }, EXIT.usage);
  }
  if (args.length === 0) {
    io.err(`${program.helpInformation()}${afterHelp(manner)}`);
    return EXIT.usage;
  }
  program.hook('preAction', (_, typed) => learn(program, typed));
  await program.parseAsync([...args], { from: 'user' });
  return exit;
}

/** Every command there is. */
export function commandLine(desk: Desk): Command {
  const { manner, io, parts } = desk;
  const { say } = manner;
  const program = new Command(NAME)
    .description(say('cli.about'))
    .version(`${NAME} ${parts.version}`, '-V, --version', say('cli.o_version'))
    .helpOption('-h, --help', say('cli.o_help'))
    .helpCommand(false)
    .configureHelp(helpLayout(manner))
    .addHelpText('after', () => afterHelp(manner))
    .exitOverride()
    // Failures are said once, by usageFailure.
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: () => undefined });
  const group = (key: string, ...adds: readonly ((program: Command, desk: Desk) => void)[]) => {
    program.commandsGroup(say(`cli.group_${key}`));
    for (const add of adds) add(program, desk);
  };
  group('begin', addInit, addInstall);
  group('site', addCommission, addVerify, addChangeout, addMeters, addReports);
  group('look', addLook, addOperations);
  group('repair', addDoctor, addBusCommands);
  group('watch', addAlerts, addBacktest);
  group('up', addQueue, addUpstream);
  group('keep', addConfig, addJournal, addUsers);
  group('try', addPrograms);
  group('more', addCompletion, addHelp);
  return program;
}

/** Programs of the simulator, dispatched before this command line is asked. */
function addPrograms(program: Command, desk: Desk): void {
  for (const name of PROGRAMS) addGroup(program, desk, name, `c_${name}`);
}

function afterHelp({ say }: Manner): string {
  const examples = [
    'init --config settings.yaml',
    'run --config settings.yaml',
    'commission --config settings.yaml',
    'status --watch',
  ];
  const globals = ['json', 'plain', 'no_input', 'no_color', 'lang'].map((name) => {
    const flag = name === 'lang' ? '--lang en|es' : `--${name.replace('_', '-')}`;
    return `  ${flag.padEnd(14)} ${say(`cli.o_${name}`)}`;
  });
  return [
    `\n${say('cli.title_everywhere')}\n${globals.join('\n')}\n`,
    `\n${say('cli.examples')}\n${examples.map((one) => `  ${NAME} ${one}\n`).join('')}`,
    `\n${say('cli.see_exit_codes', { name: NAME })}\n`,
  ].join('');
}
