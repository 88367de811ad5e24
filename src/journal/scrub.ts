// Reads a whole store, a portion at a time, and proves check sums, continuity and sums against what must be there.

import type { Store } from '../boundaries.ts';
import { crc32 } from '../codec/crc32.ts';
import {
  decodeEntryKey,
  decodeRow,
  isSealed,
  keys,
  needsCircumstances,
  pendingOf,
} from '../codec/journal-record.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import { conserve } from '../domain/conservation.ts';
import type { Entry, EntryRow, Row } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { HOUR_MS } from '../domain/units.ts';
import type { Absent } from './absent.ts';
import type { Mark } from './mark.ts';
import { type Range, rangesOf, without } from './ranges.ts';
import { entryKeyAt, isSound } from './sound.ts';

/** What must be there. */
export interface Expected {
  readonly mark: Mark;
  /** What is known not to be there. */
  readonly absent: Absent;
  /** Facts of all installations by `meter/inst`. */
  readonly facts: ReadonlyMap<string, InstallationFacts>;
  /** What is left of what was thinned, by `meter/inst`. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
}

export interface Findings {
  readonly records: number;
  readonly damaged: readonly (readonly [key: string, text: string])[];
  /** Rows without an entry. */
  readonly rows: readonly Range[];
  /** Increments that are not there, by `meter/inst`. */
  readonly increments: Readonly<Record<string, readonly Range[]>>;
  /** Rows whose entry is there and whose number does not lead to it: what should stand at the number. */
  readonly unindexed: ReadonlyMap<number, string>;
  /** Pending keys that lead, as far as this reading tells, to no entry of theirs. */
  readonly astray: readonly (readonly [key: string, text: string])[];
  /** Hours between two that are there, or after the last, of which there is no entry, by `meter/inst`. */
  readonly hours: Readonly<Record<string, readonly Range[]>>;
  readonly sums: readonly string[];
  /** Standing records that are not there: facts and states. */
  readonly standing: readonly string[];
}

/** What does not hold, each with its exact place. */
export function problemsOf(found: Findings): string[] {
  const { damaged, rows, increments, unindexed, astray, sums, standing } = found;
  return [
    ...damaged.map(([key]) => `the record ${key} is damaged`),
    ...standing.map((key) => `the record ${key} is missing`),
    ...rows.map(([from, to]) => `rows ${from} to ${to} have no entry`),
    ...[...unindexed].map(([row, key]) => `row ${row} does not lead to its entry ${key}`),
    ...astray.map(([key]) => `the pending row ${key} leads to no entry of its own`),
    ...Object.entries(increments).flatMap(([inst, ranges]) =>
      ranges.map(([from, to]) => `increments ${from} to ${to} of ${inst} are missing`),
    ),
    ...sums,
  ];
}

/** Records read in one go; then others have their turn. */
const PORTION = 2_000;

/** Rows come first: what is read later is compared with them. */
const PASSES = [
  { from: 'r/', to: 'r0' },
  { from: ' ', to: 'r/' },
  { from: 'r0', to: '~' },
];

/** Examines the store. Throws StoreLost when it cannot be read. */
export async function examine(
  store: Store,
  expected: Expected,
  rest: (records: number) => Promise<void>,
): Promise<Findings> {
  const examination = new Examination(expected);
  for (const { from, to } of PASSES) {
    let next = from;
    for (;;) {
      const portion = await store.portion({ from: next, to, limit: PORTION });
      for (const [key, text] of portion) examination.take(key, text);
      await rest(portion.length);
      const last = portion.at(-1);
      if (portion.length < PORTION || last === undefined) break;
      next = `${last[0]}\0`;
    }
  }
  return examination.findings();
}

