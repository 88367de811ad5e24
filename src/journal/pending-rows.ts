// Rows that wait: claimed, settled, acknowledged, asked for again, in the order in which they were made.

import type { Pending, Store } from '../boundaries.ts';
import {
  decodeEntryKey,
  hintOfEntryKey,
  keys,
  pendingOf,
  seal,
  within,
} from '../codec/journal-record.ts';
import type { Acknowledged, Row, RowRanges } from '../domain/entry.ts';
import { StoreLost } from '../domain/fault.ts';
import type { EpochMs } from '../domain/units.ts';
import { sometimes } from '../sometimes.ts';
import { Ahead } from './ahead.ts';
import type { Books } from './books.ts';
import { textAt } from './records.ts';

/** The rows of the journal that the head-end does not have yet, as far as is known. */
export class PendingRows {
  readonly #books: Books;
  /** What is read on from, and what was read ahead of whoever is asked for next. */
  #current: Ahead | undefined;
  #expected: Ahead | undefined;

  constructor(books: Books) {
    this.#books = books;
  }

  metersPending(): readonly string[] {
    return [...this.#books.standing.pending]
      .filter(([, rows]) => rows > 0)
      .map(([meter]) => meter)
      .sort();
  }

  async backlog(meter: string, limit: number, after = 0, then?: string): Promise<readonly Row[]> {
    const rows: Row[] = [];
    await this.#books.reading(async () => {
      const ahead = this.#aheadFrom(meter, after);
      this.#current = ahead;
      const begin = this.#searchFrom(meter, after);
      await ahead.take(limit, rows);
      const { first = begin, store, renewals } = ahead;
      if (after === 0) this.#remember(meter, first, store, renewals);
      if (then !== undefined && this.#expected?.meter !== then) {
        this.#expected = this.#aheadFrom(then, 0);
      }
    });
    return rows;
  }

  /** Who reads on goes on where it was; who begins may have been expected. */
  #aheadFrom(meter: string, after: number): Ahead {
    const known = after === 0 ? this.#expected : this.#current;
    if (known === this.#expected) this.#expected = undefined;
    const isIt =
      known?.meter === meter && known.given === after && known.store === this.#books.store;
    // What was expected long ago may know nothing of what waits now.
    if (isIt && (after > 0 || known.isUpToDate())) return known;
    return new Ahead(this.#books, meter, this.#searchFrom(meter, after), after);
  }

  async events(limit: number): Promise<readonly Row[]> {
    const { standing, claimed } = this.#books;
    const numbers = [...standing.events.keys()].filter((row) => !claimed.has(row));
    const rows: Row[] = [];
    await this.#books.reading(async () => {
      for (const row of numbers.sort((a, b) => a - b)) {
        if (rows.length < limit) await this.#findEvent(row, rows);
      }
    });
    return rows;
  }

  async #findEvent(row: number, rows: Row[]): Promise<void> {
    const { store, standing, again } = this.#books;
    const meter = standing.events.get(row);
    if (meter === undefined) return;
    const key = keys.pending(meter, row);
    const text = await textAt(store, key);
    // Dropped by retention, unless it is still to be written.
    if (text === undefined && !again.has(key)) standing.events.delete(row);
    if (text === undefined) return;
    const event = await this.#books.rowAt(hintOfEntryKey(text));
    if (event?.row === row && event.meter === meter) rows.push(event);
    else this.#books.suspectedBell.ring();
  }

  /** The key at which the search for pending rows after this one begins. */
  #searchFrom(meter: string, after: number): string {
    const from = this.#books.cursors.get(meter) ?? within(`p/${meter}/`).from;
    const next = keys.pending(meter, after + 1);
    return after > 0 && next > from ? next : from;
  }

  /** The next search begins at `key`, unless what was settled became pending again since this one began. */
  #remember(meter: string, key: string, store: Store, renewals: number): void {
    const books = this.#books;
    if (store === books.store && renewals === books.renewals) books.cursors.set(meter, key);
  }

  claim(rows: readonly Row[]): void {
    for (const { row } of rows) this.#books.claimed.add(row);
  }

  release(rows: readonly { readonly row: number }[]): void {
    for (const { row } of rows) this.#books.claimed.delete(row);
  }

  letGo(): void {
    this.#books.claimed.clear();
    this.claim(this.#books.fresh);
    this.#books.freshBell.ring();
  }

  settle(rows: readonly Row[]): void {
    for (const { meter, row } of rows) this.#settle(meter, row);
  }

  acknowledged(): Acknowledged {
    const { acknowledged, epoch } = this.#books.standing;
    if (acknowledged.epoch === epoch) return acknowledged;
    return { ...acknowledged, epoch, row: 0, missing: [], sent: 0 };
  }

  requireAcks(): void {
    if (!this.#books.sound || this.#books.standing.acknowledged.required) return;
    this.#keepAcknowledged({ ...this.acknowledged(), required: true });
  }

  async acknowledge(ack: Acknowledged, isLast: boolean): Promise<void> {
    if (!this.#books.sound) return;
    const before = this.acknowledged();
    // Before its first word rows were settled by PUBACK.
    const fallsBack = isLast && (ack.row < before.row || before.row === 0);
    await this.#books.reading(async () => {
      await this.#settleTo(ack);
      const after: RowRanges = fallsBack ? [[ack.row + 1, this.#books.lastRow()]] : [];
      for (const range of [...ack.missing, ...after]) await this.#takeUpAgain(range);
      this.#keepAcknowledged(ack);
    });
  }

  async sendAgain(ranges: RowRanges): Promise<number> {
    let count = 0;
    await this.#books.reading(async () => {
      for (const range of ranges) count += await this.#takeUpAgain(range);
    });
    await this.#books.flush();
    return count;
  }

  isReplayed(row: number): boolean {
    return this.#books.replayed.has(row);
  }

  #keepAcknowledged(acknowledged: Acknowledged): void {
    this.#books.standing.acknowledged = acknowledged;
    this.#books.group.changes.set(keys.ack, seal(keys.ack, acknowledged));
    this.#books.stagedBell.ring();
  }

  #settle(meter: string, row: number): void {
    if (this.#books.settled.has(row)) return;
    this.#books.settled.add(meter, row);
    this.#books.standing.events.delete(row);
    this.#books.replayed.delete(row);
    this.#books.standing.waiting.delete(meter, row);
    this.#books.stagedBell.ring();
    if (this.#books.settled.isFull()) this.#books.urgentBell.ring();
  }

  /** Settles what the head-end has stored. */
  async #settleTo({ row: last, missing }: Acknowledged): Promise<void> {
    const wanted = (row: number) => missing.some(([from, to]) => row >= from && row <= to);
    for (const meter of this.metersPending()) {
      const from = this.#books.cursors.get(meter) ?? within(`p/${meter}/`).from;
      const range = { from, to: keys.pending(meter, last + 1) };
      for await (const [key] of this.#books.store.entries(range)) {
        const { row } = pendingOf(key);
        if (wanted(row)) continue;
        this.#settle(meter, row);
        this.#books.claimed.delete(row);
      }
    }
  }

  /** Makes rows pending again that the head-end asks for; those that retention has dropped it must do without. */
  async #takeUpAgain([first, last]: RowRanges[number]): Promise<number> {
    let count = 0;
    sometimes('journal: rows were made pending again');
    const range = {
      from: keys.row(first),
      to: keys.row(Math.min(last, this.#books.lastRow()) + 1),
    };
    for await (const [key, text] of this.#books.store.entries(range)) {
      const entryKey = decodeEntryKey(key, text);
      if (entryKey === undefined) continue; // The scrub tells of it.
      const row = Number(key.split('/')[1]);
      const meter = entryKey.split('/')[1] ?? '';
      const marker = keys.pending(meter, row);
      this.#books.replayed.add(row);
      count += 1;
      const kept = await this.#books.store.get(marker);
      if (!kept.ok) throw new StoreLost(kept.fault.detail);
      const isPending = kept.value !== undefined || this.#books.again.has(marker);
      if (isPending && !this.#books.settled.has(row)) continue;
      this.#books.settled.delete(row);
      this.#books.claimed.delete(row);
      this.#books.standing.waiting.add(meter, row, entryKey);
      this.#books.pendAgain(marker, entryKey);
    }
    return count;
  }

  async pending(): Promise<Pending> {
    let rows = 0;
    let oldest: EpochMs | null = null;
    for (const [meter, count] of this.#books.standing.pending) {
      if (count <= 0) continue;
      rows += count;
      await this.#books.reading(async () => {
        const begin = await this.#oldestPending(meter);
        if (begin !== null) oldest = Math.min(oldest ?? begin, begin);
      });
    }
    return { rows, oldest };
  }

  async #oldestPending(meter: string): Promise<EpochMs | null> {
    const { to } = within(`p/${meter}/`);
    const from = this.#searchFrom(meter, 0);
    const { store, renewals } = this.#books;
    let first: string | undefined;
    for await (const [key, text] of store.entries({ from, to })) {
      if (this.#books.settled.has(pendingOf(key).row)) continue;
      if (first === undefined) this.#remember(meter, key, store, renewals);
      first ??= key;
      const row = await this.#books.rowAt(decodeEntryKey(key, text));
      if (row) return beginOf(row);
    }
    return null;
  }

  async isPending(meter: string, row: number): Promise<boolean> {
    if (this.#books.settled.has(row)) return false;
    const key = keys.pending(meter, row);
    if (this.#books.group.changes.get(key) !== undefined) return true;
    return (await textAt(this.#books.store, key)) !== undefined;
  }

  async standOf({ meter, row }: Row): Promise<'free' | 'waiting' | 'claimed'> {
    if (this.#books.claimed.has(row)) return 'claimed';
    if (this.#books.settled.has(row)) return 'free';
    const text = await textAt(this.#books.store, keys.pending(meter, row));
    return text === undefined ? 'free' : 'waiting';
  }

  async undeliveredFrom(meter: string, inst: number): Promise<EpochMs | undefined> {
    const range = within(`p/${meter}/`);
    const from = this.#books.cursors.get(meter) ?? range.from;
    let earliest: EpochMs | undefined;
    for await (const [key, text] of this.#books.store.entries({ from, to: range.to })) {
      if (this.#books.settled.has(pendingOf(key).row)) continue;
      const row = await this.#books.rowAt(decodeEntryKey(key, text));
      if (!row || row.kind === 'event' || row.inst !== inst) continue;
      earliest = Math.min(earliest ?? beginOf(row), beginOf(row));
      if (row.kind === 'hour' && row.rev === 0) break; // Those after it are later.
    }
    return earliest;
  }
}

/** What a row tells of, from when. */
function beginOf(row: Row): EpochMs {
  if (row.kind === 'event') return row.at;
  return row.kind === 'hour' ? row.start : row.from;
}
