// The composition root: settings to adapters to jobs; starts in order and stops in reverse.

import { setMaxListeners } from 'node:events';
import { AlertRules } from './alerts/rules.ts';
import { PlaceWatches } from './alerts/watches.ts';
import { Bell } from './bell.ts';
import type {
  Bus,
  Clock,
  Commands,
  HeadEnd,
  Journal,
  Log,
  Supervisor,
  Vault,
  Watches,
} from './boundaries.ts';
import type { CommandCheck } from './codec/command-message.ts';
import { crc32 } from './codec/crc32.ts';
import type { MeterFacts } from './codec/head-end-message.ts';
import { zoneOf } from './codec/time-zone.ts';
import type { Answerer, Args } from './commands/answer.ts';
import type { ToldBus } from './commands/bus-stats.ts';
import { type CommandClass, commandsOf, remoteCommand } from './commands/classes.ts';
import { createCommands, type LiveStatus } from './commands/commands.ts';
import type { CommissionParts } from './commands/commission.ts';
import type { Configuring } from './commands/config.ts';
import { type DoctorParts, examine, type PortSeen } from './commands/doctor.ts';
import { CommandInbox } from './commands/inbox.ts';
import { backupLines, type LocalParts, withLocal } from './commands/local.ts';
import type { ReadNow } from './commands/read.ts';
import { siteAnswerers, withAnswerers } from './commands/site.ts';
import type { MeterRules } from './domain/advance.ts';
import type { Evidence } from './domain/alarms.ts';
import type { Fault } from './domain/fault.ts';
import type { Health } from './domain/health.ts';
import type { ScanWish } from './domain/scan.ts';
import type { Scorecard } from './domain/scorecard.ts';
import { HOUR_MS, hourOf } from './domain/units.ts';
import { UTC } from './domain/usage/civil.ts';
import { AskedReads } from './jobs/asked-reads.ts';
import { BusScansOf } from './jobs/bus-scans.ts';
import { commitGroups } from './jobs/commit-groups.ts';
import { type ForwardParts, forwardNews } from './jobs/forward.ts';
import { forwardBacklog, WINDOW } from './jobs/forward-backlog.ts';
import { keepJournal } from './jobs/keep-journal.ts';
import { passHours } from './jobs/pass-hours.ts';
import { type Polled, type PollRecord, passAbsence, pollBus } from './jobs/poll-bus.ts';
import type { Refusals } from './jobs/refused.ts';
import { tellHealth } from './jobs/tell-health.ts';
import { tellLast } from './jobs/tell-last.ts';
import { tellScorecards } from './jobs/tell-scorecard.ts';
import { thinJournal } from './jobs/thin-journal.ts';
import { type CertificateParts, watchCertificates } from './jobs/watch-certificates.ts';
import { Watchdog } from './jobs/watchdog.ts';
import type { JournalParts } from './journal/books.ts';
import { createJournal } from './journal/journal.ts';
import type { MeteredPlace } from './pipeline.ts';
import type { OpenedScan } from './scanning.ts';
import { meterEntry } from './settings/meter-entry.ts';
import { expectedReadMs } from './settings/read-time.ts';
import type { BusSettings, MeterSettings, Settings } from './settings/settings.ts';
import { faultTold, healthOf, limitsOf, statusOf } from './telling.ts';
import { createUpstream, type RunningUpstream } from './upstream/upstream.ts';

/** Everything outside the collector. The daemon gets real parts, simulations get others; the root is the same. */
export interface Parts {
  /** The schedule's clock. */
  readonly clock: Clock;
  /** The wire's clock, at speed 1. */
  readonly wire: Clock;
  readonly log: Log;
  readonly headEnd: HeadEnd;
  /** Another way to it, after a change of settings; absent where they never change. */
  readonly nextHeadEnd?: (settings: Settings) => HeadEnd;
  /** Where the journal's store lies. */
  readonly vault: Vault;
  readonly openBus: (settings: BusSettings) => Bus;
  /** Prepares a scan of a bus; absent where nobody can. */
  readonly openScan?: (
    settings: BusSettings,
    wish: ScanWish,
  ) => Promise<OpenedScan | { readonly problem: string }>;
  /** Opens the door for the command line, or none. */
  readonly serve: ((commands: Commands) => Promise<Door>) | null;
  /** Opens the web console over what the collector lends it; absent: none. */
  readonly openConsole?: (lent: LentToConsole) => Promise<Door>;
  /** Writes a file for a person at the command line. */
  readonly writeFile: LocalParts['writeFile'];
  /** The settings file and the log's level, where they can be changed. */
  readonly configuring?: Configuring;
  /** The certificates that the settings name, and when each is over. */
  readonly expiries: (settings: Settings) => ReturnType<CertificateParts['expiries']>;
  /** What holds commands against the published schema. */
  readonly commandCheck: () => Promise<CommandCheck>;
  /** Text never given before, for epochs and sessions. */
  readonly newName: () => string;
  /** Told of every read, where somebody watches. */
  readonly watch?: (polled: Polled) => void;
  readonly supervisor?: Supervisor;
  readonly version: string;
  /** What commissionings and their reports are made with; absent where there are none. */
  readonly site?: SiteParts;
}

