// A simulated street on real ports: meters that count, buses that answer, faults that come and go, and the truth of it all.

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { collectorSettings } from './collector-settings.ts';
import { type FaultPlan, isDue } from './faults.ts';
import { fixedMessage, lineBridge, variableMessage } from './line-bridge.ts';
import { mbapSlave, rtuSlave, type UnitWords } from './modbus-slave.ts';
import { type Port, plugPseudoTerminal, plugTcp, type Service } from './ports.ts';
import {
  BUSES,
  type BusType,
  layStreet,
  METERS_MAX,
  METERS_MIN,
  type ServicePoint,
} from './street.ts';
import { Truth } from './truth.ts';

export type { FaultPlan } from './faults.ts';

export interface WorldOptions {
  readonly seed: number;
  /** Simulated milliseconds in one of the system's. */
  readonly speed: number;
  /** Simulated epoch ms at the beginning. */
  readonly start: number;
  /** At least 8, at most 960. */
  readonly meters: number;
  /** Made if absent; gets the links to the pseudo-terminals, truth.ndjson and collector.yaml. */
  readonly folder: string;
  readonly brokerUrl: string;
  readonly faults?: readonly FaultPlan[];
  /** Pause before each answer, in milliseconds of the wire; default 0. */
  readonly replyDelayMs?: number;
}

export interface World {
  readonly truth: Truth;
  /** YAML for the collector; also written to collector.yaml. */
  readonly settings: string;
  /** Simulated epoch ms, whole; never goes back. */
  now(): number;
  /** The dial of a meter at a simulated instant. Throws for a meter that is not of this world. */
  registerAt(meter: string, at: number): { register: number; count: number };
  /** While on, the meter answers nothing. */
  silence(meter: string, on: boolean): void;
  /** The port of the bus disappears, as when somebody pulls the plug. Unplugging twice is unplugging once. */
  unplug(bus: string): void;
  /** The port is back under its old name or number. */
  replug(bus: string): Promise<void>;
  /** Unplugs everything and completes the truth. Rejects if the truth could not be written. */
  close(): Promise<void>;
}

/** How often counts are logged and faults looked at, in milliseconds of the system. */
const TICK_MS = 50;

/** A bus with its port, and the pulling and plugging of it, one after the other. */
interface Socketed {
  readonly type: BusType;
  readonly path: string;
  readonly service: Service;
  port: Port | undefined;
  number: number;
  last: Promise<void>;
}

class Street implements World {
  readonly truth: Truth;
  settings = '';
  readonly #options: WorldOptions;
  readonly #real = Date.now();
  readonly #points = new Map<string, ServicePoint>();
  readonly #buses = new Map<string, Socketed>();
  readonly #logged = new Map<string, number>();
  readonly #silenced = new Set<string>();
  /** Plans whose plug is out now. */
  readonly #pulled = new Set<FaultPlan>();
  #newest: number;
  #tick: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#newest = options.start;
    for (const point of layStreet(options)) {
      this.#points.set(point.truth.meter, point);
      this.#logged.set(point.truth.meter, options.start);
    }
    const meters = [...this.#points.values()].map((point) => point.truth);
    this.truth = new Truth(meters, join(options.folder, 'truth.ndjson'));
    for (const { bus, type } of BUSES) {
      const path = resolve(options.folder, `${bus}.tty`);
      const service = this.#service(bus, type);
      const last = Promise.resolve();
      this.#buses.set(bus, { type, path, service, port: undefined, number: 0, last });
    }
    for (const plan of options.faults ?? []) {
      if (plan.kind === 'silent') this.#point(plan.meter);
      else this.#bus(plan.bus);
    }
  }

