// `npm run demo`: a street of simulated meters, a broker, the real collector and a head-end, and the audit at the end.

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import {
  brokerUrl,
  complain,
  FAILED,
  INTERRUPTED,
  numeric,
  OK,
  parseOptions,
  UPSTREAM,
} from './arguments.ts';
import { type Audit, audit, passes } from './audit.ts';
import { auditLine, reportAudit } from './audit-report.ts';
import { type CollectorProcess, collectorProgram } from './collector-process.ts';
import {
  type Display,
  jsonDisplay,
  plainDisplay,
  REFRESH_MS,
  screenDisplay,
} from './demo-display.ts';
import { seedConsole } from './demo-seed.ts';
import { type Stage, setStage } from './demo-stage.ts';
import { Arrivals, viewOf } from './demo-view.ts';
import { HOUR_MS, iso } from './entries.ts';
import { BrokerRefused } from './head-end.ts';
import { canRedraw } from './screen.ts';
import { listenForStop, type StopRequest } from './stop-request.ts';

interface DemoOptions {
  readonly for?: number;
  readonly seed: number;
  readonly speed: number;
  readonly meters: number;
  readonly broker?: string;
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly keep?: boolean;
}

/** Simulated time at which every demo begins, so that a seed shows the same water each time. */
const START = Date.UTC(2026, 5, 1);
/** Fewest meters that show both dials on all four transports; most that four buses hold. */
const METERS_MIN = 8;
const METERS_MAX = 960;
/** Fastest time at which a poll on the wire still fits its place in the schedule. */
const SPEED_MAX = 10_000;
/** Longest run a timer of Node can end: 2^31 ms. */
const FOR_MAX_S = 2_147_483;
/** How long the last closed hours may take to arrive, and the collector's last word after its end. */
const ARRIVAL_MS = 10_000;
const LAST_WORD_MS = 2_000;
const CHECK_MS = 50;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function command(): Command {
  const meters = numeric(METERS_MIN, METERS_MAX);
  return new Command('meter-collector demo')
    .description(
      'Watch simulated water go through the real collector to a head-end, then audit it.',
    )
    .option('--for <seconds>', 'end by itself after so long', numeric(0, FOR_MAX_S, true))
    .option('--seed <n>', 'same seed, same water', numeric(0, 2 ** 32 - 1), 1)
    .option('--speed <x>', 'simulated seconds in a second', numeric(1, SPEED_MAX, true), 2400)
    .option('--meters <n>', 'how many meters', meters, METERS_MIN)
    .option('--broker <url>', 'use this broker instead of an embedded one', brokerUrl)
    .option('--plain', 'a line for each hour instead of a screen')
    .option('--json', 'one JSON object a line, the audit last')
    .option('--keep', 'keep the folder with settings, journal, truth and log');
}

/** Polls `isTrue` until it is, or `ms` have passed. */
async function within(ms: number, isTrue: () => boolean): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!isTrue()) {
    if (performance.now() > deadline) return false;
    await sleep(CHECK_MS);
  }
  return true;
}

function displayFor(stage: Stage, arrivals: Arrivals, options: DemoOptions): Display {
  if (options.json) return jsonDisplay(print);
  if (options.plain || !canRedraw(process.stdout)) {
    return plainDisplay(stage.world.truth.meters, print);
  }
  return screenDisplay(viewOf(stage, arrivals, options), process.stdout);
}

function introduce(stage: Stage, options: DemoOptions, display: Display): void {
  const { seed, speed, meters } = options;
  const { utility, collectorId } = stage;
  const end = options.for === undefined ? 'Ctrl-C ends it' : `It ends after ${options.for} s`;
  if (options.json) {
    const start = iso(START);
    print(
      JSON.stringify({
        type: 'start',
        seed,
        speed,
        meters,
        start,
        utility,
        collector: collectorId,
      }),
    );
    return;
  }
  display.say(`${end} with an audit: counts passed against counts arrived.`);
}

/** Tells that the collector is gone, with the end of its log. */
function complainOfDeath(collector: CollectorProcess, how: string, json: boolean): void {
  const lines = collector.lastLines();
  const log = lines.length === 0 ? 'Its log is empty.' : `Its log ends:\n${lines.join('\n')}`;
  complain(json, 'internal', `The collector ${how} while the demo ran.`, log);
}

/** The last edge of an hour that can have been published by `now`. */
function lastEdge(stage: Stage): number {
  return Math.floor((stage.world.now() - stage.toleranceMs) / HOUR_MS) * HOUR_MS;
}

/** Resolves when every meter has told all its hours up to `until`, the backlog too, or after ARRIVAL_MS. */
async function lastHours(stage: Stage, arrivals: Arrivals, until: number): Promise<void> {
  const meters = stage.world.truth.meters.map(({ meter }) => meter);
  await within(ARRIVAL_MS, () => meters.every((meter) => arrivals.isWhole(meter, until, START)));
}

/** Stops the collector and holds all that arrived up to `until` against the truth. */
async function conclude(
  stage: Stage,
  options: DemoOptions,
  until: number,
  display: Display,
): Promise<Audit> {
  const { world, headEnd, collector, collectorId } = stage;
  if (!(await collector.stop())) display.say('The collector did not stop in time and was killed.');
  if (!headEnd.isConnected()) display.say('The broker is away: what waits for it cannot arrive.');
  // Its last word comes after everything else on its connection.
  await within(LAST_WORD_MS, () => headEnd.state(collectorId) === 'disconnected');
  return audit(world.truth, headEnd.entries(), {
    installations: headEnd.installations(),
    conflicts: headEnd.conflicts(),
    events: headEnd.events(),
    speed: options.speed,
    since: START,
    until,
  });
}

