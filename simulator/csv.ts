// What a head-end keeps, as CSV (RFC 4180): one line for each hour and gap, counts as whole numbers, volume beside them.

import { iso } from './entries.ts';
import type { Arrival } from './ledger.ts';

const COLUMNS = [
  ...['collector', 'meter', 'inst', 'kind', 'from', 'to', 'read', 'read_at', 'total', 'use'],
  ...['unit', 'pow10', 'volume', 'quality', 'why', 'flags', 'rev', 'epoch', 'row'],
];
const HOUR_MS = 3_600_000;

/** `counts` x 10^`pow10`, exact: no float comes near a bill. */
export function decimal(counts: number, pow10: number): string {
  const sign = counts < 0 ? '-' : '';
  const digits = String(Math.abs(counts));
  if (pow10 >= 0) return counts === 0 ? '0' : sign + digits + '0'.repeat(pow10);
  const padded = digits.padStart(1 - pow10, '0');
  return `${sign}${padded.slice(0, pow10)}.${padded.slice(pow10)}`;
}

function quoted(cell: unknown): string {
  const text = String(cell ?? '');
  // A spreadsheet would run a text that begins so.
  const safe = typeof cell === 'string' && /^[=+@\t-]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function cellsOf({ collector, epoch, entry, sent }: Arrival, isForgotten: boolean): unknown[] {
  const { meter, inst, kind, use, unit, pow10, rev } = entry;
  const span =
    entry.kind === 'hour' ? [entry.start, entry.start + HOUR_MS] : [entry.from, entry.to];
  const read =
    entry.kind === 'hour'
      ? [entry.read, entry.at === null ? null : iso(entry.at), entry.total]
      : [null, null, null];
  const flags = [...((sent['flags'] as string[] | undefined) ?? [])];
  if (isForgotten) flags.push('forgotten');
  const volume = use === null ? null : Number(use);
  return [
    ...[collector, meter, inst, kind, ...span.map(iso), ...read, use, unit, pow10],
    // A negative volume is a number, not a formula.
    volume === null ? null : { toString: () => decimal(volume, pow10) },
    ...(entry.kind === 'hour' ? [entry.q, null] : [null, entry.why]),
    ...[flags.join(' '), rev, epoch, sent['row']],
  ];
}

/**
 * The whole file, by meter and time; withdrawn gaps are left out. `forgotten`: what was told of installations whose numbers their
 * restored collector gave again, with the flag `forgotten`.
 */
export function toCsv(arrivals: readonly Arrival[], forgotten: readonly Arrival[] = []): string {
  const time = ({ entry }: Arrival) => (entry.kind === 'hour' ? entry.start : entry.from);
  const aside = new Set(forgotten);
  const lines = [...arrivals, ...forgotten]
    .filter(({ entry }) => entry.kind === 'hour' || entry.use !== null)
    .sort((a, b) => {
      const [one, other] = [a.entry, b.entry];
      return one.meter.localeCompare(other.meter) || one.inst - other.inst || time(a) - time(b);
    })
    .map((arrival) => cellsOf(arrival, aside.has(arrival)).map(quoted).join(','));
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}
