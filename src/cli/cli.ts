// The command line: what may be typed, what each command does with it, and what a wrong word is answered.

import { Command, CommanderError } from 'commander';
import { addAlerts } from './alerts.ts';
import { audit } from './audit.ts';
import { addBacktest } from './backtest.ts';
import { addBusCommands } from './bus.ts';
import { decode } from './decode.ts';
import { EXIT, EXIT_MEANINGS } from './exit-codes.ts';
import { install } from './install.ts';
import { intervals } from './intervals.ts';
import { backup, journalStats, restore } from './journal.ts';
import { addOperations } from './operate.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { PROGRAMS, type Program } from './parts.ts';
import { read } from './read.ts';
import { run } from './run.ts';
import { fail, sayJson, wantsColor } from './say.ts';
import { checkConfig } from './settings-file.ts';
import { status } from './status.ts';
import { SERVICE } from './unit.ts';

const NAME = 'meter-collector';

const AFTER_HELP = `
Examples:
  ${NAME} demo --for 60
  ${NAME} config check config/field.yaml
  ${NAME} run --config /etc/meter-collector/settings.yaml
  ${NAME} intervals SP-1 --from 2026-11-22 --config settings.yaml

Every command takes --json. Exit codes: ${NAME} help exit-codes`;

/** Runs one command line (without node and script). Resolves to the exit code; never rejects. */
export async function runCli(args: readonly string[], io: Io, parts: Parts): Promise<number> {
  const manner: Manner = {
    json: args.includes('--json'),
    color: wantsColor(io) && !args.includes('--no-color'),
  };
  try {
    const forwarded = programOf(args);
    if (forwarded !== undefined) return await parts.runProgram(...forwarded);
    return await parse(args, manner, io, parts);
  } catch (error) {
    if (error instanceof CommanderError) return usageFailure(error, manner, io);
    return failureOf(error, manner, io);
  }
}

/** The simulator's programs take their arguments as they are; `help sim` is their own help. */
function programOf(args: readonly string[]): [Program, readonly string[]] | undefined {
  const [first, second] = args;
  const program = PROGRAMS.find((name) => name === (first === 'help' ? second : first));
  if (program === undefined) return undefined;
  return [program, first === 'help' ? ['--help'] : args.slice(1)];
}

async function parse(args: readonly string[], manner: Manner, io: Io, parts: Parts) {
  let exit: number = EXIT.ok;
  const program = commandLine(manner, io, parts, (code) => {
    exit = code;
  });
  if (args.length === 0) {
    io.err(`${program.helpInformation()}${AFTER_HELP}\n`);
    return EXIT.usage;
  }
  await program.parseAsync([...args], { from: 'user' });
  return exit;
}

/** Programs of the simulator, dispatched before this command line is asked. */
const SIMULATOR: readonly (readonly [name: string, what: string])[] = [
  ['sim', 'serve simulated meters on real ports'],
  ['demo', 'simulated meters, broker, collector and head-end together, with proof at the end'],
  ['headend', 'the reference head-end'],
  ['conformance', 'check a collector or a recording against every rule of the contract'],
];

function commandLine(manner: Manner, io: Io, parts: Parts, done: (exit: number) => void): Command {
  const program = new Command(NAME)
    .description('Reads water meters, keeps every count, and publishes hourly intervals over MQTT.')
    .version(`${NAME} ${parts.version}`, '-V, --version', 'say the version')
    .option('--json', 'answer in JSON')
    .option('--no-color', 'no colour')
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP)
    .exitOverride()
    // Failures are said once, by usageFailure.
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: () => undefined });
  const command = (spec: string, description: string): Command =>
    program.command(spec).description(description).option('--json', 'answer in JSON');
  const withFile = (spec: string, description: string): Command =>
    command(spec, description).requiredOption('--config <file>', 'settings file');

  withFile('run', 'run the collector in the foreground; its log goes to standard output').action(
    async ({ config }) => done(await run(config, manner, io, parts)),
  );
  withFile('status', 'say how meters, buses, journal and head-end are').action(async ({ config }) =>
    done(await status(config, manner, io, parts)),
  );
  withFile('intervals <meter>', 'show the hours and gaps of a meter')
    .option('--from <time>', 'first hour (UTC): 2026-11-22 or 2026-11-22T06:00:00Z')
    .option('--to <time>', 'end, not included')
    .action(async (meter, { config: file, from, to }) =>
      done(await intervals({ file, meter, from, to }, manner, io, parts)),
    );
  withFile('read <meter>', 'read a meter now, ahead of every poll')
    .option('--within <seconds>', 'how long to wait for it, at most 100 (default 30)')
    .action(async (meter, { config: file, within }) =>
      done(await read({ file, meter, within }, manner, io, parts)),
    );
  withFile('audit', 'prove over the journal that no count was lost or invented')
    .option('--export <file>', 'write the whole journal there first, as NDJSON')
    .action(async ({ config, export: file }) => done(await audit(config, file, manner, io, parts)));
  addJournal(program, withFile, manner, io, parts, done);
  command('decode', 'show what a device file makes of one answer, without any bus')
    .requiredOption('--profile <name>', 'file of devices/')
    .option('--text <line>', 'the answer as text; \\r, \\n and \\xNN are understood')
    .option('--hex <bytes>', 'the answer as pairs of hexadecimal digits')
    .action(async ({ profile, text, hex }) =>
      done(await decode({ name: profile, text, hex }, manner, io, parts)),
    );
  addBacktest(program, manner, io, parts, done);
  addOperations(program, manner, io, parts, done);
  addAlerts(program, manner, io, parts, done);
  addBusCommands(program, manner, io, parts, done);
  program
    .command('config')
    .description('work on the settings file')
    .helpCommand(false)
    .command('check <file>')
    .description('say every problem of a settings file at once')
    .option('--json', 'answer in JSON')
    .action(async (file) => done(await checkConfig(file, manner, io, parts)));
  command('install', 'make the collector a systemd service of this machine')
    .option('--config <file>', 'settings file of the service', `/etc/${SERVICE}/settings.yaml`)
    .option('--root <folder>', 'place the files below this folder, as for an image')
    .option('--print', 'only say the unit')
    .action(async (request) => done(await install(request, manner, io, parts)));
  for (const [name, what] of SIMULATOR) command(name, what);
  command('version', 'say the version').action(() => done(sayVersion(manner, io, parts)));
  command('help [topic...]', 'help on a command, or on exit-codes').action((topic) =>
    done(help(program, topic, manner, io)),
  );
  return program;
}

