// The text of a stored hour, read where it stands: hours are read by the hundred thousand a second, and `JSON.parse` takes twice as long.

import { FLAGS, type Flag, type HourEntry, type Quality } from '../domain/entry.ts';

/** What a stored hour's text begins with. */
const BEGIN = '["h",';
const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const COMMA = 44;
const END = 93;
const NULL = 110;
const QUOTE = 34;

const NO_FLAGS: readonly Flag[] = [];

/** Flags as one letter each, in the order of FLAGS. */
export const packFlags = (flags: readonly Flag[]): string =>
  flags.map((flag) => String.fromCharCode(97 + FLAGS.indexOf(flag))).join('');
export const unpackFlags = (packed: string): readonly Flag[] =>
  packed === ''
    ? NO_FLAGS
    : [...packed].flatMap((letter) => FLAGS[letter.charCodeAt(0) - 97] ?? []);

/** Where the next field begins; -1 once one was none of those that are expected. */
let at = 0;
const BROKEN = -1;

/**
 * The hour of `meter` whose JSON list of fields begins at `from` and ends with the text; undefined where it is no hour, or one that
 * is not written as plainly as hours are. The list is as `JSON.stringify` makes it, under a seal: what stands in it is believed.
 */
export function readHour(
  meter: string,
  text: string,
  from: number,
): (HourEntry & { readonly meter: string; readonly row: number }) | undefined {
  if (!text.startsWith(BEGIN, from)) return undefined;
  at = from + BEGIN.length;
  const inst = whole(text);
  const start = whole(text);
  const read = wholeOrNull(text);
  const stamp = wholeOrNull(text);
  const total = wholeOrNull(text);
  const use = wholeOrNull(text);
  const q = letters(text) as Quality;
  const n = whole(text);
  const flags = unpackFlags(letters(text));
  const rev = whole(text);
  const row = whole(text);
  if (at !== text.length) return undefined;
  return { kind: 'hour', meter, row, inst, start, read, at: stamp, total, use, q, n, flags, rev };
}

function wholeOrNull(text: string): number | null {
  if (text.charCodeAt(at) !== NULL) return whole(text);
  at += 'null,'.length;
  return null;
}

function whole(text: string): number {
  const isNegative = text.charCodeAt(at) === MINUS;
  const first = isNegative ? at + 1 : at;
  let number = 0;
  let place = first;
  let code = text.charCodeAt(place);
  for (; code >= ZERO && code <= NINE; code = text.charCodeAt(place)) {
    number = 10 * number + (code - ZERO); // In this order no step is beyond 2^53 where the number is not.
    place += 1;
  }
  const isWhole = place > first && (code === COMMA || code === END);
  at = isWhole ? place + 1 : BROKEN;
  return isNegative ? -number : number;
}

function letters(text: string): string {
  const from = at + 1;
  const end = text.charCodeAt(at) === QUOTE ? text.indexOf('"', from) : BROKEN;
  at = end < 0 ? BROKEN : end + 2;
  return text.slice(from, end);
}
