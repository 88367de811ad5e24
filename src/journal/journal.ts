// The journal: installations in memory, one group at a time made durable, rows handed out only after their group is synced.

import { Bell } from '../bell.ts';
import type {
  ChangeOut,
  Examined,
  Journal,
  JournalFigures,
  KeepLimits,
  Memory,
  Pending,
  Room,
  ScrubReport,
  Store,
  StoreChange,
  Thinned,
} from '../boundaries.ts';
import {
  decodeEntryKey,
  decodeIncrement,
  decodeRow,
  encodeCheckpoint,
  encodeCircumstances,
  encodeEntryKey,
  encodeFacts,
  encodeIncrement,
  encodeNotice,
  encodeRow,
  encodeState,
  hintOfEntryKey,
  incrementOf,
  keyOfRow,
  keys,
  pendingOf,
  seal,
  unseal,
  within,
} from '../codec/journal-record.ts';
import { sameCircumstances, sameStanding } from '../codec/state-record.ts';
import {
  type Advance,
  finish,
  type Installation,
  type MeterRules,
  newInstallation,
} from '../domain/advance.ts';
import type { EventEntry } from '../domain/alarms.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import { newest } from '../domain/conservation.ts';
import type {
  Acknowledged,
  Entry,
  EntryRow,
  EventRow,
  Flag,
  Increment,
  Row,
  RowRanges,
} from '../domain/entry.ts';
import { type Declaration, type InstallationFacts, judgeDeclaration } from '../domain/facts.ts';
import { faulty, good, type Result, StoreLost } from '../domain/fault.ts';
import { RowSet } from '../domain/row-set.ts';
import { type Dial, type EpochMs, HOUR_MS } from '../domain/units.ts';
import { sometimes } from '../sometimes.ts';
import { ABSENT_KEY, type Absent, alsoAbsent, encodeAbsent } from './absent.ts';
import { measure, WearMeter } from './figures.ts';
import {
  encodeMeta,
  type KeptAnswer,
  nothingStands,
  PRESSURE_KEY,
  type Standing,
  WEAR_KEY,
  type Wear,
} from './load.ts';
import { lossOf, tellLosses } from './losses.ts';
import { encodeMark, type Mark, markOf } from './mark.ts';
import { decodeSnapshot, encodeSnapshot, Shares } from './memories.ts';
import { type Opened, type OpeningParts, openStanding, type Telling } from './opening.ts';
import { countOf, holds, rangesOf } from './ranges.ts';
import { bringBack } from './salvage.ts';
import { examine, type Findings, problemsOf } from './scrub.ts';
import { textAt } from './thin.ts';
import { type Gone, type Holdings, isRelieved, isShort, Thinner } from './thinner.ts';

/** Results of commands are kept so many and so long (C2). */
const ANSWERS_MAX = 10_000;
const ANSWERS_MS = 24 * HOUR_MS;

export interface JournalParts extends OpeningParts {
  /** Called each time the store has been opened and read, before anything is taken in. */
  readonly onOpen?: (() => void) | undefined;
}

/** Opens the journal, or says why it cannot be opened now. */
export async function openJournal(parts: JournalParts): Promise<Result<Journal>> {
  const journal = createJournal(parts);
  const opened = await journal.flush();
  return opened.ok ? good(journal) : opened;
}

/** A journal whose store is not open yet: not sound until a `flush` has opened it. */
export function createJournal(parts: JournalParts): Journal {
  return new GroupJournal(parts);
}

/** What stands for a store while none is open. */
const NO_STORE: Store = {
  write: () => Promise.resolve(faulty('store.failed', 'the journal is not open')),
  get: () => Promise.resolve(faulty('store.failed', 'the journal is not open')),
  // biome-ignore lint/correctness/useYield: it ends before its first entry.
  async *entries() {
    throw new StoreLost('the journal is not open');
  },
  close: () => Promise.resolve(),
};

/** One group: what the next synced batch will hold. The newest change of a key stands. */
interface Group {
  readonly changes: Map<string, string | undefined>;
  readonly rows: Row[];
  readonly settled: string[];
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
  settled: [],
  states: new Set(),
  described: new Set(),
  again: [],
  answers: new Map(),
});

/** Stands in the place of a meter for what the collector tells of itself. */
const COLLECTOR = '';

