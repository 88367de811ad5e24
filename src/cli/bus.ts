// The commands that look at a bus.

import type { Command } from 'commander';
import { busStats } from './bus-stats.ts';
import { busTrace } from './bus-trace.ts';
import { addCommand, addGroup, option, withConfig } from './command.ts';
import type { Desk } from './parts.ts';
import { type ScanRequest, scan } from './scan.ts';

export function addBusCommands(program: Command, desk: Desk): void {
  const { manner, io, parts, done } = desk;
  const found = addCommand(program, desk, {
    ...{ spec: 'scan', key: 'c_scan', example: 'scan --port /dev/ttyUSB0 --baud 9600' },
  });
  for (const [flags, key] of SCAN_OPTIONS) option(found, desk, flags, key);
  found.action(async (request: ScanRequest) => done(await scan(request, manner, io, parts)));

  const bus = addGroup(program, desk, 'bus', 'g_bus');
  const stats = addCommand(bus, desk, {
    ...{ spec: 'stats [bus]', key: 'c_bus_stats', example: 'bus stats pole-1' },
  });
  withConfig(stats, desk).action(async (name, { config }) =>
    done(await busStats({ file: config, bus: name }, manner, io, parts)),
  );
  const trace = addCommand(bus, desk, {
    spec: 'trace <bus>',
    key: 'c_bus_trace',
    example: 'bus trace pole-1 --for 5m --out trace.ndjson',
  });
  option(trace, desk, '--for <duration>', 'o_trace_for');
  option(trace, desk, '--out <file>', 'o_trace_out');
  withConfig(trace, desk).action(async (name, { config, for: lasts, out }) =>
    done(await busTrace({ file: config, bus: name, lasts, out }, manner, io, parts)),
  );
}

const SCAN_OPTIONS: readonly (readonly [flags: string, key: string])[] = [
  ['--port <path>', 'o_port'],
  ['--host <host>', 'o_host'],
  ['--tcp-port <n>', 'o_tcp_port'],
  ['--config <file>', 'o_scan_config'],
  ['--bus <bus>', 'o_scan_bus'],
  ['--way <list>', 'o_way'],
  ['--baud <list>', 'o_baud'],
  ['--parity <list>', 'o_parity'],
  ['--addresses <list>', 'o_addresses'],
  ['--profiles <list>', 'o_profiles'],
  ['--timeout-ms <n>', 'o_timeout_ms'],
];
