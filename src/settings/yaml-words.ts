// What each fault of form that `yaml` finds means to who writes settings: the place to look at, and what to do there.

import { CST, type ErrorCode } from 'yaml';
import type { ProblemCode } from './problems.ts';

/** A fault as `yaml` tells it: its code, its own words, and where. */
export interface Told {
  readonly code: ErrorCode;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** A fault in our words. */
export interface Said {
  readonly code: ProblemCode;
  readonly offset: number;
  readonly message: string;
}

/** "%YAML 1.1" would make another number of 017, and true of yes. */
export const NO_DIRECTIVES = 'Lines that begin with % are not used in this file; it is YAML 1.2.';
export const TOO_DEEP = 'Lists and maps are nested too deep.';
export const TWO_DOCUMENTS = 'A second document begins here; the file must hold one.';
export const PLAIN_KEY = 'A key must be a plain word.';

const TAB = 'A tab indents this line; YAML takes spaces only.';
const NO_TAGS = 'Tags (words after "!") are not used in this file.';
const ALIGN =
  'This line begins in no column of the lines beside it: begin it where the line it goes with begins.';
const COLON_MISSING =
  'The ": " behind a key is missing here, or the next line is not as far in as it should be.';
const DASH =
  'This "-" belongs to no list: begin a list on the line below its key, farther in, all "-" in one column, a space behind each.';
const AWAY =
  'This does not belong here: put a text in quotes, or look whether a comma, a bracket or a ": " before it is missing.';
const BEHIND =
  "What stands before this ended the value: put the whole text in quotes (a ' within ' ' is written twice).";
const COMMA = 'A comma stands here with nothing before it; take it away.';
const COMMA_MISSING = 'A comma is missing before this: within [ ] and { } it parts the values.';
const BLANK_BEFORE =
  'Put a space before this "#" where a remark begins, or quotes about the text where it is part of it.';
const TEXT_BELOW =
  'Behind "|" and ">" a text begins on the next line; a text that begins with "|" or ">" goes in quotes.';
const TEXT_INDENT =
  'The lines of a text below "|" or ">" begin farther in than its key, all in one column.';
const ANCHOR_ALONE =
  'An anchor (&) stands by itself: a space behind it, or a new line where a list or a map begins.';
const NAMELESS =
  'A "*" or "&" needs a name behind it that does not end in ":"; a text that begins with one goes in quotes.';

/** What stands about a fault. */
interface Spot {
  readonly told: string;
  readonly sign: string;
  readonly beginsLine: boolean;
}

/** The first line whose words `yaml` used decides, or what stands at the place; the last is for all others. */
type Row = readonly [RegExp, string][];

const MISSING: Row = [
  [/^Comments/, BLANK_BEFORE],
  [/^Missing , or :/, COMMA_MISSING],
  [/^Missing newline|^Tags and anchors/, ANCHOR_ALONE],
  [/^Missing directives/, 'A line "---" is missing here, below the lines that begin with "%".'],
  [/^Block collection cannot/, 'Begin the settings on the line below "---".'],
  [/^Block scalars/, TEXT_INDENT],
  [/^Sequence item/, DASH],
];

const UNEXPECTED: Row = [
  [/^Unexpected ,|^Unexpected empty item/, COMMA],
  [/^Block scalar header/, TEXT_BELOW],
];

const INDENT: Row = [[/^Block scalar|^Explicit indentation/, TEXT_INDENT]];

function byWords(row: Row, { told }: Spot): string | undefined {
  return row.find(([words]) => words.test(told))?.[1];
}

function unexpected(spot: Spot): string {
  const { sign, beginsLine, told } = spot;
  const known = byWords(UNEXPECTED, spot);
  if (known !== undefined) return known;
  if (sign === '}' || sign === ']') {
    return `This "${sign}" closes nothing: take it away, or look for the "${sign === '}' ? '{' : '['}" before it.`;
  }
  if (sign === '-') return DASH;
  if (beginsLine) return ALIGN;
  return told.endsWith('at node end') ? BEHIND : AWAY;
}

/** A sentence for every code there is; the type makes a code that a newer `yaml` brings an error here. */
const SAID: Readonly<Record<ErrorCode, string | ((spot: Spot) => string)>> = {
  ALIAS_PROPS: 'An alias (*) takes no anchor (&) and no tag (!) of its own; take them away.',
  BAD_ALIAS: NAMELESS,
  BAD_COLLECTION_TYPE: NO_TAGS,
  BAD_DIRECTIVE: NO_DIRECTIVES,
  BAD_DQ_ESCAPE:
    'Within double quotes a "\\" begins a sign that is none here: write "\\\\", or put the text in single quotes.',
  BAD_INDENT: (spot) => byWords(INDENT, spot) ?? ALIGN,
  BAD_PROP_ORDER: 'Put the anchor (&) or tag (!) behind the "-", "?" or ":", not before it.',
  BAD_SCALAR_START: ({ sign }) =>
    sign === ',' ? COMMA : `A text that begins with "${sign}" goes in quotes.`,
  BLOCK_AS_IMPLICIT_KEY: ({ told }) =>
    told.startsWith('A block sequence')
      ? DASH
      : 'A second key stands within this value: put a text with ": " in it in quotes, and begin each key as far in as those beside it.',
  BLOCK_IN_FLOW:
    'Within [ ] and { } stand no "- " and no second ": ": part the values by commas, or write them without the brackets.',
  DUPLICATE_KEY: 'A key stands here a second time.',
  IMPOSSIBLE: AWAY,
  KEY_OVER_1024_CHARS: 'A key ends here that is too long; a quote or a ": " before it is missing.',
  MISSING_CHAR: (spot) => byWords(MISSING, spot) ?? (spot.sign === '-' ? DASH : COLON_MISSING),
  MULTILINE_IMPLICIT_KEY: ({ sign }) => (sign === '-' ? DASH : COLON_MISSING),
  MULTIPLE_ANCHORS: 'A value takes one anchor (&); take the others away.',
  MULTIPLE_DOCS: TWO_DOCUMENTS,
  MULTIPLE_TAGS: NO_TAGS,
  NON_STRING_KEY: PLAIN_KEY,
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: TAB,
  TAG_RESOLVE_FAILED: NO_TAGS,
  UNEXPECTED_TOKEN: unexpected,
};

const CODES: Readonly<Partial<Record<ErrorCode, ProblemCode>>> = {
  BAD_COLLECTION_TYPE: 'yaml.tag',
  BAD_DIRECTIVE: 'yaml.directive',
  DUPLICATE_KEY: 'key.duplicate',
  MULTIPLE_DOCS: 'yaml.documents',
  MULTIPLE_TAGS: 'yaml.tag',
  NON_STRING_KEY: 'yaml.key',
  RESOURCE_EXHAUSTION: 'yaml.too_deep',
  TAB_AS_INDENT: 'yaml.tab',
  TAG_RESOLVE_FAILED: 'yaml.tag',
};

/**
 * The faults of one document in our words; `tokens` are the file's, in which open quotes and brackets are looked for.
 * What is wrong behind an open bracket is its echo, but for another quote or bracket that is open.
 */
export function inOurWords(
  faults: readonly Told[],
  text: string,
  tokens: readonly unknown[],
): Said[] {
  const opened = faults.some(({ message }) => OPEN_QUOTE.test(message) || OPEN_FLOW.test(message))
    ? openings(tokens)
    : { quotes: [], brackets: [] };
  const all = faults.map((fault) => ({
    ...said(fault, text, opened),
    isOpen: OPEN_QUOTE.test(fault.message) || OPEN_FLOW.test(fault.message),
    isBracket: OPEN_FLOW.test(fault.message),
  }));
  let bracket = Number.POSITIVE_INFINITY;
  for (const { isBracket, offset } of all) if (isBracket) bracket = Math.min(bracket, offset);
  return all
    .filter(({ isOpen, offset }) => isOpen || offset <= bracket)
    .map(({ code, offset, message }) => ({ code, offset, message }));
}

/** Of one kind, in the order of the file. */
interface Openings {
  readonly quotes: readonly number[];
  readonly brackets: readonly number[];
}

const OPEN_QUOTE = /^Missing closing .quote/;
const OPEN_FLOW = /^Flow (map|sequence)/;

function said({ code, message, pos }: Told, text: string, opened: Openings): Said {
  const found = Math.min(pos[0], text.length);
  if (OPEN_QUOTE.test(message)) {
    const offset = lastBelow(opened.quotes, found) ?? found;
    return { code: 'yaml.syntax', offset, message: 'The quote that begins here is never closed.' };
  }
  const begins = text.lastIndexOf('\n', found - 1) + 1;
  const indent = /^[ \t]*/.exec(text.slice(begins, begins + INDENT_MAX))?.[0] ?? '';
  const tab = indent.indexOf('\t');
  if (tab !== -1) return { code: 'yaml.tab', offset: begins + tab, message: TAB };
  const bracket = OPEN_FLOW.test(message) ? lastBelow(opened.brackets, found + 1) : undefined;
  if (bracket !== undefined) {
    return { code: 'yaml.syntax', offset: bracket, message: neverClosed(text.charAt(bracket)) };
  }
  // `yaml` often points at the blanks before the first word of a line.
  const first = begins + indent.length;
  const offset = Math.max(found, Math.min(first, text.length));
  const spot = { told: message, sign: text.charAt(offset), beginsLine: offset === first };
  const row = SAID[code];
  return {
    code: CODES[code] ?? 'yaml.syntax',
    offset,
    message: typeof row === 'string' ? row : row(spot),
  };
}

/** No line of settings is farther in; keeps a file of blanks from being looked through once a fault. */
const INDENT_MAX = 256;

function neverClosed(bracket: string): string {
  const closing = bracket === '{' ? '}' : ']';
  return `No "${closing}" closes this "${bracket}": close it, and begin each line up to there farther in than this one.`;
}

function openings(tokens: readonly unknown[]): Openings {
  const quotes: number[] = [];
  const brackets: number[] = [];
  const note = (token: CST.Token | null | undefined): void => {
    if (token?.type === 'double-quoted-scalar' || token?.type === 'single-quoted-scalar') {
      quotes.push(token.offset);
    }
    if (token?.type === 'flow-collection' && !isClosed(token)) brackets.push(token.offset);
  };
  for (const token of tokens as readonly CST.Token[]) {
    if (token.type !== 'document') continue;
    CST.visit(token, ({ key, value }) => {
      note(key);
      note(value);
    });
  }
  return { quotes: quotes.sort((a, b) => a - b), brackets: brackets.sort((a, b) => a - b) };
}

function isClosed({ start, end }: CST.FlowCollection): boolean {
  return end[0]?.source === (start.source === '{' ? '}' : ']');
}

/** The last of them below `end`. */
function lastBelow(sorted: readonly number[], end: number): number | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < end) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
