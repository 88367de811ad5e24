// The buses of a set of settings: opened, polled, lent to commands, watched over.

import type { Bus, Clock, Journal, Watches } from './boundaries.ts';
import type { ToldBus } from './commands/bus-stats.ts';
import type { ReadNow } from './commands/read.ts';
import type { ScanWish } from './domain/scan.ts';
import { HOUR_MS, hourOf } from './domain/units.ts';
import { AskedReads } from './jobs/asked-reads.ts';
import { BusScansOf } from './jobs/bus-scans.ts';
import { passHours } from './jobs/pass-hours.ts';
import { type PollRecord, pollBus } from './jobs/poll-bus.ts';
import { Watchdog } from './jobs/watchdog.ts';
import type { Parts } from './parts.ts';
import type { MeteredPlace } from './pipeline.ts';
import { expectedReadMs } from './settings/read-time.ts';
import type { BusSettings, MeterSettings, Settings } from './settings/settings.ts';
import type { RunningUpstream } from './upstream/upstream.ts';

/** A bus with what hangs on it, and the door for reads that a person asks for. */
export interface OpenBus {
  readonly settings: BusSettings;
  readonly bus: Bus;
  readonly asked: AskedReads;
  readonly scans: BusScansOf;
  readonly meters: readonly MeterSettings[];
}

/** Every bus of the settings, with a wire that is opened by its first read. */
export function openBuses(settings: Settings, parts: Parts): OpenBus[] {
  const { clock, wire } = parts;
  return settings.buses.map((settingsOf) => {
    const bus = parts.openBus(settingsOf);
    const scans = new BusScansOf({ wire, rest: async () => bus.rest?.() });
    return {
      ...{ settings: settingsOf, bus, asked: new AskedReads(clock), scans },
      meters: settings.meters.filter((meter) => meter.bus === settingsOf.bus),
    };
  });
}

/** What the commands tell of a bus. */
export function toldOf(
  { settings, bus, scans, meters }: OpenBus,
  openScan: Parts['openScan'],
): ToldBus {
  const { type, timeoutMs } = settings;
  const addresses = new Map(meters.map(({ meter, address }) => [meter, address]));
  const scan = openScan && { scans, open: (wish: ScanWish) => openScan(settings, wish) };
  return {
    ...{ bus: settings.bus, type, kind: KINDS[type], timeoutMs, conversation: bus, addresses },
    ...(scan && { scan }),
  };
}

const KINDS: Readonly<Record<BusSettings['type'], ToldBus['kind']>> = {
  ...{ 'line-serial': 'line', 'line-tcp': 'line' },
  ...{ 'modbus-rtu': 'rtu', 'modbus-rtu-tcp': 'rtu', 'modbus-tcp': 'tcp' },
};

/** How long the read of a place on this bus is expected to take. */
function expectedOn({ settings, meters }: OpenBus): (place: MeteredPlace) => number {
  const ms = new Map(meters.map((meter) => [meter.meter, expectedReadMs(meter, settings)]));
  return ({ target }) => ms.get(target.meter) ?? settings.timeoutMs;
}

/** Asks the bus of a meter for a read now; undefined where nothing reads it. */
export function readersOf(buses: readonly OpenBus[]): ReadNow {
  const doors = new Map(
    buses.flatMap(({ asked, meters }) => meters.map(({ meter }) => [meter, asked])),
  );
  return (meter, withinMs) => doors.get(meter)?.ask(meter, withinMs);
}

/** The buses of settings whose collector does not run: nothing is known of them but what stands there. */
export function idleBuses({ buses, meters }: Settings): readonly ToldBus[] {
  return buses.map((bus) => {
    const here = meters.filter((meter) => meter.bus === bus.bus);
    return {
      ...{ bus: bus.bus, type: bus.type, kind: KINDS[bus.type], timeoutMs: bus.timeoutMs },
      conversation: { link: () => ({ open: false, detail: 'the collector is not running' }) },
      addresses: new Map(here.map(({ meter, address }) => [meter, address])),
    };
  });
}

