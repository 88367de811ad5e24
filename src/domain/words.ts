// Sentences in the reader's language: a catalogue of keys, with places for what is told and forms for one and many.

/** Languages that every text is kept in. */
export const LANGUAGES = ['en', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Sections of keys; a key is `section.name`. A name that ends in `_one` or `_other` is a form of one key. */
export type Catalogue = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The sentence of `key`, its `{places}` filled. With `count` among them its form for so many. */
export type Say = (key: string, places?: Readonly<Record<string, string | number>>) => string;

/** Says in `language` what the catalogue has; a key that it lacks is said as it is, so that nothing goes unsaid. */
export function sayIn(language: Language, catalogue: Catalogue): Say {
  const plural = new Intl.PluralRules(language);
  const find = (key: string): string | undefined => {
    const dot = key.indexOf('.');
    const section = Object.hasOwn(catalogue, key.slice(0, dot))
      ? catalogue[key.slice(0, dot)]
      : undefined;
    const name = key.slice(dot + 1);
    return section && Object.hasOwn(section, name) ? section[name] : undefined;
  };
  return (key, places = {}) => {
    const { count } = places;
    const form = typeof count === 'number' ? find(`${key}_${plural.select(count)}`) : undefined;
    const other = typeof count === 'number' ? find(`${key}_other`) : undefined;
    const sentence = form ?? other ?? find(key) ?? key;
    return sentence.replaceAll(/\{(\w+)\}/g, (whole, name) => String(places[name] ?? whole));
  };
}

/** The language of `--lang` or of a locale such as `es_MX.UTF-8`; English where none of ours is meant. */
export function languageOf(...wishes: readonly (string | undefined)[]): Language {
  const wish = wishes.find((one) => one !== undefined && one !== '');
  return LANGUAGES.find((one) => wish?.toLowerCase().startsWith(one)) ?? 'en';
}
