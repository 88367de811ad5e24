// Certificates that will soon be over are told 30, 7 and 1 days before, each once, and a renewed one no more.

import { expect, it } from 'vitest';
import type { EventRow } from '../../src/domain/entry.ts';
import { watchCertificates } from '../../src/jobs/watch-certificates.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { all, openMetered, T0 } from '../journal/metered.ts';

const DAY = 86_400_000;

async function told(days: number, from: number, renewedAfter = Number.POSITIVE_INFINITY) {
  const clock = new VirtualClock(T0);
  const medium = new Medium();
  const journal = await openMetered(() => medium.open());
  const stop = new AbortController();
  const expiries = async () => {
    const isRenewed = clock.now() > T0 + renewedAfter * DAY;
    return [
      {
        of: 'upstream' as const,
        file: 'own.crt',
        until: T0 + (isRenewed ? from + 365 : from) * DAY,
      },
    ];
  };
  const parts = { journal, wire: clock, log: new RecordingLog(), expiries };
  const done = watchCertificates(parts, stop.signal);
  await clock.run(T0 + days * DAY);
  stop.abort();
  await clock.runUntil(done);
  await journal.flush();
  const events: EventRow[] = await all(journal.eventsOf(''));
  return events.map(({ code, severity, data }) => [code, severity, data['threshold_days']]);
}

it('a certificate of 40 days is told at 30, 7 and 1 days, each once', async () => {
  expect(await told(45, 40)).toEqual([
    ['certificate.expiring', 'minor', 30],
    ['certificate.expiring', 'minor', 7],
    ['certificate.expiring', 'major', 1],
  ]);
});

it('one that is over when the collector starts is told at once, and once', async () => {
  expect(await told(3, -2)).toEqual([['certificate.expiring', 'major', 1]]);
});

it('one that is renewed in time is told no more', async () => {
  expect(await told(60, 40, 20)).toEqual([['certificate.expiring', 'minor', 30]]);
});
