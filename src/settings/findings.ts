// Gathers what our own checks find in a parsed file, each at its place, problems apart from warnings.

import type { Source } from './parse-yaml.ts';
import type { Problem, ProblemCode } from './problems.ts';

/** A finding at the value (or, with `atKey`, the key) of a JSON pointer. */
export interface Finding {
  readonly code: ProblemCode;
  readonly pointer: string;
  readonly message: string;
  readonly suggestion?: string | undefined;
  readonly atKey?: boolean;
  /** Of a value that an alias brings there a second time: where the alias stands. */
  readonly atAlias?: boolean;
  readonly numbers?: Readonly<Record<string, number>>;
}

export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  problem(finding: Finding): void {
    this.problems.push(this.#placed(finding));
  }

  warning(finding: Finding): void {
    this.warnings.push(this.#placed(finding));
  }

  /** The line on which a value stands, or the alias that brings it there, for sentences that point at another place. */
  lineOf(pointer: string): number {
    return (this.#source.aliasPlaceOf(pointer) ?? this.#source.placeOf(pointer)).line;
  }

  #placed({ code, pointer, message, suggestion, atKey, atAlias, numbers }: Finding): Problem {
    const place =
      (atAlias ? this.#source.aliasPlaceOf(pointer) : undefined) ??
      (atKey ? this.#source.placeOfKey(pointer) : this.#source.placeOf(pointer));
    const meant = suggestion === undefined ? {} : { suggestion };
    return {
      code,
      file: this.#source.file,
      ...place,
      message,
      ...meant,
      ...(numbers && { numbers }),
    };
  }
}

/** The entries of a map; nothing when it is none (the schema has said so already). */
export function record(unknown: unknown): Readonly<Record<string, unknown>> {
  return typeof unknown === 'object' && unknown !== null && !Array.isArray(unknown)
    ? (unknown as Record<string, unknown>)
    : {};
}

/** The elements of a list with their JSON pointers, each as a map. */
export function entries(
  holder: unknown,
  key: string,
): { pointer: string; entry: Readonly<Record<string, unknown>> }[] {
  const list = record(holder)[key];
  if (!Array.isArray(list)) return [];
  return list.map((element, i) => ({ pointer: `/${key}/${i}`, entry: record(element) }));
}

/** The text under a key, if it is text. */
export function text(unknown: unknown): string | undefined {
  return typeof unknown === 'string' ? unknown : undefined;
}
