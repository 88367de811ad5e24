// Whole numbers as short text: five bits a letter, so that what is written at every reading stays small.

/** 64 letters that every text store keeps as one byte each; a letter's upper 32 mean that another follows. */
const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_';
const MORE = 32;
const UNKNOWN = 255;

const CODES = new Uint8Array(128).fill(UNKNOWN);
for (const [code, letter] of [...LETTERS].entries()) CODES[letter.charCodeAt(0)] = code;

/** Whole numbers up to 2^51 of either sign, one after another: small ones are short. Anything else is a bug and throws. */
export function shortNumbers(numbers: readonly number[]): string {
  let text = '';
  for (const number of numbers) {
    if (!Number.isSafeInteger(2 * number)) throw new Error(`${number} is no count or instant`);
    // The sign goes into the lowest bit.
    let rest = number < 0 ? -2 * number - 1 : 2 * number;
    while (rest >= MORE) {
      const upper = Math.floor(rest / MORE);
      text += LETTERS[MORE + rest - upper * MORE];
      rest = upper;
    }
    text += LETTERS[rest];
  }
  return text;
}

/** The numbers of `shortNumbers`; undefined where the text is none of its. */
export function readShortNumbers(text: string): number[] | undefined {
  const numbers: number[] = [];
  let folded = 0;
  let scale = 1;
  for (let i = 0; i < text.length; i += 1) {
    const code = CODES[text.charCodeAt(i)] ?? UNKNOWN;
    if (code === UNKNOWN) return undefined;
    folded += (code % MORE) * scale;
    scale *= MORE;
    if (code >= MORE) continue;
    numbers.push(folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2);
    folded = 0;
    scale = 1;
  }
  return scale === 1 ? numbers : undefined;
}

/** A 32-bit number as six letters. */
export function sixLetters(number: number): string {
  let text = '';
  for (let bits = 30; bits >= 0; bits -= 6) text += LETTERS[(number >>> bits) & 63];
  return text;
}