/** Tools for work on site. */
export interface SiteParts extends Pick<CommissionParts, 'sha256' | 'qrSvg' | 'sayIn'> {
  /** Looks at the port of a bus from outside. */
  readonly lookAtPort?: (bus: BusSettings) => Promise<PortSeen>;
  /** One connection to the broker, beside the collector's. */
  readonly tryUpstream?: (
    settings: Settings,
  ) => ReturnType<NonNullable<DoctorParts['tryUpstream']>>;
}

/** The way in for the command line; `problem` says in words why there is none. */
export interface Door {
  readonly problem: string | null;
  close(): Promise<void>;
}

/** What the web console works with. */
export interface LentToConsole {
  readonly collector: string;
  readonly version: string;
  readonly commands: Commands;
  /** Tells an event of the collector itself (C4), and has it written. */
  readonly tell: (event: {
    readonly code: 'command.executed' | 'login.failed';
    readonly severity: 'info' | 'minor';
    readonly data: Evidence;
  }) => Promise<void>;
  readonly backup: () => AsyncIterable<string>;
}

export interface RunningCollector {
  readonly commands: Commands;
  /** Resolves when it has ended, asked for or because a job failed. */
  readonly stopped: Promise<void>;
  /** Stops polling, writes what is staged, says goodbye to the head-end. Idempotent. */
  stop(): Promise<void>;
  /**
   * Goes on with other settings over the journal that is open, away from the hour's edge; resolves when it does. Whose journal
   * it is, where it lies and what the time is stay as they are.
   */
  reload(settings: Settings): Promise<void>;
  /** Milliseconds of the schedule until a reload would disturb no read for an hour's edge. */
  reloadInMs(): number;
}

/** The start waits so long for the journal, in milliseconds of the wire; then the collector polls without it. */
const OPEN_WAIT_MS = 3_000;
/** A medium that cannot be opened is tried again after this long, in milliseconds of the wire. */
const OPEN_RETRY_MS = 2_000;
/** The same trouble is told again after this long. */
const OPEN_TELL_MS = 60_000;

/**
 * Starts a collector over the given parts. Resolves once it polls, with its journal or, where that cannot be opened,
 * without: registers are absolute, what passes meanwhile is told later. Waits only for another collector to be stopped.
 */
export async function runCollector(settings: Settings, parts: Parts): Promise<RunningCollector> {
  const { log } = parts;
  const halt = new AbortController();
  const core = layJournal(settings, parts);
  const { journal, absence } = core;
  await openPatiently(journal, parts, halt.signal);
  await absence.passing.then(() => (journal.isSound() ? journal.flush() : undefined));
  let life = prepareLife(settings, parts, core);
  let reloading: Promise<void> = Promise.resolve();
  const inner: Commands = { run: (name, args) => life.local.run(name, args) };
  const site = siteOf(parts, journal, inner, () => life.settings);
  const doctor = (args: Args) => inner.run('doctor', args);
  const commands = withAnswerers(
    { run: (name, args) => life.commands.run(name, args) },
    { ...site, doctor },
  );
  const local = withAnswerers(inner, site);
  const door = await parts.serve?.(local);
  tellClosedDoor(door, log, 'the command line cannot reach this collector');
  const console = await parts.openConsole?.(lentToConsole(settings, parts, journal, local));
  tellClosedDoor(console, log, 'the console is not open');
  const keeping = lookAfter(core, settings, parts, core.last.signal);
  const supervised = supervise(async () => {
    halt.abort('stopping');
    await reloading;
    await life.end();
    core.last.abort('stopping');
    await Promise.allSettled(keeping);
    await console?.close();
    await door?.close();
    await journal.close();
    log.info({}, 'stopped');
  }, log);
  supervised.watch([...life.start(), ...keeping]);
  log.info({ collector: settings.collector, meters: settings.meters.length }, 'collecting');
  const change = async (next: Settings) => {
    await parts.clock.sleep(quietInMs(life.settings, parts.clock), halt.signal);
    if (halt.signal.aborted) return;
    await life.giveWay();
    journal.letGo();
    await journal.flush();
    life = prepareLife(next, parts, core);
    supervised.watch(life.start());
  };
  return {
    ...{ commands, stop: supervised.stop, stopped: supervised.stopped },
    reload(next) {
      const after = reloading.then(() => change(next));
      reloading = after.catch(() => undefined);
      // A collector that could not go on with other settings has ended: who supervises it starts it again.
      supervised.watch([after]);
      return after;
    },
    reloadInMs: () => quietInMs(life.settings, parts.clock),
  };
}

