// The command line of `meter-collector sim`: what may be asked for, and what a wrong word is told.

import { Command, InvalidArgumentError, Option } from 'commander';
import { beside, brokerUrl, idle, instant, numeric } from './arguments.ts';
import { type FaultPlan, parseFault } from './faults.ts';
import { misfit } from './fitting.ts';
import { BUSES, METERS_MAX, METERS_MIN, meterName } from './street.ts';

/** Fastest time at which a poll still fits an hour many times over. */
const SPEED_MAX = 10_000;

/** Longest run in seconds that a timer of Node can end: 2^31 milliseconds. */
const FOR_MAX = 2_147_483;

/** What was asked for, with every default filled in. */
export interface SimOptions {
  readonly seed: number;
  readonly meters: number;
  readonly speed: number;
  readonly start: number;
  readonly folder: string;
  readonly broker: string;
  readonly for?: number;
  readonly fault: readonly FaultPlan[];
  readonly profile: ReadonlyMap<string, string>;
  readonly rtuOverTcp?: boolean;
  /** A trace to serve instead of a street, on a port of this number or on a pseudo-terminal. */
  readonly replay?: string;
  readonly tcpPort?: number;
  readonly json?: boolean;
  /** Taps are opened and closed by lines on standard input. */
  readonly taps?: boolean;
}

function fault(text: string, before: readonly FaultPlan[]): readonly FaultPlan[] {
  const plan = parseFault(text);
  if (!plan) {
    throw new InvalidArgumentError(
      'It is like silent:SP-00003@2h-5h, shifted:SP-00003@2h=+1000 or unplug:bus-1@6h-8h; unplug, silent and reverse have an end.',
    );
  }
  return [...before, plan];
}

function profile(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, meter, name] = /^([^=]+)=([a-z0-9-]+)$/.exec(text) ?? [];
  if (meter === undefined || name === undefined) {
    throw new InvalidArgumentError('It is like SP-00003=arad-octave.');
  }
  return new Map([...before, [meter, name]]);
}

const FAULT_FORM =
  'unplug:BUS@FROMh-TOh or KIND:METER@FROMh-TOh with KIND silent, unreadable, frozen, shifted=COUNTS, ' +
  'reverse=COUNTS_PER_HOUR, stranger=ID, shared=ID, damaged=SHARE, swapped=DIGITS/ID, the value at the end; ' +
  'all but unplug, silent and reverse stay without -TOh; repeatable';

const PROFILE_FORM = 'METER=NAME serves this meter as devices/NAME.yaml says; repeatable';

/** The parser of the words after `sim`. */
export function simCommand(): Command {
  const none: readonly FaultPlan[] = [];
  const start = new Option('--start <time>', 'simulated time at the start')
    .argParser(instant)
    .default(Date.UTC(2026, 5, 1), '2026-06-01T00:00:00Z');
  const faults = new Option('--fault <plan>', FAULT_FORM).argParser(fault).default(none, 'none');
  const profiles = new Option('--profile <device>', PROFILE_FORM)
    .argParser(profile)
    .default(new Map<string, string>(), 'generic');
  const pace = numeric(0.01, SPEED_MAX, true);
  const mqtt = 'mqtt://127.0.0.1:1883';
  return new Command('meter-collector sim')
    .description('Simulate a street of water meters on pseudo-terminals and TCP ports.')
    .option('--seed <n>', 'same seed, same street', numeric(0, 2 ** 32 - 1), 1)
    .option('--meters <n>', 'how many meters', numeric(METERS_MIN, METERS_MAX), METERS_MIN)
    .option('--speed <x>', 'simulated seconds in a second', pace, 60)
    .addOption(start)
    .option('--folder <dir>', 'for port links, settings and truth', './simulated-street')
    .option('--broker <url>', "goes into the collector's settings", brokerUrl, mqtt)
    .option('--for <seconds>', 'end by itself after so long', numeric(0, FOR_MAX, true))
    .addOption(faults)
    .addOption(profiles)
    .option('--rtu-over-tcp', 'serve the Modbus RTU bus over TCP, as behind a serial device server')
    .option('--replay <file>', 'instead of a street, answer as a trace of `bus trace` tells')
    .option('--tcp-port <n>', 'serve the trace there, not on a terminal', numeric(0, 65_535))
    .option(
      '--taps',
      'take "open METER" and "close METER" from standard input, as taps run by hand',
    )
    .option('--json', 'one JSON object a line');
}

/** What only a street has. */
const OF_A_STREET = ['seed', 'meters', 'speed', 'start', 'broker', 'fault', 'profile'];

/** An option that would be passed over, in words. */
export function idleWish(program: Command, options: SimOptions): string | undefined {
  if (options.replay === undefined) return idle(program, { tcpPort: 'replay' });
  return beside(program, [...OF_A_STREET, 'rtuOverTcp', 'taps'], 'replay');
}

/** The first fault plan or profile that does not fit the street, in words. */
export function strangeWish(options: SimOptions): string | undefined {
  const meters = new Set(Array.from({ length: options.meters }, (_, i) => meterName(i)));
  const buses = new Set(BUSES.map(({ bus }) => bus));
  for (const plan of options.fault) {
    if (plan.kind === 'unplug') {
      if (!buses.has(plan.bus)) return `There is no bus ${plan.bus}.`;
    } else if (!meters.has(plan.meter)) return `There is no meter ${plan.meter}.`;
  }
  return misfit(options.profile, options.meters);
}
