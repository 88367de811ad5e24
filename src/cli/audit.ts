// The command `audit`: proves over the journal that no count was lost or invented.

import type { AuditAnswer } from './answers.ts';
import { ask } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { sayJson, table } from './say.ts';

/** Shows the answer to `audit`; 9 when the hours and gaps of any installation do not sum to what its dial passed. */
export async function audit(file: string, manner: Manner, io: Io, parts: Parts): Promise<number> {
  const answered = await ask({ file, name: 'audit', list: 'meters' }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const answer = answered.data as AuditAnswer;
  if (manner.json) sayJson(io, answer);
  else io.out(screen(answer));
  return answer.ok ? EXIT.ok : EXIT.audit;
}

function screen({ ok, meters, rows, pending }: AuditAnswer): string {
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
  return `${sentence} ${rows} rows, ${pending} of them not yet sent.\n\n${table(headings, body)}`;
}
