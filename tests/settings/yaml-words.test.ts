// Every fault of form that the YAML library knows reaches the user as a sentence of ours, in both languages, at the place to look at.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Composer, type ErrorCode, Parser } from 'yaml';
import { hearing } from '../../src/cli/heard.ts';
import { sayIn } from '../../src/domain/words.ts';
import { parseYaml } from '../../src/settings/parse-yaml.ts';
import type { Problem } from '../../src/settings/problems.ts';
import { inOurWords } from '../../src/settings/yaml-words.ts';

/** What the library's page of types says it can tell. */
async function codesOfTheLibrary(): Promise<ErrorCode[]> {
  const file = join(dirname(createRequire(import.meta.url).resolve('yaml')), 'errors.d.ts');
  const line = /type ErrorCode = ([^;]+);/.exec(await readFile(file, 'utf8'))?.[1] ?? '';
  return [...line.matchAll(/'([A-Z0-9_]+)'/g)].map(([, code]) => code as ErrorCode);
}

/** What the library itself says of a file. */
function toldOf(text: string): { code: ErrorCode; message: string }[] {
  const options = { version: '1.2', uniqueKeys: false, resolveKnownTags: false } as const;
  const tokens = new Parser().parse(text);
  const documents = [...new Composer(options).compose(tokens, true, text.length)];
  return documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
}

const catalogue = async (language: string) => {
  const file = new URL(`../../config/locales/${language}.json`, import.meta.url);
  return JSON.parse(await readFile(file, 'utf8'));
};
const inSpanish = hearing('es', await catalogue('en'), sayIn('es', await catalogue('es')));

/** The words of the grammar of YAML, which nobody who writes settings knows. */
const OF_THE_GRAMMAR =
  /\b(indicator|scalars?|tokens?|flow|block|implicit|mappings?|sequences?|nodes?|props|escape|compact|resolve)\b/i;

function expectOurs({ message }: Pick<Problem, 'message'>): void {
  expect(message).toMatch(/^[A-Z][^\n]*\.$/);
  expect(message).not.toMatch(OF_THE_GRAMMAR);
  expect(inSpanish(message)).not.toBe(message);
}

const LONG = 'k'.repeat(1030);

/** Each code of the library, by files that have it; "^" stands before the place that is told. */
const FILES: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  ALIAS_PROPS: ['a: &x 1\nb: &y ^*x\n'],
  BAD_ALIAS: ['a: ^*\n', 'a: ^& x\n', 'a: &x^: 1\n'],
  BAD_DIRECTIVE: ['^%YAML\n---\na: 1\n'],
  BAD_DQ_ESCAPE: ['ca: "C:^\\keys\\ca.pem"\n', 'a: "^\\x1"\n'],
  BAD_INDENT: [
    'upstream: ^{ url: x\nbuses:\n  - bus: a\n',
    'a: ^[1, 2\n',
    'a: ^{\nb: 1\n}\n',
    'a:\n  b: ^[\n    1\n]\n',
    'a: { b: ^[1, 2 }\nc: 1\n',
    'a:\n  b: 1\n ^c: 2\n',
    'a:\n  - 1\n  ^b: 2\n',
    'a: |\n^\tx\n',
  ],
  BAD_SCALAR_START: ['a: ^@x\n', 'a: ^`x`\n', 'a: ^%x\n', 'a: 1\n^, b: 2\n', 'a: [^|]\n'],
  BLOCK_AS_IMPLICIT_KEY: ['a: ^b: c\n', 'a: ^1\n b: 2\n', 'a:\n  - b: 1\n ^- c: 2\n'],
  BLOCK_IN_FLOW: ['a: [\n ^- 1\n ]\n', 'a: {b: ^c: d}\n'],
  KEY_OVER_1024_CHARS: [`^${LONG}: 1\n`],
  MISSING_CHAR: [
    'a: ^"x\nc: "y"\nd: "z"\n',
    "a: ^'x\nb: 1\n",
    '^{a: 1',
    'a: ["x" ^"y"]\n',
    'a: "x"^#c\n',
    'a: 1\n^b\nc: 2\n',
    '%YAML 1.2\n^a: 1\n',
    '--- ^a: 1\n',
    '^&a - x\n',
    'a: |\n     \n  ^x\n',
  ],
  MULTILINE_IMPLICIT_KEY: ['a: 1\n^b:2\nc: 3\n', 'a: 1\n^- b\n', '^a b\n  c: 1\n'],
  MULTIPLE_ANCHORS: ['a: &x ^&y 1\n'],
  MULTIPLE_TAGS: ['a: !x ^!y 1\n'],
  TAB_AS_INDENT: ['a:\n^\tb: 1\n', 'a:\n  - b: 1\n^\tc: 2\n'],
  TAG_RESOLVE_FAILED: ['a: ^!e!x 1\n', 'a: ^!!int x\n'],
  UNEXPECTED_TOKEN: [
    'a: ^}\n',
    'a: {b: 1}^}\n',
    'a: [1,^,2]\n',
    'a: {b: "x" ^c: 1}\n',
    'a: "x" ^y\n',
    "a: 'it'^s'\n",
    'a: ^- b\n',
    '- a\n^b: 1\n',
    'a: >^=5\n',
  ],
};

