// `changeout METER`: another meter stands there. At a terminal it is led in the order of the work: final read, swap, who the new one is, initial read.

import type { Command } from 'commander';
import type { CommandAnswer } from '../boundaries.ts';
import type { ChangeStep, KeptChange } from '../domain/change-out.ts';
import { failAsked } from './ask.ts';
import { addCommand, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { deed } from './operate.ts';
import type { Desk } from './parts.ts';
import { pressed, Unanswered, wanted } from './questions.ts';
import { sayJson } from './say.ts';
import { settingsOf } from './settings-file.ts';
import { agrees, askedDial, type VerifyAnswer, verdictSentence } from './verify.ts';

interface ChangeOutRequest {
  readonly config: string;
  readonly final?: string;
  readonly initial?: string;
  readonly digits?: string;
  readonly unit?: string;
  readonly pow10?: string;
  readonly registerId?: string;
  readonly bodySerial?: string;
  readonly by?: string;
  readonly force?: boolean;
  readonly giveUp?: boolean;
}

const OPTIONS: readonly (readonly [flags: string, key: string])[] = [
  ['--final <dial>', 'o_final'],
  ['--initial <dial>', 'o_initial'],
  ['--digits <n>', 'o_digits'],
  ['--unit <unit>', 'o_unit'],
  ['--pow10 <n>', 'o_pow10'],
  ['--register-id <id>', 'o_register_id'],
  ['--body-serial <serial>', 'o_body_serial'],
  ['--by <name>', 'o_by'],
  ['--force', 'o_force_final'],
  ['--give-up', 'o_give_up'],
];

/** What may be said of either meter; one of these is. */
const TOLD = ['final', 'initial', 'digits', 'unit', 'pow10', 'registerId', 'bodySerial'] as const;

export function addChangeout(program: Command, desk: Desk): void {
  const command = addCommand(program, desk, {
    spec: 'changeout <meter>',
    key: 'c_changeout',
    example: 'changeout SP-1 --final 1234 --register-id 55501234 --digits 8 --unit ft3 --pow10 -1',
  });
  for (const [flags, key] of OPTIONS) option(command, desk, flags, key);
  withConfig(command, desk).action(async (meter, request: ChangeOutRequest) =>
    desk.done(await changeout(meter, request, desk)),
  );
}

/** Led where a person can be asked and has said nothing of the new meter; else done as the options say. */
async function changeout(meter: string, request: ChangeOutRequest, desk: Desk): Promise<number> {
  if (request.giveUp) return givenUp(meter, request.config, desk);
  const isLed = desk.manner.asks && request.registerId === undefined;
  if (isLed) return led(meter, request, desk);
  // The name of a meter alone is no change-out: it may be typed for the guide, where nobody can be asked.
  if (TOLD.every((key) => request[key] === undefined)) throw new Unanswered('--final');
  const args = argsOf(meter, request);
  const { say } = desk.manner;
  return deed(
    { file: request.config, name: 'changeout', args },
    ({ inst, final }) =>
      say('cli.changed_out', { meter, inst: Number(inst), final: String(final) }),
    desk,
  );
}

const givenUp = (meter: string, file: string, desk: Desk): Promise<number> =>
  deed(
    { file, name: 'changeout.drop', args: { meter } },
    () => desk.manner.say('cli.co_given_up', { meter }),
    desk,
  );

function argsOf(meter: string, request: ChangeOutRequest): Record<string, unknown> {
  const { config: _, giveUp: _giveUp, registerId, bodySerial, ...rest } = request;
  return { meter, ...rest, register_id: registerId, body_serial: bodySerial };
}

/** Where a change-out is led. */
interface Site {
  readonly meter: string;
  readonly request: ChangeOutRequest;
  readonly daemon: ReturnType<Desk['parts']['daemon']>;
  readonly desk: Desk;
}

type Refusal = Extract<CommandAnswer, { ok: false }>;

/** Goes on where it was left, at whichever phone or terminal that was. */
async function led(meter: string, request: ChangeOutRequest, desk: Desk): Promise<number> {
  const { manner, io, parts } = desk;
  const loaded = await settingsOf(request.config, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const daemon = parts.daemon(loaded.settings.control);
  const refused = (answer: Refusal) =>
    failAsked(answer, loaded.settings, manner, io, request.config);
  const listed = await daemon.run('changeout.list', {});
  if (!listed.ok) return refused(listed);
  const { changeouts } = listed.data as { readonly changeouts: readonly KeptChange[] };
  const kept = changeouts.find((one) => one.meter === meter) ?? null;
  if (kept) {
    const { began, final } = kept;
    io.err(`${manner.say('cli.co_kept', { began, final: final ?? '-', name: NAME, meter })}\n`);
  }
  const site: Site = { meter, request, daemon, desk };
  const isTold = kept?.step === 'initial';
  const initial = isTold ? await askedInitial(request, desk) : await swapped(site, kept);
  return typeof initial === 'string' ? initialRead(site, initial) : refused(initial);
}

/** Up to the change that is told: the new dial as typed. */
async function swapped(site: Site, kept: KeptChange | null): Promise<string | Refusal> {
  const { meter, request, daemon, desk } = site;
  const { manner, io } = desk;
  const final = request.final ?? kept?.final ?? (await finalRead(site));
  if (typeof final !== 'string') return final;
  if (!kept) await keep(site, 'swap', final);
  if (!kept || kept.step === 'swap') {
    await pressed(desk, 'co_2');
    await keep(site, 'scan', final);
  }
  io.err(`${manner.say('cli.co_3')}\n`);
  const whole = await newMeter(request, desk, kept?.register_id ?? '');
  const initial = await askedInitial(request, desk);
  const args = argsOf(meter, { ...request, ...whole, final, initial });
  const done = await daemon.run('changeout', args);
  if (!done.ok) return done;
  const { inst, final: ended } = done.data as { readonly inst: number; readonly final: number };
  io.out(`${manner.say('cli.changed_out', { meter, inst, final: String(ended) })}\n`);
  return initial;
}

/** The old dial as typed, held against its encoder as long as that answers. */
async function finalRead({ meter, daemon, desk }: Site): Promise<string | Refusal> {
  const { manner, io } = desk;
  io.err(`${manner.say('cli.co_1', { meter })}\n`);
  const final = await askedDial(undefined, desk);
  const old = await daemon.run('verify', { meter, dial: final });
  if (!old.ok && old.code !== 'no_answer' && old.code !== 'busy') return old;
  const says = old.ok ? verdictSentence(old.data as VerifyAnswer, manner) : null;
  io.err(`${says ?? manner.say('cli.co_old_silent')}\n`);
  return final;
}

/** A terminal may be closed in the pit: what is known so far lies with the collector. */
async function keep(site: Site, step: ChangeStep, final: string): Promise<void> {
  const { meter, request, daemon, desk } = site;
  const by = request.by === undefined ? {} : { by: request.by };
  const kept = await daemon.run('changeout.keep', { meter, step, final, ...by });
  if (kept.ok) return;
  const detail = desk.manner.hear(kept.message);
  desk.io.err(`${desk.manner.say('cli.co_not_kept', { detail })}\n`);
}

/** Who the new meter is: scanned or typed from its label, never taken from the old one. */
async function newMeter(request: ChangeOutRequest, desk: Desk, found: string) {
  const registerId = await wanted(desk, request.registerId, {
    ...{ key: 'q_register_id', flag: '--register-id', usual: found },
  });
  const bodySerial = await wanted(desk, request.bodySerial, {
    ...{ key: 'q_body_serial', flag: '--body-serial', usual: '' },
  });
  const digits = await wanted(desk, request.digits, {
    ...{ key: 'q_digits', flag: '--digits', usual: '8' },
    check: (one) => (/^\d{1,2}$/.test(one) ? null : 'q_bad_number'),
  });
  const unit = await wanted(desk, request.unit, {
    ...{ key: 'q_unit', flag: '--unit', usual: 'ft3' },
    check: (one) => (/^(ft3|gal|m3|L)$/.test(one) ? null : 'q_bad_unit'),
  });
  const pow10 = await wanted(desk, request.pow10, {
    ...{ key: 'q_pow10', flag: '--pow10', usual: digits === '4' ? '2' : '-1' },
    check: (one) => (/^-?\d$/.test(one) ? null : 'q_bad_number'),
  });
  return {
    ...(registerId !== '' && { registerId }),
    ...(bodySerial !== '' && { bodySerial }),
    ...{ digits, unit, pow10 },
  };
}

async function askedInitial({ initial }: ChangeOutRequest, desk: Desk): Promise<string> {
  if (initial !== undefined) return initial;
  desk.io.err(`${desk.manner.say('cli.co_4')}\n`);
  return askedDial(undefined, desk);
}

/** The new meter's own first word, held against the dial that was typed; where they agree, the change-out is over. */
async function initialRead({ meter, daemon, desk }: Site, initial: string): Promise<number> {
  const { manner, io } = desk;
  const { say } = manner;
  const answer = await daemon.run('verify', { meter, dial: initial });
  if (!answer.ok) {
    io.err(`${say('cli.co_new_silent', { detail: manner.hear(answer.message) })}\n`);
    io.err(`${say('cli.verify_later', { name: NAME, meter })}\n`);
    return EXIT.noAnswer;
  }
  const verified = answer.data as VerifyAnswer;
  if (manner.json) sayJson(io, verified);
  else io.out(`${verdictSentence(verified, manner)}\n`);
  if (!agrees(verified.verdict)) return EXIT.mismatch;
  await daemon.run('changeout.drop', { meter });
  return EXIT.ok;
}
