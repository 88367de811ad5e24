// The real thing: simulated meters on real ports, a real broker, the built collector as a process, and a head-end, for tests.

import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { type Document, parse, parseDocument } from 'yaml';
import { type Audit, audit, passes } from '../../simulator/audit.ts';
import {
  CollectorProcess,
  collectorProgram,
  type Surroundings,
} from '../../simulator/collector-process.ts';
import type { HourEntry } from '../../simulator/entries.ts';
import { HeadEnd } from '../../simulator/head-end.ts';
import { buildWorld, type FaultPlan, type World } from '../../simulator/world.ts';
import type { RealBroker } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import { typed } from './typed.ts';

export const HOUR = 3_600_000;
export const START = Date.UTC(2026, 5, 1);

export interface StreetOptions {
  readonly seed: number;
  readonly speed: number;
  readonly broker: RealBroker;
  readonly faults?: readonly FaultPlan[];
  /** Where the journal lies; absent: in the street's folder. */
  readonly data?: string;
  /** Simulated epoch ms at the beginning; absent: START. */
  readonly start?: number;
  /** Changes the collector's settings before they are written. */
  readonly tune?: (settings: Document) => void;
  /** What every collector of this street is started in. */
  readonly surroundings?: Surroundings;
}

/**
 * The collector's way to the broker, which can be barred. A broker that forgot its sessions takes hours for a head-end
 * that has not subscribed again yet; whoever settles on PUBACK alone must keep that from happening.
 */
class Gate {
  isOpen = true;
  /** How late everything arrives on links made from now on, each way, in ms. */
  delayMs = 0;
  readonly #server: Server;

