// The whole collector on virtual time: the composition root over in-memory boundaries, simulated homes, and the truth beside it.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Audit, audit } from '../../simulator/audit.ts';
import { Household } from '../../simulator/household.ts';
import { Ledger } from '../../simulator/ledger.ts';
import { SimulatedMeter } from '../../simulator/meter.ts';
import { Random } from '../../simulator/random.ts';
import type { Bus, Clock, Supervisor } from '../../src/boundaries.ts';
import { createLineBus } from '../../src/bus/line-bus.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { BackupWriter } from '../../src/codec/backup.ts';
import { CR_FRAMING } from '../../src/codec/framer.ts';
import { keys, unseal } from '../../src/codec/journal-record.ts';
import { runCollector } from '../../src/collector.ts';
import type { Configuring } from '../../src/commands/config.ts';
import { faulty, good, type Result } from '../../src/domain/fault.ts';
import type { Profile } from '../../src/domain/profile.ts';
import type { Dial } from '../../src/domain/units.ts';
import { type Catalogue, type Language, sayIn } from '../../src/domain/words.ts';
import type { Polled } from '../../src/jobs/poll-bus.ts';
import { decodeMeta } from '../../src/journal/meta.ts';
import { restoreBackup } from '../../src/journal/restore-backup.ts';
import type { RunningCollector } from '../../src/parts.ts';
import type { BusSettings, MeterSettings, Settings } from '../../src/settings/settings.ts';
import { COMMAND_CHECK } from '../contract/command-check.ts';
import { assertRules } from '../contract/kept.ts';
import { CONTRACT } from '../contract/schemas.ts';
import { MemoryBroker } from '../fakes/memory-head-end.ts';
import { Medium } from '../fakes/memory-store.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { lineProfile, modbusProfile } from '../fakes/profiles.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { ScriptedLine } from '../fakes/scripted-line.ts';
import { ScriptedModbus } from '../fakes/scripted-modbus.ts';
import { type Life, VirtualClock } from '../fakes/virtual-clock.ts';

export const START = Date.UTC(2026, 5, 1);
export const HOUR = 3_600_000;

/** Beside package.json, also for what runs compiled in dist/. */
const LOCALES = join(CONTRACT, '..', '..', 'config', 'locales');
const wordsOf = (language: Language) =>
  sayIn(language, JSON.parse(readFileSync(join(LOCALES, `${language}.json`), 'utf8')) as Catalogue);
const WORDS = { en: wordsOf('en'), es: wordsOf('es') };

const FINE: Dial = { digits: 8, unit: 'ft3', pow10: -1 };
const COARSE: Dial = { digits: 4, unit: 'ft3', pow10: 2 };

/** What the dial showed when it was served. */
export interface ServedReading {
  readonly at: number;
  readonly register: number;
  readonly count: number;
}

export interface Place {
  readonly settings: MeterSettings;
  readonly meter: SimulatedMeter;
  readonly served: ServedReading[];
  silent: boolean;
}

export interface WorldOptions {
  readonly seed: number;
  readonly meters: number;
  readonly pollS?: number;
  /** What a head-end may do beside asking. */
  readonly commands?: { readonly operate: boolean; readonly configure: boolean };
  /** All meters on one line that this opens, addresses from 1, instead of some on each kind of bus. */
  readonly openLine?: (settings: BusSettings, clock: Clock, world: VirtualWorld) => Bus;
  /** Whether the latest readings are published. */
  readonly last?: boolean;
  /** The kind of that line; Modbus RTU unless said otherwise. */
  readonly lineType?: 'modbus-rtu' | 'line-serial';
  readonly watch?: (polled: Polled) => void;
  readonly supervisor?: Supervisor;
  /** The settings file and what can be done to it; absent: there is none. */
  readonly configuring?: (world: VirtualWorld) => Configuring;
  /** Holds each message against the contract; absent: its schemas do. */
  readonly check?: (topic: string, payload: string) => void;
}

