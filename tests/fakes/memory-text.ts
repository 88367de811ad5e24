// A shared text in memory, in the place of a file that several processes change.

import type { SharedText } from '../../src/boundaries.ts';
import { good } from '../../src/domain/fault.ts';

/** The text and how often it was replaced. */
export class MemoryText implements SharedText {
  text: string | undefined;
  replaced = 0;

  async read() {
    return good(this.text);
  }

  async change<T>(
    edit: (text: string | undefined) => { readonly text?: string; readonly outcome: T },
  ) {
    const { text, outcome } = edit(this.text);
    if (text !== undefined && text !== this.text) {
      this.text = text;
      this.replaced += 1;
    }
    return good(outcome);
  }
}
