// What the doctor makes of what it is told: every cause has its sentence and its step in both languages, and stages keep their order.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BusKind } from '../../src/domain/bus-advice.ts';
import {
  type Check,
  checkBus,
  checkDisk,
  checkTime,
  checkUpstream,
  type UpstreamFindings,
} from '../../src/domain/doctor.ts';
import type { Fault, FaultCode } from '../../src/domain/fault.ts';
import { HOUR_MS } from '../../src/domain/units.ts';
import { LANGUAGES, sayIn } from '../../src/domain/words.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const DAY = 24 * HOUR_MS;

const UP: UpstreamFindings = {
  ...{ url: 'mqtts://broker.example:8883', connected: false, link: 'away', refusedRows: 0 },
  unsaid: { count: 0, detail: '' },
  ...{ refusedWhy: '', trial: null, pending: 0, oldest: null, awaitingAck: null },
  ...{ certificates: [], now: NOW },
};

const broken = (why: string, code: FaultCode = 'upstream.offline') => {
  const fault: Fault = { code, detail: 'in words', why };
  return checkUpstream({ ...UP, trial: { fault } });
};
const stateOf = (checks: readonly Check[]) =>
  checks.filter(({ check }) => check !== 'queue').map(({ check, state }) => `${check} ${state}`);
const causeOf = (checks: readonly Check[]) => checks.find(({ state }) => state === 'bad')?.cause;

const TLS = [
  ...['clock', 'broker_expired', 'broker_not_yet_valid', 'broker_other_host', 'own_missing'],
  ...['broker_unknown_authority', 'own_expired', 'own_unknown_authority', 'own_refused', 'other'],
  ...['own_key_mismatch', 'own_unreadable', 'too_old', 'no_tls', 'cut_off', 'never heard of'],
];

const ending = (of: 'upstream' | 'console', days: number) => [
  { of, file: 'own.pem', until: NOW + days * DAY },
];

/** Everything that can be told, from every input that tells it. */
function everyCheck(): readonly Check[] {
  const advice = (code: string) => ({
    ...{ code, meters: [], says: '', next: '' },
    places: {
      meter: 'SP-1',
      address: '1',
      count: 2,
      id: 'X',
      slowest_ms: 9,
      timeout_ms: 9,
      fault: 'f',
    },
  });
  const bus = { bus: 'pit', meters: 2, open: true, problem: null, path: '/dev/x', detail: 'd' };
  const codes = [
    ...[
      'bus.fine',
      'bus.unread',
      'bus.empty',
      'bus.closed',
      'bus.silent',
      'bus.spoilt',
      'bus.noise',
    ],
    ...['meter.shared', 'meter.stranger', 'meter.late', 'meter.silent', 'meter.spoilt'],
    ...['meter.refuses', 'meter.unusable', 'meter.unread'],
  ] as never[];
  const kinds: readonly BusKind[] = ['rtu', 'line', 'tcp'];
  const problems = [
    'port_gone',
    'no_permission',
    'port_busy',
    'port_failed',
    'not_a_port',
    'peer_unreachable',
  ];
  const queue = { ...UP, pending: 9, oldest: NOW - 5 * HOUR_MS };
  const accepted = { publish: 'accepted' } as const;
  const time = { wall: NOW, schedule: NOW, speed: 1, synced: true, newest: NOW };
  const disk = {
    ...{ isSound: true, freeBytes: 9e9, minFreeBytes: 6e7, daysLeft: 300, wornToday: 1e6 },
    ...{ wearBudget: 4e7, lost: 0, repaired: 0 },
  };
  return [
    ...kinds.flatMap((kind) =>
      codes.flatMap((code) => checkBus({ ...bus, kind, advice: [advice(code)] as never })),
    ),
    ...problems.flatMap((problem) => checkBus({ ...bus, kind: 'rtu', problem, advice: [] })),
    ...checkBus({ ...bus, kind: 'rtu', open: false, meters: 0, advice: [] }),
    ...TLS.flatMap((why) => broken(why, 'upstream.untrusted')),
    ...['file', 'ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ETIMEDOUT', 'connack_134', 'connack_133']
      .concat(['connack_136', 'publish_135', ''])
      .flatMap((why) => broken(why)),
    ...broken('', 'upstream.refused'),
    ...broken('', 'upstream.silent'),
    ...checkUpstream(UP),
    ...checkUpstream({ ...UP, connected: true, trial: accepted }),
    ...checkUpstream({ ...UP, connected: true, trial: { publish: 'not_confirmed' } }),
    ...checkUpstream({ ...UP, connected: true, refusedRows: 4, refusedWhy: '135' }),
    ...checkUpstream({
      ...{ ...UP, connected: true },
      trial: { fault: { code: 'upstream.refused', detail: '', why: 'connack_133' } },
    }),
    ...(['upstream', 'console'] as const).flatMap((of) =>
      [-1, 5, 300].flatMap((days) => checkUpstream({ ...UP, certificates: ending(of, days) })),
    ),
    ...checkUpstream(queue),
    ...checkUpstream({ ...queue, connected: true, trial: accepted }),
    ...checkUpstream({ ...queue, connected: true, trial: accepted, awaitingAck: 3 }),
    ...checkUpstream({ ...queue, connected: true, refusedRows: 2 }),
    ...checkTime(time),
    ...checkTime({ ...time, wall: 600_000 }),
    ...checkTime({ ...time, newest: NOW + 2 * HOUR_MS }),
    ...checkTime({ ...time, speed: 60, synced: null }),
    ...checkTime({ ...time, synced: false }),
    ...checkDisk(disk),
    ...checkDisk({ ...disk, freeBytes: 1e6, repaired: 1, wornToday: 9e7 }),
    ...checkDisk({ ...disk, daysLeft: 3, lost: 2, wornToday: null }),
    ...checkDisk({ ...disk, isSound: false, freeBytes: null }),
  ];
}

