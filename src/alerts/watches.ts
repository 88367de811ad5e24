// Watches every place for leaks and unusual use: each event once over restarts and cuts, because what is known is written beside it.

import type { Journal, Watches } from '../boundaries.ts';
import { decodeWatched, encodeWatched } from '../codec/watched-record.ts';
import type { Advance, Installation, MeterRules } from '../domain/advance.ts';
import type { AlarmState } from '../domain/alarms.ts';
import { disown, LEAK_NAME, pausesOf, type Said, tell } from '../domain/alerts.ts';
import { StoreLost } from '../domain/fault.ts';
import { spreadOf } from '../domain/schedule.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import {
  arrive,
  beginWatched,
  heedRules,
  nextInstallation,
  recall,
  see,
  standingLeaks,
  tellAgain,
  tellable,
  type Watched,
  type WatchedRules,
} from '../domain/watched.ts';
import type { AlertRules } from './rules.ts';

/** What is known is written so often, with an hour's end: some 6 KB. A day of increments is recalled in milliseconds. */
const KEEP_EVERY_H = 24;
/** While it is recalled readings go on; after so many looks the next reading tries again. */
const LOOKS_MAX = 4;

/** One place in memory. */
interface Kept {
  /** Null while it is being recalled. */
  watched: Watched | null;
  readonly recalling: Promise<void>;
  rules: MeterRules;
  /** Said by what was recalled, and not told yet. */
  said: readonly Said[];
  /** Names of what was remembered of what stands: the first commit disowns the others. Null after it. */
  remembered: ReadonlySet<string> | null;
  /** When what no increment tells was written last. */
  tornAt: EpochMs;
  /** Whether the service was off while that was used which is recalled: since when it is as the rules say nobody knows. */
  wasOff: boolean;
}

/** Lives as long as its journal. */
export class PlaceWatches implements Watches {
  readonly #journal: Journal;
  readonly #rules: AlertRules;
  readonly #now: () => EpochMs;
  readonly #places = new Map<string, Kept>();

  constructor(journal: Journal, rules: AlertRules, now: () => EpochMs) {
    this.#journal = journal;
    this.#now = now;
    this.#rules = rules;
  }

  /** The journal was opened anew: what memory held may never have been written. */
  forget(): void {
    this.#places.clear();
  }

  rulesOf(meter: string, rules: MeterRules): WatchedRules {
    return this.#rules.of(meter, rules);
  }

  recall(meter: string, rules: MeterRules): Promise<void> | undefined {
    const known = this.#places.get(meter);
    if (known) return known.watched ? undefined : known.recalling;
    const recalling = Promise.resolve().then(() => this.#recall(meter, kept));
    const kept: Kept = {
      watched: null,
      recalling,
      rules,
      said: NOTHING_SAID,
      remembered: null,
      tornAt: 0,
      wasOff: false,
    };
    this.#places.set(meter, kept);
    return recalling;
  }

  commit(meter: string, rules: MeterRules, before: Installation, after: Advance): Advance {
    const kept = this.#places.get(meter);
    if (!kept?.watched) {
      this.#journal.commit(meter, after);
      return after;
    }
    const { watched } = kept;
    if (watched.inst !== after.state.inst) this.#change(kept, watched, meter, after.state.inst);
    kept.rules = rules;
    const said = see(watched, before, after.state, this.#rules.of(meter, rules));
    return this.#tell(meter, kept, watched, said, after);
  }

  async heed(meter: string): Promise<void> {
    const kept = this.#places.get(meter);
    // What is not in memory is judged by the new rules when it is recalled.
    if (!kept) return;
    await kept.recalling;
    const state = this.#journal.installation(meter);
    const { watched } = kept;
    if (!state || !watched || this.#places.get(meter) !== kept) return;
    if (watched.inst !== state.inst) this.#change(kept, watched, meter, state.inst);
    const rules = this.#rules.of(meter, kept.rules);
    const said = heedRules(watched, state.alarms, this.#now(), rules);
    this.#tell(meter, kept, watched, said, { state, ...NOTHING_CAME });
  }

  /** Another meter stands there. What was said of the leaks of the old one is over. */
  #change(kept: Kept, watched: Watched, meter: string, inst: number): void {
    const from = this.#journal.factsOf(meter, watched.inst)?.dial;
    const to = this.#journal.factsOf(meter, inst)?.dial;
    if (from && to) nextInstallation(watched, inst, from, to);
    kept.said = kept.said.filter(({ name }) => !LEAK_NAME.test(name));
  }

  #tell(
    meter: string,
    kept: Kept,
    watched: Watched,
    came: readonly Said[],
    after: Advance,
  ): Advance {
    const { state } = after;
    const { alarms } = state;
    const said = this.#due(kept, watched, came, state);
    const owned = kept.remembered ? disown(alarms, kept.remembered) : alarms;
    kept.said = NOTHING_SAID;
    kept.remembered = null;
    if (said.length === 0 && owned === alarms) {
      this.#journal.commit(meter, after);
      if (after.increments.length > 0 && watched.torn) this.#keepTorn(meter, kept, watched);
      else if (isTurn(meter, after)) this.#keep(meter, watched, false);
      return after;
    }
    const told = tell(owned, state.inst, said);
    const all = {
      ...{ ...after, state: { ...state, alarms: told.alarms } },
      events: [...after.events, ...told.events],
    };
    this.#journal.commit(meter, all);
    this.#keep(meter, watched, true);
    return all;
  }

  /** What is to be said now; nearly always nothing. */
  #due(
    { said }: Kept,
    { watch }: Watched,
    came: readonly Said[],
    { alarms, last }: Installation,
  ): readonly Said[] {
    const pauses = alarms.alerts ? pausesOf(alarms, watch.idle, last?.at ?? 0) : NOTHING_SAID;
    if (said.length + pauses.length === 0) return came;
    return [...said, ...came, ...pauses];
  }

  /** What increments will not tell is written at once, unless clocks step again and again. */
  #keepTorn(meter: string, kept: Kept, watched: Watched): void {
    const now = this.#now();
    if (Math.abs(now - kept.tornAt) < HOUR_MS) return;
    kept.tornAt = now;
    this.#keep(meter, watched, true);
  }

