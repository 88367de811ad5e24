// Keys and values of the journal: ordered fixed-width keys, versioned short JSON under a CRC-32 of key and value.

import type { Installation } from '../domain/advance.ts';
import type { AlarmCode, EventEntry, Evidence, Phase, Severity } from '../domain/alarms.ts';
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
import { FLAGS, type Flag } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import type { Counts, EpochMs } from '../domain/units.ts';
import { crc32 } from './crc32.ts';

/** Version of every record below; another one is refused, never guessed at. */
const VERSION = '1';

const fixed = (number: number, width: number) => String(number).padStart(width, '0');

/** Keys, one function a kind of record. Widths hold times to the year 2286 and rows for ever. */
export const keys = {
  meta: 'a/meta',
  nextRow: 'a/row',
  facts: (meter: string, inst: number) => `d/${meter}/${fixed(inst, 4)}`,
  state: (meter: string) => `s/${meter}`,
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
  gaps: (meter: string, inst: number) => `g/${meter}/${fixed(inst, 4)}/`,
  row: (row: number) => `r/${fixed(row, 12)}`,
  pending: (meter: string, row: number) => `p/${meter}/${fixed(row, 12)}`,
  notice: (meter: string, at: EpochMs, n: number) =>
    `n/${meter}/${fixed(Math.max(0, at), 13)}/${fixed(n, 3)}`,
} as const;

/** The range of all keys that begin with `prefix`, which ends in `/`. */
export function within(prefix: string): { from: string; to: string } {
  return { from: prefix, to: `${prefix.slice(0, -1)}0` }; // '0' follows '/' in ASCII.
}

/** Meter and row of a pending key. */
export function pendingOf(key: string): { meter: string; row: number } {
  const [, meter = '', row = '0'] = key.split('/');
  return { meter, row: Number(row) };
}

/** Seals plain data for `key`. */
export function seal(key: string, content: unknown): string {
  const json = JSON.stringify(content);
  return (
    VERSION +
    crc32(key + json)
      .toString(16)
      .padStart(8, '0') +
    json
  );
}

/** The content sealed for `key`; undefined when the record is damaged, of another version or of another key. */
export function unseal(key: string, text: string): unknown {
  if (text[0] !== VERSION) return undefined;
  const json = text.slice(9);
  if (
    text.slice(1, 9) !==
    crc32(key + json)
      .toString(16)
      .padStart(8, '0')
  )
    return undefined;
  return JSON.parse(json);
}

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

/** Flags as one letter each, in the order of FLAGS. */
const packFlags = (flags: readonly Flag[]) =>
  flags.map((flag) => String.fromCharCode(97 + FLAGS.indexOf(flag))).join('');
const unpackFlags = (packed: string) =>
  [...packed].flatMap((letter) => FLAGS[letter.charCodeAt(0) - 97] ?? []);

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
  const fields = unseal(key, text) as HourFields | GapFields | EventFields | undefined;
  if (!fields) return undefined;
  return fields[0] === 'e' ? eventOf(key, fields) : entryOf(key, fields);
}

const meterOf = (key: string) => key.split('/')[1] ?? '';

function eventOf(key: string, fields: EventFields): EventRow {
  const [, inst, alarm, message, code, severity, phase, at, since, data, row] = fields;
  const event = { inst, alarm, message, code, severity, phase, at, since, data };
  return { kind: 'event', meter: meterOf(key), row, ...event };
}

function entryOf(key: string, fields: HourFields | GapFields): EntryRow {
  const meter = meterOf(key);
  if (fields[0] === 'h') {
    const [, inst, start, read, at, total, use, q, n, flags, rev, row] = fields;
    const entry = { inst, start, read, at, total, use, q, n, flags: unpackFlags(flags), rev };
    return { kind: 'hour', meter, row, ...entry };
  }
  const [, inst, from, to, use, why, flags, rev, row] = fields;
  return { kind: 'gap', meter, row, inst, from, to, use, why, flags: unpackFlags(flags), rev };
}

/** An increment with its resolution, so that a step of 100 ft3 is never taken for one of 0.1 ft3. */
export function encodeIncrement(meter: string, step: Increment, facts: InstallationFacts): string {
  const { seq, fromAt, fromRead, toAt, toRead, counts } = step;
  const { unit, pow10 } = facts.dial;
  return seal(keys.increment(meter, step.inst, seq), [
    fromAt,
    fromRead,
    toAt - fromAt,
    toRead,
    counts,
    pow10,
    unit,
  ]);
}

type IncrementFields = [number, number, number, number, number, number, string];

/** The increment stored under `key`, with its resolution, or undefined when it is damaged. */
export function decodeIncrement(
  key: string,
  text: string,
): (Increment & { readonly pow10: number; readonly unit: string }) | undefined {
  const fields = unseal(key, text) as IncrementFields | undefined;
  if (!fields) return undefined;
  const [, , inst, seq] = key.split('/');
  const [fromAt, fromRead, lasted, toRead, counts, pow10, unit] = fields;
  const kind = Number(seq) === 0 ? 'first' : counts < 0 ? 'reverse' : 'forward';
  return {
    inst: Number(inst),
    seq: Number(seq),
    fromAt,
    fromRead,
    toAt: fromAt + lasted,
    toRead,
    counts,
    kind,
    pow10,
    unit,
  };
}

export const encodeState = (meter: string, state: Installation) => seal(keys.state(meter), state);
export const decodeState = (meter: string, text: string) =>
  unseal(keys.state(meter), text) as Installation | undefined;

export const encodeFacts = (facts: InstallationFacts) =>
  seal(keys.facts(facts.meter, facts.inst), facts);
export const decodeFacts = (key: string, text: string) =>
  unseal(key, text) as InstallationFacts | undefined;

export const encodeNotice = (key: string, notice: Notice) => seal(key, notice);
