// `meter-collector sim`: a simulated street to point a collector at, until Ctrl-C.

import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { complain, FAILED, INTERRUPTED, OK, parseOptions, shellWord, USAGE } from './arguments.ts';
import { holdFolder, makeFolder } from './folders.ts';
import { plugTrace } from './replay.ts';
import { idleWish, type SimOptions, simCommand, strangeWish } from './sim-arguments.ts';
import { listenForStop, type StopRequest } from './stop-request.ts';
import { BUSES, busesOf, meterName } from './street.ts';
import { buildWorld, type World } from './world.ts';

const HOUR_MS = 3_600_000;

/** Shortest pause between two reports, in milliseconds: fast time must not flood the screen. */
const CALM_MS = 5000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function introduce(world: World, options: SimOptions, folder: string): void {
  const settings = resolve(folder, 'collector.yaml');
  const truth = resolve(folder, 'truth.ndjson');
  const next = `meter-collector run --config ${shellWord(settings)}`;
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

/** A second street would take the ports of the first away and write its truth over it. */
function isTaken(folder: string, json: boolean): number {
  const hint = 'End it first, or give this one a folder of its own: --folder DIR.';
  complain(json, 'conflict', `Another simulation serves a street in ${folder}.`, hint);
  return FAILED;
}

async function simulate(options: SimOptions, { requested }: StopRequest): Promise<number> {
  const json = options.json ?? false;
  const folder = resolve(options.folder);
  let world: World;
  try {
    await makeFolder(folder);
    const held = await holdFolder(folder);
    if (held === undefined) return isTaken(folder, json);
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
  await requested;
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
async function serveTrace(
  options: SimOptions,
  file: string,
  { requested }: StopRequest,
): Promise<number> {
  const json = options.json ?? false;
  const plugged = await plugTrace({
    ...{ file: resolve(file), folder: resolve(options.folder), tcpPort: options.tcpPort },
  });
  if ('problem' in plugged) {
    complain(json, plugged.isTrace ? 'bad_request' : 'internal', plugged.problem, plugged.hint);
    return plugged.isTrace ? USAGE : FAILED;
  }
  const { port, place, questions, kind } = plugged;
  if (json) print(JSON.stringify({ type: 'replay', kind, questions, ...place }));
  else print(`${questions} questions of ${kind} are answered on ${Object.values(place).join(':')}`);
  await requested;
  await port.close();
  return OK;
}

/**
 * Runs the simulator with the arguments after `sim`. Resolves to the exit code: 0 ended as asked, 1 the street could
 * not be built or its truth not be written, 2 the command line is wrong. Never rejects for anything a user can do.
 */
export async function runSim(argv: string[]): Promise<number> {
  const program = simCommand();
  const options = parseOptions<SimOptions>(program, argv, (asked) => idleWish(program, asked));
  if (typeof options === 'number') return options;
  const strange = strangeWish(options);
  if (strange !== undefined) {
    const buses = BUSES.map(({ bus }) => bus).join(', ');
    const hint = `Meters are ${meterName(0)} to ${meterName(options.meters - 1)}, buses ${buses}.`;
    complain(options.json ?? false, 'bad_request', strange, hint);
    return USAGE;
  }
  // Before anything is built: an impatient Ctrl-C, and the second one that npm passes on, must not leave ports behind.
  const stop = listenForStop(options.for, () => process.exit(INTERRUPTED));
  try {
    return await (options.replay === undefined
      ? simulate(options, stop)
      : serveTrace(options, options.replay, stop));
  } finally {
    stop.release();
  }
}
