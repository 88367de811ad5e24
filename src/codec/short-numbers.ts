// Whole numbers as short text: six bits a letter, so that what is written at every reading stays small.

/** A letter is one of the 128 that every text store keeps as one byte; its upper 64 mean that another follows. */
const MORE = 64;
const LETTERS = 2 * MORE;

/** Whole numbers up to 2^51 of either sign, one after another: small ones are short. Anything else is a bug and throws. */
export function shortNumbers(numbers: readonly number[]): string {
  let text = '';
  for (const number of numbers) {
    if (!Number.isSafeInteger(2 * number)) throw new Error(`${number} is no count or instant`);
    // The sign goes into the lowest bit.
    let rest = number < 0 ? -2 * number - 1 : 2 * number;
    while (rest >= MORE) {
      const upper = Math.floor(rest / MORE);
      text += String.fromCharCode(MORE + rest - upper * MORE);
      rest = upper;
    }
    text += String.fromCharCode(rest);
  }
  return text;
}

/** The numbers of `shortNumbers`; undefined where the text is none of its. */
export function readShortNumbers(text: string): number[] | undefined {
  const numbers: number[] = [];
  let folded = 0;
  let scale = 1;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= LETTERS) return undefined;
    folded += (code % MORE) * scale;
    scale *= MORE;
    if (code >= MORE) continue;
    numbers.push(folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2);
    folded = 0;
    scale = 1;
  }
  return scale === 1 ? numbers : undefined;
}

/** Whether `text` has `fiveLetters(number)` at `at`. */
export function hasFiveLetters(text: string, at: number, number: number): boolean {
  for (let i = 0, bits = 28; bits >= 0; i += 1, bits -= 7) {
    if (text.charCodeAt(at + i) !== ((number >>> bits) & (LETTERS - 1))) return false;
  }
  return true;
}

/** A 32-bit number as five letters. */
export function fiveLetters(number: number): string {
  let text = '';
  for (let bits = 28; bits >= 0; bits -= 7) {
    text += String.fromCharCode((number >>> bits) & (LETTERS - 1));
  }
  return text;
}
