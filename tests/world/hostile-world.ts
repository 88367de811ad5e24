// The whole collector in a hostile world: its composition root over simulated boundaries that fail, on one virtual clock.

import { createHash, type Hash } from 'node:crypto';
import { HOUR_MS } from '../../simulator/entries.ts';
import type { Clock } from '../../src/boundaries.ts';
import { runCollector } from '../../src/collector.ts';
import { good } from '../../src/domain/fault.ts';
import type { Polled } from '../../src/jobs/poll-bus.ts';
import type { RunningCollector } from '../../src/parts.ts';
import type { BusSettings, Settings } from '../../src/settings/settings.ts';
import { COMMAND_CHECK } from '../contract/command-check.ts';
import { MemoryBroker, type Received } from '../fakes/memory-head-end.ts';
import { Medium } from '../fakes/memory-store.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { type Life, VirtualClock } from '../fakes/virtual-clock.ts';
import type { WorldOptions } from './options.ts';
import { StoringHeadEnd } from './storing-head-end.ts';
import { layBuses, layPlaces, meterOf, type Place, START } from './street.ts';
import { type BusIlls, newBusIlls, openBus } from './wires.ts';

/**
 * A stop that takes longer than ten seconds hangs, where nothing but the outside is slow: each of a few syncs and messages may
 * take as long as it takes.
 */
const STOP_MS = 10_000;
const LAST_SYNCS = 5;
const LAST_TRIPS = 4;

/** What an observer hears as it happens. */
export interface Watchers {
  onMessage(message: Received): void;
  onPolled(bus: string, polled: Polled): void;
  onViolation(code: string, text: string): void;
}

/** Something to be done at a true instant, one at a time: what takes time itself makes the next ones late. */
export interface Errand {
  readonly at: number;
  readonly act: () => void | Promise<void>;
}

/** Streets, broker and medium outlive the collectors that live on them, one after another. */
export class HostileWorld {
  readonly options: WorldOptions;
  readonly clock = new VirtualClock(START);
  readonly broker: MemoryBroker;
  readonly headEnd: StoringHeadEnd;
  readonly medium = new Medium();
  readonly vault = new MemoryVault(this.medium);
  readonly log = new RecordingLog('error', 200);
  readonly buses = layBuses();
  readonly places: readonly Place[];
  readonly busIlls = new Map<string, BusIlls>();
  /** How often each fault struck. */
  readonly fired: Record<string, number> = {};
  /** True instants before which times of the schedule may be compared with nothing: a step, a stop of the process. */
  disturbed = START;
  /** The wall clock has been wrong, and by how much. */
  readonly wallErrors = new Set<number>([0]);
  pollS: number;
  /** Places that the settings do not name for now. */
  readonly absent = new Set<string>();
  /** Meters whose cables, dial or body somebody is working on. */
  readonly taken = new Set<string>();
  /** The newest commands of the head-end. */
  readonly said: { readonly at: number; readonly topic: string; readonly payload: string }[] = [];
  rotten = 0;
  polls = 0;
  commands = 0;
  readonly #watchers: Watchers;
  readonly #hash: Hash = createHash('sha256');
  readonly #replug = new Map<string, () => void>();
  readonly #byAddress = new Map<string, Place>();
  readonly #byMeter: ReadonlyMap<string, Place>;
  #errands: Errand[] = [];
  #names = 0;
  /** When a process that stands still goes on. */
  #goesOnAt = 0;
  /** How long the medium takes for a sync now. */
  #syncMs = 0;
  #life: Life | null = null;
  #collector: RunningCollector | null = null;

