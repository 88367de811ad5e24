// Accounts, tokens and one-time codes: the one place that changes them, for the console and for the command line.

import type { Clock, CommandAnswer, Secrets, SharedText } from '../boundaries.ts';
import { LANGUAGES } from '../domain/words.ts';
import {
  type Account,
  type Book,
  type Code,
  formatBook,
  isName,
  ownerOf,
  parseBook,
  roleOfToken,
  type Token,
  UNITS,
} from './book.ts';
import {
  CODES_MAX,
  FIRST_RUN_CODE_MS,
  SIGN_IN_CODE_MS,
  TOKEN_USE_MS,
  TOKENS_MAX,
  USERS_MAX,
} from './limits.ts';
import { PASSWORD_SENTENCES, passwordProblem } from './passwords.ts';
import { isRole, ROLES, type Role } from './roles.ts';

/** `T` in `data`, or why not. Codes beside those of commands: user.unknown, user.exists, user.last_admin, password_*, code.unknown, accounts.broken. */
export type Answer<T> =
  | { readonly ok: true; readonly data: T }
  | Extract<CommandAnswer, { readonly ok: false }>;

export interface AccountParts {
  readonly file: SharedText;
  readonly secrets: Secrets;
  /** The system's time. */
  readonly clock: Clock;
}

/** 128 random bits are beyond guessing, and short enough for a label. */
const CODE_BYTES = 16;
const TOKEN_BYTES = 32;
/** So that a leaked token is known for what it is. */
const TOKEN_MARK = 'mct_';

/** `parts.file` may change under it: each question looks at the file as it is now. */
export class Accounts {
  readonly #parts: AccountParts;
  /** When the use of a token was written down. */
  readonly #noted = new Map<string, number>();
  #parsed: { readonly text: string | undefined; readonly book: Book | null } | undefined;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  /** The accounts as they are now. `accounts.broken` where the file cannot be read or is none of ours. */
  async book(): Promise<Answer<Book>> {
    const read = await this.#parts.file.read();
    if (!read.ok) return BROKEN(read.fault.detail);
    if (this.#parsed?.text !== read.value || this.#parsed === undefined) {
      this.#parsed = { text: read.value, book: parseBook(read.value) };
    }
    const { book } = this.#parsed;
    return book ? { ok: true, data: book } : BROKEN('it is not what this program writes');
  }

  async list(): Promise<Answer<{ users: object[] }>> {
    const book = await this.book();
    if (!book.ok) return book;
    const users = book.data.users.map(({ user, role, password, created, language }) => ({
      ...{ user, role, created, language: language ?? null },
      has_password: password !== null,
    }));
    return { ok: true, data: { users } };
  }

