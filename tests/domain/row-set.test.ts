// A set of rows behaves as any set, in little room.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowSet } from '../../src/domain/row-set.ts';

it('holds exactly the rows added and not deleted, and tells them in order', () => {
  const row = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 1e12 }));
  const change = fc.record({ row, add: fc.boolean() });
  const span = fc.tuple(row, fc.nat({ max: 100_000 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), span, (changes, [first, length]) => {
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
      const isWithin = (one: number) => one >= first && one <= first + length;
      expect(rows.hasAny(first, first + length)).toBe([...plain].some(isWithin));
      for (const one of plain) expect(rows.hasAny(one, one)).toBe(true);
      for (const one of plain) expect(rows.hasAny(one + 1, one)).toBe(false);
      for (const one of plain) expect(rows.hasAny(one + 1, one + 1)).toBe(plain.has(one + 1));
      rows.clear();
      expect([rows.size, ...rows]).toEqual([0]);
    }),
  );
});
