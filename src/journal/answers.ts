// Answers to commands, kept so that the same command is answered the same way again (C2).

import { keys, seal, unseal } from '../codec/journal-record.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import type { Books } from './books.ts';
import type { KeptAnswer } from './standing.ts';

/** Results of commands are kept so many and so long (C2). */
const ANSWERS_MAX = 10_000;
const ANSWERS_MS = 24 * HOUR_MS;

/** The answers given last. */
export class Answers {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  keepAnswer(id: string, text: string, at: EpochMs): void {
    const { answers } = this.#books.standing;
    const { changes } = this.#books.group;
    const kept: KeptAnswer = [at, text];
    answers.delete(id);
    answers.set(id, at);
    for (const [oldest, then] of answers) {
      if (answers.size <= ANSWERS_MAX && at - then < ANSWERS_MS) break;
      answers.delete(oldest);
      changes.set(keys.answer(oldest), undefined);
    }
    this.#books.unsynced.set(id, kept);
    this.#books.group.answers.set(id, kept);
    changes.set(keys.answer(id), seal(keys.answer(id), kept));
    this.#books.stagedBell.ring();
  }

  async keptAnswer(id: string): Promise<string | undefined> {
    if (!this.#books.standing.answers.has(id)) return undefined;
    const unsynced = this.#books.unsynced.get(id);
    if (unsynced) return unsynced[1];
    const found = await this.#books.store.get(keys.answer(id));
    const kept = unseal(keys.answer(id), (found.ok && found.value) || '');
    return (kept as KeptAnswer | undefined)?.[1];
  }
}