/** The loop of each bus, and the one for dials that only people read. */
export function startPolling(
  settings: Settings,
  { clock, log, watch }: Parts,
  polled: {
    readonly journal: Journal;
    readonly watches: Watches;
    readonly buses: readonly OpenBus[];
    readonly records: Map<string, PollRecord>;
    readonly places: ReadonlyMap<string, MeteredPlace>;
    readonly watchdog: Watchdog | undefined;
  },
  signal: AbortSignal,
): Promise<void>[] {
  const { journal, watches, buses, records, places, watchdog } = polled;
  const placed = (meters: readonly MeterSettings[]) =>
    meters.flatMap(({ meter }) => places.get(meter) ?? []);
  const loops = buses.map((open) => {
    const { bus, asked, scans, meters } = open;
    const plan = {
      ...{ bus, asked, scans, expectMs: expectedOn(open), journal, watches, clock, log },
      ...{ timeoutMs: open.settings.timeoutMs, parallel: bus.atOnce ?? 1, places: placed(meters) },
      ...(watch && { watch }),
      ...(watchdog && { turned: () => watchdog.turned(open.settings.bus) }),
    };
    return pollBus(plan, records, signal);
  });
  const unasked = placed(settings.meters.filter(({ bus }) => bus === null));
  const turned = () => watchdog?.turned(PEOPLE);
  return [...loops, passHours(unasked, { journal, clock, log, turned }, signal)];
}

/** Among the buses, the dials that people read. */
const PEOPLE = '(read by people)';

/** Signs of life for who started it; none where nobody did. */
export function watchdogOf(
  settings: Settings,
  { supervisor, wire: clock, log }: Parts,
  upstream: RunningUpstream,
  records: ReadonlyMap<string, PollRecord>,
): Watchdog | undefined {
  if (!supervisor) return undefined;
  const status = () => {
    const failing = [...records.values()].filter(({ fault }) => fault !== null).length;
    const way = upstream.isConnected() ? 'head-end connected' : 'head-end away';
    return `${settings.meters.length} meters, ${failing} not answering, ${way}`;
  };
  const isByPeople = settings.meters.some(({ bus }) => bus === null);
  const loops = [...settings.buses.map(({ bus }) => bus), ...(isByPeople ? [PEOPLE] : [])];
  return new Watchdog({ supervisor, clock, log, loops, status });
}

/** A change of settings takes about so long, in milliseconds of the wire. */
const CHANGE_MS = 5_000;
/** Beyond the round of reads for an hour's edge it is left alone for so long, in milliseconds of the wire. */
const EDGE_SPARE_MS = 30_000;
/** However long a round is, an hour has half its time for a change. */
const EDGE_CLEAR_MAX_MS = HOUR_MS / 4;

/** Milliseconds of the schedule until no bus reads for an hour's edge; 0 where time runs too fast to find such a moment. */
export function quietInMs(settings: Settings, clock: Clock): number {
  const rounds = settings.buses.map((bus) => {
    const here = settings.meters.filter((meter) => meter.bus === bus.bus);
    return here.reduce((sum, meter) => sum + expectedReadMs(meter, bus), 0);
  });
  const tolerances = settings.meters.map(({ toleranceS }) => toleranceS * 1000);
  const wireMs = Math.max(0, ...rounds) + EDGE_SPARE_MS;
  const clear = Math.min(EDGE_CLEAR_MAX_MS, wireMs * clock.speed + Math.max(0, ...tolerances));
  if (CHANGE_MS * clock.speed > EDGE_CLEAR_MAX_MS) return 0;
  const past = clock.now() - hourOf(clock.now());
  if (past < clear) return clear - past;
  return HOUR_MS - past < clear ? HOUR_MS - past + clear : 0;
}
