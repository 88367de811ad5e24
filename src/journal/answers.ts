// Answers to commands, kept so that the same command is answered the same way again (C2).

import { keys, seal } from '../codec/journal-record.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import type { Books } from './books.ts';
import { sealedAt } from './records.ts';
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

  async keptAnswer(id: string): Promise<Result<string | undefined>> {
    if (!this.#books.standing.answers.has(id)) return good(undefined);
    const unsynced = this.#books.unsynced.get(id);
    if (unsynced) return good(unsynced[1]);
    return this.#books.attempt(async (store) => {
      const kept = await sealedAt<KeptAnswer>(store, keys.answer(id));
      return kept ? good(kept[1]) : faulty('store.failed', 'the answer that was kept is damaged');
    });
  }
}
