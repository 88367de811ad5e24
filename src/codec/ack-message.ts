// What a head-end says of what it has stored, and of itself (A1, A2): checked whole before any of it is believed.

import type { EpochMs } from '../domain/units.ts';
import { readInstant } from './instant.ts';

/** More ranges than this are asked for in another acknowledgement. */
const RANGES_MAX = 1_000;
/** A thousand ranges of two large rows. */
const TEXT_MAX = 64 * 1024;

/** Every row of `epoch` up to `row` is stored durably, but those of the inclusive ranges `missing`. */
export interface Ack {
  readonly epoch: string;
  readonly row: number;
  readonly missing: readonly (readonly [first: number, last: number])[];
  readonly sent: EpochMs;
}

/** What a head-end wants of acknowledgements: `required` ones rule, `none` come from it. */
export interface HeadEndState {
  readonly state: string;
  readonly session: string;
  readonly ack: string | null;
}

/** The acknowledgement for `collector`, or what is wrong with it, in words. */
export function readAck(payload: string, collector: string): Ack | string {
  const said = readObject(payload);
  if (typeof said === 'string') return said;
  const { v, type, epoch, row, missing = [], sent } = said;
  if (v !== 1 || type !== 'ack') return 'it is no acknowledgement of version 1';
  if (said['collector'] !== collector) return 'it is for another collector';
  if (typeof epoch !== 'string' || !isRow(row)) return 'its epoch or row is none';
  const at = readInstant(sent);
  if (Number.isNaN(at)) return 'it does not say when it was sent';
  if (!Array.isArray(missing) || missing.length > RANGES_MAX || !missing.every(isRange)) {
    return `its missing ranges are none, or more than ${RANGES_MAX}`;
  }
  return { epoch, row, missing, sent: at };
}

/** The head-end's state, or what is wrong with the message, in words. */
export function readHeadEndState(payload: string): HeadEndState | string {
  const said = readObject(payload);
  if (typeof said === 'string') return said;
  const { v, type, state, session, ack } = said;
  if (v !== 1 || type !== 'headend') return "it is no head-end's state of version 1";
  if (typeof state !== 'string' || typeof session !== 'string') return 'state or session is none';
  return { state, session, ack: typeof ack === 'string' ? ack : null };
}

function readObject(payload: string): Readonly<Record<string, unknown>> | string {
  if (payload.length > TEXT_MAX) return `it has more than ${TEXT_MAX} characters`;
  try {
    const said: unknown = JSON.parse(payload);
    return typeof said === 'object' && said !== null && !Array.isArray(said)
      ? (said as Record<string, unknown>)
      : 'it is no JSON object';
  } catch {
    return 'it is no JSON';
  }
}

function isRow(row: unknown): row is number {
  return Number.isSafeInteger(row) && (row as number) >= 0;
}

function isRange(range: unknown): range is [number, number] {
  if (!Array.isArray(range) || range.length !== 2) return false;
  const [first, last]: unknown[] = range;
  return isRow(first) && isRow(last) && first <= last;
}
