// A real collector as a process, over simulated meters that it polls each second, with its console open: for tests and proofs.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { CollectorProcess, collectorProgram } from '../../simulator/collector-process.ts';
import { consoleUrl } from '../../simulator/demo-console.ts';
import { buildWorld, type World } from '../../simulator/world.ts';
import { callCommands } from '../../src/adapters/control-socket.ts';
import type { Commands, TracedFrames } from '../../src/boundaries.ts';
import { eventually } from '../fakes/until.ts';

/** A port on which nobody listens: the head-end is away, which is no concern of these tests. */
const NO_BROKER = 'mqtt://127.0.0.1:9';
const POLL_MS = 1_000;

/** Lives from `open` to `close`. */
export class Daemon {
  readonly folder: string;
  readonly commands: Commands;
  readonly #world: World;
  #process: CollectorProcess | undefined;
  #logs = 0;

  private constructor(folder: string, world: World) {
    this.folder = folder;
    this.#world = world;
    this.commands = callCommands(join(folder, 'journal', 'control.sock'));
  }

  static async open(console: object, seed = 5): Promise<Daemon> {
    const folder = await mkdtemp(join(tmpdir(), 'console-daemon-'));
    const start = Date.now();
    const street = { seed, speed: 1, start, meters: 8, folder, brokerUrl: NO_BROKER };
    const world = await buildWorld(street);
    const settings = parseDocument(world.settings);
    const { meters } = settings.toJS() as { meters: unknown[] };
    for (const i of meters.keys()) settings.setIn(['meters', i, 'poll_s'], POLL_MS / 1000);
    settings.set('console', console);
    await writeFile(join(folder, 'collector.yaml'), String(settings));
    const daemon = new Daemon(folder, world);
    daemon.start();
    return daemon;
  }

  start(): void {
    const program = collectorProgram();
    if (program === undefined) throw new Error('run "npm run build" first');
    this.#logs += 1;
    this.#process = CollectorProcess.start(program, join(this.folder, 'collector.yaml'), this.log);
  }

  /** The log of this start. */
  get log(): string {
    return join(this.folder, `collector-${this.#logs}.log`);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get ended(): Promise<string> {
    return this.#process?.ended ?? Promise.resolve('not started');
  }

  async restart(): Promise<void> {
    await this.#process?.stop();
    this.start();
  }

  /** Where its console is, when it is there. */
  url(): Promise<URL> {
    return eventually(async () => {
      const url = consoleUrl(this.log);
      return url === undefined ? undefined : new URL(url);
    }, 20_000);
  }

  /** The fields of the first line of the log that says this. */
  logged(message: string): Promise<Record<string, unknown>> {
    return eventually(async () => {
      const lines = (await readFile(this.log, 'utf8')).split('\n');
      const line = lines.find((one) => one.includes(message));
      return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
    }, 20_000);
  }

  /**
   * How late each question went out on the bus of Modbus TCP, in milliseconds, by the daemon's own trace of `forMs`: of each
   * meter, the time between two questions against its poll period. And how many questions there were.
   */
  async lateness(
    forMs: number,
  ): Promise<{ readonly late: readonly number[]; readonly asked: number }> {
    const bus = 'bus-4';
    const begun = await this.commands.run('bus.trace', { bus, for_s: Math.ceil(forMs / 1000) });
    if (!begun.ok) throw new Error(begun.message);
    const { trace } = begun.data as { trace: number };
    const last = new Map<string, number>();
    const late: number[] = [];
    let asked = 0;
    for (let after = 0, over = false; !over; ) {
      const took = await this.commands.run('bus.trace.take', { bus, trace, after });
      if (!took.ok) throw new Error(took.message);
      const { frames, next, over: isOver } = took.data as TracedFrames;
      for (const { at_us, dir, hex } of frames) {
        if (dir !== 'tx') continue;
        // A question of MBAP begins with its own number; what follows is the meter's.
        const meter = hex.slice(4);
        const before = last.get(meter);
        if (before !== undefined) late.push(Math.abs((at_us - before) / 1000 - POLL_MS));
        last.set(meter, at_us);
        asked += 1;
      }
      after = next;
      over = isOver;
    }
    return { late, asked };
  }

  async close(): Promise<void> {
    this.#process?.kill();
    await this.#process?.ended;
    await this.#world.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The value below which so many of them lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Lateness below this is the machine's own, whatever else runs on it, in milliseconds. */
const GRAIN_MS = 20;

/** How many times as late nine of ten questions were. */
export function worse(before: readonly number[], during: readonly number[]): number {
  const late = (all: readonly number[]) => Math.max(GRAIN_MS, quantile(all, 0.9));
  return late(during) / late(before);
}
