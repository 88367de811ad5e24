// `meter-collector headend`: a reference head-end to point a collector at; with the truth of a simulation it audits.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError } from 'commander';
import {
  brokerUrl,
  complain,
  FAILED,
  INTERRUPTED,
  identifier,
  numeric,
  OK,
  parseOptions,
  UPSTREAM,
} from './arguments.ts';
import { audit, type BodyChange, passes, type TruthView } from './audit.ts';
import { auditLine, reportAudit } from './audit-report.ts';
import { jsonDisplay } from './demo-display.ts';
import type { Dial, Entry } from './entries.ts';
import { HOUR_MS, iso } from './entries.ts';
import { BrokerRefused, HeadEnd } from './head-end.ts';
import type { ServedReading } from './served.ts';
import { listenForStop, type StopRequest } from './stop-request.ts';
import { volumeText } from './volume.ts';

interface HeadEndProgramOptions {
  readonly broker: string;
  readonly utility: string;
  readonly truth?: string;
  readonly store?: string;
  readonly speed: number;
  readonly until?: number;
  readonly for?: number;
  readonly json?: boolean;
}

const FOR_MAX_S = 2_147_483;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function instant(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('It is a time like 2026-06-01T00:00:00Z.');
  return at;
}

function command(): Command {
  return new Command('meter-collector headend')
    .description('Subscribe to the collectors of a utility and print what they publish.')
    .option('--broker <url>', 'where they publish', brokerUrl, 'mqtt://127.0.0.1:1883')
    .option('--utility <name>', 'the utility in the topics', identifier, 'demo')
    .option('--truth <file>', 'truth.ndjson of a simulation, audited against at the end')
    .option(
      '--speed <x>',
      "the simulation's speed, for the audit's slack",
      numeric(0.01, 1e4, true),
      1,
    )
    .option(
      '--until <time>',
      'audit up to this edge of an hour (default: the newest received)',
      instant,
    )
    .option('--store <file>', 'keep everything in this NDJSON file, and begin with what is in it')
    .option('--for <seconds>', 'end by itself after so long', numeric(0, FOR_MAX_S, true))
    .option('--json', 'one JSON object a line');
}

/**
 * Reads the truth of a simulation: {"type":"meter",...}, {"type":"swap",...} and
 * {"type":"served","meter","body","at","register","count"} lines (`body` absent: 1), `at` in ISO 8601; others are passed over,
 * as is a last line still being written. Rejects when there is no such file.
 */
export async function readTruth(path: string): Promise<TruthView> {
  const meters: (Dial & { meter: string })[] = [];
  const served = new Map<string, ServedReading[]>();
  const swaps = new Map<string, BodyChange[]>();
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    if (!line.endsWith('}')) continue;
    const fields = JSON.parse(line);
    const { meter, digits, unit, pow10, register, count } = fields;
    if (fields.type === 'meter') meters.push({ meter, digits, unit, pow10 });
    if (fields.type === 'swap') {
      const swap = { ...fields, at: Date.parse(fields.at) };
      swaps.set(meter, [...(swaps.get(meter) ?? []), swap]);
    }
    if (fields.type !== 'served') continue;
    const key = `${meter}/${fields.body ?? 1}`;
    const readings = served.get(key) ?? [];
    readings.push({ at: Date.parse(fields.at), register, count });
    served.set(key, readings);
  }
  return {
    meters,
    served: (meter, body = 1) => served.get(`${meter}/${body}`) ?? [],
    swaps: (meter) => swaps.get(meter) ?? [],
  };
}

/** The file given as the truth of a simulation is none. */
class NoTruth extends Error {}

/** `readTruth`, but no meters at all are no truth. Rejects with NoTruth or the system's error. */
async function truthOf(path: string): Promise<TruthView> {
  const truth = await readTruth(path).catch((error: unknown) => {
    throw error instanceof SyntaxError ? new NoTruth(path) : error;
  });
  if (truth.meters.length === 0) throw new NoTruth(path);
  return truth;
}

