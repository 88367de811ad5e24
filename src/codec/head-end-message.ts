// The contract's payloads: state, birth, meter and interval messages as JSON text, and their topics.

import type { EntryRow, EventRow, GapEntry, HourEntry } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { detectable } from '../domain/leaks/detectable.ts';
import { type Dial, type EpochMs, HOUR_MS } from '../domain/units.ts';
import type {
  Birth,
  CollectorState as CollectorStateMessage,
  EventMessage,
  GapEntry as GapMessage,
  HourEntry as HourMessage,
  IntervalMessage,
  MeterInfo,
} from './contract.ts';

/** Full version of the contract, told in birth; its major is in every topic and payload. */
export const CONTRACT_VERSION = '1.0';

/** Limits of one message (I8): cloud brokers refuse more, and a week of hours is enough. */
export const MESSAGE_BYTES_MAX = 32 * 1024;
export const MESSAGE_ENTRIES_MAX = 168;

/** ISO 8601 UTC, without milliseconds where there are none. */
export function isoTime(at: EpochMs): string {
  const inHour = ((at % HOUR_MS) + HOUR_MS) % HOUR_MS;
  const hour = hourTexts(at - inHour);
  if (inHour === 0) return hour.edge;
  const s = Math.floor(inHour / 1000);
  const ms = inHour % 1000;
  const within = `${hour.begun}${two(Math.floor(s / 60))}:${two(s % 60)}`;
  return ms === 0 ? `${within}Z` : `${within}.${String(ms).padStart(3, '0')}Z`;
}

const TWO = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const two = (n: number) => TWO[n] as string;

interface HourTexts {
  readonly at: EpochMs;
  /** The instant at which it begins. */
  readonly edge: string;
  /** What every instant within it begins with. */
  readonly begun: string;
}

/** The hours of a month are written again for each meter; these many are remembered, and so many days. */
const HOURS = 1_024;
const DAYS = 64;
const HOURS_WRITTEN: HourTexts[] = [];
const DAYS_WRITTEN: { readonly at: EpochMs; readonly text: string }[] = [];

function hourTexts(at: EpochMs): HourTexts {
  const place = Math.abs(at / HOUR_MS) % HOURS;
  const known = HOURS_WRITTEN[place];
  if (known?.at === at) return known;
  const inDay = ((at % DAY_MS) + DAY_MS) % DAY_MS;
  const edge = `${dayOf(at - inDay)}T${two(inDay / HOUR_MS)}:00:00Z`;
  const hour = { at, edge, begun: edge.slice(0, -'00:00Z'.length) };
  HOURS_WRITTEN[place] = hour;
  return hour;
}

function dayOf(at: EpochMs): string {
  const place = Math.abs(at / DAY_MS) % DAYS;
  const known = DAYS_WRITTEN[place];
  if (known?.at === at) return known.text;
  const text = new Date(at).toISOString().slice(0, -'T00:00:00.000Z'.length);
  DAYS_WRITTEN[place] = { at, text };
  return text;
}

const DAY_MS = 24 * HOUR_MS;

/** Where a collector publishes: below `watermeter-v1/{utility}/{collector}/`. */
export function topicOf(utility: string, collector: string, path: string): string {
  return `watermeter-v1/${utility}/${collector}/${path}`;
}

function hourPayload(row: HourEntry & { row: number }): HourMessage {
  return {
    row: row.row,
    start: isoTime(row.start),
    read: row.read,
    at: row.at === null ? null : isoTime(row.at),
    total: row.total,
    use: row.use,
    q: row.q,
    n: row.n,
    flags: row.flags,
    ...(row.rev > 0 ? { rev: row.rev } : {}),
  };
}

function gapPayload(row: GapEntry & { row: number }): GapMessage {
  return {
    row: row.row,
    from: isoTime(row.from),
    to: isoTime(row.to),
    use: row.use,
    why: row.why,
    flags: row.flags,
    ...(row.rev > 0 ? { rev: row.rev } : {}),
  };
}

/** One row as the contract states it. */
export function entryPayload(row: EntryRow): HourMessage | GapMessage {
  return row.kind === 'hour' ? hourPayload(row) : gapPayload(row);
}

/** The same as text. A backlog is thousands of hours a second: written out it takes a third of what an object and `stringify` do. */
function entryText(row: EntryRow): string {
  if (row.kind !== 'hour') return JSON.stringify(gapPayload(row));
  const { row: number, start, read, at, total, use, q, n, flags, rev } = row;
  const stamp = at === null ? 'null' : `"${isoTime(at)}"`;
  const flagged = flags.length === 0 ? '[]' : JSON.stringify(flags);
  const revised = rev > 0 ? `,"rev":${rev}` : '';
  return `{"row":${number},"start":"${isoTime(start)}","read":${read},"at":${stamp},"total":${total},"use":${use},"q":"${q}","n":${n},"flags":${flagged}${revised}}`;
}

