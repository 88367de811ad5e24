// The daemon: the collector over real clocks, ports, LevelDB and broker, and its journal while it does not run.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandCheck } from './adapters/command-schema.ts';
import { serveCommands } from './adapters/control-socket.ts';
import { expiries } from './adapters/enrolment.ts';
import { createLevelVault } from './adapters/level-vault.ts';
import { speaker } from './adapters/locales.ts';
import { createMqttHeadEnd } from './adapters/mqtt-head-end.ts';
import { createPinoLog, goesToJournald, type LeveledLog } from './adapters/pino-log.ts';
import { lookAtPort } from './adapters/port-look.ts';
import { qrSvg } from './adapters/qr-code.ts';
import { placeStore } from './adapters/restore-store.ts';
import { createSerialLine } from './adapters/serial-line.ts';
import { createSerialWire } from './adapters/serial-wire.ts';
import { sha256 } from './adapters/sha256.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { createSupervisor } from './adapters/systemd-supervisor.ts';
import { createTcpLine } from './adapters/tcp-line.ts';
import { createTcpWire } from './adapters/tcp-wire.ts';
import { readLines, replaceText, writeLines } from './adapters/text-file.ts';
import { tryLink } from './adapters/upstream-trial.ts';
import { doctorOf, localParts } from './answering.ts';
import type { Bus, Clock, CommandAnswer, Commands, Wire } from './boundaries.ts';
import { BusTally } from './bus/bus-tally.ts';
import { FrameTrace } from './bus/frame-trace.ts';
import { createLineBus } from './bus/line-bus.ts';
import { AT_ONCE, createMbapLink } from './bus/mbap-client.ts';
import { createModbusBus } from './bus/modbus-bus.ts';
import { createRtuLink, SILENCES_TO_REOPEN_PEER } from './bus/rtu-client.ts';
import { CR_FRAMING } from './codec/framer.ts';
import { runCollector } from './collector.ts';
import { createCommands } from './commands/commands.ts';
import { type Configuring, createConfigCommands } from './commands/config.ts';
import { withLocal } from './commands/local.ts';
import { reportAnswerers } from './commands/report.ts';
import { withAnswerers } from './commands/site.ts';
import { good, type Result } from './domain/fault.ts';
import { openJournal } from './journal/journal.ts';
import { restoreBackup } from './journal/restore-backup.ts';
import { journalParts } from './opening.ts';
import type { RunningCollector, SiteParts } from './parts.ts';
import { placeOf, watchesOf } from './places.ts';
import { idleBuses } from './polling.ts';
import { createReloading } from './reloading.ts';
import { openScan } from './scanning.ts';
import { editApart } from './settings/edit-apart.ts';
import type { BusSettings, Settings } from './settings/settings.ts';
import { offlineStatus } from './telling.ts';
import { openConsole } from './web-console.ts';

/** A collector that can be told that its settings file has changed. */
export interface Daemon extends Omit<RunningCollector, 'reload'> {
  /** Takes the file in: `config.apply` by its caller's name. */
  reload(by: string): Promise<CommandAnswer>;
}