function addJournal(
  program: Command,
  withFile: (spec: string, description: string) => Command,
  manner: Manner,
  io: Io,
  parts: Parts,
  done: (exit: number) => void,
): void {
  const journal = program
    .command('journal')
    .description('look after the journal')
    .helpCommand(false);
  journal
    .command('stats')
    .description('say what the journal holds, how long it may, and what it costs the disk')
    .option('--json', 'answer in JSON')
    .requiredOption('--config <file>', 'settings file')
    .action(async ({ config }) => done(await journalStats(config, manner, io, parts)));
  withFile('backup <file>', 'write the journal to a file, while the collector runs or not').action(
    async (file, { config }) => done(await backup(config, file, manner, io, parts)),
  );
  withFile('restore <file>', 'put a backup in the place of the journal; the collector must not run')
    .option('--force', 'although it is of another collector, or older than what is there')
    .action(async (file, { config, force }) =>
      done(await restore(config, file, force === true, manner, io, parts)),
    );
}

function sayVersion(manner: Manner, io: Io, parts: Parts): number {
  if (manner.json) sayJson(io, { name: NAME, version: parts.version });
  else io.out(`${NAME} ${parts.version}\n`);
  return EXIT.ok;
}

function help(program: Command, topic: readonly string[], manner: Manner, io: Io): number {
  if (topic[0] === 'exit-codes') {
    if (manner.json) sayJson(io, EXIT_MEANINGS);
    else {
      const lines = Object.entries(EXIT_MEANINGS).map(
        ([n, meaning]) => `${n.padStart(3)}  ${meaning}`,
      );
      io.out(`${lines.join('\n')}\n`);
    }
    return EXIT.ok;
  }
  let command: Command = program;
  for (const word of topic) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) {
      const message = `There is no command "${topic.join(' ')}".`;
      const known = command.commands.map((one) => one.name()).join(', ');
      const hint = `Known are ${known}.`;
      return fail(io, manner, { code: 'usage.command', message, hint }, EXIT.usage);
    }
    command = next;
  }
  command.outputHelp();
  return EXIT.ok;
}

function usageFailure(error: CommanderError, manner: Manner, io: Io): number {
  // Help and version were asked for, and have been written.
  if (error.exitCode === 0) return EXIT.ok;
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const meant = /\(Did you mean (.+)\?\)/.exec(rest.join(' '))?.[1];
  const message =
    first === '(outputHelp)' ? 'A command is missing.' : `${first.replace(/\.$/, '')}.`;
  const next = `See: ${NAME} --help`;
  const hint = meant === undefined ? next : `Did you mean ${meant}? ${next}`;
  const code = `usage.${error.code.replace('commander.', '')}`;
  return fail(io, manner, { code, message, hint }, EXIT.usage);
}

/** With a capital letter and a full stop. */
function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, '')}.`;
}

/** What the operating system refuses is a failure; anything else is a bug of ours. Neither shows a stack. */
function failureOf(error: unknown, manner: Manner, io: Io): number {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (typeof code === 'string')
    return fail(io, manner, { code, message: sentence(String(message)), hint: '' });
  if (io.env['METER_COLLECTOR_TRACE']) io.err(`${stack}\n`);
  return fail(io, manner, {
    code: 'internal',
    message: `This is a bug: ${String(message ?? error)}`,
    hint: 'Please report it, with what METER_COLLECTOR_TRACE=1 adds.',
  });
}