  async begin(): Promise<void> {
    const { folder, speed, start, brokerUrl } = this.#options;
    for (const bus of this.#buses.keys()) await this.replug(bus);
    this.settings = collectorSettings({
      speed,
      real: this.#real,
      simulated: start,
      brokerUrl,
      outlets: BUSES.map(({ bus, type }) => ({ ...this.#bus(bus), bus, type })),
      points: [...this.#points.values()],
    });
    await writeFile(join(folder, 'collector.yaml'), this.settings);
    this.#live();
    this.#tick = setInterval(() => this.#live(), TICK_MS);
  }

  now(): number {
    const { start, speed } = this.#options;
    const at = start + Math.floor((Date.now() - this.#real) * speed);
    // Water does not run backwards when somebody sets the system's clock back.
    this.#newest = Math.max(this.#newest, at);
    return this.#newest;
  }

  registerAt(meter: string, at: number): { register: number; count: number } {
    const { meter: dial } = this.#point(meter);
    return { register: dial.registerAt(at), count: dial.countAt(at) };
  }

  silence(meter: string, on: boolean): void {
    this.#point(meter);
    if (on) this.#silenced.add(meter);
    else this.#silenced.delete(meter);
  }

  unplug(bus: string): void {
    const socketed = this.#bus(bus);
    const { port } = socketed;
    if (!port) return;
    socketed.port = undefined;
    const gone = port.close();
    socketed.last = socketed.last.then(() => gone);
  }

  replug(bus: string): Promise<void> {
    const socketed = this.#bus(bus);
    const plugged = socketed.last.then(() => this.#plug(socketed));
    // A failed try is its caller's; the next try begins afresh.
    socketed.last = plugged.catch(() => undefined);
    return plugged;
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    clearInterval(this.#tick);
    for (const socketed of this.#buses.values()) await socketed.last;
    for (const bus of this.#buses.keys()) this.unplug(bus);
    for (const socketed of this.#buses.values()) await socketed.last;
    this.#logPassings(this.now());
    await this.truth.close();
  }

  async #plug(socketed: Socketed): Promise<void> {
    if (socketed.port) return;
    const { type, path, number, service } = socketed;
    const delayMs = this.#options.replyDelayMs ?? 0;
    socketed.port = type.endsWith('tcp')
      ? await plugTcp(number, service, delayMs)
      : plugPseudoTerminal(path, service, delayMs);
    socketed.number = socketed.port.number;
  }

  #point(meter: string): ServicePoint {
    const point = this.#points.get(meter);
    if (!point) throw new Error(`no such meter: ${meter}`);
    return point;
  }

  #bus(bus: string): Socketed {
    const socketed = this.#buses.get(bus);
    if (!socketed) throw new Error(`no such bus: ${bus}`);
    return socketed;
  }

  /** Everything that happened since the last tick. */
  #live(): void {
    this.#logPassings(this.now());
    const hours = this.#hours();
    for (const plan of this.#options.faults ?? []) {
      if (plan.kind !== 'unplug' || isDue(plan, hours) === this.#pulled.has(plan)) continue;
      if (this.#pulled.delete(plan)) {
        // A port that cannot come back yet stays pulled, so the next tick tries again.
        this.replug(plan.bus).catch(() => this.#pulled.add(plan));
      } else {
        this.#pulled.add(plan);
        this.unplug(plan.bus);
      }
    }
  }

  #logPassings(to: number): void {
    for (const meter of this.#points.keys()) this.#logMeter(meter, to);
  }

  #logMeter(meter: string, to: number): void {
    const from = this.#logged.get(meter) ?? to;
    for (const { at, count } of this.#point(meter).meter.passings(from, to)) {
      this.truth.passed(meter, at, count);
    }
    this.#logged.set(meter, Math.max(from, to));
  }

  /** Latches a dial for the wire: this is the instant at which the meter answers. */
  #serve(point: ServicePoint): number {
    const { meter } = point.truth;
    const at = this.now();
    this.#logMeter(meter, at);
    const { register, count } = this.registerAt(meter, at);
    this.truth.serve({ meter, at, register, count });
    return register;
  }

  #service(bus: string, type: BusType): Service {
    const units = new Map<number, ServicePoint>();
    for (const point of this.#points.values()) {
      if (point.truth.bus === bus) units.set(point.unit, point);
    }
    const answering = (unit: number): ServicePoint | null => {
      const point = units.get(unit);
      return point && !this.#isSilent(point.truth.meter) ? point : null;
    };
    if (type.startsWith('line')) {
      return lineBridge((address) => {
        const point = /^[1-9][0-9]*$/.test(address) ? answering(Number(address)) : null;
        return point && this.#message(point);
      });
    }
    const words = (unit: number): UnitWords | null => {
      const point = answering(unit);
      return point && this.#words(point);
    };
    return type === 'modbus-rtu' ? rtuSlave(words) : mbapSlave(words);
  }

  /** Plans are looked up at the very instant of a request: a silence has sharp edges. */
  #isSilent(meter: string): boolean {
    const hours = this.#hours();
    const planned = this.#options.faults?.some(
      (plan) => plan.kind === 'silent' && plan.meter === meter && isDue(plan, hours),
    );
    return this.#silenced.has(meter) || planned === true;
  }

  /** Simulated hours since the start. */
  #hours(): number {
    return (this.now() - this.#options.start) / 3_600_000;
  }

  #message(point: ServicePoint): string {
    const { digits, registerId } = point.truth;
    const form = digits === 4 ? fixedMessage : variableMessage;
    return form(this.#serve(point), registerId ?? '');
  }

  /** Four digits fit one word; eight take two, the high word first. */
  #words(point: ServicePoint): UnitWords {
    const size = point.truth.digits === 4 ? 1 : 2;
    return {
      size,
      latch: (whole) => {
        const register = whole
          ? this.#serve(point)
          : this.registerAt(point.truth.meter, this.now()).register;
        return size === 1 ? [register] : [register >>> 16, register & 0xffff];
      },
    };
  }
}

/**
 * Builds the street and begins its time. Rejects when a port or the folder cannot be had; throws RangeError for a
 * number of meters that no street has, Error for a fault that names nothing in it.
 */
export async function buildWorld(options: WorldOptions): Promise<World> {
  if (!(options.meters >= METERS_MIN && options.meters <= METERS_MAX)) {
    throw new RangeError(
      `a street has ${METERS_MIN} to ${METERS_MAX} meters, not ${options.meters}`,
    );
  }
  await mkdir(options.folder, { recursive: true });
  const street = new Street(options);
  try {
    await street.begin();
  } catch (error) {
    await street.close();
    throw error;
  }
  return street;
}