  constructor(options: WorldOptions, watchers: Watchers) {
    const { seed, meters, pollS } = options;
    this.options = options;
    this.pollS = pollS;
    this.#watchers = watchers;
    this.places = layPlaces({ seed, meters, pollS, nearEnd: options.nearEnd });
    this.#byMeter = new Map(this.places.map((place) => [meterOf(place), place]));
    for (const place of this.places) {
      this.#byAddress.set(`${place.settings.bus}/${place.settings.address}`, place);
    }
    for (const { bus } of this.buses) this.busIlls.set(bus, newBusIlls());
    const trueClock = trueClockOf(this.clock);
    this.broker = new MemoryBroker(trueClock, () => undefined);
    this.broker.latencyMs = options.latencyMs;
    this.broker.willDelayMs = 60_000;
    this.broker.onMessage((message) => {
      this.#hash.update(`${message.at} ${message.topic} ${message.payload}\n`);
      watchers.onMessage(message);
    });
    this.headEnd = new StoringHeadEnd(this.broker, trueClock, options.ack);
    if (options.syncMs > 0) this.syncIn(options.syncMs);
  }

  trueNow(): number {
    return this.clock.trueNow();
  }

  get collector(): RunningCollector | null {
    return this.#collector;
  }

  get life(): Life | null {
    return this.#life;
  }

  hit(id: string): void {
    this.fired[id] = (this.fired[id] ?? 0) + 1;
  }

  violate(code: string, text: string): void {
    this.#watchers.onViolation(code, text);
  }

  /** So long from now. */
  later(ms: number, act: Errand['act']): void {
    const at = this.trueNow() + ms;
    const after = this.#errands.findIndex((one) => one.at > at);
    this.#errands.splice(after < 0 ? this.#errands.length : after, 0, { at, act });
  }

  /** Lives until `end`, doing the errands on the way. */
  async live(end: number): Promise<void> {
    for (let [next] = this.#errands; next && next.at <= end; [next] = this.#errands) {
      this.#errands.shift();
      if (next.at > this.trueNow()) await this.clock.run(next.at);
      await next.act();
    }
    if (end > this.trueNow()) await this.clock.run(end);
  }

  /** Everything that waits to be done is done now; what follows from it is done in its time. */
  async hurry(): Promise<void> {
    const due = this.#errands;
    this.#errands = [];
    for (const { act } of due) await act();
  }

  /** The installation that stands at a place by the collector's sound knowledge. */
  async standing(place: Place): Promise<{ inst: number; read: number | null } | undefined> {
    type Meter = { meter: string; inst: number | null; read: number | null };
    const status = (await this.ask('status')) as
      | { journal: { detail: string }; meters: Meter[] }
      | undefined;
    if (status?.journal.detail !== 'sound') return undefined;
    const found = status.meters.find(({ meter }) => meter === meterOf(place));
    return found && found.inst !== null ? { inst: found.inst, read: found.read } : undefined;
  }

  syncIn(ms: number): void {
    this.#syncMs = ms;
    this.medium.syncIn(ms > 0 ? () => this.clock.sleep(ms) : null);
  }

