// `meter-collector headend`: a reference head-end to point a collector at: it stores, checks, acknowledges, and with a truth audits.

import { closeSync, createReadStream, openSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import {
  beside,
  brokerUrl,
  complain,
  FAILED,
  INTERRUPTED,
  identifier,
  idle,
  instant,
  numeric,
  OK,
  parseOptions,
  UPSTREAM,
} from './arguments.ts';
import { audit, type BodyChange, passes, type TruthView } from './audit.ts';
import { auditLine, reportAudit } from './audit-report.ts';
import { duration } from './conformance.ts';
import { ContractChecker } from './contract-rules/checker.ts';
import type { Breach } from './contract-rules/verdicts.ts';
import { toCsv } from './csv.ts';
import { jsonDisplay } from './demo-display.ts';
import type { Dial, Entry } from './entries.ts';
import { HOUR_MS, iso } from './entries.ts';
import { fileHint, fileSentence } from './file-words.ts';
import { BrokerRefused, HeadEnd, readKept } from './head-end.ts';
import { forget, NoStore } from './kept-store.ts';
import type { Arrival, Line } from './ledger.ts';
import { Random } from './random.ts';
import { Recorder } from './recording.ts';
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
  readonly instance?: string;
  readonly pubackOnly?: boolean;
  readonly drop?: number;
  /** Of `--no-ack`: seconds; true without it. */
  readonly ack: number | true;
  readonly forget?: number;
  readonly seed: number;
  readonly record?: string;
  readonly export?: string;
  readonly offline?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly json?: boolean;
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** A parser for a share of messages, 0 to 100, with or without its sign. */
function percent(text: string): number {
  return numeric(0, 100, true)(text.replace(/%$/, ''));
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
    .option('--for <time>', 'end by itself after so long, as in 90s, 20m, 2h', duration)
    .option('--instance <name>', 'share the load: --store is a folder, one name each', identifier)
    .option('--puback-only', 'acknowledge no rows (without --store it never does)')
    .option('--record <file>', 'write every message to this file, for conformance --recording')
    .option('--export <file>', 'write what is kept as CSV at the end')
    .option('--offline', 'only look into the store; no broker')
    .option('--drop <percent>', 'lose so many messages on purpose, as in 10%', percent)
    .option('--no-ack <time>', 'acknowledge nothing for so long after the start', duration)
    .option('--forget <time>', 'forget the newest of the store, as an older copy would', duration)
    .option('--seed <n>', 'same seed, same losses', numeric(0, 2 ** 32 - 1), 1)
    .option('--ca <file>', 'PEM of the authority, for mqtts://')
    .option('--cert <file>', 'PEM of our certificate')
    .option('--key <file>', 'PEM of our key')
    .option('--json', 'one JSON object a line');
}

/** What does nothing without another option, by the names of their values. */
const NEEDS = {
  ...{ instance: 'store', forget: 'store', ack: 'store', offline: 'store' },
  ...{ speed: 'truth', until: 'truth', seed: 'drop' },
};
/** What only a head-end does that listens. */
const LISTENING = ['truth', 'for', 'pubackOnly', 'record', 'drop', 'ack', 'forget'];

/** An option that would be passed over, in words. */
function idleWish(program: Command, { offline }: HeadEndProgramOptions): string | undefined {
  return idle(program, NEEDS) ?? (offline ? beside(program, LISTENING, 'offline') : undefined);
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
function tellCounts(headEnd: HeadEnd, broken: number, json: boolean): number {
  const { messages, entries, resends, conflicts, malformed, events } = headEnd.counts();
  if (json) print(JSON.stringify({ type: 'end', ...headEnd.counts(), broken }));
  else {
    for (const line of meterLines(headEnd.entries())) print(line);
    for (const line of forgottenLines(headEnd.forgotten())) print(line);
    print(
      `${messages} messages: ${entries} hours and gaps kept, ${events} events, ${resends} sent`,
    );
    print(`again, ${conflicts} contradicted, ${malformed} not as the contract says.`);
    if (broken > 0) print(`Rules of the contract were broken ${broken} times.`);
  }
  return conflicts + malformed + broken === 0 ? OK : FAILED;
}

/** A line for each meter: how many hours of which quality, its gaps, and its dial at the end. */
function meterLines(entries: readonly Entry[]): string[] {
  const meters = new Map<string, Entry[]>();
  for (const entry of entries) {
    meters.set(entry.meter, [...(meters.get(entry.meter) ?? []), entry]);
  }
  return [...meters].map(([meter, mine]) => {
    const hours = mine.filter((entry) => entry.kind === 'hour');
    const of = (q: string) => hours.filter((hour) => hour.q === q).length;
    const last = hours.findLast((hour) => hour.read !== null);
    const dial = last?.read === undefined || last.read === null ? '-' : String(last.read);
    const told = `${hours.length} hours (A ${of('A')}, P ${of('P')}, M ${of('M')})`;
    return `${meter}  ${told}, ${mine.length - hours.length} gaps, dial ${dial}`;
  });
}

/** Meters whose number a restored collector gave again: nobody else tells of their water. */
function forgottenLines(forgotten: readonly Arrival[]): string[] {
  const uses = new Map<string, { entry: Entry; use: number }>();
  for (const { entry, epoch } of forgotten) {
    const key = `${entry.meter}/${entry.inst}/${epoch}`;
    const use = (uses.get(key)?.use ?? 0) + (entry.use ?? 0);
    uses.set(key, { entry, use });
  }
  return [...uses.values()].map(
    ({ entry, use }) =>
      `${entry.meter}  ${volumeText(use, entry)} of a meter that its restored collector has forgotten; another is ${entry.inst} now. See the register of meters.`,
  );
}

/** Looks into a store without any broker. */
function lookInto({ store = '', json = false, ...options }: HeadEndProgramOptions) {
  const ledger = readKept(store);
  if (options.export !== undefined)
    writeFileSync(options.export, toCsv(ledger.arrivals(), ledger.forgotten()));
  if (json) {
    const display = jsonDisplay(print);
    for (const entry of ledger.entries()) display.arrived(entry);
  } else {
    for (const line of meterLines(ledger.entries())) print(line);
    for (const line of forgottenLines(ledger.forgotten())) print(line);
  }
  return OK;
}

/** When what a line of the store tells was over; undefined for lines that are kept for good. */
function timeOf(line: Line): number | undefined {
  if (line.type === 'entry' || line.type === 'again') {
    return line.entry.kind === 'hour' ? line.entry.start + HOUR_MS : line.entry.to;
  }
  return line.type === 'event' ? Date.parse(String(line.event['at'])) : undefined;
}

/** Forgets the newest `seconds` of a store: what a head-end has lost that came back from an older copy. */
function forgetNewest(store: string, seconds: number, json: boolean): void {
  const ledger = readKept(store);
  const newest = Math.max(
    0,
    ...ledger
      .arrivals()
      .map(({ entry }) => (entry.kind === 'hour' ? entry.start + HOUR_MS : entry.to)),
  );
  const from = newest - 1_000 * seconds;
  const gone = forget(store, (line) => (timeOf(line) ?? 0) > from || line.type === 'row');
  if (json) print(JSON.stringify({ type: 'forgot', lines: gone, from: iso(from) }));
  else print(`${gone} lines from ${iso(from)} on are forgotten.`);
}

/** Messages of rows that are lost on purpose; what is retained is not, it would never come again. */
function lossOf({ drop = 0, seed }: HeadEndProgramOptions): (topic: string) => boolean {
  const chance = new Random(`head-end/${seed}`);
  return (topic) => /\/(?:interval|event)$/.test(topic) && 100 * chance.next() < drop;
}

function tellBreach({ rule, text, topic }: Breach, json: boolean): void {
  if (json) print(JSON.stringify({ type: 'breach', rule, text, topic }));
  else print(`breaks ${rule}: ${text}`);
}

/** How it connects and stores, by the command line. */
function connectionOf(options: HeadEndProgramOptions) {
  const { broker: url, utility, store, instance, ack } = options;
  const id = `head-end-${utility}`;
  return {
    ...{ url, utility, tls: options, drops: lossOf(options) },
    ...(store === undefined ? {} : { store, clientId: instance ? `${id}-${instance}` : id }),
    ...(instance === undefined ? {} : { instance }),
    acks: store !== undefined && !options.pubackOnly,
    noAckMs: ack === true ? 0 : 1_000 * ack,
  };
}

async function receive(options: HeadEndProgramOptions, stop: StopRequest): Promise<number> {
  const { broker: url, utility, store, truth, json = false } = options;
  // Told now, not after a week of listening.
  if (truth !== undefined) await truthOf(truth);
  if (options.export !== undefined) closeSync(openSync(options.export, 'a'));
  if (options.forget !== undefined && store !== undefined) {
    forgetNewest(store, options.forget, json);
  }
  const checker = new ContractChecker((breach) => tellBreach(breach, json));
  let failure: Error | undefined;
  const onFailure = (error: Error) => {
    failure = error;
    stop.end();
  };
  const { record } = options;
  const recorder = record === undefined ? undefined : new Recorder(record, onFailure);
  const headEnd = await HeadEnd.connect({
    ...connectionOf(options),
    onMessage: (message) => {
      recorder?.add(message);
      checker.take(message);
    },
    onFailure,
  });
  const display = jsonDisplay(print);
  headEnd.onEntry(json ? display.arrived : tellEntry);
  if (!json) print(`Listening to the collectors of ${utility} at ${url}. Ctrl-C ends it.`);
  try {
    await stop.requested;
    if (failure) throw failure;
    if (options.export !== undefined)
      writeFileSync(options.export, toCsv(headEnd.arrivals(), headEnd.forgotten()));
    return truth === undefined
      ? tellCounts(headEnd, checker.broken(), json)
      : await judge(headEnd, truth, options);
  } finally {
    await headEnd.close();
    await recorder?.close();
  }
}

/**
 * Runs the head-end with the arguments after `headend`. Resolves to the exit code: 0 all well (the audit passes, or
 * nothing contradicted), 1 not so, 2 the command line is wrong, 5 no broker.
 */
export async function runHeadEnd(argv: string[]): Promise<number> {
  const program = command();
  const options = parseOptions<HeadEndProgramOptions>(program, argv, (one) =>
    idleWish(program, one),
  );
  if (typeof options === 'number') return options;
  const json = options.json ?? false;
  const stop = listenForStop(options.for, () => process.exit(INTERRUPTED));
  try {
    return await (options.offline ? lookInto(options) : receive(options, stop));
  } catch (error) {
    if (error instanceof BrokerRefused) {
      complain(json, 'upstream', error.message, error.hint);
      return UPSTREAM;
    }
    if (error instanceof NoTruth) {
      const message = `${options.truth} is not the truth of a simulation.`;
      complain(json, 'internal', message, 'Give the truth.ndjson in the folder of a sim.');
      return FAILED;
    }
    const words = error instanceof NoStore ? error.message : fileSentence(error);
    if (words === undefined) throw error;
    complain(json, 'internal', words, fileHint(error));
    return FAILED;
  } finally {
    stop.release();
  }
}
