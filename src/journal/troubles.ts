// Troubles of the collector itself that last: each is told when it begins and when it is over, and only then, over restarts (E1).

import type { Trouble } from '../boundaries.ts';
import { seal } from '../codec/journal-record.ts';
import type { Books } from './books.ts';
import { TROUBLES_KEY, type TroubleTold } from './standing.ts';

export class Troubles {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  /** Those that stand, by what they are about. */
  standing(): readonly string[] {
    return [...this.#books.standing.troubles.keys()];
  }

  /** Tells what is not told yet. Nothing while the journal is not sound: who looks will look again. */
  say({ about, stands, code, severity, data }: Trouble): void {
    const books = this.#books;
    const told = books.standing.troubles.get(about);
    if (!books.sound || stands === (told !== undefined)) return;
    const troubles = new Map(books.standing.troubles);
    if (told) {
      books.tell({ code, severity: 'info', data, of: { ...told, message: 1, phase: 'clear' } });
      troubles.delete(about);
    } else troubles.set(about, books.tell({ code, severity, data }));
    books.standing = { ...books.standing, troubles };
    books.group.changes.set(TROUBLES_KEY, textOf(troubles));
  }
}

function textOf(troubles: ReadonlyMap<string, TroubleTold>): string | undefined {
  return troubles.size === 0 ? undefined : seal(TROUBLES_KEY, Object.fromEntries(troubles));
}