/** The commands of work on site: they outlive a change of settings, which they may bring about. */
function siteOf(
  { site, clock, wire, version }: Parts,
  journal: Journal,
  local: Commands,
  settings: () => Settings,
): ReturnType<typeof siteAnswerers> {
  if (!site) return {};
  const { collector, utility } = settings();
  const { lookAtPort } = site;
  return siteAnswerers({
    ...{ ...site, journal, clock, wire, collector, utility, version },
    run: (name, args) => local.run(name, args),
    lookAtPort: async (name) => {
      const bus = settings().buses.find((one) => one.bus === name);
      return (bus && (await lookAtPort?.(bus))) ?? null;
    },
  });
}

/** `doctor` over these settings, where there are tools for it; `queue` is absent where no collector runs. */
export function doctorOf(
  settings: Settings,
  { site, clock, wire, expiries }: Pick<Parts, 'site' | 'clock' | 'wire' | 'expiries'>,
  of: Pick<DoctorParts, 'journal' | 'buses' | 'queue'>,
): Readonly<Record<string, Answerer>> {
  if (!site) return {};
  const { upstream, journal, buses } = settings;
  const { lookAtPort, tryUpstream } = site;
  const parts: DoctorParts = {
    ...{ ...of, clock, wire, limits: limitsOf(settings), wearBudget: journal.writeMbPerDay * 1e6 },
    ...{ url: upstream.url, expiries: () => expiries(settings), sayIn: site.sayIn },
    lookAtPort: async (name) => {
      const bus = buses.find((one) => one.bus === name);
      return (bus && (await lookAtPort?.(bus))) ?? null;
    },
    ...(tryUpstream && { tryUpstream: () => tryUpstream(settings) }),
  };
  return { doctor: (args) => examine(parts, args) };
}

/** The buses of settings whose collector does not run: nothing is known of them but what stands there. */
export function idleBuses({ buses, meters }: Settings): readonly ToldBus[] {
  return buses.map((bus) => {
    const here = meters.filter((meter) => meter.bus === bus.bus);
    return {
      ...{ bus: bus.bus, type: bus.type, kind: kindOf(bus), timeoutMs: bus.timeoutMs },
      conversation: { link: () => ({ open: false, detail: 'the collector is not running' }) },
      addresses: new Map(here.map(({ meter, address }) => [meter, address])),
    };
  });
}

/** A change of settings takes about so long, in milliseconds of the wire. */
const CHANGE_MS = 5_000;
/** Beyond the round of reads for an hour's edge it is left alone for so long, in milliseconds of the wire. */
const EDGE_SPARE_MS = 30_000;
/** However long a round is, an hour has half its time for a change. */
const EDGE_CLEAR_MAX_MS = HOUR_MS / 4;

/** Milliseconds of the schedule until no bus reads for an hour's edge; 0 where time runs too fast to find such a moment. */
function quietInMs(settings: Settings, clock: Clock): number {
  const rounds = settings.buses.map((bus) => {
    const here = settings.meters.filter((meter) => meter.bus === bus.bus);
    return here.reduce((sum, meter) => sum + expectedReadMs(meter, bus), 0);
  });
  const tolerances = settings.meters.map(({ toleranceS }) => toleranceS * 1000);
  const wireMs = Math.max(0, ...rounds) + EDGE_SPARE_MS;
  const clear = Math.min(EDGE_CLEAR_MAX_MS, wireMs * clock.speed + Math.max(0, ...tolerances));
  if (CHANGE_MS * clock.speed > EDGE_CLEAR_MAX_MS) return 0;
  const past = clock.now() - hourOf(clock.now());
  if (past < clear) return clear - past;
  return HOUR_MS - past < clear ? HOUR_MS - past + clear : 0;
}

/** What outlives a change of settings: the journal, and who looks after it. */
type Core = ReturnType<typeof layJournal>;

