// The journal: installations in memory, one group at a time made durable, rows handed out only after their group is synced.

import { Bell } from '../bell.ts';
import type { ChangeOut, Journal, Pending, Store, StoreChange } from '../boundaries.ts';
import {
  decodeIncrement,
  decodeRow,
  encodeCircumstances,
  encodeFacts,
  encodeIncrement,
  encodeNotice,
  encodeRow,
  encodeState,
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
import { good, type Result, StoreLost } from '../domain/fault.ts';
import { RowSet } from '../domain/row-set.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import { type KeptAnswer, loadStanding, type Standing } from './load.ts';

/** Results of commands are kept so many and so long (C2). */
const ANSWERS_MAX = 10_000;
const ANSWERS_MS = 24 * HOUR_MS;

export interface JournalParts {
  readonly collector: string;
  /** Opens the medium; called again after every failure. */
  readonly openStore: () => Promise<Result<Store>>;
  /** A new name for the life of a journal, never given before. */
  readonly newEpoch: () => string;
}

/** Opens the journal, or says why it cannot be opened now. */
export async function openJournal(parts: JournalParts): Promise<Result<Journal>> {
  const opened = await openStanding(parts);
  if (!opened.ok) return opened;
  return good(new GroupJournal(parts, opened.value.store, opened.value.standing));
}

async function openStanding(
  parts: JournalParts,
): Promise<Result<{ store: Store; standing: Standing }>> {
  const store = await parts.openStore();
  if (!store.ok) return store;
  const standing = await loadStanding(store.value, parts.collector, parts.newEpoch);
  if (standing.ok) return good({ store: store.value, standing: standing.value });
  await store.value.close();
  return standing;
}

/** One group: what the next synced batch will hold. The newest change of a key stands. */
interface Group {
  readonly changes: Map<string, string | undefined>;
  readonly rows: Row[];
  readonly settled: string[];
  /** Meters whose state changed; it is encoded once, when the group is written. */
  readonly states: Set<string>;
  readonly described: Set<string>;
  /** Rows that were settled are pending again. */
  again: boolean;
  readonly answers: Map<string, KeptAnswer>;
}

const emptyGroup = (): Group => ({
  changes: new Map(),
  rows: [],
  settled: [],
  states: new Set(),
  described: new Set(),
  again: false,
  answers: new Map(),
});

class GroupJournal implements Journal {
  readonly #parts: JournalParts;
  #store: Store;
  #standing: Standing;
  #nextRow: number;
  #sound = true;
  #group = emptyGroup();
  #flushing: Promise<Result<void>> | null = null;
  #fresh: Row[] = [];
  #described = new Set<string>();
  /** Pending keys whose rows are acknowledged while their deletion is not yet durable. */
  readonly #settled = new Set<string>();
  readonly #claimed = new RowSet();
  /** Rows that were asked for again. */
  readonly #replayed = new RowSet();
  /** Answers that are not on the medium yet. */
  readonly #unsynced = new Map<string, KeptAnswer>();
  /** Installations as they were written last, and those with which their circumstances were. */
  readonly #kept: Map<string, Installation>;
  readonly #around = new Map<string, Installation>();
  /** What was declared, to be declared again when memory is read anew. */
  readonly #declared = new Map<string, () => void>();
  /** Where the search for a meter's oldest pending row begins: a search over deleted keys is slow (LevelDB). */
  readonly #cursors = new Map<string, string>();
  readonly #stagedBell = new Bell();
  readonly #urgentBell = new Bell();
  readonly #freshBell = new Bell();

  constructor(parts: JournalParts, store: Store, standing: Standing) {
    this.#parts = parts;
    this.#store = store;
    this.#standing = standing;
    this.#nextRow = standing.nextRow;
    this.#kept = new Map(standing.states);
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
    this.#declare(meter, declared, rules);
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
    if (!facts || !before) return this.#install(meter, 1, { ...declared }, declared, []);
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
    return newest(found);
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
      if (row.kind === 'gap' && row.to > start) found.push(row);
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
    for await (const [key, entryKey] of store.entries({ from, to: range.to })) {
      if (this.#settled.has(key)) continue;
      first ??= key;
      if (this.#claimed.has(pendingOf(key).row)) continue;
      const row = await this.#rowAt(entryKey);
      if (!row) continue;
      if (rows[0] && rows[0].inst !== row.inst) break;
      rows.push(row);
      if (rows.length >= limit) break;
    }
    // What was settled before the medium was opened again may be pending again.
    if (store === this.#store) this.#cursors.set(meter, first ?? from);
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
    return this.#standing.acknowledged;
  }

  requireAcks(): void {
    if (!this.#sound || this.#standing.acknowledged.required) return;
    this.#keepAcknowledged({ ...this.#standing.acknowledged, required: true });
  }

  async acknowledge(ack: Acknowledged, isLast: boolean): Promise<void> {
    if (!this.#sound) return;
    const before = this.#standing.acknowledged;
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
    const range = { from: keys.row(first), to: keys.row(Math.min(last, this.lastRow()) + 1) };
    for await (const [key, entryKey] of this.#store.entries(range)) {
      const row = Number(key.split('/')[1]);
      const meter = entryKey.split('/')[1] ?? '';
      const marker = keys.pending(meter, row);
      this.#replayed.add(row);
      count += 1;
      const kept = await this.#store.get(marker);
      if (!kept.ok) throw new StoreLost(kept.fault.detail);
      if (kept.value !== undefined && !this.#settled.has(marker)) continue;
      this.#settled.delete(marker);
      this.#claimed.delete(row);
      this.#count(meter, 1);
      this.#cursors.delete(meter);
      this.#group.changes.set(marker, entryKey);
      this.#group.again = true;
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

  async close(): Promise<void> {
    for (const [meter, state] of this.#standing.states) {
      if (state !== this.#kept.get(meter)) this.#group.states.add(meter);
    }
    if (this.#sound) await this.flush();
    await this.#store.close();
  }

  #keepState(meter: string, state: Installation): void {
    this.#standing.states.set(meter, state);
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
    changes.set(keys.row(row.row), key);
    changes.set(keys.pending(meter, row.row), key);
    rows.push(row);
  }

  #count(meter: string, by: number): void {
    const { pending } = this.#standing;
    pending.set(meter, (pending.get(meter) ?? 0) + by);
  }

  async #writeGroup(): Promise<Result<void>> {
    const group = this.#group;
    if (group.changes.size + group.states.size === 0) return good(undefined);
    this.#group = emptyGroup();
    for (const meter of group.states) this.#encodeState(meter, group.changes);
    if (group.rows.length > 0) {
      group.changes.set(keys.nextRow, seal(keys.nextRow, this.#nextRow));
    }
    const changes: StoreChange[] = [];
    for (const [key, value] of group.changes) {
      changes.push(value === undefined ? { key } : { key, value });
    }
    const written = await this.#store.write(changes);
    if (!written.ok) {
      this.#sound = false;
      this.#stagedBell.ring(); // There is work to do: to open it again.
      return written;
    }
    for (const key of group.settled) this.#settled.delete(key);
    for (const [id, kept] of group.answers) {
      if (this.#unsynced.get(id) === kept) this.#unsynced.delete(id);
    }
    for (const row of group.rows) {
      this.#count(row.meter, 1);
      this.#fresh.push(row);
      this.#claimed.add(row.row); // The news has it first: sent twice at a time, it would be settled twice.
    }
    for (const meter of group.described) this.#described.add(meter);
    if (group.rows.length + group.described.size > 0 || group.again) this.#freshBell.ring();
    return good(undefined);
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
      if (store !== this.#store) return; // It was opened again meanwhile.
      this.#sound = false;
      this.#stagedBell.ring();
    }
  }

  /** After a failed write nobody knows what is on the medium: forget what memory held, open it again and read. */
  async #recover(): Promise<Result<void>> {
    await this.#store.close();
    const opened = await openStanding(this.#parts);
    if (!opened.ok) return opened;
    this.#store = opened.value.store;
    this.#standing = opened.value.standing;
    this.#nextRow = opened.value.standing.nextRow;
    this.#kept.clear();
    for (const [meter, state] of this.#standing.states) this.#kept.set(meter, state);
    this.#around.clear();
    this.#group = emptyGroup();
    this.#settled.clear();
    this.#unsynced.clear();
    this.#cursors.clear();
    this.#sound = true;
    for (const declare of this.#declared.values()) declare();
    this.#freshBell.ring(); // What is pending on the medium may never have been news.
    return good(undefined);
  }

  async #rowAt(key: string): Promise<Row | undefined> {
    const found = await this.#store.get(key);
    if (!found.ok) throw new StoreLost(found.fault.detail);
    if (found.value === undefined) return undefined;
    return decodeRow(key, found.value);
  }

  async #oldestPending(meter: string): Promise<EpochMs | null> {
    const range = within(`p/${meter}/`);
    const from = this.#cursors.get(meter) ?? range.from;
    for await (const [key, entryKey] of this.#store.entries({ from, to: range.to })) {
      if (this.#settled.has(key)) continue;
      const row = await this.#rowAt(entryKey);
      if (row) return beginOf(row);
    }
    return null;
  }

  async *#rows(from: string, to: string): AsyncIterable<EntryRow> {
    for await (const [key, text] of this.#store.entries({ from, to })) {
      const row = decodeRow(key, text);
      if (!row || row.kind === 'event') throw new StoreLost(`the entry in ${key} is damaged`);
      yield row;
    }
  }
}

/** What a row tells of, from when. */
function beginOf(row: Row): EpochMs {
  if (row.kind === 'event') return row.at;
  return row.kind === 'hour' ? row.start : row.from;
}