/** Codes that no text brings out as we ask the library; were one to come, its sentence is there. */
const NEVER: readonly ErrorCode[] = [
  'BAD_COLLECTION_TYPE',
  'BAD_PROP_ORDER',
  'DUPLICATE_KEY',
  'IMPOSSIBLE',
  'MULTIPLE_DOCS',
  'NON_STRING_KEY',
  'RESOURCE_EXHAUSTION',
];

describe('the faults of form', () => {
  test('each code of the library has a file here, or is one that cannot come', async () => {
    const codes = await codesOfTheLibrary();
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.toSorted()).toEqual([...Object.keys(FILES), ...NEVER].toSorted());
  });

  const rows = Object.entries(FILES).flatMap(([code, files]) =>
    files.map((marked) => [code, marked] as const),
  );
  test.each(rows)('%s: %j is told at its place in our words', (code, marked) => {
    const text = marked.replace('^', '');
    expect(toldOf(text).map((told) => told.code)).toContain(code);
    const { problems } = parseYaml('settings.yaml', text);
    const before = marked.slice(0, marked.indexOf('^')).split('\n');
    const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    expect(problems[0]).toMatchObject(place);
    for (const problem of problems) expectOurs(problem);
  });

  test('a code that cannot come has its sentence all the same', async () => {
    for (const code of await codesOfTheLibrary()) {
      const [said] = inOurWords(
        [{ code, message: 'Unexpected scalar node', pos: [0, 1] }],
        '@',
        [],
      );
      expect(said, code).toBeDefined();
      if (said !== undefined) expectOurs(said);
    }
  });

  test('a bracket that is never closed is told once, where it opens', () => {
    const places = (text: string) =>
      parseYaml('f', text).problems.map(({ line, column }) => [line, column]);
    expect(places('a:\n  b: [\n    1\n]\nc: 2\n')).toEqual([[2, 6]]);
    // Not the lines that it swallowed either, but what comes before and what is open itself.
    expect(places('z: @\na: [\n  b: 1\n  c: 2\n  d: 3\ne: {f: 1\n')).toEqual([
      [1, 4],
      [2, 4],
      [6, 4],
    ]);
  });
});

test('aliases that lead nowhere are told in our words', () => {
  const many = `a: &a 1\nb: [${'*a, '.repeat(2_000)}*a]\n`;
  for (const text of ['a: 1\nb: *x\n', 'a: &a [*a]\n', many]) {
    const told = parseYaml('field.yaml', text).problems;
    expect(told.map(({ code }) => code)).toContain('yaml.alias');
    for (const problem of told) expectOurs(problem);
  }
});

test('no word of the library reaches the user, however a file is spoilt', async () => {
  const field = await readFile(new URL('../../config/field.yaml', import.meta.url), 'utf8');
  const sign = fc.constantFrom(
    ...['\t', '\n', ': ', '- ', '{', '}', '[', ']', '"', "'", '*', '&', '!', '#', ',', '|', '>'],
    ...['?', '---\n', '...\n', '%', '@', '`', '\\', ' ', '  '],
  );
  const cut = fc.record({
    at: fc.nat(field.length),
    gone: fc.nat(6),
    put: fc.array(sign, { maxLength: 3 }).map((signs) => signs.join('')),
  });
  fc.assert(
    fc.property(fc.array(cut, { minLength: 1, maxLength: 3 }), (cuts) => {
      const spoilt = cuts.reduce(
        (text, { at, gone, put }) => text.slice(0, at) + put + text.slice(at + gone),
        field,
      );
      const { problems } = parseYaml('field.yaml', spoilt);
      for (const problem of problems) if (problem.code.startsWith('yaml.')) expectOurs(problem);
    }),
    { numRuns: 400 },
  );
});
