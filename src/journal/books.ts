// The books of the journal: what stands in memory, the one group that is written next, and the life of the store under them.

import { Bell } from '../bell.ts';
import type { Store, StoreChange } from '../boundaries.ts';
import {
  decodeRow,
  encodeCircumstances,
  encodeEntryKey,
  encodeFacts,
  encodeRow,
  encodeState,
  isOfEvent,
  keyOfRow,
  keys,
  pendingOf,
  seal,
} from '../codec/journal-record.ts';
import { sameCircumstances } from '../codec/state-record.ts';
import type { Installation } from '../domain/advance.ts';
import type { EventEntry } from '../domain/alarms.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import type { Entry, EntryRow, Row } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { faulty, good, JOURNAL_CLOSED, type Result, StoreLost } from '../domain/fault.ts';
import { CLOCK_EPOCH_MS } from '../domain/moment.ts';
import { RowSet } from '../domain/row-set.ts';
import type { EpochMs } from '../domain/units.ts';
import { sometimes } from '../sometimes.ts';
import { ABSENT_KEY, type Absent, alsoAbsent, encodeAbsent } from './absent.ts';
import { WearMeter } from './figures.ts';
import { type Mark, markOf } from './mark.ts';
import { encodeMeta } from './meta.ts';
import { type Opened, type OpeningParts, openStanding, type Telling } from './opening.ts';
import { textAt } from './records.ts';
import { SettledRows } from './settled-rows.ts';
import { type KeptAnswer, nothingStands, type Standing, WEAR_KEY, type Wear } from './standing.ts';

export interface JournalParts extends OpeningParts {
  /** Called each time the store has been opened and read, before anything is taken in. */
  readonly onOpen?: (() => void) | undefined;
}

/** What stands for a store while none is open. */
const NO_STORE: Store = {
  write: () => Promise.resolve(faulty('store.failed', JOURNAL_CLOSED)),
  get: () => Promise.resolve(faulty('store.failed', JOURNAL_CLOSED)),
  // biome-ignore lint/correctness/useYield: it ends before its first entry.
  async *entries() {
    throw new StoreLost(JOURNAL_CLOSED);
  },
  portion: () => Promise.reject(new StoreLost(JOURNAL_CLOSED)),
  texts: () => Promise.reject(new StoreLost(JOURNAL_CLOSED)),
  close: () => Promise.resolve(),
};

/** One group: what the next synced batch will hold. The newest change of a key stands. */
export interface Group {
  readonly changes: Map<string, string | undefined>;
  readonly rows: Row[];
  /** Meters whose state changed; it is encoded once, when the group is written. */
  readonly states: Set<string>;
  readonly described: Set<string>;
  /** Pending keys of rows that were settled and are pending again. */
  readonly again: string[];
  readonly answers: Map<string, KeptAnswer>;
}

const emptyGroup = (): Group => ({
  changes: new Map(),
  rows: [],
  states: new Set(),
  described: new Set(),
  again: [],
  answers: new Map(),
});

const FORGOTTEN = faulty(
  'store.failed',
  'the journal failed and was opened again without what was to be written',
);

/** Stands in the place of a meter for what the collector tells of itself. */
export const COLLECTOR = '';

/** Shared by all parts of a journal: each reads here, stages its changes in the group, and rings who waits for them. */
export class Books {
  readonly parts: JournalParts;
  store: Store = NO_STORE;
  standing: Standing = nothingStands('');
  /** The number that the next row gets. */
  nextRow = 1;
  /** False until the store has been opened and read, and from a failure on until it has been again. */
  sound = false;
  group = emptyGroup();
  /** Rows that became durable and were not taken yet, and meters whose description did. */
  fresh: Row[] = [];
  readonly described = new Set<string>();
  readonly settled = new SettledRows();
  /** Pending keys that are to be written again and are not on the medium yet. */
  readonly again = new Set<string>();
  /** Rows on their way to the head-end. */
  readonly claimed = new RowSet();
  /** Rows that were asked for again. */
  readonly replayed = new RowSet();
  /** Where the search for a meter's oldest pending row begins: a search over deleted keys is slow (LevelDB). */
  readonly cursors = new Map<string, string>();
  /** How often settled rows became pending on the medium again: a search that began before may have passed them. */
  renewals = 0;
  /** Answers that are not on the medium yet. */
  readonly unsynced = new Map<string, KeptAnswer>();
  /** Installations as they were written last, and those with which their circumstances were. */
  readonly kept = new Map<string, Installation>();
  readonly around = new Map<string, Installation>();
  /** What was declared, to be declared again when memory is read anew. */
  readonly declared = new Map<string, () => void>();
  readonly stagedBell = new Bell();
  readonly urgentBell = new Bell();
  readonly freshBell = new Bell();
  readonly suspectedBell = new Bell();
  readonly #wear = new WearMeter();
  #flushing: Promise<Result<void>> | null = null;
  /** The group on its way to the medium. */
  #underWay: Group | null = null;
  /** Groups that became durable. */
  readonly #written = new WeakSet<Group>();
  #lonely: Promise<unknown> = Promise.resolve();
  /** The highest number that the collector gave to what it told of itself. */
  #ownAlarm = 0;
  /** What the opening found amiss is not on the medium yet. */
  #isUnheard = false;
  /** A mark is wanted of what the next group makes durable. */
  #markWanted = false;
  #marked: Mark | null = null;

