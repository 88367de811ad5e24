// `backtest`: what would have been raised over a file of readings, for tuning a threshold and for research.

import type { Command } from 'commander';
import { type BacktestRules, DEFAULT_RULES } from '../domain/backtest-rules.ts';
import type { Settings } from '../settings/settings.ts';
import { hintOf } from './ask.ts';
import { addCommand, option } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { badSpan } from './intervals.ts';
import { journalReadings, NoReadings, ownRules } from './journal-readings.ts';
import type { Backtesting, Desk, Io, Manner, Parts } from './parts.ts';
import { fail, failHeard } from './say.ts';
import { sayProblems, settingsOf } from './settings-file.ts';

export interface BacktestRequest {
  readonly readings?: string | undefined;
  /** The settings of a collector whose journal is taken instead of a file. */
  readonly config?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly meter?: string | undefined;
  readonly rules?: string | undefined;
  readonly intervals?: boolean | undefined;
}

/** Lines are written in portions of so many characters. */
const PORTION = 65_536;
/** A longer line without an end is not read on: the file is no NDJSON. */
const LINE_CHARS_MAX = 1_000_000;
/** Progress is told after so many readings. */
const PROGRESS = 1_000_000;

export function addBacktest(program: Command, desk: Desk): void {
  const { manner, io, parts, done } = desk;
  const command = addCommand(program, desk, {
    ...{ spec: 'backtest', key: 'c_backtest', example: 'backtest --readings readings.ndjson' },
  });
  option(command, desk, '--readings <file>', 'o_readings');
  option(command, desk, '--config <file>', 'o_bt_config');
  option(command, desk, '--from <time>', 'o_bt_from');
  option(command, desk, '--to <time>', 'o_to_hour');
  option(command, desk, '--meter <meter>', 'o_bt_meter');
  option(command, desk, '--rules <file>', 'o_rules');
  option(command, desk, '--intervals', 'o_bt_intervals');
  command.action(async (request) => done(await backtest(request, manner, io, parts)));
}

/** 0 when every line was taken, 2 with the number of the first that could not be, 3 for rules with problems. */
export async function backtest(
  request: BacktestRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const source = await sourceOf(request, manner, io, parts);
  if ('exit' in source) return source.exit;
  const rules = await rulesOf(request.rules, source.rules, manner, io, parts);
  if ('exit' in rules) return rules.exit;
  const run = new Run(rules.rules, request.intervals === true, manner, io, parts);
  const told = { ...manner, json: false };
  try {
    const bad = await run.all(source.text);
    if (bad === null) {
      run.sayWhatWasDone();
      return EXIT.ok;
    }
    const hint = manner.say('cli.bt_hint');
    const message = manner.say('cli.bt_bad_line', { name: source.name, bad });
    return fail(io, told, { code: 'backtest.line', message, hint }, EXIT.usage);
  } catch (error) {
    if (!(error instanceof NoReadings)) throw error;
    const { refusal } = error;
    const own = source.settings ? hintOf(refusal.code, source.settings, manner) : '';
    return failHeard(io, told, { ...refusal, hint: refusal.hint || own });
  }
}

interface Source {
  readonly name: string;
  readonly text: AsyncIterable<string>;
  /** By which it is judged where no other rules are given. */
  readonly rules: BacktestRules;
  /** Of the collector whose journal it is. */
  readonly settings?: Settings;
}

/** A file, or the journal of the collector with these settings. */
async function sourceOf(
  request: BacktestRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<Source | { exit: number }> {
  const { readings, config, meter } = request;
  const { say } = manner;
  const usage = (message: string, hint: string) => ({
    exit: fail(io, manner, { code: 'usage.source', message, hint }, EXIT.usage),
  });
  if ((readings === undefined) === (config === undefined)) {
    return usage(say('cli.bt_one'), say('cli.bt_one_hint'));
  }
  if (readings !== undefined) {
    if ([request.from, request.to, meter].some((said) => said !== undefined)) {
      return usage(say('cli.bt_span'), say('cli.bt_span_hint'));
    }
    return { name: readings, text: parts.readText(readings), rules: DEFAULT_RULES };
  }
  const bad = badSpan(request, manner, io);
  if (bad !== null) return { exit: bad };
  const [from, to] = [request.from, request.to].map((said) =>
    said === undefined ? undefined : Date.parse(said),
  );
  const loaded = await settingsOf(config ?? '', manner, io, parts);
  if ('exit' in loaded) return loaded;
  const { settings } = loaded;
  const text = journalReadings(settings, { from, to, meter }, parts);
  return { name: say('cli.bt_journal'), text, rules: ownRules(settings), settings };
}

async function rulesOf(
  file: string | undefined,
  otherwise: BacktestRules,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ rules: BacktestRules } | { exit: number }> {
  if (file === undefined) return { rules: otherwise };
  const checked = await parts.loadBacktestRules(file);
  if (checked.ok) return checked;
  const { problems } = checked;
  if (!manner.json) sayProblems(problems, manner, io);
  const message = manner.say('cli.bt_rules_bad', { file });
  const failure = { code: 'config.invalid', message, hint: '', more: { problems } };
  return { exit: fail(io, manner, failure, EXIT.settings) };
}

/** One pass over the text. */
class Run {
  readonly #backtest: Backtesting;
  readonly #manner: Manner;
  readonly #io: Io;
  readonly #parts: Parts;
  #portion = '';
  #line = 0;
  #told = PROGRESS;

  constructor(rules: BacktestRules, intervals: boolean, manner: Manner, io: Io, parts: Parts) {
    this.#manner = manner;
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
      if (rest.length > LINE_CHARS_MAX)
        return await this.#stop(this.#at(this.#manner.say('cli.bt_endless')));
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
    return this.#manner.say('cli.bt_line', { line: this.#line, wrong: this.#manner.hear(wrong) });
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
    if (this.#io.isTTY) this.sayWhatWasDone();
  }

  sayWhatWasDone(): void {
    const { readings, meters, events } = this.#backtest;
    this.#io.err(`${this.#manner.say('cli.bt_done', { readings, meters, events })}\n`);
  }
}
