// One meter's life over a journal and a head-end: its true water, clocks that may lie, restarts, thinning, backups, and the proof of it all.

import { Ledger } from '../../simulator/ledger.ts';
import type { Journal, KeepLimits } from '../../src/boundaries.ts';
import { BackupWriter } from '../../src/codec/backup.ts';
import { encodeEvent, encodeIntervals } from '../../src/codec/head-end-message.ts';
import { keys } from '../../src/codec/journal-record.ts';
import { auditJournal } from '../../src/commands/audit.ts';
import {
  advance,
  futureHours,
  heed,
  type Observation,
  type Word,
} from '../../src/domain/advance.ts';
import { conserve } from '../../src/domain/conservation.ts';
import type { EntryRow, Row } from '../../src/domain/entry.ts';
import type { Result } from '../../src/domain/fault.ts';
import { createJournal } from '../../src/journal/journal.ts';
import { restoredRecords, verifyBackup } from '../../src/journal/restore.ts';
import { Medium } from '../fakes/memory-store.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { all, FINE, HOUR, MINUTE, rulesOf, T0 } from './metered.ts';

const METER = 'SP-1';
const RULES = rulesOf(FINE);
const QUARTER = 15 * MINUTE;

const FOREVER: KeepLimits = {
  ...{ incrementDays: 100_000, hourDays: 100_000, eventDays: 100_000 },
  ...{ maxBytes: Number.POSITIVE_INFINITY, minFreeBytes: 0 },
};

interface Audit {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly meters: readonly {
    readonly inst: number;
    readonly sum: number;
    readonly ok: boolean;
    readonly problem: string | null;
  }[];
}

/** The meter SP-1, its journal and who gets what it sends. */
export class Life {
  medium = new Medium();
  vault = new MemoryVault(this.medium);
  /** The true time, and how far the wall clock is ahead of it. */
  now = T0;
  ahead = 0;
  synced: boolean | null = true;
  dial = 0;
  readonly ledger = new Ledger();
  /** Every message that was sent, in that order. */
  readonly sent: { readonly topic: string; readonly payload: string; readonly at: number }[] = [];
  /** What the dial showed, by true time. */
  readonly dials = new Map<number, number>();
  #journal: Journal | undefined;
  #mono = 0;
  #boot = 0;
  #epochs = 0;

