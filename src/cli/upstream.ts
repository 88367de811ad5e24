// The commands `upstream enroll` and `upstream test`: a certificate of this collector's own, and whether the broker lets it speak.

import type { Command } from 'commander';
import type { CommandAnswer } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import { addCommand, addGroup, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk, Io, Manner, Parts } from './parts.ts';
import { failHeard, sayJson } from './say.ts';
import { settingsOf } from './settings-file.ts';

export function addUpstream(program: Command, desk: Desk): void {
  const { manner, io, parts, done } = desk;
  const upstream = addGroup(program, desk, 'upstream', 'g_upstream');
  const enrolment = addCommand(upstream, desk, {
    ...{ spec: 'enroll', key: 'c_enroll', example: 'upstream enroll --csr collector.csr' },
  });
  option(enrolment, desk, '--csr <file>', 'o_csr');
  option(enrolment, desk, '--certificate <file>', 'o_certificate');
  option(enrolment, desk, '--new-key', 'o_new_key');
  withConfig(enrolment, desk).action(async (wish) => done(await enroll(wish, manner, io, parts)));
  const trial = addCommand(upstream, desk, {
    ...{ spec: 'test', key: 'c_up_test', example: 'upstream test' },
  });
  withConfig(trial, desk).action(async ({ config }) => done(await test(config, manner, io, parts)));
}

interface Wish {
  readonly config: string;
  readonly csr?: string;
  readonly certificate?: string;
  readonly newKey?: boolean;
}

async function enroll(wish: Wish, manner: Manner, io: Io, parts: Parts): Promise<number> {
  const loaded = await settingsOf(wish.config, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const { settings } = loaded;
  if (wish.certificate !== undefined) return takeIn(wish.certificate, settings, manner, io, parts);
  const answer = await parts.requestCertificate(settings, wish.newKey === true);
  if (!answer.ok) return failHeard(io, manner, answer);
  const { request, key_file: key = '', made } = answer.data as Record<string, string>;
  if (wish.csr !== undefined) {
    const file = await parts.createFile(wish.csr);
    await file.write(request ?? '');
    await file.close();
  }
  if (manner.json) sayJson(io, { ...(answer.data as object), ...(wish.csr && { csr: wish.csr }) });
  else if (wish.csr === undefined) io.out(request ?? '');
  if (manner.json) return EXIT.ok;
  io.err(`${manner.say(made ? 'cli.enroll_made' : 'cli.enroll_kept', { key })}\n`);
  io.err(`${manner.say('cli.enroll_back', { name: NAME })}\n`);
  return EXIT.ok;
}

async function takeIn(
  file: string,
  settings: Settings,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  let text = '';
  for await (const piece of parts.readText(file)) text += piece;
  const answer = await parts.takeCertificate(settings, text);
  return said(
    answer,
    ({ cert_file: file, until }) =>
      manner.say('cli.enroll_in', { file: String(file), until: String(until) }),
    manner,
    io,
  );
}

async function test(file: string, manner: Manner, io: Io, parts: Parts): Promise<number> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const answer = await parts.tryUpstream(loaded.settings);
  const sentence = ({ link, publish }: Readonly<Record<string, unknown>>) =>
    manner.say(publish === 'accepted' ? 'cli.up_accepted' : 'cli.up_unconfirmed', {
      link: manner.hear(String(link)),
    });
  return said(answer, sentence, manner, io);
}

function said(
  answer: CommandAnswer,
  sentence: (data: Readonly<Record<string, unknown>>) => string,
  manner: Manner,
  io: Io,
): number {
  if (!answer.ok) return failHeard(io, manner, answer);
  if (manner.json) sayJson(io, answer.data);
  else io.out(`${sentence(answer.data as Record<string, unknown>)}\n`);
  return EXIT.ok;
}
