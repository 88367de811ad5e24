// Short numbers come back as they went in, and noise is none of them.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readShortNumbers, shortNumbers } from '../../src/codec/short-numbers.ts';

const LARGEST = 2 ** 51;

it('whole numbers of either sign come back, as many as went in', () => {
  const number = fc.oneof(fc.integer(), fc.integer({ min: -LARGEST, max: LARGEST }));
  fc.assert(
    fc.property(fc.array(number, { maxLength: 20 }), (numbers) => {
      expect(readShortNumbers(shortNumbers(numbers))).toEqual(numbers);
    }),
  );
});

it('small numbers take one letter, an instant eight at most', () => {
  expect(shortNumbers([0, 31, -32])).toHaveLength(3);
  expect(shortNumbers([Date.UTC(2099, 0, 1)])).toHaveLength(8);
});

it('text that ends within a number, or holds another letter, is none', () => {
  const whole = shortNumbers([12_345]);
  expect(readShortNumbers(whole.slice(0, -1))).toBeUndefined();
  expect(readShortNumbers(`${whole}~`)).toBeUndefined();
  expect(readShortNumbers('é')).toBeUndefined();
});
