// What a collector tells of itself: `status` for people, health for the head-end (S4).

import type { Clock, HeadEnd, Journal, KeepLimits, Room, Unsaid } from './boundaries.ts';
import { isoTime } from './codec/head-end-message.ts';
import { zoneOf } from './codec/time-zone.ts';
import { adviceFor, seenOn, type ToldBus } from './commands/bus-stats.ts';
import { meterStatus } from './commands/commands.ts';
import { NONE_SEEN } from './domain/bus-seen.ts';
import { type BusHealth, daysLeft, drainEtaS, type Health, isUnheard } from './domain/health.ts';
import type { Scorecard } from './domain/scorecard.ts';
import { type EpochMs, HOUR_MS } from './domain/units.ts';
import { UTC } from './domain/usage/civil.ts';
import type { PollRecord } from './jobs/poll-bus.ts';
import type { Refusals } from './jobs/refused.ts';
import { tellHealth } from './jobs/tell-health.ts';
import { tellLast } from './jobs/tell-last.ts';
import { tellScorecards } from './jobs/tell-scorecard.ts';
import { type WatchedBus, watchBuses } from './jobs/watch-buses.ts';
import { watchCertificates } from './jobs/watch-certificates.ts';
import { watchClock } from './jobs/watch-clock.ts';
import type { Parts } from './parts.ts';
import type { Settings } from './settings/settings.ts';
import type { RunningUpstream } from './upstream/upstream.ts';

/** What telling needs of the outside. */
interface TellingParts {
  readonly clock: Clock;
  readonly wire: Clock;
  readonly headEnd: HeadEnd;
  readonly version: string;
}

/** S4, from what is there. Uptime is of the wire's clock, as the counts are. */
export async function healthOf(
  settings: Settings,
  { clock, wire, headEnd }: TellingParts,
  seen: {
    readonly journal: Journal;
    readonly buses: readonly ToldBus[];
    readonly records: ReadonlyMap<string, PollRecord>;
    readonly began: number;
  },
): Promise<Health> {
  const { journal, buses, records, began } = seen;
  const { rows, oldest } = await journal.pending();
  const room = await journal.room();
  const backlog = {
    ...{ rows, meters: journal.metersPending().length, connected: headEnd.isConnected() },
    messagesPerS: settings.upstream.backlogPerS,
  };
  return {
    uptimeMs: wire.monotonicMs() - began,
    clock: { synced: clock.synced(), source: settings.time.sync },
    journal: {
      pending: rows,
      oldest,
      drainEtaS: drainEtaS(backlog),
      ...(room ? await kept(journal, room, limitsOf(settings), clock.now()) : NOTHING_KEPT),
    },
    disk: room && { freeBytes: room.freeBytes, totalBytes: room.totalBytes },
    buses: buses.map((bus) => busHealth(bus)),
    metersSilent: [...records].flatMap(([meter, { fault }]) =>
      fault !== null && isUnheard(fault.code) ? [meter] : [],
    ),
  };
}

/** What the journal takes up, and for how long there is room. */
async function kept(
  journal: Journal,
  { bytes, freeBytes }: Room,
  limits: KeepLimits,
  now: EpochMs,
): Promise<Pick<Health['journal'], 'bytes' | 'daysLeft'>> {
  const figures = await journal.figures();
  const oldest = figures.ok ? figures.value.oldestHour : null;
  const days = oldest === null ? 0 : (now - oldest) / (24 * HOUR_MS);
  return { bytes, daysLeft: daysLeft({ bytes, freeBytes }, days, limits) };
}

const NOTHING_KEPT = { bytes: null, daysLeft: null };

const NOTHING_SEEN = { total: NONE_SEEN, p50Ms: null, p95Ms: null };

function busHealth(told: ToldBus): BusHealth {
  const { total, p50Ms, p95Ms } = told.conversation.summary?.() ?? NOTHING_SEEN;
  const { polls, ok, timeouts, torn, crc, exceptions, late } = total;
  const counts = { polls, ok, timeouts: timeouts + torn, crc, exceptions, lateRefused: late };
  return { bus: told.bus, ...counts, p50Ms, p95Ms };
}

/** Why a meter was not read last, and since when; null where it was. */
export function faultTold(record: PollRecord | undefined): object | null {
  const fault = record?.fault;
  return fault ? { ...fault, since: isoTime(fault.since) } : null;
}

export async function statusOf(
  settings: Settings,
  { clock, headEnd, version }: TellingParts,
  journal: Journal,
  buses: readonly ToldBus[],
  records: ReadonlyMap<string, PollRecord>,
  refusals: Refusals & { readonly unsaid: Unsaid },
): Promise<object> {
  const pending = await journal.pending();
  const meters = await Promise.all(
    settings.meters.map(async (meter) => ({
      ...(await meterStatus(journal, meter.meter)),
      bus: meter.bus,
      fault: faultTold(records.get(meter.meter)),
    })),
  );
  return {
    collector: settings.collector,
    utility: settings.utility,
    version,
    now: isoTime(clock.now()),
    epoch: journal.epoch,
    upstream: {
      connected: headEnd.isConnected(),
      detail: upstreamSays(headEnd, refusals),
      refused: refusals.rows,
    },
    journal: {
      pending: pending.rows,
      rows: journal.lastRow(),
      oldest_pending: pending.oldest === null ? null : isoTime(pending.oldest),
      detail: journal.isSound() ? 'sound' : 'cannot be written; trying again',
    },
    clock: { synced: clock.synced(), speed: clock.speed },
    buses: buses.map((told) => {
      const seen = seenOn(told);
      const [first] = adviceFor(told, seen);
      const { says, next } = first ?? { says: '', next: '' };
      const { bus, type, conversation } = told;
      return { bus, type, ...conversation.link(), utilisation: seen.utilisation, says, next };
    }),
    meters,
  };
}

