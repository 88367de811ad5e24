// The sentences of a language, from the package's own files; each is read once.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalogue, type Language, type Say, sayIn } from '../domain/words.ts';

/** Says in a language what config/locales of the package in `root` has. Rejects when the package is broken. */
export function speaker(root: string): (language: Language) => Promise<Say> {
  const known = new Map<Language, Promise<Say>>();
  const load = async (language: Language) => {
    const text = await readFile(join(root, 'config', 'locales', `${language}.json`), 'utf8');
    return sayIn(language, JSON.parse(text) as Catalogue);
  };
  return (language) => {
    const say = known.get(language) ?? load(language);
    known.set(language, say);
    return say;
  };
}
