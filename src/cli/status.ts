// The command `status`: one screen that says how the meters, the buses, the journal and the head-end are.

import type { MeterStatus, StatusAnswer } from './answers.ts';
import { ask } from './ask.ts';
import { NAME } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { dialFace, fail, sayJson, table, volume } from './say.ts';

export interface StatusRequest {
  readonly file: string;
  readonly watch?: boolean;
  /** Seconds between two looks; absent: 2. */
  readonly every?: string | undefined;
}

const EVERY_S = 2;
const EVERY_MAX_S = 3_600;
/** Cursor to the upper left corner, and everything below it gone (ECMA-48). */
const WIPE = '\u001b[H\u001b[J';

/** Shows the answer to `status`. 0 whenever there is an answer, however bad the news; watching, 0 at Ctrl-C too. */
export async function status(
  { file, watch = false, every }: StatusRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const seconds = every === undefined ? EVERY_S : Number(every);
  if (!(seconds >= 1 && seconds <= EVERY_MAX_S)) {
    const message = manner.say('cli.bad_every', { what: every ?? '' });
    return fail(io, manner, { code: 'usage.every', message, hint: '' }, EXIT.usage);
  }
  const over = new AbortController();
  const release = watch ? parts.onStop(() => over.abort('over')) : () => undefined;
  const look = async () => {
    const answered = await ask({ file, name: 'status', list: 'meters' }, manner, io, parts);
    if ('exit' in answered) return answered.exit;
    show(answered.data as StatusAnswer, watch ? seconds : null, manner, io);
    return EXIT.ok;
  };
  try {
    let exit = await look();
    while (watch && exit === EXIT.ok && !over.signal.aborted) {
      await parts.pause(seconds * 1000, over.signal);
      if (!over.signal.aborted) exit = await look();
    }
    return exit;
  } finally {
    release();
  }
}

function show(answer: StatusAnswer, everyS: number | null, manner: Manner, io: Io): void {
  if (manner.json) return sayJson(io, answer);
  const wipes = everyS !== null && io.isTTY && io.env['TERM'] !== 'dumb';
  io.out(`${wipes ? WIPE : ''}${screen(answer, manner)}`);
  if (wipes) io.out(`\n${manner.say('cli.watch_foot', { seconds: everyS })}\n`);
  else if (everyS === null) io.err(nextStep(answer, manner));
}

/** What a person does next, where there is something to do. */
function nextStep({ meters, upstream }: StatusAnswer, { say }: Manner): string {
  if (meters.length === 0) return `${say('cli.status_first', { name: NAME })}\n`;
  const isWell = meters.every(({ fault }) => fault === null) && upstream.connected;
  return isWell ? '' : `${say('cli.status_next', { name: NAME })}\n`;
}

function screen(answer: StatusAnswer, manner: Manner): string {
  const { say } = manner;
  const { buses, meters } = answer;
  const headings = [
    ...['meter', 'inst', 'bus', 'dial', 'volume', 'read_at', 'this_hour', 'last_hour', 'q'],
    'state',
  ].map((name) => say(`cli.h_${name}`));
  const rows = meters.map((meter) => meterRow(meter, manner));
  if (manner.plain) return table(headings, rows, manner);
  return [
    `${sentence(answer, manner)}\n\n`,
    table(['', ''], factRows(answer, manner)).trimStart(),
    ...(buses.length === 0 ? [] : ['\n', busTable(buses, manner)]),
    ...(meters.length === 0 ? [] : ['\n', table(headings, rows, manner)]),
  ].join('');
}

function sentence({ collector, utility, meters, journal, now }: StatusAnswer, { say }: Manner) {
  const well = meters.filter(({ fault, read }) => fault === null && read !== null).length;
  const { pending: count, oldest_pending: since } = journal;
  // Events have no hour: where they alone wait, none is the oldest.
  const waiting =
    count === 0
      ? say('cli.waits_none')
      : since === null
        ? say('cli.waits_events', { count })
        : say('cli.waits', { count, since });
  // A journal remembers readings, but nobody asks the meters.
  const key = now === null ? 'cli.status_line_journal' : 'cli.status_line';
  return say(key, { collector, utility, well, all: meters.length, waiting });
}

function factRows(answer: StatusAnswer, manner: Manner): string[][] {
  const { say, hear } = manner;
  const { upstream, journal, now, clock, version } = answer;
  const link = say(upstream.connected ? 'cli.s_connected' : 'cli.s_unconnected');
  const rows = say('cli.s_rows', { rows: journal.rows, pending: journal.pending });
  const told = [
    [say('cli.s_headend'), withDetail(link, hear(upstream.detail))],
    [say('cli.s_journal'), withDetail(rows, hear(journal.detail))],
  ];
  if (now !== null && clock !== null) {
    const trust = say(`cli.trust_${String(clock.synced)}`);
    const { speed } = clock;
    const time =
      speed === 1 ? say('cli.s_now', { now, trust }) : say('cli.s_speed', { now, speed, trust });
    told.push([say('cli.s_clock'), time]);
  }
  if (version !== undefined) told.push([say('cli.s_version'), version]);
  return told;
}

function busTable(buses: StatusAnswer['buses'], manner: Manner): string {
  const { say, hear } = manner;
  const rows = buses.map(({ bus, type, open, detail, utilisation, says = '', next = '' }) => [
    bus,
    type,
    withDetail(say(open ? 'cli.open' : 'cli.closed'), hear(detail)),
    utilisation === undefined ? '-' : `${Math.round(100 * utilisation)} %`,
    [hear(says), hear(next)].filter(Boolean).join(' '),
  ]);
  const headings = ['bus', 'type', 'state', 'busy', 'advice'].map((name) => say(`cli.h_${name}`));
  return table(headings, rows, manner);
}

function withDetail(state: string, detail: string): string {
  return detail === '' || detail === state ? state : `${state}: ${detail}`;
}

function meterRow(meter: MeterStatus, manner: Manner): string[] {
  const { say } = manner;
  const { digits, pow10, unit, read, last_hour: last } = meter;
  const shown = (counts: number | null | undefined) => {
    const unknown = counts === null || counts === undefined || pow10 === null || unit === null;
    return unknown ? '-' : volume(counts, pow10, unit);
  };
  return [
    meter.meter,
    String(meter.inst ?? '-'),
    meter.bus ?? say('cli.by_hand'),
    read === null || digits === null ? '-' : dialFace(read, digits),
    shown(read),
    meter.at ?? say('cli.never'),
    shown(meter.use_this_hour),
    shown(last?.use),
    last?.q ?? '-',
    stateOf(meter, manner),
  ];
}

function stateOf({ fault, read }: MeterStatus, { say, hear }: Manner): string {
  if (fault === null) return say(read === null ? 'cli.not_read_yet' : 'cli.ok');
  const { code, since, detail } = fault;
  return say('cli.fault_since', { code, since, detail: hear(detail) });
}
