// The daemon's log: one JSON object a line through pino, without secrets, never in the way of the work.

import { pino } from 'pino';
import type { Log } from '../boundaries.ts';
import { writeBehind } from './write-behind.ts';

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

export interface PinoLogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** File descriptor (1 standard output, the default; 2 standard error), or something that takes the lines. */
  readonly destination?: 1 | 2 | { write(line: string): void };
}

/** A log whose level can be changed while it is written. */
export interface LeveledLog extends Log {
  setLevel(level: PinoLogOptions['level']): void;
}

/** A log that writes `{"level","time",...fields,"msg"}` lines; `time` is ISO 8601 UTC of the system's clock. */
export function createPinoLog({ level, destination = 1 }: PinoLogOptions): LeveledLog {
  // Not pino's own destination: at the exit it tries a closed pipe again and again and never ends (sonic-boom 4).
  const stream =
    typeof destination === 'number' ? writeBehind(destination, UNREAD_MAX) : destination;
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