class GroupJournal implements Journal {
  readonly #parts: JournalParts;
  #store: Store = NO_STORE;
  #standing: Standing = nothingStands('');
  #nextRow = 1;
  #sound = false;
  #group = emptyGroup();
  #flushing: Promise<Result<void>> | null = null;
  #fresh: Row[] = [];
  #described = new Set<string>();
  /** Pending keys whose rows are acknowledged while their deletion is not yet durable. */
  readonly #settled = new Set<string>();
  /** Pending keys that are to be written again and are not on the medium yet. */
  readonly #again = new Set<string>();
  readonly #claimed = new RowSet();
  /** Rows that were asked for again. */
  readonly #replayed = new RowSet();
  /** Answers that are not on the medium yet. */
  readonly #unsynced = new Map<string, KeptAnswer>();
  /** Installations as they were written last, and those with which their circumstances were. */
  readonly #kept = new Map<string, Installation>();
  readonly #around = new Map<string, Installation>();
  /** What was declared, to be declared again when memory is read anew. */
  readonly #declared = new Map<string, () => void>();
  /** Where the search for a meter's oldest pending row begins: a search over deleted keys is slow (LevelDB). */
  readonly #cursors = new Map<string, string>();
  readonly #thinner = new Thinner(this.#holdings());
  readonly #wear = new WearMeter();
  readonly #shares = new Shares();
  #lonely: Promise<unknown> = Promise.resolve();
  readonly #stagedBell = new Bell();
  readonly #urgentBell = new Bell();
  readonly #freshBell = new Bell();
  readonly #suspectedBell = new Bell();
  /** A mark is wanted of what the next group makes durable. */
  #markWanted = false;
  #marked: Mark | null = null;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#stagedBell.ring(); // There is work to do: to open it.
  }

  get epoch(): string {
    return this.#standing.epoch;
  }

  isSound(): boolean {
    return this.#sound;
  }

  installation(meter: string): Installation | undefined {
    return this.#sound ? this.#standing.states.get(meter) : undefined;
  }

  facts(meter: string): InstallationFacts | undefined {
    const state = this.#standing.states.get(meter);
    return state && this.factsOf(meter, state.inst);
  }

  factsOf(meter: string, inst: number): InstallationFacts | undefined {
    return this.#standing.facts.get(`${meter}/${inst}`);
  }

  meters(): readonly string[] {
    return [...this.#standing.states.keys()].sort();
  }

  lastRow(): number {
    return this.#nextRow - 1;
  }

  declare(meter: string, declared: Declaration, rules: MeterRules): void {
    this.#declared.set(meter, () => this.#declare(meter, declared, rules));
    if (this.#sound) this.#declare(meter, declared, rules);
  }

  changeOut(meter: string, change: ChangeOut, rules: MeterRules): void {
    const before = this.#standing.states.get(meter);
    const facts = this.facts(meter);
    if (!before || !facts) return;
    this.commit(meter, finish(before, ['changeout'], rules, change.told));
    const { declared } = facts;
    this.#install(meter, facts.inst + 1, change, declared, ['changeout']);
  }

  #declare(meter: string, declared: Declaration, rules: MeterRules): void {
    const facts = this.facts(meter);
    const before = this.#standing.states.get(meter);
    if (!facts || !before) {
      // Where an installation stood of which nothing is proved any more, the next one begins.
      const inst = (this.#standing.highest.get(meter) ?? 0) + 1;
      return this.#install(meter, inst, { ...declared }, declared, inst > 1 ? ['config'] : []);
    }
    const verdict = judgeDeclaration(facts, declared);
    if (verdict === 'unchanged') return;
    if (verdict === 'agreed') return this.#keepFacts({ ...facts, declared });
    // An encoder named since is a fact: the next one named is compared with it.
    if (verdict === 'named') return this.#keepFacts({ ...facts, ...declared, declared });
    this.commit(meter, finish(before, ['config'], rules));
    this.#install(meter, facts.inst + 1, { ...declared }, declared, ['config']);
  }

  /** Another meter stands there from now on. */
  #install(
    meter: string,
    inst: number,
    { dial, registerId, bodySerial }: Declaration & { readonly bodySerial?: string | null },
    declared: Declaration,
    birth: readonly Flag[],
  ): void {
    const unread = { installed: null, initialRead: null, bodySerial: bodySerial ?? null };
    this.#keepFacts({ meter, inst, dial, registerId, declared, ...unread });
    this.#keepState(meter, newInstallation(inst, birth));
  }

  commit(meter: string, after: Advance): void {
    if (!this.#sound) return;
    if (this.#isQuiet(meter, after)) {
      this.#standing.states.set(meter, after.state);
      return;
    }
    this.#keepState(meter, after.state);
    this.#noteBirth(meter, after.state);
    const { changes } = this.#group;
    for (const step of after.increments) {
      changes.set(keys.increment(meter, step.inst, step.seq), encodeIncrement(meter, step));
    }
    for (const [n, notice] of after.notices.entries()) {
      const key = keys.notice(meter, notice.at, n);
      changes.set(key, encodeNotice(key, notice));
    }
    for (const event of after.events) this.#addRow(meter, event);
    for (const entry of after.entries) this.#addRow(meter, entry);
    if (after.entries.length + after.events.length > 0) this.#urgentBell.ring();
  }

  async publishedFrom(meter: string, start: EpochMs): Promise<readonly Entry[]> {
    await this.flush();
    const found: Entry[] = [];
    await this.#reading(() => this.#findPublished(meter, start, found));
    // By its newest revision: a restated gap may end earlier than it did.
    return newest(found).filter((entry) => entry.kind === 'hour' || entry.to > start);
  }

  async #findPublished(meter: string, start: EpochMs, found: Entry[]): Promise<void> {
    const inst = this.#standing.states.get(meter)?.inst ?? 0;
    for await (const row of this.#rows(
      keys.hoursFrom(meter, inst, start),
      within(`h/${meter}/`).to,
    )) {
      found.push(row);
    }
    const gaps = within(keys.gaps(meter, inst));
    for await (const row of this.#rows(gaps.from, gaps.to)) {
      found.push(row);
    }
  }

  staged(signal: AbortSignal): Promise<void> {
    return this.#stagedBell.wait(signal);
  }

  urgent(signal: AbortSignal): Promise<void> {
    return this.#urgentBell.wait(signal);
  }

  fresh(signal: AbortSignal): Promise<void> {
    return this.#freshBell.wait(signal);
  }

  async flush(): Promise<Result<void>> {
    while (this.#flushing !== null) await this.#flushing;
    this.#flushing = this.#sound ? this.#writeGroup() : this.#recover();
    try {
      return await this.#flushing;
    } finally {
      this.#flushing = null;
    }
  }

  takeFresh(): readonly Row[] {
    const rows = this.#fresh;
    this.#fresh = [];
    return rows;
  }

  takeDescribed(): readonly string[] {
    const meters = [...this.#described];
    this.#described.clear();
    return meters;
  }

  metersPending(): readonly string[] {
    return [...this.#standing.pending]
      .filter(([, rows]) => rows > 0)
      .map(([meter]) => meter)
      .sort();
  }

  async backlog(meter: string, limit: number): Promise<readonly Row[]> {
    const rows: Row[] = [];
    await this.#reading(() => this.#findPending(meter, limit, rows));
    return rows;
  }

  async #findPending(meter: string, limit: number, rows: Row[]): Promise<void> {
    const range = within(`p/${meter}/`);
    const from = this.#cursors.get(meter) ?? range.from;
    const store = this.#store;
    let first: string | undefined;
    for await (const [key, text] of store.entries({ from, to: range.to })) {
      if (this.#settled.has(key)) continue;
      first ??= key;
      if (this.#claimed.has(pendingOf(key).row)) continue;
      const row = await this.#pendingRow(key, decodeEntryKey(key, text));
      if (!row) continue;
      if (rows[0] && rows[0].inst !== row.inst) break;
      rows.push(row);
      if (rows.length >= limit) break;
    }
    // What was settled before the medium was opened again may be pending again.
    if (store === this.#store) this.#cursors.set(meter, first ?? from);
  }

  /** What is damaged is never sent and stops no other row; a scrub tells what it was. */
  async #pendingRow(key: string, entryKey: string | undefined): Promise<Row | undefined> {
    const row = await this.#rowAt(entryKey);
    if (row && keys.pending(row.meter, row.row) === key) return row;
    this.#suspectedBell.ring();
    return undefined;
  }

  claim(rows: readonly Row[]): void {
    for (const { row } of rows) this.#claimed.add(row);
  }

  release(rows: readonly { readonly row: number }[]): void {
    for (const { row } of rows) this.#claimed.delete(row);
  }

  settle(rows: readonly Row[]): void {
    for (const { meter, row } of rows) this.#settle(meter, row);
  }

  acknowledged(): Acknowledged {
    const { acknowledged, epoch } = this.#standing;
    if (acknowledged.epoch === epoch) return acknowledged;
    return { ...acknowledged, epoch, row: 0, missing: [], sent: 0 };
  }

  requireAcks(): void {
    if (!this.#sound || this.#standing.acknowledged.required) return;
    this.#keepAcknowledged({ ...this.acknowledged(), required: true });
  }

  async acknowledge(ack: Acknowledged, isLast: boolean): Promise<void> {
    if (!this.#sound) return;
    const before = this.acknowledged();
    // Before its first word rows were settled by PUBACK.
    const fallsBack = isLast && (ack.row < before.row || before.row === 0);
    await this.#reading(async () => {
      await this.#settleTo(ack);
      const after: RowRanges = fallsBack ? [[ack.row + 1, this.lastRow()]] : [];
      for (const range of [...ack.missing, ...after]) await this.#takeUpAgain(range);
      this.#keepAcknowledged(ack);
    });
  }

  async sendAgain(ranges: RowRanges): Promise<number> {
    let count = 0;
    await this.#reading(async () => {
      for (const range of ranges) count += await this.#takeUpAgain(range);
    });
    await this.flush();
    return count;
  }

  isReplayed(row: number): boolean {
    return this.#replayed.has(row);
  }

  note(event: Parameters<Journal['note']>[0]): void {
    if (this.#sound) this.#tell(event);
  }

  keepAnswer(id: string, text: string, at: EpochMs): void {
    const { answers } = this.#standing;
    const { changes } = this.#group;
    const kept: KeptAnswer = [at, text];
    answers.delete(id);
    answers.set(id, at);
    for (const [oldest, then] of answers) {
      if (answers.size <= ANSWERS_MAX && at - then < ANSWERS_MS) break;
      answers.delete(oldest);
      changes.set(keys.answer(oldest), undefined);
    }
    this.#unsynced.set(id, kept);
    this.#group.answers.set(id, kept);
    changes.set(keys.answer(id), seal(keys.answer(id), kept));
    this.#stagedBell.ring();
  }

  async keptAnswer(id: string): Promise<string | undefined> {
    if (!this.#standing.answers.has(id)) return undefined;
    const unsynced = this.#unsynced.get(id);
    if (unsynced) return unsynced[1];
    const found = await this.#store.get(keys.answer(id));
    const kept = unseal(keys.answer(id), (found.ok && found.value) || '');
    return (kept as KeptAnswer | undefined)?.[1];
  }

  #keepAcknowledged(acknowledged: Acknowledged): void {
    this.#standing.acknowledged = acknowledged;
    this.#group.changes.set(keys.ack, seal(keys.ack, acknowledged));
    this.#stagedBell.ring();
  }

  #settle(meter: string, row: number): void {
    const key = keys.pending(meter, row);
    if (this.#settled.has(key)) return;
    this.#settled.add(key);
    this.#replayed.delete(row);
    this.#count(meter, -1);
    this.#group.changes.set(key, undefined);
    this.#group.settled.push(key);
    this.#stagedBell.ring();
  }

  /** Settles what the head-end has stored. */
  async #settleTo({ row: last, missing }: Acknowledged): Promise<void> {
    const wanted = (row: number) => missing.some(([from, to]) => row >= from && row <= to);
    for (const meter of this.metersPending()) {
      const from = this.#cursors.get(meter) ?? within(`p/${meter}/`).from;
      const range = { from, to: keys.pending(meter, last + 1) };
      for await (const [key] of this.#store.entries(range)) {
        const { row } = pendingOf(key);
        if (wanted(row)) continue;
        this.#settle(meter, row);
        this.#claimed.delete(row);
      }
    }
  }

  /** Makes rows pending again that the head-end asks for; those that retention has dropped it must do without. */
  async #takeUpAgain([first, last]: RowRanges[number]): Promise<number> {
    let count = 0;
    sometimes('journal: rows were made pending again');
    const range = { from: keys.row(first), to: keys.row(Math.min(last, this.lastRow()) + 1) };
    for await (const [key, text] of this.#store.entries(range)) {
      const entryKey = decodeEntryKey(key, text);
      if (entryKey === undefined) continue; // The scrub tells of it.
      const row = Number(key.split('/')[1]);
      const meter = entryKey.split('/')[1] ?? '';
      const marker = keys.pending(meter, row);
      this.#replayed.add(row);
      count += 1;
      const kept = await this.#store.get(marker);
      if (!kept.ok) throw new StoreLost(kept.fault.detail);
      const isPending = kept.value !== undefined || this.#again.has(marker);
      if (isPending && !this.#settled.has(marker)) continue;
      this.#settled.delete(marker);
      this.#claimed.delete(row);
      this.#count(meter, 1);
      this.#again.add(marker);
      this.#group.again.push(marker);
      this.#group.changes.set(marker, encodeEntryKey(marker, entryKey));
    }
    return count;
  }

  async pending(): Promise<Pending> {
    let rows = 0;
    let oldest: EpochMs | null = null;
    for (const [meter, count] of this.#standing.pending) {
      if (count <= 0) continue;
      rows += count;
      await this.#reading(async () => {
        const begin = await this.#oldestPending(meter);
        if (begin !== null) oldest = Math.min(oldest ?? begin, begin);
      });
    }
    return { rows, oldest };
  }

  async *rowsOf(meter: string, from = 0, to = Number.POSITIVE_INFINITY): AsyncIterable<EntryRow> {
    for (const kind of ['h', 'g']) {
      const range = within(`${kind}/${meter}/`);
      for await (const row of this.#rows(range.from, range.to)) {
        const begins = row.kind === 'hour' ? row.start : row.from;
        const ends = row.kind === 'hour' ? row.start : row.to;
        if (ends >= from && begins < to) yield row;
      }
    }
  }

  async *eventsOf(meter: string): AsyncIterable<EventRow> {
    const range = within(`e/${meter}/`);
    for await (const [key, text] of this.#store.entries(range)) {
      const row = decodeRow(key, text);
      if (row?.kind !== 'event') throw new StoreLost(`the event in ${key} is damaged`);
      yield row;
    }
  }

  async *incrementsOf(meter: string): AsyncIterable<Increment> {
    for await (const [key, text] of this.#store.entries(within(`i/${meter}/`))) {
      const dial = this.factsOf(meter, incrementOf(key).inst)?.dial;
      const step = dial && decodeIncrement(key, text, dial);
      if (!step) throw new StoreLost(`the increment in ${key} is damaged`);
      yield step;
    }
  }

  suspected(signal: AbortSignal): Promise<void> {
    return this.#suspectedBell.wait(signal);
  }

  async mark(clean = false): Promise<Result<void>> {
    const taken = await this.#durable();
    if (!taken.ok) return taken;
    const text = encodeMark({ ...taken.value, clean });
    return (await this.#parts.vault?.writeMark(text)) ?? good(undefined);
  }

  /** What the medium holds, as a mark. */
  async #durable(): Promise<Result<Mark>> {
    if (!this.#sound) return faulty('store.failed', 'the journal is not open');
    this.#markWanted = true;
    this.#marked = null;
    const written = await this.flush();
    if (!written.ok) return written;
    const taken = this.#marked;
    return taken ? good(taken) : faulty('store.failed', 'the journal was opened anew');
  }

  scrub(rest: () => Promise<void>): Promise<Result<ScrubReport>> {
    return this.#alone(() => this.#scrub(rest));
  }

  async #scrub(rest: () => Promise<void>): Promise<Result<ScrubReport>> {
    const taken = await this.#durable();
    if (!taken.ok) return taken;
    const store = this.#store;
    try {
      const first = await this.#examine(store, taken.value, rest);
      const brought = lacksAny(first) ? await this.#bringBack(store, first) : good(0);
      if (!brought.ok) return brought;
      const found = brought.value > 0 ? await this.#examine(store, taken.value, rest) : first;
      const tellings = await tellLosses(store, found);
      await this.#putRight(store, found, brought.value);
      for (const telling of tellings) this.#tell(telling);
      const written = await this.flush();
      if (!written.ok) return written;
      await this.#parts.vault?.release();
      return good(reportOf(found, brought.value));
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      this.#lose(store, error);
      return { ok: false, fault: error.fault };
    }
  }

  #examine(store: Store, mark: Mark, rest: (records: number) => Promise<void>): Promise<Findings> {
    const { facts, absent, checkpoints } = this.#standing;
    return examine(store, { mark, absent, facts, checkpoints }, rest);
  }

  /** Brings back what was kept before the opening: never what was deleted since, nor what memory knows better. */
  async #bringBack(store: Store, found: Findings): Promise<Result<number>> {
    const copy = await this.#parts.vault?.salvage();
    if (!copy?.ok || !copy.value) return good(0);
    const waiting: string[] = [];
    try {
      const brought = await bringBack(store, copy.value, (key) => {
        if (!key.startsWith('p/')) return !/^[as]\//.test(key);
        if (!holds(found.rows, pendingOf(key).row)) return false;
        waiting.push(key);
        return true;
      });
      if (brought.ok) for (const key of waiting) this.#count(pendingOf(key).meter, 1);
      this.#cursors.clear();
      this.#freshBell.ring();
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
    await this.#parts.vault?.quarantine(damaged);
    const astray = damaged.filter(([key]) => key.startsWith('p/'));
    for (const [key, text] of found.astray) {
      const row = await this.#rowAt(decodeEntryKey(key, text));
      if (!row || keys.pending(row.meter, row.row) !== key) astray.push([key, text]);
    }
    // A row whose number was lost may have lost its pending record with it.
    const numbered = [...unindexed].map(
      ([row, key]) => [keys.row(row), encodeEntryKey(keys.row(row), key)] as const,
    );
    const waiting = await this.#waiting(store, [...astray, ...numbered]);
    // From here on nothing waits: a group is written as it is found.
    const { changes } = this.#group;
    for (const [key] of damaged) changes.set(key, undefined);
    for (const key of [...damaged.map(([one]) => one), ...standing]) this.#renew(key);
    for (const [row, entryKey] of unindexed) {
      const key = keys.row(row);
      changes.set(key, encodeEntryKey(key, entryKey));
    }
    this.#repend(astray, waiting);
    this.#forget({ rows, increments });
    if (broughtBack + damaged.length + unindexed.size + astray.length === 0) return;
    const data = {
      brought_back: broughtBack,
      put_aside: damaged.length,
      written_again: unindexed.size + waiting.size,
      records: found.records,
    };
    this.#tell({ code: 'journal.repaired', severity: 'major', data });
  }

  /** Takes false pending records away and puts right ones in their place. */
  #repend(
    astray: readonly (readonly [key: string, text: string])[],
    waiting: ReadonlyMap<string, { entryKey: string; isNew: boolean }>,
  ): void {
    const { changes } = this.#group;
    for (const [key] of astray) {
      if (waiting.has(key) || this.#settled.has(key)) continue;
      changes.set(key, undefined);
      this.#count(pendingOf(key).meter, -1);
    }
    for (const [key, { entryKey, isNew }] of waiting) {
      if (this.#settled.has(key)) continue;
      changes.set(key, encodeEntryKey(key, entryKey));
      if (isNew) this.#count(pendingOf(key).meter, 1);
    }
    this.#cursors.clear();
    this.#freshBell.ring();
  }

  /**
   * The rows that pending keys which lead astray may stand for, by their number and by the entry they name: both are
   * pending again, for what is sent twice is counted once.
   */
  async #waiting(
    store: Store,
    astray: readonly (readonly [key: string, text: string])[],
  ): Promise<Map<string, { entryKey: string; isNew: boolean }>> {
    const waiting = new Map<string, { entryKey: string; isNew: boolean }>();
    const valueAt = async (key: string) => {
      const found = await store.get(key);
      if (!found.ok) throw new StoreLost(found.fault.detail);
      return found.value;
    };
    for (const [key, text] of astray) {
      const { row } = pendingOf(key);
      const number = keys.row(row);
      const numbered = Number.isSafeInteger(row) ? await valueAt(number) : undefined;
      for (const entryKey of [hintOfEntryKey(text), decodeEntryKey(number, numbered ?? '')]) {
        const entry = await this.#rowAt(entryKey);
        if (!entry || entryKey === undefined) continue;
        const right = keys.pending(entry.meter, entry.row);
        waiting.set(right, { entryKey, isNew: (await valueAt(right)) === undefined });
      }
    }
    return waiting;
  }

  /** Standing records are in memory as they were proved at the opening. */
  #renew(key: string): void {
    const { changes, states } = this.#group;
    const { facts, absent, epoch } = this.#standing;
    if (key === keys.meta)
      changes.set(key, encodeMeta({ epoch, collector: this.#parts.collector }));
    else if (key === keys.nextRow) changes.set(key, seal(key, this.#nextRow));
    else if (key === ABSENT_KEY) changes.set(key, encodeAbsent(absent));
    else if (/^[cs]\//.test(key) && this.#standing.states.has(key.slice(2))) {
      changes.delete(key);
      this.#around.delete(key.slice(2));
      states.add(key.slice(2));
    } else if (key.startsWith('d/')) {
      const [, meter = '', inst] = key.split('/');
      const found = facts.get(`${meter}/${Number(inst)}`);
      if (found) changes.set(keys.facts(meter, found.inst), encodeFacts(found));
    }
  }

  /** What is lost and told is known to be absent from now on. */
  #forget(lost: Absent): void {
    if (lost.rows.length === 0 && Object.keys(lost.increments).length === 0) return;
    const { changes } = this.#group;
    for (const [from, to] of lost.rows) {
      for (let row = from; row <= to; row += 1) changes.set(keys.row(row), undefined);
    }
    this.#standing = { ...this.#standing, absent: alsoAbsent(this.#standing.absent, lost) };
    changes.set(ABSENT_KEY, encodeAbsent(this.#standing.absent));
  }

  checkpoint(meter: string, inst: number): Checkpoint | undefined {
    return this.#standing.checkpoints.get(`${meter}/${inst}`);
  }

  thin(limits: KeepLimits, rest: () => Promise<void>): Promise<Result<Thinned>> {
    return this.#alone(() => this.#thin(limits, rest));
  }

  async #thin(limits: KeepLimits, rest: () => Promise<void>): Promise<Result<Thinned>> {
    if (!this.#sound) return faulty('store.failed', 'the journal is not open');
    const now = this.#parts.now?.() ?? 0;
    const store = this.#store;
    try {
      const aged = await this.#thinner.byAge(now, limits, rest);
      if (!aged.ok) return aged;
      return await this.#makeRoom(now, limits, aged.value, rest);
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      this.#lose(store, error);
      return { ok: false, fault: error.fault };
    }
  }

  async #makeRoom(
    now: EpochMs,
    limits: KeepLimits,
    aged: Thinned,
    rest: () => Promise<void>,
  ): Promise<Result<Thinned>> {
    const measure = async () => {
      const room = await this.#store.room?.();
      if (room && !room.ok) throw new StoreLost(room.fault.detail);
      return room?.value ?? { bytes: 0, freeBytes: Number.POSITIVE_INFINITY };
    };
    const room = await measure();
    const { pressure } = this.#standing;
    if (pressure ? isRelieved(room, limits) : !isShort(room, limits)) {
      this.#tellPressure(room, limits, aged);
      const written = await this.flush();
      return written.ok ? good(aged) : written;
    }
    const thinned = await this.#thinner.forRoom(now, limits, measure, rest);
    if (!thinned.ok) return thinned;
    const { increments, hours, events } = thinned.value;
    const all = {
      increments: aged.increments + increments,
      hours: aged.hours + hours,
      events: aged.events + events,
    };
    this.#tellPressure(room, limits, all);
    const written = await this.flush();
    return written.ok ? good(all) : written;
  }

  /** Raised when room was short, cleared when it is not any more; told again only when more had to go. */
  #tellPressure(room: Room, limits: KeepLimits, thinned: Thinned): void {
    const { pressure } = this.#standing;
    const short = pressure ? !isRelieved(room, limits) : isShort(room, limits);
    const gone = thinned.increments + thinned.hours > 0;
    if (!short && !pressure) return;
    if (short && pressure && !gone) return;
    const since = pressure?.since ?? this.#parts.now?.() ?? 0;
    const { alarm, messages } = pressure ?? { alarm: this.#nextRow, messages: 0 };
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
    this.#tell({ code: 'journal.pressure', severity: short ? 'major' : 'info', data, of });
    const next = short ? { alarm, messages: messages + 1, since } : null;
    this.#standing = { ...this.#standing, pressure: next };
    this.#group.changes.set(PRESSURE_KEY, next ? seal(PRESSURE_KEY, next) : undefined);
  }

  async examine(rest: (records: number) => Promise<void>): Promise<Result<Examined>> {
    return this.#alone(async () => {
      const taken = await this.#durable();
      if (!taken.ok) return taken;
      const store = this.#store;
      try {
        const found = await this.#examine(store, taken.value, rest);
        const { records } = found;
        const rowsGone = countOf(this.#standing.absent.rows);
        return good({ records, problems: problemsOf(found), rowsGone });
      } catch (error) {
        if (!(error instanceof StoreLost)) throw error;
        this.#lose(store, error);
        return { ok: false, fault: error.fault };
      }
    });
  }

  async *records(): AsyncIterable<readonly [key: string, value: string]> {
    const written = await this.flush();
    if (!written.ok) throw new StoreLost(written.fault.detail);
    yield* this.#store.entries({ from: ' ', to: '~' });
  }

  async figures(): Promise<Result<JournalFigures>> {
    const store = this.#store;
    try {
      const facts = [...this.#standing.facts.values()];
      const sizes = await measure(store, facts, (meter, inst) => this.checkpoint(meter, inst));
      const { rows } = await this.pending();
      const wornToday = this.#wornToday()?.bytes ?? null;
      return good({ rows: this.lastRow(), pending: rows, ...sizes, wornToday });
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      this.#lose(store, error);
      return { ok: false, fault: error.fault };
    }
  }

  remember(meter: string, known: unknown): boolean {
    const state = this.#sound ? this.#standing.states.get(meter) : undefined;
    if (!state) return false;
    const text = encodeSnapshot(meter, { inst: state.inst, seq: state.steps, known });
    if (!this.#shares.take(meter, text.length, this.#parts.now?.() ?? 0)) return false;
    this.#group.changes.set(keys.snapshot(meter), text);
    this.#stagedBell.ring();
    return true;
  }

  async remembered(meter: string): Promise<Memory | undefined> {
    const inst = this.#standing.states.get(meter)?.inst;
    const dial = this.facts(meter)?.dial;
    if (inst === undefined || !dial) return undefined;
    let memory: Memory | undefined;
    await this.#reading(async () => {
      const text = await textAt(this.#store, keys.snapshot(meter));
      const snapshot = decodeSnapshot(meter, text ?? '');
      if (snapshot?.inst !== inst) return;
      const since = await this.#stepsFrom(meter, inst, snapshot.seq, dial);
      if (since) memory = { known: snapshot.known, since };
    });
    return memory;
  }

  /** The increments from `seq` on; undefined where one is missing or damaged. */
  async #stepsFrom(
    meter: string,
    inst: number,
    seq: number,
    dial: Dial,
  ): Promise<Increment[] | undefined> {
    const steps: Increment[] = [];
    if ((this.checkpoint(meter, inst)?.seq ?? 0) > seq) return undefined;
    const from = keys.increment(meter, inst, seq);
    const to = keys.increment(meter, inst + 1, 0);
    for await (const [key, text] of this.#store.entries({ from, to })) {
      const step = decodeIncrement(key, text, dial);
      if (step?.seq !== seq + steps.length) return undefined;
      steps.push(step);
    }
    return steps;
  }

  #wornToday(): Wear | null {
    const now = this.#parts.now?.() ?? 0;
    return this.#wear.today(now, this.#store.worn?.() ?? null, this.#standing.wear);
  }

  /** What reads or thins the whole store does so alone: what one deletes the other would miss. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lonely.then(work);
    this.#lonely = done.catch(() => undefined);
    return done;
  }

  /** What its thinning may know and do. */
  #holdings(): Holdings {
    return {
      store: () => this.#store,
      facts: () => [...this.#standing.facts.values()],
      checkpoint: (meter, inst) => this.checkpoint(meter, inst),
      standOf: (row) => this.#standOf(row),
      undeliveredFrom: (meter, inst) => this.#undeliveredFrom(meter, inst),
      stage: (gone, checkpoint, why) => this.#stageThinning(gone, checkpoint, why),
      flush: () => this.flush(),
    };
  }

  async #standOf({ meter, row }: Row): Promise<'free' | 'waiting' | 'claimed'> {
    if (this.#claimed.has(row)) return 'claimed';
    const key = keys.pending(meter, row);
    if (this.#settled.has(key)) return 'free';
    return (await textAt(this.#store, key)) === undefined ? 'free' : 'waiting';
  }

  async #undeliveredFrom(meter: string, inst: number): Promise<EpochMs | undefined> {
    const range = within(`p/${meter}/`);
    const from = this.#cursors.get(meter) ?? range.from;
    let earliest: EpochMs | undefined;
    for await (const [key, text] of this.#store.entries({ from, to: range.to })) {
      if (this.#settled.has(key)) continue;
      const row = await this.#rowAt(decodeEntryKey(key, text));
      if (!row || row.kind === 'event' || row.inst !== inst) continue;
      earliest = Math.min(earliest ?? beginOf(row), beginOf(row));
      if (row.kind === 'hour' && row.rev === 0) break; // Those after it are later.
    }
    return earliest;
  }

  /** One batch: records, numbers and checkpoint go together, or not at all. */
  #stageThinning(
    { keys: gone, rows, waiting }: Gone,
    checkpoint: Checkpoint | null,
    why: 'age' | 'room',
  ): void {
    const { changes } = this.#group;
    for (const key of gone) changes.set(key, undefined);
    if (rows.length > 0) {
      const numbers = rows.map(({ row }) => row).sort((a, b) => a - b);
      this.#forget({ rows: rangesOf(numbers), increments: {} });
    }
    const lost = rows.filter(
      (row) => waiting.has(row.row) && !this.#settled.has(keys.pending(row.meter, row.row)),
    );
    this.settle(lost);
    if (lost.length > 0)
      this.#tell({ code: 'journal.loss', severity: 'major', data: lossOf(lost, why) });
    if (checkpoint) {
      const { meter, inst } = checkpoint;
      this.#standing.checkpoints.set(`${meter}/${inst}`, checkpoint);
      changes.set(keys.checkpoint(meter, inst), encodeCheckpoint(checkpoint));
    }
  }

  async close(): Promise<void> {
    for (const [meter, state] of this.#standing.states) {
      if (this.#sound && state !== this.#kept.get(meter)) this.#group.states.add(meter);
    }
    if (this.#sound) await this.mark(true);
    await this.#store.close();
  }

  #keepState(meter: string, state: Installation): void {
    const { states, ends } = this.#standing;
    const before = states.get(meter);
    if (before && before.inst < state.inst) ends.set(`${meter}/${before.inst}`, before.steps);
    states.set(meter, state);
    this.#group.states.add(meter);
    this.#stagedBell.ring();
  }

  #keepFacts(facts: InstallationFacts): void {
    this.#standing.facts.set(`${facts.meter}/${facts.inst}`, facts);
    this.#group.changes.set(keys.facts(facts.meter, facts.inst), encodeFacts(facts));
    this.#group.described.add(facts.meter);
  }

  /** The first accepted reading completes the installation's facts: total 0 is at its dial. */
  #noteBirth(meter: string, state: Installation): void {
    const facts = this.factsOf(meter, state.inst);
    if (!facts || facts.installed !== null || !state.initial) return;
    this.#keepFacts({ ...facts, installed: state.initial.at, initialRead: state.initial.read });
    this.#urgentBell.ring();
  }

  /**
   * Registers are absolute: where a reading found the dial as it was, nothing is lost but timing if it is forgotten, so
   * it wears no flash. It is written with the next thing that is worth it, at the latest with the hour.
   */
  #isQuiet(meter: string, { state, increments, entries, events, notices }: Advance): boolean {
    const kept = this.#kept.get(meter);
    const brought = increments.length + entries.length + events.length + notices.length;
    return brought === 0 && kept !== undefined && sameStanding(kept, state);
  }

  #addRow(meter: string, entry: Entry | EventEntry): void {
    const row: Row = { ...entry, meter, row: this.#nextRow };
    this.#nextRow += 1;
    const key = keyOfRow(row);
    const { changes, rows } = this.#group;
    changes.set(key, encodeRow(row));
    for (const named of [keys.row(row.row), keys.pending(meter, row.row)]) {
      changes.set(named, encodeEntryKey(named, key));
    }
    rows.push(row);
  }

  #count(meter: string, by: number): void {
    const { pending } = this.#standing;
    pending.set(meter, (pending.get(meter) ?? 0) + by);
  }

  async #writeGroup(): Promise<Result<void>> {
    const group = this.#group;
    if (group.changes.size + group.states.size === 0) {
      this.#takeMark();
      return good(undefined);
    }
    this.#group = emptyGroup();
    for (const meter of group.states) this.#encodeState(meter, group.changes);
    if (group.rows.length > 0) {
      group.changes.set(keys.nextRow, seal(keys.nextRow, this.#nextRow));
      const worn = this.#wornToday();
      if (worn) group.changes.set(WEAR_KEY, seal(WEAR_KEY, worn));
    }
    const changes: StoreChange[] = [];
    for (const [key, value] of group.changes) {
      changes.push(value === undefined ? { key } : { key, value });
    }
    this.#takeMark(group.rows);
    const written = await this.#store.write(changes);
    if (!written.ok) {
      sometimes('journal: a group could not be written');
      this.#sound = false;
      this.#stagedBell.ring(); // There is work to do: to open it again.
      return written;
    }
    this.#durableNow(group);
    return good(undefined);
  }

  #durableNow(group: Group): void {
    for (const key of group.settled) this.#settled.delete(key);
    for (const key of group.again) {
      this.#again.delete(key);
      // Only now can a search find it, and one since it was asked for may have begun beyond it.
      this.#cursors.delete(pendingOf(key).meter);
    }
    for (const [id, kept] of group.answers) {
      if (this.#unsynced.get(id) === kept) this.#unsynced.delete(id);
    }
    for (const row of group.rows) {
      this.#count(row.meter, 1);
      this.#fresh.push(row);
      this.#claimed.add(row.row); // The news has it first: sent twice at a time, it would be settled twice.
    }
    for (const meter of group.described) this.#described.add(meter);
    if (group.rows.length + group.described.size + group.again.length > 0) this.#freshBell.ring();
  }

  #encodeState(meter: string, changes: Group['changes']): void {
    const state = this.#standing.states.get(meter);
    if (!state) return;
    this.#kept.set(meter, state);
    changes.set(keys.state(meter), encodeState(meter, state));
    const around = this.#around.get(meter);
    if (around && sameCircumstances(around, state)) return;
    const text = encodeCircumstances(meter, state);
    if (text === undefined) return;
    this.#around.set(meter, state);
    changes.set(keys.circumstances(meter), text);
  }

  /** Reads for a job: a medium that fails under it makes the journal unsound, and the job finds nothing. */
  async #reading(read: () => Promise<void>): Promise<void> {
    const store = this.#store;
    try {
      await read();
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      this.#lose(store, error);
    }
  }

  /** The medium did not let itself be read: it is opened again, and repaired where it is damaged. */
  #lose(store: Store, { message }: StoreLost): void {
    if (store !== this.#store) return; // It was opened again meanwhile.
    sometimes('journal: a reading failed under a job');
    this.#parts.vault?.mistrust(message);
    this.#sound = false;
    this.#stagedBell.ring();
  }

  /** After a failed write nobody knows what is on the medium: forget what memory held, open it again and read. */
  async #recover(): Promise<Result<void>> {
    await this.#store.close();
    this.#store = NO_STORE;
    const opened = await openStanding(this.#parts);
    sometimes(opened.ok ? 'journal: opened' : 'journal: could not be opened');
    if (!opened.ok) return opened;
    this.#adopt(opened.value);
    for (const declare of this.#declared.values()) declare();
    this.#parts.onOpen?.();
    this.#freshBell.ring(); // What is pending on the medium may never have been news.
    return good(undefined);
  }

  #adopt(opened: Opened): void {
    const { store, standing, renewed, resumed, damaged, tellings, isProved } = opened;
    this.#store = store;
    this.#standing = standing;
    this.#nextRow = standing.nextRow;
    this.#kept.clear();
    for (const [meter, state] of standing.states) this.#kept.set(meter, state);
    this.#around.clear();
    this.#group = emptyGroup();
    this.#settled.clear();
    this.#again.clear();
    this.#unsynced.clear();
    this.#cursors.clear();
    this.#sound = true;
    const { changes } = this.#group;
    if (!isProved) this.#suspectedBell.ring();
    for (const [key] of damaged) changes.set(key, undefined);
    for (const meter of resumed) if (standing.states.has(meter)) this.#group.states.add(meter);
    for (const facts of standing.facts.values()) {
      if (resumed.includes(facts.meter)) this.#keepFacts(facts);
    }
    if (renewed || damaged.length > 0) {
      changes.set(
        keys.meta,
        encodeMeta({ epoch: standing.epoch, collector: this.#parts.collector }),
      );
      changes.set(keys.nextRow, seal(keys.nextRow, this.#nextRow));
      changes.set(ABSENT_KEY, encodeAbsent(standing.absent));
    }
    for (const [key, entryKey] of opened.pendingAgain) {
      changes.set(key, encodeEntryKey(key, entryKey));
      this.#count(pendingOf(key).meter, 1);
    }
    void this.#parts.vault?.quarantine(damaged);
    for (const telling of tellings) this.#tell(telling);
  }

  /** An event of the collector itself (E1): told once, under the number of its row. */
  #tell({ code, severity, data, of }: Telling): void {
    const at = this.#parts.now?.() ?? 0;
    const alarm = { alarm: this.#nextRow, message: 0, phase: 'raise', since: at } as const;
    this.#addRow(COLLECTOR, { kind: 'event', inst: 0, ...(of ?? alarm), code, severity, at, data });
    this.#stagedBell.ring();
    this.#urgentBell.ring();
  }

  /** Memory as it stands when a group is on its way to the medium, or when there is none, is what the medium holds. */
  #takeMark(rows: readonly Row[] = []): void {
    if (!this.#markWanted) return;
    this.#markWanted = false;
    const pending = new Map(this.#standing.pending);
    for (const { meter } of rows) pending.set(meter, (pending.get(meter) ?? 0) + 1);
    // Of a quiet reading only memory knows.
    this.#marked = markOf(
      { ...this.#standing, states: this.#kept, pending },
      this.#nextRow,
      this.#parts.collector,
      false,
    );
  }

  async #rowAt(key: string | undefined): Promise<Row | undefined> {
    if (key === undefined || key === '') return undefined;
    const found = await this.#store.get(key);
    if (!found.ok) throw new StoreLost(found.fault.detail);
    if (found.value === undefined) return undefined;
    return decodeRow(key, found.value);
  }

  async #oldestPending(meter: string): Promise<EpochMs | null> {
    const range = within(`p/${meter}/`);
    const from = this.#cursors.get(meter) ?? range.from;
    for await (const [key, text] of this.#store.entries({ from, to: range.to })) {
      if (this.#settled.has(key)) continue;
      const row = await this.#rowAt(decodeEntryKey(key, text));
      if (row) return beginOf(row);
    }
    return null;
  }

  async *#rows(from: string, to: string): AsyncIterable<EntryRow> {
    for await (const [key, text] of this.#store.entries({ from, to })) {
      const row = decodeRow(key, text);
      if (!row) this.#suspectedBell.ring();
      if (!row || row.kind === 'event') throw new StoreLost(`the entry in ${key} is damaged`);
      yield row;
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

/** What a row tells of, from when. */
function beginOf(row: Row): EpochMs {
  if (row.kind === 'event') return row.at;
  return row.kind === 'hour' ? row.start : row.from;
}
