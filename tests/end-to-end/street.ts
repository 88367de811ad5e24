// The real thing: simulated meters on real ports, a real broker, the built collector as a process, and a head-end, for tests.

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { parseDocument } from 'yaml';
import { type Audit, audit } from '../../simulator/audit.ts';
import { CollectorProcess, collectorProgram } from '../../simulator/collector-process.ts';
import type { HourEntry } from '../../simulator/entries.ts';
import { HeadEnd } from '../../simulator/head-end.ts';
import { buildWorld, type FaultPlan, type World } from '../../simulator/world.ts';
import type { RealBroker } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';

export const HOUR = 3_600_000;
export const START = Date.UTC(2026, 5, 1);

export interface StreetOptions {
  readonly seed: number;
  readonly speed: number;
  readonly broker: RealBroker;
  readonly faults?: readonly FaultPlan[];
  /** Where the journal lies; absent: in the street's folder. */
  readonly data?: string;
}

/**
 * The collector's way to the broker, which can be barred. A broker that forgot its sessions takes hours for a head-end
 * that has not subscribed again yet; whoever settles on PUBACK alone must keep that from happening.
 */
class Gate {
  isOpen = true;
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
      socket.pipe(broker).pipe(socket);
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
    const { seed, speed, faults = [] } = options;
    const gate = await Gate.before(options.broker.port);
    const brokerUrl = `mqtt://127.0.0.1:${gate.port}`;
    const street = { seed, speed, start: START, meters: 8, folder, brokerUrl, faults };
    const world = await buildWorld(street);
    // A quarter of an hour of tolerance is a fraction of a second of this machine's time.
    const settings = parseDocument(world.settings);
    const { meters } = settings.toJS() as { meters: unknown[] };
    for (const i of meters.keys()) settings.setIn(['meters', i, 'tolerance_s'], 900);
    if (options.data !== undefined) settings.setIn(['data'], options.data);
    await writeFile(join(folder, 'collector.yaml'), String(settings));
    const headEnd = await HeadEnd.connect({ url, utility: 'demo', clientId: `head-end-${seed}` });
    return new Street(options, folder, gate, world, headEnd);
  }

  get config(): string {
    return join(this.folder, 'collector.yaml');
  }

  start(): void {
    const program = collectorProgram();
    if (program === undefined) throw new Error('run "npm run build" first');
    this.#collector = CollectorProcess.start(
      program,
      this.config,
      join(this.folder, 'collector.log'),
    );
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

  /** Resolves when simulated time has come to so many hours after the beginning. */
  async reach(hours: number): Promise<void> {
    const wait = (START + hours * HOUR - this.world.now()) / this.#options.speed;
    await until(`hour ${hours}`, () => this.world.now() >= START + hours * HOUR, wait + 10_000);
  }

  /** Resolves when all hours of every meter up to the given number after the beginning have arrived, the backlog too. */
  async arrived(hours: number, ms = 20_000): Promise<void> {
    const isWhole = ({ meter }: { meter: string }) => {
      const told = new Set(this.hoursOf(meter).map((hour) => hour.start));
      const first = Math.min(...told);
      // A slow start may have missed the hours asked for.
      const due = Math.max(0, (START + hours * HOUR - first) / HOUR);
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
      since: START,
      until: START + hours * HOUR,
    });
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