export interface Envelope {
  readonly collector: string;
  readonly epoch: string;
  readonly cause: 'scheduled' | 'backfill' | 'replay' | 'ondemand' | 'final';
  readonly sent: EpochMs;
}

/**
 * Interval messages for rows of one meter and installation, in the order given: each with as many entries as fit.
 * Every message comes with the rows it carries. `bytesMax`: a broker may take less than the contract allows.
 */
export function encodeIntervals(
  rows: readonly EntryRow[],
  facts: InstallationFacts,
  envelope: Envelope,
  bytesMax = MESSAGE_BYTES_MAX,
): { payload: string; rows: readonly EntryRow[] }[] {
  const head = intervalHead(facts, envelope);
  const room = Math.min(MESSAGE_BYTES_MAX, bytesMax) - head.length - FRAME_LENGTH;
  const first = messageFrom(rows, 0, head, room);
  if (first.rows.length === rows.length) return rows.length > 0 ? [first] : [];
  const messages = [first];
  for (let from = first.rows.length; from < rows.length; ) {
    const next = messageFrom(rows, from, head, room);
    messages.push(next);
    from += next.rows.length;
  }
  return messages;
}

type Message = { payload: string; rows: readonly EntryRow[] };

/** One message with as many of the rows from `from` on as fit, but one at least. */
function messageFrom(rows: readonly EntryRow[], from: number, head: string, room: number): Message {
  let hours = '';
  let gaps = '';
  let to = from;
  for (const most = Math.min(rows.length, from + MESSAGE_ENTRIES_MAX); to < most; to += 1) {
    const row = rows[to] as EntryRow;
    const text = entryText(row);
    // Each with its comma.
    if (to > from && hours.length + gaps.length + text.length + 2 > room) break;
    if (row.kind === 'hour') hours = hours === '' ? text : `${hours},${text}`;
    else gaps = gaps === '' ? text : `${gaps},${text}`;
  }
  const isAll = from === 0 && to === rows.length;
  return { payload: payloadOf(head, hours, gaps), rows: isAll ? rows : rows.slice(from, to) };
}

/** The message as text; each entry is written once, for its size and for sending. */
function payloadOf(head: string, hours: string, gaps: string): string {
  return `${head}${hours}],"gaps":[${gaps}]}`;
}

/** Of what stands around the entries, behind the head. */
const FRAME_LENGTH = payloadOf('', '', '').length;

/** What every message of an installation begins with, from one to the next. */
const HEADS = new WeakMap<InstallationFacts, { readonly of: Envelope; readonly text: string }>();

/** Everything before the hours. */
function intervalHead(facts: InstallationFacts, envelope: Envelope): string {
  const { collector, epoch, cause, sent } = envelope;
  const known = HEADS.get(facts);
  const of = known?.of;
  const isSame = of?.cause === cause && of.epoch === epoch && of.collector === collector;
  const text = known && isSame ? known.text : steadyHead(facts, envelope);
  if (!isSame) HEADS.set(facts, { of: envelope, text });
  if (stamped.text !== text || stamped.sent !== sent) {
    stamped = { text, sent, head: `${text},"sent":"${isoTime(sent)}","intervals":[` };
  }
  return stamped.head;
}

/** A backlog goes out a hundred messages a millisecond, most of one installation. */
let stamped = { text: '', sent: 0, head: '' };

/** As far as it is the same in each message. */
function steadyHead(facts: InstallationFacts, envelope: Envelope): string {
  const { unit, pow10, digits } = facts.dial;
  const head: Omit<IntervalMessage, 'sent' | 'intervals' | 'gaps'> = {
    v: 1,
    type: 'interval',
    collector: envelope.collector,
    epoch: envelope.epoch,
    meter: facts.meter,
    inst: facts.inst,
    unit,
    pow10,
    digits,
    len: 3600,
    cause: envelope.cause,
  };
  return JSON.stringify(head).slice(0, -1);
}

/**
 * The id of an alarm: the same from raise to clear (E1), and no other's. A journal that was made or restored anew gives numbers again
 * that an earlier life of it gave; when the alarm began tells them apart. What the collector tells of itself is of no meter.
 */
export function eventIdOf(
  meter: string,
  { inst, alarm, since }: Pick<EventRow, 'inst' | 'alarm' | 'since'>,
): string {
  const number = meter === '' ? `journal-${alarm}` : `${meter}-${inst}-${alarm}`;
  return `${number}.${Math.floor(since / 1000).toString(36)}`;
}

/** An event as the contract states it. */
export function eventPayload(
  row: EventRow,
): Omit<EventMessage, 'v' | 'type' | 'epoch' | 'collector'> {
  const { meter, inst, code, severity, phase, data } = row;
  const whose = meter === '' ? {} : { meter, inst };
  return {
    row: row.row,
    id: eventIdOf(meter, row),
    ...whose,
    code,
    severity,
    phase,
    at: isoTime(row.at),
    since: isoTime(row.since),
    data,
  };
}

