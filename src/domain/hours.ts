// Hours and gaps from accepted readings: the hour-end rule of the contract (I1, I3, I4), as a fold over edges.

import { type Entry, type Flag, type GapCause, orderFlags, type Quality } from './entry.ts';
import { type Counts, type EpochMs, HOUR_MS, hourOf } from './units.ts';

/** An accepted reading placed in time: the `seq`-th of its installation, `total` counts after the first. */
export interface Edge {
  readonly seq: number;
  readonly at: EpochMs;
  readonly read: Counts;
  readonly total: Counts;
}

/** How far from an hour's edge a reading may lie, and how often readings are due, both in milliseconds. */
export interface HourRules {
  readonly toleranceMs: number;
  readonly pollMs: number;
}

/** A dial position that was seen and not believed. */
export interface Suspect {
  readonly read: Counts;
  readonly at: EpochMs;
}

interface Gap {
  readonly from: Edge;
  readonly why: GapCause;
  readonly rev: number;
  readonly flags: readonly Flag[];
}

/** The open hour of an installation and what is still undecided about its edges. Plain JSON. */
export interface HourState {
  /** Beginning of the open hour; every hour before it is closed. */
  readonly start: EpochMs;
  /** Newest placed reading. */
  readonly last: Edge;
  /** Where the open hour's measured part begins; null while a gap runs. */
  readonly from: Edge | null;
  /** Its opening boundary was read. */
  readonly whole: boolean;
  /** No hour of this installation has been published yet. */
  readonly first: boolean;
  readonly n: number;
  readonly flags: readonly Flag[];
  /** A person read the dial in the open hour; it was under maintenance. */
  readonly person: boolean;
  readonly maintained: boolean;
  /** The gap that runs since an unread boundary. */
  readonly gap: Gap | null;
  /** The gap that ended last; it grows again if the next one adjoins it. */
  readonly ended: (Gap & { readonly to: Edge; readonly sent: boolean }) | null;
  /** Hours and gaps that begin before `until` may have been published under a wrong clock and come with `rev` (I10). */
  readonly until: EpochMs;
  readonly rev: number;
  /** Where told gaps begin that a clock which went back may come upon again; absent: nowhere. */
  readonly taken?: readonly EpochMs[];
}

/** A caller's own copy of an open hour, to be changed in place. */
export type HourDraft = { -readonly [K in keyof HourState]: HourState[K] };

/** A copy, field by field: one is made at every poll, and a spread of so many fields takes ten times as long (V8). */
export function draftOfHour(state: HourState): HourDraft {
  const draft: HourDraft = {
    start: state.start,
    last: state.last,
    from: state.from,
    whole: state.whole,
    first: state.first,
    n: state.n,
    flags: state.flags,
    person: state.person,
    maintained: state.maintained,
    gap: state.gap,
    ended: state.ended,
    until: state.until,
    rev: state.rev,
  };
  if (state.taken !== undefined) draft.taken = state.taken;
  return draft;
}

/** Retention of hours: missing hours older than this would be dropped unsent, so they are not made. */
const MISSING_HOURS_MAX = 9_600;

/** The first instant from `at` on that is not among those at which gaps begin. */
export function freeFrom(at: EpochMs, taken: readonly EpochMs[]): EpochMs {
  let free = at;
  while (taken.includes(free)) free += 1;
  return free;
}

/** Where gaps begin that run, or ended and may grow again: those that were told already are told again, with more. */
export function growingIn({ gap, ended, last }: HourState): EpochMs[] {
  const growing = gap ? [gap.from.at] : [];
  if (ended && (!ended.sent || ended.to.seq === last.seq)) growing.push(ended.from.at);
  return growing;
}

/** The state after an installation's first accepted reading. */
export function firstHour(edge: Edge, flags: readonly Flag[]): HourState {
  return {
    start: hourOf(edge.at),
    last: edge,
    from: edge,
    whole: false,
    first: true,
    n: 1,
    flags,
    person: false,
    maintained: false,
    gap: null,
    ended: null,
    until: 0,
    rev: 0,
  };
}

