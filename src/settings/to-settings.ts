// A file that has passed every check, turned into Settings: names in our form, paths absolute, dials laid over profiles.

import { resolve } from 'node:path';
import { unitAndChannel, writtenAddress } from '../domain/modbus-address.ts';
import { type HandProfile, type Profile, READ_BY_HAND } from '../domain/profile.ts';
import type { Dial } from '../domain/units.ts';
import { toAlerts, toWishes } from './alerts.ts';
import { type RawConsole, toConsole } from './check-console.ts';
import { framingOf, profileOn } from './check-lines.ts';
import { dialOf, type Profiles } from './check-meters.ts';
import { controlPath } from './check-upstream.ts';
import { defaultMaxFlowPerH } from './default-flow.ts';
import type {
  BusSettings,
  MeterSettings,
  SerialSettings,
  Settings,
  TimeSettings,
  UpstreamSettings,
} from './settings.ts';

/** The file's shape after its schema has passed it and filled the defaults in. */
interface Raw {
  readonly utility: string;
  readonly collector: string;
  readonly data: string;
  readonly control?: string;
  readonly console?: RawConsole;
  readonly log: { readonly level: Settings['logLevel'] };
  readonly time: RawTime;
  readonly upstream: RawUpstream;
  readonly journal: {
    readonly commit_s: number;
    readonly ballast_mb: number;
    readonly increment_days: number;
    readonly hour_days: number;
    readonly event_days: number;
    readonly max_mb: number;
    readonly min_free_mb: number;
    readonly write_mb_per_day: number;
  };
  readonly buses: readonly RawBus[];
  readonly meters: readonly RawMeter[];
  readonly alerts?: Readonly<Record<string, unknown>>;
}

interface RawTime {
  readonly speed: number;
  readonly real?: string;
  readonly simulated?: string;
  readonly sync: TimeSettings['sync'];
}

interface RawUpstream {
  readonly url: string;
  readonly protocol: UpstreamSettings['protocol'];
  readonly username?: string;
  readonly password_file?: string;
  readonly ca_file?: string;
  readonly cert_file?: string;
  readonly key_file?: string;
  readonly keepalive_s: number;
  readonly ack_timeout_s: number;
  readonly ack: UpstreamSettings['ack'];
  readonly commands: UpstreamSettings['commands'];
  readonly backlog_per_s: number;
  readonly last: boolean;
  readonly smear_s: number;
  readonly reconnect_max_s: number;
}

interface RawBus {
  readonly bus: string;
  readonly type: BusSettings['type'];
  readonly path: string;
  readonly baud: number;
  readonly data_bits: 7 | 8;
  readonly parity: SerialSettings['parity'];
  readonly stop_bits: 1 | 2;
  readonly host: string;
  readonly port: number;
  readonly in_flight: number;
  readonly request?: string;
  readonly timeout_ms: number;
  readonly reopen_max_ms: number;
}

interface RawMeter {
  readonly meter: string;
  readonly bus?: string;
  readonly profile: string;
  readonly address?: string | number;
  readonly register_id?: string;
  readonly body_serial?: string;
  readonly service_point?: string;
  readonly route?: string;
  readonly service: MeterSettings['service'];
  readonly size?: string;
  readonly poll_s: number;
  readonly tolerance_s: number;
  readonly max_flow_per_h?: number;
  readonly jitter: number;
  readonly stuck_days: number;
  readonly dial?: Partial<Dial>;
  readonly alerts?: Readonly<Record<string, unknown>>;
}

/** Builds Settings from data without problems; every meter's profile is there. */
export function toSettings(data: unknown, folder: string, profiles: Profiles): Settings {
  const raw = data as Raw;
  const meters = raw.meters.map((meter) => toMeter(meter, raw.buses, profiles));
  const dataFolder = resolve(folder, raw.data);
  return {
    utility: raw.utility,
    collector: raw.collector,
    data: dataFolder,
    control: controlPath(raw as unknown as Record<string, unknown>, folder),
    logLevel: raw.log.level,
    ...(raw.console && { console: toConsole(raw.console, folder, dataFolder) }),
    time: toTime(raw.time),
    upstream: toUpstream(raw.upstream, folder),
    journal: toJournal(raw.journal),
    buses: raw.buses.map((bus) => toBus(bus, folder, meters)),
    meters,
    ...(raw.alerts && { alerts: toAlerts(raw.alerts) }),
  };
}