  /** A new account; without a password it comes with a one-time code for its owner to set one. */
  async add(wish: {
    readonly user: unknown;
    readonly role: unknown;
    readonly password?: unknown;
  }): Promise<Answer<{ user: string; role: string; code?: string }>> {
    const { user, role } = wish;
    if (!isName(user)) return BAD_NAME;
    if (!isRole(role)) return bad(`role is one of ${ROLES.join(', ')}.`);
    const scrambled =
      wish.password === undefined ? null : await this.#scrambled(wish.password, user);
    if (scrambled && !scrambled.ok) return scrambled;
    const code = this.#newCode(user, SIGN_IN_CODE_MS);
    return this.#change<{ user: string; role: string; code?: string }>((book) => {
      if (find(book, user)) return CONFLICT('user.exists', `There is a user ${user} already.`);
      if (book.users.length >= USERS_MAX) return full('users', USERS_MAX);
      const created = this.#now();
      const account: Account = { user, role, password: scrambled?.data ?? null, created };
      const users = [...book.users, account];
      if (scrambled) return { book: { ...book, users }, data: { user, role } };
      const codes = withCode(book, code.kept);
      return { book: { ...book, users, codes }, data: { user, role, code: code.text } };
    });
  }

  /**
   * A new password; whoever was signed in with the old one is out. `now`: the account as its owner proved it; where it is
   * another by then, because of a reset, `unauthorized`.
   */
  async setPassword(
    user: unknown,
    password: unknown,
    now?: Account,
  ): Promise<Answer<{ user: string }>> {
    if (!isName(user)) return BAD_NAME;
    const scrambled = await this.#scrambled(password, user);
    if (!scrambled.ok) return scrambled;
    return this.#change((book) => {
      const found = find(book, user);
      if (now && (found?.password !== now.password || found.created !== now.created)) return LATE;
      const changed = changeUser(book, user, { password: scrambled.data });
      return changed ? { book: changed, data: { user } } : unknownUser(user);
    });
  }

  /** Takes the password away, ends the sessions, and gives a one-time code for setting a new one. */
  async reset(user: unknown): Promise<Answer<{ user: string; code: string; minutes: number }>> {
    if (!isName(user)) return BAD_NAME;
    const code = this.#newCode(user, SIGN_IN_CODE_MS);
    return this.#change((book) => {
      const changed = changeUser(book, user, { password: null });
      if (!changed) return unknownUser(user);
      const codes = withCode(changed, code.kept);
      const data = { user, code: code.text, minutes: SIGN_IN_CODE_MS / 60_000 };
      return { book: { ...changed, codes }, data };
    });
  }

  async setRole(user: unknown, role: unknown): Promise<Answer<{ user: string }>> {
    if (!isName(user)) return BAD_NAME;
    if (!isRole(role)) return bad(`role is one of ${ROLES.join(', ')}.`);
    return this.#change((book) => {
      const changed = changeUser(book, user, { role });
      if (!changed) return unknownUser(user);
      return hasAdmin(changed) ? { book: changed, data: { user } } : LAST_ADMIN;
    });
  }

  /** What a person prefers: language and units. */
  async prefer(
    user: string,
    { language, units }: { readonly language?: unknown; readonly units?: unknown },
  ): Promise<Answer<{ user: string }>> {
    const tongue = tongueOf(language);
    const volume = UNITS.find((one) => one === units);
    return this.#change((book) => {
      const changed = changeUser(book, user, { ...tongue, ...(volume && { units: volume }) });
      return changed ? { book: changed, data: { user } } : unknownUser(user);
    });
  }

  /** With the tokens that were made in this account. */
  async remove(user: unknown): Promise<Answer<{ user: string }>> {
    if (!isName(user)) return BAD_NAME;
    return this.#change((book) => {
      if (!find(book, user)) return unknownUser(user);
      const users = book.users.filter((one) => one.user !== user);
      const codes = book.codes.filter((one) => one.user !== user);
      const tokens = book.tokens.filter((one) => ownerOf(one, book) !== user);
      const left = { ...book, users, codes, tokens };
      return hasAdmin(left) ? { book: left, data: { user } } : LAST_ADMIN;
    });
  }

  /** A one-time code that lets a user in; without any account the one that makes the first. */
  async code(
    user?: unknown,
  ): Promise<Answer<{ user: string | null; code: string; minutes: number }>> {
    if (user !== undefined && !isName(user)) return BAD_NAME;
    const to = user ?? null;
    const ms = to === null ? FIRST_RUN_CODE_MS : SIGN_IN_CODE_MS;
    const code = this.#newCode(to, ms);
    return this.#change((book) => {
      if (to === null && book.users.length > 0) return bad('Whose? There are users already.');
      if (to !== null && !find(book, to)) return unknownUser(to);
      const data = { user: to, code: code.text, minutes: ms / 60_000 };
      return { book: { ...book, codes: withCode(book, code.kept) }, data };
    });
  }

  /** The first account, by the code of the first run; an admin, for somebody must be. */
  async firstRun(wish: {
    readonly code: unknown;
    readonly user: unknown;
    readonly password: unknown;
    readonly language?: unknown;
  }): Promise<Answer<Account>> {
    const { code, user, language } = wish;
    if (!isName(user)) return BAD_NAME;
    const book = await this.book();
    if (!book.ok) return book;
    // Before the password is scrambled, which costs.
    if (!this.#codeIn(book.data, code, true)) return UNKNOWN_CODE;
    const scrambled = await this.#scrambled(wish.password, user);
    if (!scrambled.ok) return scrambled;
    const tongue = tongueOf(language);
    return this.#change<Account>((now) => {
      if (now.users.length > 0 || !this.#codeIn(now, code, true)) return UNKNOWN_CODE;
      const password = scrambled.data;
      const created = this.#now();
      const account: Account = { user, role: 'admin', password, created, ...tongue };
      return { book: { ...now, users: [account], codes: [] }, data: account };
    });
  }

  /** Whose a one-time code is; it is used up. */
  async redeem(text: unknown): Promise<Answer<Account>> {
    const book = await this.book();
    if (!book.ok) return book;
    if (!this.#codeIn(book.data, text, false)) return UNKNOWN_CODE;
    return this.#change((now) => {
      const code = this.#codeIn(now, text, false);
      const account = code?.user ? find(now, code.user) : undefined;
      if (!code || !account) return UNKNOWN_CODE;
      const codes = now.codes.filter((one) => one !== code);
      return { book: { ...now, codes }, data: account };
    });
  }

  /** Each with the role that it has now. */
  async listTokens(): Promise<Answer<{ tokens: object[] }>> {
    const book = await this.book();
    if (!book.ok) return book;
    const tokens = book.data.tokens.map((token) => {
      const { digest: _, owner: __, ...told } = token;
      return { ...told, role: roleOfToken(token, book.data) ?? null };
    });
    return { ok: true, data: { tokens } };
  }

  /** A token for a script. Its text is told this once. `owner`: whose rights it must not outgrow; null: nobody's. */
  async createToken(wish: {
    readonly name: unknown;
    readonly role: unknown;
    readonly by: string;
    readonly owner: string | null;
  }): Promise<Answer<{ id: string; name: string; role: string; token: string }>> {
    const { name, role, by, owner } = wish;
    if (!isName(name)) return bad('A token has a name: 1 to 32 of A-Z a-z 0-9 . _ -');
    if (!isRole(role)) return bad(`role is one of ${ROLES.join(', ')}.`);
    const { secrets } = this.#parts;
    const token = `${TOKEN_MARK}${secrets.random(TOKEN_BYTES)}`;
    const digest = secrets.digest(token);
    return this.#change((book) => {
      if (book.tokens.length >= TOKENS_MAX) return full('tokens', TOKENS_MAX);
      const id = `t${1 + Math.max(0, ...book.tokens.map((one) => Number(one.id.slice(1)) || 0))}`;
      const kept: Token = { id, name, role, digest, created: this.#now(), by, used: null, owner };
      return { book: { ...book, tokens: [...book.tokens, kept] }, data: { id, name, role, token } };
    });
  }

  async revokeToken(id: unknown): Promise<Answer<{ id: string }>> {
    return this.#change((book) => {
      const gone = book.tokens.find((one) => one.id === id);
      if (!gone) return CONFLICT('token.unknown', 'There is no such token.');
      const tokens = book.tokens.filter((one) => one !== gone);
      return { book: { ...book, tokens }, data: { id: gone.id } };
    });
  }

  /** Which token that is and what it may do now; its use is written down now and then. */
  async tokenOf(
    text: string,
  ): Promise<{ id: string; name: string; role: Role; owner: string | null } | undefined> {
    if (!text.startsWith(TOKEN_MARK)) return undefined;
    const book = await this.book();
    if (!book.ok) return undefined;
    const digest = this.#parts.secrets.digest(text);
    const token = book.data.tokens.find((one) => one.digest === digest);
    const role = token && roleOfToken(token, book.data);
    if (!role) return undefined;
    void this.#noteUse(token);
    return { id: token.id, name: token.name, role, owner: ownerOf(token, book.data) };
  }

  async #noteUse({ id, used: before }: Token): Promise<void> {
    const now = this.#parts.clock.now();
    const noted = this.#noted.get(id) ?? (before === null ? 0 : Date.parse(before));
    if (now - noted < TOKEN_USE_MS) return;
    this.#noted.set(id, now);
    const used = this.#now();
    await this.#change((book) => {
      const tokens = book.tokens.map((one) => (one.id === id ? { ...one, used } : one));
      return { book: { ...book, tokens }, data: null };
    });
  }

  #now(): string {
    return new Date(this.#parts.clock.now()).toISOString();
  }

  #newCode(user: string | null, ms: number): { readonly text: string; readonly kept: Code } {
    const { secrets, clock } = this.#parts;
    const text = secrets.random(CODE_BYTES);
    return { text, kept: { digest: secrets.digest(text), user, until: clock.now() + ms } };
  }

  #codeIn(book: Book, text: unknown, first: boolean): Code | undefined {
    if (typeof text !== 'string' || text.length > 100) return undefined;
    const digest = this.#parts.secrets.digest(text.trim());
    const now = this.#parts.clock.now();
    return book.codes.find(
      (one) => one.digest === digest && one.until > now && (one.user === null) === first,
    );
  }

  async #scrambled(password: unknown, user: string): Promise<Answer<string>> {
    if (typeof password !== 'string') return bad('A password is text.');
    const problem = passwordProblem(password, user);
    if (problem) return CONFLICT(problem, PASSWORD_SENTENCES[problem] ?? problem);
    return { ok: true, data: await this.#parts.secrets.scramble(password) };
  }

  async #change<T>(
    edit: (book: Book) => { readonly book: Book; readonly data: T } | Answer<never>,
  ): Promise<Answer<T>> {
    const now = this.#parts.clock.now();
    const changed = await this.#parts.file.change<Answer<T>>((text) => {
      const book = parseBook(text);
      if (!book) return { outcome: BROKEN('it is not what this program writes') };
      const codes = book.codes.filter(({ until }) => until > now);
      const made = edit({ ...book, codes });
      if (!('book' in made)) return { outcome: made };
      return { text: formatBook(made.book), outcome: { ok: true, data: made.data } };
    });
    return changed.ok ? changed.value : BROKEN(changed.fault.detail);
  }
}

