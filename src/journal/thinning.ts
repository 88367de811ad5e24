// Thins the whole journal behind polling, and tells when its room is short and what had to go undelivered.

import type { KeepLimits, Room, Thinned } from '../boundaries.ts';
import { encodeCheckpoint, keys, seal } from '../codec/journal-record.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import { faulty, good, JOURNAL_CLOSED, type Result, StoreLost } from '../domain/fault.ts';
import { growingIn } from '../domain/hours.ts';
import { agedSince, agedTo, CATCH_UP_FOR_ROOM } from '../domain/retention.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import type { Books } from './books.ts';
import { lossOf } from './losses.ts';
import type { PendingRows } from './pending-rows.ts';
import { rangesOf } from './ranges.ts';
import { AGED_KEY, PRESSURE_KEY } from './standing.ts';
import { type Gone, type Holdings, isNearlyFull, isRelieved, isShort, Thinner } from './thinner.ts';

/** Where nothing lies on a disk. */
const BOUNDLESS = {
  bytes: 0,
  freeBytes: Number.POSITIVE_INFINITY,
  totalBytes: Number.POSITIVE_INFINITY,
} satisfies Room;

/** How far retention has come is written so seldom: a cut makes it look back, and nothing goes the sooner. */
const KEEP_AGED_MS = 6 * HOUR_MS;

/** The thinning of a journal, over its books. */
export class Thinning {
  readonly #books: Books;
  readonly #pending: PendingRows;
  readonly #thinner = new Thinner(this.#holdings());
  /** How far retention had come when that was written last. */
  #agedKept = 0;
  /** How far it had come where room was made, or would have been. */
  #forRoom = 0;

  constructor(books: Books, pending: PendingRows) {
    this.#books = books;
    this.#pending = pending;
  }

  thin(
    limits: KeepLimits,
    rest: () => Promise<void>,
    livedMs = Number.POSITIVE_INFINITY,
  ): Promise<Result<Thinned>> {
    return this.#books.alone(() => this.#thin(limits, rest, livedMs));
  }

