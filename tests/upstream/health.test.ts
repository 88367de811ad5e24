// S4 on the way up: how the message about the collector's health is handed to the link.

import { expect, it } from 'vitest';
import type { HeadEnd, OutMessage } from '../../src/boundaries.ts';
import { good } from '../../src/domain/fault.ts';
import { createUpstream } from '../../src/upstream/upstream.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FINE, openMetered, T0 } from '../journal/metered.ts';

it('S4: QoS 0, not retained, worth nothing after two hours; what is unknown is null', async () => {
  const clock = new VirtualClock(T0);
  const medium = new Medium();
  const sent: OutMessage[] = [];
  const headEnd: HeadEnd = {
    ...{ start: () => undefined, isConnected: () => true, linkState: () => '' },
    ...{ listen: () => undefined, onConnect: () => undefined, close: async () => undefined },
    publish: async (message) => {
      sent.push(message);
      return good(undefined);
    },
  };
  const upstream = createUpstream({
    ...{ headEnd, clock, wire: clock, log: new RecordingLog(), utility: 'u', collector: 'COL-1' },
    journal: await openMetered(() => medium.open(), { 'SP-1': FINE }),
    ...{ session: 'S1', software: '1', configRevision: 'c', meters: new Map(), ack: 'auto' },
    ...{ stir: () => undefined, commands: [], onCommand: () => undefined },
  });
  const counts = { polls: 9, ok: 5, timeouts: 2, crc: 1, exceptions: 1, lateRefused: 3 };
  await upstream.tellHealth({
    uptimeMs: 61_900,
    clock: { synced: null, source: 'timesyncd' },
    journal: { pending: 7, oldest: T0, drainEtaS: null, bytes: 8_192, daysLeft: 301.26 },
    disk: { freeBytes: 5e9, totalBytes: 8e9 },
    buses: [{ bus: 'pit', ...counts, p50Ms: 40.04, p95Ms: null }],
    metersSilent: ['SP-1'],
  });
  const [message] = sent;
  expect(message).toMatchObject({ qos: 0, retain: false, expiryS: 7_200 });
  expect(message?.topic).toBe('watermeter-v1/u/COL-1/up/health');
  expect(JSON.parse(message?.payload ?? '')).toMatchObject({
    ...{ session: 'S1', uptime_s: 61, meters_silent: ['SP-1'] },
    clock: { synced: null, offset_ms: null, source: 'timesyncd' },
    journal: { pending: 7, bytes: 8_192, days_left: 301.3, drain_eta_s: null },
    disk: { free_bytes: 5e9, total_bytes: 8e9 },
    buses: [
      {
        ...{ bus: 'pit', polls: 9, ok: 5, timeouts: 2, crc: 1, exceptions: 1, late_refused: 3 },
        ...{ rtt_p50_ms: 40, rtt_p95_ms: null, framing: null },
      },
    ],
  });
});
