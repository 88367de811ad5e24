// `bus stats`: how the questions on each bus end, how busy it is, and what to do about it.

import { askRunning } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { printable, sayJson, table } from './say.ts';

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
  const args = bus === undefined ? {} : { bus };
  const answered = await askRunning({ file, name: 'bus.stats', args }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const { buses } = answered.data as BusStatsAnswer;
  if (manner.json) sayJson(io, answered.data);
  else io.out(`${buses.map((one) => screen(one, manner)).join('\n')}`);
  return EXIT.ok;
}

function screen(bus: BusStatsAnswer['buses'][number], manner: Manner): string {
  const { say, hear } = manner;
  const { headroom_per_min: room } = bus;
  const places = { bus: bus.bus, type: bus.type, busy: (100 * bus.utilisation).toFixed(1) };
  const head =
    room === null ? say('cli.bus_head', places) : say('cli.bus_head_room', { ...places, room });
  const advice = bus.advice.map(
    ({ says, next }) => `  ${hear(says)}${next === '' ? '' : ` ${hear(next)}`}`,
  );
  const rows = bus.meters.map((meter) => [
    ...[meter.meter, meter.address ?? '-', ms(meter.p50_ms), ms(meter.p95_ms)],
    ...COLUMNS.map(([, keys]) => String(keys.reduce((sum, key) => sum + (meter.day[key] ?? 0), 0))),
  ]);
  const headings = ['meter', 'address', 'p50', 'p95', ...COLUMNS.map(([name]) => name)].map(
    (name) => say(`cli.h_${name}`),
  );
  const counts =
    rows.length === 0 ? '' : `\n${say('cli.last_24')}\n${table(headings, rows, manner)}`;
  return `${[head, ...advice].map(printable).join('\n')}\n${counts}`;
}

/** The columns of the table, and the counts that each sums. */
const COLUMNS: readonly (readonly [name: string, keys: readonly string[]])[] = [
  ['asked', ['polls']],
  ['ok', ['ok']],
  ['again', ['second']],
  ['silent', ['timeouts']],
  ['torn', ['torn']],
  ['crc', ['crc']],
  ['framing', ['framing']],
  ['refused', ['exceptions']],
  ['other', ['wrong_unit', 'wrong_id']],
  ['no_dial', ['unusable']],
  ['late', ['late']],
  ['unasked', ['unasked']],
];

function ms(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}
