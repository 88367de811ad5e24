// A damaged journal hands out nothing wrong, tells every loss with its ranges, brings back what can be, and goes on.

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../simulator/random.ts';
import { drawFlip, everyFile, type Filled, fill, suffer } from './damage.ts';

const FLIPS = 200;

const FLIPS_REBUILT = 60;

describe('a damaged journal that was rebuilt before', () => {
  let filled: Filled;
  beforeAll(async () => {
    filled = await fill({ isRebuilt: true });
  }, 120_000);
  afterAll(() => rm(filled.folder, { recursive: true, force: true }));

  it(`with one of ${FLIPS_REBUILT} bits flipped anywhere tells every loss, and no other`, async () => {
    const chance = new Random('flips/rebuilt');
    for (let n = 0; n < FLIPS_REBUILT; n += 1) {
      const damage = await drawFlip(filled, chance);
      const { faults } = await suffer(filled, damage);
      expect(faults.slice(0, 5), JSON.stringify({ n, damage })).toEqual([]);
    }
  }, 600_000);
});

describe('a damaged journal', () => {
  let filled: Filled;
  beforeAll(async () => {
    filled = await fill();
  }, 120_000);
  afterAll(() => rm(filled.folder, { recursive: true, force: true }));

  it('lies in several tables, a log, a MANIFEST, CURRENT and a mark', () => {
    const kinds = new Set(filled.files.map((file) => file.replace(/.*\/|\d+/g, '')));
    expect(kinds).toEqual(new Set(['mark', 'CURRENT', 'MANIFEST-', '.ldb', '.log']));
    expect(filled.nextRow).toBeGreaterThan(300);
  });

  it(`with one of ${FLIPS} bits flipped anywhere tells the truth and every loss`, async () => {
    const chance = new Random('flips/1');
    for (let n = 0; n < FLIPS; n += 1) {
      const damage = await drawFlip(filled, chance);
      const { faults } = await suffer(filled, damage);
      expect(faults.slice(0, 5), JSON.stringify({ n, damage })).toEqual([]);
    }
  }, 600_000);

  it('with any of its files cut short, emptied or removed tells the truth and every loss', async () => {
    for (const damage of everyFile(filled)) {
      const { faults } = await suffer(filled, damage);
      expect(faults.slice(0, 5), JSON.stringify(damage)).toEqual([]);
    }
  }, 600_000);
});
