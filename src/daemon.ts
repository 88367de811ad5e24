// The daemon: the collector over real clocks, ports, LevelDB and broker.

import { commandCheck } from './adapters/command-schema.ts';
import { serveCommands } from './adapters/control-socket.ts';
import { expiries } from './adapters/enrolment.ts';
import { createMqttHeadEnd } from './adapters/mqtt-head-end.ts';
import { createPinoLog, goesToJournald } from './adapters/pino-log.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { createSupervisor } from './adapters/systemd-supervisor.ts';
import { writeLines } from './adapters/text-file.ts';
import type { CommandAnswer } from './boundaries.ts';
import { runCollector } from './collector.ts';
import type { RunningCollector } from './parts.ts';
import { configuringOf, newName, openBus, siteParts, vaultOf } from './real-parts.ts';
import { createReloading } from './reloading.ts';
import { apart } from './settings/apart.ts';
import type { Settings } from './settings/settings.ts';
import type { openConsole } from './web-console.ts';

/** A collector that can be told that its settings file has changed. */
export interface Daemon extends Omit<RunningCollector, 'reload'> {
  /** Takes the file in: `config.apply` by its caller's name. */
  reload(by: string): Promise<CommandAnswer>;
}

/** The daemon: real clocks, ports, LevelDB and broker. */
export async function startCollector(
  settings: Settings,
  {
    root,
    version,
    file,
    env,
  }: {
    readonly root: string;
    readonly version: string;
    /** Where the settings came from. */
    readonly file: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<Daemon> {
  const clock = createSystemClock(settings.time);
  const wire = createSystemClock();
  const log = createPinoLog({ level: settings.logLevel, prioritized: goesToJournald(env) });
  const supervisor = createSupervisor({ env, log });
  const nextHeadEnd = ({ upstream, collector: clientId }: Settings) =>
    createMqttHeadEnd({
      ...{ settings: upstream, clientId, clock: wire, random: Math.random, log },
    });
  const reloading = createReloading({
    ...{ settings, file, root, log, collector: () => starting },
  });
  const starting: Promise<RunningCollector> = runCollector(settings, {
    ...{ clock, wire, log, supervisor, version, newName, nextHeadEnd },
    headEnd: nextHeadEnd(settings),
    vault: vaultOf(settings, { log }),
    openBus: (bus) => openBus(bus, wire),
    openScan: async (bus, wish) => {
      const profiles = () => apart.profiles({ root });
      return (await import('./scanning.ts')).openScan({ bus }, wish, { profiles, clock: wire });
    },
    serve: (commands) => serveCommands(settings.control, commands),
    ...openConsoleOf(settings, { root, clock: wire, log }),
    writeFile: writeLines,
    commandCheck: commandCheck(root),
    configuring: { ...configuringOf(file, root, log), reloading },
    expiries,
    site: siteParts(root, wire),
  });
  const collector = await starting;
  void supervisor.ready();
  const stop = () => {
    void supervisor.stopping();
    return collector.stop();
  };
  const reload = (by: string) =>
    collector.commands.run('config.apply', { by }).catch((cause: unknown): CommandAnswer => {
      // The package may just be replaced by another. What runs goes on as it is.
      log.error({ error: String(cause) }, 'the settings could not be loaded: nothing is changed');
      return { ok: false, code: 'internal', message: String(cause), hint: 'Try again.' };
    });
  return { ...collector, stop, reload };
}

/** How the console is opened, where the settings want one. */
function openConsoleOf(
  { data, console }: Settings,
  outside: Parameters<typeof openConsole>[2],
): Pick<Parameters<typeof runCollector>[1], 'openConsole'> | undefined {
  if (!console) return undefined;
  return {
    openConsole: async (lent) =>
      (await import('./web-console.ts')).openConsole({ data, console }, lent, outside),
  };
}
