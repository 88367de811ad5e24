// A store in memory with the promises of the real one: its medium survives restarts and can be made to fail.

import type { KeyRange, Portion, Room, Store, StoreChange } from '../../src/boundaries.ts';
import { faulty, good, type Result, StoreLost } from '../../src/domain/fault.ts';

const LEAF_MAX = 48;

/** At most LEAF_MAX entries in order. One that an iteration holds is replaced instead of changed. */
interface Leaf {
  readonly keys: string[];
  readonly values: string[];
  held: boolean;
}

/** What a failing write does all the same; the caller is never told which. */
export type FailedWrite = 'applied' | 'lost';

/**
 * How the n-th operation on a medium fails. `io`: it alone. `full`: it and all writes and openings after it, until there
 * is room again. `latched`: it and everything after it, until the store is closed and opened again.
 */
export type FailureKind = 'io' | 'full' | 'latched';

interface Planned {
  readonly nth: number;
  readonly kind: FailureKind;
  readonly outcome: FailedWrite;
}

/** The disk under a memory store. One store is open on it at a time, as LevelDB's lock has it. */
export class Medium {
  readonly #leaves: Leaf[] = [];
  #life: { open: boolean } | undefined;
  #failing = 0;
  #failedWrite: FailedWrite = 'lost';
  #readsFail = false;
  readonly #dead = new WeakSet<object>();
  #planned: Planned | null = null;
  /** What lasts of a planned failure. */
  #ill: FailureKind | null = null;
  #sync: (() => Promise<void>) | null = null;
  /** Batches that are written and not synced yet, oldest first. */
  #unsynced: (readonly StoreChange[])[] = [];
  /** What the store says of the room that it takes up; null: nothing. */
  room: Room | null = null;
  /** Good writes since the beginning. */
  writes = 0;
  /** Operations since the beginning: openings, writes, gets and iterations. */
  operations = 0;
  /** Called when a batch has been written and its sync begins. */
  onSync: () => void = () => {};

  /** The n-th operation from now on fails. */
  failAt(nth: number, kind: FailureKind, outcome: FailedWrite = 'lost'): void {
    this.#planned = { nth: this.operations + nth, kind, outcome };
  }

  /** There is room again. */
  heal(): void {
    this.#planned = null;
    this.#ill = null;
  }

  /** From now on the medium is ill in this way; `heal` ends it. */
  ail(kind: Exclude<FailureKind, 'io'>): void {
    this.#ill = kind;
  }

  /** What stands under a key, past everything that fails. */
  peek(key: string): string | undefined {
    return this.#find(key);
  }

  /** Keys on the medium. */
  size(): number {
    return this.#leaves.reduce((sum, { keys }) => sum + keys.length, 0);
  }

  /** The n-th key in order, counted round; undefined on an empty medium. */
  keyAt(n: number): string | undefined {
    let left = n % Math.max(1, this.size());
    for (const { keys } of this.#leaves) {
      if (left < keys.length) return keys[left];
      left -= keys.length;
    }
    return undefined;
  }

  /** A bit has turned over: from now on this stands there. */
  rot(key: string, value: string): void {
    this.#put(key, value);
  }

  /** From now on a write takes as long as `sync`, and is not on the medium before; null: no time at all. */
  syncIn(sync: (() => Promise<void>) | null): void {
    this.#sync = sync;
  }

