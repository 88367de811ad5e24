// Passwords scrambled one at a time: each takes 32 MB and a thread that the journal's writes need too.

import type { Secrets } from '../boundaries.ts';
import { SCRAMBLES_WAITING_MAX } from './limits.ts';

export class Scrambler {
  readonly #secrets: Secrets;
  /** What a password is held against where there is no such user, so that both take as long. */
  #nobody: Promise<string> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Whether the password is that of `scrambled`; null, at once, when too many wait. */
  async matches(password: string, scrambled: string | null | undefined): Promise<boolean | null> {
    if (this.#waiting >= SCRAMBLES_WAITING_MAX) return null;
    this.#waiting += 1;
    const mine = this.#turn.then(async () => {
      this.#nobody ??= this.#secrets.scramble(this.#secrets.random(16));
      const against = scrambled ?? (await this.#nobody);
      return (await this.#secrets.matches(password, against)) && typeof scrambled === 'string';
    });
    this.#turn = mine.catch(() => undefined);
    return mine.finally(() => {
      this.#waiting -= 1;
    });
  }
}
