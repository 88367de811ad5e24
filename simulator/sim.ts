// `meter-collector sim`: a simulated street to point a collector at, until Ctrl-C.

import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { CommanderError } from 'commander';
import { plugTrace } from './replay.ts';
import { type SimOptions, simCommand, strangeWish } from './sim-arguments.ts';
import { BUSES, busesOf, meterName } from './street.ts';
import { buildWorld, type World } from './world.ts';

/** Exit codes: all well, the street could not be built, the command line was wrong. */
const OK = 0;
const FAILED = 1;
const USAGE = 2;

const HOUR_MS = 3_600_000;

/** Shortest pause between two reports, in milliseconds: fast time must not flood the screen. */
const CALM_MS = 5000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Tells of a failure in words, or as the JSON error that every command prints. */
function complain(json: boolean, code: string, message: string, hint: string): void {
  if (json) print(JSON.stringify({ error: { code, message, hint } }));
  else process.stderr.write(`error: ${message}\n${hint}\n`);
}

function introduce(world: World, options: SimOptions, folder: string): void {
  const settings = resolve(folder, 'collector.yaml');
  const truth = resolve(folder, 'truth.ndjson');
  const next = `meter-collector run --config ${settings}`;
  const { seed, speed, broker } = options;
  const start = new Date(options.start).toISOString();
  if (options.json) {
    const meters = world.truth.meters;
    print(
      JSON.stringify({
        type: 'street',
        seed,
        speed,
        start,
        folder,
        settings,
        truth,
        broker,
        next,
        meters,
      }),
    );
    return;
  }
  print(
    `A street of ${options.meters} meters, seed ${seed}, ${speed} times real time from ${start}`,
  );
  for (const { bus, type } of busesOf(options.rtuOverTcp ?? false)) {
    const here = world.truth.meters.filter((meter) => meter.bus === bus).map((m) => m.meter);
    const more = here.length > 4 ? ` and ${here.length - 4} more` : '';
    print(`  ${bus}  ${type.padEnd(12)} ${here.slice(0, 4).join(' ')}${more}`);
  }
  print(`  settings ${settings}`);
  print(`  truth    ${truth}`);
  print(`  broker   ${broker} (not started here)`);
  print(`Read it from another terminal, and end it here with Ctrl-C:\n  ${next}`);
}

/** One line for each meter at the hour's edge `at`: its dial, and what was drawn since the report before. */
function report(world: World, at: number, since: number, json: boolean): void {
  const time = new Date(at).toISOString();
  for (const first of world.truth.meters) {
    const { meter } = first;
    const swap = world.truth.swaps(meter).findLast((one) => one.at <= at);
    const { register, count } = world.registerAt(meter, at);
    // What passed is told on the dial that stands there now.
    const before = swap && swap.at > since ? swap.initial : world.registerAt(meter, since).count;
    const use = count - before;
    const served = world.truth.served(meter, swap?.body).length;
    if (json) print(JSON.stringify({ type: 'dial', at: time, meter, register, use, served }));
    else {
      const dial = String(register)
        .padStart((swap ?? first).digits, '0')
        .padStart(8);
      print(`${time.slice(0, 16)}Z  ${meter}  ${dial}  +${use} counts  read ${served} times`);
    }
  }
}

/** Reports whenever an hour has ended, calmly. Returns what stops it. */
function reportHours(world: World, json: boolean): () => void {
  let reported = Math.floor(world.now() / HOUR_MS) * HOUR_MS;
  let quietUntil = 0;
  const timer = setInterval(() => {
    const hour = Math.floor(world.now() / HOUR_MS) * HOUR_MS;
    if (hour <= reported || Date.now() < quietUntil) return;
    report(world, hour, reported, json);
    reported = hour;
    quietUntil = Date.now() + CALM_MS;
  }, 200);
  return () => clearInterval(timer);
}

/** What a garden hose gives, in gallons a minute. */
const TAP_GPM = 9;

