// What waits of one meter, read ahead of who sends it: in pieces so small that no broker runs dry while one is taken in, and so early that
// nobody waits for the medium.

import type { Store } from '../boundaries.ts';
import {
  decodeRow,
  hintOfEntryKey,
  isOfPlainHour,
  keys,
  pendingOf,
  within,
} from '../codec/journal-record.ts';
import type { Row } from '../domain/entry.ts';
import { StoreLost } from '../domain/fault.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import type { Books } from './books.ts';
import { textAt } from './records.ts';

/** Records of a piece: their texts are taken in within 0.1 ms, and a full window keeps a broker busy for as long. */
const PIECE = 256;
/** So many records tell whether hours follow each other: whoever wants one row only has it with these. */
const FIRST = 8;

/** A piece of what waits, as it was read at once. */
interface Piece {
  /** The next row that still waits, behind the row `passed`; undefined when it has none any more. */
  take(passed: number): Row | undefined;
  /** What follows in it is not known to be next: the search is to begin anew behind what was taken. */
  isBroken(): boolean;
  /** Reads what follows the piece; undefined where nothing does. Throws StoreLost. */
  readOn(): Promise<Piece | undefined>;
}

/** The rows of a meter that wait, in the order of their numbers. One caller, one step at a time. */
export class Ahead {
  readonly meter: string;
  readonly store: Store;
  /** `Books.renewals` when the search began. */
  readonly renewals: number;
  readonly #books: Books;
  #piece: Piece | undefined;
  #next: Promise<Piece | undefined>;
  #afterNext: Promise<Piece | undefined>;
  #given: number;
  /** The last row that was given, or left to whoever sends it. */
  #passed: number;
  /** Taken, but of another installation than those that were given with it. */
  #held: Row | undefined;
  #first: string | undefined;
  /** The highest row that had ever waited when the search began. */
  readonly #highest: number;

  /** Begins to read where the key `from` stands or would: there it is said which rows wait. All before are up to `after`. */
  constructor(books: Books, meter: string, from: string, after: number) {
    this.#books = books;
    this.meter = meter;
    this.store = books.store;
    this.renewals = books.renewals;
    this.#given = after;
    this.#passed = after;
    this.#highest = books.standing.waiting.highest(meter);
    this.#next = heardOf(this.#begin(from));
    this.#afterNext = following(this.#next);
  }

  /** The row that was given last; before the first, where the search began. */
  get given(): number {
    return this.#given;
  }

  /** The key of the first row that was found waiting, claimed or not. */
  get first(): string | undefined {
    return this.#first;
  }

  /** No row has begun to wait since the search began. */
  isUpToDate(): boolean {
    const { renewals, standing } = this.#books;
    return renewals === this.renewals && standing.waiting.highest(this.meter) === this.#highest;
  }

  /** Adds the next rows, at most `limit`, of one installation, without those in flight; none when no more wait. Throws StoreLost. */
  async take(limit: number, rows: Row[]): Promise<void> {
    while (rows.length < limit) {
      const row = this.#held ?? this.#piece?.take(this.#passed);
      this.#held = undefined;
      if (row === undefined) {
        if (await this.#turn()) continue;
        break;
      }
      if (rows.length > 0 && row.inst !== rows[0]?.inst) {
        this.#held = row;
        break;
      }
      this.#passed = row.row;
      const { claimed, standing } = this.#books;
      // One that was held may have been settled since.
      if (standing.waiting.has(row.row) && !claimed.has(row.row)) rows.push(row);
    }
    this.#given = rows.at(-1)?.row ?? this.#given;
  }

  /** Goes on to the next piece; false where there is none. */
  async #turn(): Promise<boolean> {
    if (this.#piece?.isBroken()) {
      const from = keys.pending(this.meter, this.#passed + 1);
      this.#next = heardOf(this.#marks(from, PIECE).then((marks) => this.#marked(marks)));
      this.#afterNext = following(this.#next);
    }
    this.#piece = await this.#next;
    this.#next = this.#afterNext;
    this.#afterNext = following(this.#next);
    return this.#piece !== undefined;
  }

  async #begin(from: string): Promise<Piece> {
    const marks = await this.#marks(from, FIRST);
    const [first] = marks.waiting;
    if (first === undefined || !isRun(marks)) return this.#marked(marks);
    // None of this meter lies before it, whatever does of others.
    this.#passed = first.row - 1;
    return this.#hours(instOf(first), startOf(first), this.#passed);
  }

  /** The records from `from` on, at most `limit`, that say that rows wait. */
  async #marks(from: string, limit: number): Promise<Marks> {
    const { to } = within(`p/${this.meter}/`);
    const entries = await this.store.portion({ from, to, limit });
    const waiting: Waiting[] = [];
    for (const [key, text] of entries) {
      const { row } = pendingOf(key);
      if (this.#books.settled.has(row)) continue;
      this.#first ??= key;
      waiting.push({ row, entryKey: hintOfEntryKey(text) });
    }
    const [last = ''] = entries.at(-1) ?? [];
    return {
      waiting,
      isFull: waiting.length === limit,
      next: entries.length < limit ? '' : `${last}\0`,
    };
  }

