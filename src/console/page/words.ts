// The language of the pages: its sentences, fetched alone, and how it writes numbers and times.

import { computed, signal } from '@preact/signals';
import { type Catalogue, LANGUAGES, type Language, languageOf, sayIn } from '../../domain/words.ts';
import { read, write } from './kept.ts';

const FILES: Readonly<Record<Language, () => Promise<{ default: Catalogue }>>> = {
  en: () => import('../../../config/locales/en.json'),
  es: () => import('../../../config/locales/es.json'),
};

/** Where the field works: decimal points and commas of the United States and Mexico. */
const REGION: Readonly<Record<Language, string>> = { en: 'en-US', es: 'es-US' };

export const language = signal<Language>(
  languageOf(read('language') ?? undefined, ...navigator.languages),
);
const catalogue = signal<Catalogue>({});
const speaker = computed(() => sayIn(language.value, catalogue.value));

/** The region's name for `Intl`. */
export const region = computed(() => REGION[language.value]);

/** True once somebody chose a language in this browser. */
const hasChosen = (): boolean => LANGUAGES.some((one) => one === read('language'));

/** Fetches the language's sentences and speaks it from then on. */
export async function speak(wanted: Language): Promise<void> {
  const words = (await FILES[wanted]()).default;
  language.value = wanted;
  catalogue.value = words;
  document.documentElement.lang = wanted;
}

/** As `speak`, and remembered. */
export async function choose(wanted: Language): Promise<void> {
  write('language', wanted);
  await speak(wanted).catch(beginAnew);
}

/** An upgrade under an open page took its files along: where the collector answers, the page is loaded again. */
const beginAnew = (): Promise<void> =>
  fetch('/', { cache: 'no-store' }).then(
    () => location.reload(),
    () => undefined,
  );

/** Speaks what the person who signed in prefers, unless another language was chosen in this browser. */
export async function prefer(wanted: string | null | undefined): Promise<void> {
  const one = LANGUAGES.find((known) => known === wanted);
  if (one !== undefined && one !== language.value && !hasChosen()) await speak(one);
}

/** A sentence of the console. */
export const t = (key: string, places?: Readonly<Record<string, string | number>>): string =>
  speaker.value(`console.${key}`, places);

/** A sentence of another section, by its whole key. */
export const say = (key: string, places?: Readonly<Record<string, string | number>>): string =>
  speaker.value(key, places);

/** The sentence of `key` in the console's section, or undefined where there is none. */
export function known(
  key: string,
  places?: Readonly<Record<string, string | number>>,
): string | undefined {
  const whole = key.includes('.') ? key : `console.${key}`;
  const said = speaker.value(whole, places);
  return said === whole ? undefined : said;
}
