// The command line of the demo and the head-end: numbers in range, broker URLs, and complaints in the form asked for.

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

/** The options of `argv`, or the exit code when it asks for help or is wrong, which has been said then. */
export function parseOptions<T extends object>(
  program: Command,
  argv: readonly string[],
): T | number {
  program
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  try {
    return program.parse(argv, { from: 'user' }).opts<T>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return OK;
    const message = error.message.replace(/^error: /, '');
    complain(argv.includes('--json'), 'bad_request', message, `See: ${program.name()} --help`);
    return USAGE;
  }
}
