// A set of rows behaves as any set, in little room.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowSet } from '../../src/domain/row-set.ts';

it('holds exactly the rows added and not deleted, and tells them in order', () => {
  const row = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 1e12 }));
  const change = fc.record({ row, add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const rows = new RowSet();
      const plain = new Set<number>();
      for (const { row: one, add } of changes) {
        if (add) rows.add(one);
        else rows.delete(one);
        if (add) plain.add(one);
        else plain.delete(one);
        expect(rows.has(one)).toBe(plain.has(one));
      }
      expect([...rows]).toEqual([...plain].sort((a, b) => a - b));
      expect(rows.size).toBe(plain.size);
      rows.clear();
      expect([rows.size, ...rows]).toEqual([0]);
    }),
  );
});
