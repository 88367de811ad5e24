// `bus.scan`, `bus.scan.progress`, `bus.scan.stop`: looks for devices on a bus of the running collector, between its polls.

import type { CommandAnswer } from '../boundaries.ts';
import { longestMs, type ScanProgress, type ScanWish } from '../domain/scan.ts';
import { type Answerer, type Args, refused } from './answer.ts';
import { type ToldBus, unknownBus } from './bus-stats.ts';

type Scanning = NonNullable<ToldBus['scan']>;

/**
 * `bus.scan` {bus, baud, parity, addresses, profiles, timeout_ms} begins and answers {bus, asked, of, found, left_ms, over,
 * fault}; so does `progress` {bus}, at most a second later. While one is under way a second is refused as `busy`.
 */
export function createScans(
  buses: readonly ToldBus[] | undefined,
): Readonly<Record<string, Answerer>> {
  const on = (act: (scan: Scanning, args: Args) => Promise<CommandAnswer>): Answerer => {
    return async (args) => {
      if (buses === undefined) return NO_COLLECTOR;
      const told = buses.find(({ bus }) => bus === args['bus']);
      if (told === undefined) return unknownBus(buses, args['bus']);
      return told.scan === undefined ? NO_COLLECTOR : act(told.scan, args);
    };
  };
  return {
    'bus.scan': on(begin),
    'bus.scan.progress': on(async ({ scans }, { bus }) => {
      const now = await scans.progress();
      return now === null ? NONE : { ok: true, data: scanData(bus, now) };
    }),
    'bus.scan.stop': on(async ({ scans }, { bus }) => {
      scans.stop();
      const now = await scans.progress(0);
      return now === null ? NONE : { ok: true, data: scanData(bus, now) };
    }),
  };
}

async function begin({ scans, open }: Scanning, args: Args): Promise<CommandAnswer> {
  const wish = wishOf(args);
  if (wish === null) {
    const hint = 'baud, parity and profiles are lists, addresses is like "1-247".';
    return refused('bad_request', 'That is no way to ask for a scan.', hint);
  }
  const opened = await open(wish);
  if ('problem' in opened) return refused('bad_request', opened.problem, '');
  if (!scans.start(opened.run, longestMs(opened.plan))) {
    const hint = 'See how far it is: diag.bus or meter-collector bus stats --json.';
    return refused('busy', `${String(args['bus'])} is being scanned.`, hint);
  }
  return { ok: true, data: scanData(args['bus'], opened.run.progress()) };
}

const NO_COLLECTOR = refused(
  ...(['daemon.absent', 'Only a running collector scans its buses.'] as const),
  'Start it: meter-collector run',
);
const NONE = refused('conflict', 'There was no scan.', 'Begin one: bus.scan');

function scanData(bus: unknown, progress: ScanProgress): object {
  return { bus, ...progress };
}

function wishOf({ baud, parity, addresses, profiles, timeout_ms }: Args): ScanWish | null {
  const isList = (value: unknown, kind: string) =>
    value === undefined ||
    (Array.isArray(value) && value.length <= 100 && value.every((one) => typeof one === kind));
  const good =
    isList(baud, 'number') &&
    isList(parity, 'string') &&
    isList(profiles, 'string') &&
    (addresses === undefined || typeof addresses === 'string') &&
    (timeout_ms === undefined || typeof timeout_ms === 'number');
  if (!good) return null;
  const wished = { baud, parity, addresses, profiles, timeout_ms };
  const given = Object.entries(wished).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as ScanWish;
}