function toTime(raw: RawTime): TimeSettings {
  // Equal origins at speed 1 are the system's clock, whatever the origin.
  const [real, simulated] = [raw.real, raw.simulated].map((one) => (one ? Date.parse(one) : 0));
  return { speed: raw.speed, real: real ?? 0, simulated: simulated ?? 0, sync: raw.sync };
}

function toJournal(raw: Raw['journal']): Settings['journal'] {
  return {
    commitS: raw.commit_s,
    ballastMb: raw.ballast_mb,
    incrementDays: raw.increment_days,
    hourDays: raw.hour_days,
    eventDays: raw.event_days,
    maxMb: raw.max_mb,
    minFreeMb: raw.min_free_mb,
    writeMbPerDay: raw.write_mb_per_day,
  };
}

function toUpstream(raw: RawUpstream, folder: string): UpstreamSettings {
  const path = (one: string | undefined) => (one === undefined ? undefined : resolve(folder, one));
  return {
    url: raw.url,
    protocol: raw.protocol,
    ...present({
      username: raw.username,
      passwordFile: path(raw.password_file),
      caFile: path(raw.ca_file),
      certFile: path(raw.cert_file),
      keyFile: path(raw.key_file),
    }),
    keepaliveS: raw.keepalive_s,
    ackTimeoutS: raw.ack_timeout_s,
    ack: raw.ack,
    commands: raw.commands,
    backlogPerS: raw.backlog_per_s,
    last: raw.last,
    smearS: raw.smear_s,
    reconnectMaxS: raw.reconnect_max_s,
  };
}

function toBus(raw: RawBus, folder: string, meters: readonly MeterSettings[]): BusSettings {
  const here = meters.filter((meter) => meter.bus === raw.bus);
  const framing = framingOf(
    here.flatMap(({ profile }) => (profile.transport === 'hand' ? [] : [profile])),
  );
  const common = {
    bus: raw.bus,
    timeoutMs: raw.timeout_ms,
    reopenMaxMs: raw.reopen_max_ms,
    ...(framing === undefined ? {} : { framing }),
  };
  const { type, host, port, baud } = raw;
  if (type === 'line-tcp') return { ...common, type, peer: { host, port } };
  if (type === 'modbus-rtu-tcp') return { ...common, type, peer: { host, port }, baud };
  if (type === 'modbus-tcp') {
    return { ...common, type, peer: { host, port }, inFlight: raw.in_flight };
  }
  const serial: SerialSettings = {
    // Only a path that says so is relative: "COM3" is the name of a port.
    path: raw.path.startsWith('.') ? resolve(folder, raw.path) : raw.path,
    baud,
    dataBits: raw.data_bits,
    parity: raw.parity,
    stopBits: raw.stop_bits,
  };
  return { ...common, type, serial };
}

function toMeter(raw: RawMeter, buses: readonly RawBus[], profiles: Profiles): MeterSettings {
  const profile = profileOf(raw, buses, profiles);
  const dial = dialOf(raw as unknown as Record<string, unknown>, profile);
  return {
    meter: raw.meter,
    bus: raw.bus ?? null,
    profile,
    dial,
    address: profile.transport === 'hand' ? '' : addressOf(raw, profile),
    ...present({
      registerId: raw.register_id,
      bodySerial: raw.body_serial,
      servicePoint: raw.service_point,
      route: raw.route,
      size: raw.size,
    }),
    service: raw.service,
    pollS: raw.poll_s,
    toleranceS: raw.tolerance_s,
    maxFlowPerH: raw.max_flow_per_h ?? defaultMaxFlowPerH(dial),
    jitter: raw.jitter,
    stuckDays: raw.stuck_days,
    ...(raw.alerts && { alerts: toWishes(raw.alerts) }),
  };
}

function profileOf(
  raw: RawMeter,
  buses: readonly RawBus[],
  profiles: Profiles,
): Profile | HandProfile {
  if (raw.profile === READ_BY_HAND.name) return READ_BY_HAND;
  const found = profiles.byName.get(raw.profile);
  if (found === undefined) throw new Error(`profile ${raw.profile} passed the checks unfound`);
  const bus = buses.find((one) => one.bus === raw.bus);
  return profileOn(found, bus as unknown as Record<string, unknown>);
}

function addressOf(raw: RawMeter, profile: Profile): string {
  const address = String(raw.address ?? '');
  if (profile.transport === 'line') return address;
  return writtenAddress(unitAndChannel(address), profile.channels);
}

/** Without the keys that are undefined: an absent key is absent, not empty. */
function present<T extends Record<string, string | undefined>>(
  all: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(all).filter(([, one]) => one !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
