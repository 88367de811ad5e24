// From the journal to a durable settle, against a bare socket on the same broker: rates, a month's drain, memory while a million rows wait.

import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { hasMosquitto, mosquitto } from '../fakes/real-brokers.ts';
import { atLeast, atMost, type Figure } from './figure.ts';
import { drain } from './upstream/drain.ts';
import { mqttJsRate } from './upstream/mqtt-js.ts';
import { fillPending } from './upstream/pending-store.ts';
import { rawRate, type Sent } from './upstream/raw-socket.ts';

const BENCH = 'upstream';
const END = Date.UTC(2026, 10, 1);
const WINDOWS = [1, 20, 100];
/** One hour a message, as after each hour's edge: the most work a message can be. */
const STREET = { meters: 250, hours: 240, end: END };
/** The machine is shared: each round measures all three one after another, and the one of the median ratio is told. */
const ROUNDS = 7;
/** Before them: machine code is made within the first 200,000 messages of a process, and a process here sends for years. */
const ROUNDS_BEFORE = 3;
const SHARE = 0.75;
const MONTH = { meters: 250, hours: 720, end: END };
const MONTH_S = 10;

const WAITING_HOURS = 4_000;
const WAITING_MIB = 20;
const WAITING_RUNS = 3;

/** No limit of Mosquitto's own stands in the way of either side. */
const UNLIMITED = 'max_inflight_messages 0\nmax_queued_messages 0';

export async function benchUpstream(): Promise<Figure[]> {
  if (!hasMosquitto) throw new Error('this bench needs mosquitto');
  const folder = await mkdtemp(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'bench-upstream-'));
  const broker = await mosquitto({ acl: 'topic readwrite #', limits: UNLIMITED });
  await broker.start();
  try {
    const figures: Figure[] = [];
    const street = join(folder, 'street');
    const messages = await messagesOf(street, broker.port);
    for (const window of WINDOWS) {
      figures.push(...(await benchWindow(street, broker.port, window, messages)));
    }
    figures.push(...(await benchMonth(join(folder, 'month'), broker.port)));
    figures.push(await benchWaiting(folder));
    return figures;
  } finally {
    await broker.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the street's hours are sent as, for the peers. Nothing is measured: what is kept here would be collected there. */
async function messagesOf(street: string, port: number): Promise<readonly Sent[]> {
  await fillPending(() => openLevelStore(street), STREET);
  const place = `${street}-told`;
  await cp(street, place, { recursive: true });
  return (await drain(place, port, { messageRows: 1, keep: true })).messages;
}

/** Messages a second of one round, and what one cost the collector. */
interface Round {
  readonly ours: number;
  readonly cpuUs: number;
  readonly raw: number;
  readonly library: number;
}

/** The collector against a bare socket, and beside the library that it speaks MQTT with. */
async function benchWindow(
  street: string,
  port: number,
  window: number,
  messages: readonly Sent[],
): Promise<Figure[]> {
  const rounds: Round[] = [];
  for (let round = -ROUNDS_BEFORE; round < ROUNDS; round += 1) {
    const place = `${street}-${window}-${round}`;
    await cp(street, place, { recursive: true });
    const { rows, seconds, cpuS } = await drain(place, port, {
      ...{ window, messageRows: 1, keep: false },
    });
    const raw = await rawRate(port, messages, window);
    const library = await mqttJsRate(port, messages, window);
    const cpuUs = (1e6 * cpuS) / rows;
    if (round >= 0) rounds.push({ ours: rows / seconds, cpuUs, raw, library });
    await rm(place, { recursive: true });
  }
  const named = (what: string) => `${what}, window ${window}, an hour a message`;
  const settled = named('journal to durable settle');
  const { ours, raw } = median(rounds, (one) => one.ours / one.raw);
  const beside = median(rounds, (one) => one.library / one.raw);
  const alone = named('the mqtt package alone');
  const { cpuUs } = median(rounds, (one) => one.cpuUs);
  return [
    atLeast(BENCH, settled, ours, 'messages/s', SHARE * raw, raw),
    atLeast(BENCH, alone, beside.library, 'messages/s', null, beside.raw),
    atMost(BENCH, named('CPU of a message in all threads'), cpuUs, 'us', null),
  ];
}

/** The round in the middle. */
function median<T>(rounds: readonly T[], by: (round: T) => number): T {
  const sorted = [...rounds].sort((one, other) => by(one) - by(other));
  return sorted[Math.floor(sorted.length / 2)] as T;
}

/** A month without a broker, at full pace. */
async function benchMonth(place: string, port: number): Promise<Figure[]> {
  await fillPending(() => openLevelStore(place), MONTH);
  const { rows, seconds } = await drain(place, port, { keep: false });
  return [
    atMost(BENCH, `30 days of 250 meters drained, ${rows} hours`, seconds, 's', MONTH_S),
    atLeast(BENCH, 'hours drained a second', rows / seconds, 'hours/s', null),
  ];
}

/** The same program over the same meters, with a row of each and with four thousand. */
async function benchWaiting(folder: string): Promise<Figure> {
  const taken = async (hours: number) => {
    const place = join(folder, `waiting-${hours}`);
    await fillPending(() => openLevelStore(place), { meters: 250, hours, end: END });
    const here = fileURLToPath(import.meta.url);
    const script = join(dirname(here), 'upstream', `waiting-child${extname(here)}`);
    const runs: { rows: number; mib: number }[] = [];
    // When an allocator gives back what is free is chance: a few MiB from one run to the next.
    for (let run = 0; run < WAITING_RUNS; run += 1) {
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...process.execArgv.filter((one) => !one.startsWith('--max-semi-space-size')),
        ...[script, place],
      ]);
      runs.push(JSON.parse(stdout));
    }
    return median(runs, ({ mib }) => mib);
  };
  const few = await taken(1);
  const many = await taken(WAITING_HOURS);
  const name = `memory growth while ${many.rows} rows wait`;
  return atMost(BENCH, name, many.mib - few.mib, 'MiB', WAITING_MIB, few.mib);
}
