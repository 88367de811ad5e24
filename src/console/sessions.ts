// Who is signed in: known by the digest of their cookie, in memory, and in a file so that a restart of the collector ends nobody's work.

import type { Clock, Log, Secrets, SharedText } from '../boundaries.ts';
import type { Account } from './book.ts';
import {
  IDLE_MS,
  SESSION_MS,
  SESSION_NOTED_MS,
  SESSIONS_MAX,
  SESSIONS_OF_ONE_MAX,
} from './limits.ts';

export interface Session {
  readonly digest: string;
  readonly user: string;
  /** Changes with the password: a session of an older one is over. */
  readonly stamp: string;
  /** Of the steady clock, as `used`. */
  readonly began: number;
  used: number;
}

export interface SessionParts {
  /** The wire's: nobody stays signed in by a wall clock that is set back while the collector runs. */
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly file: SharedText;
  readonly log: Log;
}

/** A session in the file: `began` and `used` of the wall clock. What proves it is not there, only its digest. */
interface Kept {
  readonly digest: string;
  readonly user: string;
  readonly stamp: string;
  readonly began: number;
  readonly used: number;
}

const SESSION_BYTES = 32;

export class Sessions {
  readonly #parts: SessionParts;
  readonly #sessions = new Map<string, Session>();
  #loading: Promise<void> | undefined;
  #saving: Promise<unknown> = Promise.resolve();
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Resolves when those of before the last restart are known, as far as they are not over. */
  loaded(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Resolves when what has changed is in the file, or cannot be. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  /** A new session, and the text that proves it. */
  begin(account: Account): { readonly token: string; readonly session: Session } {
    const { clock, secrets } = this.#parts;
    const token = secrets.random(SESSION_BYTES);
    const now = clock.monotonicMs();
    const digest = secrets.digest(token);
    const stamp = this.stampOf(account);
    const session = { digest, user: account.user, stamp, began: now, used: now };
    this.#makeRoom(account.user);
    this.#sessions.set(digest, session);
    this.#save();
    return { token, session };
  }

  /** The session of this text; `uses`: somebody is at work in it, which keeps it. */
  of(token: string, uses: boolean): Session | undefined {
    const { clock, secrets } = this.#parts;
    const session = this.#sessions.get(secrets.digest(token));
    if (!session || !this.isAlive(session)) return undefined;
    if (uses) {
      session.used = clock.monotonicMs();
      if (session.used - this.#notedAt >= SESSION_NOTED_MS) this.#save();
    }
    return session;
  }

  isAlive(session: Session): boolean {
    const now = this.#parts.clock.monotonicMs();
    const over = now - session.used >= IDLE_MS || now - session.began >= SESSION_MS;
    if (over) this.#sessions.delete(session.digest);
    return !over && this.#sessions.get(session.digest) === session;
  }

  end(session: Session): void {
    this.#sessions.delete(session.digest);
    this.#save();
  }

  /** Takes a new password of its owner along, so that who changes it stays; who left meanwhile is gone. */
  renew(session: Session, account: Account): void {
    if (!this.isAlive(session)) return;
    this.#sessions.set(session.digest, { ...session, stamp: this.stampOf(account) });
    this.#save();
  }

  stampOf({ password, created }: Account): string {
    return this.#parts.secrets.digest(`${created}\n${password ?? ''}`);
  }

  #makeRoom(user: string): void {
    for (const session of [...this.#sessions.values()]) this.isAlive(session);
    const longest = (all: readonly Session[]) =>
      all.reduce((one, other) => (other.used < one.used ? other : one));
    const own = [...this.#sessions.values()].filter((one) => one.user === user);
    const gone =
      own.length >= SESSIONS_OF_ONE_MAX
        ? longest(own)
        : this.#sessions.size >= SESSIONS_MAX
          ? longest([...this.#sessions.values()])
          : undefined;
    if (gone) this.#sessions.delete(gone.digest);
  }

  async #load(): Promise<void> {
    const { clock, file, log } = this.#parts;
    const read = await file.read();
    if (!read.ok) log.warn({ detail: read.fault.detail }, 'sessions of before cannot be read');
    const [wall, steady] = [clock.now(), clock.monotonicMs()];
    for (const { digest, user, stamp, began, used } of parsed(read.ok ? read.value : undefined)) {
      // A wall clock that lies before the last use says nothing of how long ago that was.
      if (used > wall || began > used) continue;
      const shift = steady - wall;
      const session = { digest, user, stamp, began: began + shift, used: used + shift };
      if (this.#sessions.size >= SESSIONS_MAX || this.#sessions.has(digest)) continue;
      this.#sessions.set(digest, session);
      this.isAlive(session);
    }
  }

  /** One writing after the other; what stands in memory then is what is written. */
  #save(): void {
    const { clock, file, log } = this.#parts;
    this.#notedAt = clock.monotonicMs();
    this.#saving = this.loaded().then(async () => {
      const written = await file.change(() => ({ text: this.#text(), outcome: null }));
      if (!written.ok) log.warn({ detail: written.fault.detail }, 'sessions cannot be kept');
    });
  }

  #text(): string {
    const { clock } = this.#parts;
    const shift = clock.now() - clock.monotonicMs();
    const sessions: Kept[] = [...this.#sessions.values()]
      .filter((one) => this.isAlive(one))
      .map(({ digest, user, stamp, began, used }) => ({
        ...{ digest, user, stamp },
        ...{ began: Math.round(began + shift), used: Math.round(used + shift) },
      }));
    return `${JSON.stringify({ v: 1, sessions })}\n`;
  }
}

/** What is none of ours is nobody's session. */
function parsed(text: string | undefined): readonly Kept[] {
  try {
    const { v, sessions } = JSON.parse(text ?? '{}') as { v?: unknown; sessions?: unknown };
    if (v !== 1 || !Array.isArray(sessions)) return [];
    return (sessions as Partial<Kept>[]).filter(
      (one): one is Kept =>
        typeof one?.digest === 'string' &&
        typeof one.user === 'string' &&
        typeof one.stamp === 'string' &&
        Number.isFinite(one.began) &&
        Number.isFinite(one.used),
    );
  } catch {
    return [];
  }
}
