// Whether a description that must not change did: what a broker kept of an earlier life of the collector does not count.

import { CROSSING_MS } from './patience.ts';

/** One fact of an installation, as the messages about it tell it. */
export class OnlyStory {
  /** By content, whether it can be of an earlier life: kept by the broker, and heard only when we began to listen. */
  readonly #told = new Map<string, boolean>();
  #since: number | undefined;
  #isBroken = false;

  /**
   * Takes it as a message has it; false where that contradicts what came before. A broker brings what it kept as it likes,
   * before what is new or after it.
   */
  take(content: string, at: number, retained: boolean): boolean {
    this.#since ??= at;
    const isNews = !this.#told.has(content);
    const mayBeOld =
      retained && at - this.#since <= CROSSING_MS && this.#told.get(content) !== false;
    const changed = isNews || this.#told.get(content) !== mayBeOld;
    this.#told.set(content, mayBeOld);
    const old = [...this.#told.values()].filter((one) => one).length;
    const wasBroken = this.#isBroken;
    this.#isBroken = this.#told.size > 2 || (this.#told.size === 2 && old === 0);
    return !this.#isBroken || (wasBroken && !changed);
  }

  has(content: string): boolean {
    return this.#told.size === 0 || this.#told.has(content);
  }
}
