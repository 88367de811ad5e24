// Every numbered rule of the contract has a test whose name carries its number.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../simulator/contract-rules/verdicts.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const count = (letter: string, to: number) =>
  Array.from({ length: to }, (_, i) => `${letter}${i + 1}`);
const NUMBERED = [
  ...[count('I', 10), count('S', 5), count('E', 3), count('A', 4), count('C', 6)].flat(),
];

function textsOf(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'));
}

/** Names of tests and of groups of tests, as written. */
function namesIn(text: string): string[] {
  const named =
    /\b(?:it|test|describe)(?:\.\w+(?:<[^>]*>)?(?:\([\s\S]*?\]\s*\))?)*\(\s*(['"`])((?:(?!\1).)*)\1/g;
  return [...text.matchAll(named)].map((match) => match[2] ?? '');
}

const carries = (name: string, rule: string) => new RegExp(`\\b${rule}\\b(?=[:, ])`).test(name);

describe('the numbered rules of the contract', () => {
  const names = textsOf('tests', /\.(?:test|suite)\.ts$/).flatMap(namesIn);

  it('are those that the conformance check knows', () => {
    const numbered = Object.keys(RULES).filter((rule) => /^[A-Z]\d+$/.test(rule));
    expect(numbered).toEqual(NUMBERED);
  });

  it('each have a test that carries the number', () => {
    expect(names.length).toBeGreaterThan(300);
    const shown = NUMBERED.filter((rule) => names.some((name) => carries(name, rule)));
    expect(NUMBERED.filter((rule) => !shown.includes(rule))).toEqual([]);
    expect(carries('I1 and I10: x', 'I1')).toBe(true);
    expect(carries('I10: x', 'I1')).toBe(false);
    expect(namesIn("it('S9: water', () => 1); test.each([[1]])('S8: %i', f)")).toEqual([
      'S9: water',
      'S8: %i',
    ]);
  });
});
