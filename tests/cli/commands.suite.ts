// What any way to Commands promises, run on the commands themselves and on the same behind the control socket.

import { describe, expect, test } from 'vitest';
import type { Commands } from '../../src/boundaries.ts';

/** Commands with one name for each sort of answer. */
export const EXAMPLES: Commands = {
  async run(name, args) {
    switch (name) {
      case 'echo':
        return { ok: true, data: { args } };
      case 'nothing':
        return { ok: true, data: null };
      case 'large':
        return { ok: true, data: { text: 'x'.repeat(5_000_000) } };
      case 'refused':
        return { ok: false, code: 'conflict', message: 'It is taken.', hint: 'Choose another.' };
      default:
        return { ok: false, code: 'unknown_command', message: name, hint: '' };
    }
  },
};

/** `open` gives the way to EXAMPLES that is tried. */
export function commandsSuite(way: string, open: () => Promise<Commands>): void {
  describe(`Commands ${way}`, () => {
    const same = async (name: string, args: Record<string, unknown> = {}) => {
      const commands = await open();
      expect(await commands.run(name, args)).toEqual(await EXAMPLES.run(name, args));
    };

    test('carry arguments and answer as they are', async () => {
      await same('echo', { meter: 'SP-1', from: null, list: [1, { deep: 'größer ✓' }], '': 0 });
      await same('echo');
      await same('nothing');
    });

    test('carry an answer of megabytes', () => same('large'));

    test('carry a refusal with its code and hint', () => same('refused'));

    test('carry a name of any characters', () => same('../a b?c#d/é%2F'));

    test('answer many questions at once, each with its own', async () => {
      const commands = await open();
      const asked = Array.from({ length: 10 }, (_, n) => commands.run('echo', { n }));
      const answers = await Promise.all(asked);
      expect(answers).toEqual(asked.map((_, n) => ({ ok: true, data: { args: { n } } })));
    });
  });
}
