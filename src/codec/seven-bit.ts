// Bytes of an answer to printable text: bounded, with the parity of 7E1 verified and taken off where it is seen.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';

/** Longest frame believed. The longest seen in the field has 79 characters; readers buffer 100 (encoders 1.3). */
export const FRAME_CAP = 128;
const PARITY_BIT = 0x80;
export const SEVEN_BITS = 0x7f;
const ETB = 0x17;
const BLANK = 0x20;
const TILDE = 0x7e;

/** Whether a character of 7 bits is one of text. */
export function isPrintable(character: number): boolean {
  return character >= BLANK && character <= TILDE;
}

/** True for a byte with an even number of ones, as every byte of 7E1 seen on a port opened 8N1. */
export function hasEvenParity(byte: number): boolean {
  const nibbles = byte ^ (byte >> 4);
  const pairs = nibbles ^ (nibbles >> 2);
  return ((pairs ^ (pairs >> 1)) & 1) === 0;
}

/** A character of 7 bits as 7E1 shows it on a port opened 8N1. */
export function withEvenParity(character: number): number {
  return hasEvenParity(character) ? character : character | PARITY_BIT;
}

/**
 * The frame as text. `frame.malformed` when it is longer than the cap, when some of its bytes have bit 7 and not all
 * of them even parity, when a character is not printable (ETB may be let in), or when it has fewer than 3 different ones.
 */
export function printableText(
  frame: Uint8Array,
  letIn: 'printable' | 'etb' = 'printable',
): Result<string> {
  if (frame.length > FRAME_CAP) return malformed(`longer than ${FRAME_CAP} characters`);
  const characters = withoutParity(frame);
  if (characters === null) return malformed('a character of wrong parity');
  let text = '';
  for (const one of characters) {
    if (!isPrintable(one) && !(one === ETB && letIn === 'etb'))
      return malformed('a character that is not printable');
    text += String.fromCharCode(one);
  }
  if (!hasThreeDifferent(characters)) return malformed('fewer than 3 different characters');
  return good(text);
}

/** Blank, tab, NUL, CR and LF. */
const FILL: readonly number[] = [BLANK, 0x09, 0x00, 0x0d, 0x0a];
const FILL_WITH_PARITY = FILL.map(withEvenParity);

/**
 * A line without what fills it up behind its message, and the rest of its line end: some bridges end theirs twice. Where parity
 * is seen it has it, too: a flipped bit makes no character of a message one of these.
 */
export function withoutFill(line: Uint8Array): Uint8Array {
  const fill = line.every((byte) => byte < PARITY_BIT) ? FILL : FILL_WITH_PARITY;
  let end = line.length;
  while (end > 0 && fill.includes(line[end - 1] as number)) end -= 1;
  return line.subarray(0, end);
}

/** What messages between line ends begin with: UI-1203's `V;` and `R`, an EtherMeter's colon. */
const BEGINNINGS = 'VR:';
/** What stands in them: digits, wheels, letters, what divides fields, signs and points. */
const WITHIN = /[0-9A-Za-z?;:,.-]/;

/** Whether a message between line ends may begin with this byte. */
export function beginsLine(byte: number | undefined): boolean {
  return byte !== undefined && BEGINNINGS.includes(String.fromCharCode(byte & SEVEN_BITS));
}

/** Whether a line begins like a message, spoilt or not; a bridge's own word (READY) does not. */
export function isLikeMessage(line: Uint8Array): boolean {
  const text = String.fromCharCode(...line.subarray(0, 2).map((byte) => byte & SEVEN_BITS));
  return /^(V;|R[0-9?:H]|:)/.test(text);
}

/**
 * What stands in a line behind noise, an echo or a prompt, from each place on where a message may begin. The byte before it is
 * none that messages have: behind one of those it may be the rest of a torn one.
 */
export function behindNoise(line: Uint8Array): readonly Uint8Array[] {
  const rests: Uint8Array[] = [];
  for (let at = 1; at < line.length; at += 1) {
    const before = String.fromCharCode((line[at - 1] as number) & SEVEN_BITS);
    if (!WITHIN.test(before) && beginsLine(line[at])) rests.push(line.subarray(at));
  }
  return rests;
}

/** An undriven line decodes to runs of one character (encoders 4); the shortest real message has more than two. */
function hasThreeDifferent(characters: Uint8Array): boolean {
  const first = characters[0];
  const second = characters.find((one) => one !== first);
  return second !== undefined && characters.some((one) => one !== first && one !== second);
}

/** A refusal of what is not exactly a frame. */
export function malformed(detail: string): Result<never> {
  return faulty('frame.malformed', detail);
}

function withoutParity(frame: Uint8Array): Uint8Array | null {
  if (frame.every((byte) => byte < PARITY_BIT)) return frame;
  if (!frame.every(hasEvenParity)) return null;
  return frame.map((byte) => byte & ~PARITY_BIT);
}
