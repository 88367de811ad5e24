// `config.*`, `meter.add`, `meter.update`, `log.level`: the settings file, checked whole before it is written, compared and applied.

import type { Clock, CommandAnswer, Journal } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { type ConfigChange, configChanges } from '../domain/config-diff.ts';
import type { Result } from '../domain/fault.ts';
import { type Answerer, type Args, refused } from './answer.ts';

/** A change of the settings; in the lists of buses and meters a name stands for the entry. */
export interface ConfigStep {
  readonly path: readonly string[];
  readonly value?: unknown;
}

/** The file as it would be after some steps. */
export type EditedConfig =
  | {
      readonly ok: true;
      readonly revBefore: string;
      readonly rev: string;
      readonly text: string;
      readonly said: unknown;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly revBefore: string | null; readonly problems: readonly string[] };

/** What the daemon lends: its settings file, and its log's level. */
export interface Configuring {
  readonly edit: (steps: readonly ConfigStep[]) => Promise<EditedConfig>;
  /** Puts the text in the file's place, whole or not at all; what was there stays beside it. */
  readonly write: (text: string) => Promise<Result<void>>;
  readonly setLogLevel: (level: LogLevel) => void;
  /** The JSON Schema of the file. */
  readonly schema?: () => Promise<unknown>;
  /** What a text in the file's place would say, checked as a whole. */
  readonly read?: (text: string) => Promise<EditedConfig>;
  /** Who asks stands at the collector, at its file: all of it may be changed. */
  readonly isHere?: boolean;
  /** Has the running collector go on with what the file says; absent where it cannot. */
  readonly reloading?: Reloading;
}

/** The way from the file to the collector that runs. */
export interface Reloading {
  /** The file as it was taken in last. */
  running(): Promise<EditedConfig>;
  apply(): Promise<Applied>;
}

