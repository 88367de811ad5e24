// What ails a collector: ordered checks over bus, upstream, time and disk, each with its cause by name. What cannot be told apart is one group.

import type { Advice, AdviceCode, BusKind } from './bus-advice.ts';
import type { Fault } from './fault.ts';
import { type EpochMs, HOUR_MS } from './units.ts';

export const AREAS = ['bus', 'upstream', 'time', 'disk'] as const;
export type Area = (typeof AREAS)[number];

/** `warn`: it works and should be seen to; `unknown`: nobody can tell yet. */
export type CheckState = 'ok' | 'warn' | 'bad' | 'unknown';

/** One check. `cause` names a sentence in the catalogue of words, `places` what it tells of. */
export interface Check {
  readonly area: Area;
  readonly check: string;
  readonly state: CheckState;
  readonly cause: string;
  readonly places: Readonly<Record<string, string | number>>;
}

/** A bus as it is seen from inside, and its port from outside where it is not open. */
export interface BusFindings {
  readonly bus: string;
  readonly kind: BusKind;
  readonly meters: number;
  readonly open: boolean;
  /** What the link or the port names as its problem: port_gone, no_permission ..; null for none. */
  readonly problem: string | null;
  readonly path: string;
  readonly detail: string;
  readonly advice: readonly Advice[];
}

const OF_ADVICE: Readonly<Record<AdviceCode, readonly [state: CheckState, cause: string]>> = {
  'bus.fine': ['ok', 'bus_fine'],
  'bus.empty': ['unknown', 'bus_no_meters'],
  'bus.unread': ['unknown', 'bus_unread'],
  'bus.closed': ['bad', 'port_failed'],
  'bus.silent': ['bad', 'nobody_heard'],
  'bus.spoilt': ['bad', 'bits_wrong'],
  'bus.noise': ['warn', 'noise'],
  'meter.shared': ['bad', 'address_shared'],
  'meter.stranger': ['bad', 'other_encoder'],
  'meter.late': ['warn', 'answers_late'],
  'meter.silent': ['bad', 'meter_silent'],
  'meter.spoilt': ['bad', 'meter_bits_wrong'],
  'meter.refuses': ['bad', 'meter_refuses'],
  'meter.unusable': ['bad', 'meter_unusable'],
  'meter.unread': ['bad', 'meter_unread'],
};

/** Checks of one bus: its port, then what is heard on it. */
export function checkBus(found: BusFindings): readonly Check[] {
  const { bus, kind, path, detail, problem, open, meters, advice } = found;
  const places = { bus, path, detail };
  const check = (
    name: string,
    state: CheckState,
    cause: string,
    more: Check['places'] = {},
  ): Check => ({
    ...{ area: 'bus', check: name, state, cause, places: { ...places, ...more } },
  });
  if (problem !== null) {
    return [check('port', 'bad', problem), check('answers', 'unknown', 'not_reached')];
  }
  const port = check('port', 'ok', open ? 'port_open' : 'port_free');
  if (meters === 0) return [port, check('answers', 'unknown', 'bus_no_meters')];
  const heard = advice.map(({ code, places: of }) => {
    const [state, cause] = OF_ADVICE[code];
    return check('answers', state, code === 'bus.silent' ? SILENT[kind] : cause, of);
  });
  return [port, ...heard];
}

/** Where wires, settings and addresses cannot be told apart they are one cause with one step that does. */
const SILENT: Readonly<Record<BusKind, string>> = {
  rtu: 'nobody_heard',
  line: 'nobody_heard_line',
  tcp: 'nobody_heard_gateway',
};

/** A certificate that the settings name for the link or for the console, and when it is over. */
export interface Expiry {
  readonly of: 'upstream' | 'console';
  readonly file: string;
  readonly until: EpochMs;
}

