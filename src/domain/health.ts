// How a collector fares, as far as it knows.

import type { FaultCode } from './fault.ts';
import type { EpochMs } from './units.ts';

/** Counts since the start; times are milliseconds of the wire. */
export interface BusHealth {
  readonly bus: string;
  readonly polls: number;
  readonly ok: number;
  readonly timeouts: number;
  readonly crc: number;
  readonly exceptions: number;
  readonly lateRefused: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface Health {
  readonly uptimeMs: number;
  readonly clock: { readonly synced: boolean | null; readonly source: string | null };
  readonly journal: {
    readonly pending: number;
    readonly oldest: EpochMs | null;
    /** Seconds until nothing is pending; null while nothing drains. */
    readonly drainEtaS: number | null;
    /** What it takes up, and for how many days more there is room; null where nobody can tell. */
    readonly bytes: number | null;
    readonly daysLeft: number | null;
  };
  /** The disk on which the journal lies; null where it lies on none. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  readonly buses: readonly BusHealth[];
  readonly metersSilent: readonly string[];
}

/** A message holds a week of one meter (I8). */
const ROWS_IN_MESSAGE = 168;

/** How long the backlog takes at its pace (A4): each meter has a message of its own at the least. */
export function drainEtaS(backlog: {
  readonly rows: number;
  readonly meters: number;
  readonly connected: boolean;
  readonly messagesPerS: number;
}): number | null {
  const { rows, meters, connected, messagesPerS } = backlog;
  if (rows === 0) return 0;
  if (!connected) return null;
  return Math.ceil(Math.max(meters, rows / ROWS_IN_MESSAGE) / messagesPerS);
}

/**
 * Days until a journal takes up all that it may, at the rate of the days it holds; null where nobody can tell. `room`: bytes
 * it takes up, and those free beside it; of either it leaves or takes so many.
 */
export function daysLeft(
  room: { readonly bytes: number | null; readonly freeBytes: number | null },
  daysHeld: number,
  limits: { readonly maxBytes: number; readonly minFreeBytes: number },
): number | null {
  const { bytes, freeBytes } = room;
  // Less than a day says nothing of a rate.
  if (bytes === null || freeBytes === null || bytes === 0 || daysHeld < 1) return null;
  const left = Math.min(limits.maxBytes - bytes, freeBytes - limits.minFreeBytes);
  return Math.max(0, left) / (bytes / daysHeld);
}

const UNHEARD: ReadonlySet<FaultCode> = new Set([
  ...(['line.silent', 'line.torn', 'peer.unreachable'] as const),
  ...(['port.absent', 'port.denied', 'port.failed'] as const),
]);

/** Whether a meter with such a fault is not heard at all, which is not the same as being heard wrongly. */
export function isUnheard(code: FaultCode): boolean {
  return UNHEARD.has(code);
}
