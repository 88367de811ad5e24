// Neptune ARB frames (E-Coder family) to dial digits and identification, refusing whatever is doubtful.

import type { Result } from '../domain/fault.ts';
import { good } from '../domain/fault.ts';
import { DIGITS, type LineMessage, readableId, unreadable } from './line-message.ts';
import { malformed, printableText } from './seven-bit.ts';

/**
 * Between STX and ETX (encoders 2.1): 5 characters of type, ETB, digits 1 to 6, ETB, 10 of identification, ETB,
 * a flag character, ETB, digits 7 and 8 with a flag character, ETB, 2 of check sum. What the flag characters mean is
 * not published, and the rule of the check sum was worked out from a single sample: neither is used to judge.
 */
const FRAME =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ETB divides the fields
  /^[ -~]{5}\x17([0-9?:H]{6})\x17([0-9A-Za-z?]{10})\x17[ -~]\x17([ -~]{2})[ -~]\x17[ -~]{2}$/;
const LAST_TWO = /^[0-9?:H]{2}$/;
/** The first field alone is the whole reading of registers that send 6 digits (BASIC mode). */
const FIRST_FIELD = 6;

/**
 * Reads one frame without its STX and ETX. A dial of 6 digits takes the first field alone, any other both fields,
 * 8 digits. `frame.unreadable` when a wheel of those stood between two digits, `frame.malformed` for everything else
 * that is not exactly such a frame. Never throws.
 */
export function parseNeptune(frame: Uint8Array, dialDigits: number): Result<LineMessage> {
  const plain = printableText(frame, 'etb');
  if (!plain.ok) return plain;
  const fields = FRAME.exec(plain.value);
  if (fields === null) return malformed('not a Neptune frame of 34 characters');
  const [, six = '', id, two = ''] = fields;
  if (dialDigits !== FIRST_FIELD && !LAST_TWO.test(two)) {
    return malformed(`digits 7 and 8 are "${two}"`);
  }
  const digits = dialDigits === FIRST_FIELD ? six : six + two;
  return DIGITS.test(digits) ? good({ digits, id: readableId(id) }) : unreadable(digits);
}