/** A street of meters on buses, a broker and a medium that outlive the collector, all on one virtual clock. */
export class VirtualWorld {
  readonly clock = new VirtualClock(START);
  readonly broker: MemoryBroker;
  medium = new Medium();
  vault = new MemoryVault(this.medium);
  readonly log = new RecordingLog();
  readonly places: Place[];
  readonly settings: Settings;
  readonly #lines = new Map<string, ScriptedLine | ScriptedModbus>();
  readonly #unplugged = new Set<string>();
  readonly #seed: number;
  readonly #options: WorldOptions;
  #names = 0;
  #isBroken = false;
  #life: Life | null = null;
  #collector: RunningCollector | null = null;

  constructor(options: WorldOptions) {
    this.#seed = options.seed;
    this.#options = options;
    this.broker = new MemoryBroker(this.clock, options.check);
    const buses = busesFor(options.meters, typesOf(options));
    this.places = Array.from({ length: options.meters }, (_, i) => placeOf(i, options));
    this.settings = {
      utility: 'test',
      collector: 'COL-1',
      data: '',
      control: '',
      logLevel: 'info',
      time: { speed: 1, real: 0, simulated: 0, sync: 'assumed' },
      upstream: {
        url: '',
        protocol: 'auto',
        keepaliveS: 30,
        ackTimeoutS: 30,
        backlogPerS: 10,
        ack: 'auto',
        commands: options.commands ?? { operate: true, configure: true },
        smearS: 300,
        last: options.last ?? false,
        reconnectMaxS: 60,
      },
      journal: {
        ...{ commitS: 60, ballastMb: 8, incrementDays: 45, hourDays: 400, eventDays: 400 },
        ...{ maxMb: 1024, minFreeMb: 64, writeMbPerDay: 40 },
      },
      buses,
      meters: this.places.map((place) => place.settings),
    };
  }

  /** Starts the collector (again). */
  async start(): Promise<void> {
    await this.clock.runUntil(this.begin());
  }

