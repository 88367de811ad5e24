// A meter that nobody knows: the names that are most like it, and how many more there are.

import { describe, expect, it } from 'vitest';
import { unknownMeter } from '../../src/commands/answer.ts';

const STREET = Array.from({ length: 40 }, (_, i) => `SP-${String(i + 1).padStart(5, '0')}`);

describe('a meter that is not there', () => {
  it('is answered with the few names that are most like it, the likest first, and with how many more there are', () => {
    expect(unknownMeter(STREET, 'sp-0031').hint).toMatch(/^Known are SP-00031, .* and 32 more\.$/);
    expect(unknownMeter(STREET, 'SP-00041').hint).toContain('SP-00040, ');
    expect(unknownMeter(STREET, 'NOPE').hint.split(', ')).toHaveLength(8);
  });

  it('is answered with all names where they are few, and with that where there are none', () => {
    expect(unknownMeter(['pit', 'SP-1'], 'SP-2')).toEqual({
      ...{ ok: false, code: 'unknown_meter', message: 'There is no meter SP-2.' },
      hint: 'Known are SP-1, pit.',
    });
    expect(unknownMeter([], 'SP-2').hint).toBe('There is no meter yet.');
  });
});