  private constructor(brokerPort: number) {
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      if (!this.isOpen) {
        socket.destroy();
        return;
      }
      const broker = connect(brokerPort, '127.0.0.1');
      broker.on('error', () => socket.destroy());
      broker.on('close', () => socket.destroy());
      socket.on('close', () => broker.destroy());
      if (this.delayMs === 0) socket.pipe(broker).pipe(socket);
      else {
        passLate(socket, broker, this.delayMs);
        passLate(broker, socket, this.delayMs);
      }
    });
  }

  static async before(brokerPort: number): Promise<Gate> {
    const gate = new Gate(brokerPort);
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

function passLate(from: Socket, to: Socket, ms: number): void {
  from.on('data', (chunk) => setTimeout(() => to.destroyed || to.write(chunk), ms));
}

/** Lives from `open` to `close`. The collector is started and ended at will. */
export class Street {
  readonly world: World;
  readonly headEnd: HeadEnd;
  readonly folder: string;
  /** When each hour was first heard of, simulated epoch ms. */
  readonly heard: { meter: string; start: number; at: number }[] = [];
  readonly gate: Gate;
  readonly #options: StreetOptions;
  #collector: CollectorProcess | undefined;
  #probes = 0;

  private constructor(
    options: StreetOptions,
    folder: string,
    gate: Gate,
    world: World,
    headEnd: HeadEnd,
  ) {
    this.#options = options;
    this.gate = gate;
    this.folder = folder;
    this.world = world;
    this.headEnd = headEnd;
    headEnd.onEntry((entry) => {
      if (entry.kind !== 'hour') return;
      this.heard.push({ meter: entry.meter, start: entry.start, at: world.now() });
    });
  }

  static async open(options: StreetOptions): Promise<Street> {
    const folder = await mkdtemp(join(tmpdir(), 'street-'));
    const url = `mqtt://127.0.0.1:${options.broker.port}`;
    await options.broker.start();
    const { seed, speed, faults = [], start = START } = options;
    const gate = await Gate.before(options.broker.port);
    const brokerUrl = `mqtt://127.0.0.1:${gate.port}`;
    const street = { seed, speed, start, meters: 8, folder, brokerUrl, faults };
    const world = await buildWorld(street);
    // A quarter of an hour of tolerance is a fraction of a second of this machine's time.
    const settings = parseDocument(world.settings);
    const { meters } = settings.toJS() as { meters: unknown[] };
    for (const i of meters.keys()) settings.setIn(['meters', i, 'tolerance_s'], 900);
    if (options.data !== undefined) settings.setIn(['data'], options.data);
    options.tune?.(settings);
    await writeFile(join(folder, 'collector.yaml'), String(settings));
    const headEnd = await HeadEnd.connect({ url, utility: 'demo', clientId: `head-end-${seed}` });
    return new Street(options, folder, gate, world, headEnd);
  }

  get config(): string {
    return join(this.folder, 'collector.yaml');
  }

  /** When simulated time began. */
  get began(): number {
    return this.#options.start ?? START;
  }

  /** Whole hours since the beginning, the present one too. */
  get hoursNow(): number {
    return Math.ceil((this.world.now() - this.began) / HOUR);
  }

  /** Where both outputs of all its collectors go. */
  get log(): string {
    return join(this.folder, 'collector.log');
  }

  start(surroundings = this.#options.surroundings): void {
    const program = collectorProgram();
    if (program === undefined) throw new Error('run "npm run build" first');
    this.#collector = CollectorProcess.start(program, this.config, this.log, surroundings);
  }

  /** Resolves when the head-end hears what is published, as it does again some time after its broker came back. */
  async headEndHears(): Promise<void> {
    this.#probes += 1;
    const probe = `PROBE-${this.#probes}`;
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${this.#options.broker.port}`, {
      protocolVersion: 4,
    });
    const payload = JSON.stringify({ v: 1, type: 'state', session: probe, state: 'ready' });
    await until('the head-end hears', async () => {
      await client.publishAsync(`watermeter-v1/demo/${probe}/up/state`, payload, { qos: 1 });
      return this.headEnd.state(probe) === 'ready';
    });
    await client.endAsync();
  }

  /** The collector's process, 0 before the first. */
  get pid(): number {
    return this.#collector?.pid ?? 0;
  }

  /** Resolves when the present process is gone. */
  get ended(): Promise<unknown> {
    return this.#collector?.ended ?? Promise.resolve();
  }

  signal(signal: NodeJS.Signals): void {
    this.#collector?.signal(signal);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#collector?.kill();
    await this.#collector?.ended;
  }

  /** SIGTERM; false when it had to be killed. */
  async stop(): Promise<boolean> {
    return (await this.#collector?.stop()) ?? true;
  }

  /** The last lines of the collector's log, for the message of a failing test. */
  lastLines(): string {
    return this.#collector?.lastLines().join('\n') ?? '';
  }

  /** How often it said these words in its log. */
  async timesSaid(words: string): Promise<number> {
    return (await readFile(this.log, 'utf8').catch(() => '')).split(words).length - 1;
  }

  /** The TCP port of a bus. Throws when it has none. */
  portOf(bus: string): number {
    const { buses } = parse(this.world.settings) as { buses: { bus: string; port?: number }[] };
    const port = buses.find((one) => one.bus === bus)?.port;
    if (port === undefined) throw new Error(`${bus} is no TCP bus`);
    return port;
  }

  /** Resolves when simulated time has come to so many hours after the beginning. */
  async reach(hours: number): Promise<void> {
    const end = this.began + hours * HOUR;
    const wait = (end - this.world.now()) / this.#options.speed;
    await until(`hour ${hours}`, () => this.world.now() >= end, wait + 10_000);
  }

  /** Resolves when all hours of every meter up to the given number after the beginning have arrived, the backlog too. */
  async arrived(hours: number, ms = 20_000): Promise<void> {
    const isWhole = ({ meter }: { meter: string }) => {
      const told = new Set(this.hoursOf(meter).map((hour) => hour.start));
      const first = Math.min(...told);
      // A slow start may have missed the hours asked for.
      const due = Math.max(0, (this.began + hours * HOUR - first) / HOUR);
      return (
        told.size > 0 &&
        Array.from({ length: due }, (_, i) => first + i * HOUR).every((start) => told.has(start))
      );
    };
    await until(`${hours} hours at the head-end`, () => this.world.truth.meters.every(isWhole), ms);
  }

  hoursOf(meter: string): HourEntry[] {
    return this.headEnd
      .entries()
      .filter((entry): entry is HourEntry => entry.kind === 'hour' && entry.meter === meter);
  }

  /** The comparison with the truth up to so many hours after the beginning. */
  audit(hours: number): Audit {
    return audit(this.world.truth, this.headEnd.entries(), {
      installations: this.headEnd.installations(),
      conflicts: this.headEnd.conflicts(),
      events: this.headEnd.events(),
      speed: this.#options.speed,
      since: this.began,
      until: Math.floor((this.began + hours * HOUR) / HOUR) * HOUR,
    });
  }

  /**
   * Stops the collector; the audit of the head-end against the truth up to so many hours. Throws unless it stopped when it
   * was asked, both this audit and the collector's own found nothing.
   */
  async settled(hours: number): Promise<Audit> {
    await this.ownAudit();
    const result = this.audit(hours);
    if (!passes(result)) throw new Error(JSON.stringify(result.findings.slice(0, 5)));
    return result;
  }

  /** Stops the collector and has it prove its journal. Throws unless it stopped when asked and found nothing. */
  async ownAudit(): Promise<void> {
    if (!(await this.stop())) throw new Error(`it did not stop: ${this.lastLines()}`);
    const own = await typed(this.config, 'audit');
    if (own.exit !== 0) throw new Error(`its own audit: ${own.out}${own.err}`);
  }

  async close(): Promise<void> {
    await this.kill();
    await this.headEnd.close();
    await this.world.close();
    this.gate.close();
    await this.#options.broker.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }
}
