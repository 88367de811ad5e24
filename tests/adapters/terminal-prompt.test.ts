// A question at a terminal: the answer, what is shown of it, and a person who has left.

import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { promptAtTerminal } from '../../src/adapters/terminal-prompt.ts';

function terminal(isSecret: boolean) {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = '';
  output.on('data', (piece) => {
    shown += piece;
  });
  return {
    input,
    asked: promptAtTerminal('Name: ', { input, output, isSecret }),
    shown: () => shown,
  };
}

describe('a question at a terminal', () => {
  it('resolves to the line that was typed', async () => {
    const { input, asked, shown } = terminal(false);
    input.write('ana\nmore');
    expect(await asked).toBe('ana');
    expect(shown()).toContain('Name: ');
  });

  it('shows nothing of a secret', async () => {
    const { input, asked, shown } = terminal(true);
    input.write('hunter2\r');
    expect(await asked).toBe('hunter2');
    expect(shown()).toBe('Name: \n');
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('has no answer after %s', async (_, key) => {
    const { input, asked } = terminal(true);
    input.write(key);
    expect(await asked).toBeNull();
  });

  it('has no answer when the terminal goes away', async () => {
    const { input, asked } = terminal(false);
    input.end();
    expect(await asked).toBeNull();
  });
});