  /** Opens the store that lies on this medium; `store.locked` while another is open. */
  open(): Promise<Result<Store>> {
    if (this.#life !== undefined) {
      return Promise.resolve(faulty('store.locked', 'another store is open on this medium'));
    }
    if (this.#strikes('open')) {
      return Promise.resolve(faulty('store.failed', 'a planted fault: no space left on device'));
    }
    const life = { open: true };
    this.#life = life;
    return Promise.resolve(good(this.#storeOf(life)));
  }

  /**
   * The holder dies: its lock is gone, every further call of it fails. What was synced stays; of what was not, the first
   * `kept` batches, for a log loses its end.
   */
  crash(kept = 0): void {
    for (const batch of this.#unsynced.slice(0, kept)) this.#apply(batch);
    this.#unsynced = [];
    if (this.#life) this.#dead.add(this.#life);
    this.#leave();
  }

  get unsynced(): number {
    return this.#unsynced.length;
  }

  #leave(): void {
    if (this.#life !== undefined) this.#life.open = false;
    this.#life = undefined;
    if (this.#ill === 'latched') this.#ill = null;
  }

  /** Whether this operation is struck by what was planned. */
  #strikes(operation: 'open' | 'write' | 'read'): boolean {
    this.operations += 1;
    if (this.#planned?.nth === this.operations) {
      if (this.#planned.kind === 'io') return true;
      this.#ill = this.#planned.kind;
    }
    if (this.#ill === 'latched') return operation !== 'open';
    return this.#ill === 'full' && operation !== 'read';
  }

  /** The next `count` writes answer `store.failed`; whether they are applied all the same is `outcome`. */
  failNext(count: number, outcome: FailedWrite = 'lost'): void {
    this.#failing = count;
    this.#failedWrite = outcome;
  }

  /** While true every `get` fails, and iterations end with StoreLost. */
  failReads(fail: boolean): void {
    this.#readsFail = fail;
  }

  /** Everything on the medium, in order, as it stands. */
  *dump(): Generator<readonly [key: string, value: string]> {
    for (const leaf of this.#leaves.slice()) {
      leaf.held = true;
      for (const [i, key] of leaf.keys.entries()) yield [key, leaf.values[i] as string];
    }
  }

  #storeOf(life: { open: boolean }): Store {
    const { room } = this;
    return {
      ...(room && { room: () => Promise.resolve(good(room)) }),
      write: (changes) =>
        this.#sync && life.open
          ? this.#writeSynced(life, changes, this.#sync)
          : Promise.resolve(this.#write(life, changes)),
      get: (key) =>
        Promise.resolve(
          !life.open || this.#readsFail || this.#strikes('read')
            ? faulty('store.failed', 'the medium does not answer')
            : good(this.#find(key)),
        ),
      entries: (range) => this.#entries(life, range),
      portion: async (range) => this.#portion(life, range),
      texts: async (range) => this.#portion(life, range).map(([, text]) => text),
      close: () => {
        if (life.open) this.#leave();
        return Promise.resolve();
      },
    };
  }

  async #writeSynced(
    life: { open: boolean },
    changes: readonly StoreChange[],
    sync: () => Promise<void>,
  ): Promise<Result<void>> {
    this.#unsynced.push(changes);
    const done = sync();
    this.onSync();
    await done;
    // Nothing that a dead program awaited ever settles.
    if (this.#dead.has(life)) return new Promise(() => {});
    if (!life.open) return faulty('store.failed', 'the store is not open');
    this.#unsynced = this.#unsynced.filter((batch) => batch !== changes);
    return this.#write(life, changes);
  }

  #write(life: { open: boolean }, changes: readonly StoreChange[]): Result<void> {
    if (!life.open) return faulty('store.failed', 'the store is not open');
    if (this.#strikes('write')) {
      if (this.#planned?.outcome === 'applied') this.#apply(changes);
      return faulty('store.failed', 'a planted fault: no space left on device');
    }
    if (this.#failing > 0) {
      this.#failing -= 1;
      if (this.#failedWrite === 'applied') this.#apply(changes);
      return faulty('store.failed', 'a planted fault');
    }
    this.#apply(changes);
    this.writes += 1;
    return good(undefined);
  }

  #apply(changes: readonly StoreChange[]): void {
    for (const { key, value } of changes) {
      if (value === undefined) this.#remove(key);
      else this.#put(key, value);
    }
  }

  #put(key: string, value: string): void {
    const at = leafOf(this.#leaves, key);
    const leaf = this.#leaves[at];
    if (leaf === undefined) {
      mustBeAscii(key);
      this.#leaves.push({ keys: [key], values: [value], held: false });
      return;
    }
    const i = lowerBound(leaf.keys, key);
    const { keys, values } = this.#ours(at, leaf);
    if (keys[i] === key) {
      values[i] = value;
      return;
    }
    mustBeAscii(key);
    keys.splice(i, 0, key);
    values.splice(i, 0, value);
    if (keys.length <= LEAF_MAX) return;
    // Keys mostly grow: a leaf that overflows at its end is left full.
    const cut = i === keys.length - 1 ? i : keys.length >> 1;
    this.#leaves.splice(
      at,
      1,
      { keys: keys.slice(0, cut), values: values.slice(0, cut), held: false },
      { keys: keys.slice(cut), values: values.slice(cut), held: false },
    );
  }

  /** The leaf at that place to be changed: a copy where an iteration holds it. */
  #ours(at: number, leaf: Leaf): Leaf {
    if (!leaf.held) return leaf;
    const ours = { keys: leaf.keys.slice(), values: leaf.values.slice(), held: false };
    this.#leaves[at] = ours;
    return ours;
  }

  #remove(key: string): void {
    const at = leafOf(this.#leaves, key);
    const leaf = this.#leaves[at];
    if (leaf === undefined) return;
    const i = lowerBound(leaf.keys, key);
    if (leaf.keys[i] !== key) return;
    if (leaf.keys.length === 1) this.#leaves.splice(at, 1);
    else {
      const { keys, values } = this.#ours(at, leaf);
      keys.splice(i, 1);
      values.splice(i, 1);
    }
  }

  #find(key: string): string | undefined {
    const leaf = this.#leaves[leafOf(this.#leaves, key)];
    if (leaf === undefined) return undefined;
    const i = lowerBound(leaf.keys, key);
    return leaf.keys[i] === key ? leaf.values[i] : undefined;
  }

  /** By hand, for an async generator takes three times as long. */
  #entries(life: { open: boolean }, range: KeyRange): AsyncIterable<StoredEntry> {
    const begin = () => this.#begin(range);
    const mustRead = () => this.#mustRead(life);
    return new Entries(begin, mustRead);
  }

  /** Nothing comes between its entries: no leaf need be held. */
  #portion(life: { open: boolean }, range: Portion): StoredEntry[] {
    if (this.#strikes('read')) throw new StoreLost('a planted fault');
    this.#mustRead(life);
    const first = leafOf(this.#leaves, range.from);
    const leaves = this.#leaves.slice(first, leafOf(this.#leaves, range.to) + 1);
    const rest = inOrder(leaves, range);
    const portion: StoredEntry[] = [];
    for (let step = rest.next(); !step.done; step = rest.next()) portion.push(step.value);
    return portion;
  }

  #begin(range: KeyRange): Iterator<StoredEntry> {
    const leaves = this.#leavesOf(range);
    if (this.#strikes('read')) throw new StoreLost('a planted fault');
    for (const leaf of leaves) leaf.held = true;
    return inOrder(leaves, range);
  }

  /** No more of them than an iteration can come to: each that it holds is copied when it changes. */
  #leavesOf({ from, to, limit = Number.POSITIVE_INFINITY, reverse = false }: KeyRange): Leaf[] {
    const first = leafOf(this.#leaves, from);
    const behind = leafOf(this.#leaves, to) + 1;
    // The leaf at each end may have nothing of the range in it, every other has something.
    if (behind - first <= limit + 1) return this.#leaves.slice(first, behind);
    return reverse
      ? this.#leaves.slice(behind - limit - 1, behind)
      : this.#leaves.slice(first, first + limit + 1);
  }

  #mustRead(life: { open: boolean }): void {
    if (!life.open || this.#readsFail) throw new StoreLost('the medium does not answer');
  }
}

function mustBeAscii(key: string): void {
  if (!/^[\x20-\x7e]+$/.test(key)) throw new Error(`keys are ASCII text: ${key}`);
}

type StoredEntry = readonly [key: string, value: string];

/** What an iteration began with; each iterates once, as those of LevelDB. */
class Entries implements AsyncIterable<StoredEntry>, AsyncIterator<StoredEntry, undefined> {
  readonly #begin: () => Iterator<StoredEntry>;
  readonly #mustRead: () => void;
  #rest: Iterator<StoredEntry> | undefined;

  constructor(begin: () => Iterator<StoredEntry>, mustRead: () => void) {
    this.#begin = begin;
    this.#mustRead = mustRead;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StoredEntry, undefined>> {
    this.#rest ??= this.#begin();
    this.#mustRead();
    return this.#rest.next();
  }

  async return(): Promise<IteratorResult<StoredEntry, undefined>> {
    return DONE;
  }
}

const DONE = { done: true, value: undefined } as const;

/** By hand, for a generator takes three times as long. */
function inOrder(
  leaves: readonly Leaf[],
  { from, to, reverse = false, limit = Number.POSITIVE_INFINITY }: KeyRange,
): Iterator<StoredEntry, undefined> {
  const step = reverse ? -1 : 1;
  let at = reverse ? leaves.length : -1;
  let left = limit;
  let leaf: Leaf | undefined;
  let i = 0;
  let end = 0;
  const nextLeaf = (): boolean => {
    while (i === end) {
      at += step;
      leaf = leaves[at];
      if (leaf === undefined) return false;
      const first = lowerBound(leaf.keys, from);
      const behind = Math.max(first, lowerBound(leaf.keys, to));
      i = reverse ? behind - 1 : first;
      end = reverse ? first - 1 : behind;
    }
    return true;
  };
  return {
    next() {
      if (left <= 0 || !nextLeaf()) return DONE;
      const { keys, values } = leaf as Leaf;
      const value: StoredEntry = [keys[i] as string, values[i] as string];
      i += step;
      left -= 1;
      return { done: false, value };
    },
  };
}

/** A memory store on a medium of its own or on one that has lived before. */
export function openMemoryStore(medium: Medium = new Medium()): Promise<Result<Store>> {
  return medium.open();
}

/** The leaf in which `key` is or would be: the last that begins at or before it, else the first. */
function leafOf(leaves: readonly Leaf[], key: string): number {
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (((leaves[middle] as Leaf).keys[0] as string) <= key) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Index of the first key not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
