// Deeds at a meter that say something else than they seem to: nothing is done, so that no bill is another.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualWorld } from '../whole/virtual-world.ts';

let world: VirtualWorld;
const METER = 'SP-00001';
/** What came of it: the code of a refusal, or `done`. */
const asked = (name: string, args: Record<string, unknown>) =>
  world.ask(name, { meter: METER, ...args }).then(
    () => 'done',
    (refusal: Error) => refusal.message,
  );
const shown = async () => {
  const told = await world.ask('meter.show', { meter: METER });
  return (told as { installation: { inst: number } }).installation;
};

beforeEach(async () => {
  world = new VirtualWorld({ seed: 3, meters: 8 });
  await world.start();
  await world.run(1.2);
});
afterEach(() => world.stop());

it.each([
  ['a final dial under another name', { final_read: '123' }],
  ['no power of ten, which is not 10^0', { pow10: null }],
  ['an empty power of ten', { pow10: '' }],
  ['a power of ten in a list', { pow10: [] }],
  ['a power of ten that is a word', { pow10: false }],
  ['digits in a list', { digits: [8] }],
  ['digits with a point', { digits: '8.0' }],
  ['no final dial', { final: null }],
])('a change-out with %s is refused, and no other meter stands there', async (_what, args) => {
  expect(await asked('changeout', args)).toBe('bad_request');
  expect(await shown()).toMatchObject({ inst: 1 });
});

it('a change-out says the dial in numbers or as typed', async () => {
  expect(await asked('changeout', { digits: '4', pow10: '2', unit: 'ft3', by: 'A' })).toBe('done');
  expect(await asked('changeout', { digits: 8, pow10: -1, initial: '5' })).toBe('done');
  expect(await shown()).toMatchObject({ inst: 3 });
});

it('maintenance that somebody means to end by another word does not begin', async () => {
  for (const args of [{ on: false }, { off: 'yes' }, { off: 1 }, { off: null }]) {
    expect(await asked('meter.maintenance', args)).toBe('bad_request');
  }
  for (const off of [false, true]) expect(await asked('meter.maintenance', { off })).toBe('done');
});
