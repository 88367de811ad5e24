// What can be wrong with a settings or profile file: the codes, the place, the sentence, and the likely correction.

/** Code of every problem a file can have. Programs compare these; sentences may change. */
export const PROBLEM_CODES = [
  'file.absent',
  'file.denied',
  'file.failed',
  'file.too_large',
  'file.empty',
  'file.encoding',
  'yaml.syntax',
  'yaml.tab',
  'yaml.documents',
  'yaml.too_deep',
  'yaml.alias',
  'yaml.key',
  'yaml.tag',
  'yaml.directive',
  'yaml.character',
  'key.unknown',
  'key.misplaced',
  'key.missing',
  'key.duplicate',
  'value.missing',
  'value.type',
  'value.quote',
  'value.enum',
  'value.range',
  'value.pattern',
  'value.time',
  'value.reserved',
  'list.length',
  'version.unknown',
  'time.origin',
  'upstream.url',
  'upstream.secret',
  'upstream.key_pair',
  'upstream.clear_text',
  'console.clear_text',
  'control.too_long',
  'bus.duplicate',
  'bus.unknown',
  'bus.unused',
  'bus.mixed_framing',
  'timeout.too_short',
  'port.shared',
  'peer.shared',
  'peer.host',
  'meter.duplicate',
  'meter.none',
  'address.range',
  'address.notation',
  'address.duplicate',
  'register_id.duplicate',
  'register_id.unsent',
  'profile.unknown',
  'profile.name',
  'profile.transport',
  'dial.too_wide',
  'dial.too_small',
  'dial.unit',
  'max_flow.range',
  'alert.below_count',
  'poll.too_fast',
  'poll.overload',
  'edge.missed',
  'example.value',
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** A place in a text file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong (or, as a warning, doubtful), at its place. */
export interface Problem extends Place {
  readonly code: ProblemCode;
  readonly file: string;
  /** A whole sentence, with its full stop. */
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string;
  /** What the sentence says, for programs. */
  readonly numbers?: Readonly<Record<string, number>>;
}

/** `file:line:column: sentence. Did you mean "..."?`, on one line. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, message, suggestion } = problem;
  const meant = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
  return `${file}:${line}:${column}: ${message}${meant}`;
}

/** Problems in the order of their places, without repetitions. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const once = new Map(
    problems.map((p) => [JSON.stringify([p.file, p.line, p.column, p.code, p.message]), p]),
  );
  const byFile = new Map(problems.map((p, i) => [p.file, i]));
  const place = (p: Problem): number => byFile.get(p.file) ?? 0;
  return [...once.values()].sort(
    (a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column,
  );
}

/** Longer words are never misspelt names of ours; comparing them would only cost time. */
const WORD_MAX = 64;

/** The candidate nearest to `word`, if it is near enough to be what was meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > WORD_MAX) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
}
