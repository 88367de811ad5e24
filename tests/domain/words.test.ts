// Every sentence is there in every language, with the same places, and is said in the form its number wants.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Catalogue, LANGUAGES, languageOf, sayIn } from '../../src/domain/words.ts';

const catalogueOf = (language: string): Catalogue =>
  JSON.parse(
    readFileSync(new URL(`../../config/locales/${language}.json`, import.meta.url), 'utf8'),
  );

const sentences = (language: string) =>
  new Map(
    Object.entries(catalogueOf(language)).flatMap(([section, names]) =>
      Object.entries(names).map(([name, text]) => [`${section}.${name}`, text] as const),
    ),
  );

const placesOf = (text = '') => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe('the words of a language', () => {
  const english = sentences('en');

  it.each(LANGUAGES)('%s has every key of English, and no other', (language) => {
    expect([...sentences(language).keys()].sort()).toEqual([...english.keys()].sort());
  });

  it.each(LANGUAGES)('%s tells in every sentence what English tells', (language) => {
    for (const [key, text] of sentences(language)) {
      expect([key, ...placesOf(text)]).toEqual([key, ...placesOf(english.get(key))]);
      expect(text.trim()).not.toBe('');
    }
  });

  it('a sentence that is no name or sign reads otherwise in Spanish', () => {
    const spanish = sentences('es');
    const alike = [...english].filter(
      ([key, text]) => /[a-z]{3,} [a-z]{3,}/i.test(text) && spanish.get(key) === text,
    );
    expect(alike).toEqual([]);
  });

  it('one and many are told apart, and places are filled', () => {
    const say = sayIn('en', { bus: { found_one: '{count} meter', found_other: '{count} meters' } });
    expect([0, 1, 2].map((count) => say('bus.found', { count }))).toEqual([
      '0 meters',
      '1 meter',
      '2 meters',
    ]);
  });

  it('a key that nobody knows is said as it is', () => {
    const say = sayIn('en', { bus: {} });
    expect([say('bus.absent'), say('__proto__.x'), say('none')]).toEqual([
      'bus.absent',
      '__proto__.x',
      'none',
    ]);
  });

  it('the first wish that is one decides the language', () => {
    expect(languageOf(undefined, '', 'es_MX.UTF-8')).toBe('es');
    expect(languageOf('en', 'es')).toBe('en');
    expect(languageOf('de_DE.UTF-8', 'es')).toBe('en');
    expect(languageOf()).toBe('en');
  });
});