describe('the doctor', () => {
  it.each(LANGUAGES)(
    'has a sentence for every cause, and a step for what is bad, in %s',
    (language) => {
      const file = new URL(`../../config/locales/${language}.json`, import.meta.url);
      const say = sayIn(language, JSON.parse(readFileSync(file, 'utf8')));
      const checks = everyCheck();
      expect(new Set(checks.map(({ cause }) => cause)).size).toBeGreaterThan(70);
      for (const { cause, places, state } of checks) {
        const said = say(`doctor.${cause}`, places);
        expect(said).not.toMatch(/^doctor\.|\{\w+\}/);
        const next = say(`doctor.${cause}_next`, places);
        if (state === 'bad') expect(next).not.toMatch(/^doctor\.|\{\w+\}/);
      }
    },
  );

  it('every cause in the catalogue can come', () => {
    const file = new URL('../../config/locales/en.json', import.meta.url);
    const { doctor } = JSON.parse(readFileSync(file, 'utf8')) as { doctor: object };
    const known = Object.keys(doctor).filter((key) => !key.endsWith('_next') && key !== 'ok');
    const causes = new Set(everyCheck().map(({ cause }) => cause));
    expect(known.filter((key) => !causes.has(key))).toEqual([]);
  });

  it('a certificate that is over is named with whose it is', () => {
    const causeOf = (of: 'upstream' | 'console', days: number) =>
      checkUpstream({ ...UP, certificates: ending(of, days) }).find(
        ({ check }) => check === 'certificate',
      )?.cause;
    expect([causeOf('upstream', -1), causeOf('console', -1), causeOf('console', 29)]).toEqual([
      ...['own_certificate_expired', 'console_certificate_expired', 'console_certificate_expiring'],
    ]);
  });

  it('what comes before a broken stage is well, what comes after is not known', () => {
    expect(stateOf(broken('ECONNREFUSED'))).toEqual([
      ...['files ok', 'name ok', 'connection bad', 'tls unknown', 'sign_in unknown'],
      'rights unknown',
    ]);
    expect(stateOf(broken('broker_expired', 'upstream.untrusted'))).toEqual([
      ...['files ok', 'name ok', 'connection ok', 'tls bad', 'sign_in unknown', 'rights unknown'],
    ]);
    expect(stateOf(broken('publish_135', 'upstream.refused')).slice(-2)).toEqual([
      ...['sign_in ok', 'rights bad'],
    ]);
  });

  it('a trial that was not let in says nothing of a collector that is connected', () => {
    const fault: Fault = { code: 'upstream.refused', detail: '', why: 'connack_133' };
    const checks = checkUpstream({ ...UP, connected: true, trial: { fault } });
    expect(causeOf(checks)).toBeUndefined();
    expect(causeOf(checkUpstream({ ...UP, trial: { fault } }))).toBe('client_id_refused');
  });

  it('rows that the broker refuses are its rights, whatever a trial says', () => {
    const checks = checkUpstream({ ...UP, connected: true, refusedRows: 3, refusedWhy: 'no' });
    expect(causeOf(checks)).toBe('acl_refused');
  });

  it('what the broker does not let the collector say of itself is its rights too, while there is a link', () => {
    const unsaid = { count: 2, detail: 'the broker refused up/state: 135 Not authorized' };
    const rights = (connected: boolean) =>
      checkUpstream({ ...UP, connected, unsaid }).find(({ check }) => check === 'rights');
    expect(rights(true)).toMatchObject({ state: 'bad', cause: 'acl_refused', places: unsaid });
    expect(rights(false)).toMatchObject({ state: 'unknown' });
  });

  it('a clock that has lost the time is named before what follows from it', () => {
    const time = { schedule: NOW, speed: 1, synced: false, newest: NOW };
    expect(checkTime({ ...time, wall: 60_000 }).map(({ cause }) => cause)).toEqual([
      ...['clock_1970', 'not_reached'],
    ]);
    expect(causeOf(checkTime({ ...time, wall: NOW, newest: NOW + 3 * HOUR_MS }))).toBe(
      'clock_behind',
    );
    expect(causeOf(checkTime({ ...time, wall: NOW, newest: NOW + HOUR_MS / 2 }))).toBe(
      'clock_unsynced',
    );
  });

  it('nothing is called well of a disk that nobody can ask', () => {
    const disk = {
      ...{ isSound: true, freeBytes: null, minFreeBytes: 6e7, daysLeft: null, wornToday: null },
      ...{ wearBudget: 4e7, lost: 0, repaired: 0 },
    };
    expect(checkDisk(disk).map(({ check, state }) => `${check} ${state}`)).toEqual([
      ...['journal ok', 'room unknown', 'damage ok', 'wear unknown'],
    ]);
  });
});