/** The collector under one set of settings. */
interface Life {
  readonly settings: Settings;
  /** For every door, and for those at the collector itself. */
  readonly commands: Commands;
  readonly local: Commands;
  start(): readonly Promise<void>[];
  /** Stops polling, then sending. */
  end(): Promise<void>;
  /** Stops sending, which may take seconds, then polling, which the next life goes on with at once. */
  giveWay(): Promise<void>;
}

function prepareLife(settings: Settings, parts: Parts, core: Core): Life {
  const { clock, wire, log } = parts;
  const { journal, began } = core;
  const isFirst = core.lives === 0;
  core.lives += 1;
  const headEnd = isFirst ? parts.headEnd : (parts.nextHeadEnd?.(settings) ?? parts.headEnd);
  if (!isFirst) core.watch(settings);
  const { places, watches } = core.watched();
  const stir = new Bell();
  const allowed = allowedClasses(settings);
  const upstream = createUpstream({
    ...upstreamParts(settings, { ...parts, headEnd }, journal),
    ...{ journal, commands: commandsOf(allowed), stir: () => stir.ring() },
    onCommand: (message, name) => inbox.take(message, name),
  });
  const buses = openBuses(settings, parts);
  const records = new Map<string, PollRecord>();
  const refusals = { rows: 0, detail: '' };
  const forward: ForwardParts = {
    ...{ refusals, journal, upstream, clock, wire, log, collector: settings.collector, stir },
    ...{ smearMs: settings.upstream.smearS * 1000, backlogPerS: settings.upstream.backlogPerS },
  };
  watchLink(headEnd, journal, settings, stir);
  const told = buses.map((bus) => toldOf(bus, parts.openScan));
  const telling = { ...parts, headEnd };
  const status = () =>
    statusOf(settings, telling, journal, told, records, { ...refusals, unsaid: upstream.unsaid() });
  const placesByMeter = new Map(places.map((place) => [place.target.meter, place]));
  const health = () => healthOf(settings, telling, { journal, buses: told, records, began });
  const live = liveOf(settings, telling, {
    ...{ status, buses, told, upstream, stir, records, refusals },
  });
  const commands = createCommands(journal, live, { clock, places: placesByMeter, watches });
  const inbox = inboxOf({ ...parts, commands, journal, allowed, upstream });
  const ofItself = { ...parts, journal, upstream, records, health };
  return {
    ...{ settings, commands },
    local: withAnswerers(
      withLocal(commands, journal, localParts(settings, parts)),
      doctorOf(settings, parts, { journal, buses: told, queue: live.queue }),
    ),
    ...startAndEnd(buses, upstream, wire, (halt, last, hear) => {
      core.announce(() => upstream.announce());
      upstream.start();
      const watchdog = watchdogOf(settings, parts, upstream, records);
      core.watchdog = watchdog;
      const polled = { journal, watches, buses, records, places: placesByMeter, watchdog };
      const polling = startPolling(settings, parts, polled, halt);
      const sending = [
        forwardNews(forward, last),
        forwardBacklog(forward, last),
        upstream.watchAcks(last),
        inbox.work(hear),
        ...tellOfItself(settings, ofItself, last),
      ];
      return { polling, sending };
    }),
  };
}

/** At a stop, what is on its way to the broker gets so long of the wire to be acknowledged; then the link is ended. */
const STOP_SENDING_MS = 2_000;

/** Begins the jobs of a life, and ends them: polling by `halt`, sending by `last`, and what the head-end asks for by `hear`. */
function startAndEnd(
  buses: readonly OpenBus[],
  upstream: RunningUpstream,
  wire: Clock,
  begin: (
    halt: AbortSignal,
    last: AbortSignal,
    hear: AbortSignal,
  ) => Readonly<Record<'polling' | 'sending', readonly Promise<void>[]>>,
): Pick<Life, 'start' | 'end' | 'giveWay'> {
  const [halt, last, hear] = [0, 1, 2].map(() => new AbortController()) as [
    AbortController,
    AbortController,
    AbortController,
  ];
  // Every bus and job listens on these; Node would warn from the eleventh.
  setMaxListeners(0, halt.signal, last.signal);
  let jobs: ReturnType<typeof begin> = { polling: [], sending: [] };
  const stopPolling = async () => {
    halt.abort('stopping');
    await Promise.allSettled(jobs.polling);
    for (const { bus } of buses) await bus.close();
  };
  const stopSending = async () => {
    hear.abort('stopping');
    last.abort('stopping');
    const ended = Promise.allSettled(jobs.sending);
    const late = new AbortController();
    await Promise.race([ended, wire.sleep(STOP_SENDING_MS, late.signal)]);
    late.abort('over');
    // What no broker has acknowledged by now settles with the link, and stays pending.
    await upstream.stop();
    await ended;
  };
  return {
    start() {
      jobs = begin(halt.signal, last.signal, hear.signal);
      return [...jobs.polling, ...jobs.sending];
    },
    async end() {
      hear.abort('stopping');
      await stopPolling();
      await stopSending();
    },
    async giveWay() {
      await stopSending();
      await stopPolling();
    },
  };
}

