// Text of a YAML file to plain data with the place of every key and value, or to all of its faults of form.

import type { Document, Node, Pair, Range } from 'yaml';
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  Parser,
  type YAMLMap,
} from 'yaml';
import type { Place, Problem, ProblemCode } from './problems.ts';
import {
  inOurWords,
  NO_DIRECTIVES,
  PLAIN_KEY,
  TOO_DEEP,
  type Told,
  TWO_DOCUMENTS,
} from './yaml-words.ts';

/** The largest file that is read at all; 2,000 meters fill about half of it. */
export const FILE_BYTES_MAX = 1_000_000;
/**
 * Settings are five deep. The composer of `yaml` recurses, and some ten thousand open brackets end the whole
 * process in V8 ("RegExpCompiler Allocation failed", seen with yaml 2.9 on Node 20), which nothing can catch.
 * One level of YAML is three of its syntax tree.
 */
const TREE_DEPTH_MAX = 64;
/** Keys, values and lists after every alias is written out: ends a "billion laughs" file. */
const NODES_MAX = 100_000;
/** Each alias is looked up by a walk from the file's beginning; nobody needs more. */
const ALIASES_MAX = 100;

/** A file as plain data. Places are asked for by JSON pointer ("/meters/0/poll_s"; "" is the whole file). */
export interface Source {
  readonly file: string;
  readonly data: unknown;
  /** Where the value stands; of an absent one, the nearest thing that holds it. */
  placeOf(pointer: string): Place;
  /** Where the key of that value stands; of an element of a list, the element. */
  placeOfKey(pointer: string): Place;
  /** Where the alias stands through which the value is there a second time; undefined where it stands there itself. */
  aliasPlaceOf(pointer: string): Place | undefined;
  /** A number, word or text exactly as it is written in the file, without quotes. */
  writtenAs(pointer: string): string | undefined;
}

