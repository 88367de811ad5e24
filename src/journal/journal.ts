// The journal: installations in memory, one group at a time made durable, rows handed out only after their group is synced.

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
  Thinned,
  Trouble,
} from '../boundaries.ts';
import { decodeIncrement, decodeRow, incrementOf, keys, within } from '../codec/journal-record.ts';
import type { Advance, Installation, MeterRules } from '../domain/advance.ts';
import type { AlertWishes } from '../domain/alert-rules.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import type {
  Acknowledged,
  Entry,
  EntryRow,
  EventRow,
  Increment,
  Row,
  RowRanges,
} from '../domain/entry.ts';
import type { Declaration, InstallationFacts, Proved } from '../domain/facts.ts';
import { good, type Result, StoreLost } from '../domain/fault.ts';
import type { EpochMs } from '../domain/units.ts';
import { Answers } from './answers.ts';
import { Books, type JournalParts } from './books.ts';
import { measure } from './figures.ts';
import { encodeMark } from './mark.ts';
import { Memories } from './memories.ts';
import { Metering } from './metering.ts';
import { Papers } from './papers.ts';
import { PendingRows } from './pending-rows.ts';
import { EVERYTHING } from './records.ts';
import { Scrubbing } from './scrubbing.ts';
import { Thinning } from './thinning.ts';
import { Troubles } from './troubles.ts';

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

/** Each part of it knows the books, and none another but for the rows that wait. */
class GroupJournal implements Journal {
  readonly #books: Books;
  readonly #metering: Metering;
  readonly #pending: PendingRows;
  readonly #answers: Answers;
  readonly #scrubbing: Scrubbing;
  readonly #thinning: Thinning;
  readonly #memories: Memories;
  readonly #troubles: Troubles;
  readonly #papers: Papers;

  constructor(parts: JournalParts) {
    this.#books = new Books(parts);
    this.#metering = new Metering(this.#books);
    this.#pending = new PendingRows(this.#books);
    this.#answers = new Answers(this.#books);
    this.#scrubbing = new Scrubbing(this.#books);
    this.#thinning = new Thinning(this.#books, this.#pending);
    this.#memories = new Memories(this.#books);
    this.#troubles = new Troubles(this.#books);
    this.#papers = new Papers(this.#books);
  }

  get epoch(): string {
    return this.#books.standing.epoch;
  }

  isSound(): boolean {
    return this.#books.sound;
  }

  installation(meter: string): Installation | undefined {
    return this.#books.sound ? this.#books.standing.states.get(meter) : undefined;
  }