/** What only a running collector tells and does for its commands. */
function liveOf(
  settings: Settings,
  { configuring, headEnd }: Pick<Parts, 'configuring' | 'headEnd'>,
  running: {
    readonly status: () => Promise<object>;
    readonly buses: readonly OpenBus[];
    readonly told: readonly ToldBus[];
    readonly upstream: RunningUpstream;
    readonly stir: Bell;
    readonly records: ReadonlyMap<string, PollRecord>;
    readonly refusals: Refusals;
  },
): LiveStatus {
  const { status, buses, told, upstream, stir, records, refusals } = running;
  const entries = new Map(settings.meters.map((meter) => [meter.meter, meterEntry(meter)]));
  return {
    ...{ status, readNow: readersOf(buses), buses: told },
    ...(configuring && { configuring }),
    sending: { announceBirth: () => upstream.announceBirth(), stir: () => stir.ring() },
    meterLive: (meter) => ({
      settings: entries.get(meter) ?? null,
      fault: faultTold(records.get(meter)),
    }),
    queue: () => ({
      ...{ connected: headEnd.isConnected(), detail: headEnd.linkState() },
      ...{ refused: refusals.rows, refusedWhy: refusals.detail, unsaid: upstream.unsaid() },
      ...{ messagesPerS: settings.upstream.backlogPerS, window: WINDOW },
      awaitingAck: upstream.awaiting(),
      isWithBroker: (row) => upstream.isWithBroker(row),
    }),
  };
}

/** What it tells by itself: how it fares, how well it read, what will be over soon. */
function tellOfItself(
  settings: Settings,
  parts: Pick<Parts, 'clock' | 'wire' | 'log' | 'expiries'> & {
    readonly journal: Journal;
    readonly upstream: RunningUpstream;
    readonly records: ReadonlyMap<string, PollRecord>;
    readonly health: () => Promise<Health>;
  },
  signal: AbortSignal,
): Promise<void>[] {
  const { clock, upstream, records, health } = parts;
  return [
    tellHealth({ ...healthParts(settings, upstream, health), clock }, signal),
    tellScorecards({ ...parts, ...scorecardParts(settings, upstream, records) }, signal),
    watchCertificates({ ...parts, expiries: () => parts.expiries(settings) }, signal),
    ...(settings.upstream.last === true
      ? [tellLast({ ...parts, ...lastParts(upstream) }, signal)]
      : []),
  ];
}

const lastParts = (upstream: RunningUpstream) => ({
  isConnected: () => upstream.isConnected(),
  tell: (meter: string) => upstream.tellLast(meter),
});

function scorecardParts(
  { meters, alerts }: Settings,
  upstream: RunningUpstream,
  records: ReadonlyMap<string, PollRecord>,
) {
  const zone = alerts?.timezone ? zoneOf(alerts.timezone) : null;
  return {
    zone: zone ?? UTC,
    meters: meters.flatMap(({ meter, bus, pollS }) =>
      bus ? [{ meter, pollMs: pollS * 1000 }] : [],
    ),
    faultOf: (meter: string) => records.get(meter)?.fault?.code ?? null,
    isConnected: () => upstream.isConnected(),
    tell: (card: Scorecard) => upstream.tellScorecard(card),
  };
}

/** A new link stirs the backlog; a second client of our name is told (E2). */
function watchLink(headEnd: HeadEnd, journal: Journal, { collector }: Settings, stir: Bell): void {
  headEnd.onConnect(() => stir.ring());
  headEnd.onTakeover((why) => {
    const data = { client_id: collector, why, clears: 'one collector for one id' };
    journal.note({ code: 'takeover_suspected', severity: 'major', data });
  });
}

