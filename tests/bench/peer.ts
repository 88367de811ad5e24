// The collector beside Node-RED, and beside a program that does no more than read: the same meters behind 20 Modbus TCP gateways, each polled every second; what a reading costs.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { stringify } from 'yaml';
import { NODE_FLAGS } from '../../src/cli/unit.ts';
import { aedes, freePort, hasMosquitto, mosquitto } from '../fakes/real-brokers.ts';
import { atLeast, atMost, type Figure } from './figure.ts';
import { type Gateways, type Given, startGateways } from './gateways.ts';
import { flowOf, installPeer, PEER, PEER_NOTE, startPeer } from './node-red.ts';
import { type Cost, costOf } from './process-cost.ts';

const GATEWAYS = 20;
/** From the start of a program to the window: both have long made every connection and compiled what is hot. */
const WARM_MS = 180_000;
/** Both are watched for so long, twice: while they only read, and around an hour's edge. */
const WINDOW_MS = 60_000;
const WINDOWS_AN_HOUR = 60;
/** The hour whose intervals are published ends so long after the start: in the middle of the second window. */
const EDGE_MS = WARM_MS + (3 * WINDOW_MS) / 2;
const COMMIT_S = 60;

/** The floor under both. */
const BARE = 'a Node program that only reads';

/** What one program did and cost in a window. */
interface Window extends Cost {
  /** Readings that the gateways gave in it. */
  readonly readings: number;
  /** Those of the meter that was read least. */
  readonly least: number;
  /** Questions that no meter of the bench would be asked. */
  readonly others: number;
  /** Messages that the broker delivered. */
  readonly messages: number;
}

/** What one program did and cost: in a minute without an hour's edge, and in the one around it. */
interface Measured {
  readonly minute: Window;
  readonly edge: Window;
}

/** The bench's places, all on this machine. */
interface Site {
  readonly gateways: Gateways;
  readonly units: number;
  readonly brokerPort: number;
  readonly folder: string;
}

function settingsOf({ gateways, units, brokerPort }: Site): string {
  const now = Date.now();
  const buses = gateways.ports.map((port, i) => ({
    ...{ bus: `gate-${i}`, type: 'modbus-tcp', host: '127.0.0.1', port, timeout_ms: 1000 },
  }));
  const meters = buses.flatMap(({ bus }, i) =>
    Array.from({ length: units }, (_, k) => ({
      ...{ meter: `SP-${i}-${k}`, bus, address: String(k + 1), poll_s: 1 },
      profile: 'generic-8-digit-modbus',
    })),
  );
  const simulated = Math.ceil(now / 3_600_000) * 3_600_000 - EDGE_MS;
  const iso = (at: number) => new Date(at).toISOString();
  return stringify({
    ...{ version: 1, utility: 'bench', collector: 'COL-BENCH', data: './journal' },
    log: { level: 'warn' },
    time: { speed: 1, real: iso(now), simulated: iso(simulated) },
    // All intervals of the hour at once, in the window.
    upstream: { url: `mqtt://127.0.0.1:${brokerPort}`, smear_s: 0 },
    journal: { commit_s: COMMIT_S },
    ...{ buses, meters },
  });
}

