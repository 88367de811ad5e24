// The second read keeps damaged frames from becoming water; `npm run proof` measures it over millions.

import { describe, expect, it } from 'vitest';
import { measureWrongValues } from './wrong-values.ts';

describe('damaged frames without a check sum', () => {
  it('become accepted readings now and then without a second read, and never here with one', () => {
    const bare = measureWrongValues(40_000, false, 1);
    const confirmed = measureWrongValues(40_000, true, 1);
    expect(bare.wrong).toBeGreaterThan(0);
    expect(confirmed.wrong).toBe(0);
    expect(confirmed.accepted).toBeGreaterThan(38_000);
  });
});