  #keep(meter: string, watched: Watched, must: boolean): void {
    if (this.#journal.remember(meter, encodeWatched(watched), must)) watched.torn = false;
  }

  /** Memory is whole or is not there: after a fault the next reading tries again. */
  async #recall(meter: string, kept: Kept): Promise<void> {
    try {
      await this.#restore(meter, kept);
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
    }
    if (!kept.watched && this.#places.get(meter) === kept) this.#places.delete(meter);
  }

  /** What was known, and every increment since; where nothing was, what all increments of the installation tell. */
  async #restore(meter: string, kept: Kept): Promise<void> {
    const memory = await this.#journal.remembered(meter);
    const known = decodeWatched(memory?.known);
    const present = this.#journal.installation(meter);
    if (!present) return;
    const { inst, alarms } = present;
    const watched = known ?? beginWatched(inst);
    kept.wasOff = known ? known.usage.stray !== null : INACTIVE in (alarms.alerts ?? {});
    const said: Said[] = [];
    for (let look = 1; look <= LOOKS_MAX; look += 1) {
      const written = await this.#journal.flush();
      if (!written.ok) return;
      await this.#follow(meter, kept, watched, said);
      const state = this.#journal.installation(meter);
      if (!state || this.#places.get(meter) !== kept) return;
      if (look < LOOKS_MAX && isBehind(watched, state)) continue;
      said.push(...this.#arrive(meter, kept, watched, state));
      this.#settle(meter, kept, { watched, wasKnown: known !== undefined, said }, state.alarms);
      return;
    }
  }

  /** Compares what stands with what was told of it. */
  #settle(
    meter: string,
    kept: Kept,
    found: {
      readonly watched: Watched;
      readonly wasKnown: boolean;
      readonly said: readonly Said[];
    },
    alarms: AlarmState,
  ): void {
    const { watched, wasKnown, said } = found;
    const rules = this.#rules.of(meter, kept.rules);
    const reached = heedRules(watched, alarms, this.#now(), rules);
    // Of what was not remembered nobody knows when it was told: what stands now is all that counts.
    kept.said = wasKnown ? tellable(alarms, [...said, ...reached]) : reached;
    const due = new Set(kept.said.map(({ name }) => name));
    kept.remembered = new Set([...(wasKnown ? standingLeaks(watched) : []), ...due]);
    const { alerts = {} } = alarms;
    const isOld = (name: string) => name in alerts && (wasKnown || !LEAK_NAME.test(name));
    tellAgain(watched, (name) => due.has(name) || isOld(name));
    kept.watched = watched;
  }

  /** Takes in what the journal holds beyond what is watched already. */
  async #follow(meter: string, kept: Kept, watched: Watched, said: Said[]): Promise<void> {
    const { inst, seen } = watched;
    let rules = this.#rulesThen(meter, kept, inst);
    for await (const step of this.#journal.incrementsFrom(meter, inst, seen?.steps ?? 0)) {
      if (step.inst !== watched.inst) {
        this.#change(kept, watched, meter, step.inst);
        said.splice(0, said.length, ...said.filter(({ name }) => !LEAK_NAME.test(name)));
        rules = this.#rulesThen(meter, kept, step.inst);
      }
      said.push(...recall(watched, step, rules));
    }
  }

  #arrive(meter: string, kept: Kept, watched: Watched, state: Installation): readonly Said[] {
    const { last, steps, inst } = state;
    if (watched.inst !== inst) this.#change(kept, watched, meter, inst);
    if (!last) return NOTHING_SAID;
    const { at, read, total } = last;
    return arrive(watched, { steps, at, read, total }, this.#rulesThen(meter, kept, inst));
  }

  /** The rules on the dial of that installation, and the service as it was. */
  #rulesThen(meter: string, { rules, wasOff }: Kept, inst: number): WatchedRules {
    const dial = this.#journal.factsOf(meter, inst)?.dial ?? rules.dial;
    const made = this.#rules.of(meter, dial === rules.dial ? rules : { ...rules, dial });
    return { ...made, usage: { ...made.usage, service: wasOff ? 'inactive' : 'active' } };
  }
}

const INACTIVE = 'usage.inactive_service';

/** Whether an hour has ended with which what is known of this meter is written. */
function isTurn(meter: string, { entries }: Advance): boolean {
  if (entries.length === 0) return false;
  const turn = Math.floor(spreadOf(meter) * KEEP_EVERY_H);
  return entries.some(
    (one) => one.kind === 'hour' && (one.start / HOUR_MS + turn) % KEEP_EVERY_H === 0,
  );
}

/** A reading came while it was recalled, and moved the dial. */
const isBehind = ({ inst, seen }: Watched, state: Installation): boolean =>
  state.inst === inst && state.steps > (seen?.steps ?? 0);

const NOTHING_SAID: readonly Said[] = [];
const NOTHING_CAME = { increments: [], entries: [], events: [], notices: [] } as const;
