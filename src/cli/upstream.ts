// The commands `upstream enroll` and `upstream test`: a certificate of this collector's own, and whether the broker lets it speak.

import type { Command } from 'commander';
import type { CommandAnswer } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail, sayJson } from './say.ts';
import { settingsOf } from './settings-file.ts';

export function addUpstream(
  program: Command,
  manner: Manner,
  io: Io,
  parts: Parts,
  done: (exit: number) => void,
): void {
  const upstream = program
    .command('upstream')
    .description('look after the way to the head-end')
    .helpCommand(false);
  const command = (name: string, description: string) =>
    upstream
      .command(name)
      .description(description)
      .option('--json', 'answer in JSON')
      .requiredOption('--config <file>', 'settings file');
  command('enroll', 'make a key and a request for a certificate, or take the certificate in')
    .option('--csr <file>', 'write the request there instead of to standard output')
    .option('--certificate <file>', 'the certificate that came for it, in PEM')
    .option('--new-key', 'ask with a new key; the present one serves until its certificate comes')
    .action(async (wish) => done(await enroll(wish, manner, io, parts)));
  command(
    'test',
    'connect to the broker once and say whether it takes what this collector publishes',
  ).action(async ({ config }) => done(await test(config, manner, io, parts)));
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
  if (!answer.ok) return fail(io, manner, answer);
  const { request, key_file: key, made } = answer.data as Record<string, string>;
  if (wish.csr !== undefined) {
    const file = await parts.createFile(wish.csr);
    await file.write(request ?? '');
    await file.close();
  }
  if (manner.json) sayJson(io, { ...(answer.data as object), ...(wish.csr && { csr: wish.csr }) });
  else if (wish.csr === undefined) io.out(request ?? '');
  if (manner.json) return EXIT.ok;
  io.err(
    `The key ${made ? 'was made in' : 'is that of'} ${key} and stays there; the request goes to\n`,
  );
  io.err('whoever signs certificates. What comes back: upstream enroll --certificate FILE\n');
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
    (data) => `It is in ${data['cert_file']} and good until ${data['until']}.`,
    manner,
    io,
  );
}

async function test(file: string, manner: Manner, io: Io, parts: Parts): Promise<number> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const answer = await parts.tryUpstream(loaded.settings);
  const sentence = ({ link, publish }: Readonly<Record<string, unknown>>) =>
    publish === 'accepted'
      ? `${link}: the broker takes what this collector publishes.`
      : `${link}: not confirmed, for on MQTT 3.1.1 a broker cannot say no.`;
  return said(answer, sentence, manner, io);
}

function said(
  answer: CommandAnswer,
  sentence: (data: Readonly<Record<string, unknown>>) => string,
  manner: Manner,
  io: Io,
): number {
  if (!answer.ok) return fail(io, manner, answer);
  if (manner.json) sayJson(io, answer.data);
  else io.out(`${sentence(answer.data as Record<string, unknown>)}\n`);
  return EXIT.ok;
}
