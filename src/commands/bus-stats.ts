// `bus.stats`: what was seen on each bus, and the sentences that follow from it.

import type { Bus, BusScans, CommandAnswer, ScanRun } from '../boundaries.ts';
import { type Advice, adviceOn, type BusKind } from '../domain/bus-advice.ts';
import { type BusSeen, type MeterSeen, sumOfSeen } from '../domain/bus-seen.ts';
import type { ScanPlan, ScanWish } from '../domain/scan.ts';
import { type Args, refused } from './answer.ts';

/** A bus of a running collector, as far as it is told of. */
export interface ToldBus {
  readonly bus: string;
  readonly type: string;
  readonly kind: BusKind;
  readonly timeoutMs: number;
  readonly conversation: Pick<Bus, 'link' | 'seen' | 'summary' | 'trace'>;
  /** Looks for devices on it; absent where nobody can. */
  readonly scan?: {
    readonly scans: BusScans;
    readonly open: (
      wish: ScanWish,
    ) => Promise<{ readonly run: ScanRun; readonly plan: ScanPlan } | { readonly problem: string }>;
  };
  /** The address of each of its meters. */
  readonly addresses: ReadonlyMap<string, string>;
}

const NOTHING: BusSeen = {
  ...{ meters: [], utilisation: 0, readMs: null, headroomPerMin: null, p50Ms: null, p95Ms: null },
};

/** What was seen on the bus; nothing where it does not count. */
export function seenOn({ conversation }: ToldBus): BusSeen {
  return conversation.seen?.() ?? NOTHING;
}

/** The sentences on a bus, the weightiest first. */
export function adviceFor(told: ToldBus, seen = seenOn(told)): readonly Advice[] {
  const { bus, kind, timeoutMs, conversation, addresses } = told;
  const { open, detail } = conversation.link();
  const meters = seen.meters.map((meter) => ({
    ...{ ...meter, address: addresses.get(meter.meter) ?? '?' },
  }));
  // A link that was closed to be opened anew at the next read is no fault.
  const link = /^[a-z]+\.[a-z_]+: /.test(detail) ? detail : '';
  const isEmpty = addresses.size === 0;
  return adviceOn({ ...{ bus, kind, open, link, timeoutMs, meters, isEmpty } });
}

/** Answers `{ buses: [...] }`, of one bus where `bus` names it. */
export async function busStats(
  buses: readonly ToldBus[] | undefined,
  { bus }: Args,
): Promise<CommandAnswer> {
  if (buses === undefined) {
    const message = 'Only a running collector knows what happens on its buses.';
    return refused('daemon.absent', message, 'Start it: meter-collector run');
  }
  const wanted = buses.filter((one) => bus === undefined || one.bus === bus);
  if (wanted.length === 0 && bus !== undefined) return unknownBus(buses, bus);
  return { ok: true, data: { buses: await Promise.all(wanted.map(statsOf)) } };
}

export function unknownBus(buses: readonly { readonly bus: string }[], bus: unknown) {
  const known = buses.map((one) => one.bus).join(', ') || 'none';
  const message = `There is no bus ${String(bus)}.`;
  return { ok: false, code: 'bad_request', message, hint: `Known are ${known}.` } as const;
}

async function statsOf(told: ToldBus): Promise<object> {
  const seen = seenOn(told);
  const { open, detail } = told.conversation.link();
  return {
    ...{ bus: told.bus, type: told.type, open, detail, timeout_ms: told.timeoutMs },
    utilisation: rounded(seen.utilisation, 4),
    headroom_per_min: seen.headroomPerMin === null ? null : Math.floor(seen.headroomPerMin),
    ...{ read_ms: rounded(seen.readMs, 1), p50_ms: rounded(seen.p50Ms, 1) },
    ...{ p95_ms: rounded(seen.p95Ms, 1), advice: adviceFor(told, seen) },
    total: sumOfSeen(seen.meters.map(({ total }) => total)),
    day: sumOfSeen(seen.meters.map(({ day }) => day)),
    meters: seen.meters.map((meter) => meterStats(meter, told)),
    scan: (await told.scan?.scans.progress(0)) ?? null,
  };
}

/** What was seen of one meter of the bus; null where it was not asked yet. */
export function meterSeen(told: ToldBus, meter: string): object | null {
  const seen = seenOn(told).meters.find((one) => one.meter === meter);
  return seen ? meterStats(seen, told) : null;
}

function meterStats(
  { meter, p50Ms, p95Ms, latestMs, total, day }: MeterSeen,
  { addresses }: ToldBus,
): object {
  return {
    ...{ meter, address: addresses.get(meter) ?? null },
    ...{ p50_ms: rounded(p50Ms, 1), p95_ms: rounded(p95Ms, 1), latest_ms: rounded(latestMs, 1) },
    ...{ total, day },
  };
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