/** The link, and what the broker refuses on it. */
function upstreamSays(
  headEnd: Pick<HeadEnd, 'linkState' | 'isConnected'>,
  { rows, detail, unsaid }: Refusals & { readonly unsaid: Unsaid },
): string {
  const words = headEnd.linkState();
  if (rows > 0) return `${words}; ${rows} rows refused: ${detail}`;
  if (unsaid.count === 0 || !headEnd.isConnected()) return words;
  return `${words}; ${unsaid.count} messages of the collector itself refused: ${unsaid.detail}`;
}

export async function offlineStatus(settings: Settings, journal: Journal): Promise<object> {
  const pending = await journal.pending();
  const meters = await Promise.all(
    settings.meters.map(async ({ meter, bus }) => ({
      ...(await meterStatus(journal, meter)),
      ...{ bus, fault: null },
    })),
  );
  return {
    collector: settings.collector,
    utility: settings.utility,
    now: null,
    epoch: journal.epoch,
    upstream: { connected: false, detail: 'the collector is not running' },
    journal: {
      pending: pending.rows,
      rows: journal.lastRow(),
      oldest_pending: pending.oldest === null ? null : isoTime(pending.oldest),
      detail: 'read while the collector is not running',
    },
    clock: null,
    buses: [],
    meters,
  };
}

/** How long and in how much room the journal keeps what it holds. */
export function limitsOf({ journal }: Settings): KeepLimits {
  const { incrementDays, hourDays, eventDays, maxMb, minFreeMb } = journal;
  return {
    ...{ incrementDays, hourDays, eventDays },
    ...{ maxBytes: maxMb * 1e6, minFreeBytes: minFreeMb * 1e6 },
  };
}

/** What it tells by itself: how it fares, how well it read, what will be over soon. */
export function tellOfItself(
  settings: Settings,
  parts: Pick<Parts, 'clock' | 'wire' | 'log' | 'expiries'> & {
    readonly journal: Journal;
    readonly upstream: RunningUpstream;
    readonly records: ReadonlyMap<string, PollRecord>;
    readonly buses: readonly ToldBus[];
    readonly health: () => Promise<Health>;
  },
  signal: AbortSignal,
): Promise<void>[] {
  const { clock, upstream, records, health } = parts;
  return [
    tellHealth({ ...healthParts(settings, upstream, health), clock }, signal),
    tellScorecards({ ...parts, ...scorecardParts(settings, upstream, records) }, signal),
    watchCertificates({ ...parts, expiries: () => parts.expiries(settings) }, signal),
    watchBuses({ ...parts, buses: watchedOf(settings, parts.buses) }, signal),
    watchClock({ ...parts, ...clockParts(settings) }, signal),
    ...(settings.upstream.last === true
      ? [tellLast({ ...parts, ...lastParts(upstream) }, signal)]
      : []),
  ];
}

function watchedOf({ meters }: Settings, buses: readonly ToldBus[]): readonly WatchedBus[] {
  return buses.map(({ bus, conversation }) => ({
    ...{ bus, link: () => conversation.link() },
    meters: meters.flatMap((meter) => (meter.bus === bus ? [meter.meter] : [])),
  }));
}

/** What moves the edge of one meter's hours is a step. */
function clockParts({ meters, time }: Settings) {
  const tolerances = meters.map(({ toleranceS }) => toleranceS * 1_000);
  return { source: time.sync, toleranceMs: Math.min(TOLERANCE_MS, ...tolerances) };
}

/** Where there is no meter yet (I2). */
const TOLERANCE_MS = 15_000;

const lastParts = (upstream: RunningUpstream) => ({
  isConnected: () => upstream.isConnected(),
  tell: (meter: string) => upstream.tellLast(meter),
});

function scorecardParts(
  { meters, alerts }: Settings,
  upstream: RunningUpstream,
  records: ReadonlyMap<string, PollRecord>,
) {
  const zone = alerts?.timezone ? zoneOf(alerts.timezone) : null;
  return {
    zone: zone ?? UTC,
    meters: meters.flatMap(({ meter, bus, pollS }) =>
      bus ? [{ meter, pollMs: pollS * 1000 }] : [],
    ),
    faultOf: (meter: string) => records.get(meter)?.fault?.code ?? null,
    isConnected: () => upstream.isConnected(),
    tell: (card: Scorecard) => upstream.tellScorecard(card),
  };
}

function healthParts(
  { collector }: Settings,
  upstream: RunningUpstream,
  health: () => Promise<Health>,
) {
  const tell = async () => upstream.tellHealth(await health());
  return { collector, isConnected: () => upstream.isConnected(), tell };
}
