// What was seen on a bus: how each meter's questions ended, how long its answers took, how busy the wire was.

import { type Fault, type FaultCode, NOBODY } from './fault.ts';

/**
 * What a question to a meter can come to, and what comes without one. `polls` counts questions that went out; `second` those
 * asked again in the same turn. `late` are answers refused because their question had been given up, `unasked` answers that
 * nobody had asked for.
 */
export const SEEN_KEYS = [
  ...(['polls', 'ok', 'second', 'timeouts', 'torn', 'crc', 'framing', 'exceptions'] as const),
  ...(['wrong_unit', 'wrong_id', 'unusable', 'late', 'unasked'] as const),
] as const;

export type SeenKey = (typeof SEEN_KEYS)[number];
export type SeenCounts = Readonly<Record<SeenKey, number>>;

/** Nothing seen yet. */
export const NONE_SEEN = Object.fromEntries(SEEN_KEYS.map((key) => [key, 0])) as SeenCounts;

/** One question's end, or an answer without a question. */
export type SeenEnd = Exclude<SeenKey, 'polls' | 'second'>;

/** Under what each fault of a meter is counted; what is not here says nothing of the meter (the link, a stop). */
const SEEN_AS: Readonly<Partial<Record<FaultCode, SeenEnd>>> = {
  'line.silent': 'timeouts',
  'line.torn': 'torn',
  'line.overlong': 'framing',
  'frame.malformed': 'framing',
  'frame.unreadable': 'unusable',
  'frame.wrong_id': 'wrong_id',
  'modbus.crc': 'crc',
  'modbus.exception': 'exceptions',
  'modbus.unexpected': 'wrong_unit',
  'register.digits': 'unusable',
  'register.unit': 'unusable',
  'register.precision': 'unusable',
  'register.stale': 'unusable',
};

/** Under what a fault is counted; undefined where it says nothing of the meter. What a gateway says of its silence is its silence. */
export function seenAs({ code, why }: Fault): SeenEnd | undefined {
  return code === 'modbus.exception' && why === NOBODY ? 'timeouts' : SEEN_AS[code];
}

/** What was seen of one meter. Times are milliseconds of the wire. */
export interface MeterSeen {
  readonly meter: string;
  /** How the last questions ended, the newest at the end; at most 16. */
  readonly recent: readonly SeenEnd[];
  /** Of the last good answers; null when there was none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** How long after its question the latest of the refused late answers came; null when none did. */
  readonly latestMs: number | null;
  /** The identification that answered last in place of its own. */
  readonly strangerId: string | null;
  /** In the words of its last fault. */
  readonly lastFault: string | null;
  /** Since the start, and in the last 24 hours. */
  readonly total: SeenCounts;
  readonly day: SeenCounts;
}

/** What was seen of a bus since the start, its meters together. Times are those of the last good answers. */
export interface BusSummary {
  readonly total: SeenCounts;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** What was seen of a bus. */
export interface BusSeen {
  readonly meters: readonly MeterSeen[];
  /** Share (0 to 1) of the last hour, or of the time since the start, in which the wire was in use. */
  readonly utilisation: number;
  /** Mean time that a read held the bus in that hour, in milliseconds; null when there was none. */
  readonly readMs: number | null;
  /** Reads a minute that still fit; null when none was made. */
  readonly headroomPerMin: number | null;
  /** Of the last good answers of all meters. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** Sums of several counts. */
export function sumOfSeen(all: readonly SeenCounts[]): SeenCounts {
  const sums = {} as Record<SeenKey, number>;
  for (const key of SEEN_KEYS) sums[key] = all.reduce((total, counts) => total + counts[key], 0);
  return sums;
}