/** Opens and closes taps as lines of standard input say. Returns what stops listening. */
function takeTaps(world: World, json: boolean): () => void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const [, verb, meter = ''] = /^\s*(open|close)\s+(\S+)\s*$/.exec(line) ?? [];
    const isKnown = world.truth.meters.some((one) => one.meter === meter);
    if (verb === undefined || !isKnown) {
      complain(json, 'bad_request', `"${line}" is no tap.`, 'It is like: open SP-00001');
      return;
    }
    world.tap(meter, verb === 'open' ? TAP_GPM : 0);
    if (json) print(JSON.stringify({ type: 'tap', meter, open: verb === 'open' }));
    else print(`the tap behind ${meter} is ${verb === 'open' ? 'open' : 'closed'}`);
  });
  return () => lines.close();
}

/** Resolves on Ctrl-C, SIGTERM, a closed standard output, or after `seconds`. */
function untilEnd(seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const timer = seconds === undefined ? undefined : setTimeout(end, seconds * 1000);
    function end(): void {
      clearTimeout(timer);
      for (const signal of signals) process.off(signal, end);
      process.stdout.off('error', end);
      resolve();
    }
    for (const signal of signals) process.on(signal, end);
    process.stdout.on('error', end);
  });
}

async function simulate(options: SimOptions): Promise<number> {
  const json = options.json ?? false;
  const folder = resolve(options.folder);
  let world: World;
  try {
    world = await buildWorld({
      ...options,
      folder,
      brokerUrl: options.broker,
      faults: options.fault,
      profiles: options.profile,
      rtuOverTcp: options.rtuOverTcp ?? false,
    });
  } catch (error) {
    complain(
      json,
      'internal',
      `The street could not be built: ${error instanceof Error ? error.message : String(error)}.`,
      `Is ${folder} a folder that this user may write to?`,
    );
    return FAILED;
  }
  introduce(world, options, folder);
  const stop = reportHours(world, json);
  const close = options.taps ? takeTaps(world, json) : () => undefined;
  await untilEnd(options.for);
  close();
  stop();
  try {
    await world.close();
  } catch (error) {
    complain(
      json,
      'internal',
      `The truth is not complete: ${String(error)}`,
      `Is the disk of ${folder} full?`,
    );
    return FAILED;
  }
  return OK;
}

/** Serves a trace until the end that was asked for. */
async function serveTrace(options: SimOptions, file: string): Promise<number> {
  const json = options.json ?? false;
  const plugged = await plugTrace({
    ...{ file: resolve(file), folder: resolve(options.folder), tcpPort: options.tcpPort },
  });
  if ('problem' in plugged) {
    const hint = 'It is a file that "meter-collector bus trace BUS --out FILE" wrote.';
    complain(json, 'bad_request', plugged.problem, hint);
    return USAGE;
  }
  const { port, place, questions, kind } = plugged;
  if (json) print(JSON.stringify({ type: 'replay', kind, questions, ...place }));
  else print(`${questions} questions of ${kind} are answered on ${Object.values(place).join(':')}`);
  await untilEnd(options.for);
  await port.close();
  return OK;
}

/**
 * Runs the simulator with the arguments after `sim`. Resolves to the exit code: 0 ended as asked, 1 the street could
 * not be built or its truth not be written, 2 the command line is wrong. Never rejects for anything a user can do.
 */
export async function runSim(argv: string[]): Promise<number> {
  const json = argv.includes('--json');
  const program = simCommand().configureOutput({
    // Said below, in the form that was asked for.
    outputError: () => undefined,
  });
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return OK;
    complain(
      json,
      'bad_request',
      error.message.replace(/^error: /, ''),
      'See: meter-collector sim --help',
    );
    return USAGE;
  }
  const options = program.opts<SimOptions>();
  const strange = strangeWish(options);
  if (strange !== undefined) {
    const buses = BUSES.map(({ bus }) => bus).join(', ');
    complain(
      json,
      'bad_request',
      strange,
      `Meters are ${meterName(0)} to ${meterName(options.meters - 1)}, buses ${buses}.`,
    );
    return USAGE;
  }
  return options.replay === undefined ? simulate(options) : serveTrace(options, options.replay);
}
