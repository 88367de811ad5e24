// Which questions fetch all the words of a profile: as few as its device allows, and never one number in two.

import type { ModbusNumber, ModbusProfile, ModbusText } from '../domain/profile.ts';
import { WORDS_OF } from './modbus-words.ts';

/** Modbus words that one question fetches. */
export interface ModbusBlock {
  readonly address: number;
  readonly quantity: number;
}

/** Most words of one answer (Modbus Application Protocol 1.1b3, 6.3 and 6.4). */
export const BLOCK_WORDS_MAX = 125;

/** How many Modbus words a number or text takes. */
export function wordsOf(field: ModbusNumber | ModbusText): number {
  return 'words' in field ? field.words : WORDS_OF[field.type];
}

/** Where the first word of a field stands for a channel, from 1. */
export function addressOf(field: ModbusNumber | ModbusText, channel: number): number {
  return field.address + field.step * (channel - 1);
}

/** Every number and text a profile reads. */
export function fieldsOf(profile: ModbusProfile): (ModbusNumber | ModbusText)[] {
  const { register, dialDigits, id, status } = profile;
  const scale = [register.unit, register.pow10].filter((one) => typeof one === 'object');
  return [register, ...scale, dialDigits, id, ...status].filter((field) => field !== undefined);
}

/**
 * The questions that fetch everything the profile reads of one channel, in the order of their addresses. Fields that
 * touch share a question, and so do fields with a hole between them that the device is known to answer (`readable`),
 * up to 125 words. A field is never divided: its words come from one answer, so no carry can tear them.
 */
export function blocksOf(profile: ModbusProfile, channel: number): ModbusBlock[] {
  const fields = fieldsOf(profile)
    .map((field) => ({
      address: addressOf(field, channel),
      end: addressOf(field, channel) + wordsOf(field),
    }))
    .sort((a, b) => a.address - b.address || a.end - b.end);
  const blocks: { address: number; end: number }[] = [];
  for (const { address, end } of fields) {
    const block = blocks.at(-1);
    const joined = block && Math.max(block.end, end);
    if (
      block !== undefined &&
      joined !== undefined &&
      joined - block.address <= BLOCK_WORDS_MAX &&
      isReadable(profile, block.end, address)
    ) {
      block.end = joined;
    } else {
      blocks.push({ address, end });
    }
  }
  return blocks.map(({ address, end }) => ({ address, quantity: end - address }));
}

/** Whether everything from `from` up to, without, `to` may be read along; nothing always may. */
function isReadable(profile: ModbusProfile, from: number, to: number): boolean {
  return to <= from || profile.readable.some(([first, last]) => first <= from && to - 1 <= last);
}