/** One reading of a whole store. */
class Examination {
  readonly #expected: Expected;
  readonly #nextRow: number;
  /** By row, the CRC-32 of the key its number leads to and of the key its entry has; 0 where there is none. */
  readonly #named: Uint32Array;
  readonly #found: Uint32Array;
  readonly #damaged: (readonly [string, string])[] = [];
  readonly #unindexed = new Map<number, string>();
  readonly #astray: (readonly [string, string])[] = [];
  /** Number of the increment that must come next, by `meter/inst`. */
  readonly #chains = new Map<string, number>();
  readonly #increments: Record<string, Range[]> = {};
  readonly #hours: Record<string, Range[]> = {};
  readonly #gaps = new Map<string, EntryRow[]>();
  readonly #sums: string[] = [];
  readonly #lastHours = new Map<string, number>();
  /** The installation whose hours are being read. */
  #open: { readonly key: string; readonly entries: Entry[]; last: number } | null = null;
  readonly #standing = new Set<string>();
  readonly #instOf = new InstOf();
  /** Circumstances without which a state is not whole. */
  readonly #due: string[] = [];
  #records = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#nextRow = expected.mark.nextRow;
    this.#named = new Uint32Array(this.#nextRow);
    this.#found = new Uint32Array(this.#nextRow);
  }

  take(key: string, text: string): void {
    this.#records += 1;
    const kind = key.slice(0, 2);
    if (kind !== 'h/') this.#endHours();
    switch (kind) {
      case 'e/':
      case 'g/':
      case 'h/': {
        const row = decodeRow(key, text);
        return row ? this.#takeRow(key, row) : this.#takeDamaged(key, text);
      }
      case 'i/':
        return isSealed(key, text) ? this.#takeStep(key) : this.#takeDamaged(key, text);
      default:
        return this.#takeOther(kind, key, text);
    }
  }

  #takeDamaged(key: string, text: string): void {
    this.#damaged.push([key, text]);
  }

  #takeOther(kind: string, key: string, text: string): void {
    if (kind === 'r/') return this.#takeNumber(key, text);
    if (!isSound(key, text)) return this.#takeDamaged(key, text);
    switch (kind) {
      case 'p/':
        return this.#takePending(key, text);
      case 's/':
        if (needsCircumstances(key.slice(2), text))
          this.#due.push(keys.circumstances(key.slice(2)));
        this.#standing.add(key);
        return;
      case 'c/':
      case 'd/':
        this.#standing.add(key);
    }
  }

  findings(): Findings {
    this.#endHours();
    const { mark, absent } = this.#expected;
    for (const [meter, { facts, steps, ended, hour }] of Object.entries(mark.meters)) {
      for (const [inst, count] of Object.entries(ended)) this.#endSteps(`${meter}/${inst}`, count);
      this.#endSteps(`${meter}/${facts.inst}`, steps);
      this.#endTold(`${meter}/${facts.inst}`, hour);
    }
    const missing: number[] = [];
    for (let row = 1; row < this.#nextRow; row += 1) if (this.#found[row] === 0) missing.push(row);
    return {
      records: this.#records,
      damaged: this.#damaged,
      rows: without(rangesOf(missing), absent.rows),
      increments: this.#increments,
      unindexed: this.#unindexed,
      astray: this.#astray,
      hours: this.#hours,
      sums: this.#sums,
      standing: this.#notStanding(),
    };
  }

  #notStanding(): string[] {
    const { mark, facts } = this.#expected;
    const due = [...this.#due, ...Object.keys(mark.meters).map((meter) => keys.state(meter))];
    for (const { meter, inst } of facts.values()) due.push(keys.facts(meter, inst));
    return due.filter((key) => !this.#standing.has(key));
  }

  #takeNumber(key: string, text: string): void {
    const entryKey = entryKeyAt(key, text);
    if (entryKey === undefined) return this.#takeDamaged(key, text);
    const row = Number(key.slice(2));
    if (row < this.#nextRow) this.#named[row] = crc32(entryKey);
  }

  #takeRow(key: string, row: Row): void {
    if (row.row >= this.#nextRow) return; // It came after the beginning of this reading.
    const hash = crc32(key);
    this.#found[row.row] = hash;
    if (this.#named[row.row] !== hash) this.#unindexed.set(row.row, key);
    if (row.kind === 'gap') {
      const inst = this.#instOf.of(key);
      this.#gaps.set(inst, [...(this.#gaps.get(inst) ?? []), row]);
    }
    if (row.kind !== 'hour') return;
    const inst = this.#instOf.of(key);
    if (this.#open?.key !== inst) {
      this.#endHours();
      this.#open = { key: inst, entries: [...(this.#gaps.get(inst) ?? [])], last: row.start };
    }
    const open = this.#open as { key: string; entries: Entry[]; last: number };
    if (row.start > open.last + HOUR_MS) {
      this.#missed(inst, [open.last + HOUR_MS, row.start - HOUR_MS]);
    }
    open.last = row.start;
    open.entries.push(row);
  }

  #missed(inst: string, hours: Range): void {
    this.#hours[inst] = [...(this.#hours[inst] ?? []), hours];
  }

  #endHours(): void {
    const open = this.#open;
    this.#open = null;
    const facts = open && this.#expected.facts.get(open.key);
    if (!open || !facts) return;
    this.#lastHours.set(open.key, open.last);
    const thinned = this.#expected.checkpoints.get(open.key)?.use ?? 0;
    const proof = conserve(facts.inst, open.entries, facts.initialRead ?? 0, facts.dial, thinned);
    if (proof.problem) {
      const { violation, at } = proof.problem;
      this.#sums.push(`${open.key}: ${violation} at ${new Date(at).toISOString()}`);
    }
  }

  /** Hours up to the open one that are not there. */
  #endTold(inst: string, hour: number | null): void {
    const last = this.#lastHours.get(inst);
    if (hour === null || last === undefined || hour <= last + HOUR_MS) return;
    this.#missed(inst, [last + HOUR_MS, hour - HOUR_MS]);
  }

  #takeStep(key: string): void {
    const seq = Number(key.slice(key.lastIndexOf('/') + 1));
    const inst = this.#instOf.of(key);
    const next = this.#chains.get(inst) ?? this.#thinned(inst);
    if (seq > next) this.#missing(inst, [next, seq - 1]);
    this.#chains.set(inst, seq + 1);
  }

  /** Increments before it were thinned. */
  #thinned(inst: string): number {
    return this.#expected.checkpoints.get(inst)?.seq ?? 0;
  }

  #endSteps(inst: string, steps: number): void {
    const next = this.#chains.get(inst) ?? this.#thinned(inst);
    if (next < steps) this.#missing(inst, [next, steps - 1]);
  }

  #missing(inst: string, range: Range): void {
    const unknown = without([range], this.#expected.absent.increments[inst] ?? []);
    if (unknown.length > 0) {
      this.#increments[inst] = [...(this.#increments[inst] ?? []), ...unknown];
    }
  }

  #takePending(key: string, text: string): void {
    const entryKey = decodeEntryKey(key, text) ?? '';
    const { meter, row } = pendingOf(key);
    // One that came after the beginning of this reading, or claims to, is looked at by itself.
    const isRight = this.#found[row] === crc32(entryKey) && entryKey.split('/')[1] === meter;
    if (!isRight || key !== keys.pending(meter, row)) this.#astray.push([key, text]);
  }
}

/** `meter/inst` of keys, as facts are kept by; records of one installation follow each other. */
class InstOf {
  #prefix = '/';
  #inst = '';

  of(key: string): string {
    if (key.startsWith(this.#prefix)) return this.#inst;
    const [kind, meter = '', inst = '0'] = key.split('/');
    this.#prefix = `${kind}/${meter}/${inst}/`;
    this.#inst = `${meter}/${Number(inst)}`;
    return this.#inst;
  }
}
