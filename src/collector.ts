// The composition root: settings to adapters to jobs; starts in order and stops in reverse.

import { setMaxListeners } from 'node:events';
import type { PlaceWatches } from './alerts/watches.ts';
import { allowedClasses, doctorOf, inboxOf, liveOf, localParts, siteOf } from './answering.ts';
import { Bell } from './bell.ts';
import type { Clock, Commands, HeadEnd, Journal, Log } from './boundaries.ts';
import { crc32 } from './codec/crc32.ts';
import type { Args } from './commands/answer.ts';
import { commandsOf } from './commands/classes.ts';
import { createCommands } from './commands/commands.ts';
import { backupLines, withLocal } from './commands/local.ts';
import { withAnswerers } from './commands/site.ts';
import { commitGroups } from './jobs/commit-groups.ts';
import { type ForwardParts, forwardNews } from './jobs/forward.ts';
import { forwardBacklog } from './jobs/forward-backlog.ts';
import { keepJournal } from './jobs/keep-journal.ts';
import { type PollRecord, passAbsence } from './jobs/poll-bus.ts';
import { thinJournal } from './jobs/thin-journal.ts';
import type { Watchdog } from './jobs/watchdog.ts';
import { createJournal } from './journal/journal.ts';
import { journalParts, openPatiently } from './opening.ts';
import type { Door, LentToConsole, Parts, RunningCollector } from './parts.ts';
import type { MeteredPlace } from './pipeline.ts';
import { liveFacts, placeOf, watchesOf } from './places.ts';
import { type OpenBus, openBuses, quietInMs, startPolling, toldOf, watchdogOf } from './polling.ts';
import type { Settings } from './settings/settings.ts';
import { healthOf, limitsOf, statusOf, tellOfItself } from './telling.ts';
import { createUpstream, type RunningUpstream } from './upstream/upstream.ts';

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
  const ofItself = { ...parts, journal, upstream, records, buses: told, health };
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
  const [halt, last, hear] = [new AbortController(), new AbortController(), new AbortController()];
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
