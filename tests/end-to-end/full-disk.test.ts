// A disk that fills up, is read-only for a while and comes back: the collector polls on, and tells the truth in the end.

import { describe, expect, it } from 'vitest';
import { aedes } from '../fakes/real-brokers.ts';
import { fillUpAndComeBack, hasTmpfs } from './full-disk.ts';

describe.skipIf(!hasTmpfs)('a disk that is full, then read-only (needs root, tmpfs)', () => {
  it('costs no count, ends no process, and is told while it lasts', async () => {
    const { audit, starts, log } = await fillUpAndComeBack(await aedes(), 71);
    expect(audit).toMatchObject({ lost: 0, invented: 0, duplicates: 0, findings: [] });
    expect(starts).toBe(2);
    expect(log).toMatch(/No space left|ENOSPC/i);
    expect(log).toMatch(/Read-only file system|EROFS/i);
    expect(log).not.toContain('the journal was damaged');
  }, 240_000);
});
