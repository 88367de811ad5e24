// The command `status`: one screen that says how the meters, the buses, the journal and the head-end are.

import type { MeterStatus, StatusAnswer } from './answers.ts';
import { ask } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { dialFace, sayJson, table, volume } from './say.ts';

/** Shows the answer to `status`. 0 whenever there is an answer, however bad the news. */
export async function status(file: string, manner: Manner, io: Io, parts: Parts): Promise<number> {
  const answered = await ask({ file, name: 'status', list: 'meters' }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  if (manner.json) sayJson(io, answered.data);
  else io.out(screen(answered.data as StatusAnswer));
  return EXIT.ok;
}

function screen(answer: StatusAnswer): string {
  const { collector, utility, upstream, journal, buses, meters } = answer;
  const well = meters.filter(({ fault, read }) => fault === null && read !== null).length;
  // A journal remembers readings, but nobody asks the meters.
  const answering = answer.now === null ? 'meters were read before' : 'meters answer';
  return [
    `${collector} of ${utility}: ${well} of ${meters.length} ${answering}, ${waiting(journal)}.\n\n`,
    table(
      ['', ''],
      [
        [
          'Head-end',
          withDetail(upstream.connected ? 'connected' : 'not connected', upstream.detail),
        ],
        ['Journal', withDetail(`${journal.rows} rows, ${journal.pending} to send`, journal.detail)],
        ...clockRow(answer),
        ...(answer.version === undefined ? [] : [['Version', answer.version]]),
      ],
    ).trimStart(),
    '\n',
    ...(buses.length === 0 ? [] : [busTable(buses), '\n']),
    table(
      ['METER', 'INST', 'BUS', 'DIAL', 'VOLUME', 'READ AT', 'THIS HOUR', 'LAST HOUR', 'Q', 'STATE'],
      meters.map(meterRow),
    ),
  ].join('');
}

const TRUST: Readonly<Record<string, string>> = {
  true: 'synchronised',
  false: 'not synchronised',
  null: 'believed, nobody checks it',
};

function clockRow({ now, clock }: StatusAnswer): string[][] {
  if (now === null || clock === null) return [];
  const speed = clock.speed === 1 ? '' : `, ${clock.speed} times as fast`;
  return [['Clock', `${now}${speed}, ${TRUST[String(clock.synced)]}`]];
}

function busTable(buses: StatusAnswer['buses']): string {
  const rows = buses.map(({ bus, type, open, detail, utilisation, says, next }) => [
    bus,
    type,
    withDetail(open ? 'open' : 'closed', detail),
    utilisation === undefined ? '-' : `${Math.round(100 * utilisation)} %`,
    [says, next].filter(Boolean).join(' '),
  ]);
  return table(['BUS', 'TYPE', 'STATE', 'BUSY', 'ADVICE'], rows);
}

function waiting(journal: StatusAnswer['journal']): string {
  if (journal.pending === 0) return 'nothing waits for the head-end';
  const since = journal.oldest_pending === null ? '' : `, the oldest of ${journal.oldest_pending}`;
  const rows = journal.pending === 1 ? '1 row waits' : `${journal.pending} rows wait`;
  return `${rows} for the head-end${since}`;
}

function withDetail(state: string, detail: string): string {
  return detail === '' || detail === state ? state : `${state}: ${detail}`;
}

function meterRow(meter: MeterStatus): string[] {
  const { digits, pow10, unit, read, last_hour: last } = meter;
  const shown = (counts: number | null | undefined) => {
    const unknown = counts === null || counts === undefined || pow10 === null || unit === null;
    return unknown ? '-' : volume(counts, pow10, unit);
  };
  return [
    meter.meter,
    String(meter.inst ?? '-'),
    meter.bus ?? 'by hand',
    read === null || digits === null ? '-' : dialFace(read, digits),
    shown(read),
    meter.at ?? 'never',
    shown(meter.use_this_hour),
    shown(last?.use),
    last?.q ?? '-',
    stateOf(meter),
  ];
}

function stateOf({ fault, read }: MeterStatus): string {
  if (fault !== null) return `${fault.code} since ${fault.since}: ${fault.detail}`;
  return read === null ? 'not read yet' : 'ok';
}
