// The real thing: simulated meters on real ports, a real broker, the built collector as a process, and a head-end, for tests.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
}

/** Lives from `open` to `close`. The collector is started and ended at will. */
export class Street {
  readonly world: World;
  readonly headEnd: HeadEnd;
  readonly folder: string;
  /** When each hour was first heard of, simulated epoch ms. */
  readonly heard: { meter: string; start: number; at: number }[] = [];
  readonly #options: StreetOptions;
  #collector: CollectorProcess | undefined;

  private constructor(options: StreetOptions, folder: string, world: World, headEnd: HeadEnd) {
    this.#options = options;
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
    const street = { seed, speed, start: START, meters: 8, folder, brokerUrl: url, faults };
    const world = await buildWorld(street);
    // A quarter of an hour of tolerance is a fraction of a second of this machine's time.
    const settings = parseDocument(world.settings);
    const { meters } = settings.toJS() as { meters: unknown[] };
    for (const i of meters.keys()) settings.setIn(['meters', i, 'tolerance_s'], 900);
    await writeFile(join(folder, 'collector.yaml'), String(settings));
    const headEnd = await HeadEnd.connect({ url, utility: 'demo', clientId: `head-end-${seed}` });
    return new Street(options, folder, world, headEnd);
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
      speed: this.#options.speed,
      since: START,
      until: START + hours * HOUR,
    });
  }

  async close(): Promise<void> {
    await this.kill();
    await this.headEnd.close();
    await this.world.close();
    await this.#options.broker.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }
}
