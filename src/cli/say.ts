// How the command line speaks: answers on standard output, failures with code and next step, tables, colour.

import type { CommandAnswer } from '../boundaries.ts';
import { exitOf } from './exit-codes.ts';
import type { Io, Manner } from './parts.ts';

/** A failure as a person and a script need it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** The next step. */
  readonly hint: string;
  /** More for scripts, beside code, message and hint. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/**
 * Says what failed and returns the exit code. With --json standard output holds one document whatever happens: the
 * answer or `{"error":{"code","message","hint"}}`. Otherwise it stays empty and standard error has the sentences.
 */
export function fail(io: Io, manner: Manner, failure: Failure, exit?: number): number {
  const { code, message, hint, more } = failure;
  if (manner.json) sayJson(io, { error: { code, message, hint, ...more } });
  else {
    const error = manner.say('cli.error');
    const label = manner.color ? `\u001b[31m${error}\u001b[39m` : error;
    io.err(`${label} ${printable(message)}\n${hint === '' ? '' : `${printable(hint)}\n`}`);
  }
  return exit ?? exitOf(code);
}

/** A refusal of the collector: what it is in general where its own sentence is not known in this language. */
export function failHeard(
  io: Io,
  manner: Manner,
  { code, message, hint }: Extract<CommandAnswer, { ok: false }>,
  exit?: number,
): number {
  const heard = manner.hear(message);
  const general = manner.language === 'en' || heard !== message ? '' : generalOf(code, manner);
  const said = general === '' ? heard : `${general} (${message})`;
  return fail(io, manner, { code, message: said, hint: manner.hear(hint) }, exit);
}

function generalOf(code: string, { say }: Manner): string {
  const key = `cli.code_${code.replaceAll('.', '_')}`;
  const found = say(key);
  return found === key ? '' : found;
}

/** A path as it is typed at a shell: what is said as the next step can be copied. */
export function asTyped(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** One JSON document on one line of standard output. */
export function sayJson(io: Io, answer: unknown): void {
  io.out(`${JSON.stringify(answer)}\n`);
}

/** True when colour helps: a person looks on, and nobody has asked for none (no-color.org). */
export function wantsColor(io: Pick<Io, 'isTTY' | 'env'>): boolean {
  return io.isTTY && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
}

/**
 * Columns aligned by spaces, numbers to the right; with `plain` tabs between the fields instead. `headings` decide the
 * width and which columns there are.
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { plain }: Pick<Manner, 'plain'> = { plain: false },
): string {
  const cells = [headings, ...rows].map((row) => headings.map((_, i) => printable(row[i] ?? '')));
  if (plain) {
    return cells
      .map((row) => `${row.map((cell) => cell.replaceAll(/[\t\n]/g, ' ')).join('\t')}\n`)
      .join('');
  }
  const widths = headings.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const toRight = headings.map((_, i) =>
    rows.every((row) => /^[-+]?[\d.]*( \S+)?$/.test(row[i] ?? '')),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        return toRight[i] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Without control characters: what an encoder sent must not steer a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
}

/** `counts` x 10^`pow10` `unit`, in exact decimal digits: 1234603 at pow10 -1 is "123460.3 ft3". */
export function volume(counts: number, pow10: number, unit: string): string {
  const sign = counts < 0 ? '-' : '';
  const digits = String(Math.abs(counts));
  if (pow10 >= 0) return `${sign}${counts === 0 ? '0' : digits + '0'.repeat(pow10)} ${unit}`;
  const padded = digits.padStart(1 - pow10, '0');
  return `${sign}${padded.slice(0, pow10)}.${padded.slice(pow10)} ${unit}`;
}

/** A dial as it stands on the meter: leading zeros included. */
export function dialFace(counts: number, digits: number): string {
  return String(counts).padStart(digits, '0');
}
