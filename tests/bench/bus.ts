// How near a bus comes to what its wire can carry: RTU to the line's legal maximum, TCP to a plain socket, and what a poll costs.

import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { framePauseMs } from '../../src/bus/line-silence.ts';
import { modbusSerial, oursRtu, oursTcp, type Rate, rawTcp } from './bus/clients.ts';
import { compilePrograms, Program, type Programs } from './bus/programs.ts';
import { atLeast, type Figure, median } from './figure.ts';

/** Short turns, many of them: what else the machine does falls on all clients alike. */
const SECONDS = 0.4;
const ROUNDS = 15;
/** An RTU line at 9600 baud carries some 40 readings a second. */
const RTU_SECONDS = 3;
const RTU_ROUNDS = 3;
/** Characters of a request and an answer of two words, of eleven bits. */
const RTU_CHARACTERS = 8 + 9;
const TCP_GOALS = { 1: 0.93, 16: 0.9 } as const;
const RTU_GOALS = { 9600: 0.95, 19200: 0.95, 115200: 0.85 } as const;

/** The figures; those that need a compiler and libmodbus are replaced by one that says so where there is none. */
export async function benchBus(): Promise<Figure[]> {
  const programs = compilePrograms();
  try {
    const figures = await benchNodeServer();
    if (programs === null) return [...figures, told('peer missing: cc and libmodbus-dev', 0, '')];
    figures.push(...(await benchLibmodbus(programs)));
    for (const baud of [9_600, 19_200, 115_200] as const) {
      figures.push(...(await benchLine(programs, baud)));
    }
    return figures;
  } finally {
    programs?.dispose();
  }
}

/** Against modbus-serial's own server. */
async function benchNodeServer(): Promise<Figure[]> {
  const built = fileURLToPath(new URL('./bus/node-server.js', import.meta.url));
  const file = existsSync(built) ? built : built.replace(/js$/, 'ts');
  const server = new Program(fork(file, { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] }));
  const port = Number(await server.line());
  const figures = await benchTcp("modbus-serial's server", port, {});
  server.end();
  server.kill();
  return figures;
}

async function benchLibmodbus(programs: Programs): Promise<Figure[]> {
  const server = programs.run('modbus-server');
  const port = Number(await server.line());
  const libmodbus = () => rateOf(programs, 'tcp', String(port));
  const figures = await benchTcp('libmodbus server', port, { 'libmodbus client': libmodbus });
  server.end();
  return figures;
}

async function rateOf(programs: Programs, how: string, where: string): Promise<Rate> {
  const line = await programs.run('modbus-client', how, where, String(SECONDS)).line();
  return { perS: Number(line), cpuMs: Number.NaN };
}

/**
 * Every client in turn, round after round, so that the machine's moods meet all of them; each round in another order, for who comes
 * after the program that runs elsewhere is up to a fifth faster, and whoever follows another of ours as much slower.
 */
async function benchTcp(
  server: string,
  port: number,
  others: Readonly<Record<string, () => Promise<Rate>>>,
): Promise<Figure[]> {
  const clients: Record<string, () => Promise<Rate>> = {
    'socket 1': () => rawTcp(port, 1, SECONDS),
    'ours 1': () => oursTcp(port, 1, SECONDS),
    'socket 16': () => rawTcp(port, 16, SECONDS),
    'ours 16': () => oursTcp(port, 16, SECONDS),
    'modbus-serial 1': () => modbusSerial({ port }, SECONDS),
    ...others,
  };
  const rates = new Map<string, Rate[]>();
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, run] of shuffled(Object.entries(clients))) {
      const rate = await run();
      if (round > 0) rates.set(name, [...(rates.get(name) ?? []), rate]);
    }
  }
  const inTheMiddle = (name: string, of: (rate: Rate) => number) =>
    median((rates.get(name) ?? []).map(of));
  const perS = (name: string) => inTheMiddle(name, (rate) => rate.perS);
  const figures: Figure[] = [];
  for (const depth of [1, 16] as const) {
    const limit = perS(`socket ${depth}`);
    const goal = TCP_GOALS[depth] * limit;
    const name = `TCP, ${server}, ${depth} under way, against a plain socket`;
    figures.push(atLeast('bus', name, perS(`ours ${depth}`), 'reads/s', goal, limit));
    for (const who of ['ours', 'socket']) {
      const cpu = inTheMiddle(`${who} ${depth}`, (rate) => rate.cpuMs);
      figures.push(told(`TCP, ${server}, ${who} ${depth}, per 1,000 polls`, cpu, 'ms of CPU'));
    }
  }
  for (const name of ['modbus-serial 1', ...Object.keys(others)]) {
    figures.push(told(`TCP, ${server}, ${name}`, perS(name), 'reads/s'));
  }
  return figures;
}