  async #thin(
    limits: KeepLimits,
    rest: () => Promise<void>,
    livedMs: number,
  ): Promise<Result<Thinned>> {
    if (!this.#books.sound) return faulty('store.failed', JOURNAL_CLOSED);
    const now = this.#books.now();
    const forRoom = this.#agedForRoom(now, livedMs);
    return this.#books.attempt(async () => {
      const aged = await this.#thinner.byAge(this.#aged(now, livedMs), limits, rest);
      return aged.ok ? await this.#makeRoom([forRoom, now], limits, aged.value, rest) : aged;
    });
  }

  /** By when things are old enough to go for others. A restart begins again with how far retention has come. */
  #agedForRoom(now: EpochMs, livedMs: number): EpochMs {
    const { aged } = this.#books.standing;
    const before = aged === null ? null : Math.max(aged, this.#forRoom);
    this.#forRoom = agedTo(before, now, livedMs, CATCH_UP_FOR_ROOM);
    return this.#forRoom;
  }

  /** By when things are old. */
  #aged(now: EpochMs, livedMs: number): EpochMs {
    const { standing, group } = this.#books;
    const aged = agedTo(standing.aged, now, livedMs);
    const since = agedSince(standing.aged, aged);
    if (standing.aged === null || since - this.#agedKept >= KEEP_AGED_MS) {
      this.#agedKept = since;
      group.changes.set(AGED_KEY, seal(AGED_KEY, since));
    }
    this.#books.standing = { ...standing, aged: since };
    return aged;
  }

  /** The second time of `by` is the wall clock's: what it alone calls old goes only before nothing can be written any more. */
  async #makeRoom(
    by: readonly [aged: EpochMs, wall: EpochMs],
    limits: KeepLimits,
    aged: Thinned,
    rest: () => Promise<void>,
  ): Promise<Result<Thinned>> {
    const measure = async () => {
      const room = await this.#books.store.room?.();
      if (room && !room.ok) throw new StoreLost(room.fault.detail);
      return room?.value ?? BOUNDLESS;
    };
    const room = await measure();
    const { pressure } = this.#books.standing;
    if (pressure ? isRelieved(room, limits) : !isShort(room, limits)) {
      this.#tellPressure(room, limits, aged);
      const written = await this.#books.flush();
      return written.ok ? good(aged) : written;
    }
    let all = aged;
    let left = room;
    for (const at of by) {
      if (at !== by[0] && !isNearlyFull(left, limits)) break;
      const thinned = await this.#thinner.forRoom(at, limits, measure, rest);
      if (!thinned.ok) return thinned;
      const { increments, hours, events } = thinned.value;
      all = {
        increments: all.increments + increments,
        hours: all.hours + hours,
        events: all.events + events,
      };
      left = thinned.value.room;
    }
    this.#tellPressure(room, limits, all);
    const written = await this.#books.flush();
    return written.ok ? good(all) : written;
  }

  /** Raised when room was short, cleared when it is not any more; told again only when more had to go. */
  #tellPressure(room: Room, limits: KeepLimits, thinned: Thinned): void {
    const { pressure } = this.#books.standing;
    const short = pressure ? !isRelieved(room, limits) : isShort(room, limits);
    const gone = thinned.increments + thinned.hours > 0;
    if (!short && !pressure) return;
    if (short && pressure && !gone) return;
    const since = pressure?.since ?? this.#books.now();
    const { alarm, messages } = pressure ?? { alarm: this.#books.nextAlarm(), messages: 0 };
    const phase = short ? (pressure ? 'update' : 'raise') : 'clear';
    const data = {
      bytes: room.bytes,
      max_bytes: limits.maxBytes,
      free_bytes: Number.isFinite(room.freeBytes) ? room.freeBytes : null,
      min_free_bytes: limits.minFreeBytes,
      increments_thinned: thinned.increments,
      hours_thinned: thinned.hours,
    };
    const of = { alarm, message: messages, phase, since } as const;
    this.#books.tell({ code: 'journal.pressure', severity: short ? 'major' : 'info', data, of });
    const next = short ? { alarm, messages: messages + 1, since } : null;
    this.#books.standing = { ...this.#books.standing, pressure: next };
    this.#books.group.changes.set(PRESSURE_KEY, next ? seal(PRESSURE_KEY, next) : undefined);
  }

  /** What its thinning may know and do. */
  #holdings(): Holdings {
    return {
      store: () => this.#books.store,
      facts: () => [...this.#books.standing.facts.values()],
      checkpoint: (meter, inst) => this.#books.checkpoint(meter, inst),
      standOf: (row) => this.#pending.standOf(row),
      undeliveredFrom: (meter, inst) => this.#pending.undeliveredFrom(meter, inst),
      retold: (meter, inst) => {
        const state = this.#books.standing.states.get(meter);
        const hours = state?.inst === inst ? state.hours : null;
        if (!hours) return { gaps: new Set(), from: Number.POSITIVE_INFINITY };
        return { gaps: new Set(growingIn(hours)), from: hours.start };
      },
      stage: (gone, checkpoint, why) => this.#stageThinning(gone, checkpoint, why),
      flush: () => this.#books.flush(),
    };
  }

  /** One batch: records, numbers and checkpoint go together, or not at all. */
  #stageThinning(
    { keys: gone, rows, waiting }: Gone,
    checkpoint: Checkpoint | null,
    why: 'age' | 'room',
  ): void {
    const { changes } = this.#books.group;
    for (const key of gone) changes.set(key, undefined);
    if (rows.length > 0) {
      const numbers = rows.map(({ row }) => row).sort((a, b) => a - b);
      this.#books.forget({ rows: rangesOf(numbers), increments: {} });
    }
    const lost = rows.filter(({ row }) => waiting.has(row) && !this.#books.settled.has(row));
    this.#pending.settle(lost);
    if (lost.length > 0)
      this.#books.tell({ code: 'journal.loss', severity: 'major', data: lossOf(lost, why) });
    if (checkpoint) {
      const { meter, inst } = checkpoint;
      this.#books.standing.checkpoints.set(`${meter}/${inst}`, checkpoint);
      changes.set(keys.checkpoint(meter, inst), encodeCheckpoint(checkpoint));
    }
  }
}
