// The medium of the journal: an ordered store of text, and the place where it lies.

import type { Result } from '../domain/fault.ts';

/** One change of a batch; `value` absent deletes the key. Keys and values are text. */
export interface StoreChange {
  readonly key: string;
  readonly value?: string;
}

/** A range of keys in byte order: `from` inclusive, `to` exclusive. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** A part of a range that fits into memory. */
export type Portion = KeyRange & { readonly limit: number };

/** An ordered store of text on something that survives a power cut. */
export interface Store {
  /** All changes or none, on the medium (synced) when it resolves good. After a fault the outcome is unknown until read again. */
  write(changes: readonly StoreChange[]): Promise<Result<void>>;
  get(key: string): Promise<Result<string | undefined>>;
  /** As many `get`s, in their order, for the price of one; absent where it would save nothing. */
  getMany?(keys: readonly string[]): Promise<Result<readonly (string | undefined)[]>>;
  /** Entries of the range in order, as they stood when the iteration began. Ends early, with a thrown StoreLost, if the medium fails. */
  entries(range: KeyRange): AsyncIterable<readonly [key: string, value: string]>;
  /** As `entries`, at most `limit` of them, read at once: who reads a whole store waits for portions, not for each entry. */
  portion(range: Portion): Promise<readonly (readonly [key: string, value: string])[]>;
  /** The texts of a portion without their keys, which take as long to hand over. */
  texts(range: Portion): Promise<readonly string[]>;
  /** Gives back the room of what was deleted in the range; absent where nothing takes up room. */
  compact?(range: Pick<KeyRange, 'from' | 'to'>): Promise<Result<void>>;
  /** The room that the store takes up and leaves, where it lies on a disk. */
  room?(): Promise<Result<Room>>;
  /** Bytes that a range takes up, roughly and without what was written last, where it lies on a disk. */
  sizeOf?(range: Pick<KeyRange, 'from' | 'to'>): Promise<Result<number>>;
  /** Bytes that this process has sent to disks since it began; null where the system does not tell. */
  worn?(): number | null;
  close(): Promise<void>;
}

/** In bytes: what a store takes up, what is free beside it, and how large its disk is. */
export interface Room {
  readonly bytes: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/**
 * A place where a store lies, with what is kept beside it, so that neither an opening nor damage loses anything unsaid.
 * Nothing here ever rejects.
 */
export interface Vault {
  /**
   * Opens the store after keeping what an opening of a damaged one destroys; creates it where there is none. What cannot
   * be opened is repaired, and what cannot be repaired is put aside for an empty one (see `signs`). `store.locked` while
   * another holds it; `store.failed` while the disk is full, read-only or out of reach.
   */
  open(): Promise<Result<Store>>;
  /** What the last opening found amiss, in words, and those before it since the last `heard`; none for a sound one. */
  signs(): readonly string[];
  /** What the signs said is told, and that is on the medium: a kill from now on leaves it told. */
  heard(): Promise<void>;
  /** What can be repaired of what was kept, as a store of its own; undefined when nothing was kept. To be closed. */
  salvage(): Promise<Result<Store | undefined>>;
  /** Reading the opened store failed in these words: where they tell of damage, the next opening repairs it first. */
  mistrust(detail: string): void;
  /** The opened store is proved: what was kept is forgotten. */
  release(): Promise<void>;
  /** The text kept outside the store; undefined when there is none. */
  readMark(): Promise<Result<string | undefined>>;
  /** Replaces that text; after a power cut the old or the new one is there, whole. */
  writeMark(text: string): Promise<Result<void>>;
  /** Puts damaged records aside, within a bound, for a person to look at. */
  quarantine(records: readonly (readonly [key: string, value: string])[]): Promise<void>;
  /** Sets room aside (again) for the day the disk is full. */
  reserve(): Promise<void>;
}
