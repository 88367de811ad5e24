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
  };
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

const UNHEARD: ReadonlySet<FaultCode> = new Set([
  ...(['line.silent', 'line.torn', 'peer.unreachable'] as const),
  ...(['port.absent', 'port.denied', 'port.failed'] as const),
]);

/** Whether a meter with such a fault is not heard at all, which is not the same as being heard wrongly. */
export function isUnheard(code: FaultCode): boolean {
  return UNHEARD.has(code);
}
