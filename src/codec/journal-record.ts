// Keys and values of the journal: ordered fixed-width keys, short versioned text under a CRC-32 of key and value.

import type { Installation } from '../domain/advance.ts';
import type { AlarmCode, EventEntry, Evidence, Phase, Severity } from '../domain/alarms.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import type {
  Entry,
  EntryRow,
  EventRow,
  GapCause,
  Increment,
  Notice,
  Quality,
  Row,
} from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { type Counts, capacity, type Dial, type EpochMs, modulo } from '../domain/units.ts';
import { crc32 } from './crc32.ts';
import { packFlags, readHour, unpackFlags } from './hour-record.ts';
import { fiveLetters, hasFiveLetters, readShortNumbers, shortNumbers } from './short-numbers.ts';
import { circumstances, isPlain, shortState, stateOf } from './state-record.ts';

/** Version of every record below; another one is refused, never guessed at. */
const VERSION = '2';
/** Version and check sum before the content. */
const SEAL_LENGTH = 6;

const ZEROS = Array.from({ length: 14 }, (_, n) => '0'.repeat(n));

/** Keys are made by the thousand a second, and `padStart` takes longer than all else in them. */
function fixed(number: number, width: number): string {
  const digits = String(number);
  return (ZEROS[width - digits.length] ?? '') + digits;
}

/** Keys, one function a kind of record. Widths hold times to the year 2286 and rows for ever. */
export const keys = {
  meta: 'a/meta',
  nextRow: 'a/row',
  ack: 'a/ack',
  answer: (id: string) => `o/${id}`,
  facts: (meter: string, inst: number) => `d/${meter}/${fixed(inst, 4)}`,
  state: (meter: string) => `s/${meter}`,
  circumstances: (meter: string) => `c/${meter}`,
  increment: (meter: string, inst: number, seq: number) =>
    `i/${meter}/${fixed(inst, 4)}/${fixed(seq, 10)}`,
  event: (meter: string, { inst, alarm, message }: EventEntry) =>
    `e/${meter}/${fixed(inst, 4)}/${fixed(alarm, 8)}/${fixed(message, 4)}`,
  entry: (meter: string, entry: Entry) =>
    entry.kind === 'hour'
      ? `h/${meter}/${fixed(entry.inst, 4)}/${fixed(entry.start, 13)}/${fixed(entry.rev, 3)}`
      : `g/${meter}/${fixed(entry.inst, 4)}/${fixed(entry.from, 13)}/${fixed(entry.rev, 3)}`,
  hoursFrom: (meter: string, inst: number, start: EpochMs) =>
    `h/${meter}/${fixed(inst, 4)}/${fixed(Math.max(0, start), 13)}`,
  /** Of the first revision of an hour. */
  hour: (meter: string, inst: number, start: EpochMs) =>
    `${keys.hoursFrom(meter, inst, start)}/${fixed(0, 3)}`,
  gaps: (meter: string, inst: number) => `g/${meter}/${fixed(inst, 4)}/`,
  row: (row: number) => `r/${fixed(row, 12)}`,
  pending: (meter: string, row: number) => `p/${meter}/${fixed(row, 12)}`,
  checkpoint: (meter: string, inst: number) => `k/${meter}/${fixed(inst, 4)}`,
  snapshot: (meter: string) => `w/${meter}`,
  wishes: (meter: string) => `u/${meter}`,
  notice: (meter: string, at: EpochMs, n: number) =>
    `n/${meter}/${fixed(Math.max(0, at), 13)}/${fixed(n, 3)}`,
} as const;

/** The range of all keys that begin with `prefix`, which ends in `/`. */
export function within(prefix: string): { from: string; to: string } {
  return { from: prefix, to: `${prefix.slice(0, -1)}0` }; // '0' follows '/' in ASCII.
}

/** Meter and row of a pending key. */
export function pendingOf(key: string): { meter: string; row: number } {
  const end = key.indexOf('/', 2);
  return end < 0
    ? { meter: key.slice(2), row: 0 }
    : { meter: meterOf(key), row: Number(key.slice(end + 1)) };
}

/** Seals plain data for `key`. */
export function seal(key: string, content: unknown): string {
  return sealText(key, JSON.stringify(content));
}

