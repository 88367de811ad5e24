// The commands that look at a bus.

import type { Command } from 'commander';
import { busStats } from './bus-stats.ts';
import { busTrace } from './bus-trace.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { type ScanRequest, scan } from './scan.ts';

/** Adds them to the command line; `done` takes the exit code. */
export function addBusCommands(
  program: Command,
  manner: Manner,
  io: Io,
  parts: Parts,
  done: (exit: number) => void,
): void {
  program
    .command('scan')
    .description('look for devices on a port, a peer or a bus; nothing is ever written to one')
    .option('--port <path>', 'serial port')
    .option('--host <host>', 'TCP peer')
    .option('--tcp-port <n>', 'its port (default 502)')
    .option('--config <file>', 'settings; if the collector runs and holds the port, it is asked')
    .option('--bus <bus>', 'bus of the settings')
    .option('--way <list>', 'rtu, mbap, line; default all that the wire allows')
    .option('--baud <list>', 'like 9600,19200 (default)')
    .option('--parity <list>', 'none,even,odd (default)')
    .option('--addresses <list>', 'like 1-247 (default) or 3,7,20-29')
    .option('--profiles <list>', 'files of devices/; default all')
    .option('--timeout-ms <n>', 'how long each device may take to answer')
    .option('--json', 'answer in JSON')
    .action(async (request: ScanRequest) => done(await scan(request, manner, io, parts)));
  const bus = program.command('bus').description('look at a bus').helpCommand(false);
  bus
    .command('stats [bus]')
    .description('say how the questions on a bus end, how busy it is, and what to do')
    .option('--json', 'answer in JSON')
    .requiredOption('--config <file>', 'settings file')
    .action(async (name, { config }) =>
      done(await busStats({ file: config, bus: name }, manner, io, parts)),
    );
  bus
    .command('trace <bus>')
    .description('write down what goes over the wire of a bus, with the gaps, as NDJSON')
    .option('--for <time>', 'how long: 60s (default), 5m, at most 1h')
    .option('--out <file>', 'into this file instead of standard output')
    .option('--json', 'as always: one JSON object a line')
    .requiredOption('--config <file>', 'settings file')
    .action(async (name, { config, for: lasts, out }) =>
      done(await busTrace({ file: config, bus: name, lasts, out }, manner, io, parts)),
    );
}
