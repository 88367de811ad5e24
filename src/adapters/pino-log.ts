// The daemon's log: one JSON object a line through pino, without secrets, never in the way of the work.

import { fstatSync } from 'node:fs';
import { pino } from 'pino';
import type { Log } from '../boundaries.ts';
import { writeBehind } from './write-behind.ts';

const STDOUT = 1;

/**
 * Characters kept for a reader of the log that has stopped reading; what comes beyond is dropped.
 * About 4,000 lines: the meters go on being read whatever journald does.
 */
const UNREAD_MAX = 1024 * 1024;

/** Keys whose content is never shown, at the top of the fields or up to two levels down. */
const SECRETS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'credentials',
  'authorization',
  'privateKey',
  'private_key',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** Priorities of syslog(3), which journald takes from the beginning of a line (sd-daemon(3)). */
const PRIORITIES: Readonly<Record<string, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** Lines begin so, and their level follows. */
const LEVEL_AT = '{"level":"'.length;

/** Whether standard output goes to journald (systemd.exec(5), JOURNAL_STREAM): to that very device and file. */
export function goesToJournald(env: Readonly<Record<string, string | undefined>>): boolean {
  try {
    const { dev, ino } = fstatSync(STDOUT, { bigint: true });
    return env['JOURNAL_STREAM'] === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

export interface PinoLogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** What takes the lines; standard output unless said otherwise. */
  readonly destination?: { write(line: string): void };
  /** Puts `<priority>` before each line, as journald understands it. */
  readonly prioritized?: boolean;
}

/** A log whose level can be changed while it is written. */
export interface LeveledLog extends Log {
  setLevel(level: PinoLogOptions['level']): void;
}

/** A log that writes `{"level","time",...fields,"msg"}` lines; `time` is ISO 8601 UTC of the system's clock. */
export function createPinoLog({
  level,
  // Not pino's own: at the exit it tries a closed pipe again and again and never ends (sonic-boom 4).
  destination = writeBehind(STDOUT, UNREAD_MAX),
  prioritized = false,
}: PinoLogOptions): LeveledLog {
  const stream = prioritized ? withPriority(destination) : destination;
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS, censor: '[redacted]' },
    },
    stream,
  );
  return {
    setLevel: (next) => {
      log.level = next;
    },
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}

function withPriority(stream: { write(line: string): void }): { write(line: string): void } {
  return {
    write(line) {
      const level = line.slice(LEVEL_AT, line.indexOf('"', LEVEL_AT));
      stream.write(`<${PRIORITIES[level] ?? PRIORITIES['info']}>${line}`);
    },
  };
}
