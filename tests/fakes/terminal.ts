// A program on a pseudo-terminal as a person sits before it: what stands on the screen, and what is typed.

import { basename } from 'node:path';
import pty from '@lydell/node-pty';
import { until } from './until.ts';

/** Columns enough that no line of ours is broken. */
const COLUMNS = 240;

export interface Typist {
  /** Everything that was written to the screen, as lines that stand there. */
  screen(): string;
  /** Resolves when the last line of the screen ends with `words`, waiting for an answer. */
  asked(words: string, ms?: number): Promise<void>;
  type(text: string): void;
  /** Its exit code. */
  readonly ended: Promise<number>;
  kill(): void;
}

export function openTerminal(
  program: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Typist {
  const child = pty.spawn(program, [...args], { cwd, env, cols: COLUMNS, rows: 60, name: 'xterm' });
  let written = '';
  child.onData((data) => {
    written += data;
  });
  const ended = new Promise<number>((resolve) => {
    child.onExit(({ exitCode }) => resolve(exitCode));
  });
  const screen = () => onScreen(written);
  return {
    screen,
    asked: (words, ms = 60_000) =>
      until(
        `${basename(program)} ${args.slice(1).join(' ')}: "${words}" at the end of:\n${screen()}`,
        () => screen().trimEnd().endsWith(words.trimEnd()),
        ms,
      ),
    type: (text) => child.write(text),
    ended,
    kill: () => child.kill('SIGKILL'),
  };
}

const PIECES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal is steered by
  /\u001b\[(?<count>\d*)(?:;\d*)*(?<command>[A-Za-z])|(?<control>[\r\n\b\u0007])|(?<text>[^\u001b\r\n\b\u0007]+)/g;

/** What stands on the screen after these bytes; of the commands of ECMA-48 those that a line of text needs. */
export function onScreen(written: string): string {
  const lines: string[] = [''];
  let column = 0;
  const put = (text: string) => {
    const line = (lines.at(-1) ?? '').padEnd(column);
    lines[lines.length - 1] = line.slice(0, column) + text + line.slice(column + text.length);
    column += text.length;
  };
  const steer = (command: string, count: number) => {
    if (command === 'G') column = Math.max(0, count - 1);
    else if (command === 'J' || command === 'K') {
      lines[lines.length - 1] = (lines.at(-1) ?? '').slice(0, column);
    }
  };
  for (const { groups = {} } of written.matchAll(PIECES)) {
    const { text, control, command, count } = groups;
    if (text !== undefined) put(text);
    else if (control === '\n') {
      lines.push('');
      column = 0;
    } else if (control === '\r') column = 0;
    else if (control === '\b') column = Math.max(0, column - 1);
    else if (command !== undefined) steer(command, Number(count || '0'));
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}