/** `parent` with one more step, escaped as RFC 6901 has it. */
export function pointerTo(parent: string, step: string | number): string {
  return `${parent}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Parses one YAML 1.2 document. Never throws; `source` is absent when the form is too broken to go on. */
export function parseYaml(file: string, whole: string): { source?: Source; problems: Problem[] } {
  // A mark of byte order is no character of the first line.
  const text = whole.replace(/^\uFEFF/, '');
  const at = placesIn(text);
  const problem = (code: ProblemCode, offset: number, message: string): Problem => ({
    code,
    file,
    ...at(offset),
    message,
  });
  const strange = STRANGE.exec(text);
  if (strange !== null) {
    return { problems: [problem('yaml.character', strange.index, strangeIs(strange[0]))] };
  }
  const tokens = [...new Parser().parse(text)];
  const deep = tooDeep(tokens);
  if (deep !== undefined) {
    return { problems: [problem('yaml.too_deep', deep, TOO_DEEP)] };
  }
  // Duplicate keys are found by our own walk: the composer compares each key with all the others.
  const options = { version: '1.2', uniqueKeys: false, resolveKnownTags: false } as const;
  const documents = [...new Composer(options).compose(tokens, true, text.length)];
  const problems = [
    ...directives(tokens).map((offset) => problem('yaml.directive', offset, NO_DIRECTIVES)),
    ...documents.flatMap((document) => faultsOfForm(document, text, tokens, problem)),
  ];
  const [first, second] = documents;
  if (second !== undefined) {
    problems.push(problem('yaml.documents', second.range?.[0] ?? 0, TWO_DOCUMENTS));
  }
  if (problems.length > 0) return { problems };
  if (!first?.contents || (isScalar(first.contents) && first.contents.value === null)) {
    return { problems: [problem('file.empty', 0, 'The file is empty.')] };
  }
  return new Walk(file, first, at, problem).run();
}

/** What YAML 1.2 has for no character (5.1): controls but tab and line breaks; and a line break that is not ours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const STRANGE = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|\r(?!\n)/;

function strangeIs(character: string): string {
  if (character === '\r') return 'A line ends here in CR alone; save the file with LF or CRLF.';
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `The control character U+${code} stands here; save the file as plain UTF-8 text.`;
}

function directives(tokens: readonly unknown[]): number[] {
  const all = tokens as readonly { type: string; offset: number; source: string }[];
  return all
    .filter(({ type, source }) => type === 'directive' && !/^%YAML\s+1\.2\b/.test(source))
    .map(({ offset }) => offset);
}

/**
 * Offset to place. Counted here, because the lines that `yaml` counts miss a line break after some broken documents
 * (2.9: a "}" too many before a "---" within a comment).
 */
function placesIn(text: string): (offset: number) => Place {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

type MakeProblem = (code: ProblemCode, offset: number, message: string) => Problem;

function faultsOfForm(
  { errors, warnings }: Document.Parsed<ParsedNode>,
  text: string,
  tokens: readonly unknown[],
  problem: MakeProblem,
): Problem[] {
  const told = (faults: readonly Told[]): Problem[] =>
    inOurWords(faults, text, tokens).map(({ code, offset, message }) =>
      problem(code, offset, message),
    );
  // Of lines that begin with % `directives` tells; a warning of an indent is about a file that can be read.
  const doubts = warnings.filter(({ code }) => code !== 'BAD_DIRECTIVE' && code !== 'BAD_INDENT');
  return [...firstOnLine(told(errors)), ...told(doubts)];
}

/** What follows on the same line is an echo. */
function firstOnLine(problems: readonly Problem[]): Problem[] {
  const lines = new Set<number>();
  return problems.filter(({ line }) => !lines.has(line) && lines.add(line));
}

interface Token {
  readonly offset?: number;
  readonly key?: unknown;
  readonly value?: unknown;
  readonly items?: unknown;
}

/** The offset of the first token nested deeper than allowed. Not recursive, so that depth costs no stack. */
function tooDeep(tokens: readonly unknown[]): number | undefined {
  const open: { token: Token; depth: number; offset: number }[] = [];
  const visit = (child: unknown, depth: number, offset: number): void => {
    if (Array.isArray(child)) for (const one of child) visitOne(one, depth, offset);
    else visitOne(child, depth, offset);
  };
  const visitOne = (child: unknown, depth: number, offset: number): void => {
    if (typeof child !== 'object' || child === null) return;
    const token = child as Token;
    open.push({ token, depth, offset: token.offset ?? offset });
  };
  visit(tokens, 0, 0);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth, offset } = next;
    if (depth > TREE_DEPTH_MAX) return offset;
    visit(token.key, depth + 1, offset);
    visit(token.value, depth + 1, offset);
    visit(token.items, depth + 1, offset);
  }
  return undefined;
}

interface Written {
  readonly value: number;
  readonly key?: number;
  readonly text?: string;
  readonly alias?: number;
}

/** One walk over a composed document; ends early when the file unfolds into too many nodes. */
class Walk {
  readonly #file: string;
  readonly #document: Document.Parsed<ParsedNode>;
  readonly #at: (offset: number) => Place;
  readonly #problem: MakeProblem;
  readonly #written = new Map<string, Written>();
  readonly #problems: Problem[] = [];
  readonly #unfolding = new Set<Node>();
  /** Where the outermost alias stands that is being written out. */
  #alias: number | undefined;
  #nodes = 0;
  #aliases = 0;

  constructor(
    file: string,
    document: Document.Parsed<ParsedNode>,
    at: (offset: number) => Place,
    problem: MakeProblem,
  ) {
    this.#file = file;
    this.#document = document;
    this.#at = at;
    this.#problem = problem;
  }

  run(): { source?: Source; problems: Problem[] } {
    const data = this.#plain(this.#document.contents, '', 0, undefined);
    if (this.#isTooMuch()) {
      const [code, message] =
        this.#aliases > 0
          ? (['yaml.alias', 'The aliases (*) of this file are too many.'] as const)
          : (['file.too_large', `The file holds more than ${NODES_MAX} values.`] as const);
      return { problems: [this.#problem(code, 0, message)] };
    }
    const fatal = this.#problems.some((problem) => problem.code === 'yaml.alias');
    return fatal
      ? { problems: this.#problems }
      : { source: this.#source(data), problems: this.#problems };
  }

  #isTooMuch(): boolean {
    return this.#nodes > NODES_MAX || this.#aliases > ALIASES_MAX;
  }

  /** `offset` is where the holder stands, `key` where the key stands. */
  #plain(node: unknown, pointer: string, offset: number, key: number | undefined): unknown {
    this.#nodes += 1;
    if (this.#isTooMuch()) return null;
    const here = startOf(node) ?? key ?? offset;
    const alias = this.#alias;
    const written = {
      value: here,
      ...(key === undefined ? {} : { key }),
      ...(alias === undefined ? {} : { alias }),
    };
    this.#written.set(pointer, written);
    if (isAlias(node)) return this.#unfold(node.resolve(this.#document), pointer, here, key);
    if (isMap(node)) return this.#map(node, pointer, here);
    if (isSeq(node)) {
      return node.items.map((item, i) =>
        this.#plain(item, pointerTo(pointer, i), startOf(item) ?? here, undefined),
      );
    }
    if (!isScalar(node)) return null;
    this.#written.set(pointer, { ...written, text: node.source ?? String(node.value) });
    return node.value;
  }

  #unfold(target: Node | undefined, pointer: string, offset: number, key: number | undefined) {
    this.#aliases += 1;
    if (target === undefined || this.#unfolding.has(target)) {
      const message =
        target === undefined
          ? 'This alias (*) has no anchor (&) before it.'
          : 'This alias (*) stands inside its own anchor (&).';
      this.#problems.push(this.#problem('yaml.alias', offset, message));
      return null;
    }
    this.#unfolding.add(target);
    const outer = this.#alias;
    this.#alias ??= offset;
    const data = this.#plain(target, pointer, offset, key);
    this.#alias = outer;
    this.#unfolding.delete(target);
    return data;
  }

  #map(node: YAMLMap<unknown, unknown>, pointer: string, offset: number): Record<string, unknown> {
    // Without a prototype, so that a key "__proto__" is a key like any other.
    const record: Record<string, unknown> = Object.create(null);
    for (const pair of node.items as Pair<unknown, unknown>[]) {
      const keyAt = startOf(pair.key) ?? offset;
      if (!isScalar(pair.key) || pair.key.value === null) {
        this.#problems.push(this.#problem('yaml.key', keyAt, PLAIN_KEY));
        continue;
      }
      const key = String(pair.key.value);
      if (key === '<<') {
        const message = 'Merge keys (<<) are not used in this file: write the keys out.';
        this.#problems.push(this.#problem('yaml.key', keyAt, message));
        continue;
      }
      if (key in record) {
        const message = `The key "${key}" stands here a second time.`;
        this.#problems.push(this.#problem('key.duplicate', keyAt, message));
        continue;
      }
      record[key] = this.#plain(pair.value, pointerTo(pointer, key), keyAt, keyAt);
    }
    return record;
  }

  #source(data: unknown): Source {
    const nearestTo = (pointer: string): Written => {
      for (let p = pointer; p !== ''; p = p.slice(0, p.lastIndexOf('/'))) {
        const written = this.#written.get(p);
        if (written !== undefined) return written;
      }
      return this.#written.get('') ?? { value: 0 };
    };
    const at = this.#at;
    return {
      file: this.#file,
      data,
      placeOf: (pointer) => at(nearestTo(pointer).value),
      placeOfKey: (pointer) => at(nearestTo(pointer).key ?? nearestTo(pointer).value),
      aliasPlaceOf: (pointer) => {
        const { alias } = nearestTo(pointer);
        return alias === undefined ? undefined : at(alias);
      },
      writtenAs: (pointer) => this.#written.get(pointer)?.text,
    };
  }
}

function startOf(node: unknown): number | undefined {
  const range = (node as { range?: Range | null } | null | undefined)?.range;
  return range?.[0];
}