/** The daemon: real clocks, ports, LevelDB and broker. */
export async function startCollector(
  settings: Settings,
  options: {
    readonly root: string;
    readonly version: string;
    /** Where the settings came from. */
    readonly file?: string | undefined;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<Daemon> {
  const clock = createSystemClock(settings.time);
  const wire = createSystemClock();
  const log = createPinoLog({
    ...{ level: settings.logLevel, prioritized: goesToJournald(options.env) },
  });
  const random = Math.random;
  const supervisor = createSupervisor({ env: options.env, log });
  const nextHeadEnd = ({ upstream, collector: clientId }: Settings) =>
    createMqttHeadEnd({ settings: upstream, clientId, clock: wire, random, log });
  const { file, root } = options;
  const reloading =
    file === undefined
      ? undefined
      : createReloading({ ...{ settings, file, root, log }, collector: () => collector });
  const collector: RunningCollector = await runCollector(settings, {
    ...{ clock, wire, log, supervisor, version: options.version, newName, nextHeadEnd },
    headEnd: nextHeadEnd(settings),
    vault: createLevelVault({ folder: settings.data, ballastBytes: ballastOf(settings), log }),
    openBus: (bus) => openBus(bus, wire, random),
    openScan: (bus, wish) => openScan({ bus }, wish, { root: options.root, clock: wire }),
    serve: (commands) => serveCommands(settings.control, commands),
    ...openConsoleOf(settings, { root: options.root, clock: wire, log }),
    writeFile: writeLines,
    commandCheck: commandCheck(options.root),
    ...(file !== undefined && {
      configuring: { ...configuringOf(file, root, log), ...(reloading && { reloading }) },
    }),
    expiries,
    site: siteParts(root, wire),
  });
  void supervisor.ready();
  const stop = () => {
    void supervisor.stopping();
    return collector.stop();
  };
  const reload = (by: string) => collector.commands.run('config.apply', { by });
  return { ...collector, stop, reload };
}

function siteParts(root: string, wire: Clock): SiteParts {
  return {
    ...{ sha256, qrSvg, sayIn: speaker(root) },
    lookAtPort: (bus) => lookAtPort(bus, wire),
    tryUpstream: (settings) => tryLink(settings, wire),
  };
}

/** How the console is opened, where the settings want one. */
function openConsoleOf(
  { data, console }: Settings,
  outside: Parameters<typeof openConsole>[2],
): Pick<Parameters<typeof runCollector>[1], 'openConsole'> | undefined {
  return console && { openConsole: (lent) => openConsole({ data, console }, lent, outside) };
}

/** The settings file, edited in a process of its own; the one that was there stays beside it. */
function configuringOf(file: string, root: string, log: LeveledLog): Configuring {
  return {
    edit: (steps) => editApart({ file, root, steps }),
    write: (text) => replaceText(file, text),
    setLogLevel: (level) => log.setLevel(level),
    schema: async () =>
      JSON.parse(await readFile(join(root, 'config/settings.schema.json'), 'utf8')),
    read: (text) => editApart({ file, root, steps: [], text }),
  };
}

/** A command of the settings on their file alone, as who stands at the collector would edit it. */
export async function runOnFile(
  file: string,
  root: string,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<CommandAnswer> {
  const log = createPinoLog({ level: 'error' });
  const configuring = { ...configuringOf(file, root, log), isHere: true };
  const named = createConfigCommands({ note: () => undefined }, configuring, createSystemClock());
  const answerer = named[name];
  if (!answerer) throw new Error(`${name} is no command of the settings`);
  return answerer(args);
}

/** The journal alone, for questions while no collector runs. */
export async function openJournalOffline(
  settings: Settings,
  root: string,
): Promise<Result<Commands & { close(): Promise<void> }>> {
  const clock = createSystemClock(settings.time);
  const vault = createLevelVault({
    ...{ folder: settings.data, ballastBytes: ballastOf(settings), create: false },
  });
  const opened = await openJournal(journalParts(settings, vault, clock, newName));
  if (!opened.ok) return opened;
  const journal = opened.value;
  const places = settings.meters.map(placeOf);
  const watches = watchesOf(settings, journal, clock);
  const commands = createCommands(
    journal,
    { status: () => offlineStatus(settings, journal) },
    {
      ...{ clock, watches },
      places: new Map(places.map((place) => [place.target.meter, place])),
    },
  );
  const wire = createSystemClock();
  const local = localParts(settings, {
    ...{ clock: createSystemClock(settings.time), wire },
    writeFile: writeLines,
  });
  const site = siteParts(root, wire);
  const buses = idleBuses(settings);
  const doctor = doctorOf(settings, { site, clock, wire, expiries }, { journal, buses });
  const { collector, utility } = settings;
  const reports = reportAnswerers({
    ...{ ...site, journal, clock, collector, utility, version: '', run: commands.run },
  });
  const { run } = withAnswerers(withLocal(commands, journal, local), { ...doctor, ...reports });
  return good({ run, close: () => journal.close() });
}

/** Puts a backup in the place of the journal while no collector runs. */
export async function restoreJournal(
  settings: Settings,
  file: string,
  force: boolean,
): Promise<CommandAnswer> {
  const { data: folder, collector } = settings;
  return restoreBackup({
    ...{ collector, force, newEpoch: newName, read: () => readLines(file) },
    openPresent: () => createLevelVault({ folder, ballastBytes: 0, create: false }).open(),
    place: (records) => placeStore(folder, records),
  });
}

const ballastOf = ({ journal }: Settings) => journal.ballastMb * 1024 * 1024;

/** 20 characters of base 32 from 100 random bits. */
function newName(): string {
  return BigInt(`0x${randomBytes(13).toString('hex')}`)
    .toString(32)
    .slice(0, 20)
    .toUpperCase();
}

function openBus(settings: BusSettings, clock: Clock, random: () => number): Bus {
  const { timeoutMs, reopenMaxMs, framing = CR_FRAMING } = settings;
  const atOnce = settings.type === 'modbus-tcp' ? (settings.inFlight ?? AT_ONCE) : 1;
  const tally = new BusTally(clock, atOnce);
  const trace = new FrameTrace(clock);
  const tap = (wire: Wire) => trace.over(wire);
  const common = { clock, timeoutMs, reopenMaxMs, random, tally, trace };
  switch (settings.type) {
    case 'line-serial': {
      const line = createSerialLine({ settings: settings.serial, clock, framing, tap });
      return createLineBus({ line, ...common });
    }
    case 'line-tcp': {
      const line = createTcpLine({ peer: settings.peer, clock, framing, tap });
      return createLineBus({ line, ...common });
    }
    case 'modbus-rtu': {
      const wire = tap(createSerialWire({ settings: settings.serial, clock }));
      const link = createRtuLink({ wire, clock, baud: settings.serial.baud, ear: tally });
      return createModbusBus({ link, ...common });
    }
    case 'modbus-rtu-tcp': {
      const wire = tap(createTcpWire({ peer: settings.peer, clock }));
      const silencesToReopen = SILENCES_TO_REOPEN_PEER;
      const link = createRtuLink({
        wire,
        clock,
        baud: settings.baud,
        silencesToReopen,
        ear: tally,
      });
      return createModbusBus({ link, ...common });
    }
    case 'modbus-tcp': {
      const wire = tap(createTcpWire({ peer: settings.peer, clock }));
      const link = createMbapLink({ wire, clock, atOnce, ear: tally });
      return createModbusBus({ link, ...common });
    }
  }
}
