// `doctor`: ordered checks of bus, upstream, time and disk, each with its cause and the next step; and the bundle for support.

import type { Command } from 'commander';
import type { CommandAnswer } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import { failAsked } from './ask.ts';
import { bundleOf } from './bundle.ts';
import { addCommand, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk, Manner } from './parts.ts';
import { asTyped, fail, printable, sayJson } from './say.ts';
import { settingsOf } from './settings-file.ts';

const AREAS = ['bus', 'upstream', 'time', 'disk'] as const;

type Places = Readonly<Record<string, string | number>>;

export interface DoctorCheck {
  readonly area: string;
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'bad' | 'unknown';
  readonly cause: string;
  readonly places?: Places;
  readonly says: string;
  readonly next: string;
}

export function addDoctor(program: Command, desk: Desk): void {
  const command = addCommand(program, desk, {
    ...{ spec: 'doctor [area]', key: 'c_doctor', example: 'doctor bus' },
  });
  option(command, desk, '--bundle <file>', 'o_bundle');
  withConfig(command, desk).action(async (area, { config, bundle }) =>
    desk.done(await doctor({ file: config, area, bundle }, desk)),
  );
}

/** 0 when nothing is bad; else 4 for the bus, 5 for the upstream, 7 for a collector that does not run, 1 for the rest. */
async function doctor(
  request: { readonly file: string; readonly area?: string; readonly bundle?: string },
  desk: Desk,
): Promise<number> {
  const { manner, io, parts } = desk;
  const { file, area, bundle } = request;
  if (area !== undefined && !AREAS.some((one) => one === area)) {
    const message = manner.say('cli.no_area', { what: area });
    const hint = manner.say('cli.known_are', { names: AREAS.join(', ') });
    return fail(io, manner, { code: 'usage.area', message, hint }, EXIT.usage);
  }
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const answer = await examined(area, loaded.settings, file, desk);
  if (bundle !== undefined) await writeBundle(bundle, answer, loaded.settings, desk);
  if (!answer.ok) return failAsked(answer, loaded.settings, manner, io, file);
  const { checks } = answer.data as { readonly checks: readonly DoctorCheck[] };
  if (manner.json) sayJson(io, answer.data);
  else io.out(screen(checks, manner));
  return exitFor(checks);
}

/** The collector's own checks; of one that does not run what can be told from here. */
async function examined(
  area: string | undefined,
  settings: Settings,
  file: string,
  { manner, parts }: Desk,
): Promise<CommandAnswer> {
  const args = area === undefined ? {} : { area };
  const answer = await parts.daemon(settings.control).run('doctor', args);
  if (answer.ok || answer.code !== 'daemon.absent') return answer;
  const checks: DoctorCheck[] = [
    {
      ...{ area: 'collector', check: 'running', state: 'bad', cause: 'daemon_absent' },
      says: manner.say('cli.code_daemon_absent'),
      next: manner.say('cli.start_it', { name: NAME, file: asTyped(file) }),
    },
  ];
  if (area === undefined || area === 'upstream') {
    checks.push(await upstreamFromHere(settings, { manner, parts }));
  }
  return { ok: true, data: { checks } };
}

async function upstreamFromHere(
  settings: Settings,
  { manner, parts }: Pick<Desk, 'manner' | 'parts'>,
): Promise<DoctorCheck> {
  const tried = await parts.tryUpstream(settings);
  const head = { area: 'upstream', check: 'connection' } as const;
  if (tried.ok) {
    const says = manner.say('cli.up_reached');
    return { ...head, state: 'ok', cause: 'upstream_reached', says, next: '' };
  }
  const { code, message, hint } = tried;
  return { ...head, state: 'bad', cause: code.replaceAll('.', '_'), says: message, next: hint };
}

function exitFor(checks: readonly DoctorCheck[]): number {
  const worst = checks.find(({ state }) => state === 'bad');
  switch (worst?.area) {
    case undefined:
      return EXIT.ok;
    case 'collector':
      return EXIT.daemon;
    case 'bus':
      return EXIT.noAnswer;
    case 'upstream':
      return EXIT.upstream;
    default:
      return EXIT.failed;
  }
}

const COLORS: Readonly<Record<DoctorCheck['state'], number>> = {
  ok: 32,
  warn: 33,
  bad: 31,
  unknown: 36,
};

const STATES = Object.keys(COLORS) as (keyof typeof COLORS)[];

function screen(checks: readonly DoctorCheck[], manner: Manner): string {
  const { say, plain } = manner;
  const width = Math.max(...STATES.map((state) => say(`cli.state_${state}`).length));
  const areas = Math.max(...checks.map(({ area }) => say(`cli.area_${area}`).length));
  const indent = ' '.repeat(width + areas + 4);
  const lines = checks.map((check) => {
    const { says, next } = inWords(check, manner);
    if (plain) return [check.state, check.area, check.cause, says, next].join('\t');
    const area = say(`cli.area_${check.area}`).padEnd(areas);
    const step = next === '' || check.state === 'ok' ? '' : `\n${indent}${printable(next)}`;
    return `${markOf(check, width, manner)}  ${area}  ${printable(says)}${step}`;
  });
  return `${lines.join('\n')}\n`;
}

function markOf({ state }: DoctorCheck, width: number, { say, color }: Manner): string {
  const word = say(`cli.state_${state}`).padEnd(width);
  return color ? `\u001b[${COLORS[state]}m${word}\u001b[39m` : word;
}

/** By the cause's own sentence where the catalogue has one, else as the collector says it. */
function inWords({ cause, places = {}, says, next }: DoctorCheck, manner: Manner) {
  const heard = Object.fromEntries(
    Object.entries(places).map(([name, one]) => [
      name,
      typeof one === 'string' ? manner.hear(one) : one,
    ]),
  );
  const either = (key: string, otherwise: string) => {
    const found = manner.say(key, heard);
    return found === key ? manner.hear(otherwise) : found;
  };
  return {
    says: either(`doctor.${cause}`, says),
    next: next === '' ? '' : either(`doctor.${cause}_next`, next),
  };
}

async function writeBundle(
  path: string,
  checked: CommandAnswer,
  settings: Settings,
  { manner, io, parts }: Desk,
): Promise<void> {
  const bundle = await bundleOf(checked, settings, parts);
  await parts.writeGzip(path, `${JSON.stringify(bundle, null, 1)}\n`);
  io.err(`${manner.say('cli.bundle_done', { file: printable(path) })}\n`);
}