/** What else bears on hours while an observation is taken in. */
export interface HourManner {
  /** A quarantined reading, which makes an hour that ends while it stands `S` (I3). */
  readonly suspect: Suspect | null;
  /** A disabled meter's hours pass untold (C6). */
  readonly disabled: boolean;
  /** Hours are told as `T`. */
  readonly maintenance: boolean;
}

/** The work on one installation's hours while one observation is taken in: state in, state and entries out. */
export class HourFold {
  readonly entries: Entry[] = [];
  /** Its own copy, changed in place. */
  #state: HourDraft;
  readonly #inst: number;
  readonly #rules: HourRules;
  readonly #how: HourManner;
  /** The reading being placed, if a person read it. */
  #byPerson: Edge | null = null;

  constructor(state: HourState, inst: number, rules: HourRules, how: HourManner) {
    this.#state = draftOfHour(state);
    if (how.maintenance) this.#state.maintained = true;
    this.#inst = inst;
    this.#rules = rules;
    this.#how = how;
  }

  get state(): HourState {
    return this.#state;
  }

  /** Closes every hour whose ending boundary cannot be read any more at `now`. */
  passTime(now: EpochMs, cause: GapCause): void {
    const why = this.#how.disabled ? 'disabled' : cause;
    const oldest = hourOf(now) - MISSING_HOURS_MAX * HOUR_MS;
    while (now > this.#end() + this.#rules.toleranceMs) {
      this.#decide(null, why);
      if (this.#state.gap && this.#state.start < oldest) this.#change({ start: oldest });
    }
  }

  /**
   * Takes in an accepted reading; `flags` tell what its increment was. Readings come in the order of `seq`. An hour in
   * which a person read the dial, or that ends with such a reading, is told as `H`.
   */
  place(edge: Edge, flags: readonly Flag[], why: GapCause, byPerson = false): void {
    this.passTime(edge.at, why);
    const boundary = this.#end();
    if (edge.at >= boundary) {
      // The increment up to this reading belongs to the hour that it ends.
      if (this.#nearer(edge) === edge) {
        this.#flag(flags);
        this.#byPerson = byPerson ? edge : null;
        this.#decide(edge, why);
        this.#state.last = edge;
        this.#state.n = 1;
        this.#state.person = byPerson;
        return;
      }
      this.#decide(null, why);
    }
    this.#flag(flags);
    this.#endGap(edge);
    if (edge.at < this.#state.start) this.#flagHour(['clock']);
    this.#state.last = edge;
    this.#state.n += 1;
    if (byPerson) this.#state.person = true;
  }

  /** Adds flags to the open hour. */
  mark(flags: readonly Flag[]): void {
    this.#flagHour(flags);
  }

  /**
   * Ends the installation at its newest reading: the open hour's measured part is published `P` with `flags`, and what
   * a running gap holds already as a gap that ends there, for no reading will end it.
   */
  finish(flags: readonly Flag[]): void {
    const { gap, last } = this.#state;
    this.#flagHour(flags);
    if (gap && gap.from.total !== last.total) this.#endGap(last);
    const { from } = this.#state;
    this.#sendEnded();
    if (from && from.seq !== last.seq) this.#sendMeasured(last, 'P');
  }

  /** Replaces the whole state, for a restatement (see restate.ts). */
  replace(state: HourState, entries: readonly Entry[]): void {
    this.#state = draftOfHour(state);
    this.entries.push(...entries);
  }

  #end(): EpochMs {
    return this.#state.start + HOUR_MS;
  }

  #change(part: Partial<HourState>): void {
    Object.assign(this.#state, part);
  }

  #flagHour(flags: readonly Flag[]): void {
    if (flags.length > 0) this.#change({ flags: [...this.#state.flags, ...flags] });
  }

