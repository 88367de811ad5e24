// A backtest: lines of readings in, lines of what would have been raised out; it remembers one state a meter and nothing else.

import type { EventEntry } from '../domain/alarms.ts';
import type { BacktestRules } from '../domain/backtest-rules.ts';
import {
  type Followed,
  type Following,
  type FollowRules,
  follow,
  followNext,
  followReading,
} from '../domain/followed.ts';
import { MAKERS_CODES, type MakersRule } from '../domain/leaks/makers.ts';
import { GALLONS } from '../domain/leaks/rates.ts';
import type { Dial, EpochMs } from '../domain/units.ts';
import { capacity, HOUR_MS } from '../domain/units.ts';
import { UTC, type Zone } from '../domain/usage/civil.ts';
import {
  type BacktestEvent,
  eventLine,
  intervalLine,
  type MeterLine,
  parseBacktestLine,
  type ReadingLine,
} from './backtest-line.ts';
import { zoneOf } from './time-zone.ts';

/** A dial of which the file says nothing passes 160 gallons a minute at most, one and a half times over (a 2-inch meter). */
const MAX_GPH = 160 * 60 * 1.5;
/** As the daemon has it: ten days without a count are worth a look at the dial. */
const STUCK_MS = 10 * 24 * HOUR_MS;
/** Meters of one file: each costs some 5 KB. */
export const METERS_MAX = 200_000;

interface Place {
  state: Followed;
  readonly meter: string;
  readonly dial: Dial;
  readonly rules: FollowRules;
  at: EpochMs | null;
  /** Raises so far by makers' rule, and since when each stands. */
  readonly makers: Map<MakersRule, { number: number; since: EpochMs }>;
}

export interface BacktestOptions {
  readonly rules: BacktestRules;
  /** Hours and gaps are written too. */
  readonly intervals: boolean;
  /** Takes each line that is written, with its end. */
  readonly write: (line: string) => void;
}

/** Takes lines one by one. `take` answers what is wrong with a line, or null. */
export class Backtest {
  readings = 0;
  events = 0;
  readonly #places = new Map<string, Place>();
  readonly #zones = new Map<string, Zone | null>();
  readonly #options: BacktestOptions;

  constructor(options: BacktestOptions) {
    this.#options = options;
  }

  get meters(): number {
    return this.#places.size;
  }

  take(text: string): string | null {
    const parsed = parseBacktestLine(text);
    if (!parsed.ok) return parsed.wrong;
    return parsed.line.type === 'reading' ? this.#read(parsed.line) : this.#begin(parsed.line);
  }

  #begin(line: MeterLine): string | null {
    if (this.#places.size >= METERS_MAX) return `is the meter after ${METERS_MAX} others`;
    const { meter, dial } = line;
    const zone = this.#zone(line.timezone ?? this.#options.rules.timezone);
    if (!zone) return `names the unknown time zone "${line.timezone}"`;
    const rules = followRules(line, this.#options, zone);
    const before = this.#places.get(meter);
    if (before) this.#end(before);
    const state = before ? followNext(before.state, before.rules, rules) : follow(1);
    const at = before?.at ?? null;
    this.#places.set(meter, { state, meter, dial, rules, at, makers: new Map() });
    return null;
  }

  /** Another meter stands there: the leaks of the old one are over, as the collector tells it. */
  #end(place: Place): void {
    const { installation, watch, makers } = place.state;
    const at = place.at ?? 0;
    const data = { outcome: 'changeout' };
    for (const { alarm, code, sinceAt: since } of watch.standing) {
      const id = `${installation.inst}-leak-${alarm}`;
      this.#event(place, { id, code, phase: 'clear', at, since, data });
    }
    // Rules that nobody asked for stand as well.
    for (const rule of makers.standing.filter((one) => place.rules.makers.includes(one))) {
      const event = makersEvent(place, rule, 'clear', at);
      this.#event(place, { ...event, data: { ...event.data, ...data } });
    }
  }

  #zone(name: string | null): Zone | null {
    if (name === null) return UTC;
    if (!this.#zones.has(name)) this.#zones.set(name, zoneOf(name));
    return this.#zones.get(name) ?? null;
  }

  #read({ meter, at, read }: ReadingLine): string | null {
    const place = this.#places.get(meter);
    if (!place) return `is a reading of "${meter}", which no line before it describes`;
    if (read >= capacity(place.dial)) return `reads more than ${place.dial.digits} digits show`;
    if (place.at !== null && at <= place.at) {
      if (at === place.at && place.state.installation.last?.read === read) return null;
      return `is not later than the reading of "${meter}" before it`;
    }
    place.at = at;
    this.readings += 1;
    const moment = { at, boot: 'file', mono: at, synced: true };
    const followed = followReading(place.state, moment, read, place.rules);
    place.state = followed.state;
    this.#tell(place, followed);
    return null;
  }

  #tell(place: Place, { entries, events, leaks, usage, makers }: Following): void {
    const { meter, dial } = place;
    const { inst } = place.state.installation;
    for (const event of events) this.#event(place, lifeEvent(event));
    for (const event of leaks) this.#event(place, { ...event, id: `${inst}-leak-${event.alarm}` });
    for (const event of usage) this.#event(place, { ...event, id: `use-${event.alarm}` });
    for (const { rule, phase, at } of makers) {
      this.#event(place, makersEvent(place, rule, phase, at));
    }
    if (entries.length > 0) this.#options.write(intervalLine(meter, dial, entries));
  }

  #event({ meter, dial }: Place, event: BacktestEvent): void {
    this.events += 1;
    this.#options.write(eventLine(meter, dial, event));
  }
}

function lifeEvent(event: EventEntry): BacktestEvent {
  return { ...event, id: `${event.inst}-${event.alarm}` };
}

function makersEvent(
  { makers, state }: Place,
  rule: MakersRule,
  phase: 'raise' | 'clear',
  at: EpochMs,
): BacktestEvent {
  const before = makers.get(rule);
  const raised = phase === 'raise';
  const now = raised ? { number: (before?.number ?? 0) + 1, since: at } : before;
  const { number, since } = now ?? { number: 1, since: at };
  makers.set(rule, { number, since });
  const id = `${state.installation.inst}-${rule}-${number}`;
  return { id, code: MAKERS_CODES[rule], phase, at, since, data: { rule } };
}

function followRules(
  line: MeterLine,
  { rules, intervals }: BacktestOptions,
  zone: Zone,
): FollowRules {
  const { dial, pollS } = line;
  const flow = line.maxFlowPerH ?? rules.maxFlowPerH ?? defaultFlow(dial);
  const pollMs = pollS * 1000;
  const usage = { ...rules.usage, ...rules.meters.get(line.meter) };
  return {
    meter: {
      ...{ dial, pollMs, jitter: rules.jitter, stuckMs: STUCK_MS },
      toleranceMs: rules.toleranceS * 1000,
      maxFlowPerH: Math.min(flow, capacity(dial) - 1),
    },
    ...(Object.keys(usage).length === 0
      ? {}
      : { usage: { service: 'active', ...usage, dial, pollMs, zone } }),
    makers: rules.makersOf?.get(line.meter) ?? rules.makers,
    hours: intervals,
  };
}

function defaultFlow({ unit, pow10 }: Dial): number {
  return Math.ceil(MAX_GPH / (GALLONS[unit] * 10 ** pow10));
}
