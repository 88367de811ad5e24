// The head-end's door to the command handlers: one command at a time, each id once, every one answered or refused (C1 to C4).

import { Bell } from '../bell.ts';
import type { Clock, CommandAnswer, Commands, InMessage, Journal, Log } from '../boundaries.ts';
import {
  type Answer,
  COMMAND_BYTES_MAX,
  type Command,
  type CommandCheck,
  nameOf,
  readCommand,
} from '../codec/command-message.ts';
import type { Evidence } from '../domain/alarms.ts';
import { sometimes } from '../sometimes.ts';

/** Commands that wait; a flood beyond them is dropped, counted and told, and slows no poll (C2). */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** After so many others have a turn: what is refused unanswered waits for nothing by itself. */
const BETWEEN_TURNS = 32;
/** Time of the wire between two lines of the log about what was refused. */
const TELL_MS = 60_000;

export interface CommandDoor {
  readonly commands: Commands;
  readonly journal: Journal;
  /** The schedule's clock. */
  readonly clock: Clock;
  readonly wire: Clock;
  readonly log: Log;
  /** What holds a message against the published schema; asked for when the first one comes. */
  readonly loadCheck: () => Promise<CommandCheck>;
  /** What the command of this name does here and whether the owner allows it (C3); undefined: there is none. */
  readonly known: (
    name: string,
  ) => { readonly does: string; readonly allowed: boolean; readonly isRead: boolean } | undefined;
  /** Publishes an answer, where the question asks for it or on `up/rsp`; resolves when the broker has it. */
  readonly answer: (answer: Answer, to: InMessage) => Promise<void>;
}

/** What an id came to, as it is kept. */
type Kept = Pick<Answer, 'name' | 'status' | 'code' | 'at' | 'data'> | { readonly begun: true };

