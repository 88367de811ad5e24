// From a settings file that has changed to a collector that goes on with it: checked whole, compared, and only then taken in.

import { readFileSync } from 'node:fs';
import type { Log } from './boundaries.ts';
import type { Applied, EditedConfig, LogLevel, Reloading } from './commands/config.ts';
import { type ConfigChange, configChanges } from './domain/config-diff.ts';
import type { RunningCollector } from './parts.ts';
import { apart } from './settings/apart.ts';
import type { Checked } from './settings/check-settings.ts';
import { formatProblem } from './settings/problems.ts';
import type { Settings } from './settings/settings.ts';

export interface ReloadingParts {
  /** Those that the collector began with. */
  readonly settings: Settings;
  readonly file: string;
  readonly root: string;
  readonly log: Log & { setLevel(level: LogLevel): void };
  /** Asked for when there is something to take in; commands may come before it has started. */
  readonly collector: () => Promise<Pick<RunningCollector, 'reload' | 'reloadInMs'>>;
}

/** A file that is being written when it is read is read again, so many times. */
const READS_MAX = 5;

/** Lives as long as the process. One change after another. */
export function createReloading(parts: ReloadingParts): Reloading {
  const begun = textOf(parts.file) ?? '';
  const state = { settings: parts.settings, boot: begun, running: begun };
  let work: Promise<unknown> = Promise.resolve();
  return {
    running: () => readAs(parts, state.running),
    apply() {
      const done = work.then(() => apply(parts, state));
      work = done.catch(() => undefined);
      return done;
    },
  };
}

interface State {
  settings: Settings;
  /** The file's text at the start, and as it was taken in last. */
  readonly boot: string;
  running: string;
}

async function apply(parts: ReloadingParts, state: State): Promise<Applied> {
  const { log, file } = parts;
  const collector = await parts.collector();
  const { text, checked } = await loadWhole(parts);
  if (!checked.ok) {
    const problems = checked.problems.map(formatProblem);
    log.error(
      { file, problems: problems.slice(0, 10) },
      'the settings are not good: nothing is changed',
    );
    return { ok: false, problems };
  }
  const now = saidOf(await readAs(parts, text));
  const boot = saidOf(await readAs(parts, state.boot));
  const running = state.running === state.boot ? boot : saidOf(await readAs(parts, state.running));
  const applied = configChanges(running, now).filter(({ restart }) => !restart);
  const restartRequired = configChanges(boot, now).filter(({ restart }) => restart);
  const next = withWhatStays(checked.settings, state.settings);
  const isOther = JSON.stringify(next) !== JSON.stringify(state.settings);
  state.settings = next;
  state.running = text;
  log.setLevel(next.logLevel);
  const inMs = isOther ? collector.reloadInMs() : 0;
  const told = { applied: pathsOf(applied), restart_required: pathsOf(restartRequired) };
  if (isOther) {
    const done = collector.reload(next);
    if (inMs === 0) await done;
    else log.info({ ...told, in_s: Math.ceil(inMs / 1000) }, 'settings wait for the hour’s edge');
    void done.then(
      () => log.info(told, 'the settings are applied'),
      // The collector ends at such a bug, in order.
      (bug: unknown) => log.error({ ...told, error: String(bug) }, 'the settings were not applied'),
    );
  } else log.info(told, 'the settings are applied');
  return { ok: true, applied, restartRequired, inMs };
}

/** The file's text and what it comes to, both of one moment. */
async function loadWhole(parts: ReloadingParts): Promise<{ text: string; checked: Checked }> {
  for (let reads = 1; ; reads += 1) {
    const before = textOf(parts.file);
    const checked = await apart.load(parts);
    const after = textOf(parts.file);
    if (before === after || reads === READS_MAX) return { text: after ?? '', checked };
  }
}

/** Null for a file that cannot be read; what is wrong with it is said when it is loaded. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function readAs({ file, root }: ReloadingParts, text: string): Promise<EditedConfig> {
  return apart.edit({ file, root, steps: [], text });
}

const saidOf = (read: EditedConfig): unknown => (read.ok ? read.said : {});

const pathsOf = (changes: readonly ConfigChange[]) => changes.map(({ path }) => path);

/** What only a start can change stays as it was. */
function withWhatStays(next: Settings, now: Settings): Settings {
  const { collector, data, control, time, console } = now;
  const { console: _, ...rest } = next;
  const { commitS, ballastMb } = now.journal;
  const journal = { ...next.journal, commitS, ballastMb };
  return { ...rest, collector, data, control, time, journal, ...(console && { console }) };
}
