// What the collector and the checks of files say in English, said in the language of the session.

import type { Catalogue, Language, Say } from '../domain/words.ts';

/** Keys of sentences that are heard, not said: the English one is the pattern, its places stand for anything. */
const HEARD = 'heard_';

/** A heard sentence may carry another (a fault's detail), and that one more; deeper there is nothing of ours. */
const DEPTH_MAX = 3;

/** A code may stand before the words (`port.absent: `), the system's own behind them (` (ECONNREFUSED)`). */
const CODED =
  /^(?<before>[a-z]+\.[a-z_]+: )?(?<words>.+?)(?<after> \([A-Z_]+\)| \(closed unanswered\))?$/s;

/** Whole sentences that stand one after the other. */
const BETWEEN_SENTENCES = /(?<=[.?!]) (?=[A-Z"])/;

interface Pattern {
  readonly key: string;
  readonly shape: RegExp;
}

/**
 * Translates sentences by the patterns of `english`. What no pattern fits is left as it is: a detail that only the
 * operating system knows is better in English than not at all.
 */
export function hearing(
  language: Language,
  english: Catalogue,
  say: Say,
): (sentence: string) => string {
  if (language === 'en') return (sentence) => sentence;
  let patterns: readonly Pattern[] | undefined;
  const whole = (sentence: string, depth: number): string | undefined => {
    patterns ??= patternsOf(english);
    for (const { key, shape } of patterns) {
      const found = shape.exec(sentence);
      if (found !== null) return say(key, inner(found.groups ?? {}, depth));
    }
    return undefined;
  };
  const inner = (places: Readonly<Record<string, string>>, depth: number) =>
    Object.fromEntries(
      Object.entries(places).map(([name, part]) => [
        name,
        depth >= DEPTH_MAX ? part : hear(part, depth + 1),
      ]),
    );
  const hear = (text: string, depth: number): string => {
    const found = whole(text, depth);
    if (found !== undefined) return found;
    const { before = '', words, after = '' } = CODED.exec(text)?.groups ?? {};
    if (words !== undefined && before + after !== '') return before + hear(words, depth) + after;
    const sentences = text.split(BETWEEN_SENTENCES);
    if (sentences.length === 1) return text;
    return sentences.map((one) => whole(one, depth) ?? one).join(' ');
  };
  return (sentence) => hear(sentence, 0);
}

/** Those with the most words of their own first: a pattern that is mostly places fits nearly everything. */
function patternsOf({ cli = {} }: Catalogue): readonly Pattern[] {
  return Object.entries(cli)
    .filter(([name]) => name.startsWith(HEARD))
    .sort(([, a], [, b]) => ownLength(b) - ownLength(a))
    .map(([name, text]) => ({ key: `cli.${name}`, shape: shapeOf(text) }));
}

const ownLength = (text: string) => text.replaceAll(/\{\w+\}/g, '').length;

function shapeOf(text: string): RegExp {
  const parts = text.split(/\{(\w+)\}/);
  const shape = parts
    .map((part, i) =>
      i % 2 === 0 ? part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&') : `(?<${part}>.+?)`,
    )
    .join('');
  return new RegExp(`^${shape}$`, 's');
}