/** The journal with all meters declared, not open yet, and what goes on over it from one set of settings to the next. */
function layJournal(settings: Settings, { vault, clock, wire, log, newName }: Parts) {
  const absence = { isPassed: false, passing: Promise.resolve() };
  let announce = () => {};
  let watches: PlaceWatches;
  let places: readonly MeteredPlace[] = [];
  const journal = createJournal({
    ...journalParts(settings, vault, clock, newName),
    // Before any reading is taken in: the hours that nobody polled are closed as cut by power.
    onOpen() {
      watches.forget();
      if (!absence.isPassed) absence.passing = passAbsence(places, { journal, clock, log });
      absence.isPassed = true;
      announce();
    },
  });
  const core = {
    ...{ journal, absence, began: wire.monotonicMs(), last: new AbortController(), lives: 0 },
    watchdog: undefined as Watchdog | undefined,
    limits: limitsOf(settings),
    watched: () => ({ places, watches }),
    /** From now on the places of these settings stand in the journal and are watched, and it is thinned, by their rules. */
    watch(now: Settings): void {
      places = now.meters.map(placeOf);
      watches = watchesOf(now, journal, clock);
      Object.assign(core.limits, limitsOf(now));
      for (const { target, rules } of places) {
        const { meter, dial, registerId = null } = target;
        journal.declare(meter, { dial, registerId }, rules);
      }
    },
    announce(act: () => void) {
      announce = act;
    },
  };
  setMaxListeners(0, core.last.signal);
  core.watch(settings);
  return core;
}

function healthParts(
  { collector }: Settings,
  upstream: RunningUpstream,
  health: () => Promise<Health>,
) {
  const tell = async () => upstream.tellHealth(await health());
  return { collector, isConnected: () => upstream.isConnected(), tell };
}

/** The watches over leaks and use, by the settings' rules. */
export function watchesOf(settings: Settings, journal: Journal, clock: Clock): PlaceWatches {
  const meters = settings.meters.map(({ meter, service, alerts }) => {
    return [meter, { usage: {}, ...alerts, service }] as const;
  });
  const rules = new AlertRules(journal, settings.alerts, new Map(meters));
  return new PlaceWatches(journal, rules, () => clock.now());
}

/** The loop of each bus, and the one for dials that only people read. */
function startPolling(
  settings: Settings,
  { clock, log, watch }: Parts,
  polled: {
    readonly journal: Journal;
    readonly watches: Watches;
    readonly buses: readonly OpenBus[];
    readonly records: Map<string, PollRecord>;
    readonly places: ReadonlyMap<string, MeteredPlace>;
    readonly watchdog: Watchdog | undefined;
  },
  signal: AbortSignal,
): Promise<void>[] {
  const { journal, watches, buses, records, places, watchdog } = polled;
  const placed = (meters: readonly MeterSettings[]) =>
    meters.flatMap(({ meter }) => places.get(meter) ?? []);
  const loops = buses.map((open) => {
    const { bus, asked, scans, meters } = open;
    const plan = {
      ...{ bus, asked, scans, expectMs: expectedOn(open), journal, watches, clock, log },
      ...{ timeoutMs: open.settings.timeoutMs, parallel: bus.atOnce ?? 1, places: placed(meters) },
      ...(watch && { watch }),
      ...(watchdog && { turned: () => watchdog.turned(open.settings.bus) }),
    };
    return pollBus(plan, records, signal);
  });
  const unasked = placed(settings.meters.filter(({ bus }) => bus === null));
  const turned = () => watchdog?.turned(PEOPLE);
  return [...loops, passHours(unasked, { journal, clock, log, turned }, signal)];
}

/** Among the buses, the dials that people read. */
const PEOPLE = '(read by people)';

/** Signs of life for who started it; none where nobody did. */
function watchdogOf(
  settings: Settings,
  { supervisor, wire: clock, log }: Parts,
  upstream: RunningUpstream,
  records: ReadonlyMap<string, PollRecord>,
): Watchdog | undefined {
  if (!supervisor) return undefined;
  const status = () => {
    const failing = [...records.values()].filter(({ fault }) => fault !== null).length;
    const way = upstream.isConnected() ? 'head-end connected' : 'head-end away';
    return `${settings.meters.length} meters, ${failing} not answering, ${way}`;
  };
  const isByPeople = settings.meters.some(({ bus }) => bus === null);
  const loops = [...settings.buses.map(({ bus }) => bus), ...(isByPeople ? [PEOPLE] : [])];
  return new Watchdog({ supervisor, clock, log, loops, status });
}

/** What the way up needs of the settings and the outside. */
function upstreamParts(settings: Settings, parts: Parts, journal: Journal) {
  const { headEnd, clock, wire, log, version, newName } = parts;
  const { utility, collector, upstream } = settings;
  return {
    ...{ headEnd, clock, wire, log, utility, collector, ack: upstream.ack },
    ...{ session: newName(), software: version },
    configRevision: crc32(JSON.stringify(settings)).toString(16),
    meters: new Map(settings.meters.map((meter) => [meter.meter, liveFacts(meter, journal)])),
  };
}

