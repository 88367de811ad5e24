// Proves the whole journal behind polling, brings back what was kept of what it lacks, and tells what is lost.

import type { Examined, ScrubReport, Store } from '../boundaries.ts';
import {
  decodeEntryKey,
  encodeEntryKey,
  encodeFacts,
  hintOfEntryKey,
  keys,
  pendingOf,
  seal,
} from '../codec/journal-record.ts';
import { good, type Result } from '../domain/fault.ts';
import { sometimes } from '../sometimes.ts';
import { ABSENT_KEY, encodeAbsent } from './absent.ts';
import type { Books } from './books.ts';
import { tellLosses } from './losses.ts';
import type { Mark } from './mark.ts';
import { encodeMeta } from './meta.ts';
import { countOf, holds } from './ranges.ts';
import { textAt } from './records.ts';
import { bringBack } from './salvage.ts';
import { examine, type Findings, problemsOf } from './scrub.ts';

/** The scrub of a journal. */
export class Scrubbing {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  scrub(rest: () => Promise<void>): Promise<Result<ScrubReport>> {
    return this.#againstMark(async (store, mark) => {
      const first = await this.#examine(store, mark, rest);
      const brought = lacksAny(first) ? await this.#bringBack(store, first) : good(0);
      if (!brought.ok) return brought;
      const found = brought.value > 0 ? await this.#examine(store, mark, rest) : first;
      const tellings = await tellLosses(store, found);
      await this.#putRight(store, found, brought.value);
      for (const telling of tellings) this.#books.tell(telling);
      const written = await this.#books.flush();
      if (!written.ok) return written;
      await this.#books.parts.vault?.release();
      return good(reportOf(found, brought.value));
    });
  }

  examine(rest: (records: number) => Promise<void>): Promise<Result<Examined>> {
    return this.#againstMark(async (store, mark) => {
      const found = await this.#examine(store, mark, rest);
      const rowsGone = countOf(this.#books.standing.absent.rows);
      return good({ records: found.records, problems: problemsOf(found), rowsGone });
    });
  }

  /** Works alone on what the medium holds, with the mark of just that. */
  #againstMark<T>(work: (store: Store, mark: Mark) => Promise<Result<T>>): Promise<Result<T>> {
    return this.#books.alone(async () => {
      const taken = await this.#books.durable();
      if (!taken.ok) return taken;
      return this.#books.attempt((store) => work(store, taken.value));
    });
  }

  #examine(store: Store, mark: Mark, rest: (records: number) => Promise<void>): Promise<Findings> {
    const { facts, absent, checkpoints } = this.#books.standing;
    return examine(store, { mark, absent, facts, checkpoints }, rest);
  }

  /** Brings back what was kept before the opening: never what was deleted since, nor what memory knows better. */
  async #bringBack(store: Store, found: Findings): Promise<Result<number>> {
    const copy = await this.#books.parts.vault?.salvage();
    if (!copy?.ok || !copy.value) return good(0);
    const waiting: string[] = [];
    try {
      const brought = await bringBack(store, copy.value, (key) => {
        if (!key.startsWith('p/')) return !/^[as]\//.test(key);
        if (!holds(found.rows, pendingOf(key).row)) return false;
        waiting.push(key);
        return true;
      });
      for (const { meter, row } of brought.ok ? waiting.map(pendingOf) : []) {
        this.#books.standing.waiting.add(meter, row, '');
      }
      this.#books.cursors.clear();
      this.#books.freshBell.ring();
      return brought;
    } finally {
      await copy.value.close();
    }
  }

  /** Takes what is damaged out of the way, and writes again what can be told from the rest. */
  async #putRight(store: Store, found: Findings, broughtBack: number): Promise<void> {
    const { damaged, unindexed, rows, increments, standing } = found;
    if (damaged.length > 0) sometimes('journal: a damaged record was put aside');
    if (rows.length > 0) sometimes('journal: rows were lost and told');
    await this.#books.parts.vault?.quarantine(damaged);
    const astray = damaged.filter(([key]) => key.startsWith('p/'));
    for (const [key, text] of found.astray) {
      const row = await this.#books.rowAt(decodeEntryKey(key, text));
      if (!row || keys.pending(row.meter, row.row) !== key) astray.push([key, text]);
    }
    // A row whose number was lost may have lost its pending record with it.
    const numbered = [...unindexed].map(
      ([row, key]) => [keys.row(row), encodeEntryKey(keys.row(row), key)] as const,
    );
    const waiting = await this.#waiting(store, [...astray, ...numbered]);
    // From here on nothing waits: a group is written as it is found.
    const { changes } = this.#books.group;
    for (const [key] of damaged) changes.set(key, undefined);
    for (const key of [...damaged.map(([one]) => one), ...standing]) this.#renew(key);
    for (const [row, entryKey] of unindexed) {
      const key = keys.row(row);
      changes.set(key, encodeEntryKey(key, entryKey));
    }
    this.#repend(astray, waiting);
    this.#books.forget({ rows, increments });
    if (broughtBack + damaged.length + unindexed.size + astray.length === 0) return;
    const data = {
      brought_back: broughtBack,
      put_aside: damaged.length,
      written_again: unindexed.size + waiting.size,
      records: found.records,
    };
    this.#books.tell({ code: 'journal.repaired', severity: 'major', data });
  }

  /** Takes false pending records away and puts right ones in their place. */
  #repend(
    astray: readonly (readonly [key: string, text: string])[],
    waiting: ReadonlyMap<string, string>,
  ): void {
    const { changes } = this.#books.group;
    for (const [key] of astray) {
      const { meter, row } = pendingOf(key);
      if (waiting.has(key) || this.#books.settled.has(row)) continue;
      changes.set(key, undefined);
      this.#books.standing.waiting.delete(meter, row);
    }
    for (const [key, entryKey] of waiting) {
      const { meter, row } = pendingOf(key);
      if (this.#books.settled.has(row)) continue;
      this.#books.pendAgain(key, entryKey);
      this.#books.standing.waiting.add(meter, row, entryKey);
    }
    this.#books.cursors.clear();
    this.#books.freshBell.ring();
  }

  /**
   * The rows that pending keys which lead astray may stand for, by their number and by the entry they name: both are
   * pending again, for what is sent twice is counted once.
   */
  async #waiting(
    store: Store,
    astray: readonly (readonly [key: string, text: string])[],
  ): Promise<Map<string, string>> {
    const waiting = new Map<string, string>();
    for (const [key, text] of astray) {
      const { row } = pendingOf(key);
      const number = keys.row(row);
      const numbered = Number.isSafeInteger(row) ? await textAt(store, number) : undefined;
      for (const entryKey of [hintOfEntryKey(text), decodeEntryKey(number, numbered ?? '')]) {
        const entry = await this.#books.rowAt(entryKey);
        if (!entry || entryKey === undefined) continue;
        waiting.set(keys.pending(entry.meter, entry.row), entryKey);
      }
    }
    return waiting;
  }

  /** Standing records are in memory as they were proved at the opening. */
  #renew(key: string): void {
    const { changes, states } = this.#books.group;
    const { facts, absent, epoch } = this.#books.standing;
    if (key === keys.meta)
      changes.set(key, encodeMeta({ epoch, collector: this.#books.parts.collector }));
    else if (key === keys.nextRow) changes.set(key, seal(key, this.#books.nextRow));
    else if (key === ABSENT_KEY) changes.set(key, encodeAbsent(absent));
    else if (/^[cs]\//.test(key) && this.#books.standing.states.has(key.slice(2))) {
      changes.delete(key);
      this.#books.around.delete(key.slice(2));
      states.add(key.slice(2));
    } else if (key.startsWith('d/')) {
      const [, meter = '', inst] = key.split('/');
      const found = facts.get(`${meter}/${Number(inst)}`);
      if (found) changes.set(keys.facts(meter, found.inst), encodeFacts(found));
    }
  }
}

function lacksAny({ damaged, rows, increments, standing }: Findings): boolean {
  const count = damaged.length + rows.length + standing.length;
  return count + Object.keys(increments).length > 0;
}

function reportOf(found: Findings, broughtBack: number): ScrubReport {
  const increments = Object.values(found.increments);
  return {
    records: found.records,
    damaged: found.damaged.length,
    broughtBack,
    lost: increments.reduce((sum, ranges) => sum + countOf(ranges), countOf(found.rows)),
    sums: found.sums,
  };
}