  /** Flags what the newest increment was: on the running gap, else on the open hour. */
  #flag(flags: readonly Flag[]): void {
    if (flags.length === 0) return;
    const { gap } = this.#state;
    if (gap) this.#change({ gap: { ...gap, flags: [...gap.flags, ...flags] } });
    else this.#flagHour(flags);
  }

  /** The reading nearest to the ending boundary and within the tolerance; on a tie the earlier. */
  #nearer(after: Edge | null): Edge | null {
    const boundary = this.#end();
    const { last, gap } = this.#state;
    const { toleranceMs } = this.#rules;
    const before = !gap && Math.abs(boundary - last.at) <= toleranceMs ? last : null;
    if (!after || after.at - boundary > toleranceMs) return before;
    if (before && boundary - before.at <= after.at - boundary) return before;
    return after;
  }

  #decide(after: Edge | null, why: GapCause): void {
    const edge = this.#nearer(after);
    const { last, gap } = this.#state;
    this.#passTaken();
    if (edge) return this.#closeWith(edge, 'read');
    const { suspect } = this.#how;
    // One that was seen after the boundary, while a doubtful clock held hours open, says nothing of it.
    const since = suspect ? this.#end() - suspect.at : Number.POSITIVE_INFINITY;
    if (suspect && since >= 0 - this.#rules.toleranceMs && since <= 2 * this.#rules.pollMs) {
      return this.#leaveSuspect(suspect);
    }
    if (!gap && this.#end() - last.at <= 2 * this.#rules.pollMs)
      return this.#closeWith(last, 'late');
    return this.#leaveUnread(why);
  }

  /** No gap will begin before what the open hour measured from. */
  #passTaken(): void {
    const { last, from, taken, start } = this.#state;
    const earliest = Math.min(start, last.at, from?.at ?? last.at);
    if (taken?.every((key) => key < earliest)) delete this.#state.taken;
  }

  #closeWith(edge: Edge, boundary: 'read' | 'late'): void {
    if (boundary === 'late') this.#flagHour(['late']);
    if (this.#state.gap) this.#endGap(edge);
    const { from, whole, first, start } = this.#state;
    const end = this.#end();
    if (this.#state.ended && this.#state.ended.to.at < end) this.#sendEnded();
    let published = true;
    if (from && from.seq !== edge.seq) {
      const actual = whole && boundary === 'read' && !first && !this.#isPartial();
      this.#sendMeasured(edge, actual ? 'A' : 'P');
    } else if (first && start + HOUR_MS - edge.at <= this.#rules.toleranceMs) {
      published = false; // The installation began at this very edge: the hour before it is not its own.
    } else {
      this.#sendEmpty('M', null);
    }
    this.#change({
      start: end,
      from: edge,
      whole: boundary === 'read',
      first: first && !published,
      n: 0,
      flags: boundary === 'late' ? ['late'] : [],
      ...this.#fresh(),
    });
  }

  #isPartial(): boolean {
    return this.#state.flags.some(
      (flag) => flag === 'clock' || flag === 'config' || flag === 'changeout',
    );
  }

  #leaveUnread(why: GapCause): void {
    const { from, last, gap, ended } = this.#state;
    this.#flagHour(['gap']);
    if (gap) {
      this.#sendEmpty('M', null);
      return this.#next(gap);
    }
    if (from && from.seq !== last.seq) return this.#leaveMeasured(why);
    if (ended && ended.to.seq === last.seq && !this.#state.person) {
      // Adjoining gaps merge; one that was sent already is restated under its key.
      this.#sendEmpty('M', null);
      const { from: earlier, why: first, flags } = ended;
      const rev = ended.sent ? ended.rev + 1 : ended.rev;
      this.#change({ ended: null });
      return this.#next({ from: earlier, why: first, rev, flags });
    }
    this.#sendEnded();
    this.#sendEmpty('M', null);
    return this.#next(this.#newGap(last, why));
  }

  /** The open hour keeps what was measured of it up to its newest reading; a gap begins there. */
  #leaveMeasured(why: GapCause): void {
    const { last } = this.#state;
    this.#sendEnded();
    this.#sendMeasured(last, 'P');
    this.#next(this.#newGap(last, why));
  }

  /** A quarantined reading stands at the boundary: the whole hour waits in the gap until it is confirmed or refused. */
  #leaveSuspect(suspect: Suspect): void {
    const { from, last, gap, ended, person } = this.#state;
    this.#flagHour(['unconfirmed']);
    const begin = from ?? last;
    // What a person read in it stands, with its total (I5): only what follows is in doubt.
    if (person && begin.seq !== last.seq) return this.#leaveMeasured('quarantine');
    const adjoining = ended && ended.to.seq === begin.seq && !person ? ended : null;
    if (adjoining) this.#change({ ended: null });
    else this.#sendEnded();
    this.#sendEmpty('S', suspect);
    const fresh: Gap = adjoining
      ? {
          from: adjoining.from,
          why: 'quarantine',
          rev: adjoining.sent ? adjoining.rev + 1 : adjoining.rev,
          flags: adjoining.flags,
        }
      : this.#newGap(begin, 'quarantine');
    this.#next(gap ?? fresh);
  }

  #newGap(from: Edge, why: GapCause): Gap {
    const { until, rev, ended, taken = [] } = this.#state;
    // A gap's beginning is its key: after a clock went back two may begin at one instant, and are set apart.
    const at = freeFrom(from.at, ended ? [...taken, ended.from.at] : taken);
    return { from: { ...from, at }, why, rev: at < until ? rev : 0, flags: [] };
  }

  /** Opens the next hour under a running gap. */
  #next(gap: Gap): void {
    this.#change({
      start: this.#end(),
      from: null,
      whole: false,
      first: false,
      n: 0,
      flags: [],
      ...this.#fresh(),
      gap,
    });
  }

  /** How the next hour begins. */
  #fresh(): Pick<HourState, 'person' | 'maintained'> {
    return { person: false, maintained: this.#how.maintenance };
  }

  #endGap(edge: Edge): void {
    const { gap } = this.#state;
    if (!gap) return;
    this.#change({
      gap: null,
      // A reading stamped before the open hour counts in it (I10).
      ended: { ...gap, to: { ...edge, at: Math.max(edge.at, this.#state.start) }, sent: false },
      from: edge,
      whole: false,
    });
    this.#flagHour(['gap']);
  }

  /** Publishes the ended gap with the hour in which it ended (I4). */
  #sendEnded(): void {
    const { ended } = this.#state;
    if (!ended || ended.sent) return;
    this.entries.push({
      kind: 'gap',
      inst: this.#inst,
      from: ended.from.at,
      to: ended.to.at,
      use: ended.to.total - ended.from.total,
      why: ended.why,
      flags: orderFlags(ended.flags),
      rev: ended.rev,
    });
    this.#change({ ended: { ...ended, sent: true } });
  }

  #sendMeasured(to: Edge, q: 'A' | 'P'): void {
    const { from, person, maintained } = this.#state;
    const use = from ? to.total - from.total : 0;
    const told = person || to === this.#byPerson ? 'H' : maintained ? 'T' : q;
    this.#send({ read: to.read, at: to.at, total: to.total, use, q: told });
  }

  /** An hour with fewer than two edges; what a person read in it is told all the same. */
  #sendEmpty(q: 'M' | 'S', seen: Suspect | null): void {
    const { person, last, ended, taken = [] } = this.#state;
    if (person) {
      const { read, at, total } = last;
      this.#send({ read, at, total, use: null, q: 'H' });
      // Its total rests on the gap before it: that grows no further (I5).
      if (ended?.sent) this.#change({ ended: null, taken: [...taken, ended.from.at] });
      return;
    }
    if (this.#how.disabled) return;
    this.#send({ read: seen?.read ?? null, at: seen?.at ?? null, total: null, use: null, q });
  }

  #send(part: {
    read: Counts | null;
    at: EpochMs | null;
    total: Counts | null;
    use: Counts | null;
    q: Quality;
  }): void {
    const { start, n, flags, until, rev } = this.#state;
    this.entries.push({
      kind: 'hour',
      inst: this.#inst,
      start,
      ...part,
      n,
      flags: orderFlags(flags),
      rev: start < until ? rev : 0,
    });
  }
}