/** The head-end's door to `commands`. */
function inboxOf(
  parts: Pick<Parts, 'clock' | 'wire' | 'log' | 'commandCheck'> & {
    readonly commands: Commands;
    readonly journal: Journal;
    readonly allowed: readonly CommandClass[];
    readonly upstream: RunningUpstream;
  },
): CommandInbox {
  const { allowed, upstream } = parts;
  return new CommandInbox({
    ...parts,
    loadCheck: parts.commandCheck,
    known: (name) => {
      const found = remoteCommand(name);
      if (!found) return undefined;
      const { does, kind } = found;
      return { does, allowed: allowed.includes(kind), isRead: kind === 'read' };
    },
    answer: (answer, to) => upstream.answer(answer, to),
  });
}

/** The head-end may ask; what else it may, the owner says (C3). */
function allowedClasses({ upstream: { commands } }: Settings): CommandClass[] {
  return ['read', ...(['operate', 'configure'] as const).filter((kind) => commands[kind])];
}

/** A bus with what hangs on it, and the door for reads that a person asks for. */
interface OpenBus {
  readonly settings: BusSettings;
  readonly bus: Bus;
  readonly asked: AskedReads;
  readonly scans: BusScansOf;
  readonly meters: readonly MeterSettings[];
}

function openBuses(settings: Settings, parts: Parts): OpenBus[] {
  const { clock, wire } = parts;
  return settings.buses.map((settingsOf) => {
    const bus = parts.openBus(settingsOf);
    const scans = new BusScansOf({ wire, rest: async () => bus.rest?.() });
    return {
      ...{ settings: settingsOf, bus, asked: new AskedReads(clock), scans },
      meters: settings.meters.filter((meter) => meter.bus === settingsOf.bus),
    };
  });
}

/** What the commands tell of a bus. */
function toldOf({ settings, bus, scans, meters }: OpenBus, openScan: Parts['openScan']): ToldBus {
  const { type, timeoutMs } = settings;
  const kind = kindOf(settings);
  const addresses = new Map(meters.map(({ meter, address }) => [meter, address]));
  const scan = openScan && { scans, open: (wish: ScanWish) => openScan(settings, wish) };
  return {
    ...{ bus: settings.bus, type, kind, timeoutMs, conversation: bus, addresses },
    ...(scan && { scan }),
  };
}

function kindOf({ type }: BusSettings): ToldBus['kind'] {
  const kinds = { 'line-serial': 'line', 'line-tcp': 'line', 'modbus-tcp': 'tcp' } as const;
  return type === 'modbus-rtu' || type === 'modbus-rtu-tcp' ? 'rtu' : kinds[type];
}

/** How long the read of a place on this bus is expected to take. */
function expectedOn({ settings, meters }: OpenBus): (place: MeteredPlace) => number {
  const ms = new Map(meters.map((meter) => [meter.meter, expectedReadMs(meter, settings)]));
  return ({ target }) => ms.get(target.meter) ?? settings.timeoutMs;
}

function readersOf(buses: readonly OpenBus[]): ReadNow {
  const doors = new Map(
    buses.flatMap(({ asked, meters }) => meters.map(({ meter }) => [meter, asked])),
  );
  return (meter, withinMs) => doors.get(meter)?.ask(meter, withinMs);
}

function tellClosedDoor(door: Door | undefined, log: Log, what: string): void {
  const problem = door?.problem;
  if (problem) log.error({ problem }, what);
}

function lentToConsole(
  settings: Settings,
  parts: Parts,
  journal: Journal,
  commands: Commands,
): LentToConsole {
  return {
    ...{ collector: settings.collector, version: parts.version, commands },
    // Who did what is on the medium before it is told as done; a disk that fails keeps nobody out.
    async tell(event) {
      journal.note(event);
      await journal.flush();
    },
    backup: () => backupLines(journal, localParts(settings, parts)),
  };
}

/** The jobs that write the journal, prove it and keep it small. */
function lookAfter(
  core: Core,
  settings: Settings,
  { vault, clock, wire, log }: Parts,
  signal: AbortSignal,
): Promise<void>[] {
  const { journal } = core;
  const writing = (is: boolean) => core.watchdog?.writing(is);
  return [
    commitGroups(
      { journal, wire, log, speed: clock.speed, writing },
      settings.journal.commitS * 1000,
      signal,
    ),
    keepJournal({ journal, vault, clock, wire, log }, signal),
    thinJournal({ journal, clock, wire, log }, core.limits, signal),
  ];
}

