// The command `audit`: proves over the journal that no count was lost or invented, and writes it out for anyone else's proof.

import { resolve } from 'node:path';
import type { Commands } from '../boundaries.ts';
import type { AuditAnswer } from './answers.ts';
import { ask, perform } from './ask.ts';
import { EXIT } from './exit-codes.ts';
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
    const question = { file: config, name: 'journal.export', args: { file: resolve(file) } };
    const exported = await perform(question, manner, io, parts);
    if ('exit' in exported) return exported.exit;
    const { bytes } = exported.data as { bytes: number };
    io.err(`${printable(file)}: ${bytes} bytes\n`);
  }
  const watch = (commands: Commands) => watchProgress(commands, io, parts);
  const question = { file: config, name: 'audit', list: 'meters', watch };
  const answered = await ask(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const answer = answered.data as AuditAnswer;
  if (manner.json) sayJson(io, answer);
  else io.out(screen(answer));
  return answer.ok ? EXIT.ok : EXIT.audit;
}

/** Says on standard error how many records were read; on a terminal always on the same line. */
function watchProgress(commands: Commands, io: Io, parts: Parts): () => void {
  const [begin, end] = io.isTTY ? ['\r', ''] : ['', '\n'];
  let said = false;
  const stop = parts.every(PROGRESS_MS, () => {
    void commands.run('audit.progress', {}).then((answer) => {
      const records = answer.ok ? (answer.data as { records?: unknown }).records : null;
      if (typeof records !== 'number') return;
      said = true;
      io.err(`${begin}${records} records read${end}`);
    });
  });
  return () => {
    stop();
    if (said && io.isTTY) io.err('\n');
  };
}

function screen(answer: AuditAnswer): string {
  const { ok, meters, rows, pending, problems = [], problem_count: count = 0 } = answer;
  const wrong = meters.filter((meter) => !meter.ok).length;
  const sentence = ok
    ? 'The journal holds every count: the hours and gaps of each installation sum to its total.'
    : `The journal does not hold: ${wrong} of ${meters.length} installations fail.`;
  const headings = ['METER', 'INST', 'HOURS', 'GAPS', 'SUM (COUNTS)', 'TOTAL (COUNTS)', 'PROOF'];
  const body = meters.map(({ meter, inst, hours, gaps, sum, total, ok: holds, problem }) => [
    meter,
    ...[inst, hours, gaps, sum, total].map(String),
    holds ? 'ok' : (problem ?? 'fails'),
  ]);
  const places = problems.map((problem) => `${printable(problem)}\n`).join('');
  const more = count > problems.length ? `and ${count - problems.length} more\n` : '';
  const found = places === '' ? '' : `\n${places}${more}`;
  const acknowledged =
    answer.acknowledged === undefined ? '' : `, ${answer.acknowledged} acknowledged`;
  return `${sentence} ${rows} rows, ${pending} of them not yet sent${acknowledged}.\n\n${table(headings, body)}${found}`;
}
