// The rules of sessions (S1, S2): what states and births say of the starts of one collector, in whatever order they come.

import type { Birth, CollectorState } from './messages.ts';
import { CROSSING_MS, GRACE_MS } from './patience.ts';
import type { Verdicts } from './verdicts.ts';

/** What was heard of one start. */
interface Start {
  /** Its earliest word that carries a time, by the collector's clock; infinity before one has come. */
  since: number;
  /** When it took its leave, by the same clock. */
  left: number | undefined;
  /** When it was first heard of. */
  readonly at: number;
}

/** The starts of one collector. */
export class SessionRules {
  readonly #verdicts: Verdicts;
  /** By session, in the order in which they were first heard. */
  readonly #starts = new Map<string, Start>();
  readonly #heard = new Set<string>();
  /** The first birth of each session. */
  readonly #births = new Map<string, { sent: number; at: number }>();

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  /** S1. A will says lost at any time, also after its session: it carries no time, and overrules nothing. */
  takeState(state: CollectorState, at: number): void {
    this.#verdicts.saw('S1');
    const { session } = state;
    const fresh = { since: Number.POSITIVE_INFINITY, left: undefined, at };
    const start: Start = this.#starts.get(session) ?? fresh;
    const sent = state.state === 'lost' ? Number.NaN : Date.parse(state.sent ?? '');
    const content = `${session} ${state.state} ${sent}`;
    // At least once: the same message again says nothing new.
    if (!Number.isNaN(sent) && !this.#heard.has(content)) {
      this.#heard.add(content);
      if (state.state === 'disconnected') start.left = Math.max(start.left ?? sent, sent);
      else this.#checkOver(state, start, sent);
      start.since = Math.min(start.since, sent);
    }
    this.#starts.set(session, start);
  }

  /** S2, as far as the session goes; the state that it is held against may come later. */
  takeBirth({ session, sent }: Birth, at: number): void {
    if (!this.#births.has(session)) this.#births.set(session, { sent: Date.parse(sent), at });
  }

  /** What only the whole shows. `now`: what may still be on its way by then is not missed; null: nothing more is to come. */
  finish(now: number | null): void {
    if (this.#starts.size === 0) return;
    for (const [session, { sent, at }] of this.#births) {
      if (now !== null && now - at < GRACE_MS) continue;
      // What a broker has kept may be the birth of one start and already the state, or the will, of another.
      const isOld = [...this.#starts.values()].some(
        (start) => start.since > sent && Math.abs(start.at - at) <= CROSSING_MS,
      );
      this.#verdicts.check(
        'S2',
        this.#starts.has(session) || isOld,
        () => `birth is of session ${session}, which no state has told of`,
      );
    }
  }

  /**
   * A session is over when it took its leave, and when another has begun. It speaks again where both the collector's clock and the
   * order of arrival say so: by one of them alone that is also how messages look that overtook each other, or a clock put back.
   */
  #checkOver({ session, state }: CollectorState, start: Start, sent: number): void {
    if (start.left !== undefined && sent > start.left) {
      this.#verdicts.fail('S1', `session ${session} took its leave and says ${state} again`);
    }
    const names = [...this.#starts.keys()];
    const later = names.slice(names.indexOf(session) + 1);
    const successor = later.find((name) => {
      const { since = Number.NaN } = this.#starts.get(name) ?? {};
      return this.#starts.has(session) && since > start.since && sent > since;
    });
    if (successor === undefined) return;
    this.#verdicts.fail('S1', `session ${session} says ${state} after ${successor} has begun`);
  }
}
