// What is done while no collector runs: its journal asked, a backup put in its place, its settings file edited.

import { expiries } from './adapters/enrolment.ts';
import { createPinoLog } from './adapters/pino-log.ts';
import { placeStore } from './adapters/restore-store.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { readLines, writeLines } from './adapters/text-file.ts';
import { doctorOf, localParts } from './answering.ts';
import type { CommandAnswer, Commands } from './boundaries.ts';
import { createCommands } from './commands/commands.ts';
import { createConfigCommands } from './commands/config.ts';
import { withLocal } from './commands/local.ts';
import { reportAnswerers } from './commands/report.ts';
import { withAnswerers } from './commands/site.ts';
import { good, type Result } from './domain/fault.ts';
import { openJournal } from './journal/journal.ts';
import { restoreBackup } from './journal/restore-backup.ts';
import { journalParts } from './opening.ts';
import { placeOf, watchesOf } from './places.ts';
import { idleBuses } from './polling.ts';
import { configuringOf, newName, siteParts, vaultOf } from './real-parts.ts';
import type { Settings } from './settings/settings.ts';
import { offlineStatus } from './telling.ts';

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
  const wire = createSystemClock();
  const vault = vaultOf(settings, { create: false });
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
  const local = localParts(settings, { clock, wire, writeFile: writeLines });
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
  return restoreBackup({
    ...{ collector: settings.collector, force, newEpoch: newName, read: () => readLines(file) },
    openPresent: () => vaultOf(settings, { create: false }).open(),
    place: (records) => placeStore(settings.data, records),
  });
}
