// The commands that look at a bus.

import type { Command } from 'commander';
import { busStats } from './bus-stats.ts';
import type { Io, Manner, Parts } from './parts.ts';

/** Adds them to the command line; `done` takes the exit code. */
export function addBusCommands(
  program: Command,
  manner: Manner,
  io: Io,
  parts: Parts,
  done: (exit: number) => void,
): void {
  const bus = program.command('bus').description('look at a bus').helpCommand(false);
  bus
    .command('stats [bus]')
    .description('say how the questions on a bus end, how busy it is, and what to do')
    .option('--json', 'answer in JSON')
    .requiredOption('--config <file>', 'settings file')
    .action(async (name, { config }) =>
      done(await busStats({ file: config, bus: name }, manner, io, parts)),
    );
}
