// Keeps the journal within its days and its room: a bounded portion at a time, oldest first, delivered before undelivered.

import type { KeepLimits, Room, Store, Thinned } from '../boundaries.ts';
import { within } from '../codec/journal-record.ts';
import { type Checkpoint, nothingThinned } from '../domain/checkpoint.ts';
import type { Row } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { good, type Result } from '../domain/fault.ts';
import { type EpochMs, HOUR_MS, hourOf } from '../domain/units.ts';
import { firstHour, firstIncrement, thinEvents, thinHours, thinIncrements } from './thin.ts';

const DAY_MS = 24 * HOUR_MS;

/** What the journal lends to its thinning. */
export interface Holdings {
  store(): Store;
  facts(): readonly InstallationFacts[];
  checkpoint(meter: string, inst: number): Checkpoint | undefined;
  /** `free`: delivered; `waiting`: not yet; `claimed`: on its way just now. Throws StoreLost. */
  standOf(row: Row): Promise<'free' | 'waiting' | 'claimed'>;
  /** The earliest hour of the installation that is not delivered yet; undefined where all are. Throws StoreLost. */
  undeliveredFrom(meter: string, inst: number): Promise<EpochMs | undefined>;
  /** What of the installation may be told again. */
  retold(meter: string, inst: number): Retold;
  /** Stages a deletion with its checkpoint; what was never delivered is told as lost, for the reason given. */
  stage(gone: Gone, checkpoint: Checkpoint | null, why: 'age' | 'room'): void;
  flush(): Promise<Result<void>>;
}

/** Told again with more, what went of it would count twice: gaps that begin at these instants, and, of a clock that went back, hours from `from` on. */
export interface Retold {
  readonly gaps: ReadonlySet<EpochMs>;
  readonly from: EpochMs;
}

/** Records to be deleted, the rows among them, and the numbers of those that were not delivered when last looked at. */
export interface Gone {
  readonly keys: readonly string[];
  readonly rows: readonly Row[];
  readonly waiting: ReadonlySet<number>;
}

const NONE_WAITING: ReadonlySet<number> = new Set();

/** Deletions of one synced write: some 40 KB. */
const BATCH = 500;
/**
 * Hours and increments of one installation that may go for their age in one pass. A pass an hour catches up after a
 * month off, and a clock that stands years ahead for an hour has not emptied the journal.
 */
const HOURS_A_PASS = 48;
const INCREMENTS_A_PASS = 4_000;
const EVENTS_A_PASS = 500;
/** Under pressure a day at a time goes, and so many days in one pass. */
const STEPS_A_PASS = 500;
/** Whatever the pressure, so much stays: what is open, and what a technician looks at. */
const KEEP_LEAST_MS = DAY_MS;
/** A meter's range is rewritten to give back its room after so many deletions: LevelDB does the rest as it goes. */
const COMPACT_AFTER = 20_000;
/** Pressure is over this far below the limits. */
const RELIEVED = 0.9;
/** What was never delivered goes for others' use of the disk only when next to nothing is left. */
const LAST_RESORT = 0.25;

/** What is kept for weeks is looked through so often, and again the next hour while there is more than a pass takes. */
const AGE_EVERY_MS = DAY_MS;

type Rest = () => Promise<void>;