/** What came of it. `inMs`: so long, in milliseconds of the schedule, it waits for the hour's edge to be over. */
export type Applied =
  | {
      readonly ok: true;
      readonly applied: readonly ConfigChange[];
      readonly restartRequired: readonly ConfigChange[];
      readonly inMs: number;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Only who stands at the collector changes who it is, where its files are, and what a head-end may do (C3). */
const ONLY_HERE: readonly (readonly string[])[] = [
  ...[['version'], ['utility'], ['collector'], ['data'], ['control'], ['console']],
  ['upstream', 'commands'],
  ...['password_file', 'ca_file', 'cert_file', 'key_file'].map((file) => ['upstream', file]),
];
/** Steps of one command, and problems of one answer: the rest is seen when these are mended. */
const STEPS_MAX = 100;
const PROBLEMS_TOLD = 10;
/** An answer is a message: more than this is asked for piece by piece. */
const ANSWER_BYTES_MAX = 24 * 1024;

const NO_DAEMON = refused(
  ...(['conflict', 'Only a collector that was started with a file has settings.'] as const),
  'Edit the file, and see: meter-collector config check',
);

/** Where changes are told; nowhere, while no collector runs. */
type Notes = Pick<Journal, 'note'>;

export function createConfigCommands(
  journal: Notes,
  configuring: Configuring | undefined,
  clock: Clock,
): Readonly<Record<string, Answerer>> {
  const having =
    (act: (desk: Configuring, args: Args) => Promise<CommandAnswer>): Answerer =>
    async (args) =>
      configuring === undefined ? NO_DAEMON : act(configuring, args);
  const changing = (stepsOf: (args: Args) => readonly ConfigStep[] | string): Answerer =>
    having((desk, args) => change(journal, desk, args, stepsOf(args)));
  return {
    'config.get': having(get),
    'config.set': changing(setSteps),
    'config.schema': having(schema),
    'config.diff': having(diff),
    'config.apply': having((desk, args) => apply(journal, desk, clock, args)),
    'meter.add': changing((args) => meterSteps(args, 'whole')),
    'meter.update': changing((args) => meterSteps(args, 'keys')),
    'log.level': having(async (desk, { level }) => {
      const known = LEVELS.find((one) => one === level);
      if (!known) return refused('bad_request', `level is one of ${LEVELS.join(', ')}.`, '');
      desk.setLogLevel(known);
      return { ok: true, data: { level: known, until: 'the next start' } };
    }),
  };
}

/** The settings as the file says them, or one `section` of them, or one `meter` or `bus`. */
async function get(desk: Configuring, args: Args): Promise<CommandAnswer> {
  const edited = await desk.edit([]);
  if (!edited.ok) return broken(edited.problems);
  const said = edited.said as Readonly<Record<string, unknown>>;
  const { section, meter, bus } = args;
  const one = (list: unknown, key: string, name: unknown) =>
    Array.isArray(list) ? list.find((entry) => entry[key] === name) : undefined;
  const wanted =
    meter !== undefined
      ? one(said['meters'], 'meter', meter)
      : bus !== undefined
        ? one(said['buses'], 'bus', bus)
        : section === undefined
          ? said
          : Object.hasOwn(said, String(section))
            ? said[String(section)]
            : undefined;
  if (wanted === undefined) {
    return refused('bad_request', 'The settings have no such part.', Object.keys(said).join(', '));
  }
  if (JSON.stringify(wanted).length > ANSWER_BYTES_MAX) {
    return refused(
      'bad_request',
      'That is too much for one answer.',
      'Ask by section, meter or bus.',
    );
  }
  return { ok: true, data: { rev: edited.rev, settings: wanted } };
}

async function schema({ schema: read }: Configuring): Promise<CommandAnswer> {
  const found = await read?.();
  return found === undefined ? NO_DAEMON : { ok: true, data: found };
}

/**
 * `config.diff`: what `changes` (as of config.set) or a whole `text` would change in the file; with neither what the file says and
 * the collector has not taken in. Answers {changes: [{path, before, after, restart}], warnings}.
 */
async function diff(desk: Configuring, args: Args): Promise<CommandAnswer> {
  const { text, changes } = args;
  if (text !== undefined && (typeof text !== 'string' || desk.read === undefined)) {
    return refused('bad_request', 'text is the whole file.', '');
  }
  const steps = changes === undefined ? [] : setSteps(args);
  if (typeof steps === 'string') return refused('bad_request', steps, '');
  const isOfFile = text === undefined && changes === undefined;
  const before = await ((isOfFile && desk.reloading?.running()) || desk.edit([]));
  const after = await (text === undefined ? desk.edit(steps) : desk.read?.(text));
  if (!after?.ok) return broken(after?.problems ?? []);
  const said = before.ok ? before.said : {};
  const warnings = after.warnings.slice(0, PROBLEMS_TOLD);
  return { ok: true, data: { changes: configChanges(said, after.said), warnings } };
}

/**
 * `config.apply`: the collector goes on with what the file says, as on SIGHUP. Answers {applied, restart_required, takes_effect};
 * refused as `verify_failed` for a file that is not good, and then nothing is changed.
 */
async function apply(
  journal: Notes,
  { reloading }: Configuring,
  clock: Clock,
  args: Args,
): Promise<CommandAnswer> {
  if (!reloading) {
    return refused('conflict', 'This collector takes settings in when it starts.', 'Restart it.');
  }
  const by = textOf(args['by']);
  const came = await reloading.apply();
  if (!came.ok) {
    const data = { by, problem: came.problems[0] ?? '' };
    journal.note({ code: 'config.rejected', severity: 'minor', data });
    return broken(came.problems);
  }
  const { applied, restartRequired, inMs } = came;
  if (applied.length > 0) {
    const changed = applied.slice(0, PROBLEMS_TOLD).map(({ path }) => path);
    const data = { by, applied: changed.join(', '), restart_required: restartRequired.length };
    journal.note({ code: 'config.changed', severity: 'info', data });
  }
  const takesEffect = isoTime(clock.now() + inMs);
  const data = { applied, restart_required: restartRequired, takes_effect: takesEffect };
  return { ok: true, data };
}

/** `changes` [{path: "/upstream/keepalive_s", value}] ; a value that is left out is taken out. */
function setSteps({ changes }: Args): readonly ConfigStep[] | string {
  if (!Array.isArray(changes) || changes.length === 0 || changes.length > STEPS_MAX) {
    return `changes is a list of 1 to ${STEPS_MAX} {"path","value"}.`;
  }
  const steps: ConfigStep[] = [];
  for (const one of changes as unknown[]) {
    const { path, value } = (one ?? {}) as { path?: unknown; value?: unknown };
    if (typeof path !== 'string' || !/^(\/[A-Za-z0-9_-]{1,40}){1,4}$/.test(path)) {
      return 'path is like "/upstream/keepalive_s" or "/meters/SP-1/poll_s".';
    }
    steps.push({ path: path.slice(1).split('/'), ...(value === undefined ? {} : { value }) });
  }
  return steps;
}

/** Keys of the command itself; all others are keys of the meter. */
const OWN_KEYS = ['if_rev', 'dry_run', 'by'];

function meterSteps(args: Args, how: 'whole' | 'keys'): readonly ConfigStep[] | string {
  const { meter } = args;
  if (typeof meter !== 'string' || !/^[A-Za-z0-9_-]{1,40}$/.test(meter))
    return 'meter is a name: 1 to 40 of A-Z a-z 0-9 _ -.';
  const entries = Object.entries(args).filter(([key]) => !OWN_KEYS.includes(key));
  if (how === 'whole') return [{ path: ['meters', meter], value: Object.fromEntries(entries) }];
  return entries
    .filter(([key]) => key !== 'meter')
    .map(([key, value]) => ({ path: ['meters', meter, key], value }));
}

async function change(
  journal: Notes,
  desk: Configuring,
  args: Args,
  steps: readonly ConfigStep[] | string,
): Promise<CommandAnswer> {
  if (typeof steps === 'string') return refused('bad_request', steps, '');
  const barred = steps.find(({ path }) => isOnlyHere(path));
  if (barred && desk.isHere !== true) {
    const what = barred.path.join('/');
    return refused('forbidden', `${what} is set at the collector itself.`, 'Edit its file.');
  }
  const present = await desk.edit([]);
  const revNow = present.revBefore;
  if (args['if_rev'] !== undefined && args['if_rev'] !== revNow) {
    return refused('conflict', `The settings are at rev ${revNow}.`, 'Read them again: config.get');
  }
  const conflict = meterConflict(present, steps);
  if (conflict) return conflict;
  const edited = await desk.edit(steps);
  if (!edited.ok) {
    const data = { by: textOf(args['by']), problem: edited.problems[0] ?? '', rev: revNow };
    journal.note({ code: 'config.rejected', severity: 'minor', data });
    return broken(edited.problems);
  }
  const { rev, warnings } = edited;
  const told = { rev_before: revNow, rev, warnings: warnings.slice(0, PROBLEMS_TOLD) };
  if (args['dry_run'] === true) return { ok: true, data: { ...told, written: false } };
  const written = await desk.write(edited.text);
  if (!written.ok) return refused('internal', `It was not written: ${written.fault.detail}.`, '');
  const paths = steps.map(({ path }) => path.join('/')).slice(0, PROBLEMS_TOLD);
  const data = { by: textOf(args['by']), rev_before: revNow, rev, changed: paths.join(', ') };
  journal.note({ code: 'config.changed', severity: 'info', data });
  const when = desk.reloading ? 'with config.apply, or at the next start' : 'at the next start';
  return { ok: true, data: { ...told, written: true, takes_effect: when } };
}

/** meter.add is for a place that is not there yet. */
function meterConflict(present: EditedConfig, steps: readonly ConfigStep[]): CommandAnswer | null {
  const [first] = steps;
  if (!present.ok || first?.path[0] !== 'meters' || first.path.length !== 2) return null;
  const { meters } = present.said as { meters?: readonly { meter?: unknown }[] };
  const name = first.path[1];
  if (first.value === undefined || !meters?.some(({ meter }) => meter === name)) return null;
  return refused('conflict', `There is a meter ${name} already.`, 'Use meter.update.');
}

const isOnlyHere = (path: readonly string[]) =>
  ONLY_HERE.some((barred) => barred.every((key, i) => path[i] === undefined || path[i] === key));

function broken(problems: readonly string[]): CommandAnswer {
  const shown = problems.slice(0, PROBLEMS_TOLD).join(' ');
  return refused('verify_failed', shown, 'Nothing was changed.');
}

const textOf = (value: unknown) => (typeof value === 'string' ? value.slice(0, 80) : null);
