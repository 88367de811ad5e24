// Tells of certificates that will soon be over: 30, 7 and 1 days before, in the log and as an event.

import type { Clock, Journal, Log } from '../boundaries.ts';
import type { Expiry } from '../domain/doctor.ts';

const DAY_MS = 86_400_000;
/** Days before the end at which it is told (contract, Security). */
const TOLD_DAYS = [30, 7, 1] as const;
/** A certificate that was renewed, or a clock that was put right, is noticed within the hour. */
const LOOK_MS = 3_600_000;

const CLEARS = {
  upstream: 'a new certificate: meter-collector upstream enroll',
  console:
    'a new certificate for the console, or its files removed where it makes its own, and a restart',
} as const;

export interface CertificateParts {
  readonly journal: Journal;
  /** Certificates are judged by the real time, as TLS does. */
  readonly wire: Clock;
  readonly log: Log;
  /** The certificates that the settings name, and when each is over. */
  readonly expiries: () => Promise<readonly Expiry[]>;
}

/** Looks until `signal` aborts. Each threshold of each certificate is told once in a collector's life. */
export async function watchCertificates(
  { journal, wire, log, expiries }: CertificateParts,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  while (!signal.aborted) {
    for (const { of, file, until } of await expiries()) {
      const left = (until - wire.now()) / DAY_MS;
      const reached = TOLD_DAYS.filter((days) => left <= days).at(-1);
      const key = `${file} ${until} ${reached}`;
      if (reached === undefined || told.has(key)) continue;
      told.add(key);
      const data = {
        file,
        until: new Date(until).toISOString().replace('.000Z', 'Z'),
        days_left: Math.max(0, Math.floor(left)),
        threshold_days: reached,
        clears: CLEARS[of],
      };
      const severity = reached === 1 ? 'major' : 'minor';
      log.warn(data, left > 0 ? 'a certificate will soon be over' : 'a certificate is over');
      journal.note({ code: 'certificate.expiring', severity, data });
    }
    await wire.sleep(LOOK_MS, signal);
  }
}