function tellAudit(result: Audit, malformed: number, json: boolean): number {
  const broken = malformed === 0 ? [] : [`${malformed} messages were not as the contract says.`];
  if (json) {
    for (const line of broken) process.stderr.write(`${line}\n`);
    for (const finding of result.findings) print(JSON.stringify({ type: 'finding', ...finding }));
    print(auditLine(result));
  } else {
    for (const line of ['', ...broken, ...reportAudit(result)]) print(line);
  }
  return passes(result) && malformed === 0 ? OK : FAILED;
}

/** Says once where the console is, when it is there, and gives its pages something to show. */
function consoleNews(stage: Stage, options: DemoOptions, over: AbortSignal): () => void {
  let told = false;
  return () => {
    const open = told ? undefined : stage.console();
    if (open === undefined) return;
    told = true;
    if (options.json) print(JSON.stringify({ type: 'console', sign_in: open.link }));
    else if (options.plain || !canRedraw(process.stdout)) {
      process.stderr.write(`Console: ${open.link}\n`);
    }
    const { world } = stage;
    const meters = world.truth.meters.map(({ meter }) => meter);
    // A page with less to show is no reason to end a demo.
    seedConsole(open, meters, world.now(), over).catch(() => undefined);
  };
}

/** Says each leak once when it is raised and when it is over. */
function leakNews({ headEnd }: Stage, display: Display): () => void {
  const told = new Set<string>();
  return () => {
    for (const { meter, code, phase, at } of headEnd.events()) {
      const text = `${meter}: ${code} ${phase === 'raise' ? 'raised' : 'cleared'} at ${iso(at)}`;
      if (!/^leak\.|^flow\.burst$/.test(code) || phase === 'update' || told.has(text)) continue;
      told.add(text);
      display.say(text);
    }
  };
}

/** The show from the first poll to the verdict. */
async function play(stage: Stage, options: DemoOptions, stop: StopRequest): Promise<number> {
  const arrivals = new Arrivals();
  const display = displayFor(stage, arrivals, options);
  stage.headEnd.onEntry((entry) => {
    if (entry.kind === 'hour') arrivals.add(entry.meter, entry.start);
    display.arrived(entry);
  });
  const over = new AbortController();
  const news = [consoleNews(stage, options, over.signal), leakNews(stage, display)];
  const timer = setInterval(() => {
    for (const tell of news) tell();
    display.refresh();
  }, REFRESH_MS);
  try {
    introduce(stage, options, display);
    let died = await Promise.race([stage.collector.ended, stop.requested]);
    const until = lastEdge(stage);
    if (died === undefined) {
      display.say('Ending: the last hours arrive, then the collector stops.');
      died = await Promise.race([stage.collector.ended, lastHours(stage, arrivals, until)]);
    }
    if (died !== undefined) {
      display.end();
      complainOfDeath(stage.collector, died, options.json ?? false);
      return FAILED;
    }
    const result = await conclude(stage, options, until, display);
    display.end();
    return tellAudit(result, stage.headEnd.counts().malformed, options.json ?? false);
  } finally {
    over.abort();
    clearInterval(timer);
  }
}

/** Sets everything up, plays, and takes everything down again. */
async function perform(options: DemoOptions, program: string, folder: string): Promise<number> {
  let stage: Stage | undefined;
  // Something to see at once: the first dial is seconds away.
  const parts = `${options.meters} simulated meters, a broker, a head-end and the collector`;
  (options.json ? process.stderr : process.stdout).write(`Starting ${parts} ...\n`);
  const stop = listenForStop(options.for, () => {
    stage?.collector.kill();
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
    // The cursor may be hidden.
    if (process.stdout.isTTY) process.stdout.write('\x1b[?25h');
    process.exit(INTERRUPTED);
  });
  try {
    stage = await setStage({ ...options, start: START, program, folder });
    return await play(stage, options, stop);
  } catch (error) {
    if (!(error instanceof BrokerRefused)) throw error;
    complain(options.json ?? false, 'upstream', error.message, error.hint);
    return UPSTREAM;
  } finally {
    await stage?.close();
    stop.release();
  }
}

/**
 * Runs the demo with the arguments after `demo`. Resolves to the exit code: 0 the audit passes, 1 it fails or the
 * collector died, 2 the command line is wrong, 5 no broker. `program` is the collector's, for a test of the demo.
 */
export async function runDemo(argv: string[], program = collectorProgram()): Promise<number> {
  const options = parseOptions<DemoOptions>(command(), argv);
  if (typeof options === 'number') return options;
  if (program === undefined) {
    const hint = 'Build it first: npm run build';
    complain(options.json ?? false, 'internal', 'The collector has not been built.', hint);
    return FAILED;
  }
  let folder: string;
  try {
    folder = await mkdtemp(join(tmpdir(), 'water-demo-'));
  } catch (error) {
    const message = `No folder can be made: ${(error as Error).message}.`;
    const hint = 'Set TMPDIR to a folder that this user may write to.';
    complain(options.json ?? false, 'internal', message, hint);
    return FAILED;
  }
  try {
    return await perform(options, program, folder);
  } finally {
    if (options.keep) process.stderr.write(`Kept: ${folder}\n`);
    else rmSync(folder, { recursive: true, force: true });
  }
}
