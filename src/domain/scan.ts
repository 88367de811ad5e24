// Looking for devices on a wire: what is to be asked, in which settings, and what is known of it so far.

import { modbusAddress } from './modbus-address.ts';
import type { Profile } from './profile.ts';

/** How a wire is spoken to. */
export type ScanWay = 'rtu' | 'mbap' | 'line';
export const PARITIES = ['none', 'even', 'odd'] as const;
export type Parity = (typeof PARITIES)[number];

/** One way of speaking; baud and parity are null where the wire has none. */
export interface ScanSetting {
  readonly way: ScanWay;
  readonly baud: number | null;
  readonly parity: Parity | null;
}

/** What a person wants looked for; what is absent is as usual on that wire. */
export interface ScanWish {
  readonly ways?: readonly string[];
  readonly baud?: readonly number[];
  readonly parity?: readonly string[];
  /** `1-247`, `3,7,20-29`. */
  readonly addresses?: string;
  readonly profiles?: readonly string[];
  readonly timeout_ms?: number;
}

export interface ScanPlan {
  readonly settings: readonly ScanSetting[];
  readonly profiles: readonly Profile[];
  /** What each way is asked for, and how long its devices may take. */
  readonly addresses: Readonly<Record<ScanWay, readonly string[]>>;
  readonly timeoutsMs: Readonly<Record<ScanWay, number>>;
}

/** A profile that the device answers, and what it says by it. */
export interface ScanFit {
  readonly profile: string;
  /** Null where a wheel of the dial could not be read. */
  readonly digits: string | null;
  readonly id: string | null;
}

/** A device. `fits` is empty where it answers and no profile fits. */
export interface ScanFound extends ScanSetting {
  /** Null for a device that speaks by itself. */
  readonly address: string | null;
  readonly fits: readonly ScanFit[];
  /** Something answered there, but its bits arrive wrong. */
  readonly garbled: boolean;
}

export interface ScanProgress {
  /** Questions put, and how many there are at the least. */
  readonly asked: number;
  readonly of: number;
  readonly found: readonly ScanFound[];
  /** Estimate of the time on the wire that is left, in milliseconds. */
  readonly left_ms: number;
  readonly over: boolean;
  /** Why it could not go on. */
  readonly fault: string | null;
}

/** Addresses in one scan: all of Modbus four times over. */
const ADDRESSES_MAX = 1_000;
const UNITS = '1-247';
/** Over TCP, the device itself. */
const ITSELF = '255';
/** Encoders on a line are few, and slow to answer. */
const LINE_ADDRESSES = '1-32';
const BAUDS = [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200];
/** A Modbus device answers within 100 ms or so, a gateway's line behind it later, an encoder in 2 s (encoders 1.6). */
const TIMEOUT_MS: Readonly<Record<ScanWay, number>> = { rtu: 300, mbap: 1_000, line: 2_500 };
const LEAST_MS = 20;
const MOST_MS = 10_000;

/** What the wire offers beside what is wished for. */
export interface ScanWire {
  readonly ways: readonly ScanWay[];
  /** Empty where the wire has no settings. */
  readonly baud: readonly number[];
  readonly parity: readonly Parity[];
}

/** The plan for a wish, or in words what is wrong with it. */
export function planScan(
  wish: ScanWish,
  wire: ScanWire,
  profiles: readonly Profile[],
): ScanPlan | { readonly problem: string } {
  const ways = wire.ways.filter((way) => wish.ways?.includes(way) ?? true);
  if (ways.length === 0) return { problem: `Ways are ${wire.ways.join(', ')} on this wire.` };
  const strange = wish.profiles?.find((name) => !profiles.some((one) => one.name === name));
  if (strange !== undefined) return { problem: `There is no profile "${strange}".` };
  const serial = serialIn(wish, wire);
  if ('problem' in serial) return serial;
  const modbus = addressesIn(wish.addresses ?? UNITS);
  const line = addressesIn(wish.addresses ?? LINE_ADDRESSES);
  if (modbus === null || line === null) {
    return { problem: `--addresses takes 1-247 or 3,7,20-29, at most ${ADDRESSES_MAX} of them.` };
  }
  const { timeout_ms } = wish;
  if (timeout_ms !== undefined && !(timeout_ms >= LEAST_MS && timeout_ms <= MOST_MS)) {
    return { problem: `A time-out is ${LEAST_MS} to ${MOST_MS} ms.` };
  }
  const timeoutsMs =
    timeout_ms === undefined ? TIMEOUT_MS : { rtu: timeout_ms, mbap: timeout_ms, line: timeout_ms };
  const units = (over: 'line' | 'tcp') =>
    modbus.filter((one) => modbusAddress(one, over) !== undefined);
  // Who has no line behind it may answer as nothing else.
  const itself = wish.addresses === undefined ? [ITSELF] : [];
  const addresses = { rtu: units('line'), mbap: [...units('tcp'), ...itself], line };
  // All of the quick way before the slow one.
  const settings = ways.flatMap((way) => serial.map((one) => ({ way, ...one })));
  const chosen = profiles.filter(({ name }) => wish.profiles?.includes(name) ?? true);
  return { settings, addresses, profiles: chosen, timeoutsMs };
}

/** The settings of a serial port to be tried; one without any where the wire has none. */
function serialIn(
  wish: ScanWish,
  wire: ScanWire,
): readonly Omit<ScanSetting, 'way'>[] | { readonly problem: string } {
  const baud = wire.baud.length === 0 ? [null] : (wish.baud ?? wire.baud);
  if (baud.some((one) => one !== null && !BAUDS.includes(one))) {
    return { problem: `--baud takes ${BAUDS.join(', ')}.` };
  }
  const parity = wire.parity.length === 0 ? [null] : (wish.parity ?? wire.parity);
  if (parity.some((one) => one !== null && !PARITIES.includes(one as Parity))) {
    return { problem: `--parity takes ${PARITIES.join(', ')}.` };
  }
  return baud.flatMap((bits) =>
    parity.map((check) => ({ baud: bits, parity: check as Parity | null })),
  );
}

/** The addresses of `1-247` or `3,7,20-29`; null for anything else. */
export function addressesIn(text: string): readonly string[] | null {
  const found = new Set<string>();
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part) ?? [];
    if (first === undefined || last === undefined) return null;
    const [from, to] = [Number(first), Number(last)];
    if (to < from || to - from >= ADDRESSES_MAX) return null;
    for (let at = from; at <= to; at += 1) found.add(String(at));
  }
  return found.size === 0 || found.size > ADDRESSES_MAX ? null : [...found];
}

/** Devices that speak by themselves do so every three seconds or so. */
export const LISTEN_MS = 5_000;

/**
 * How long a question of this plan may take, in milliseconds, and as long again until the line may be used. A listening is
 * not followed by such a silence.
 */
export function longestMs({ settings, timeoutsMs, profiles }: ScanPlan): number {
  const isHeard = profiles.some((one) => one.transport === 'line' && one.request === undefined);
  const longest = ({ way }: ScanSetting) =>
    way === 'line' && isHeard ? Math.max(timeoutsMs.line, LISTEN_MS / 2) : timeoutsMs[way];
  return Math.max(...settings.map(longest));
}
