// What technicians leave: commissionings under way and reports, plain JSON under names of their own.

import { seal, unseal, within } from '../codec/journal-record.ts';
import type { Books } from './books.ts';
import { sealedAt } from './records.ts';

/** Among the journal's own records: an older program keeps them as they are. */
const keyOf = (name: string) => `a/paper/${name}`;

export class Papers {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  keep(name: string, paper: unknown): void {
    const { group, sound, stagedBell } = this.#books;
    if (!sound) return;
    const key = keyOf(name);
    group.changes.set(key, paper === undefined ? undefined : seal(key, paper));
    stagedBell.ring();
  }

  async paper(name: string): Promise<unknown> {
    const key = keyOf(name);
    const { changes } = this.#books.group;
    if (changes.has(key)) return unseal(key, changes.get(key) ?? '');
    return sealedAt(this.#books.store, key);
  }

  async papers(folder: string): Promise<readonly unknown[]> {
    const found = new Map<string, string | undefined>();
    const range = within(keyOf(`${folder}/`));
    for await (const [key, text] of this.#books.store.entries(range)) found.set(key, text);
    for (const [key, text] of this.#books.group.changes) {
      if (key >= range.from && key < range.to) found.set(key, text);
    }
    return [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([key, text]) => unseal(key, text ?? '') ?? []);
  }
}