/** The message of an event (E1 to E3); rows that are lost are told as ranges, so that nobody asks for them for ever (A3). */
export function encodeEvent(row: EventRow, collector: string, epoch: string): string {
  const payload = eventPayload(row);
  const { rows } = row.data;
  const data =
    row.code === 'journal.loss' && typeof rows === 'string'
      ? { ...payload.data, rows: rangesIn(rows) }
      : payload.data;
  const message: EventMessage = { v: 1, type: 'event', epoch, collector, ...payload, data };
  return JSON.stringify(message);
}

/** `1-5,7` as the journal writes it; what is neither is left out. */
function rangesIn(text: string): (readonly [from: number, to: number])[] {
  return [...text.matchAll(/(\d+)(?:-(\d+))?/g)].map(([, from, to = from]) => [
    Number(from),
    Number(to),
  ]);
}

export type CollectorState = CollectorStateMessage['state'];

export function encodeCollectorState(
  collector: string,
  session: string,
  state: CollectorState,
  at: EpochMs | null,
): string {
  const sent = at === null ? {} : { sent: isoTime(at) };
  const message: CollectorStateMessage = {
    v: 1,
    type: 'state',
    collector,
    session,
    state,
    ...sent,
  };
  return JSON.stringify(message);
}

/** What the settings say of a meter beside its installation's facts (S3). */
export interface MeterFacts {
  readonly bodySerial?: string | undefined;
  readonly servicePoint?: string | undefined;
  readonly route?: string | undefined;
  readonly service: 'active' | 'inactive';
  readonly size?: string | undefined;
  readonly profile: string;
  /** Null for a dial that only people read. */
  readonly bus: string | null;
  readonly address: string | null;
  readonly pollS: number;
  readonly toleranceS: number;
  readonly maxFlowPerH: number;
}

/** The retained description of a meter (S3); what nobody has established is null. */
export function meterPayload(facts: InstallationFacts, meter: MeterFacts): Omit<MeterInfo, 'rev'> {
  return {
    v: 1,
    type: 'meter',
    meter: facts.meter,
    inst: facts.inst,
    // What a change-out told is newer than the settings.
    body_serial: facts.bodySerial ?? meter.bodySerial ?? null,
    register_id: facts.registerId,
    register: 'single',
    service_point: meter.servicePoint ?? null,
    route: meter.route ?? null,
    service: meter.service,
    unit: facts.dial.unit,
    pow10: facts.dial.pow10,
    digits: facts.dial.digits,
    size: meter.size ?? null,
    profile: meter.profile,
    bus: meter.bus,
    address: meter.address,
    poll_s: meter.pollS,
    tolerance_s: meter.toleranceS,
    max_flow_per_h: meter.maxFlowPerH,
    installed: facts.installed === null ? null : isoTime(facts.installed),
    initial_read: facts.initialRead,
    verified: verifiedOf(facts),
    detectable: meter.bus === null ? null : detectableOf(facts.dial, meter.pollS),
  };
}

function verifiedOf({ proved }: InstallationFacts): MeterInfo['verified'] {
  return proved ? { at: isoTime(proved.at), by: proved.by, dial: proved.dial } : null;
}

/** What the dial can show of leaks; rates in its unit an hour. */
function detectableOf(dial: Dial, pollS: number): NonNullable<MeterInfo['detectable']> {
  const { perHour, unit, hours, perHourInADay } = detectable(dial, pollS);
  const inADay = { rate_per_h_in_a_day: perHourInADay };
  return { rate_per_h: perHour, unit, after_h: hours, ...inADay };
}

export interface BirthFacts {
  readonly collector: string;
  readonly session: string;
  readonly software: string;
  readonly configRevision: string;
  readonly epoch: string;
  readonly oldestHour: EpochMs | null;
  readonly rowsPending: number;
  /** Names of the commands that the owner allows. */
  readonly commands: readonly string[];
  readonly sent: EpochMs;
  readonly meters: readonly { meter: string; inst: number; rev: number }[];
}

/**
 * Birth (S2); where the list of meters does not fit, their count and hash stand for it. `bytesMax`: a broker may take less than the
 * contract allows.
 */
export function encodeBirth(
  birth: BirthFacts,
  hash: (text: string) => number,
  bytesMax = MESSAGE_BYTES_MAX,
): string {
  const { meters, configRevision, oldestHour, rowsPending, commands, sent, ...rest } = birth;
  const head: Birth = {
    v: 1,
    type: 'birth',
    ...rest,
    contract: CONTRACT_VERSION,
    config_rev: configRevision,
    oldest_hour: oldestHour === null ? null : isoTime(oldestHour),
    rows_pending: rowsPending,
    commands,
    sent: isoTime(sent),
  };
  const whole = JSON.stringify({ ...head, meters });
  if (whole.length <= Math.min(MESSAGE_BYTES_MAX, bytesMax)) return whole;
  const summary = { meters_count: meters.length, meters_hash: hash(JSON.stringify(meters)) };
  return JSON.stringify({ ...head, ...summary });
}