/** What is known of the way up. `trial` is one connection made for this; null where none was. */
export interface UpstreamFindings {
  readonly url: string;
  readonly connected: boolean;
  readonly link: string;
  readonly refusedRows: number;
  readonly refusedWhy: string;
  /** What else the broker refuses: the collector's state, its meters, its birth, its answers. */
  readonly unsaid: { readonly count: number; readonly detail: string };
  readonly trial:
    | { readonly publish: 'accepted' | 'not_confirmed' }
    | { readonly fault: Fault }
    | null;
  readonly pending: number;
  readonly oldest: EpochMs | null;
  readonly awaitingAck: number | null;
  readonly certificates: readonly Expiry[];
  readonly now: EpochMs;
}

/** From the files to the broker's rights: what comes before a failure is well, what comes after is not known. */
const STAGES = ['files', 'name', 'connection', 'tls', 'sign_in', 'rights'] as const;
type Stage = (typeof STAGES)[number];

const TLS_CAUSES: Readonly<Record<string, string>> = {
  clock: 'tls_clock',
  broker_expired: 'certificate_expired',
  broker_not_yet_valid: 'certificate_not_yet_valid',
  broker_other_host: 'certificate_other_host',
  broker_unknown_authority: 'tls_chain',
  own_missing: 'own_certificate_missing',
  own_expired: 'own_certificate_expired',
  own_unknown_authority: 'own_certificate_unknown',
  own_refused: 'own_certificate_refused',
  own_key_mismatch: 'own_key_mismatch',
  own_unreadable: 'certificate_unreadable',
  too_old: 'tls_too_old',
  no_tls: 'no_tls',
  cut_off: 'tls_cut_off',
  other: 'tls_failed',
};

/** CONNACK reasons: user or password, no right to connect, the id (MQTT 3.1.1 table 3.1, MQTT 5 table 3-1). */
const CONNACK: Readonly<Record<string, string>> = {
  ...{ connack_4: 'sign_in_refused', connack_134: 'sign_in_refused' },
  ...{ connack_5: 'sign_in_refused', connack_135: 'sign_in_refused' },
  ...{ connack_2: 'client_id_refused', connack_133: 'client_id_refused' },
};

/** Where a link broke, and why. */
function breakOf({ code, why = '' }: Fault): readonly [stage: Stage, cause: string] {
  if (why === 'file') return ['files', 'file_unreadable'];
  if (why === 'ENOTFOUND' || why.startsWith('EAI_')) return ['name', 'dns'];
  if (why === 'ECONNREFUSED') return ['connection', 'connection_refused'];
  if (code === 'upstream.untrusted') return ['tls', TLS_CAUSES[why] ?? 'tls_failed'];
  if (why.startsWith('connack_')) return ['sign_in', CONNACK[why] ?? 'broker_refused'];
  if (why.startsWith('publish_')) return ['rights', 'acl_refused'];
  if (code === 'upstream.refused') return ['rights', 'acl_refused'];
  if (code === 'upstream.silent') return ['rights', 'broker_silent'];
  return ['connection', 'connection_lost'];
}

/** Checks of the way up, in the order in which a connection is made. */
export function checkUpstream(found: UpstreamFindings): readonly Check[] {
  return [...linkChecks(found), ...certificateChecks(found), queueCheck(found)];
}

