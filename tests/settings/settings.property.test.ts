// Spoilt settings never throw, and every problem of one names a place within the file.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileSchema } from '../../src/settings/check-schema.ts';
import { checkSettings } from '../../src/settings/check-settings.ts';
import { loadProfiles } from '../../src/settings/load-profiles.ts';
import { parseYaml } from '../../src/settings/parse-yaml.ts';
import { editDistance, nearest, type Problem } from '../../src/settings/problems.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const field = await readFile(join(ROOT, 'config/field.yaml'), 'utf8');
const schema = compileSchema(await readFile(join(ROOT, 'config/settings.schema.json'), 'utf8'));
const { names, devices } = await loadProfiles(ROOT);
const byName = new Map(devices.map(({ profile }) => [profile.name, profile]));

function problemsOf(text: string): readonly Problem[] {
  const { source, problems } = parseYaml('field.yaml', text);
  if (source === undefined) return problems;
  const profiles = { names, byName };
  const checked = checkSettings(source, { schema, profiles, folder: '/site', before: problems });
  return checked.ok ? [] : checked.problems;
}

const piece = fc.oneof(
  fc.constantFrom(
    '\t',
    '\n',
    ': ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '*a',
    '&a ',
    '!t ',
    '#',
    ',',
    '|',
    '>',
  ),
  fc.constantFrom(
    'null',
    '-1',
    '0',
    '1e999',
    '.nan',
    '0x10',
    'true',
    '?',
    '---\n',
    '...\n',
    '%',
    '@',
    '\0',
    '\u2028',
  ),
  fc.string({ maxLength: 4, unit: 'binary' }),
);
const edit = fc.record({
  at: fc.nat({ max: field.length }),
  cut: fc.oneof(fc.constant(0), fc.nat({ max: 40 })),
  put: piece,
});

test('1,000 spoilt forms of the field example are refused or accepted, never thrown', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      const text = edits.reduce(
        (before, { at, cut, put }) => before.slice(0, at) + put + before.slice(at + cut),
        field,
      );
      const lines = text.split('\n');
      const problems = problemsOf(text);
      if (problems.length > 0) refused += 1;
      for (const { line, column, message } of problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
        expect(message).toMatch(/\.$/);
      }
    }),
    { numRuns: 1000 },
  );
  // Most edits fall on comments or do harm; were nothing refused, nothing would be tried.
  expect(refused).toBeGreaterThan(300);
}, 120_000);

test('a word with one letter wrong is told from its neighbours', () => {
  const known = ['poll_s', 'tolerance_s', 'max_flow_per_h', 'register_id', 'service_point'];
  fc.assert(
    fc.property(
      fc.constantFrom(...known),
      fc.nat(),
      fc.constantFrom('x', '7', ''),
      (word, n, letter) => {
        const at = n % word.length;
        const wrong = word.slice(0, at) + letter + word.slice(at + 1);
        expect(nearest(wrong, known)).toBe(word);
      },
    ),
  );
});

test('an edit distance is that of insertions, deletions, replacements and swaps', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('abc', 'abc')).toBe(0);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('serail', 'serial')).toBe(1);
});
