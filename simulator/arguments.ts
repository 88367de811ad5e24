// What the command lines of the simulator's programs share: numbers in range, broker URLs, and complaints in the form asked for.

import { type Command, CommanderError, InvalidArgumentError } from 'commander';

/** Exit codes every program shares: all well, failed, wrong command line, broker not reachable, ended by Ctrl-C. */
export const OK = 0;
export const FAILED = 1;
export const USAGE = 2;
export const UPSTREAM = 5;
export const INTERRUPTED = 130;

/** A parser for a number from `low` to `high`, whole unless `fraction`. */
export function numeric(low: number, high: number, fraction = false): (text: string) => number {
  return (text) => {
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (!(number >= low && number <= high) || !(fraction || Number.isInteger(number))) {
      const kind = fraction ? 'number' : 'whole number';
      throw new InvalidArgumentError(`It is a ${kind} from ${low} to ${high}.`);
    }
    return number;
  };
}

/**
 * A parser for a day or an instant; returns epoch ms. It says its zone: the same words are the same water on every machine.
 */
export function instant(text: string): number {
  const form = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;
  const at = form.test(text) ? Date.parse(text) : Number.NaN;
  // Node takes the 30th of February for the 2nd of March.
  const isDay = new Date(`${text.slice(0, 10)}T00:00Z`).toJSON()?.startsWith(text.slice(0, 10));
  if (Number.isNaN(at) || !isDay) {
    throw new InvalidArgumentError('It is a time like 2026-06-01T00:00:00Z.');
  }
  return at;
}

/** A word as it is typed at a shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A parser for the URL of a broker. */
export function brokerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['mqtt:', 'mqtts:'].includes(url.protocol) || url.hostname === '') {
    throw new InvalidArgumentError('It is a URL like mqtt://127.0.0.1:1883.');
  }
  return text;
}

/** A parser for one identifier of a topic (contract.md, Topics). */
export function identifier(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(text)) {
    throw new InvalidArgumentError('It has 1 to 40 letters, digits, hyphens and underscores.');
  }
  return text;
}

/** Tells of a failure in words on standard error, or as the JSON line that every command prints. */
export function complain(json: boolean, code: string, message: string, hint: string): void {
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else process.stderr.write(`error: ${message}\n${hint}\n`);
}

/** The first option of `needs` that was said without the one it needs, in words: nobody is to rely on what is passed over. */
export function idle(
  program: Command,
  needs: Readonly<Record<string, string>>,
): string | undefined {
  const said = (name: string) => program.getOptionValueSource(name) === 'cli';
  for (const [name, other] of Object.entries(needs)) {
    if (said(name) && !said(other)) return `${flag(program, name)} needs ${flag(program, other)}.`;
  }
  return undefined;
}

/** The first of `names` that was said, in words, as one that does nothing beside `other`. */
export function beside(
  program: Command,
  names: readonly string[],
  other: string,
): string | undefined {
  const name = names.find((one) => program.getOptionValueSource(one) === 'cli');
  if (name === undefined) return undefined;
  return `${flag(program, name)} does nothing beside ${flag(program, other)}.`;
}

/** How an option is written, by the name of its value. */
function flag(program: Command, name: string): string {
  return program.options.find((one) => one.attributeName() === name)?.long ?? `--${name}`;
}

/**
 * The options of `argv`, or the exit code when it asks for help or is wrong, which has been said then. `strange` says in
 * words what is wrong with options that are well formed.
 */
export function parseOptions<T extends object>(
  program: Command,
  argv: readonly string[],
  strange: (options: T) => string | undefined = () => undefined,
): T | number {
  program
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  const refuse = (message: string) => {
    complain(argv.includes('--json'), 'bad_request', message, `See: ${program.name()} --help`);
    return USAGE;
  };
  try {
    const options = program.parse(argv, { from: 'user' }).opts<T>();
    const wrong = strange(options);
    return wrong === undefined ? options : refuse(wrong);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? OK : refuse(error.message.replace(/^error: /, ''));
  }
}