  /** The rows of these records, whatever they are. */
  async #marked(marks: Marks): Promise<Piece> {
    const { waiting, next } = marks;
    const texts = await textsOf(this.store, waiting);
    return new Marked(this.#books, this.meter, { waiting, texts }, async () => {
      const last = waiting.at(-1);
      if (next === '') return undefined;
      if (last === undefined || !isRun(marks)) return this.#marked(await this.#marks(next, PIECE));
      return this.#hours(instOf(last), startOf(last) + HOUR_MS, last.row);
    });
  }

  /** The hours of an installation from `start` on, whether they wait or not, behind the row `before`: that they wait is known of each. */
  async #hours(inst: number, start: EpochMs, before: number): Promise<Piece> {
    const { meter } = this;
    const from = keys.hoursFrom(meter, inst, start);
    const { to } = within(from.slice(0, from.lastIndexOf('/') + 1));
    const texts = await this.store.texts({ from, to, limit: PIECE });
    const keyOf = (n: number) => keys.hour(meter, inst, start + n * HOUR_MS);
    return new Hours(this.#books, { texts, keyOf }, async () => {
      const { length } = texts;
      const last = length === 0 ? before : decodeRow(keyOf(length - 1), texts.at(-1) ?? '')?.row;
      if (last === undefined) return undefined; // It breaks before its end.
      if (length === PIECE) return this.#hours(inst, start + length * HOUR_MS, last);
      if (this.#books.standing.waiting.highest(meter) <= last) return undefined;
      return this.#marked(await this.#marks(keys.pending(meter, last + 1), PIECE));
    });
  }
}

/** A row that a record says is waiting, and the key of its entry, as far as the entry bears it out. */
interface Waiting {
  readonly row: number;
  readonly entryKey: string;
}

/** Records of rows that wait. */
interface Marks {
  readonly waiting: readonly Waiting[];
  /** Each record that was asked for is there, and its row waits. */
  readonly isFull: boolean;
  /** Where those that follow begin; empty where none does. */
  readonly next: string;
}

const instOf = ({ entryKey }: Waiting): number => Number(entryKey.split('/')[2]);
const startOf = ({ entryKey }: Waiting): EpochMs => Number(entryKey.split('/')[3]);

/** What is damaged is never sent and stops no other row; a scrub tells what it was. */
class Marked implements Piece {
  readonly #books: Books;
  readonly #meter: string;
  readonly #waiting: readonly Waiting[];
  readonly #texts: readonly (string | undefined)[];
  readonly readOn: Piece['readOn'];
  #at = 0;

  constructor(
    books: Books,
    meter: string,
    found: {
      readonly waiting: readonly Waiting[];
      readonly texts: readonly (string | undefined)[];
    },
    readOn: Piece['readOn'],
  ) {
    this.#books = books;
    this.#meter = meter;
    this.#waiting = found.waiting;
    this.#texts = found.texts;
    this.readOn = readOn;
  }

  take(): Row | undefined {
    while (this.#at < this.#waiting.length) {
      const { row: number, entryKey } = this.#waiting[this.#at] as Waiting;
      const text = this.#texts[this.#at];
      this.#at += 1;
      // It may have been settled since.
      if (!this.#books.standing.waiting.has(number)) continue;
      const row = text === undefined ? undefined : decodeRow(entryKey, text);
      if (row?.row === number && row.meter === this.#meter) return row;
      this.#books.suspectedBell.ring();
    }
    return undefined;
  }

  isBroken(): boolean {
    return false;
  }
}

/** Hours one after another, found without the records that say that they wait: memory knows that of each row. */
class Hours implements Piece {
  readonly #books: Books;
  readonly #texts: readonly string[];
  readonly #keyOf: (n: number) => string;
  readonly readOn: Piece['readOn'];
  #at = 0;
  #isBroken = false;

  constructor(
    books: Books,
    found: { readonly texts: readonly string[]; readonly keyOf: (n: number) => string },
    readOn: Piece['readOn'],
  ) {
    this.#books = books;
    this.#texts = found.texts;
    this.#keyOf = found.keyOf;
    this.readOn = readOn;
  }

  take(passed: number): Row | undefined {
    const text = this.#texts[this.#at];
    if (text === undefined || this.#isBroken) return undefined;
    const row = decodeRow(this.#keyOf(this.#at), text);
    this.#at += 1;
    this.#isBroken = !(row && this.#books.standing.waiting.isNextHour(passed, row.row));
    return this.#isBroken ? undefined : row;
  }

  isBroken(): boolean {
    return this.#isBroken;
  }
}

/** Whether there are enough of them, all first revisions of one installation's hours, one after another. */
function isRun({ waiting, isFull }: Marks): boolean {
  const [first] = waiting;
  if (!isFull || first === undefined || !isOfPlainHour(first.entryKey)) return false;
  const [, meter = ''] = first.entryKey.split('/');
  const [inst, start] = [instOf(first), startOf(first)];
  return waiting.every(
    ({ entryKey }, n) => entryKey === keys.hour(meter, inst, start + n * HOUR_MS),
  );
}

/** Perhaps nobody comes to ask for it; who does hears of its failure. */
function heardOf<T>(reading: Promise<T>): Promise<T> {
  reading.catch(() => undefined);
  return reading;
}

function following(piece: Promise<Piece | undefined>): Promise<Piece | undefined> {
  return heardOf(piece.then((one) => one?.readOn()));
}

/** The texts of these entries, in their order; undefined where there is none. Throws StoreLost. */
async function textsOf(
  store: Store,
  waiting: readonly Waiting[],
): Promise<readonly (string | undefined)[]> {
  const wanted = waiting.map(({ entryKey }) => entryKey || '-');
  if (store.getMany && wanted.length > 0) {
    const got = await store.getMany(wanted);
    if (!got.ok) throw new StoreLost(got.fault.detail);
    return got.value;
  }
  const texts: (string | undefined)[] = [];
  for (const key of wanted) texts.push(await textAt(store, key));
  return texts;
}