function tellEntry(entry: Entry): void {
  const volume = entry.use === null ? '-' : volumeText(entry.use, entry);
  const time = (at: number) => iso(at).slice(0, 16).replace('T', ' ');
  const what =
    entry.kind === 'hour'
      ? `${time(entry.start)}  ${entry.meter}  ${volume.padStart(12)}  ${entry.q}`
      : `${time(entry.from)}  ${entry.meter}  ${volume.padStart(12)}  gap to ${time(entry.to)} (${entry.why})`;
  print(entry.rev === 0 ? what : `${what}, restated (rev ${entry.rev})`);
}

/** The edge up to which some meter has told its hours. */
function newestEdge(entries: readonly Entry[]): number | undefined {
  let newest: number | undefined;
  for (const entry of entries) {
    if (entry.kind === 'hour') newest = Math.max(newest ?? 0, entry.start + HOUR_MS);
  }
  return newest;
}

async function judge(
  headEnd: HeadEnd,
  path: string,
  options: HeadEndProgramOptions,
): Promise<number> {
  const entries = headEnd.entries();
  const until = options.until ?? newestEdge(entries);
  const result = audit(await truthOf(path), entries, {
    installations: headEnd.installations(),
    conflicts: headEnd.conflicts(),
    events: headEnd.events(),
    speed: options.speed,
    ...(until === undefined ? {} : { until }),
  });
  if (options.json) print(auditLine(result));
  else for (const line of ['', ...reportAudit(result)]) print(line);
  return passes(result) ? OK : FAILED;
}

/** Says what came, when there is no truth to hold it against. */
function tellCounts(headEnd: HeadEnd, json: boolean): number {
  const { messages, entries, resends, conflicts, malformed } = headEnd.counts();
  if (json) print(JSON.stringify({ type: 'end', ...headEnd.counts() }));
  else {
    print(`${messages} messages: ${entries} hours and gaps kept, ${resends} sent again,`);
    print(`${conflicts} contradicted, ${malformed} not as the contract says.`);
  }
  return conflicts + malformed === 0 ? OK : FAILED;
}

async function receive(options: HeadEndProgramOptions, stop: StopRequest): Promise<number> {
  const { broker: url, utility, store, truth, json = false } = options;
  // Told now, not after a week of listening.
  if (truth !== undefined) await truthOf(truth);
  const headEnd = await HeadEnd.connect({
    url,
    utility,
    ...(store === undefined ? {} : { store, clientId: `head-end-${utility}` }),
  });
  const display = jsonDisplay(print);
  headEnd.onEntry(json ? display.arrived : tellEntry);
  if (!json) print(`Listening to the collectors of ${utility} at ${url}. Ctrl-C ends it.`);
  try {
    await stop.requested;
    return truth === undefined ? tellCounts(headEnd, json) : await judge(headEnd, truth, options);
  } finally {
    await headEnd.close();
  }
}

/**
 * Runs the head-end with the arguments after `headend`. Resolves to the exit code: 0 all well (the audit passes, or
 * nothing contradicted), 1 not so, 2 the command line is wrong, 5 no broker.
 */
export async function runHeadEnd(argv: string[]): Promise<number> {
  const options = parseOptions<HeadEndProgramOptions>(command(), argv);
  if (typeof options === 'number') return options;
  const json = options.json ?? false;
  const stop = listenForStop(options.for, () => process.exit(INTERRUPTED));
  try {
    return await receive(options, stop);
  } catch (error) {
    if (error instanceof BrokerRefused) {
      complain(json, 'upstream', error.message, 'Is it running, and is the URL right?');
      return UPSTREAM;
    }
    if (error instanceof NoTruth) {
      const message = `${options.truth} is not the truth of a simulation.`;
      complain(json, 'internal', message, 'Give the truth.ndjson in the folder of a sim.');
      return FAILED;
    }
    const { code, path } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string' || path === undefined) throw error;
    complain(json, 'internal', `${path} cannot be opened (${code}).`, 'Is the path right?');
    return FAILED;
  } finally {
    stop.release();
  }
}
