// `bus stats`: how the questions on each bus end, how busy it is, and what to do about it.

import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail, printable, sayJson, table } from './say.ts';
import { settingsOf } from './settings-file.ts';

type Counts = Readonly<Record<string, number>>;

export interface BusStatsAnswer {
  readonly buses: readonly {
    readonly bus: string;
    readonly type: string;
    readonly open: boolean;
    readonly detail: string;
    readonly timeout_ms: number;
    readonly utilisation: number;
    readonly headroom_per_min: number | null;
    readonly read_ms: number | null;
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
    readonly advice: readonly {
      readonly code: string;
      readonly says: string;
      readonly next: string;
    }[];
    readonly total: Counts;
    readonly day: Counts;
    readonly meters: readonly {
      readonly meter: string;
      readonly address: string | null;
      readonly p50_ms: number | null;
      readonly p95_ms: number | null;
      readonly latest_ms: number | null;
      readonly total: Counts;
      readonly day: Counts;
    }[];
  }[];
}

/** Asks the running collector; its journal knows nothing of buses. */
export async function busStats(
  { file, bus }: { file: string; bus: string | undefined },
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const args = bus === undefined ? {} : { bus };
  const answer = await parts.daemon(loaded.settings.control).run('bus.stats', args);
  if (!answer.ok) {
    const start = `Start it: meter-collector run --config ${file}`;
    const hint = answer.hint === '' && answer.code === 'daemon.absent' ? start : answer.hint;
    return fail(io, manner, { ...answer, hint });
  }
  const { buses } = answer.data as BusStatsAnswer;
  if (manner.json) sayJson(io, answer.data);
  else io.out(`${buses.map(screen).join('\n')}`);
  return EXIT.ok;
}

function screen(bus: BusStatsAnswer['buses'][number]): string {
  const busy = `${(100 * bus.utilisation).toFixed(1)} % busy in the last hour`;
  const room =
    bus.headroom_per_min === null ? '' : `, ${bus.headroom_per_min} reads a minute still fit`;
  const head = `${bus.bus} (${bus.type}): ${busy}${room}`;
  const advice = bus.advice.map(({ says, next }) => `  ${says}${next === '' ? '' : ` ${next}`}`);
  const rows = bus.meters.map((meter) => [
    ...[meter.meter, meter.address ?? '-', ms(meter.p50_ms), ms(meter.p95_ms)],
    ...COLUMNS.map(([, keys]) => String(keys.reduce((sum, key) => sum + (meter.day[key] ?? 0), 0))),
  ]);
  const headings = ['METER', 'ADDRESS', 'P50', 'P95', ...COLUMNS.map(([name]) => name)];
  const counts = rows.length === 0 ? '' : `\nLast 24 hours:\n${table(headings, rows)}`;
  return `${[head, ...advice].map(printable).join('\n')}\n${counts}`;
}

/** The columns of the table, and the counts that each sums. */
const COLUMNS: readonly (readonly [name: string, keys: readonly string[]])[] = [
  ['ASKED', ['polls']],
  ['OK', ['ok']],
  ['AGAIN', ['second']],
  ['SILENT', ['timeouts']],
  ['TORN', ['torn']],
  ['CRC', ['crc']],
  ['FRAMING', ['framing']],
  ['REFUSED', ['exceptions']],
  ['OTHER', ['wrong_unit', 'wrong_id']],
  ['NO DIAL', ['unusable']],
  ['LATE', ['late']],
  ['UNASKED', ['unasked']],
];

function ms(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}
