// What is taken in of meters: who stands there, what was observed, and what became of hours already published.

import type { ChangeOut } from '../boundaries.ts';
import { encodeIncrement, encodeNotice, keys, within } from '../codec/journal-record.ts';
import { sameStanding } from '../codec/state-record.ts';
import {
  type Advance,
  finish,
  type Installation,
  type MeterRules,
  newInstallation,
} from '../domain/advance.ts';
import { newest } from '../domain/conservation.ts';
import type { Entry, EntryRow, Flag } from '../domain/entry.ts';
import { type Declaration, judgeDeclaration, type Proved } from '../domain/facts.ts';
import type { EpochMs } from '../domain/units.ts';
import type { Books } from './books.ts';

/** Installations of the journal. */
export class Metering {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  declare(meter: string, declared: Declaration, rules: MeterRules): void {
    this.#books.declared.set(meter, () => this.#declare(meter, declared, rules));
    if (this.#books.sound) this.#declare(meter, declared, rules);
  }

  changeOut(meter: string, change: ChangeOut, rules: MeterRules): void {
    if (!this.#books.sound) return;
    const before = this.#books.standing.states.get(meter);
    const facts = this.#books.facts(meter);
    if (!before || !facts) return;
    this.commit(meter, finish(before, ['changeout'], rules, change.told));
    const { declared } = facts;
    this.#install(meter, facts.inst + 1, change, declared, ['changeout']);
  }

  #declare(meter: string, declared: Declaration, rules: MeterRules): void {
    const facts = this.#books.facts(meter);
    const before = this.#books.standing.states.get(meter);
    if (!facts || !before) {
      // Where an installation stood of which nothing is proved any more, the next one begins.
      const inst = (this.#books.standing.highest.get(meter) ?? 0) + 1;
      return this.#install(meter, inst, declared, declared, inst > 1 ? ['config'] : []);
    }
    const verdict = judgeDeclaration(facts, declared);
    if (verdict === 'unchanged') return;
    if (verdict === 'agreed') return this.#books.keepFacts({ ...facts, declared });
    // An encoder named since is a fact: the next one named is compared with it.
    if (verdict === 'named') return this.#books.keepFacts({ ...facts, ...declared, declared });
    this.commit(meter, finish(before, ['config'], rules));
    this.#install(meter, facts.inst + 1, declared, declared, ['config']);
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
    this.#books.keepFacts({ meter, inst, dial, registerId, declared, ...unread });
    const carried = this.#books.standing.states.get(meter)?.alarms.alerts;
    this.#books.keepState(meter, newInstallation(inst, birth, carried));
  }

  noteProved(meter: string, proved: Proved): void {
    const facts = this.#books.sound ? this.#books.facts(meter) : undefined;
    if (!facts) return;
    this.#books.keepFacts({ ...facts, proved });
    this.#books.stagedBell.ring();
  }

  commit(meter: string, after: Advance): void {
    if (!this.#books.sound) return;
    if (this.#isQuiet(meter, after)) {
      this.#books.standing.states.set(meter, after.state);
      return;
    }
    this.#books.keepState(meter, after.state);
    this.#noteBirth(meter, after.state);
    const { changes } = this.#books.group;
    for (const step of after.increments) {
      changes.set(keys.increment(meter, step.inst, step.seq), encodeIncrement(meter, step));
    }
    for (const [n, notice] of after.notices.entries()) {
      const key = keys.notice(meter, notice.at, n);
      changes.set(key, encodeNotice(key, notice));
    }
    for (const event of after.events) this.#books.addRow(meter, event);
    for (const entry of after.entries) this.#books.addRow(meter, entry);
    if (after.entries.length + after.events.length > 0) this.#books.urgentBell.ring();
  }

  async publishedFrom(meter: string, start: EpochMs): Promise<readonly Entry[]> {
    await this.#books.flush();
    const found: Entry[] = [];
    await this.#books.reading(() => this.#findPublished(meter, start, found));
    return newest(found);
  }

  heldFrom(meter: string): EpochMs {
    const inst = this.#books.standing.states.get(meter)?.inst ?? 0;
    return this.#books.checkpoint(meter, inst)?.start ?? 0;
  }

  async #findPublished(meter: string, start: EpochMs, found: Entry[]): Promise<void> {
    const inst = this.#books.standing.states.get(meter)?.inst ?? 0;
    for await (const row of this.#books.rows(
      keys.hoursFrom(meter, inst, start),
      within(`h/${meter}/`).to,
    )) {
      found.push(row);
    }
    const gaps: EntryRow[] = [];
    const range = within(keys.gaps(meter, inst));
    for await (const row of this.#books.rows(range.from, range.to)) gaps.push(row);
    // A later revision may end sooner: what it replaces is over all the same.
    for (const row of newest(gaps)) if (row.kind === 'gap' && row.to >= start) found.push(row);
  }

  /** The first accepted reading completes the installation's facts: total 0 is at its dial. */
  #noteBirth(meter: string, state: Installation): void {
    const facts = this.#books.factsOf(meter, state.inst);
    // Before its hours begin the clock that stamped it is doubted.
    if (!facts || facts.installed !== null || !state.initial || !state.hours) return;
    this.#books.keepFacts({
      ...facts,
      installed: state.initial.at,
      initialRead: state.initial.read,
    });
    this.#books.urgentBell.ring();
  }

  /**
   * Registers are absolute: where a reading found the dial as it was, nothing is lost but timing if it is forgotten, so
   * it wears no flash. It is written with the next thing that is worth it, at the latest with the hour.
   */
  #isQuiet(meter: string, { state, increments, entries, events, notices }: Advance): boolean {
    const kept = this.#books.kept.get(meter);
    const brought = increments.length + entries.length + events.length + notices.length;
    return brought === 0 && kept !== undefined && sameStanding(kept, state);
  }
}