function tongueOf(language: unknown): Pick<Account, 'language'> {
  const tongue = LANGUAGES.find((one) => one === language);
  return tongue ? { language: tongue } : {};
}

const find = (book: Book, user: string) => book.users.find((one) => one.user === user);
const hasAdmin = (book: Book) => book.users.some(({ role }) => role === 'admin');

function changeUser(book: Book, user: string, change: Partial<Account>): Book | undefined {
  if (!find(book, user)) return undefined;
  const users = book.users.map((one) => (one.user === user ? { ...one, ...change } : one));
  return { ...book, users };
}

/** One code of a user at a time. */
function withCode(book: Book, code: Code): readonly Code[] {
  const others = book.codes.filter(({ user }) => user !== code.user);
  return [...others, code].slice(-CODES_MAX);
}

const failed = (code: string, message: string, hint: string): Answer<never> => ({
  ...{ ok: false, code, message, hint },
});
const bad = (message: string) => failed('bad_request', message, '');
const CONFLICT = (code: string, message: string) => failed(code, message, '');
const full = (what: string, most: number) => failed('conflict', `There are ${most} ${what}.`, '');
const unknownUser = (user: string) =>
  failed('user.unknown', `There is no user ${user}.`, 'See: meter-collector user list');
const BROKEN = (why: string) =>
  failed('accounts.broken', `The file of accounts cannot be used: ${why}.`, 'Mend or remove it.');
const BAD_NAME = bad('A user has a name: 1 to 32 of A-Z a-z 0-9 . _ -');
const LATE = failed(
  ...(['unauthorized', 'The account was changed meanwhile.', 'Sign in again.'] as const),
);
const LAST_ADMIN = failed(
  ...(['user.last_admin', 'Somebody must be admin.', 'Make another one first.'] as const),
);
const UNKNOWN_CODE = failed(
  ...(['code.unknown', 'That code is not known, used, or too old.'] as const),
  'A new one is made at the collector: meter-collector user reset NAME',
);
