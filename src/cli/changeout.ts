// `changeout METER`: another meter stands there. At a terminal it is led in the order of the work: final read, swap, who the new one is, initial read.

import type { Command } from 'commander';
import type { CommandAnswer } from '../boundaries.ts';
import { failAsked } from './ask.ts';
import { addCommand, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { deed } from './operate.ts';
import type { Desk } from './parts.ts';
import { pressed, wanted } from './questions.ts';
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
];

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
  const isLed = desk.manner.asks && request.registerId === undefined;
  if (isLed) return led(meter, request, desk);
  const args = argsOf(meter, request);
  const { say } = desk.manner;
  return deed(
    { file: request.config, name: 'changeout', args },
    ({ inst, final }) =>
      say('cli.changed_out', { meter, inst: Number(inst), final: String(final) }),
    desk,
  );
}

function argsOf(meter: string, request: ChangeOutRequest): Record<string, unknown> {
  const { config: _, registerId, bodySerial, ...rest } = request;
  return { meter, ...rest, register_id: registerId, body_serial: bodySerial };
}

async function led(meter: string, request: ChangeOutRequest, desk: Desk): Promise<number> {
  const { manner, io, parts } = desk;
  const { say } = manner;
  const loaded = await settingsOf(request.config, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const daemon = parts.daemon(loaded.settings.control);
  const refused = (answer: Extract<CommandAnswer, { ok: false }>) =>
    failAsked(answer, loaded.settings, manner, io, request.config);

  io.err(`${say('cli.co_1', { meter })}\n`);
  const final = request.final ?? (await askedDial(undefined, desk));
  const old = await daemon.run('verify', { meter, dial: final });
  if (old.ok) io.err(`${verdictSentence(old.data as VerifyAnswer, manner)}\n`);
  else if (old.code !== 'no_answer' && old.code !== 'busy') return refused(old);
  else io.err(`${say('cli.co_old_silent')}\n`);

  await pressed(desk, 'co_2');

  io.err(`${say('cli.co_3')}\n`);
  const whole = await newMeter(request, desk);

  const initial = request.initial ?? (await askedInitial(desk));
  const args = argsOf(meter, { ...request, ...whole, final, initial });
  const done = await daemon.run('changeout', args);
  if (!done.ok) return refused(done);
  const { inst, final: ended } = done.data as { readonly inst: number; readonly final: number };
  io.out(`${say('cli.changed_out', { meter, inst, final: String(ended) })}\n`);
  return initialRead(meter, initial, daemon, desk);
}

/** Who the new meter is: scanned or typed from its label, never taken from the old one. */
async function newMeter(request: ChangeOutRequest, desk: Desk) {
  const registerId = await wanted(desk, request.registerId, {
    ...{ key: 'q_register_id', flag: '--register-id', usual: '' },
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

async function askedInitial(desk: Desk): Promise<string> {
  desk.io.err(`${desk.manner.say('cli.co_4')}\n`);
  return askedDial(undefined, desk);
}

/** The new meter's own first word, held against the dial that was typed. */
async function initialRead(
  meter: string,
  initial: string,
  daemon: ReturnType<Desk['parts']['daemon']>,
  { manner, io }: Desk,
): Promise<number> {
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
  return agrees(verified.verdict) ? EXIT.ok : EXIT.mismatch;
}
