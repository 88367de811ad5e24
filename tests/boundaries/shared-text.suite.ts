// What every shared text must do: read as it is now, change as a whole, one change after the other.

import { afterEach, describe, expect, it } from 'vitest';
import type { SharedText } from '../../src/boundaries.ts';

/** `open` gives two views of one text that is not there yet. */
export function sharedTextSuite(
  name: string,
  open: () => Promise<{ one: SharedText; other: SharedText; close: () => Promise<void> }>,
): void {
  describe(`a shared text: ${name}`, () => {
    let close = async () => {};
    afterEach(() => close());
    const opened = async () => {
      const found = await open();
      close = found.close;
      return found;
    };
    const put = (text: string) => () => ({ text, outcome: null });

    it('is not there until it is written, and then read by all', async () => {
      const { one, other } = await opened();
      expect(await one.read()).toEqual({ ok: true, value: undefined });
      expect(await one.change(put('first'))).toEqual({ ok: true, value: null });
      expect(await other.read()).toEqual({ ok: true, value: 'first' });
      await other.change(put('again'));
      expect(await one.read()).toEqual({ ok: true, value: 'again' });
    });

    it('stays as it is where nothing is given in its place, and the outcome is told', async () => {
      const { one, other } = await opened();
      await one.change(put('first'));
      const seen = await other.change((text) => ({ outcome: `saw ${text}` }));
      expect(seen).toEqual({ ok: true, value: 'saw first' });
      expect(await one.read()).toEqual({ ok: true, value: 'first' });
    });

    it('loses no change of many at once', async () => {
      const { one, other } = await opened();
      const add = (text: SharedText) =>
        text.change((before) => ({ text: `${before ?? ''}x`, outcome: null }));
      await Promise.all(Array.from({ length: 20 }, (_, i) => add(i % 2 === 0 ? one : other)));
      expect(await one.read()).toEqual({ ok: true, value: 'x'.repeat(20) });
    });
  });
}
