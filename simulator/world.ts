// A simulated street on real ports: meters that count, buses that answer, faults that come and go, and the truth of it all.

import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { collectorSettings } from './collector-settings.ts';
import { type Answer, Encoder } from './encoder.ts';
import { lineFrame } from './encodings.ts';
import { type FaultPlan, isDue } from './faults.ts';
import { misfit } from './fitting.ts';
import { makeFolder } from './folders.ts';
import { lineBridge, speaker } from './line-bridge.ts';
import { mbapSlave, rtuSlave, type UnitWords } from './modbus-slave.ts';
import { type Port, plugPseudoTerminal, plugTcp, type Service } from './ports.ts';
import { registerMap, takesRegister } from './register-map.ts';
import {
  type BusType,
  busesOf,
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
  /** Names of files in devices/ by meter, for those that are not generic. */
  readonly profiles?: ReadonlyMap<string, string>;
  /** Serves the Modbus RTU bus as frames over TCP. */
  readonly rtuOverTcp?: boolean;
  /** Pause before each answer, in milliseconds of the wire; default 0. */
  readonly replyDelayMs?: number;
}

export interface World {
  readonly truth: Truth;
  /** YAML for the collector; also written to collector.yaml. */
  readonly settings: string;
  /** Simulated epoch ms, whole; never goes back. */
  now(): number;
  /** The dial that stands at a place at a simulated instant. Throws for a meter that is not of this world. */
  registerAt(meter: string, at: number): { register: number; count: number };
  /** Somebody lets water run behind the meter, in gallons a minute, or stops it (0). */
  tap(meter: string, gpm: number): void;
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

/** Shortest pause between two frames of a device that speaks by itself, in milliseconds of the wire, in fast time. */
const SPEAK_MIN_MS = 100;

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
  readonly #encoders = new Map<string, Encoder>();
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
      const encoder = new Encoder(point, options.faults ?? [], options.start);
      this.#encoders.set(point.truth.meter, encoder);
      this.#logged.set(point.truth.meter, options.start);
    }
    const meters = [...this.#points.values()].map((point) => point.truth);
    this.truth = new Truth(meters, join(options.folder, 'truth.ndjson'));
    for (const { bus, type } of busesOf(options.rtuOverTcp ?? false)) {
      const path = resolve(options.folder, `${bus}.tty`);
      const service = this.#service(bus, type);
      const last = Promise.resolve();
      this.#buses.set(bus, { type, path, service, port: undefined, number: 0, last });
    }
    for (const plan of options.faults ?? []) {
      if (plan.kind === 'unplug') this.#bus(plan.bus);
      else this.#point(plan.meter);
    }
  }

  async begin(): Promise<void> {
    const { folder, speed, start, brokerUrl, rtuOverTcp = false } = this.#options;
    for (const bus of this.#buses.keys()) await this.replug(bus);
    this.settings = collectorSettings({
      speed,
      real: this.#real,
      simulated: start,
      brokerUrl,
      outlets: busesOf(rtuOverTcp).map(({ bus, type }) => ({ ...this.#bus(bus), bus, type })),
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
    const { register, count } = this.#encoder(meter).standingAt(at);
    return { register, count };
  }

  tap(meter: string, gpm: number): void {
    const { water } = this.#point(meter);
    if (gpm > 0) water.openTap(this.now(), gpm);
    else water.closeTap(this.now());
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

  #encoder(meter: string): Encoder {
    const encoder = this.#encoders.get(meter);
    if (!encoder) throw new Error(`no such meter: ${meter}`);
    return encoder;
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
    const encoder = this.#encoder(meter);
    for (const { at, count } of encoder.passings(from, to)) this.truth.passed(meter, at, count);
    for (const swap of encoder.swaps(to)) {
      const { body } = swap;
      if (body === this.truth.swaps(meter).length + 2) this.truth.swap(swap);
      for (const { at, count } of encoder.passings(from, to, body)) {
        this.truth.passed(meter, at, count, body);
      }
    }
    this.#logged.set(meter, Math.max(from, to));
  }

  /** What a meter says now; null while it is silent. */
  #answer(encoder: Encoder): Answer | null {
    if (this.#silenced.has(encoder.point.truth.meter)) return null;
    return encoder.answerAt(this.now());
  }

  /** Latches a dial for the wire: this is the instant at which the meter answers. */
  #serve(encoder: Encoder, { at, body, register, count, id, unreadable }: Answer): void {
    const { meter } = encoder.point.truth;
    this.#logMeter(meter, at);
    encoder.spoken();
    if (unreadable) return;
    if (body === null) this.truth.serveStranger({ meter, at, register, id });
    else this.truth.serve({ meter, ...(body === 1 ? {} : { body }), at, register, count });
  }

  #service(bus: string, type: BusType): Service {
    const here = [...this.#encoders.values()].filter(({ point }) => point.truth.bus === bus);
    const units = new Map(here.map((encoder) => [encoder.point.unit, encoder]));
    if (!type.startsWith('line')) {
      const words = (unit: number): UnitWords | null => {
        const behind = here.filter(({ point }) => point.unit === unit);
        return behind.length > 0 ? this.#words(behind) : null;
      };
      return type.startsWith('modbus-rtu') ? rtuSlave(words) : mbapSlave(words);
    }
    const pause = speakingPause(here);
    if (pause !== undefined) {
      const everyMs = Math.max(SPEAK_MIN_MS, pause / this.#options.speed);
      return speaker(() => this.#frame(here), everyMs);
    }
    return lineBridge((address) => {
      const encoder = /^[1-9][0-9]*$/.test(address) ? units.get(Number(address)) : undefined;
      return encoder ? this.#frame([encoder]) : null;
    });
  }

  /** Simulated hours since the start. */
  #hours(): number {
    return (this.now() - this.#options.start) / 3_600_000;
  }

  /** One frame of the encoders behind one device; null when none of them speaks. */
  #frame(encoders: readonly Encoder[]): Buffer | null {
    const said: (Answer | null)[] = [];
    let frame: Buffer | null = null;
    for (const encoder of encoders) {
      const answer = this.#answer(encoder);
      if (answer === null) continue;
      const { device } = encoder.point;
      if (device.transport !== 'line') continue;
      said[(device.channel ?? 1) - 1] = answer;
      frame = lineFrame(device, said);
      this.#serve(encoder, answer);
    }
    const damaged = encoders.find((encoder) => encoder.isDamaged(this.now()));
    return frame && damaged ? damaged.damage(frame) : frame;
  }

  /**
   * The words of a Modbus device with its encoders, the channels without one at 0; null while all of them are silent. One
   * that is silent behind a device of others is one that the device cannot read.
   */
  #words(behind: readonly Encoder[]): UnitWords | null {
    const device = behind[0]?.point.device;
    if (device?.transport !== 'modbus') return null;
    const now = this.now();
    const heard = behind.map((encoder) => this.#answer(encoder));
    if (heard.every((answer) => answer === null)) return null;
    const said: (Answer | null)[] = [];
    for (const [i, encoder] of behind.entries()) {
      said[encoder.point.channel - 1] = heard[i] ?? encoder.unheardAt(now);
    }
    const asked = (address: number, quantity: number): Encoder[] =>
      behind.filter(({ point }) => takesRegister(device, point.channel, address, quantity));
    const legible = said.map((answer) => (answer?.unreadable ? null : (answer ?? null)));
    const held = registerMap(device, legible);
    const words = registerMap(device, said);
    const whole: UnitWords = {
      code: device.table === 'input' ? 4 : 3,
      has: (address) => held?.has(address) === true,
      latch: (address, quantity) => {
        const here = asked(address, quantity);
        for (const encoder of here) {
          const answer = said[encoder.point.channel - 1];
          if (answer) this.#serve(encoder, answer);
        }
        // A device without a word for it refuses the question for the channel that it cannot read, and no other.
        const refused = here.some(({ point }) => said[point.channel - 1]?.unreadable);
        return words ?? (refused ? null : held);
      },
    };
    const damaged = behind.find((encoder) => encoder.isDamaged(now));
    return damaged ? { ...whole, damage: (frame) => damaged.damage(frame) } : whole;
  }
}

/** Simulated milliseconds between two frames of a device that speaks by itself; undefined where none does. */
function speakingPause(encoders: readonly Encoder[]): number | undefined {
  for (const { point } of encoders) {
    if (point.device.transport !== 'line' || point.device.speaks_every_s === undefined) continue;
    return point.device.speaks_every_s * 1000;
  }
  return undefined;
}

/**
 * Builds the street and begins its time. Rejects when a port or the folder cannot be had; throws RangeError for a
 * number of meters that no street has, Error for a fault that names nothing in it or a profile that does not fit its bus.
 */
export async function buildWorld(options: WorldOptions): Promise<World> {
  if (!(options.meters >= METERS_MIN && options.meters <= METERS_MAX)) {
    throw new RangeError(
      `a street has ${METERS_MIN} to ${METERS_MAX} meters, not ${options.meters}`,
    );
  }
  const strange = misfit(options.profiles ?? new Map(), options.meters);
  if (strange !== undefined) throw new Error(strange);
  await makeFolder(options.folder);
  const street = new Street(options);
  try {
    await street.begin();
  } catch (error) {
    await street.close();
    throw error;
  }
  return street;
}
