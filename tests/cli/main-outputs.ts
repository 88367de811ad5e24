// Answers of a collector for the main commands, and the command lines that show them.

const DIAL = { digits: 8, unit: 'ft3', pow10: -1 };
const AT = '2026-11-22T06:00:02.000Z';

export const ANSWERS: Readonly<Record<string, unknown>> = {
  status: {
    ...{ collector: 'COL-1', utility: 'demo', version: '1.2.3', now: AT, epoch: 'E1' },
    upstream: { connected: true, detail: 'connected to 127.0.0.1:1883 (MQTT 5)' },
    journal: { pending: 2, rows: 40, oldest_pending: AT, detail: 'sound' },
    clock: { synced: true, speed: 1 },
    buses: [
      {
        ...{ bus: 'pole-1', type: 'line-serial', open: false, utilisation: 0.1 },
        detail: 'no port at /dev/ttyUSB0',
        says: 'pole-1 is not open: port.absent: no port at /dev/ttyUSB0.',
        next: 'See that the cable is plugged in and that no other program holds the port.',
      },
    ],
    meters: [
      {
        ...{ meter: 'SP-1', inst: 1, bus: 'pole-1', ...DIAL, read: 1_234_603, at: AT },
        ...{ use_this_hour: 12, last_hour: null },
        fault: { code: 'line.silent', detail: 'no answer in 1000 ms', since: AT },
      },
    ],
  },
  read: { meter: 'SP-1', inst: 1, read: 7, dial: '00000007', ...DIAL, at: AT, q: 'S' },
  intervals: {
    meter: 'SP-1',
    installations: [{ inst: 1, ...DIAL }],
    intervals: [
      {
        ...{ inst: 1, row: 1, start: AT, read: 7, at: AT, total: 2, use: 1, q: 'A' },
        flags: [],
      },
    ],
    gaps: [{ inst: 1, row: 2, from: AT, to: AT, use: 1, why: 'bus', flags: [] }],
  },
  audit: {
    ...{ ok: false, rows: 4, pending: 0, acknowledged: 3 },
    meters: [
      { meter: 'SP-1', inst: 1, hours: 3, gaps: 1, sum: 1, total: 2, ok: false, problem: null },
    ],
  },
  events: { events: [] },
  'meter.list': {
    meters: [{ meter: 'SP-1', inst: 1, ...DIAL, register_id: null, read: 7, at: null }],
  },
  'meter.show': {
    meter: 'SP-1',
    installation: { inst: 1, ...DIAL, body_serial: null, register_id: '1', since: AT },
    settings: { address: '1', profile: 'generic-8-digit-line' },
    ...{ last: null, commissioned: null, events_open: [], service: 'active', bus: 'pole-1' },
    fault: { code: 'line.silent', detail: 'no answer in 1000 ms', since: AT },
  },
  verify: {
    meter: 'SP-1',
    verdict: 'match',
    places: { register: '00000007', dial: '00000007', difference: 0 },
  },
  'bus.stats': {
    buses: [
      {
        ...{ bus: 'pole-1', type: 'line-serial', utilisation: 0.2, headroom_per_min: 30 },
        advice: [{ code: 'bus.fine', says: 'All meters answer.', next: '' }],
        meters: [{ meter: 'SP-1', address: '1', p50_ms: 30, p95_ms: null, day: { polls: 3 } }],
      },
    ],
  },
  'queue.status': { pending: 3, oldest: AT, drain_eta_s: 4, refused: 1, connected: false },
  'queue.resend': { rows: 2 },
  'journal.stats': {
    ...{ rows: 9, pending: 2, bytes: 5_000_000, free_bytes: 1e9, bytes_of: {} },
    ...{ oldest_increment: null, oldest_hour: null, days_kept: { increments: 3, hours: 4.5 } },
    limits: { increment_days: 45, hour_days: 400, max_bytes: 1e9 },
    ...{ days_left: null, written_today: null, write_budget: 40_000_000 },
  },
  'journal.backup': { bytes: 1 },
  alerts: {
    meters: [
      {
        ...{ meter: 'SP-1', service: 'active', standing: [] },
        alerts: {
          daily: { amount: 3, unit: 'gal', counts: 5, rounded: 'up to whole counts' },
          multi_day: { amount: 10, unit: 'ft3', counts: 100, rounded: 'no', days: 7 },
          no_use_days: 14,
        },
      },
    ],
  },
  changeout: { inst: 2, final: 12 },
  'meter.disable': {},
  'meter.maintenance': {},
  'reading.confirm': {},
  'meter.add': { written: true },
  'config.set': { written: true, warnings: ['No meter is on the bus "pole-1".'] },
  'config.diff': { changes: [{ path: '/x', before: 1, after: 2, restart: true }] },
  'config.apply': { applied: ['/x'], restart_required: ['/data'] },
  doctor: {
    checks: [
      {
        ...{ area: 'bus', check: 'pole-1', state: 'bad', cause: 'not_in_the_catalogue' },
        says: 'Nobody was heard: addresses, baud, or A and B swapped.',
        next: 'Try the others: meter-collector scan.',
      },
    ],
  },
};

export const LINES: readonly string[] = [
  ...['status', 'read SP-1', 'intervals SP-1', 'audit', 'events', 'meter list', 'meter show SP-1'],
  ...['verify SP-1 --dial 00000007', 'bus stats', 'queue status', 'journal stats', 'alert list'],
  'queue resend SP-1 --from 2026-11-22 --to 2026-11-23',
  'backup /tmp/b',
  'changeout SP-1 --final 12',
  ...['meter disable SP-1', 'meter maintenance SP-1', 'reading confirm SP-1'],
  'meter add SP-2 --bus pole-1 --profile generic-8-digit-line --address 2',
  'meter remove SP-1 --confirm SP-1',
  ...[
    'config check good.yaml',
    'config set upstream.keepalive_s 60',
    'config diff',
    'config apply',
  ],
  ...[
    'doctor',
    'help exit-codes',
    'upstream test',
    'decode --profile generic-8-digit-line --text V',
  ],
];