function shuffled<T>(all: readonly T[]): T[] {
  const places = all.map((one) => ({ one, at: Math.random() }));
  return places.sort((a, b) => a.at - b.at).map(({ one }) => one);
}

/** What one run on a paced line saw. */
interface LineRun extends Rate {
  readonly requests: number;
  readonly short: number;
  readonly leastUs: number;
  readonly silenceUs: number;
  readonly cycleUs: number;
  readonly turnUs: number;
}

/** A line paced at `baud` with a libmodbus server at its far end. */
async function onLine(
  programs: Programs,
  baud: number,
  read: (path: string) => Promise<Rate>,
): Promise<LineRun> {
  const line = programs.run('paced-line', String(baud));
  const [near = ''] = (await line.line()).split(' ');
  const rate = await read(near);
  line.end();
  const said = (await line.line()).split(' ').map(Number);
  const [requests = 0, short = 0, leastUs = 0, silenceUs = 0, turnUs = 0, cycleUs = 0] = said;
  return { ...rate, requests, short, leastUs, silenceUs, turnUs, cycleUs };
}

async function benchLine(programs: Programs, baud: keyof typeof RTU_GOALS): Promise<Figure[]> {
  const ours: LineRun[] = [];
  const library: LineRun[] = [];
  const native: LineRun[] = [];
  for (let round = 0; round < RTU_ROUNDS; round += 1) {
    ours.push(await onLine(programs, baud, (path) => oursRtu(path, baud, RTU_SECONDS)));
    library.push(await onLine(programs, baud, (path) => modbusSerial({ path, baud }, RTU_SECONDS)));
    native.push(await onLine(programs, baud, (path) => rateOf(programs, String(baud), path)));
  }
  const turnMs = median(ours.map(({ turnUs }) => turnUs)) / 1000;
  const cycleMs = (RTU_CHARACTERS * 11_000) / baud + framePauseMs(baud) + turnMs;
  const limit = 1000 / cycleMs;
  const perS = (runs: readonly LineRun[]) => median(runs.map((run) => run.perS));
  const short = (runs: readonly LineRun[]) => runs.reduce((sum, run) => sum + run.short, 0);
  const at = `RTU at ${baud}`;
  const goal = RTU_GOALS[baud] * limit;
  // A machine that is busy with other things shows in the mean of a cycle, not in its median.
  const medianPerS = 1_000_000 / median(ours.map(({ cycleUs }) => cycleUs));
  const atMedian = atLeast('bus', `${at}, at the median cycle`, medianPerS, 'reads/s', null, limit);
  return [
    atLeast('bus', `${at}, against the legal maximum`, perS(ours), 'reads/s', goal, limit),
    atMedian,
    none(`${at}, silences too short`, short(ours)),
    told(`${at}, shortest silence`, Math.min(...ours.map(({ leastUs }) => leastUs)), 'us'),
    told(`${at}, median silence`, median(ours.map(({ silenceUs }) => silenceUs)), 'us'),
    told(`${at}, the server's turnaround`, turnMs * 1000, 'us'),
    told(`${at}, per 1,000 polls`, median(ours.map(({ cpuMs }) => cpuMs)), 'ms of CPU'),
    told(`${at}, modbus-serial`, perS(library), 'reads/s'),
    told(`${at}, modbus-serial, silences too short`, short(library), ''),
    told(`${at}, modbus-serial, per 1,000 polls`, median(library.map((r) => r.cpuMs)), 'ms of CPU'),
    told(`${at}, libmodbus client`, perS(native), 'reads/s'),
    told(`${at}, libmodbus client, silences too short`, short(native), ''),
  ];
}

/** A figure for information. */
function told(name: string, value: number, unit: string): Figure {
  return atLeast('bus', name, value, unit, null);
}

/** A figure that must be 0. */
function none(name: string, value: number): Figure {
  return { ...told(name, value, ''), goal: 0, met: value === 0 };
}
