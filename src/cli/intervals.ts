// The command `intervals METER`: its hours and gaps as the journal has them.

import { dayOf } from '../domain/usage/civil.ts';
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

/** The instant in ISO 8601, or null for what is none: to Date.parse the 30th of February is the 2nd of March. */
export function instantOf(said: string): string | null {
  if (!INSTANT.test(said) || Number.isNaN(Date.parse(said))) return null;
  return dayOf(said.slice(0, 10)) === null ? null : new Date(said).toISOString();
}

/** The exit code after what is wrong with `--from` and `--to` was said; null where both may be. */
export function badSpan(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  manner: Manner,
  io: Io,
): number | null {
  for (const [flag, said] of Object.entries({ '--from': from, '--to': to })) {
    if (said !== undefined && instantOf(said) === null) return badTime(flag, said, manner, io);
  }
  if (from === undefined || to === undefined) return null;
  if ((instantOf(from) ?? '') < (instantOf(to) ?? '')) return null;
  const message = manner.say('cli.bad_span', { from, to });
  const hint = manner.say('cli.bad_span_hint');
  return fail(io, manner, { code: 'usage.time', message, hint }, EXIT.usage);
}

/** Says that `said` behind `flag` is no instant. */
function badTime(flag: string, said: string, manner: Manner, io: Io): number {
  const message = manner.say('cli.bad_time', { flag, said });
  const hint = manner.say('cli.bad_time_hint');
  return fail(io, manner, { code: 'usage.time', message, hint }, EXIT.usage);
}

/** Shows the answer to `intervals`; `from` inclusive, `to` exclusive. */
export async function intervals(
  options: IntervalsOptions,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const { file, meter } = options;
  const args: Record<string, string> = { meter };
  const bad = badSpan(options, manner, io);
  if (bad !== null) return bad;
  for (const edge of ['from', 'to'] as const) {
    const instant = instantOf(options[edge] ?? '');
    if (instant !== null) args[edge] = instant;
  }
  const answered = await ask(
    { file, name: 'intervals', args, list: 'intervals' },
    manner,
    io,
    parts,
  );
  if ('exit' in answered) return answered.exit;
  if (manner.json) sayJson(io, answered.data);
  else io.out(screen(answered.data as IntervalsAnswer, manner));
  return EXIT.ok;
}

function screen(answer: IntervalsAnswer, manner: Manner): string {
  const { say } = manner;
  const { meter, installations, intervals: hours, gaps } = answer;
  if (hours.length + gaps.length === 0) return `${say('cli.no_hours', { meter })}\n`;
  const dials = new Map(installations.map((one) => [one.inst, one]));
  const shown = (inst: number, counts: number | null) => {
    const dial = dials.get(inst);
    if (counts === null || dial === undefined) return '-';
    return volume(counts, dial.pow10, dial.unit);
  };
  const counted = {
    hours: say('cli.hours', { count: hours.length }),
    gaps: say('cli.gaps', { count: gaps.length }),
  };
  const sentence = manner.plain ? '' : `${say('cli.hours_and_gaps', { meter, ...counted })}\n\n`;
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
  const heads = (...names: readonly string[]) => names.map((name) => say(`cli.h_${name}`));
  const ofHours = table(
    heads('hour', 'inst', 'dial', 'read_at', 'use', 'total', 'q', 'flags'),
    hourRows,
    manner,
  );
  const ofGaps = `\n${table(heads('gap_from', 'to', 'inst', 'use', 'why', 'flags'), gapRows, manner)}`;
  return sentence + (hours.length > 0 ? ofHours : '') + (gaps.length > 0 ? ofGaps : '');
}

function flagsOf({ flags, rev }: { flags: readonly string[]; rev?: number }): string {
  return [...flags, ...(rev === undefined || rev === 0 ? [] : [`rev ${rev}`])].join(' ');
}