  meters(): readonly string[] {
    return [...this.#books.standing.states.keys()].sort();
  }

  staged(signal: AbortSignal): Promise<void> {
    return this.#books.stagedBell.wait(signal);
  }

  urgent(signal: AbortSignal): Promise<void> {
    return this.#books.urgentBell.wait(signal);
  }

  isFull(): boolean {
    return this.#books.settled.isFull();
  }

  fresh(signal: AbortSignal): Promise<void> {
    return this.#books.freshBell.wait(signal);
  }

  takeFresh(): readonly Row[] {
    const rows = this.#books.fresh;
    this.#books.fresh = [];
    return rows;
  }

  takeDescribed(): readonly string[] {
    const meters = [...this.#books.described];
    this.#books.described.clear();
    return meters;
  }

  note(event: Parameters<Journal['note']>[0]): void {
    if (this.#books.sound) this.#books.tell(event);
  }

  trouble(trouble: Trouble): void {
    this.#troubles.say(trouble);
  }

  troubles(): readonly string[] {
    return this.#troubles.standing();
  }

  async *rowsOf(meter: string, from = 0, to = Number.POSITIVE_INFINITY): AsyncIterable<EntryRow> {
    for (const kind of ['h', 'g']) {
      const range = within(`${kind}/${meter}/`);
      for await (const row of this.#books.rows(range.from, range.to)) {
        const begins = row.kind === 'hour' ? row.start : row.from;
        const ends = row.kind === 'hour' ? row.start : row.to;
        if (ends >= from && begins < to) yield row;
      }
    }
  }

  async *eventsOf(meter: string): AsyncIterable<EventRow> {
    const range = within(`e/${meter}/`);
    for await (const [key, text] of this.#books.store.entries(range)) {
      const row = decodeRow(key, text);
      if (row?.kind !== 'event') throw new StoreLost(`the event in ${key} is damaged`);
      yield row;
    }
  }

  async *incrementsOf(meter: string): AsyncIterable<Increment> {
    for await (const [key, text] of this.#books.store.entries(within(`i/${meter}/`))) {
      const dial = this.#books.factsOf(meter, incrementOf(key).inst)?.dial;
      const step = dial && decodeIncrement(key, text, dial);
      if (!step) throw new StoreLost(`the increment in ${key} is damaged`);
      yield step;
    }
  }

  async *incrementsFrom(meter: string, inst: number, seq: number): AsyncIterable<Increment> {
    const from = keys.increment(meter, inst, seq);
    const { to } = within(`i/${meter}/`);
    for await (const [key, text] of this.#books.store.entries({ from, to })) {
      const dial = this.factsOf(meter, incrementOf(key).inst)?.dial;
      const step = dial && decodeIncrement(key, text, dial);
      if (step) yield step;
    }
  }

  suspected(signal: AbortSignal): Promise<void> {
    return this.#books.suspectedBell.wait(signal);
  }

  async mark(clean = false): Promise<Result<void>> {
    const taken = await this.#books.durable();
    if (!taken.ok) return taken;
    const text = encodeMark({ ...taken.value, clean });
    return (await this.#books.parts.vault?.writeMark(text)) ?? good(undefined);
  }

  async *records(): AsyncIterable<readonly [key: string, value: string]> {
    const written = await this.#books.flush();
    if (!written.ok) throw new StoreLost(written.fault.detail);
    yield* this.#books.store.entries(EVERYTHING);
  }

  async room(): Promise<Room | null> {
    const room = await this.#books.store.room?.();
    return room?.ok ? room.value : null;
  }

  figures(): Promise<Result<JournalFigures>> {
    return this.#books.attempt(async (store) => {
      const facts = [...this.#books.standing.facts.values()];
      const sizes = await measure(store, facts, (meter, inst) =>
        this.#books.checkpoint(meter, inst),
      );
      const { rows } = await this.#pending.pending();
      const wornToday = this.#books.wornToday()?.bytes ?? null;
      return good({ rows: this.#books.lastRow(), pending: rows, ...sizes, wornToday });
    });
  }

  async close(): Promise<void> {
    for (const [meter, state] of this.#books.standing.states) {
      if (this.#books.sound && state !== this.#books.kept.get(meter))
        this.#books.group.states.add(meter);
    }
    if (this.#books.sound) await this.mark(true);
    await this.#books.store.close();
  }

  facts(meter: string): InstallationFacts | undefined {
    return this.#books.facts(meter);
  }

  factsOf(meter: string, inst: number): InstallationFacts | undefined {
    return this.#books.factsOf(meter, inst);
  }

  lastRow(): number {
    return this.#books.lastRow();
  }

  declare(meter: string, declared: Declaration, rules: MeterRules): void {
    this.#metering.declare(meter, declared, rules);
  }

  changeOut(meter: string, change: ChangeOut, rules: MeterRules): void {
    this.#metering.changeOut(meter, change, rules);
  }

  commit(meter: string, after: Advance): void {
    this.#metering.commit(meter, after);
  }

  publishedFrom(meter: string, start: EpochMs): Promise<readonly Entry[]> {
    return this.#metering.publishedFrom(meter, start);
  }

  heldFrom(meter: string): EpochMs {
    return this.#metering.heldFrom(meter);
  }

  flush(): Promise<Result<void>> {
    return this.#books.flush();
  }

  metersPending(): readonly string[] {
    return this.#pending.metersPending();
  }

  backlog(meter: string, limit: number, after?: number, then?: string): Promise<readonly Row[]> {
    return this.#pending.backlog(meter, limit, after, then);
  }

  eventsPending(limit: number): Promise<readonly Row[]> {
    return this.#pending.events(limit);
  }

  claim(rows: readonly Row[]): void {
    this.#pending.claim(rows);
  }

  release(rows: readonly { readonly row: number }[]): void {
    this.#pending.release(rows);
  }

  letGo(): void {
    this.#pending.letGo();
  }

  settle(rows: readonly Row[]): void {
    this.#pending.settle(rows);
  }

  acknowledged(): Acknowledged {
    return this.#pending.acknowledged();
  }

  requireAcks(): void {
    this.#pending.requireAcks();
  }

  acknowledge(ack: Acknowledged, isLast: boolean): Promise<void> {
    return this.#pending.acknowledge(ack, isLast);
  }

  sendAgain(ranges: RowRanges): Promise<number> {
    return this.#pending.sendAgain(ranges);
  }

  isReplayed(row: number): boolean {
    return this.#pending.isReplayed(row);
  }

  pending(): Promise<Pending> {
    return this.#pending.pending();
  }

  keepAnswer(id: string, text: string, at: EpochMs): void {
    this.#answers.keepAnswer(id, text, at);
  }

  keptAnswer(id: string): Promise<Result<string | undefined>> {
    return this.#answers.keptAnswer(id);
  }

  scrub(rest: () => Promise<void>): Promise<Result<ScrubReport>> {
    return this.#scrubbing.scrub(rest);
  }

  examine(rest: (records: number) => Promise<void>): Promise<Result<Examined>> {
    return this.#scrubbing.examine(rest);
  }

  checkpoint(meter: string, inst: number): Checkpoint | undefined {
    return this.#books.checkpoint(meter, inst);
  }

  thin(limits: KeepLimits, rest: () => Promise<void>, livedMs?: number): Promise<Result<Thinned>> {
    return this.#thinning.thin(limits, rest, livedMs);
  }

  remember(meter: string, known: unknown, must = false): boolean {
    return this.#memories.remember(meter, known, must);
  }

  wishes(meter: string): AlertWishes | undefined {
    return this.#memories.wishes(meter);
  }

  keepWishes(meter: string, wishes: AlertWishes): void {
    this.#memories.keepWishes(meter, wishes);
  }

  keepPaper(name: string, paper: unknown): void {
    this.#papers.keep(name, paper);
  }

  paper(name: string): Promise<unknown> {
    return this.#papers.paper(name);
  }

  papers(folder: string): Promise<readonly unknown[]> {
    return this.#papers.papers(folder);
  }

  isPending(meter: string, row: number): Promise<boolean> {
    return this.#pending.isPending(meter, row);
  }

  noteProved(meter: string, proved: Proved): void {
    this.#metering.noteProved(meter, proved);
  }

  remembered(meter: string): Promise<Memory | undefined> {
    return this.#memories.remembered(meter);
  }
}
