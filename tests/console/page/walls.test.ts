// The walls of the console's pages: what they may import, no text of their own, every sentence there, nothing fetched from elsewhere.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vite';
import { describe, expect, it } from 'vitest';
import en from '../../../config/locales/en.json' with { type: 'json' };
import { ALARM_CODES } from '../../../src/domain/alarms.ts';
import { SEEN_KEYS } from '../../../src/domain/bus-seen.ts';
import { STEPS } from '../../../src/domain/commission.ts';
import { FAULTS } from '../../../src/domain/fault.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = 'src/console/page';

interface Source {
  readonly file: string;
  readonly text: string;
}

const sources: readonly Source[] = readdirSync(join(ROOT, PAGE), {
  recursive: true,
  encoding: 'utf8',
})
  .filter((name) => /\.tsx?$/.test(name) && name !== 'vite.config.ts')
  .sort()
  .map((name) => ({ file: `${PAGE}/${name}`, text: readFileSync(join(ROOT, PAGE, name), 'utf8') }));

const PACKAGES = ['preact', 'preact/hooks', '@preact/signals', 'uplot', 'uplot/dist/uPlot.min.css'];
const PLACES = [`${PAGE}/`, 'src/domain/', 'config/locales/'];

function strays({ file, text }: Source): string[] {
  const paths = [...text.matchAll(/(?:from|import)\s*\(?\s*'([\w@./-]+)'/g)].map(
    ([, path = '']) => path,
  );
  return paths
    .filter((path) => {
      if (!path.startsWith('.')) return !PACKAGES.includes(path);
      const target = normalize(join(dirname(file), path));
      return !PLACES.some((place) => target.startsWith(place));
    })
    .map((path) => `${file}: ${path}`);
}

type Node = Readonly<Record<string, unknown>>;

/** Each node of a syntax tree. */
function* nodes(one: unknown): Generator<Node> {
  if (Array.isArray(one)) for (const each of one) yield* nodes(each);
  else if (typeof one === 'object' && one !== null) {
    yield one as Node;
    for (const each of Object.values(one)) yield* nodes(each);
  }
}

/** Attributes that are read or heard. */
const SAID = ['label', 'title', 'alt', 'placeholder', 'aria-label', 'summary', 'says', 'help'];
const hasWord = (text: unknown): boolean => typeof text === 'string' && /\p{L}{2,}/u.test(text);
/** Names and signs that are the same in every language. */
const SAME = /^\s*(?:SHA-256|meter-collector restore FILE --config FILE|ms \(\+)\s*$/;

/** Words that a page would say in one language only. */
function literals({ file, text }: Source): string[] {
  const found: string[] = [];
  for (const node of nodes(parseAst(text, { lang: file.endsWith('x') ? 'tsx' : 'ts' }))) {
    if (node['type'] === 'JSXText' && hasWord(node['value'])) found.push(String(node['value']));
    if (node['type'] !== 'JSXAttribute') continue;
    const { name } = node['name'] as { name: unknown };
    const { type, value } = (node['value'] ?? {}) as { type?: string; value?: unknown };
    if (type === 'Literal' && SAID.includes(String(name)) && hasWord(value))
      found.push(String(value));
  }
  return found.filter((one) => !SAME.test(one)).map((one) => `${file}: ${one.trim()}`);
}

/** Keys that are asked for as they stand, and beginnings of those that are put together. */
function keysOf({ text }: Source): { readonly whole: string[]; readonly begun: string[] } {
  const whole = [...text.matchAll(/\bt\(\s*'([^']+)'/g)].map(([, key = '']) => key);
  const begun = [...text.matchAll(/\b(?:t|known)\(\s*`([a-z_]+_)\$\{/g)].map(([, key = '']) => key);
  // Names of pages and lights stand in tables.
  const named = [...text.matchAll(/'((?:nav|light)_[a-z]+)'/g)].map(([, key = '']) => key);
  return { whole: [...whole, ...named], begun };
}

const SENTENCES: Readonly<Record<string, string>> = en.console;
const isSaid = (key: string): boolean => key in SENTENCES || `${key}_other` in SENTENCES;

describe('the console’s pages', () => {
  it('import themselves, the domain, the sentences and their three libraries', () => {
    expect(sources.length).toBeGreaterThan(40);
    expect(sources.flatMap(strays)).toEqual([]);
    const planted = { file: `${PAGE}/x.ts`, text: "import { a } from '../live.ts';" };
    expect(strays(planted)).toHaveLength(1);
  });

  it('say nothing that is not in the catalogue', () => {
    expect(sources.flatMap(literals)).toEqual([]);
    const planted = { file: 'x.tsx', text: 'const a = <p title="Two words">Read me</p>;' };
    expect(literals(planted)).toHaveLength(2);
  });

  it('ask for no sentence that is not there', () => {
    const asked = sources.flatMap((one) => keysOf(one).whole);
    expect(asked.length).toBeGreaterThan(300);
    expect(asked.filter((key) => !isSaid(key))).toEqual([]);
    const begun = sources.flatMap((one) => keysOf(one).begun);
    const keys = Object.keys(SENTENCES);
    expect(begun.length).toBeGreaterThan(20);
    expect(begun.filter((start) => !keys.some((key) => key.startsWith(start)))).toEqual([]);
  });

  it('have a sentence for each fault, event, flag, quality, counter and step that there is', () => {
    const wanted = [
      ...Object.keys(FAULTS)
        .filter((code) => !['aborted', 'store.locked', 'store.newer'].includes(code))
        .map((code) => `fault_${code.replaceAll('.', '_')}`),
      ...ALARM_CODES.map((code) => `event_${code.replaceAll('.', '_')}`),
      ...SEEN_KEYS.map((key) => `count_${key}`),
      ...STEPS.flatMap((step) => [`step_${step}`, `step_${step}_help`, `step_${step}_running`]),
      ...['A', 'P', 'M', 'S', 'T', 'H'].map((q) => `quality_${q}`),
      ...['rose', 'none', 'wrong_meter', 'several', 'below_resolution'].map((one) => `tap_${one}`),
    ];
    expect(wanted.length).toBeGreaterThan(100);
    expect(wanted.filter((key) => !isSaid(key))).toEqual([]);
  });

  it('read the time in one place, and write no style or script into the page', () => {
    const clocks = /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bset(?:Timeout|Interval)\(/;
    const inline = /dangerouslySetInnerHTML|\binnerHTML\b|\beval\(|new Function\(|style="/;
    const found = (pattern: RegExp) =>
      sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file);
    expect(found(clocks)).toEqual([`${PAGE}/clock.ts`]);
    expect(found(inline)).toEqual([]);
    const html = readFileSync(join(ROOT, PAGE, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|https?:/);
    const sheet = readFileSync(join(ROOT, PAGE, 'style.css'), 'utf8');
    expect(sheet).not.toMatch(/url\(|@import/);
  });

  it('begin each file with a sentence on its job', () => {
    expect(sources.filter(({ text }) => !/^\/\/ \S.*/.test(text)).map(({ file }) => file)).toEqual(
      [],
    );
  });
});