  constructor(parts: JournalParts) {
    this.parts = parts;
    this.stagedBell.ring(); // There is work to do: to open it.
  }

  now(): EpochMs {
    return this.parts.now?.() ?? 0;
  }

  facts(meter: string): InstallationFacts | undefined {
    const state = this.standing.states.get(meter);
    return state && this.factsOf(meter, state.inst);
  }

  factsOf(meter: string, inst: number): InstallationFacts | undefined {
    return this.standing.facts.get(`${meter}/${inst}`);
  }

  lastRow(): number {
    return this.nextRow - 1;
  }

  async flush(): Promise<Result<void>> {
    const { group } = this;
    const isEmpty = this.#isEmpty();
    // Who staged something may have had to wait before it came here.
    const staged = [...(this.#underWay ? [this.#underWay] : []), ...(isEmpty ? [] : [group])];
    while (this.#flushing !== null) await this.#flushing;
    this.#flushing = this.sound ? this.#writeGroup() : this.#recover();
    try {
      const flushed = await this.#flushing;
      // Another's write may have failed with what was staged, or before it: then it is forgotten, however well all stands now.
      const isForgotten = flushed.ok && staged.some((one) => !this.#written.has(one));
      return isForgotten ? FORGOTTEN : flushed;
    } finally {
      this.#flushing = null;
      this.#underWay = null;
    }
  }

  /** The group that gathers has nothing to write. */
  #isEmpty(): boolean {
    return this.group.changes.size + this.group.states.size + this.settled.size === 0;
  }

  checkpoint(meter: string, inst: number): Checkpoint | undefined {
    return this.standing.checkpoints.get(`${meter}/${inst}`);
  }

  /** What the medium holds, as a mark. */
  async durable(): Promise<Result<Mark>> {
    if (!this.sound) return faulty('store.failed', JOURNAL_CLOSED);
    this.#markWanted = true;
    this.#marked = null;
    const written = await this.flush();
    if (!written.ok) return written;
    const taken = this.#marked;
    return taken ? good(taken) : faulty('store.failed', 'the journal was opened anew');
  }

  /** What is lost and told is known to be absent from now on. */
  forget(lost: Absent): void {
    if (lost.rows.length === 0 && Object.keys(lost.increments).length === 0) return;
    const { changes } = this.group;
    for (const [from, to] of lost.rows) {
      for (let row = from; row <= to; row += 1) changes.set(keys.row(row), undefined);
    }
    this.standing = { ...this.standing, absent: alsoAbsent(this.standing.absent, lost) };
    changes.set(ABSENT_KEY, encodeAbsent(this.standing.absent));
  }

  wornToday(): Wear | null {
    const now = this.now();
    return this.#wear.today(now, this.store.worn?.() ?? null, this.standing.wear);
  }

  /** What reads or thins the whole store does so alone: what one deletes the other would miss. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lonely.then(work);
    this.#lonely = done.catch(() => undefined);
    return done;
  }

  keepState(meter: string, state: Installation): void {
    const { states, ends } = this.standing;
    const before = states.get(meter);
    if (before && before.inst < state.inst) ends.set(`${meter}/${before.inst}`, before.steps);
    states.set(meter, state);
    this.group.states.add(meter);
    this.stagedBell.ring();
  }

  keepFacts(facts: InstallationFacts): void {
    this.standing.facts.set(`${facts.meter}/${facts.inst}`, facts);
    this.group.changes.set(keys.facts(facts.meter, facts.inst), encodeFacts(facts));
    this.group.described.add(facts.meter);
  }

  addRow(meter: string, entry: Entry | EventEntry): void {
    // Of a restated entry its old number is in it.
    const row = Object.assign({}, entry, { meter, row: this.nextRow }) as Row;
    this.nextRow += 1;
    const key = keyOfRow(row);
    const { changes, rows } = this.group;
    changes.set(key, encodeRow(row));
    for (const named of [keys.row(row.row), keys.pending(meter, row.row)]) {
      changes.set(named, encodeEntryKey(named, key));
    }
    rows.push(row);
  }

  async #writeGroup(): Promise<Result<void>> {
    const { group } = this;
    if (this.#isEmpty()) {
      this.#takeMark();
      return good(undefined);
    }
    this.group = emptyGroup();
    for (const meter of group.states) this.#encodeState(meter, group.changes);
    if (group.rows.length > 0) {
      group.changes.set(keys.nextRow, seal(keys.nextRow, this.nextRow));
      const worn = this.wornToday();
      if (worn) group.changes.set(WEAR_KEY, seal(WEAR_KEY, worn));
    }
    const changes: StoreChange[] = [];
    for (const [key, value] of group.changes) {
      changes.push(value === undefined ? { key } : { key, value });
    }
    // After all others: what is settled is pending no more, whatever was to be written of it.
    this.settled.begin((meter, row) => changes.push({ key: keys.pending(meter, row) }));
    this.#takeMark(group.rows);
    this.#underWay = group;
    const written = await this.store.write(changes);
    if (!written.ok) {
      sometimes('journal: a group could not be written');
      this.#becomeUnsound();
      return written;
    }
    this.#durableNow(group);
    if (this.#isUnheard) await this.parts.vault?.heard();
    this.#isUnheard = false;
    return good(undefined);
  }

  #durableNow(group: Group): void {
    this.#written.add(group);
    this.settled.durable();
    if (group.again.length > 0) this.renewals += 1;
    for (const key of group.again) {
      this.again.delete(key);
      // Only now can a search find it, and one since it was asked for may have begun beyond it.
      this.cursors.delete(pendingOf(key).meter);
    }
    for (const [id, kept] of group.answers) {
      if (this.unsynced.get(id) === kept) this.unsynced.delete(id);
    }
    for (const row of group.rows) {
      this.standing.waiting.add(row.meter, row.row, keyOfRow(row));
      if (row.kind === 'event') this.standing.events.set(row.row, row.meter);
      this.fresh.push(row);
      this.claimed.add(row.row); // The news has it first: sent twice at a time, it would be settled twice.
    }
    for (const meter of group.described) this.described.add(meter);
    if (group.rows.length + group.described.size + group.again.length > 0) this.freshBell.ring();
  }

  #encodeState(meter: string, changes: Group['changes']): void {
    const state = this.standing.states.get(meter);
    if (!state) return;
    this.kept.set(meter, state);
    changes.set(keys.state(meter), encodeState(meter, state));
    const around = this.around.get(meter);
    if (around && sameCircumstances(around, state)) return;
    const text = encodeCircumstances(meter, state);
    if (text === undefined) return;
    this.around.set(meter, state);
    changes.set(keys.circumstances(meter), text);
  }

  /** Works on the store for somebody who wants to know: a medium that fails under it makes the journal unsound. */
  async attempt<T>(work: (store: Store) => Promise<Result<T>>): Promise<Result<T>> {
    const { store } = this;
    try {
      return await work(store);
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      this.lose(store, error);
      return { ok: false, fault: error.fault };
    }
  }

  /** Reads for a job: a medium that fails under it makes the journal unsound, and the job finds nothing. */
  async reading(read: () => Promise<void>): Promise<void> {
    await this.attempt(async () => good(await read()));
  }

  /** The medium did not let itself be read: it is opened again, and repaired where it is damaged. */
  lose(store: Store, { message }: StoreLost): void {
    if (store !== this.store) return; // It was opened again meanwhile.
    sometimes('journal: a reading failed under a job');
    this.parts.vault?.mistrust(message);
    this.#becomeUnsound();
  }

  /** There is work to do: to open it again, and at once, for no reading is taken in until then. */
  #becomeUnsound(): void {
    this.sound = false;
    this.stagedBell.ring();
    this.urgentBell.ring();
  }

  /** After a failed write nobody knows what is on the medium: forget what memory held, open it again and read. */
  async #recover(): Promise<Result<void>> {
    await this.store.close();
    this.store = NO_STORE;
    const opened = await openStanding(this.parts);
    sometimes(opened.ok ? 'journal: opened' : 'journal: could not be opened');
    if (!opened.ok) return opened;
    this.#adopt(opened.value);
    for (const declare of this.declared.values()) declare();
    this.parts.onOpen?.();
    this.freshBell.ring(); // What is pending on the medium may never have been news.
    return good(undefined);
  }

  #adopt(opened: Opened): void {
    const { store, standing, renewed, resumed, damaged, tellings, isProved } = opened;
    this.store = store;
    this.standing = standing;
    this.nextRow = standing.nextRow;
    const troubles = [...standing.troubles.values()].map(({ alarm }) => alarm);
    this.#ownAlarm = Math.max(standing.ownAlarm, ...troubles);
    this.kept.clear();
    for (const [meter, state] of standing.states) this.kept.set(meter, state);
    this.around.clear();
    this.group = emptyGroup();
    this.settled.clear();
    this.again.clear();
    this.unsynced.clear();
    this.cursors.clear();
    this.sound = true;
    const { changes } = this.group;
    this.#isUnheard = !isProved;
    if (!isProved) this.suspectedBell.ring();
    for (const [key] of damaged) changes.set(key, undefined);
    for (const meter of resumed) if (standing.states.has(meter)) this.group.states.add(meter);
    for (const facts of standing.facts.values()) {
      if (resumed.includes(facts.meter)) this.keepFacts(facts);
    }
    if (renewed || damaged.length > 0) {
      changes.set(
        keys.meta,
        encodeMeta({ epoch: standing.epoch, collector: this.parts.collector }),
      );
      changes.set(keys.nextRow, seal(keys.nextRow, this.nextRow));
      changes.set(ABSENT_KEY, encodeAbsent(standing.absent));
    }
    for (const [key, entryKey] of opened.pendingAgain) {
      const { meter, row } = pendingOf(key);
      this.pendAgain(key, entryKey);
      this.standing.waiting.add(meter, row, entryKey);
    }
    void this.parts.vault?.quarantine(damaged);
    for (const telling of tellings) this.tell(telling);
  }

