// `config`: the settings file checked, shown, changed, compared with what runs, and taken in by the running collector.

import type { Command } from 'commander';
import { askRunning, perform } from './ask.ts';
import { addCommand, addGroup, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk } from './parts.ts';
import { asTyped, sayJson, table } from './say.ts';
import { checkConfig } from './settings-file.ts';
import { settingOf } from './typed-setting.ts';

export function addConfig(program: Command, desk: Desk): void {
  const { manner, io, parts, done } = desk;
  const config = addGroup(program, desk, 'config', 'g_config');
  const add = (spec: string, key: string, example: string) =>
    addCommand(config, desk, { spec, key: `c_config_${key}`, example: `config ${example}` });

  const checked = withConfig(add('check [file]', 'check', 'check settings.yaml'), desk);
  checked.action(async (file, { config: named }) =>
    done(await checkConfig(file ?? named, manner, io, parts)),
  );
  const shown = withConfig(add('show [section]', 'show', 'show upstream'), desk);
  shown.action(async (section, { config: file }) => done(await show(section, file, desk)));
  const set = add('set <path> [value]', 'set', 'set upstream.keepalive_s 60');
  option(set, desk, '--dry-run', 'o_dry_run');
  option(set, desk, '--by <name>', 'o_by');
  withConfig(set, desk).action(async (path, value, options: SetOptions) =>
    done(await change(path, value, options, desk)),
  );
  add('schema', 'schema', 'schema').action(async () => {
    io.out(await parts.schemaText());
    done(EXIT.ok);
  });
  const compared = withConfig(add('diff [file]', 'diff', 'diff new-settings.yaml'), desk);
  compared.action(async (other, { config: file }) => done(await diff(other, file, desk)));
  const taken = withConfig(add('apply', 'apply', 'apply'), desk);
  taken.action(async ({ config: file }) => done(await apply(file, desk)));
}

interface SetOptions {
  readonly config: string;
  readonly dryRun?: boolean;
  readonly by?: string;
}

/** The settings as the file says them, or one part of them: `upstream`, `meters.SP-1`, `buses.bus-1`. */
async function show(section: string | undefined, file: string, desk: Desk): Promise<number> {
  const { manner, io, parts } = desk;
  const [part, name] = (section ?? '').split('.');
  const args =
    section === undefined
      ? {}
      : name === undefined
        ? { section: part }
        : { [part === 'buses' ? 'bus' : 'meter']: name };
  const answered = await perform({ file, name: 'config.get', args }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const { settings } = answered.data as { readonly settings: unknown };
  if (manner.json) sayJson(io, answered.data);
  else io.out(`${JSON.stringify(settings, null, 2)}\n`);
  return EXIT.ok;
}

/** `upstream.keepalive_s` and `/upstream/keepalive_s` are one path. */
const pathOf = (typed: string) => `/${typed.replace(/^\//, '').replaceAll('.', '/')}`;

async function change(
  path: string,
  value: string | undefined,
  { config: file, dryRun, by }: SetOptions,
  desk: Desk,
): Promise<number> {
  const { manner, io, parts } = desk;
  const { say } = manner;
  const place = pathOf(path);
  const schema = value === undefined ? '' : await parts.schemaText();
  const step = {
    path: place,
    ...(value !== undefined && { value: settingOf(value, place, schema) }),
  };
  const told = { ...(by !== undefined && { by }), ...(dryRun === true && { dry_run: true }) };
  const args = { changes: [step], ...told };
  const answered = await perform({ file, name: 'config.set', args }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const {
    written,
    takes_effect: when,
    warnings = [],
  } = answered.data as {
    readonly written: boolean;
    readonly takes_effect?: string;
    readonly warnings?: readonly string[];
  };
  if (manner.json) sayJson(io, answered.data);
  else {
    for (const one of warnings) io.err(`${say('cli.warning', { text: manner.hear(one) })}\n`);
    const done = value === undefined ? 'cli.set_gone' : 'cli.set_done';
    io.out(`${say(written ? done : 'cli.change_tried', { path: step.path })}\n`);
    if (written) io.err(`${say(nextOf(when), { name: NAME, file: asTyped(file) })}\n`);
  }
  return EXIT.ok;
}

/** Where nothing runs that could take it in, it is started. */
export const nextOf = (takesEffect: unknown): string =>
  takesEffect === 'at the next start' ? 'cli.next_run' : 'cli.set_next';

interface Difference {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly restart: boolean;
}

/** What differs between what runs and the file, or another file. */
async function diff(other: string | undefined, file: string, desk: Desk): Promise<number> {
  const { manner, io, parts } = desk;
  const { say } = manner;
  let text = '';
  if (other !== undefined) for await (const piece of parts.readText(other)) text += piece;
  const args = other === undefined ? {} : { text };
  const question = { file, name: 'config.diff', args };
  // With what runs only a running collector can compare.
  const ask = other === undefined ? askRunning : perform;
  const answered = await ask(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const { changes } = answered.data as { readonly changes: readonly Difference[] };
  if (manner.json) {
    sayJson(io, answered.data);
    return EXIT.ok;
  }
  const rows = changes.map(({ path, before, after, restart }) => [
    ...[path, shown(before), shown(after)],
    say(restart ? 'cli.needs_restart' : 'cli.live'),
  ]);
  const headings = ['path', 'before', 'after', 'effect'].map((name) => say(`cli.h_${name}`));
  if (rows.length === 0) io.out(`${say('cli.diff_none')}\n`);
  else io.out(table(headings, rows, manner));
  if (rows.length > 0) io.err(`${say('cli.set_next', { name: NAME })}\n`);
  return EXIT.ok;
}

/** No setting is null: what is not written was not said. */
const shown = (value: unknown) => JSON.stringify(value ?? undefined) ?? '-';

/** The running collector takes its file in. */
async function apply(file: string, desk: Desk): Promise<number> {
  const { manner, io, parts } = desk;
  const { say } = manner;
  const answered = await askRunning({ file, name: 'config.apply' }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const { applied = [], restart_required: later = [] } = answered.data as {
    readonly applied?: readonly unknown[];
    readonly restart_required?: readonly unknown[];
  };
  if (manner.json) sayJson(io, answered.data);
  else {
    io.out(`${say('cli.applied', { count: applied.length })}\n`);
    const paths = later.map((one) => (typeof one === 'string' ? one : pathIn(one))).join(', ');
    if (later.length > 0) io.out(`${say('cli.apply_later', { paths })}\n`);
  }
  return EXIT.ok;
}

const pathIn = (one: unknown) => String((one as { path?: unknown } | null)?.path ?? '');
