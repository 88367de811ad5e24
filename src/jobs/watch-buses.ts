// Tells of a bus on which nobody is heard (E2 bus.down), and that somebody is again.

import type { Clock, Journal, Log } from '../boundaries.ts';
import { isUnheard } from '../domain/health.ts';
import type { PollRecord } from './turn.ts';

const LOOK_MS = 60_000;
/** A modem that is restarted, a gateway that is powered on again and a plug that is pushed back are quicker. */
const DOWN_MS = 15 * 60_000;
const ABOUT = 'bus.down/';

export interface WatchedBus {
  readonly bus: string;
  readonly meters: readonly string[];
  /** How its port or connection stands. */
  readonly link: () => { readonly open: boolean; readonly detail: string };
}

export interface WatchBusesParts {
  readonly journal: Journal;
  /** The schedule's clock. */
  readonly clock: Clock;
  readonly log: Log;
  readonly buses: readonly WatchedBus[];
  /** How the last read of each meter went. */
  readonly records: ReadonlyMap<string, PollRecord>;
}

/** Looks once a minute until `signal` aborts. */
export async function watchBuses(parts: WatchBusesParts, signal: AbortSignal): Promise<void> {
  const silence = new Map<string, number>();
  while (!signal.aborted) {
    forgetRemoved(parts);
    for (const bus of parts.buses) look(bus, silence, parts);
    await parts.clock.sleep(LOOK_MS, signal);
  }
}

/** What hung on a bus that is no longer in the settings hangs elsewhere, or nowhere. */
function forgetRemoved({ journal, buses }: WatchBusesParts): void {
  for (const about of journal.troubles()) {
    const bus = about.slice(ABOUT.length);
    if (!about.startsWith(ABOUT) || buses.some((one) => one.bus === bus)) continue;
    const data = { bus, outcome: 'no longer in the settings' };
    journal.trouble({ about, stands: false, code: 'bus.down', severity: 'info', data });
  }
}

/** `silence`: since when nobody is heard on a bus, by the clock that never steps. */
function look(
  { bus, meters, link }: WatchedBus,
  silence: Map<string, number>,
  parts: WatchBusesParts,
): void {
  const { journal, clock, log, records } = parts;
  const asked = meters.filter((meter) => records.has(meter) && !isDisabled(meter, journal));
  if (asked.length === 0) return; // Nothing is known of it yet.
  const about = `${ABOUT}${bus}`;
  const heard = asked.find((meter) => isHeard(records.get(meter)));
  if (heard !== undefined) {
    silence.delete(bus);
    const data = { bus, outcome: `${heard} was heard` };
    journal.trouble({ about, stands: false, code: 'bus.down', severity: 'info', data });
    return;
  }
  const { open, detail } = link();
  const mono = clock.monotonicMs();
  const silentMs = mono - (silence.get(bus) ?? mono);
  silence.set(bus, mono - silentMs);
  // One meter that is silent on a bus that is open is that meter's trouble (read.silent).
  if ((open && asked.length === 1) || silentMs < DOWN_MS) return;
  const data = {
    ...{ bus, meters: asked.length, link: open ? 'open' : detail },
    ...{ silent_s: Math.round(silentMs / 1_000), limit_s: DOWN_MS / 1_000 },
    clears: 'one answer of a meter on this bus',
  };
  if (!journal.troubles().includes(about)) log.error(data, 'nobody is heard on a bus');
  journal.trouble({ about, stands: true, code: 'bus.down', severity: 'major', data });
}

const isDisabled = (meter: string, journal: Journal) =>
  journal.installation(meter)?.disabled === true;

const isHeard = (record: PollRecord | undefined) =>
  record !== undefined && (record.fault === null || !isUnheard(record.fault.code));
