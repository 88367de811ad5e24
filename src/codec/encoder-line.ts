// Encoder messages in UI-1203 text to dial digits and identification, refusing whatever is doubtful.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { Counts, Dial } from '../domain/units.ts';
import { DIGITS, type LineMessage, readableId, unreadable } from './line-message.ts';
import { malformed, printableText, withoutFill } from './seven-bit.ts';

export { FRAME_CAP } from './seven-bit.ts';

const LINE_FEED = 0x0a;

/** UI-1203 alarm codes are not published (encoders 8): no flags. */
export type EncoderMessage = Pick<LineMessage, 'digits' | 'id' | 'filled'>;

/** What a wheel between two digits may look like: `?` (Arad), `:` (Elster), `H` (Neptune); encoders 1.4. */
const READING = /^[0-9?:H]{1,12}$/;
const IDENTIFICATION = /^[0-9A-Za-z?]{1,12}$/;
const FIXED_FORM = /^R([0-9?:H]{4})([0-9A-Za-z?]{8})$/;

/**
 * Reads one message without its CR: the fixed form `Rnnnniiiiiiii` or the variable `V;RBmmmmmmmm;IBiiiiiiii;...`
 * with its fields in any order and unknown tags ignored. `frame.unreadable` when a wheel stood between two digits,
 * `frame.malformed` for everything else that is not exactly such a message. Never throws.
 *
 * A reading with a decimal point or with sub-fields (`,mantissa`, `,unit code`) is refused: no public table says what
 * they mean (encoders 1.3, 8), and a wrong guess is wrong by a power of ten.
 */
export function parseUi1203(frame: Uint8Array): Result<EncoderMessage> {
  // A bridge that ends its lines with CR LF leaves the LF in front of the next one.
  const line = frame[0] === LINE_FEED ? frame.subarray(1) : frame;
  const message = withoutFill(line);
  const plain = printableText(message);
  if (!plain.ok) return plain;
  const text = plain.value;
  if (text.startsWith('V;')) return variableForm(text.slice(2), message.length < line.length);
  const fixed = FIXED_FORM.exec(text);
  if (fixed === null) return malformed('neither V;... nor R followed by 4 digits and 8 characters');
  return messageOf([fixed[1] as string], [fixed[2] as string]);
}

/** The dial position that `digits` say. `register.digits` unless they are exactly as many as the dial has. */
export function registerOf(digits: string, dial: Pick<Dial, 'digits'>): Result<Counts> {
  if (!DIGITS.test(digits) || digits.length !== dial.digits) {
    // More digits are never cut; fewer may be a lost zero or another resolution, and nobody can tell which.
    return faulty(
      'register.digits',
      `the encoder sent ${digits.length} digits, the dial has ${dial.digits}`,
    );
  }
  const register = Number(digits);
  if (!Number.isSafeInteger(register)) return faulty('register.digits', 'too many digits to count');
  return good(register);
}

/** `filled`: something that is none of a message followed it. */
function variableForm(text: string, filled: boolean): Result<EncoderMessage> {
  // Some divide their fields with semicolons, some end each with one.
  const isEnded = text.endsWith(';');
  const fields = (isEnded ? text.slice(0, -1) : text).split(';');
  // A last digit that arrived as a semicolon or a blank would leave a reading of a tenth.
  if ((isEnded || filled) && fields.at(-1)?.startsWith('RB')) return malformed('more behind RB');
  const readings: string[] = [];
  const ids: string[] = [];
  for (const field of fields) {
    if (!isCapital(field.charCodeAt(0))) return malformed('a field without a tag');
    if (field.startsWith('RB')) readings.push(field.slice(2));
    // The letter after I names the maker: Sensus and Badger send IB, Arad others (encoders 1.3).
    else if (field.startsWith('I') && isCapital(field.charCodeAt(1))) ids.push(field.slice(2));
  }
  if (readings.length === 0) return malformed('no field RB');
  const read = messageOf(readings, ids);
  return read.ok && filled ? good({ ...read.value, filled }) : read;
}

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

/** A field sent twice is believed only when both say the same. */
function messageOf(readings: readonly string[], ids: readonly string[]): Result<EncoderMessage> {
  if (!readings.every((reading) => READING.test(reading))) return malformed('RB is not a number');
  if (!ids.every((id) => IDENTIFICATION.test(id))) return malformed('not an identification');
  if (!areAlike(readings)) return malformed('two readings that disagree');
  if (!areAlike(ids)) return malformed('two identifications that disagree');
  const digits = readings[0] as string;
  if (!DIGITS.test(digits)) return unreadable(digits);
  return good({ digits, id: readableId(ids[0]) });
}

function areAlike(all: readonly string[]): boolean {
  return all.every((one) => one === all[0]);
}
