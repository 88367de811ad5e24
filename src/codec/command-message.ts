// A command of the head-end and its answer (contract, Commands): checked whole before any of it is believed.

import type { EpochMs } from '../domain/units.ts';
import { isoTime } from './head-end-message.ts';

/** A larger command is refused unread (C2). */
export const COMMAND_BYTES_MAX = 8 * 1024;
/** Names and ids are short; what is longer is no command of ours. */
const ID = /^[!-~]{1,64}$/;
const NAME = /^[a-z]{1,20}(\.[a-z]{1,20})?$/;
const BY_MAX = 80;

export interface Command {
  readonly id: string;
  readonly name: string;
  /** Who asks. */
  readonly by: string;
  /** After this instant it is not to be done any more; null: never too late. */
  readonly expires: EpochMs | null;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What is wrong with a command, and its id as far as it has one. */
export interface BadCommand {
  readonly id: string | null;
  readonly problem: string;
}

/** The command in `payload` of so many bytes, which came on the topic of `name`. */
export function readCommand(
  { payload, bytes }: { readonly payload: string; readonly bytes: number },
  name: string,
): Command | BadCommand {
  if (bytes > COMMAND_BYTES_MAX) {
    return { id: null, problem: `a command has at most ${COMMAND_BYTES_MAX} bytes` };
  }
  const said = objectIn(payload);
  if (said === undefined) return { id: null, problem: 'it is no JSON object' };
  const id = typeof said['id'] === 'string' && ID.test(said['id']) ? said['id'] : null;
  const problem = problemOf(said, name);
  if (id === null || problem !== null) return { id, problem: problem ?? 'its id is none' };
  const { by = '', expires, args = {} } = said;
  return {
    ...{ id, name, by: String(by) },
    expires: typeof expires === 'string' ? Date.parse(expires) : null,
    args: args as Command['args'],
  };
}

function problemOf(said: Readonly<Record<string, unknown>>, name: string): string | null {
  const { v, type, by = '', issued, expires, args = {} } = said;
  if (v !== 1 || type !== 'cmd') return 'it is no command of version 1';
  if (!NAME.test(name) || said['name'] !== name) return 'its name is not that of its topic';
  if (typeof by !== 'string' || by.length > BY_MAX) return `by is a text of at most ${BY_MAX}`;
  for (const time of [issued, expires]) {
    if (time !== undefined && (typeof time !== 'string' || Number.isNaN(Date.parse(time)))) {
      return 'issued and expires are ISO 8601 times';
    }
  }
  const isObject = typeof args === 'object' && args !== null && !Array.isArray(args);
  return isObject ? null : 'args is no object';
}

function objectIn(payload: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const said: unknown = JSON.parse(payload);
    if (typeof said !== 'object' || said === null || Array.isArray(said)) return undefined;
    return said as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** The answer to a command (C1): `code` is ok or says why not. */
export interface Answer {
  readonly id: string;
  readonly name: string;
  readonly status: 'done' | 'error';
  readonly code: string;
  readonly at: EpochMs;
  readonly data: unknown;
}

export function encodeAnswer({ id, name, status, code, at, data }: Answer): string {
  return JSON.stringify({ v: 1, type: 'rsp', id, name, status, code, at: isoTime(at), data });
}
