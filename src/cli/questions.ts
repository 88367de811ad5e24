// Questions to the person at the terminal; each has an option instead, and none is asked where nobody can answer.

import type { Desk } from './parts.ts';

/** A question without an answer: an option is missing where nobody can be asked, or the person has left (null). */
export class Unanswered extends Error {
  readonly flag: string | null;
  /** The key of the sentence that says what is wrong with what was given. */
  readonly wrong: string | null;

  constructor(flag: string | null, wrong: string | null = null) {
    super(flag === null ? 'the person at the terminal has left' : `${flag} is missing`);
    this.name = 'Unanswered';
    this.flag = flag;
    this.wrong = wrong;
  }
}

type Places = Readonly<Record<string, string | number>>;

/** A question: the key of its words, the option that answers it, and what a good answer looks like. */
export interface Question {
  readonly key: string;
  readonly flag: string;
  readonly places?: Places;
  /** What an empty answer means; absent: it is asked again. */
  readonly usual?: string | undefined;
  /** The key of the sentence that says what is wrong with an answer, or null. */
  readonly check?: (answer: string) => string | null;
}

/** The option's value, else the answer; a bad option is thrown back as missing, a bad answer is asked for again. */
export async function wanted(
  desk: Desk,
  given: string | undefined,
  { key, flag, places = {}, usual, check = () => null }: Question,
): Promise<string> {
  const { manner, io } = desk;
  if (given !== undefined) {
    const wrong = check(given);
    if (wrong === null) return given;
    throw new Unanswered(flag, wrong);
  }
  if (!manner.asks) {
    if (usual !== undefined) return usual;
    throw new Unanswered(flag);
  }
  const shown = usual === undefined || usual === '' ? '' : ` [${usual}]`;
  for (;;) {
    const answer = await line(desk, `${manner.say(`cli.${key}`, places)}${shown}: `);
    const meant = answer === '' ? usual : answer;
    if (meant === undefined) continue;
    const wrong = check(meant);
    if (wrong === null) return meant;
    io.err(`${manner.say(`cli.${wrong}`)}\n`);
  }
}

/** Waits until the person says that it is done (Enter). */
export async function pressed(desk: Desk, key: string, places: Places = {}): Promise<void> {
  await line(desk, `${desk.manner.say(`cli.${key}`, places)} `);
}

/** One of a few words, or the number it stands at. */
export async function chosen<T extends string>(
  desk: Desk,
  given: string | undefined,
  options: readonly T[],
  question: Pick<Question, 'key' | 'flag' | 'places'> & { readonly rows?: readonly string[] },
): Promise<T> {
  const { rows = options } = question;
  if (given === undefined && desk.manner.asks) {
    desk.io.err(rows.map((row, i) => `  ${i + 1}  ${row}\n`).join(''));
  }
  const nameOf = (answer: string) =>
    options.find((one, i) => answer === one || answer === String(i + 1));
  const answer = await wanted(desk, given, {
    ...question,
    check: (one) => (nameOf(one) === undefined ? 'q_choose' : null),
  });
  return nameOf(answer) as T;
}

async function line({ parts }: Desk, question: string): Promise<string> {
  const answer = await parts.prompt(question);
  if (answer === null) throw new Unanswered(null);
  return answer.trim();
}
