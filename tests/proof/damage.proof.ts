// 2,000 bits flipped over every file of a filled journal, and each file cut short, emptied and removed.

import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Random } from '../../simulator/random.ts';
import { type Damage, drawFlip, everyFile, fill, suffer } from '../journal/damage.ts';

const FLIPS = 2_000;

it(`a journal with one of ${FLIPS} bits flipped, or any file cut, emptied or removed`, async () => {
  const filled = await fill();
  const chance = new Random('flips/proof');
  const damages: Damage[] = everyFile(filled);
  for (let n = 0; n < FLIPS; n += 1) damages.push(await drawFlip(filled, chance));
  const figures = { cases: damages.length, noticed: 0, with_loss: 0, rows_lost: 0, steps_lost: 0 };
  for (const damage of damages) {
    const { faults, lostRows, lostSteps, isRepaired } = await suffer(filled, damage);
    expect(faults.slice(0, 5), JSON.stringify(damage)).toEqual([]);
    figures.noticed += isRepaired ? 1 : 0;
    figures.with_loss += lostRows + lostSteps > 0 ? 1 : 0;
    figures.rows_lost += lostRows;
    figures.steps_lost += lostSteps;
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  await rm(filled.folder, { recursive: true, force: true });
}, 7_200_000);
