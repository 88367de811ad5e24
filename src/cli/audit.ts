// The command `audit`: proves over the journal that no count was lost or invented, and writes it out for anyone else's proof.

import { resolve } from 'node:path';
import type { Commands } from '../boundaries.ts';
import type { AuditAnswer } from './answers.ts';
import { ask, perform } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import { elsewhere, unseen } from './journal.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { printable, sayJson, table } from './say.ts';

/** Progress is asked for this often. */
const PROGRESS_MS = 1_000;

/** Shows the answer to `audit`; 9 when anything in the journal does not hold. With `file` it is first written there. */
export async function audit(
  config: string,
  file: string | undefined,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  if (file !== undefined) {
    const target = resolve(file);
    const otherwise = elsewhere('audit --export', target, manner);
    const question = { file: config, name: 'journal.export', args: { file: target }, otherwise };
    const exported = await perform(question, manner, io, parts);
    if ('exit' in exported) return exported.exit;
    if (!(await parts.host.has(target))) return unseen(target, otherwise, manner, io);
    const { bytes } = exported.data as { bytes: number };
    io.err(`${manner.say('cli.bytes', { file: printable(file), bytes })}\n`);
  }
  const watch = (commands: Commands) => watchProgress(commands, manner, io, parts);
  const question = { file: config, name: 'audit', list: 'meters', watch };
  const answered = await ask(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const answer = answered.data as AuditAnswer;
  if (manner.json) sayJson(io, answer);
  else io.out(screen(answer, manner));
  return answer.ok ? EXIT.ok : EXIT.audit;
}

/** Says on a terminal how many records were read, always on the same line. */
function watchProgress(commands: Commands, { say }: Manner, io: Io, parts: Parts): () => void {
  if (!io.isTTY) return () => undefined;
  let said = false;
  const stop = parts.every(PROGRESS_MS, () => {
    void commands.run('audit.progress', {}).then((answer) => {
      const records = answer.ok ? (answer.data as { records?: unknown }).records : null;
      if (typeof records !== 'number') return;
      said = true;
      io.err(`\r${say('cli.records_read', { records })}`);
    });
  });
  return () => {
    stop();
    if (said) io.err('\n');
  };
}

function screen(answer: AuditAnswer, manner: Manner): string {
  const { say } = manner;
  const { ok, meters, rows, pending, problems = [], problem_count: count = 0 } = answer;
  const wrong = meters.filter((meter) => !meter.ok).length;
  const sentence = ok ? say('cli.audit_good') : say('cli.audit_bad', { wrong, all: meters.length });
  const headings = ['meter', 'inst', 'hours', 'gaps', 'sum', 'total_counts', 'proof'].map((name) =>
    say(`cli.h_${name}`),
  );
  const body = meters.map(({ meter, inst, hours, gaps, sum, total, ok: holds, problem }) => [
    meter,
    ...[inst, hours, gaps, sum, total].map(String),
    holds ? say('cli.ok') : (problem ?? say('cli.fails')),
  ]);
  const places = problems.map((problem) => `${printable(problem)}\n`).join('');
  const more =
    count > problems.length ? `${say('cli.and_more', { count: count - problems.length })}\n` : '';
  const found = places === '' ? '' : `\n${places}${more}`;
  const { acknowledged: acked } = answer;
  const sent =
    acked === undefined
      ? say('cli.audit_rows', { rows, pending })
      : say('cli.audit_rows_acked', { rows, pending, acked });
  const said = manner.plain ? '' : `${sentence} ${sent}\n\n`;
  return `${said}${table(headings, body, manner)}${found}`;
}
