// Who is signed in: sessions in memory alone, known by the digest of their cookie. A restart of the collector ends them.

import type { Clock, Secrets } from '../boundaries.ts';
import type { Account } from './book.ts';
import { IDLE_MS, SESSION_MS, SESSIONS_MAX, SESSIONS_OF_ONE_MAX } from './limits.ts';

export interface Session {
  readonly digest: string;
  readonly user: string;
  /** Changes with the password: a session of an older one is over. */
  readonly stamp: string;
  readonly began: number;
  used: number;
}

const SESSION_BYTES = 32;

export class Sessions {
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #sessions = new Map<string, Session>();

  /** `clock` is the wire's: nobody stays signed in by a wall clock that is set back. */
  constructor(clock: Clock, secrets: Secrets) {
    this.#clock = clock;
    this.#secrets = secrets;
  }

  /** A new session, and the text that proves it. */
  begin(account: Account): { readonly token: string; readonly session: Session } {
    const token = this.#secrets.random(SESSION_BYTES);
    const now = this.#clock.monotonicMs();
    const digest = this.#secrets.digest(token);
    const stamp = this.stampOf(account);
    const session = { digest, user: account.user, stamp, began: now, used: now };
    this.#makeRoom(account.user);
    this.#sessions.set(digest, session);
    return { token, session };
  }

  /** The session of this text; `uses`: somebody is at work in it, which keeps it. */
  of(token: string, uses: boolean): Session | undefined {
    const session = this.#sessions.get(this.#secrets.digest(token));
    if (!session || !this.isAlive(session)) return undefined;
    if (uses) session.used = this.#clock.monotonicMs();
    return session;
  }

  isAlive(session: Session): boolean {
    const now = this.#clock.monotonicMs();
    const over = now - session.used >= IDLE_MS || now - session.began >= SESSION_MS;
    if (over) this.#sessions.delete(session.digest);
    return !over && this.#sessions.get(session.digest) === session;
  }

  end(session: Session): void {
    this.#sessions.delete(session.digest);
  }

  /** Takes a new password of its owner along, so that who changes it stays. */
  renew(session: Session, account: Account): Session {
    const renewed = { ...session, stamp: this.stampOf(account) };
    this.#sessions.set(session.digest, renewed);
    return renewed;
  }

  stampOf({ password, created }: Account): string {
    return this.#secrets.digest(`${created}\n${password ?? ''}`);
  }

  #makeRoom(user: string): void {
    for (const session of [...this.#sessions.values()]) this.isAlive(session);
    const longest = (all: readonly Session[]) =>
      all.reduce((one, other) => (other.used < one.used ? other : one));
    const own = [...this.#sessions.values()].filter((one) => one.user === user);
    if (own.length >= SESSIONS_OF_ONE_MAX) this.end(longest(own));
    else if (this.#sessions.size >= SESSIONS_MAX) this.end(longest([...this.#sessions.values()]));
  }
}
