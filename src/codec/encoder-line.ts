// Encoder messages in UI-1203 text to dial digits and identification, refusing whatever is doubtful.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { Counts, Dial } from '../domain/units.ts';

/** Longest message believed. The longest seen in the field has 79 characters; readers buffer 100 (encoders 1.3). */
export const FRAME_CAP = 128;
/** An undriven line decodes to runs of one character (encoders 4); the shortest real message has more than this. */
const LEAST_DISTINCT = 3;
const LINE_FEED = 0x0a;
const PARITY_BIT = 0x80;

/** Digits and identification as sent. `id` is null when none was sent or one of its characters was unreadable. */
export interface EncoderMessage {
  readonly digits: string;
  readonly id: string | null;
}

/** What a wheel between two digits may look like: `?` (Arad), `:` (Elster), `H` (Neptune); encoders 1.4. */
const READING = /^[0-9?:H]{1,12}$/;
const DIGITS = /^[0-9]+$/;
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
  if (frame.length > FRAME_CAP) return malformed(`longer than ${FRAME_CAP} characters`);
  const bytes = withoutParity(frame);
  if (bytes === null) return malformed('a character of wrong parity');
  // A bridge that ends its lines with CR LF leaves the LF in front of the next one.
  const text = String.fromCharCode(...(bytes[0] === LINE_FEED ? bytes.slice(1) : bytes));
  if (!/^[\x20-\x7e]*$/.test(text)) return malformed('a character that is not printable');
  if (new Set(text).size < LEAST_DISTINCT) return malformed('fewer than 3 different characters');
  if (text.startsWith('V;')) return variableForm(text.slice(2).split(';'));
  const fixed = FIXED_FORM.exec(text);
  if (fixed === null) return malformed('neither V;... nor R followed by 4 digits and 8 characters');
  return message([fixed[1] as string], [fixed[2] as string]);
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

/**
 * 7E1 arriving on a port opened 8N1 shows its parity as bit 7: then every character must have an even number of
 * ones, and bit 7 is taken off. Null when one has not.
 */
function withoutParity(frame: Uint8Array): Uint8Array | null {
  if (frame.every((byte) => byte < PARITY_BIT)) return frame;
  if (!frame.every(hasEvenParity)) return null;
  return frame.map((byte) => byte & ~PARITY_BIT);
}

function hasEvenParity(byte: number): boolean {
  const nibbles = byte ^ (byte >> 4);
  const pairs = nibbles ^ (nibbles >> 2);
  return ((pairs ^ (pairs >> 1)) & 1) === 0;
}

function variableForm(fields: readonly string[]): Result<EncoderMessage> {
  if (!fields.every((field) => /^[A-Z]/.test(field))) return malformed('a field without a tag');
  const readings = contents(fields, /^RB/);
  if (readings.length === 0) return malformed('no field RB');
  // The letter after I names the maker: Sensus and Badger send IB, Arad others (encoders 1.3).
  return message(readings, contents(fields, /^I[A-Z]/));
}

function contents(fields: readonly string[], tag: RegExp): string[] {
  return fields.filter((field) => tag.test(field)).map((field) => field.slice(2));
}

/** A field sent twice is believed only when both say the same. */
function message(readings: readonly string[], ids: readonly string[]): Result<EncoderMessage> {
  if (!readings.every((reading) => READING.test(reading))) return malformed('RB is not a number');
  if (!ids.every((id) => IDENTIFICATION.test(id))) return malformed('not an identification');
  if (new Set(readings).size > 1) return malformed('two readings that disagree');
  if (new Set(ids).size > 1) return malformed('two identifications that disagree');
  const digits = readings[0] as string;
  if (!DIGITS.test(digits)) return faulty('frame.unreadable', `unreadable digit in ${digits}`);
  const id = ids[0];
  return good({ digits, id: id === undefined || id.includes('?') ? null : id });
}

function malformed(detail: string): Result<never> {
  return faulty('frame.malformed', detail);
}