  /** Begins to start the collector; it goes on as time does. */
  async begin(): Promise<void> {
    const life = this.clock.life();
    this.#life = life;
    this.#isBroken = false;
    const starting = runCollector(this.settings, {
      commandCheck: COMMAND_CHECK,
      expiries: async () => [],
      clock: life,
      wire: life.wire(),
      log: this.log,
      headEnd: this.broker.headEnd({ clock: life.wire() }),
      nextHeadEnd: () => this.broker.headEnd({ clock: life.wire() }),
      vault: this.vault,
      openBus: (bus) => this.#openBus(bus, life),
      serve: null,
      writeFile: async () => good(0),
      site: {
        sha256: (text) => createHash('sha256').update(text).digest('hex'),
        qrSvg: (text) => `<svg><title>${text}</title></svg>`,
        sayIn: async (language) => WORDS[language],
      },
      ...(this.#options.configuring && { configuring: this.#options.configuring(this) }),
      ...(this.#options.watch && { watch: this.#options.watch }),
      ...(this.#options.supervisor && { supervisor: this.#options.supervisor }),
      newName: () => {
        this.#names += 1;
        return `NAME${this.#names}`;
      },
      version: 'test',
    });
    this.#collector = await starting;
  }

  get running(): RunningCollector {
    if (!this.#collector) throw new Error('not started');
    return this.#collector;
  }

  /** Goes on with other settings; resolves when the collector does. */
  async reload(settings: Settings): Promise<void> {
    await this.clock.runUntil(this.running.reload(settings));
  }

  /** Begins to; it goes on as time does. */
  beginReload(settings: Settings): Promise<void> {
    return this.running.reload(settings);
  }

  /** A bug of the program: the buses of the next settings cannot be made, until it is started again. */
  breakBuses(): void {
    this.#isBroken = true;
  }

  /** The process dies between two instants: nothing it awaited ever settles, what was synced stays. */
  kill(kept = 0): void {
    this.#life?.halt();
    this.broker.vanish();
    this.medium.crash(kept);
  }

  async stop(): Promise<void> {
    if (this.#collector) await this.clock.runUntil(this.#collector.stop());
  }

  /** The backup of the journal of a collector that is stopped. */
  async backup(): Promise<readonly string[]> {
    const store = must(await this.medium.open());
    const writer = new BackupWriter();
    const { epoch = '' } = decodeMeta(must(await store.get(keys.meta))) ?? {};
    const next = Number(unseal(keys.nextRow, must(await store.get(keys.nextRow)) ?? ''));
    const head = { collector: 'COL-1', epoch, rows: next - 1, at: this.clock.trueNow() };
    const lines = [writer.head(head)];
    for await (const record of store.entries({ from: ' ', to: '~' })) {
      lines.push(writer.record(record));
    }
    await store.close();
    return [...lines, writer.end()].map((line) => line.slice(0, -1));
  }

  /** Puts a backup in the place of the journal of a collector that is stopped. */
  async restore(backup: readonly string[]): Promise<void> {
    this.medium = new Medium();
    this.vault = new MemoryVault(this.medium);
    const store = must(await this.medium.open());
    const answer = await restoreBackup({
      ...{ collector: 'COL-1', force: false },
      newEpoch: () => 'RESTORED',
      read: async function* () {
        yield* backup;
      },
      openPresent: async () => faulty('store.failed', 'none'),
      place: async (records) => {
        let count = 0;
        for await (const [key, value] of records) {
          must(await store.write([{ key, value }]));
          count += 1;
        }
        return good(count);
      },
    });
    if (!answer.ok) throw new Error(answer.message);
    await store.close();
  }

  run(hours: number): Promise<void> {
    return this.clock.run(this.clock.trueNow() + hours * HOUR);
  }

  silence(meter: string, silent: boolean): void {
    const place = this.places.find((one) => one.settings.meter === meter);
    if (place) place.silent = silent;
  }

  unplug(bus: string): void {
    this.#unplugged.add(bus);
    this.#lines.get(bus)?.unplug();
  }

  plugIn(bus: string): void {
    this.#unplugged.delete(bus);
    this.#lines.get(bus)?.plugIn();
  }

  async ask(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const answer = await this.clock.runUntil(this.running.commands.run(name, args));
    if (!answer.ok) throw new Error(answer.code);
    return answer.data;
  }

  /** What a head-end that heard everything keeps. */
  ledger(): Ledger {
    const ledger = new Ledger();
    for (const { topic, payload } of this.broker.received) ledger.take(topic, payload);
    return ledger;
  }

  /** The head-end's entries against the registers served, up to the hour's edge before `trueNow` less one. */
  audit(until?: number): Audit {
    assertRules(this.broker.received);
    const ledger = this.ledger();
    const served = new Map(this.places.map((one) => [one.settings.meter, one.served]));
    const truth = {
      meters: this.places.map(({ settings: { meter, dial } }) => ({ meter, ...dial })),
      served: (meter: string) => served.get(meter) ?? [],
    };
    return audit(truth, ledger.entries(), {
      installations: ledger.installations(),
      conflicts: ledger.conflicts,
      since: START,
      ...(until === undefined ? {} : { until }),
    });
  }

  /** SHA-256 over everything published, in order. */
  hash(): string {
    const hash = createHash('sha256');
    for (const { topic, payload, at } of this.broker.received)
      hash.update(`${at} ${topic} ${payload}\n`);
    return hash.digest('hex');
  }

  #openBus(bus: BusSettings, life: Life): Bus {
    if (this.#isBroken) throw new Error('a bug');
    const clock = life.wire();
    const { openLine } = this.#options;
    if (openLine) return openLine(bus, clock, this);
    const chance = new Random(`${this.#seed}/${bus.bus}`);
    const random = () => chance.next();
    const common = { clock, timeoutMs: bus.timeoutMs, reopenMaxMs: bus.reopenMaxMs, random };
    const line = bus.type.startsWith('line') ? new ScriptedLine(clock) : new ScriptedModbus(clock);
    this.#lines.set(bus.bus, line);
    if (this.#unplugged.has(bus.bus)) line.unplug();
    if (line instanceof ScriptedLine) {
      line.answer((request) => this.#speak(bus.bus, request));
      return createLineBus({ line, ...common });
    }
    line.answer(({ unit }) => {
      const words = this.words(bus.bus, unit);
      return words ? { words, afterMs: 30 } : 'silence';
    });
    return createModbusBus({ link: line, ...common });
  }

  /** What the Modbus meter of that unit has on its dial now; null when it is silent. */
  words(bus: string, unit: number): readonly number[] | null {
    const place = this.#placeAt(bus, String(unit));
    if (!place || place.silent) return null;
    const { register } = this.#serve(place);
    return place.settings.dial.digits === 4 ? [register] : [register >>> 16, register & 0xffff];
  }

  #speak(bus: string, request: string) {
    const bytes = this.message(bus, request.slice(1, -1));
    return bytes === null ? [] : [{ bytes, afterMs: 250 }];
  }

  /** What the encoder of that address says now; null when it is silent. */
  message(bus: string, address: string): string | null {
    const place = this.#placeAt(bus, address);
    if (!place || place.silent) return null;
    const { register } = this.#serve(place);
    const { digits } = place.settings.dial;
    const id = place.settings.registerId ?? '';
    const dial = String(register).padStart(digits, '0');
    return digits === 4 ? `R${dial}${id}\r` : `V;RB${dial};IB${id}\r`;
  }

  #placeAt(bus: string, address: string): Place | undefined {
    return this.places.find((one) => one.settings.bus === bus && one.settings.address === address);
  }

  #serve(place: Place): ServedReading {
    const at = this.clock.trueNow();
    const count = place.meter.countAt(at);
    const reading = { at, count, register: count % 10 ** place.settings.dial.digits };
    place.served.push(reading);
    return reading;
  }
}

const TYPES = ['line-serial', 'line-tcp', 'modbus-rtu', 'modbus-tcp'] as const;

type BusType = (typeof TYPES)[number];

const typesOf = ({ openLine, lineType = 'modbus-rtu' }: WorldOptions): readonly BusType[] =>
  openLine ? [lineType] : TYPES;

function busesFor(meters: number, types: readonly BusType[]): BusSettings[] {
  const serial = { path: '', baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  const peer = { host: '', port: 1 };
  return types.slice(0, meters).map((type, i) => ({
    ...{ bus: `bus-${i + 1}`, timeoutMs: 1_000, reopenMaxMs: 30_000 },
    ...(type === 'line-serial' || type === 'modbus-rtu' ? { type, serial } : { type, peer }),
  }));
}

function placeOf(i: number, options: WorldOptions): Place {
  const types = typesOf(options);
  const type = types[i % types.length] as BusType;
  const coarse = i % 6 === 5;
  const dial = coarse ? COARSE : FINE;
  const household = new Household({
    seed: `${options.seed}/${i}`,
    start: START - HOUR,
    leakGalPerHour: i === 0 ? 6 : 0,
    ...(coarse ? { homes: 60 } : {}),
  });
  const initial = i === 1 ? 99_999_950 : (i * 7_919_317) % 10 ** dial.digits;
  const profile: Profile = type.startsWith('line')
    ? { ...lineProfile('ui1203', CR_FRAMING), request: '#{address}\r', dial }
    : modbusProfile(coarse ? { type: 'u16', order: 'AB' } : { type: 'u32', order: 'ABCD' }, {
        dial,
      });
  return {
    settings: {
      meter: `SP-${String(i + 1).padStart(5, '0')}`,
      bus: `bus-${(i % types.length) + 1}`,
      profile,
      dial,
      address: String(Math.floor(i / types.length) + 1),
      ...(type.startsWith('line') ? { registerId: String(10_000_000 + i) } : {}),
      service: 'active',
      pollS: options.pollS ?? 900,
      toleranceS: 15,
      maxFlowPerH: coarse ? 400 : 2_406,
      jitter: 1,
      stuckDays: 10,
    },
    meter: new SimulatedMeter({ household, dial, initial }),
    served: [],
    silent: false,
  };
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.detail);
  return result.value;
}