export class Thinner {
  readonly #holdings: Holdings;
  /** Deletions by range since it was compacted. */
  readonly #deleted = new Map<string, number>();
  #count: { increments: number; hours: number; events: number } = zero();
  /** By which limits, and when, everything old enough was gone. */
  #done: { readonly limits: KeepLimits; readonly at: EpochMs } | null = null;
  /** The pass under way has left something for the next. */
  #isMore = false;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** Deletes what is older than its days; where a pass has left nothing, it looks again a day later. Throws StoreLost. */
  async byAge(now: EpochMs, limits: KeepLimits, rest: Rest): Promise<Result<Thinned>> {
    this.#count = zero();
    const { at, limits: before } = this.#done ?? { at: now, limits: null };
    if (before === limits && Math.abs(now - at) < AGE_EVERY_MS) return good(this.#count);
    this.#done = null;
    this.#isMore = false;
    const thinned = await this.#byAge(now, limits, rest);
    if (thinned.ok && !this.#isMore) this.#done = { limits, at: now };
    return thinned;
  }

  async #byAge(now: EpochMs, limits: KeepLimits, rest: Rest): Promise<Result<Thinned>> {
    const cut = (days: number) => now - days * DAY_MS;
    for (const facts of this.#holdings.facts()) {
      const before = cut(limits.incrementDays);
      const steps = await this.#increments(facts, before, INCREMENTS_A_PASS, rest);
      if (!steps.ok) return steps;
      const oldest = hourOf(cut(limits.hourDays));
      const hours = await this.#hours(facts, oldest, HOURS_A_PASS, 'age', rest);
      if (!hours.ok) return hours;
    }
    for (const meter of new Set([...this.#holdings.facts().map((facts) => facts.meter), ''])) {
      const events = await this.#events(meter, cut(limits.eventDays), rest);
      if (!events.ok) return events;
    }
    await this.#compact(COMPACT_AFTER);
    return good(this.#count);
  }

  /**
   * Makes room, a day at a time: delivered increments, delivered hours, and in the end what was never delivered. Good
   * with the room there is then. Throws StoreLost.
   */
  async forRoom(
    now: EpochMs,
    limits: KeepLimits,
    measure: () => Promise<Room>,
    rest: Rest,
  ): Promise<Result<Thinned & { readonly room: Room }>> {
    this.#count = zero();
    let room = await measure();
    let steps = 0;
    for (const kind of ['delivered increments', 'delivered hours', 'all'] as const) {
      for (let cut = await this.#oldest(kind); cut <= now - KEEP_LEAST_MS; cut += DAY_MS) {
        const isLastResort = kind === 'all' && !isDire(room, limits);
        if (isRelieved(room, limits) || isLastResort || steps >= STEPS_A_PASS) break;
        steps += 1;
        const before = total(this.#count);
        const thinned = await this.#step(kind, cut, rest);
        if (!thinned.ok) return thinned;
        if (total(this.#count) === before) continue;
        await this.#compact(1);
        room = await measure();
      }
    }
    return good({ ...this.#count, room });
  }

  async #step(
    kind: 'delivered increments' | 'delivered hours' | 'all',
    cut: EpochMs,
    rest: Rest,
  ): Promise<Result<void>> {
    for (const facts of this.#holdings.facts()) {
      const { meter, inst } = facts;
      const waiting =
        kind === 'all' ? undefined : await this.#holdings.undeliveredFrom(meter, inst);
      const until = hourOf(Math.min(cut, waiting ?? cut));
      const thinned =
        kind === 'delivered increments'
          ? await this.#increments(facts, until, Number.POSITIVE_INFINITY, rest)
          : await this.#hours(facts, until, Number.POSITIVE_INFINITY, 'room', rest);
      if (!thinned.ok) return thinned;
      if (kind !== 'all') continue;
      const steps = await this.#increments(facts, until, Number.POSITIVE_INFINITY, rest);
      if (!steps.ok) return steps;
    }
    return good(undefined);
  }

  async #increments(
    facts: InstallationFacts,
    cut: EpochMs,
    most: number,
    rest: Rest,
  ): Promise<Result<void>> {
    const { meter, inst } = facts;
    for (let count = 0; count < most; ) {
      const before = this.#holdings.checkpoint(meter, inst) ?? nothingThinned(meter, inst);
      const thinning = await thinIncrements(this.#holdings.store(), facts, before, cut, BATCH);
      if (thinning.keys.length === 0) break;
      const gone = { ...thinning, waiting: NONE_WAITING };
      this.#holdings.stage(gone, thinning.checkpoint, 'room');
      const written = await this.#holdings.flush();
      if (!written.ok) return written;
      count += thinning.keys.length;
      this.#count.increments += thinning.keys.length;
      this.#note(`i/${meter}/`, thinning.keys.length);
      if (count >= most) this.#isMore = true;
      await rest();
    }
    return good(undefined);
  }

  async #hours(
    facts: InstallationFacts,
    cut: EpochMs,
    most: number,
    why: 'age' | 'room',
    rest: Rest,
  ): Promise<Result<void>> {
    const { meter, inst } = facts;
    for (let gone = 0; gone < most; ) {
      const before = this.#holdings.checkpoint(meter, inst) ?? nothingThinned(meter, inst);
      const retold = this.#holdings.retold(meter, inst);
      const until = Math.min(cut, retold.from);
      if (before.start >= until) break;
      const limit = Math.min(BATCH, most - gone);
      const { mayGo, waiting } = this.#watch();
      const store = this.#holdings.store();
      const thinning = await thinHours(store, facts, before, until, limit, mayGo, retold.gaps);
      if (thinning.keys.length === 0) break;
      this.#holdings.stage({ ...thinning, waiting }, thinning.checkpoint, why);
      const written = await this.#holdings.flush();
      if (!written.ok) return written;
      gone += thinning.keys.length;
      this.#count.hours += thinning.keys.length;
      this.#note(`h/${meter}/`, thinning.keys.length);
      if (gone >= most) this.#isMore = true;
      await rest();
    }
    return good(undefined);
  }

  async #events(meter: string, cut: EpochMs, rest: Rest): Promise<Result<void>> {
    const { mayGo, waiting } = this.#watch();
    const gone = await thinEvents(this.#holdings.store(), meter, cut, EVENTS_A_PASS, mayGo);
    if (gone.keys.length === 0) return good(undefined);
    if (gone.rows.length >= EVENTS_A_PASS) this.#isMore = true;
    this.#holdings.stage({ ...gone, waiting }, null, 'age');
    this.#count.events += gone.keys.length;
    const written = await this.#holdings.flush();
    await rest();
    return written;
  }

  /** Lets everything go that is not on its way just now, and remembers what was never delivered. */
  #watch() {
    const waiting = new Set<number>();
    const mayGo = async (row: Row) => {
      const stand = await this.#holdings.standOf(row);
      if (stand === 'waiting') waiting.add(row.row);
      return stand !== 'claimed';
    };
    return { mayGo, waiting };
  }

  /** The end of the oldest day of which anything of the kind is held. */
  async #oldest(kind: 'delivered increments' | 'delivered hours' | 'all'): Promise<EpochMs> {
    const store = this.#holdings.store();
    let oldest = Number.POSITIVE_INFINITY;
    for (const facts of this.#holdings.facts()) {
      const { meter, inst } = facts;
      const before = this.#holdings.checkpoint(meter, inst) ?? nothingThinned(meter, inst);
      const first =
        kind === 'delivered increments'
          ? await firstIncrement(store, facts, before)
          : await firstHour(store, facts, before);
      oldest = Math.min(oldest, first ?? oldest);
    }
    return Math.floor(oldest / DAY_MS) * DAY_MS + DAY_MS;
  }

  #note(prefix: string, deletions: number): void {
    this.#deleted.set(prefix, (this.#deleted.get(prefix) ?? 0) + deletions);
  }

  /** Gives back the room of ranges with at least so many deletions. */
  async #compact(least: number): Promise<void> {
    const store = this.#holdings.store();
    for (const [prefix, deletions] of this.#deleted) {
      if (deletions < least) continue;
      this.#deleted.delete(prefix);
      // A medium that does not let itself be compacted tells by its next write.
      await store.compact?.(within(prefix));
    }
  }
}

const zero = () => ({ increments: 0, hours: 0, events: 0 });
const total = (count: Thinned) => count.increments + count.hours + count.events;

/** Whether the journal takes up too much of its disk. */
export function isShort(room: Room, limits: KeepLimits): boolean {
  return room.bytes > limits.maxBytes || room.freeBytes < wantedFree(room, limits);
}

export function isRelieved(room: Room, limits: KeepLimits): boolean {
  const { bytes, freeBytes } = room;
  return bytes < RELIEVED * limits.maxBytes && freeBytes * RELIEVED >= wantedFree(room, limits);
}

function isDire(room: Room, limits: KeepLimits): boolean {
  return room.bytes > RELIEVED * limits.maxBytes || isNearlyFull(room, limits);
}

/** The disk itself is about to be full, whatever the journal may take up of it. */
export function isNearlyFull(room: Room, limits: KeepLimits): boolean {
  return room.freeBytes < LAST_RESORT * wantedFree(room, limits);
}

/** On a disk too small for the wish the journal may take up half of what is not others'. */
function wantedFree({ bytes, freeBytes }: Room, { minFreeBytes }: KeepLimits): number {
  return Math.min(minFreeBytes, (bytes + freeBytes) / 2);
}
