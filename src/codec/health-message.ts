// The message `health` (S4); what nobody can tell is null.

import type { BusHealth, Health } from '../domain/health.ts';
import type { EpochMs } from '../domain/units.ts';
import { isoTime } from './head-end-message.ts';

/** As JSON text, by the contract's schema. */
export function encodeHealth(
  health: Health,
  envelope: { readonly collector: string; readonly session: string; readonly sent: EpochMs },
): string {
  const { collector, session, sent } = envelope;
  const { uptimeMs, clock, journal, disk, buses, metersSilent } = health;
  return JSON.stringify({
    ...{ v: 1, type: 'health', collector, session },
    uptime_s: Math.floor(uptimeMs / 1000),
    clock: { synced: clock.synced, offset_ms: null, source: clock.source },
    journal: {
      pending: journal.pending,
      oldest_pending: journal.oldest === null ? null : isoTime(journal.oldest),
      ...{ bytes: journal.bytes, days_left: tenths(journal.daysLeft) },
      drain_eta_s: journal.drainEtaS,
    },
    disk: disk && { free_bytes: disk.freeBytes, total_bytes: disk.totalBytes },
    buses: buses.map(busPayload),
    meters_silent: metersSilent,
    sent: isoTime(sent),
  });
}

function busPayload(seen: BusHealth): object {
  const { bus, polls, ok, timeouts, crc, exceptions } = seen;
  return {
    bus,
    polls,
    ok,
    timeouts,
    crc,
    exceptions,
    late_refused: seen.lateRefused,
    rtt_p50_ms: tenths(seen.p50Ms),
    rtt_p95_ms: tenths(seen.p95Ms),
    framing: null,
  };
}

function tenths(number: number | null): number | null {
  return number === null ? null : Math.round(10 * number) / 10;
}