/** Lives for the collector's life. */
export class CommandInbox {
  readonly #door: CommandDoor;
  readonly #waiting: {
    readonly message: InMessage;
    readonly name: string;
    readonly bytes: number;
  }[] = [];
  readonly #bell = new Bell();
  #bytes = 0;
  #refused = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(door: CommandDoor) {
    this.#door = door;
  }

  /** Takes a message on `dn/cmd/{name}`; returns at once. */
  take(message: InMessage, name: string): void {
    // What is too large is refused unread: it need not wait whole.
    const isLarge = message.bytes > COMMAND_BYTES_MAX;
    const kept = isLarge ? { ...message, payload: '' } : message;
    const bytes = isLarge ? 0 : message.bytes;
    if (this.#waiting.length >= WAITING_MAX || this.#bytes + bytes > WAITING_BYTES_MAX) {
      this.#tell('too many commands wait');
      return;
    }
    this.#bytes += bytes;
    this.#waiting.push({ message: kept, name, bytes });
    this.#bell.ring();
  }

  /** Does the commands, one after another, until `signal` aborts. */
  async work(signal: AbortSignal): Promise<void> {
    for (let done = 1; !signal.aborted; done += 1) {
      if (done % BETWEEN_TURNS === 0) await this.#door.wire.sleep(0, signal);
      const next = this.#waiting.shift();
      if (!next) {
        await this.#bell.wait(signal);
        continue;
      }
      this.#bytes -= next.bytes;
      const answer = await this.#judge(next.message, next.name);
      if (answer) await this.#door.answer(answer, next.message);
    }
  }

  async #judge(message: InMessage, name: string): Promise<Answer | undefined> {
    const command = readCommand(message, name, await this.#door.loadCheck());
    if ('problem' in command) {
      this.#tell(command.problem);
      // Nobody could tell whom an answer without an id is for, but where it is awaited.
      if (command.id === null && message.responseTopic === undefined) return undefined;
      return this.#error(command.id, nameOf(name), 'bad_request', command.problem);
    }
    if (message.retained)
      return this.#refuse(command, 'bad_request', 'a command is never retained');
    const kept = await this.#door.journal.keptAnswer(command.id);
    // Done anew it might be done twice.
    if (!kept.ok)
      return this.#refuse(command, 'internal', 'what it came to cannot be read; look first');
    if (kept.value !== undefined) return this.#repeat(command, JSON.parse(kept.value) as Kept);
    const { expires } = command;
    if (expires <= this.#door.clock.now()) {
      return this.#refuse(command, 'expired', 'its time is over');
    }
    const known = this.#door.known(name);
    if (!known) return this.#refuse(command, 'unknown_command', `there is no command ${name}`);
    if (!known.allowed) {
      return this.#refuse(command, 'forbidden', `the owner has not switched ${name} on`);
    }
    return this.#do(command, known);
  }

  /** What is to be done once is marked in the same group as its effect: after a cut nobody does it again. */
  async #do(
    command: Command,
    { does, isRead }: { readonly does: string; readonly isRead: boolean },
  ): Promise<Answer> {
    const { id, name, by, args } = command;
    const { journal, commands, clock } = this.#door;
    journal.keepAnswer(id, JSON.stringify({ begun: true } satisfies Kept), clock.now());
    const outcome = await this.#run(commands, does, { ...args, by: args['by'] ?? by });
    const answer = this.#answerOf(id, name, outcome);
    // C4: who did what.
    const data = { id, name, by, meter: textOf(args['meter']), code: answer.code };
    if (!isRead) journal.note({ code: 'command.executed', severity: 'info', data });
    const { id: _, ...kept } = answer;
    journal.keepAnswer(id, JSON.stringify(kept satisfies Kept), clock.now());
    if (isRead) return answer;
    // What was done is told as done when who did it is on the medium: else a cut leaves the deed without its event (C4).
    const written = await journal.flush();
    if (written.ok) return answer;
    return this.#error(id, name, 'internal', 'its end could not be written; look first');
  }

  async #run(commands: Commands, does: string, args: Command['args']): Promise<CommandAnswer> {
    try {
      return await commands.run(does, args);
    } catch (bug) {
      this.#door.log.error({ does, error: String(bug) }, 'a command failed');
      return { ok: false, code: 'internal', message: 'the command failed', hint: '' };
    }
  }

  #answerOf(id: string, name: string, outcome: CommandAnswer): Answer {
    const at = this.#door.clock.now();
    if (outcome.ok) return { id, name, status: 'done', code: 'ok', at, data: outcome.data };
    const { message, hint } = outcome;
    const data = { message, hint };
    return { id, name, status: 'error', code: contractCode(outcome.code), at, data };
  }

  #repeat({ id, name }: Command, kept: Kept): Answer {
    if ('begun' in kept) {
      sometimes('command: one was begun and its end is not known');
      return this.#error(id, name, 'internal', 'it was begun and its end is not known; look first');
    }
    if (kept.name !== name)
      return this.#error(id, name, 'conflict', `the id was that of ${kept.name}`);
    sometimes('command: an id was answered again');
    return { id, ...kept };
  }

  #refuse({ id, name, by }: Command, code: string, problem: string): Answer {
    this.#tell(problem, { id, name, by });
    return this.#error(id, name, code, problem);
  }

  #error(id: string | null, name: string | null, code: string, message: string): Answer {
    const at = this.#door.clock.now();
    return { id, name, status: 'error', code, at, data: { message } };
  }

  /** A flood of refusals is one line, and one event, a minute. */
  #tell(why: string, of: Evidence = {}): void {
    this.#refused += 1;
    sometimes('command: one was refused');
    const now = this.#door.wire.monotonicMs();
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    const data = { ...of, why, refused: this.#refused };
    this.#door.log.warn(data, 'commands were refused');
    this.#door.journal.note({ code: 'command.refused', severity: 'minor', data });
    this.#refused = 0;
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value.slice(0, 40) : null);

/** Codes of C1. */
const CODES: ReadonlySet<string> = new Set([
  ...['ok', 'bad_request', 'unknown_command', 'unknown_meter', 'expired', 'busy', 'forbidden'],
  ...['conflict', 'no_answer', 'verify_failed', 'internal'],
]);

function contractCode(code: string): string {
  return CODES.has(code) ? code : 'internal';
}
