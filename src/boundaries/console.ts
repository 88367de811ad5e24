// What the web console stands on: secrets, shared files, its pages, and who asks.

import type { Result } from '../domain/fault.ts';

/** Chance and one-way functions, for the passwords, sessions and tokens of the console. */
export interface Secrets {
  /** So many random bytes, as base64url text. */
  random(bytes: number): string;
  /** SHA-256 as base64url text: for secrets that are too random to be guessed. */
  digest(secret: string): string;
  /** Scrypt over a salt of its own, as text that tells its costs. Slow and large on purpose: not to be called many times at once. */
  scramble(password: string): Promise<string>;
  /** Whether the text was scrambled from this password; false for what is no such text. As slow as `scramble`. */
  matches(password: string, scrambled: string): Promise<boolean>;
}

/** A small text file for its owner alone, which other processes read and replace too. Nothing here rejects for the disk. */
export interface SharedText {
  /** Its text as it is now; undefined where it is not there. Cheap while nobody has changed it. */
  read(): Promise<Result<string | undefined>>;
  /** Replaces the text by what `edit` makes of it (`text` left out: leaves it), on the medium, while no other process does. */
  change<T>(
    edit: (text: string | undefined) => { readonly text?: string; readonly outcome: T },
  ): Promise<Result<T>>;
}

/** A file of the console's pages, with its packed forms. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content. */
  readonly lasting: boolean;
  readonly plain: Uint8Array;
  readonly packed: Readonly<Partial<Record<'br' | 'gzip', Uint8Array>>>;
}

/** The pages as they were built: a closed set, so that no path leads elsewhere. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Who asks over HTTP, as the socket knows it. */
export interface Caller {
  readonly address: string;
  /** The address of this machine that was called. */
  readonly local: string;
  /** Under TLS. */
  readonly secure: boolean;
  /** They have proved who they are: their connection is the last to be given up when there are too many. */
  trust(): void;
  /** Ends the connection at once: what was answered so far is not whole. */
  breakOff(): void;
}
