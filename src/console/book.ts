// The accounts, tokens and one-time codes of the console as they stand in their file: secrets only as what proves them.

import { isRole, lesserOf, type Role } from './roles.ts';

export interface Account {
  readonly user: string;
  readonly role: Role;
  /** Scrambled; null: none yet, a one-time code lets its owner in to set one. */
  readonly password: string | null;
  readonly created: string;
  readonly language?: 'en' | 'es';
  /** In which volumes are shown to this person. */
  readonly units?: Units;
}

export const UNITS = ['ft3', 'gal', 'm3'] as const;
export type Units = (typeof UNITS)[number];

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly digest: string;
  readonly created: string;
  readonly by: string;
  readonly used: string | null;
  /** Whose account made it; null: the command line. Absent in a file of before this was kept. */
  readonly owner?: string | null;
}

/** Good once, until `until` (epoch ms). Without a user it makes the first account. */
export interface Code {
  readonly digest: string;
  readonly user: string | null;
  readonly until: number;
}

export interface Book {
  readonly v: 1;
  readonly users: readonly Account[];
  readonly tokens: readonly Token[];
  readonly codes: readonly Code[];
}

export const EMPTY_BOOK: Book = { v: 1, users: [], tokens: [], codes: [] };

/** Of a token of before owners were kept: the account that it says it was made by, if there is one. */
export const ownerOf = ({ owner, by }: Token, { users }: Book): string | null =>
  owner === undefined ? (users.find(({ user }) => user === by)?.user ?? null) : owner;

/** What a token may do now: never more than its owner, and nothing (undefined) without that account. */
export function roleOfToken(token: Token, book: Book): Role | undefined {
  const owner = ownerOf(token, book);
  if (owner === null) return token.role;
  const account = book.users.find(({ user }) => user === owner);
  return account && lesserOf(token.role, account.role);
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;
/** Names of users and tokens: 1 to 32 of A-Z a-z 0-9 . _ - */
export const isName = (text: unknown): text is string =>
  typeof text === 'string' && NAME.test(text);

/** Null for a text that is no book: then nobody may come in, and nobody may begin anew either. */
export function parseBook(text: string | undefined): Book | null {
  if (text === undefined) return EMPTY_BOOK;
  try {
    const book = JSON.parse(text) as Book;
    const isBook =
      book.v === 1 &&
      book.users.every(({ user, role, password }) => {
        return isName(user) && isRole(role) && (password === null || typeof password === 'string');
      }) &&
      book.tokens.every(({ id, role, digest }) => isName(id) && isRole(role) && isDigest(digest)) &&
      book.codes.every(({ digest, until }) => isDigest(digest) && typeof until === 'number');
    return isBook ? book : null;
  } catch {
    return null;
  }
}

/** SHA-256 in base64url. */
const isDigest = (text: unknown) => typeof text === 'string' && /^[A-Za-z0-9_-]{43}$/.test(text);

export const formatBook = (book: Book): string => `${JSON.stringify(book, null, 2)}\n`;
