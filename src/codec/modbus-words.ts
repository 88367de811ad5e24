// Modbus words to dial counts: width, word order and the dial's capacity.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { ModbusProfile } from '../domain/profile.ts';
import type { Counts, Dial } from '../domain/units.ts';
import { capacity } from '../domain/units.ts';

/** A Modbus word holds 16 bits. */
const WORD = 0x1_0000;

/** How many Modbus words the register of this profile takes. */
export function wordsOf(profile: Pick<ModbusProfile, 'type'>): number {
  return profile.type === 'u32' ? 2 : 1;
}

/**
 * The dial position that the words (in address order) say. `modbus.unexpected` when they are not as many 16-bit words
 * as the profile asks for, `register.digits` when the number lies beyond the dial's capacity.
 */
export function countsOf(
  words: readonly number[],
  profile: Pick<ModbusProfile, 'type' | 'words'>,
  dial: Pick<Dial, 'digits'>,
): Result<Counts> {
  if (words.length !== wordsOf(profile)) {
    return faulty('modbus.unexpected', `${words.length} words for one ${profile.type}`);
  }
  if (!words.every((word) => Number.isInteger(word) && word >= 0 && word < WORD)) {
    return faulty('modbus.unexpected', 'a word that is not 16 bits');
  }
  // 4 294 967 295 is far below 2^53, so plain arithmetic is exact.
  const highFirst = profile.words === 'low-first' ? words.toReversed() : words;
  const register = highFirst.reduce((sum, word) => sum * WORD + word, 0);
  if (register >= capacity(dial)) {
    return faulty('register.digits', `${register} does not fit a dial of ${dial.digits} digits`);
  }
  return good(register);
}
