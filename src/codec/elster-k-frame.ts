// Elster K-frames to dial digits, identification and the unit the register itself states, refusing whatever is doubtful.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { Sends } from '../domain/profile.ts';
import {
  DIGITS,
  type LineMessage,
  readableId,
  type StatedCount,
  unreadable,
  WHEELS,
} from './line-message.ts';
import { malformed, printableText } from './seven-bit.ts';

/**
 * 29 characters (encoders 2.2): K, value 6, serial 10, unit code 2, encoded wheels 1, digits before the decimal point
 * 1, options 2, adapter 2, error 2, check sum 2. The rule of the check sum is not published: it is not looked at.
 */
const FRAME = /^K(.{6})([0-9A-Za-z?]{10})([0-9A-Fa-f]{2})([456])([0-9]).{2}.{2}(.{2}).{2}$/;
const FIELD = 6;
/** The codes of single errors are not published; anything but this is doubtful. */
const NO_ERROR = '00';

/** Unit codes (encoders 2.2). 07, "x 1000", says of what only elsewhere; 1 kL is 1 m3. */
const UNITS: ReadonlyMap<string, StatedCount> = new Map([
  ['01', { unit: 'm3', pow10: 0 }],
  ['11', { unit: 'm3', pow10: 1 }],
  ['21', { unit: 'm3', pow10: 2 }],
  ['02', { unit: 'gal', pow10: 3 }],
  ['03', { unit: 'imperial gal', pow10: 0 }],
  ['04', { unit: 'L', pow10: 0 }],
  ['05', { unit: 'ft3', pow10: 2 }],
  ['06', { unit: 'gal', pow10: 0 }],
  ['08', { unit: 'm3', pow10: 0 }],
  ['30', { unit: 'ft3', pow10: 0 }],
  ['31', { unit: 'in3', pow10: 0 }],
  ['32', { unit: 'yd3', pow10: 0 }],
  ['33', { unit: 'acre-ft', pow10: 0 }],
]);

/**
 * Reads one frame. As many digits come out as wheels are encoded; of fewer than 6, `sends` says on which side of the
 * field they stand, as that is not published. `states` is the volume of one count by unit code and decimal point, or
 * absent with the flag unit_unknown. `frame.unreadable` when a wheel stood between two digits or the register reports
 * an error, `frame.malformed` for everything else that is not exactly such a frame. Never throws.
 */
export function parseKFrame(frame: Uint8Array, sends: Sends): Result<LineMessage> {
  const plain = printableText(frame);
  if (!plain.ok) return plain;
  const fields = FRAME.exec(plain.value);
  if (fields === null) return malformed('not a K-frame of 29 characters');
  const [, field = '', id, code = '', wheels = '', before = '', error] = fields;
  const digits = wheelsOf(field, Number(wheels), sends);
  if (!digits.ok) return digits;
  if (error !== NO_ERROR) return faulty('frame.unreadable', `the register reports error ${error}`);
  const stated = UNITS.get(code.toUpperCase());
  const pow10 = Number(before) - Number(wheels);
  return good({
    digits: digits.value,
    id: readableId(id),
    ...(stated === undefined
      ? { flags: ['unit_unknown'] }
      : { states: { unit: stated.unit, pow10: stated.pow10 + pow10 } }),
  });
}

function wheelsOf(field: string, wheels: number, sends: Sends): Result<string> {
  if (wheels < FIELD && sends === 'all') {
    return faulty('register.digits', `${wheels} wheels in a field of ${FIELD}: say on which side`);
  }
  const digits = sends === 'right-most' ? field.slice(-wheels) : field.slice(0, wheels);
  if (!WHEELS.test(digits)) return malformed('the value is not a number');
  return DIGITS.test(digits) ? good(digits) : unreadable(digits);
}