  /** Writes a pending key again; a search that passes its place before it is on the medium looks there once more. */
  pendAgain(key: string, entryKey: string): void {
    const { meter, row } = pendingOf(key);
    if (isOfEvent(entryKey)) this.standing.events.set(row, meter);
    this.again.add(key);
    this.group.again.push(key);
    this.group.changes.set(key, encodeEntryKey(key, entryKey));
  }

  /** What the collector tells of itself next has this number: that of its row, or a higher one where that was given before. */
  nextAlarm(): number {
    return Math.max(this.nextRow, this.#ownAlarm + 1);
  }

  /** An event of the collector itself (E1): told once. Which alarm it began or went on with, and since when that is. */
  tell({ code, severity, data, of }: Telling): { alarm: number; since: EpochMs } {
    const at = this.#stampNow();
    const next = { alarm: this.nextAlarm(), message: 0, phase: 'raise', since: at } as const;
    const alarm = of ?? next;
    this.#ownAlarm = Math.max(this.#ownAlarm, alarm.alarm);
    this.addRow(COLLECTOR, { kind: 'event', inst: 0, ...alarm, code, severity, at, data });
    this.stagedBell.ring();
    this.urgentBell.ring();
    return { alarm: alarm.alarm, since: alarm.since };
  }

  /** A clock that has lost the time stamps with what was known last: what looks old would go soon. */
  #stampNow(): EpochMs {
    const now = this.now();
    if (now >= CLOCK_EPOCH_MS) return now;
    let known = now;
    for (const { clock } of this.standing.states.values()) known = Math.max(known, clock?.at ?? 0);
    return known;
  }

  /** Memory as it stands when a group is on its way to the medium, or when there is none, is what the medium holds. */
  #takeMark(rows: readonly Row[] = []): void {
    if (!this.#markWanted) return;
    this.#markWanted = false;
    const pending = new Map(this.standing.pending);
    for (const { meter } of rows) pending.set(meter, (pending.get(meter) ?? 0) + 1);
    // Of a quiet reading only memory knows.
    this.#marked = markOf(
      { ...this.standing, states: this.kept, pending },
      this.nextRow,
      this.parts.collector,
    );
  }

  async rowAt(key: string | undefined): Promise<Row | undefined> {
    if (key === undefined || key === '') return undefined;
    const text = await textAt(this.store, key);
    return text === undefined ? undefined : decodeRow(key, text);
  }

  async *rows(from: string, to: string): AsyncIterable<EntryRow> {
    for await (const [key, text] of this.store.entries({ from, to })) {
      const row = decodeRow(key, text);
      if (!row) this.suspectedBell.ring();
      if (!row || row.kind === 'event') throw new StoreLost(`the entry in ${key} is damaged`);
      yield row;
    }
  }
}