function linkChecks(found: UpstreamFindings): readonly Check[] {
  const { url, connected, trial, refusedRows, refusedWhy, unsaid } = found;
  const fault = trial && 'fault' in trial ? trial.fault : null;
  const isSecure = url.startsWith('mqtts:');
  const stages = STAGES.filter((stage) => stage !== 'tls' || isSecure || fault?.why === 'no_tls');
  const places = { url, host: hostOf(url), detail: fault?.detail ?? found.link };
  const check = (
    stage: Stage,
    state: CheckState,
    cause: string,
    more: Check['places'] = {},
  ): Check => ({
    ...{ area: 'upstream', check: stage, state, cause, places: { ...places, ...more } },
  });
  const well = (stage: Stage) => check(stage, 'ok', `${stage}_ok`);
  // Without a link what was refused on the last one says nothing of why there is none.
  if (refusedRows > 0 || (connected && unsaid.count > 0)) {
    const refusal = refusedRows > 0 ? { count: refusedRows, detail: refusedWhy } : { ...unsaid };
    return stages.map((stage) =>
      stage === 'rights' ? check(stage, 'bad', 'acl_refused', refusal) : well(stage),
    );
  }
  if (fault === null) {
    const isConfirmed = trial !== null && 'publish' in trial && trial.publish === 'accepted';
    return stages.map((stage) => {
      if (!connected && trial === null) return check(stage, 'unknown', 'not_tried');
      if (stage !== 'rights' || isConfirmed) return well(stage);
      return check(stage, 'unknown', 'rights_not_confirmed');
    });
  }
  const [stage, cause] = breakOf(fault);
  // The collector's own link is up: only the other name of the trial was not let in.
  const isOwnFine = connected && stage !== 'rights';
  return stages.map((one) => {
    if (isOwnFine) return one === 'rights' ? check(one, 'unknown', 'trial_refused') : well(one);
    const order = stages.indexOf(one) - stages.indexOf(stage);
    if (order === 0) return check(one, 'bad', cause);
    return order < 0 ? well(one) : check(one, 'unknown', 'not_reached');
  });
}

function hostOf(url: string): string {
  const [, host = url] = /^\w+:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/]+)/.exec(url) ?? [];
  return host;
}

/** Each is renewed in its own way. */
const ENDINGS = {
  upstream: { expired: 'own_certificate_expired', expiring: 'certificate_expiring' },
  console: { expired: 'console_certificate_expired', expiring: 'console_certificate_expiring' },
} as const;

/** A certificate is renewed in days, not in hours. */
const SOON_DAYS = 30;

function certificateChecks({ certificates, now, url }: UpstreamFindings): readonly Check[] {
  return certificates.map(({ of, file, until }) => {
    const days = Math.floor((until - now) / (24 * HOUR_MS));
    const places = { file, days, until: new Date(until).toISOString().slice(0, 10), url };
    const { expired, expiring } = ENDINGS[of];
    const [state, cause] =
      days < 0
        ? (['bad', expired] as const)
        : days <= SOON_DAYS
          ? (['warn', expiring] as const)
          : (['ok', 'certificate_ok'] as const);
    return { area: 'upstream', check: 'certificate', state, cause, places };
  });
}

/** What has waited for longer while the link is up is not only waiting for its turn. */
const WAITED_MS = 2 * HOUR_MS;

function queueCheck(found: UpstreamFindings): Check {
  const { pending, oldest, now, connected, awaitingAck, refusedRows } = found;
  const hours = oldest === null ? 0 : Math.floor((now - oldest) / HOUR_MS);
  const places = { count: pending, hours, awaiting: awaitingAck ?? 0 };
  const isOld = oldest !== null && now - oldest > WAITED_MS;
  const told = (state: CheckState, cause: string): Check => ({
    ...{ area: 'upstream', check: 'queue', state, cause, places },
  });
  if (!isOld) return told('ok', 'queue_ok');
  if (!connected) return told('warn', 'queue_waits_for_link');
  if (refusedRows > 0) return told('bad', 'queue_refused');
  return awaitingAck ? told('warn', 'queue_unacknowledged') : told('warn', 'queue_drains');
}

/** What is known of the clocks. `wall`: the system's; `schedule`: the one that hours go by. */
export interface TimeFindings {
  readonly wall: EpochMs;
  readonly schedule: EpochMs;
  readonly speed: number;
  readonly synced: boolean | null;
  /** When the newest reading was taken, by the schedule; null for none. */
  readonly newest: EpochMs | null;
}