  get journal(): Journal {
    if (!this.#journal) throw new Error('the journal is not open');
    return this.#journal;
  }

  static async begin(): Promise<Life> {
    const life = new Life();
    await life.#open();
    return life;
  }

  async #open(): Promise<void> {
    const { medium, vault } = this;
    const newEpoch = () => this.#epoch('E');
    const how = { openStore: () => medium.open(), vault, newEpoch, now: () => this.#wall() };
    this.#journal = createJournal({ collector: 'COL-1', ...how });
    this.#boot += 1;
    this.#mono = 0;
    this.journal.declare(METER, { dial: FINE, registerId: null }, RULES);
    must(await this.journal.flush());
    const birth = { v: 1, type: 'birth', epoch: this.journal.epoch };
    this.ledger.take('watermeter-v1/demo/COL-1/up/birth', JSON.stringify(birth));
  }

  /** Reads the dial each quarter of so many hours; `per` counts pass in each. */
  async read(hours: number, per: number): Promise<void> {
    await this.#live(hours, per, (moment) => ({
      ...{ kind: 'reading', moment, register: this.dial, checked: true, identified: true },
    }));
  }

  /** Asks it in vain. */
  async silent(hours: number, per: number): Promise<void> {
    await this.#live(hours, per, (moment) => ({
      ...{ kind: 'silence', moment, why: 'bus', flags: [], fault: 'line.silent', stranger: null },
    }));
  }

  async #live(
    hours: number,
    per: number,
    see: (moment: Observation['moment']) => Observation,
  ): Promise<void> {
    for (let quarter = 0; quarter < hours * 4; quarter += 1) {
      this.dials.set(this.now, this.dial);
      await this.#take(see(this.#moment()));
      this.pass(QUARTER, per);
    }
    must(await this.journal.flush());
  }

  /** Time in which nobody looks. */
  pass(ms: number, counts: number): void {
    this.now += ms;
    this.#mono += ms;
    this.dial += counts;
  }

  async #take(seen: Observation): Promise<void> {
    const told = await this.#told();
    const state = this.journal.installation(METER);
    if (!state) throw new Error('the journal is not sound');
    this.journal.commit(METER, advance(state, seen, RULES, told));
  }

  async say(word: Word): Promise<void> {
    const told = await this.#told();
    const state = this.journal.installation(METER);
    if (!state) throw new Error('the journal is not sound');
    this.journal.commit(METER, heed(state, word, this.#moment(), RULES, told));
    must(await this.journal.flush());
  }

  /** As the pipeline gets it. */
  async #told() {
    const { journal } = this;
    const state = journal.installation(METER);
    const held = journal.heldFrom(METER);
    const ahead = state ? futureHours(state, this.#moment(), RULES, held) : null;
    return { entries: ahead === null ? [] : await journal.publishedFrom(METER, ahead), held };
  }

  /** Another meter, whose dial shows `dial`. */
  async changeOut(dial: number): Promise<void> {
    const change = { dial: FINE, registerId: null, bodySerial: null, told: { by: 'ops' } };
    this.journal.changeOut(METER, change, RULES);
    this.dial = dial;
    must(await this.journal.flush());
  }

  async note(by: string): Promise<void> {
    this.journal.note({ code: 'login.failed', severity: 'info', data: { by } });
    must(await this.journal.flush());
  }

  async restart(how: 'stop' | 'cut', offMs: number): Promise<void> {
    if (how === 'stop') await this.journal.close();
    else this.medium.crash();
    this.now += offMs;
    await this.#begin();
  }

  /** The state's record is gone, and the mark with it. */
  async loseState(): Promise<void> {
    await this.journal.close();
    this.vault.mark = undefined;
    const store = must(await this.medium.open());
    must(await store.write([{ key: keys.state(METER) }]));
    await store.close();
    await this.#begin();
  }

  /** Opens the journal and closes the hours that nobody read. */
  async #begin(): Promise<void> {
    await this.#open();
    const nothing = { fault: null, stranger: null };
    const moment = this.#moment();
    await this.#take({ kind: 'silence', moment, why: 'power', flags: ['restart'], ...nothing });
    must(await this.journal.flush());
  }

  /** `livedMs`: since it was thinned last. */
  async thin(limits: Partial<KeepLimits>, livedMs?: number): Promise<void> {
    must(await this.journal.thin({ ...FOREVER, ...limits }, () => Promise.resolve(), livedMs));
  }

  async backup(): Promise<readonly string[]> {
    const writer = new BackupWriter();
    const { epoch } = this.journal;
    const rows = this.journal.lastRow();
    const lines = [writer.head({ collector: 'COL-1', epoch, rows, at: this.#wall() })];
    for await (const record of this.journal.records()) lines.push(writer.record(record));
    return [...lines, writer.end()].map((line) => line.slice(0, -1));
  }

  async restore(backup: readonly string[]): Promise<void> {
    await this.journal.close();
    const lines = async function* () {
      yield* backup;
    };
    const whole = must(await verifyBackup(lines()));
    this.medium = new Medium();
    this.vault = new MemoryVault(this.medium);
    const store = must(await this.medium.open());
    const name = { epoch: this.#epoch('R'), collector: 'COL-1' };
    for await (const [key, value] of restoredRecords(lines(), whole, name)) {
      must(await store.write([{ key, value }]));
    }
    await store.close();
    await this.#begin();
  }

  /** The head-end gets a share of what waits, and acknowledges it. */
  async deliver(share = 1): Promise<void> {
    const { journal } = this;
    journal.release(journal.takeFresh());
    for (const meter of ['', METER]) {
      for (;;) {
        const waiting = await journal.backlog(meter, 10_000);
        const rows = waiting.slice(0, Math.ceil(waiting.length * share));
        this.#send(rows);
        journal.settle(rows);
        must(await journal.flush());
        if (rows.length === 0 || share < 1) break;
      }
    }
  }

  /** The head-end gets all that the journal has once more. */
  async replay(): Promise<void> {
    const { journal } = this;
    for (const meter of ['', METER]) this.#send(await all(journal.eventsOf(meter)));
    this.#send(await all(journal.rowsOf(METER)));
  }

  #send(rows: readonly Row[]): void {
    const { epoch } = this.journal;
    for (const row of rows) {
      if (row.kind !== 'event') continue;
      const topic = row.meter === '' ? 'event' : `meter/${row.meter}/event`;
      this.#publish(topic, encodeEvent(row, 'COL-1', epoch));
    }
    const entries = rows.filter((row): row is EntryRow => row.kind !== 'event');
    for (const inst of new Set(entries.map((row) => row.inst))) {
      const facts = this.journal.factsOf(METER, inst);
      const mine = entries.filter((row) => row.inst === inst);
      const envelope = { collector: 'COL-1', epoch, cause: 'scheduled', sent: this.now } as const;
      for (const { payload } of facts ? encodeIntervals(mine, facts, envelope) : []) {
        this.#publish(`meter/${METER}/interval`, payload);
      }
    }
  }

  #publish(path: string, payload: string): void {
    const topic = `watermeter-v1/demo/COL-1/up/${path}`;
    this.sent.push({ topic, payload, at: this.now });
    this.ledger.take(topic, payload);
  }

  /** What does not hold: in the journal, and, all delivered, at the head-end. */
  async problems(atHeadEnd = true): Promise<readonly string[]> {
    must(await this.journal.flush());
    const audit = (await auditJournal(this.journal)) as Audit;
    const found = [...audit.problems, ...audit.meters.flatMap(({ problem }) => problem ?? [])];
    if (!atHeadEnd) return found;
    await this.deliver();
    for (const { inst, sum } of audit.meters) {
      const facts = this.journal.factsOf(METER, inst);
      const heard = this.ledger.entries().filter((entry) => entry.inst === inst);
      const entries = heard as unknown as Parameters<typeof conserve>[1];
      const proof = conserve(inst, entries, facts?.initialRead ?? 0, FINE);
      if (proof.problem) found.push(`head-end: ${proof.problem.violation} of ${inst}`);
      if (proof.sum !== sum) found.push(`head-end: ${proof.sum} of ${inst}, in the journal ${sum}`);
    }
    return [...found, ...this.ledger.conflicts.map((one) => `head-end: ${JSON.stringify(one)}`)];
  }

  /** What the collector told of itself. */
  async told(): Promise<readonly Row[]> {
    return all(this.journal.eventsOf(''));
  }

  #moment() {
    const { synced } = this;
    return { at: this.#wall(), boot: `b${this.#boot}`, mono: this.#mono, synced };
  }

  #wall(): number {
    return this.now + this.ahead;
  }

  #epoch(letter: string): string {
    this.#epochs += 1;
    return `${letter}${this.#epochs}`;
  }
}

export const DAY = 24 * HOUR;

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.detail);
  return result.value;
}
