// `backtest`: what would have been raised over a file of readings, for tuning a threshold and for research.

import { type BacktestRules, DEFAULT_RULES } from '../domain/backtest-rules.ts';
import { EXIT } from './exit-codes.ts';
import type { Backtesting, Io, Manner, Parts } from './parts.ts';
import { fail } from './say.ts';

export interface BacktestRequest {
  readonly readings: string;
  readonly rules?: string | undefined;
  readonly intervals?: boolean | undefined;
}

/** Lines are written in portions of so many characters. */
const PORTION = 65_536;
/** A longer line without an end is not read on: the file is no NDJSON. */
const LINE_CHARS_MAX = 1_000_000;
/** Progress is told after so many readings. */
const PROGRESS = 1_000_000;

/** 0 when every line was taken, 2 with the number of the first that could not be, 3 for rules with problems. */
export async function backtest(
  request: BacktestRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const rules = await rulesOf(request.rules, manner, io, parts);
  if ('exit' in rules) return rules.exit;
  const run = new Run(rules.rules, request.intervals === true, io, parts);
  const bad = await run.all(parts.readText(request.readings));
  if (bad !== null) {
    const hint = 'Lines are described in docs/leaks.md, under "Backtest".';
    const message = `${request.readings}: ${bad}.`;
    return fail(
      io,
      { ...manner, json: false },
      { code: 'backtest.line', message, hint },
      EXIT.usage,
    );
  }
  run.sayWhatWasDone();
  return EXIT.ok;
}

async function rulesOf(
  file: string | undefined,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ rules: BacktestRules } | { exit: number }> {
  if (file === undefined) return { rules: DEFAULT_RULES };
  const checked = await parts.loadBacktestRules(file);
  if (checked.ok) return checked;
  const { problems } = checked;
  if (!manner.json) for (const one of problems) io.err(`${parts.formatProblem(one)}\n`);
  const message = `${file} has problems; nothing was read.`;
  const failure = { code: 'config.invalid', message, hint: '', more: { problems } };
  return { exit: fail(io, manner, failure, EXIT.settings) };
}

/** One pass over the text. */
class Run {
  readonly #backtest: Backtesting;
  readonly #io: Io;
  readonly #parts: Parts;
  #portion = '';
  #line = 0;
  #told = PROGRESS;

  constructor(rules: BacktestRules, intervals: boolean, io: Io, parts: Parts) {
    this.#io = io;
    this.#parts = parts;
    const write = (line: string) => {
      this.#portion += line;
    };
    this.#backtest = parts.beginBacktest({ rules, intervals, write });
  }

  /** Null when all was taken, else what is wrong and where. What was raised before it is written all the same. */
  async all(text: AsyncIterable<string>): Promise<string | null> {
    let rest = '';
    for await (const piece of text) {
      rest += piece;
      let from = 0;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
        const bad = this.#take(rest.slice(from, end));
        if (bad !== null) return await this.#stop(bad);
        from = end + 1;
      }
      rest = rest.slice(from);
      if (rest.length > LINE_CHARS_MAX) return await this.#stop(this.#at('has no end'));
      await this.#flush(PORTION);
    }
    const bad = this.#take(rest);
    return bad === null ? await this.#stop(null) : await this.#stop(bad);
  }

  #take(text: string): string | null {
    this.#line += 1;
    const line = this.#line === 1 ? text.replace(/^\ufeff/, '') : text;
    if (line.trim() === '') return null;
    const wrong = this.#backtest.take(line);
    if (this.#backtest.readings >= this.#told) this.#sayProgress();
    return wrong === null ? null : this.#at(wrong);
  }

  #at(wrong: string): string {
    return `line ${this.#line} ${wrong}`;
  }

  async #stop(bad: string | null): Promise<string | null> {
    await this.#flush(0);
    return bad;
  }

  async #flush(beyond: number): Promise<void> {
    if (this.#portion.length <= beyond) return;
    this.#io.out(this.#portion);
    this.#portion = '';
    // A slow reader of a pipe must not fill the memory.
    await this.#parts.drained();
  }

  #sayProgress(): void {
    this.#told += PROGRESS;
    this.sayWhatWasDone();
  }

  sayWhatWasDone(): void {
    const { readings, meters, events } = this.#backtest;
    this.#io.err(`${readings} readings of ${meters} meters, ${events} events\n`);
  }
}