/** The built collector, as a service runs it. */
async function startCollector(site: Site): Promise<ChildProcess> {
  const config = join(site.folder, 'collector.yaml');
  await writeFile(config, settingsOf(site));
  const program = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  const args = [program, 'run', '--config', config];
  return spawn(process.execPath, [...NODE_FLAGS, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function startNodeRed(site: Site, installed: string): Promise<ChildProcess> {
  const { gateways, units, brokerPort, folder } = site;
  const flow = flowOf(gateways.ports, units, brokerPort);
  return startPeer(installed, join(folder, 'node-red'), flow, await freePort());
}

/** What no Node program that reads them can do without. */
async function startBare({ gateways, units }: Site): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('bare-reader.js', import.meta.url));
  const args = [...NODE_FLAGS, program, String(units), ...gateways.ports.map(String)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Readings between two counts. */
function between(before: Given, after: Given): { readings: number; least: number } {
  const units = after.readings.flatMap((gateway, i) =>
    gateway.map((count, k) => count - (before.readings[i]?.[k] ?? 0)),
  );
  return { readings: units.reduce((sum, count) => sum + count, 0), least: Math.min(...units) };
}

/** Runs one program over the site's meters for both windows, counts what it did, and ends it. */
async function measure(
  meters: number,
  start: (site: Site) => Promise<ChildProcess>,
): Promise<Measured> {
  const broker = hasMosquitto
    ? await mosquitto({ acl: 'topic readwrite #' })
    : await aedes({ concurrency: 100 });
  await broker.start();
  const folder = await mkdtemp(join(tmpdir(), 'bench-site-'));
  const units = meters / GATEWAYS;
  const gateways = await startGateways(GATEWAYS, units);
  const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  let messages = 0;
  listener.on('message', () => {
    messages += 1;
  });
  await listener.subscribeAsync('#', { qos: 0 });
  const child = await start({ gateways, units, brokerPort: broker.port, folder });
  const ended = once(child, 'exit');
  try {
    const early = await Promise.race([ended, sleep(WARM_MS)]);
    if (early !== undefined)
      throw new Error(`it ended with ${String(early)} before it was measured`);
    const watch = async (): Promise<Window> => {
      const begun = messages;
      const before = await gateways.given();
      const cost = await costOf(child.pid ?? 0, WINDOW_MS);
      const after = await gateways.given();
      const others = after.others - before.others;
      return { ...cost, ...between(before, after), others, messages: messages - begun };
    };
    return { minute: await watch(), edge: await watch() };
  } finally {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
    gateways.close();
    await listener.endAsync(true);
    await broker.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds of a core for one reading in a window. */
const perReading = ({ cpuPercent, seconds, readings }: Window): number =>
  (10 * cpuPercent * seconds) / readings;

/** The same over a whole hour, of whose windows one has its edge. */
const overHour = ({ minute, edge }: Measured): number =>
  ((WINDOWS_AN_HOUR - 1) * perReading(minute) + perReading(edge)) / WINDOWS_AN_HOUR;

const perSecond = ({ readings, seconds }: Window): number => readings / seconds;

/** What both did, as figures; `cpuShare` and `memoryShare` of the peer's are the most that ours may take. */
function figuresOf(
  meters: number,
  {
    ours,
    bare,
    peer,
  }: { readonly ours: Measured; readonly bare: Measured; readonly peer?: Measured },
  share: { readonly cpu: number; readonly memory: number },
): Figure[] {
  const named = (name: string) => `${meters} meters: ${name}`;
  const least = (name: string, value: number, unit: string, goal: number | null) =>
    atLeast('peer', named(name), value, unit, goal);
  const most = (name: string, value: number, unit: string, limit: number | null, goal: number) =>
    atMost('peer', named(name), value, unit, limit === null ? null : goal * limit, limit);
  const told = (name: string, value: number, unit: string) => least(name, value, unit, null);
  // A poll may fall on either side of each end of the window.
  const due = Math.floor(ours.edge.seconds) - 1;
  const worst = Math.min(ours.minute.least, ours.edge.least);
  const costs = ({ minute, edge }: Measured, who: string) => [
    told(`${who}CPU of a reading between two edges`, perReading(minute), 'ms'),
    told(`${who}CPU of a reading around an edge`, perReading(edge), 'ms'),
    told(`${who}CPU around an edge`, edge.cpuPercent, '% of a core'),
    told(`${who}memory that is no file`, edge.ownMiB, 'MiB'),
  ];
  const figures = [
    least('readings of the least read meter', worst, 'readings', due),
    least('readings made', perSecond(ours.edge), 'readings/s', (meters * due) / ours.edge.seconds),
    least('interval messages published', ours.edge.messages, 'messages', meters),
    most('CPU of a reading', overHour(ours), 'ms', peer ? overHour(peer) : null, share.cpu),
    most('resident memory', ours.edge.memoryMiB, 'MiB', peer?.edge.memoryMiB ?? null, share.memory),
    ...costs(ours, ''),
    told(`${BARE}: CPU of a reading`, overHour(bare), 'ms'),
    told(`${BARE}: resident memory`, bare.edge.memoryMiB, 'MiB'),
  ];
  if (peer === undefined) return figures;
  return [
    ...figures,
    told(`${PEER}: readings made`, perSecond(peer.edge), 'readings/s'),
    told(`${PEER}: readings published`, peer.edge.messages / peer.edge.seconds, 'messages/s'),
    told(`${PEER}: CPU of a reading`, overHour(peer), 'ms'),
    told(`${PEER}: resident memory`, peer.edge.memoryMiB, 'MiB'),
    ...costs(peer, `${PEER}: `),
  ];
}

/** The goals: of the peer's cost at so many meters. */
const GOALS = [
  { meters: 100, share: { cpu: 0.5, memory: 0.5 } },
  { meters: 1_000, share: { cpu: 0.1, memory: 0.3 } },
];

export async function benchPeer(): Promise<Figure[]> {
  const installed = await installPeer();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(
    `One reading a second of each meter over ${GATEWAYS} gateways, after ${WARM_MS / 1000} s for ${WINDOW_MS / 1000} s, and for ${WINDOW_MS / 1000} s in which an hour ends; the journal commits every ${COMMIT_S} s.`,
  );
  say(installed === undefined ? `The peer is missing: ${PEER} could not be installed.` : PEER_NOTE);
  const figures: Figure[] = [];
  for (const { meters, share } of GOALS) {
    // At the same time, each with its own gateways and broker: a busy minute of the machine is every program's.
    const [ours, bare, peer] = await Promise.all([
      measure(meters, startCollector),
      measure(meters, startBare),
      installed && measure(meters, (site) => startNodeRed(site, installed)),
    ]);
    figures.push(...figuresOf(meters, { ours, bare, ...(peer && { peer }) }, share));
  }
  return figures;
}
