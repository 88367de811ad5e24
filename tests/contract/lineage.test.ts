// Shows what holds of the epochs of a collector that was restored and repaired, in whatever order that is heard.

import { describe, expect, it } from 'vitest';
import { Lineage } from '../../simulator/contract-rules/lineage.ts';

const at = (day: number) => `2026-06-0${day}T00:00:00Z`;
const repaired = (epoch: string, row: number, day: number, data: object) => ({
  ...{ code: 'journal.repaired', epoch, row, at: at(day) },
  data: { new_epoch: epoch, ...data },
});
const restored = (epoch: string, row: number, day: number, backup: string, rows: number) =>
  repaired(epoch, row, day, { backup_epoch: backup, backup_rows: rows, backup_at: at(1) });

const permutations = <T>(all: readonly T[]): T[][] =>
  all.length < 2
    ? [[...all]]
    : all.flatMap((one, i) =>
        permutations(all.filter((_, j) => j !== i)).map((rest) => [one, ...rest]),
      );

const heard = (events: readonly Readonly<Record<string, unknown>>[]) => {
  const lineage = new Lineage();
  for (const event of events) lineage.take(event);
  return lineage;
};
const isVoid = (lineage: Lineage, epoch: string, row: number) =>
  lineage.standing(epoch, row).isVoid;

describe('the epochs of a collector', () => {
  it('hold up to what a backup knew of, through a repair and a second restore', () => {
    // A to row 9 -> B (void from the second restore on) -> C; A to row 7 -> D, repaired to E.
    const events = [
      restored('B', 10, 2, 'A', 9),
      repaired('C', 20, 3, { epoch_before: 'B' }),
      restored('D', 8, 4, 'A', 7),
      repaired('E', 30, 5, { epoch_before: 'D' }),
    ];
    for (const order of permutations(events)) {
      const lineage = heard(order);
      const told = (epoch: string) => [7, 8, 40].map((row) => isVoid(lineage, epoch, row));
      expect(told('A')).toEqual([false, true, true]);
      expect([told('B'), told('C')]).toEqual([Array(3).fill(true), Array(3).fill(true)]);
      expect([told('D'), told('E')]).toEqual([Array(3).fill(false), Array(3).fill(false)]);
      expect(told('nobody knows of')).toEqual([false, false, false]);
    }
  });

  it('tell by themselves what lies above the restore, also where a later epoch tells of it under a lower row', () => {
    const events = [
      restored('B', 10, 2, 'A', 9),
      { ...restored('B', 6, 2, 'A', 9), epoch: 'D' },
      repaired('C', 20, 3, { epoch_before: 'B' }),
    ];
    for (const order of permutations(events)) {
      const lineage = heard(order);
      const isFresh = (epoch: string, row: number) => lineage.standing(epoch, row).isFresh;
      for (const epoch of ['B', 'C']) {
        expect([isFresh(epoch, 10), isFresh(epoch, 11)]).toEqual([false, true]);
      }
    }
  });

  it('end with the one in which the collector says it is, whatever its clock showed at a restore', () => {
    const lineage = heard([restored('B', 10, 9, 'A', 9), restored('C', 10, 3, 'A', 9)]);
    expect([isVoid(lineage, 'B', 12), isVoid(lineage, 'C', 12)]).toEqual([false, true]);
    lineage.live('C');
    expect([isVoid(lineage, 'B', 12), isVoid(lineage, 'C', 12)]).toEqual([true, false]);
  });

  it('end with none from which another comes, though a clock was ahead when it began', () => {
    const events = [restored('B', 10, 9, 'A', 9), restored('C', 20, 3, 'B', 15)];
    for (const order of permutations(events)) {
      const lineage = heard(order);
      expect([isVoid(lineage, 'B', 15), isVoid(lineage, 'B', 16)]).toEqual([false, true]);
      expect(isVoid(lineage, 'C', 30)).toBe(false);
    }
  });

  it('come to an end where one is said to come from itself', () => {
    const lineage = heard([restored('A', 1, 1, 'B', 3), restored('B', 1, 2, 'A', 3)]);
    expect(isVoid(lineage, 'B', 2)).toBe(false);
  });
});
