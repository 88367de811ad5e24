// A command of the head-end and its answer (contract, Commands): checked whole before any of it is believed.

import type { EpochMs } from '../domain/units.ts';
import { isoTime } from './head-end-message.ts';
import { readInstant } from './instant.ts';

/** A larger command is refused unread (C2). */
export const COMMAND_BYTES_MAX = 8 * 1024;
/** As in cmd.schema.json: only what keeps to these may stand in an answer. */
const ID = /^[A-Za-z0-9_.-]{1,64}$/;
const NAME = /^[a-z]+(\.[a-z_]+)*$/;
const NAME_MAX = 40;

/** Says in words what keeps a message from being a command by the published schema; null for nothing. */
export type CommandCheck = (said: unknown) => string | null;

export interface Command {
  readonly id: string;
  readonly name: string;
  /** Who asks. */
  readonly by: string;
  /** After this instant it is not to be done any more. */
  readonly expires: EpochMs;
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
  check: CommandCheck,
): Command | BadCommand {
  if (bytes > COMMAND_BYTES_MAX) {
    return { id: null, problem: `a command has at most ${COMMAND_BYTES_MAX} bytes` };
  }
  const said = objectIn(payload);
  if (said === undefined) return { id: null, problem: 'it is no JSON object' };
  const id = typeof said['id'] === 'string' && ID.test(said['id']) ? said['id'] : null;
  const problem = check(said);
  if (id === null || problem !== null) return { id, problem: problem ?? 'its id is none' };
  if (said['name'] !== name) return { id, problem: 'its name is not that of its topic' };
  const expires = readInstant(said['expires']);
  if (Number.isNaN(expires)) return { id, problem: 'it expires at no time' };
  return { id, name, by: String(said['by']), expires, args: said['args'] as Command['args'] };
}

/** The name of a topic as an answer may carry it. */
export function nameOf(name: string): string | null {
  return name.length <= NAME_MAX && NAME.test(name) ? name : null;
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
  /** Null where none could be read. */
  readonly id: string | null;
  readonly name: string | null;
  readonly status: 'done' | 'error';
  readonly code: string;
  readonly at: EpochMs;
  readonly data: unknown;
}

export function encodeAnswer({ id, name, status, code, at, data }: Answer): string {
  return JSON.stringify({ v: 1, type: 'rsp', id, name, status, code, at: isoTime(at), data });
}
