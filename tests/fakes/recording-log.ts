// A log that keeps its lines for a test to look at.

import type { Log } from '../../src/boundaries.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

export interface LogLine {
  readonly level: Level;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** The newest lines at and above `level`; a long simulation keeps no more than `keep` of them. */
export class RecordingLog implements Log {
  readonly #from: number;
  readonly #keep: number;
  #lines: LogLine[] = [];

  constructor(level: Level = 'debug', keep = 10_000) {
    this.#from = LEVELS.indexOf(level);
    this.#keep = keep;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  debug(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#record('debug', fields, message);
  }

  info(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#record('info', fields, message);
  }

  warn(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#record('warn', fields, message);
  }

  error(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#record('error', fields, message);
  }

  #record(level: Level, fields: Readonly<Record<string, unknown>>, message: string): void {
    if (LEVELS.indexOf(level) < this.#from) return;
    this.#lines.push({ level, fields: withoutSecrets(fields, 2), message });
    if (this.#lines.length > 2 * this.#keep) this.#lines = this.#lines.slice(-this.#keep);
  }
}

function withoutSecrets(fields: Readonly<Record<string, unknown>>, levels: number) {
  const shown: Record<string, unknown> = {};
  for (const [key, content] of Object.entries(fields)) {
    if (/pass(word|wd|phrase)$|secret|token|credential|authorization|private_?key/i.test(key)) {
      shown[key] = '[redacted]';
    } else if (levels > 0 && isPlain(content)) shown[key] = withoutSecrets(content, levels - 1);
    else shown[key] = content;
  }
  return shown;
}

function isPlain(content: unknown): content is Record<string, unknown> {
  return typeof content === 'object' && content !== null && !Array.isArray(content);
}
