// `meter`: the meters of this collector, one of them in full, and the words that add, change and take one out.

import type { Command } from 'commander';
import { ask, perform } from './ask.ts';
import { addCommand, addGroup, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { type ShownMeter, shownMeter } from './meter-screen.ts';
import { deed } from './operate.ts';
import type { Desk } from './parts.ts';
import { Unanswered, wanted } from './questions.ts';
import { asTyped, dialFace, fail, sayJson, table, volume } from './say.ts';

export function addMeters(program: Command, desk: Desk): void {
  const meters = addGroup(program, desk, 'meter', 'g_meter');
  const all = addCommand(meters, desk, {
    ...{ spec: 'list', key: 'c_meter_list', example: 'meter list' },
  });
  withConfig(all, desk).action(async ({ config }) => desk.done(await list(config, desk)));
  const one = addCommand(meters, desk, {
    ...{ spec: 'show <meter>', key: 'c_meter_show', example: 'meter show SP-1' },
  });
  withConfig(one, desk).action(async (meter, { config }) =>
    desk.done(await show(config, meter, desk)),
  );
  addRegistry(meters, desk);
  addService(meters, desk);
}

interface ListedMeter {
  readonly meter: string;
  readonly inst: number;
  readonly digits: number;
  readonly unit: string;
  readonly pow10: number;
  readonly register_id: string | null;
  readonly read: number | null;
  readonly at: string | null;
}

async function list(file: string, { manner, io, parts }: Desk): Promise<number> {
  const question = { file, name: 'meter.list', list: 'meters' };
  const answered = await ask(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const { meters } = answered.data as { readonly meters: readonly ListedMeter[] };
  if (manner.json) {
    sayJson(io, answered.data);
    return EXIT.ok;
  }
  const { say } = manner;
  const rows = meters.map(({ meter, inst, digits, unit, pow10, register_id: id, read, at }) => [
    ...[meter, String(inst), id ?? '-', read === null ? '-' : dialFace(read, digits)],
    ...[read === null ? '-' : volume(read, pow10, unit), at ?? say('cli.never')],
  ]);
  const headings = ['meter', 'inst', 'id', 'dial', 'volume', 'read_at'];
  if (rows.length === 0) io.out(`${say('cli.meters_none', { name: NAME })}\n`);
  else
    io.out(
      table(
        headings.map((name) => say(`cli.h_${name}`)),
        rows,
        manner,
      ),
    );
  return EXIT.ok;
}

async function show(file: string, meter: string, { manner, io, parts }: Desk): Promise<number> {
  const question = { file, name: 'meter.show', args: { meter } };
  const answered = await perform(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const shown = answered.data as ShownMeter;
  if (manner.json) sayJson(io, shown);
  else {
    io.out(shownMeter(shown, manner));
    if (shown.commissioned === null) {
      io.err(`${manner.say('cli.meter_unproved', { name: NAME, meter })}\n`);
    }
  }
  return EXIT.ok;
}

/** Options of `meter add` and `meter edit`, and the settings' keys they stand for. */
const KEYS: readonly (readonly [flags: string, option: string, key: string])[] = [
  ['--bus <bus>', 'bus', 'bus'],
  ['--profile <profile>', 'profile', 'profile'],
  ['--address <address>', 'address', 'address'],
  ['--register-id <id>', 'registerId', 'register_id'],
  ['--body-serial <serial>', 'bodySerial', 'body_serial'],
  ['--service-point <point>', 'servicePoint', 'service_point'],
  ['--route <route>', 'route', 'route'],
  ['--size <size>', 'size', 'size'],
  ['--poll-s <seconds>', 'pollS', 'poll_s'],
  ['--max-flow-per-h <n>', 'maxFlowPerH', 'max_flow_per_h'],
];
/** Keys whose value is a number. */
const NUMBERS: ReadonlySet<string> = new Set(['poll_s', 'max_flow_per_h']);
const DIAL_KEYS = ['digits', 'unit', 'pow10'] as const;

type Typed = Readonly<Record<string, string | undefined>>;

/** The options as keys of a meter; `dial` where any of its three is given. */
function keysOf(typed: Typed): Record<string, unknown> {
  const keys: Record<string, unknown> = {};
  for (const [, name, key] of KEYS) {
    const said = typed[name];
    if (said !== undefined) keys[key] = NUMBERS.has(key) ? numberOf(key, said) : said;
  }
  const dial = DIAL_KEYS.flatMap((key) => {
    const said = typed[key];
    return said === undefined ? [] : [[key, key === 'unit' ? said : numberOf(key, said)]];
  });
  return dial.length === 0 ? keys : { ...keys, dial: Object.fromEntries(dial) };
}

/** What is no number would be written as nothing at all. */
function numberOf(key: string, said: string): number {
  const number = said.trim() === '' ? Number.NaN : Number(said);
  if (Number.isFinite(number)) return number;
  throw new Unanswered(`--${key.replaceAll('_', '-')}`, 'q_bad_number');
}

function keyOptions(command: Command, desk: Desk): Command {
  for (const [flags, , key] of KEYS) option(command, desk, flags, `o_meter_${key}`);
  option(command, desk, '--digits <n>', 'o_digits');
  option(command, desk, '--unit <unit>', 'o_unit');
  option(command, desk, '--pow10 <n>', 'o_pow10');
  option(command, desk, '--by <name>', 'o_by');
  option(command, desk, '--dry-run', 'o_dry_run');
  return withConfig(command, desk);
}

interface ChangeOptions {
  readonly config: string;
  readonly by?: string;
  readonly dryRun?: boolean;
}

function addRegistry(meters: Command, desk: Desk): void {
  const added = addCommand(meters, desk, {
    spec: 'add <meter>',
    key: 'c_meter_add',
    example: 'meter add SP-2 --bus bus-1 --profile generic-8-digit-line --address 2',
  });
  keyOptions(added, desk).action(async (meter, typed: Typed & ChangeOptions) => {
    const bus = await wanted(desk, typed['bus'], { key: 'q_meter_bus', flag: '--bus' });
    const profile = await wanted(desk, typed['profile'], {
      ...{ key: 'q_profile', flag: '--profile' },
    });
    const address = await wanted(desk, typed['address'], {
      ...{ key: 'q_address', flag: '--address' },
    });
    const keys = { ...keysOf(typed), bus, profile, address: addressOf(address) };
    desk.done(await changed('meter.add', { meter, ...keys }, typed, desk));
  });
  const edited = addCommand(meters, desk, {
    ...{ spec: 'edit <meter>', key: 'c_meter_edit', example: 'meter edit SP-2 --route 12' },
  });
  keyOptions(edited, desk).action(async (meter, typed: Typed & ChangeOptions) => {
    const keys = keysOf(typed);
    if (Object.keys(keys).length > 0) {
      return desk.done(await changed('meter.update', { meter, ...keys }, typed, desk));
    }
    const { manner, io } = desk;
    const failure = { code: 'usage.change', message: manner.say('cli.edit_nothing'), hint: '' };
    return desk.done(fail(io, manner, failure, EXIT.usage));
  });
  const removed = addCommand(meters, desk, {
    ...{
      spec: 'remove <meter>',
      key: 'c_meter_remove',
      example: 'meter remove SP-2 --confirm SP-2',
    },
  });
  option(removed, desk, '--confirm <meter>', 'o_confirm');
  option(removed, desk, '--by <name>', 'o_by');
  withConfig(removed, desk).action(async (meter, options: ChangeOptions & { confirm?: string }) =>
    desk.done(await remove(meter, options, desk)),
  );
}

/** A number on Modbus; on a line the text that takes the place of `{address}`. Settings take both as text. */
const addressOf = (typed: string): string => typed;

async function changed(
  name: string,
  args: Readonly<Record<string, unknown>>,
  { config: file, by, dryRun }: ChangeOptions,
  desk: Desk,
): Promise<number> {
  const { say } = desk.manner;
  const asked = {
    ...args,
    ...(by !== undefined && { by }),
    ...(dryRun === true && { dry_run: true }),
  };
  const meter = String(args['meter']);
  return deed(
    { file, name, args: asked },
    ({ written, takes_effect: when }) => {
      if (written === false) return say('cli.change_tried', { file });
      const done = say(name === 'meter.add' ? 'cli.meter_added' : 'cli.meter_edited', { meter });
      const next = when === 'at the next start' ? 'cli.meter_next_start' : 'cli.meter_next';
      return `${done}\n${say(next, { name: NAME, meter, file: asTyped(file) })}`;
    },
    desk,
  );
}

/** Its readings stay in the journal; what is taken out is its entry in the settings. */
async function remove(
  meter: string,
  { config: file, confirm, by }: ChangeOptions & { readonly confirm?: string },
  desk: Desk,
): Promise<number> {
  const { manner, io } = desk;
  const typed = await wanted(desk, confirm, {
    ...{ key: 'q_confirm', flag: `--confirm ${meter}`, places: { meter } },
  });
  if (typed !== meter) {
    const message = manner.say('cli.confirm_other', { typed, meter });
    return fail(io, manner, { code: 'usage.confirm', message, hint: '' }, EXIT.usage);
  }
  const args = { changes: [{ path: `/meters/${meter}` }], ...(by !== undefined && { by }) };
  return deed(
    { file, name: 'config.set', args },
    () => manner.say('cli.meter_removed', { meter }),
    desk,
  );
}

function addService(meters: Command, desk: Desk): void {
  const { say } = desk.manner;
  for (const verb of ['disable', 'enable'] as const) {
    const command = addCommand(meters, desk, {
      spec: `${verb} <meter>`,
      key: `c_meter_${verb}`,
      example: `meter ${verb} SP-1`,
    });
    withConfig(command, desk).action(async (meter, { config: file }) => {
      const question = { file, name: `meter.${verb}`, args: { meter } };
      const sentence = () => `${meter}: ${say(`cli.c_meter_${verb}`)}.`;
      desk.done(await deed(question, sentence, desk));
    });
  }
  const maintained = addCommand(meters, desk, {
    spec: 'maintenance <meter>',
    key: 'c_meter_maintenance',
    example: 'meter maintenance SP-1 --off',
  });
  option(maintained, desk, '--off', 'o_maintenance_off');
  withConfig(maintained, desk).action(async (meter, { config: file, off }) => {
    const args = { meter, off: off === true };
    const key = off === true ? 'cli.maintenance_over' : 'cli.maintenance_begins';
    const question = { file, name: 'meter.maintenance', args };
    desk.done(await deed(question, () => say(key, { meter }), desk));
  });
}