/** The content sealed for `key`; undefined when the record is damaged, of another version or of another key. */
export function unseal(key: string, text: string): unknown {
  const json = unsealText(key, text);
  return json === undefined ? undefined : JSON.parse(json);
}

const VERSION_CRC = crc32(VERSION);

function sealText(key: string, content: string): string {
  return VERSION + fiveLetters(crc32(content, crc32(key, VERSION_CRC))) + content;
}

function unsealText(key: string, text: string): string | undefined {
  return isSealed(key, text) ? text.slice(SEAL_LENGTH) : undefined;
}

/** Whether a record is what was written under its key. */
export function isSealed(key: string, text: string): boolean {
  const seal = crc32(text, crc32(key, VERSION_CRC), SEAL_LENGTH);
  return text.startsWith(VERSION) && hasFiveLetters(text, VERSION.length, seal);
}

/** True for a sound record of a version that this program does not know yet: it is left as it is. */
export function isOfNewerVersion(key: string, text: string): boolean {
  const version = text[0] ?? '';
  const content = text.slice(SEAL_LENGTH);
  const sealed = version + fiveLetters(crc32(content, crc32(key, crc32(version)))) + content;
  return version > VERSION && text === sealed;
}

/** What stands under a row's number, and under a pending row: the key of its entry. */
export const encodeEntryKey = (key: string, entryKey: string): string => sealText(key, entryKey);
export const decodeEntryKey = (key: string, text: string): string | undefined =>
  unsealText(key, text);
/** Whether the key of an entry is that of an event. */
export const isOfEvent = (entryKey: string): boolean => entryKey.startsWith('e/');
/** Whether the key of an entry is that of the first revision of an hour. */
export const isOfPlainHour = (entryKey: string): boolean =>
  entryKey.startsWith('h/') && entryKey.endsWith('/000');
/** The key that a damaged one of these may have named; to be believed only as far as the entry bears it out. */
export const hintOfEntryKey = (text: string): string => text.slice(SEAL_LENGTH);

type HourFields = [
  'h',
  number,
  EpochMs,
  Counts | null,
  EpochMs | null,
  Counts | null,
  Counts | null,
  Quality,
  number,
  string,
  number,
  number,
];
type GapFields = ['g', number, EpochMs, EpochMs, Counts | null, GapCause, string, number, number];

type EventFields = [
  'e',
  number,
  number,
  number,
  AlarmCode,
  Severity,
  Phase,
  EpochMs,
  EpochMs,
  Evidence,
  number,
];

/** The key of a row's record. */
export function keyOfRow(row: Row): string {
  return row.kind === 'event' ? keys.event(row.meter, row) : keys.entry(row.meter, row);
}

export function encodeRow(row: Row): string {
  return seal(keyOfRow(row), fieldsOf(row));
}

function fieldsOf(row: Row): HourFields | GapFields | EventFields {
  switch (row.kind) {
    case 'hour': {
      const { inst, start, read, at, total, use, q, n, flags, rev, row: number } = row;
      return ['h', inst, start, read, at, total, use, q, n, packFlags(flags), rev, number];
    }
    case 'gap': {
      const { inst, from, to, use, why, flags, rev, row: number } = row;
      return ['g', inst, from, to, use, why, packFlags(flags), rev, number];
    }
    case 'event': {
      const { inst, alarm, message, code, severity, phase, at, since, data, row: number } = row;
      return ['e', inst, alarm, message, code, severity, phase, at, since, data, number];
    }
  }
}

/** The row stored under `key`, or undefined when it is damaged. */
export function decodeRow(key: string, text: string): Row | undefined {
  if (!isSealed(key, text)) return undefined;
  const hour = readHour(meterOf(key), text, SEAL_LENGTH);
  if (hour) return hour;
  const fields = JSON.parse(text.slice(SEAL_LENGTH)) as HourFields | GapFields | EventFields;
  return fields[0] === 'e' ? eventOf(key, fields) : entryOf(key, fields);
}

/** What is read follows meter by meter: one text of its name is found by its hash and compared by its place. */
let newest = '';

function meterOf(key: string): string {
  const end = key.indexOf('/', 2);
  if (newest.length !== end - 2 || !key.startsWith(newest, 2)) newest = key.slice(2, end);
  return newest;
}

