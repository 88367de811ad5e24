// What commands are answered with: on site, at the command line, and where the head-end asks.

import type { Bell } from './bell.ts';
import type { Commands, Journal } from './boundaries.ts';
import type { Answerer } from './commands/answer.ts';
import type { ToldBus } from './commands/bus-stats.ts';
import { type CommandClass, remoteCommand } from './commands/classes.ts';
import type { LiveStatus } from './commands/commands.ts';
import { type DoctorParts, examine } from './commands/doctor.ts';
import { CommandInbox } from './commands/inbox.ts';
import type { LocalParts } from './commands/local.ts';
import { siteAnswerers } from './commands/site.ts';
import { WINDOW } from './jobs/forward-backlog.ts';
import type { PollRecord } from './jobs/poll-bus.ts';
import type { Refusals } from './jobs/refused.ts';
import type { Parts, SiteParts } from './parts.ts';
import { type OpenBus, readersOf } from './polling.ts';
import { meterEntry } from './settings/meter-entry.ts';
import type { Settings } from './settings/settings.ts';
import { faultTold, limitsOf } from './telling.ts';
import type { RunningUpstream } from './upstream/upstream.ts';

/** What only a running collector tells and does for its commands. */
export function liveOf(
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

/** The head-end's door to `commands`. */
export function inboxOf(
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
export function allowedClasses({ upstream: { commands } }: Settings): CommandClass[] {
  return ['read', ...(['operate', 'configure'] as const).filter((kind) => commands[kind])];
}

/** The commands of work on site: they outlive a change of settings, which they may bring about. */
export function siteOf(
  { site, clock, wire, version }: Parts,
  journal: Journal,
  local: Commands,
  settings: () => Settings,
): ReturnType<typeof siteAnswerers> {
  if (!site) return {};
  const { collector, utility } = settings();
  return siteAnswerers({
    ...{ ...site, journal, clock, wire, collector, utility, version },
    run: (name, args) => local.run(name, args),
    lookAtPort: (name) => lookAt(name, settings(), site),
  });
}

/** The port of a bus as it looks from outside; null where there is no such bus, or nobody to look. */
async function lookAt(name: string, { buses }: Settings, { lookAtPort }: SiteParts) {
  const bus = buses.find((one) => one.bus === name);
  return (bus && (await lookAtPort?.(bus))) ?? null;
}

/** `doctor` over these settings, where there are tools for it; `queue` is absent where no collector runs. */
export function doctorOf(
  settings: Settings,
  { site, clock, wire, expiries }: Pick<Parts, 'site' | 'clock' | 'wire' | 'expiries'>,
  of: Pick<DoctorParts, 'journal' | 'buses' | 'queue'>,
): Readonly<Record<string, Answerer>> {
  if (!site) return {};
  const { upstream, journal } = settings;
  const { tryUpstream } = site;
  const parts: DoctorParts = {
    ...{ ...of, clock, wire, limits: limitsOf(settings), wearBudget: journal.writeMbPerDay * 1e6 },
    ...{ url: upstream.url, expiries: () => expiries(settings), sayIn: site.sayIn },
    lookAtPort: (name) => lookAt(name, settings, site),
    ...(tryUpstream && { tryUpstream: () => tryUpstream(settings) }),
  };
  return { doctor: (args) => examine(parts, args) };
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