  /** Begins to start a collector; it goes on as time does. */
  async begin(): Promise<void> {
    const life = this.clock.life();
    this.#life = life;
    this.#collector = null;
    const starting = runCollector(this.#settings(), {
      expiries: async () => [],
      clock: life,
      wire: life.wire(),
      log: this.log,
      headEnd: this.broker.headEnd({ clock: life.wire() }),
      vault: this.vault,
      openBus: (bus) => this.#openBus(bus, life),
      serve: null,
      writeFile: async () => good(0),
      watch: (polled) => this.#watch(polled),
      newName: () => {
        this.#names += 1;
        return `NAME${this.#names}`;
      },
      commandCheck: COMMAND_CHECK,
      version: 'test',
    });
    starting.then(
      (collector) => {
        if (this.#life === life) this.#collector = collector;
        void collector.stopped.then(() => {
          if (this.#collector === collector) this.violate('I10', 'the collector ended by itself');
        });
      },
      (bug: unknown) => this.violate('bug', bug instanceof Error ? `${bug.stack}` : String(bug)),
    );
    // What dies at this very instant has come as far as it can without time.
    await this.clock.run(this.trueNow());
  }

  /** The process dies between two instants. Of what was not synced the first `kept` batches stay. */
  kill(kept: number): void {
    this.#collector = null;
    this.#life?.halt();
    this.#life = null;
    this.broker.vanish();
    this.medium.crash(kept);
  }

  /** The whole process stands still for so long. */
  suspend(ms: number): void {
    this.life?.suspend(ms);
    this.#goesOnAt = Math.max(this.#goesOnAt, this.trueNow() + ms);
  }

  /** Stops it in good order; one that is still starting is killed. */
  async stop(): Promise<void> {
    const collector = this.#collector;
    if (!collector) return this.kill(this.medium.unsynced);
    this.#collector = null;
    const stopped = collector.stop().then(() => true);
    const still = Math.max(0, this.#goesOnAt - this.trueNow());
    const mayTakeMs = STOP_MS + LAST_SYNCS * this.#syncMs + LAST_TRIPS * this.broker.latencyMs;
    const patience = this.clock.sleep(still + mayTakeMs).then(() => false);
    if (!(await this.clock.runUntil(Promise.race([stopped, patience])))) {
      this.violate('F53', `it did not stop within ${mayTakeMs} ms`);
    }
    this.kill(this.medium.unsynced);
  }

  async ask(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    if (!this.#collector) return undefined;
    const answer = await this.clock.runUntil(
      Promise.race([
        this.#collector.commands.run(name, args),
        this.clock.sleep(HOUR_MS).then(() => ({ ok: false, code: 'no answer' }) as const),
      ]),
    );
    return answer.ok ? answer.data : undefined;
  }

  /** The wall clock is put off by so much, or right again (0). */
  setWall(errorMs: number): void {
    this.disturb();
    this.clock.driftBy(0);
    this.clock.stepWall(Math.floor(this.trueNow()) - this.clock.now() + errorMs);
    this.wallErrors.add(errorMs);
  }

  disturb(): void {
    this.disturbed = this.trueNow();
  }

  replug(bus: string): void {
    this.#replug.get(bus)?.();
  }

  hash(): string {
    return this.#hash.copy().digest('hex');
  }

  #watch(polled: Polled): void {
    this.polls += 1;
    const place = this.#byMeter.get(polled.meter);
    if (place?.settings.bus) this.#watchers.onPolled(place.settings.bus, polled);
  }

  #openBus(settings: BusSettings, life: Life) {
    const { bus } = settings;
    return openBus(settings, life.wire(), {
      seed: this.options.seed,
      ills: this.busIlls.get(bus) as BusIlls,
      trueNow: () => Math.floor(this.trueNow()),
      wallNow: () => this.clock.now(),
      placeAt: (address) => this.#byAddress.get(`${bus}/${address}`),
      fired: (id) => this.hit(id),
      onOpen: (replug) => {
        this.#replug.set(bus, replug);
        replug();
      },
    });
  }

  /** Increments are kept for longer than a world lives, and not for much longer: a clock ahead makes them look old. */
  get incrementDays(): number {
    return this.options.days + 3;
  }

  #settings(): Settings {
    const meters = this.places.filter((place) => !this.absent.has(meterOf(place)));
    return {
      ...{ utility: 'test', collector: 'COL-1', data: '', control: '', logLevel: 'info' },
      time: { speed: 1, real: 0, simulated: 0, sync: 'assumed' },
      upstream: {
        ...{ url: '', protocol: 'auto', keepaliveS: 30, ackTimeoutS: 30, backlogPerS: 10 },
        ...{ ack: 'auto', smearS: 300, reconnectMaxS: 60 },
        commands: { operate: this.options.operate, configure: this.options.operate },
      },
      journal: {
        ...{ commitS: 60, ballastMb: 8, hourDays: 400, eventDays: 400 },
        incrementDays: this.incrementDays,
        ...{ maxMb: 1024, minFreeMb: 64, writeMbPerDay: 40 },
      },
      buses: this.buses,
      meters: meters.map(({ settings }) => ({ ...settings, pollS: this.pollS })),
    };
  }
}

/** A clock that no step of the wall clock touches, of a life that nobody ends. */
function trueClockOf(world: VirtualClock): Clock {
  const life = world.life();
  return {
    speed: life.speed,
    boot: life.boot,
    now: () => Math.floor(world.trueNow()),
    monotonicMs: () => life.monotonicMs(),
    synced: () => true,
    sleep: (ms, signal) => life.sleep(ms, signal),
    pause: (ms) => life.pause(ms),
  };
}
