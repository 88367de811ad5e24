// The command `intervals METER`: its hours and gaps as the journal has them.

import type { IntervalsAnswer } from './answers.ts';
import { ask } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { dialFace, fail, sayJson, table, volume } from './say.ts';

export interface IntervalsOptions {
  readonly file: string;
  readonly meter: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** A day or an instant, always UTC: a local time would shift a bill's hours. */
const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/;

/** Shows the answer to `intervals`; `from` inclusive, `to` exclusive. */
export async function intervals(
  options: IntervalsOptions,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const { file, meter } = options;
  const args: Record<string, string> = { meter };
  for (const edge of ['from', 'to'] as const) {
    const said = options[edge];
    if (said === undefined) continue;
    if (!INSTANT.test(said) || Number.isNaN(Date.parse(said))) {
      const message = `--${edge} is "${said}", which is not an instant in UTC.`;
      const hint = 'Write 2026-11-22 or 2026-11-22T06:00:00Z.';
      return fail(io, manner, { code: 'usage.time', message, hint }, EXIT.usage);
    }
    args[edge] = new Date(said).toISOString();
  }
  const answered = await ask(
    { file, name: 'intervals', args, list: 'intervals' },
    manner,
    io,
    parts,
  );
  if ('exit' in answered) return answered.exit;
  if (manner.json) sayJson(io, answered.data);
  else io.out(screen(answered.data as IntervalsAnswer));
  return EXIT.ok;
}

function screen(answer: IntervalsAnswer): string {
  const { meter, installations, intervals: hours, gaps } = answer;
  if (hours.length + gaps.length === 0) return `${meter} has no hours there.\n`;
  const dials = new Map(installations.map((one) => [one.inst, one]));
  const shown = (inst: number, counts: number | null) => {
    const dial = dials.get(inst);
    if (counts === null || dial === undefined) return '-';
    return volume(counts, dial.pow10, dial.unit);
  };
  const sentence = `${meter}: ${hours.length} hours and ${gaps.length} gaps.\n\n`;
  const hourRows = hours.map((hour) => [
    hour.start,
    String(hour.inst),
    hour.read === null ? '-' : dialFace(hour.read, dials.get(hour.inst)?.digits ?? 0),
    hour.at ?? '-',
    shown(hour.inst, hour.use),
    shown(hour.inst, hour.total),
    hour.q,
    flagsOf(hour),
  ]);
  const gapRows = gaps.map((gap) => [
    gap.from,
    gap.to,
    String(gap.inst),
    shown(gap.inst, gap.use),
    gap.why,
    flagsOf(gap),
  ]);
  const ofHours = table(
    ['HOUR', 'INST', 'DIAL', 'READ AT', 'USE', 'TOTAL', 'Q', 'FLAGS'],
    hourRows,
  );
  const ofGaps = `\n${table(['GAP FROM', 'TO', 'INST', 'USE', 'WHY', 'FLAGS'], gapRows)}`;
  return sentence + (hours.length > 0 ? ofHours : '') + (gaps.length > 0 ? ofGaps : '');
}

function flagsOf({ flags, rev }: { flags: readonly string[]; rev?: number }): string {
  return [...flags, ...(rev === undefined || rev === 0 ? [] : [`rev ${rev}`])].join(' ');
}
