// The settings file that lets a collector read a simulated street.

import { stringify } from 'yaml';
import type { LineDevice } from './device.ts';
import type { BusType, ServicePoint } from './street.ts';

/** A bus as a collector reaches it. */
export interface Outlet {
  readonly bus: string;
  readonly type: BusType;
  /** Link to the pseudo-terminal of a serial bus. */
  readonly path: string;
  /** Port on 127.0.0.1 of a TCP bus. */
  readonly number: number;
}

export interface StreetSettings {
  readonly speed: number;
  /** System time and simulated time (epoch ms) of one instant. */
  readonly real: number;
  readonly simulated: number;
  readonly brokerUrl: string;
  readonly outlets: readonly Outlet[];
  readonly points: readonly ServicePoint[];
}

/** Above this speed a second of wire is more than a minute, and only the schedule's tolerances make sense. */
const FAST = 60;

/**
 * How far from an hour's edge a reading still counts for it: 15 s in the field; in fast time a quarter of a second
 * of wire, which a poll needs, and never more than a quarter of an hour.
 */
function toleranceS(speed: number): number {
  return Math.round(Math.min(900, Math.max(15, 0.25 * speed)));
}

/** A bridge before encoders that only pass their message on is asked as the generic one; a device that speaks is not. */
function lineSettings(points: readonly ServicePoint[]): object {
  const lines = points
    .map((point) => point.device)
    .filter((device): device is LineDevice => device.transport === 'line');
  const pause = Math.max(0, ...lines.map((device) => device.speaks_every_s ?? 0));
  // A second more than the pause between two of its lines.
  if (pause > 0) return { timeout_ms: pause * 1000 + 1000 };
  return lines.some((device) => device.request === undefined) ? { request: '#{address}\r' } : {};
}

function busSettings(outlet: Outlet, points: readonly ServicePoint[], fast: boolean): object {
  const patience = fast
    ? { timeout_ms: 300, reopen_max_ms: 500 }
    : { timeout_ms: 1000, reopen_max_ms: 30_000 };
  const place = outlet.type.endsWith('tcp')
    ? { host: '127.0.0.1', port: outlet.number }
    : { path: outlet.path, baud: 9600 };
  return { bus: outlet.bus, type: outlet.type, ...place, ...patience, ...lineSettings(points) };
}

function meterSettings(point: ServicePoint, tolerance: number): object {
  const { meter, bus, profile, registerId } = point.truth;
  const { device, unit } = point;
  const speaks = device.transport === 'line' && device.speaks_every_s !== undefined;
  const isShared = device.transport === 'modbus' && (device.channels ?? 1) > 1;
  const channel = isShared ? `/${point.channel}` : '';
  return {
    meter,
    bus,
    profile,
    ...(speaks ? {} : { address: `${unit}${channel}` }),
    ...(registerId === null ? {} : { register_id: registerId }),
    body_serial: point.bodySerial,
    size: point.size,
    poll_s: 900,
    tolerance_s: tolerance,
    max_flow_per_h: point.maxFlowPerH,
  };
}

/** YAML for `meter-collector run`. Both programs compute the time from `time`, so they share one clock. */
export function collectorSettings(street: StreetSettings): string {
  const fast = street.speed > FAST;
  const tolerance = toleranceS(street.speed);
  return stringify({
    version: 1,
    utility: 'demo',
    collector: 'COL-00001',
    data: './journal',
    time: {
      speed: street.speed,
      real: new Date(street.real).toISOString(),
      simulated: new Date(street.simulated).toISOString(),
    },
    upstream: {
      url: street.brokerUrl,
      smear_s: fast ? 0 : 300,
      reconnect_max_s: fast ? 2 : 60,
    },
    journal: { commit_s: 60 },
    buses: street.outlets.map((outlet) => {
      const here = street.points.filter((point) => point.truth.bus === outlet.bus);
      return busSettings(outlet, here, fast);
    }),
    meters: street.points.map((point) => meterSettings(point, tolerance)),
  });
}