/** Ends everything once, when asked or when a job fails, which it never does for reasons of the world. */
function supervise(end: () => Promise<void>, log: Log) {
  let ending: Promise<void> | null = null;
  let over: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    over = resolve;
  });
  const stop = () => {
    ending ??= end().finally(over);
    return ending;
  };
  const watch = (jobs: readonly Promise<void>[]) => {
    Promise.all(jobs).catch((bug: unknown) => {
      log.error({ error: bug instanceof Error ? bug.stack : String(bug) }, 'a job failed');
      return stop();
    });
  };
  return { stop, stopped, watch };
}

/** Opens the journal, or leaves it to be opened later; a journal that another collector holds is waited for. */
async function openPatiently(
  journal: Journal,
  { wire, log }: Parts,
  signal: AbortSignal,
): Promise<void> {
  let told = { detail: '', at: 0 };
  for (;;) {
    const slow = new AbortController();
    const opened = await Promise.race([
      journal.flush(),
      wire.sleep(OPEN_WAIT_MS, slow.signal).then(() => null),
    ]);
    slow.abort('opened');
    if (opened?.ok) return;
    const fault = opened?.fault ?? SLOW;
    const now = wire.monotonicMs();
    if (fault.detail !== told.detail || now - told.at >= OPEN_TELL_MS) {
      tellClosed(fault, log);
      told = { detail: fault.detail, at: now };
    }
    if (fault.code !== 'store.locked') return;
    await wire.sleep(OPEN_RETRY_MS, signal);
  }
}

const SLOW: Fault = { code: 'store.failed', detail: 'the disk takes long to open the journal' };

function tellClosed({ code, detail }: Fault, log: Log): void {
  const isLocked = code === 'store.locked';
  const hint = isLocked
    ? 'stop the other collector, or give this one a data folder of its own'
    : code === 'store.newer'
      ? 'run the newer program, or restore a backup of this version into a new data folder'
      : 'see that the data folder can be written and its disk has room';
  const what = isLocked ? 'waiting for it' : 'polling without it, and trying again';
  log.error({ code, detail, hint }, `the journal cannot be opened; ${what}`);
}

/** What the commands of the command line alone are given. */
export function localParts(
  settings: Settings,
  { clock, wire, writeFile }: Pick<Parts, 'clock' | 'wire' | 'writeFile'>,
): LocalParts {
  return {
    collector: settings.collector,
    limits: limitsOf(settings),
    wearBudget: settings.journal.writeMbPerDay * 1e6,
    now: () => clock.now(),
    writeFile,
    rest: () => wire.sleep(READ_REST_MS),
  };
}

/** Between portions of a journal that is read for a person, in milliseconds of the wire: polling goes on. */
const READ_REST_MS = 1;

/** A meter's settings in the page's terms. */
export function placeOf(meter: MeterSettings): MeteredPlace {
  const rules: MeterRules = {
    dial: meter.dial,
    maxFlowPerH: meter.maxFlowPerH,
    jitter: meter.jitter,
    toleranceMs: meter.toleranceS * 1000,
    pollMs: meter.pollS * 1000,
    stuckMs: meter.stuckDays * 24 * HOUR_MS,
  };
  const target = {
    meter: meter.meter,
    address: meter.address,
    profile: meter.profile,
    dial: meter.dial,
    ...(meter.registerId === undefined ? {} : { registerId: meter.registerId }),
  };
  return { target, rules };
}

/** A meter's facts with the service that a command may have changed. */
function liveFacts(settings: MeterSettings, journal: Journal): MeterFacts {
  return {
    ...factsOf(settings),
    get service() {
      return journal.wishes(settings.meter)?.usage.service ?? settings.service;
    },
  };
}

function factsOf(meter: MeterSettings): MeterFacts {
  const { bodySerial, servicePoint, route, service, size, bus, address } = meter;
  const { pollS, toleranceS, maxFlowPerH } = meter;
  return {
    ...{ bodySerial, servicePoint, route, service, size, bus },
    address: bus === null ? null : address,
    ...{ pollS, toleranceS, maxFlowPerH, profile: meter.profile.name },
  };
}

export function journalParts(
  { collector }: Settings,
  vault: Vault,
  clock: Clock,
  newEpoch: () => string,
): JournalParts {
  return { collector, newEpoch, vault, openStore: () => vault.open(), now: () => clock.now() };
}
