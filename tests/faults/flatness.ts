// Whether what a process holds stays as it is, told from what goes up and down.

import type { Figures } from './fault-case.ts';

/** A process that begins grows until everything in it has been used once. */
const MEMORY_PER_DAY_MAX = 0.01;

/** What a look finds; sizes in bytes. */
export interface Look {
  readonly day: number;
  readonly rss: number;
  readonly heap: number;
  readonly timers: number;
  /** Handles of the event loop, timers apart. */
  readonly handles: number;
  /** Descriptors that are no file of the journal, and those that are. */
  readonly descriptors: number;
  readonly files: number;
}

/** Least squares: how much more a day. */
function slope(looks: readonly Look[], of: (look: Look) => number): number {
  const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [x, y] = [mean(looks.map(({ day }) => day)), mean(looks.map(of))];
  const over = looks.reduce((sum, one) => sum + (one.day - x) * (of(one) - y), 0);
  return over / looks.reduce((sum, one) => sum + (one.day - x) ** 2, 0);
}

/** Half of the looks show less. */
function middle(looks: readonly Look[], of: (look: Look) => number): number {
  return looks.map(of).sort((a, b) => a - b)[Math.floor(looks.length / 2)] ?? 0;
}

/** Mean of a count, and how far chance alone takes it from the true one: timers of reads under way come and go. */
function countOf(looks: readonly Look[], of: (look: Look) => number) {
  const counts = looks.map(of);
  const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
  const variance = counts.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (counts.length - 1);
  return { mean, error: Math.sqrt(variance / counts.length) };
}

/** One more that stays raises the mean of the last third by half at least, when it came before half of it was over. */
const ONE_STAYED = 0.5;
/** Two means that differ by more errors than this differ by more than chance: once in a thousand soaks it is chance all the same. */
const CHANCE = 3;

const MIB = 1024 * 1024;

/** First third against last; throws when something still grows in the last. */
export function flatness(looks: readonly Look[]): Figures {
  const third = Math.floor(looks.length / 3);
  const [first, last] = [looks.slice(0, third), looks.slice(-third)];
  const figures: Record<string, string> = {};
  const grown: string[] = [];
  for (const [name, of] of [
    ['rss', ({ rss }: Look) => rss],
    ['heap', ({ heap }: Look) => heap],
  ] as const) {
    const share = slope(last, of) / middle(last, of);
    const words = (part: readonly Look[]) =>
      `${(middle(part, of) / MIB).toFixed(1)} MiB ${((slope(part, of) / MIB) * 1024).toFixed(0)} KiB/day`;
    figures[name] = `${words(first)}, then ${words(last)}`;
    if (share > MEMORY_PER_DAY_MAX) grown.push(`${name} by ${(100 * share).toFixed(2)} % a day`);
  }
  for (const [name, of] of [
    ['timers', ({ timers }: Look) => timers],
    ['handles', ({ handles }: Look) => handles],
    ['descriptors', ({ descriptors }: Look) => descriptors],
  ] as const) {
    const [was, is] = [countOf(first, of), countOf(last, of)];
    figures[name] = `${was.mean.toFixed(2)}, then ${is.mean.toFixed(2)}`;
    const least = Math.max(ONE_STAYED, CHANCE * Math.hypot(was.error, is.error));
    if (is.mean - was.mean > least) grown.push(name);
  }
  figures['files'] =
    `${middle(first, ({ files }) => files)}, then ${middle(last, ({ files }) => files)}`;
  if (grown.length > 0) throw new Error(`grows: ${grown.join(', ')}: ${JSON.stringify(figures)}`);
  return figures;
}