/** Nothing of this was made before: a clock that shows an earlier time has lost it, and begins at 1970 as a rule. */
const BUILT_MS = Date.UTC(2026, 0, 1);
const BEHIND_MS = HOUR_MS;

/** The clock itself, whether it is synchronised, and whether it went back. */
export function checkTime({
  wall,
  schedule,
  speed,
  synced,
  newest,
}: TimeFindings): readonly Check[] {
  const places = { now: minuteOf(wall), speed };
  const check = (
    name: string,
    state: CheckState,
    cause: string,
    more: Check['places'] = {},
  ): Check => ({
    ...{ area: 'time', check: name, state, cause, places: { ...places, ...more } },
  });
  if (wall < BUILT_MS) {
    return [check('clock', 'bad', 'clock_1970'), check('sync', 'unknown', 'not_reached')];
  }
  const isBehind = newest !== null && newest > schedule + BEHIND_MS;
  const clock = isBehind
    ? check('clock', 'bad', 'clock_behind', { newest: minuteOf(newest), now: minuteOf(schedule) })
    : speed === 1
      ? check('clock', 'ok', 'clock_ok')
      : check('clock', 'warn', 'clock_scaled');
  const [state, cause] =
    synced === null
      ? (['unknown', 'sync_unknown'] as const)
      : synced
        ? (['ok', 'sync_ok'] as const)
        : (['bad', 'clock_unsynced'] as const);
  return [clock, check('sync', state, cause)];
}

const minuteOf = (at: EpochMs) =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** What is known of the disk; null where nobody can tell. */
export interface DiskFindings {
  readonly isSound: boolean;
  readonly freeBytes: number | null;
  readonly minFreeBytes: number;
  readonly daysLeft: number | null;
  readonly wornToday: number | null;
  readonly wearBudget: number;
  /** What the journal told of itself in the last week. */
  readonly lost: number;
  readonly repaired: number;
}

const DAYS_LOW = 30;
const MB = 1e6;

const onDisk = (
  check: string,
  state: CheckState,
  cause: string,
  places: Check['places'] = {},
): Check => ({ area: 'disk', check, state, cause, places });

/** The journal, its room, what was damaged, and how the flash card is worn. */
export function checkDisk(found: DiskFindings): readonly Check[] {
  const journal = found.isSound
    ? onDisk('journal', 'ok', 'journal_ok')
    : onDisk('journal', 'bad', 'journal_closed');
  return [journal, checkRoom(found), checkDamage(found), checkWear(found)];
}

function checkRoom({ freeBytes, minFreeBytes, daysLeft }: DiskFindings): Check {
  if (freeBytes === null) return onDisk('room', 'unknown', 'room_unknown');
  const free = { free_mb: Math.floor(freeBytes / MB), min_mb: Math.floor(minFreeBytes / MB) };
  if (freeBytes < minFreeBytes) return onDisk('room', 'bad', 'disk_full', free);
  if (daysLeft !== null && daysLeft < DAYS_LOW) {
    return onDisk('room', 'warn', 'disk_low', { ...free, days: Math.floor(daysLeft) });
  }
  return onDisk('room', 'ok', 'room_ok', free);
}

function checkDamage({ lost, repaired }: DiskFindings): Check {
  if (lost > 0) return onDisk('damage', 'bad', 'journal_lost', { count: lost });
  if (repaired > 0) return onDisk('damage', 'warn', 'journal_repaired', { count: repaired });
  return onDisk('damage', 'ok', 'journal_whole');
}

function checkWear({ wornToday, wearBudget }: DiskFindings): Check {
  if (wornToday === null) return onDisk('wear', 'unknown', 'wear_unknown');
  const mb = { mb: Math.round(wornToday / MB), budget_mb: Math.round(wearBudget / MB) };
  if (wornToday > wearBudget) return onDisk('wear', 'warn', 'wear_high', mb);
  return onDisk('wear', 'ok', 'wear_ok', mb);
}
