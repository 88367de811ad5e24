// How much one person may do at once and in a minute: each act is an event in the journal or a write to a flash card.

import { ACTS_PER_MINUTE, COMMANDS_AT_ONCE, FILES_AT_ONCE } from './limits.ts';
import type { Answering, Desk } from './parts.ts';
import { refusal, refuse } from './refusals.ts';

interface Busy {
  commands: number;
  files: number;
  /** When what this person changed was changed, of the last minute. */
  acts: number[];
}
const BUSY = new WeakMap<Desk, Map<string, Busy>>();

function busyOf(desk: Desk, name: string): Busy {
  const all = BUSY.get(desk) ?? new Map<string, Busy>();
  BUSY.set(desk, all);
  const found = all.get(name) ?? { commands: 0, files: 0, acts: [] };
  all.set(name, found);
  return found;
}

const ACTS = refusal(429, 'busy', 'Too many changes in a minute.', 'Wait.', 10);
const COMMANDS = refusal(429, 'busy', 'Too many commands at once.', 'Wait for one.', 1);
const FILES = refusal(429, 'busy', 'Too many files at once.', 'Wait for one.', 5);

/** The refusal where this person has done too much in the last minute; else null, and one act more is counted. */
export function tooOften(desk: Desk, name: string): Response | null {
  const busy = busyOf(desk, name);
  const now = desk.clock.monotonicMs();
  busy.acts = busy.acts.filter((at) => now - at < 60_000);
  if (busy.acts.length >= ACTS_PER_MINUTE) return refuse(ACTS);
  busy.acts.push(now);
  return null;
}

/** `handle`, as one act of who asks. */
export const acting =
  (handle: Answering): Answering =>
  (asked) =>
    (asked.person && tooOften(asked.desk, asked.person.name)) ?? handle(asked);

/** Takes a place for a command or a file; the answer gives it back, which counts once. The refusal where none is free. */
export function placeFor(
  desk: Desk,
  name: string,
  kind: 'commands' | 'files',
): Response | (() => void) {
  const busy = busyOf(desk, name);
  const [most, no] = kind === 'files' ? [FILES_AT_ONCE, FILES] : [COMMANDS_AT_ONCE, COMMANDS];
  if (busy[kind] >= most) return refuse(no);
  busy[kind] += 1;
  let isFree = false;
  return () => {
    if (isFree) return;
    isFree = true;
    busy[kind] -= 1;
  };
}
