// The disk fills up, is read-only and comes back, three times over.

import { describe, expect, it } from 'vitest';
import { fillUpAndComeBack, hasTmpfs } from '../end-to-end/full-disk.ts';
import { aedes } from '../fakes/real-brokers.ts';

describe.skipIf(!hasTmpfs)('a disk that is full, then read-only (needs root, tmpfs)', () => {
  it.each([72, 73, 74])(
    'seed %i: costs no count, ends no process, and is told while it lasts',
    async (seed) => {
      const { audit, starts, log } = await fillUpAndComeBack(await aedes(), seed);
      expect(audit).toMatchObject({ lost: 0, invented: 0, duplicates: 0, findings: [] });
      expect(starts).toBe(2);
      expect(log).toMatch(/No space left|ENOSPC/i);
      expect(log).toMatch(/Read-only file system|EROFS/i);
      expect(log).not.toContain('the journal was damaged');
    },
    240_000,
  );
});