function eventOf(key: string, fields: EventFields): EventRow {
  const [, inst, alarm, message, code, severity, phase, at, since, data, row] = fields;
  const event = { inst, alarm, message, code, severity, phase, at, since, data };
  return { kind: 'event', meter: meterOf(key), row, ...event };
}

function entryOf(key: string, fields: HourFields | GapFields): EntryRow {
  const meter = meterOf(key);
  if (fields[0] === 'h') {
    const [, inst, start, read, at, total, use, q, n, packed, rev, row] = fields;
    const flags = unpackFlags(packed);
    return { kind: 'hour', meter, row, inst, start, read, at, total, use, q, n, flags, rev };
  }
  const [, inst, from, to, use, why, flags, rev, row] = fields;
  return { kind: 'gap', meter, row, inst, from, to, use, why, flags: unpackFlags(flags), rev };
}

/** Where meters are polled each minute there are most increments: theirs are the shortest. */
const USUAL_MS = 60_000;

/** An increment; where it began follows from its counts, and its resolution stands in the installation's facts. */
export function encodeIncrement(meter: string, step: Increment): string {
  const { inst, seq, fromAt, toAt, toRead, counts } = step;
  const numbers = [toAt - fromAt - USUAL_MS, counts, toRead, toAt];
  return sealText(keys.increment(meter, inst, seq), shortNumbers(numbers));
}

/** The increment stored under `key` of an installation with this dial, or undefined when it is damaged. */
export function decodeIncrement(
  key: string,
  text: string,
  dial: Pick<Dial, 'digits'>,
): Increment | undefined {
  const numbers = readShortNumbers(unsealText(key, text) ?? '-');
  if (numbers?.length !== 4) return undefined;
  const [longer, counts, toRead, toAt] = numbers as [number, number, number, number];
  const { inst, seq } = incrementOf(key);
  return {
    inst,
    seq,
    fromAt: toAt - longer - USUAL_MS,
    fromRead: modulo(toRead - counts, capacity(dial)),
    toAt,
    toRead,
    counts,
    kind: seq === 0 ? 'first' : counts < 0 ? 'reverse' : 'forward',
  };
}

/** Installation and number in an increment's key. */
export function incrementOf(key: string): { inst: number; seq: number } {
  const [, , inst, seq] = key.split('/');
  return { inst: Number(inst), seq: Number(seq) };
}

/** The state of an installation, over circumstances that are kept beside it unless it is kept whole. */
export function encodeState(meter: string, state: Installation): string {
  const key = keys.state(meter);
  return isPlain(state) ? sealText(key, shortState(state)) : seal(key, state);
}

/** What `encodeState` leaves out; undefined where it keeps the whole. */
export function encodeCircumstances(meter: string, state: Installation): string | undefined {
  return isPlain(state) ? seal(keys.circumstances(meter), circumstances(state)) : undefined;
}

/** The state from both records; undefined where what is needed of them is damaged or missing. */
export function decodeState(
  meter: string,
  text: string,
  around: string | undefined,
): Installation | undefined {
  const content = unsealText(keys.state(meter), text);
  if (content === undefined) return undefined;
  if (content.startsWith('{')) return JSON.parse(content);
  const found = unseal(keys.circumstances(meter), around ?? '');
  return found ? stateOf(content, found as Parameters<typeof stateOf>[1]) : undefined;
}

/** True where a state's own record is sound; whether it is whole without its circumstances, `decodeState` tells. */
export function isSoundState(meter: string, text: string): boolean {
  return unsealText(keys.state(meter), text) !== undefined;
}

/** True where a sound state needs its circumstances beside it. */
export function needsCircumstances(meter: string, text: string): boolean {
  return !unsealText(keys.state(meter), text)?.startsWith('{');
}

export const encodeFacts = (facts: InstallationFacts) =>
  seal(keys.facts(facts.meter, facts.inst), facts);
export const decodeFacts = (key: string, text: string) =>
  unseal(key, text) as InstallationFacts | undefined;

export const encodeCheckpoint = (point: Checkpoint) =>
  seal(keys.checkpoint(point.meter, point.inst), point);
export const decodeCheckpoint = (key: string, text: string) =>
  unseal(key, text) as Checkpoint | undefined;

export const encodeNotice = (key: string, notice: Notice) => seal(key, notice);
