// What the console is given: the collector's commands and its own outside, and what a request carries along.

import type {
  Caller,
  Clock,
  CommandAnswer,
  Commands,
  Log,
  PageFiles,
  Secrets,
  SharedText,
} from '../boundaries.ts';
import type { Accounts } from './accounts.ts';
import type { Account } from './book.ts';
import type { HostNames } from './guards.ts';
import type { LiveEvents } from './live.ts';
import type { Role } from './roles.ts';
import type { Scrambler } from './scrambler.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';

/** What the collector lends to its console. */
export interface Inside {
  readonly collector: string;
  readonly version: string;
  readonly commands: Commands;
  /** Tells an event of the collector (E2), and has it written. */
  readonly tell: (event: ConsoleEvent) => Promise<void>;
  /** The journal as `restore` takes it, line by line. */
  readonly backup: () => AsyncIterable<string>;
}

export interface ConsoleEvent {
  readonly code: 'command.executed' | 'login.failed';
  readonly severity: 'info' | 'minor';
  readonly data: Readonly<Record<string, string | number | null>>;
}

/** The console's own outside. */
export interface Outside {
  readonly accounts: Accounts;
  /** Where sessions outlive a restart. */
  readonly sessionFile: SharedText;
  readonly secrets: Secrets;
  /** The wire's. */
  readonly clock: Clock;
  readonly log: Log;
  readonly pages: PageFiles;
  readonly hosts: HostNames;
}

/** What the routes work with. */
export interface Desk extends Inside, Outside {
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly scrambler: Scrambler;
  readonly live: LiveEvents;
}

/** Somebody who has proved who they are, by a session or by a token. */
export interface Person {
  readonly name: string;
  readonly role: Role;
  /** The account whose rights these are; null: the command line's, where a token was made there. */
  readonly owner: string | null;
  /** The token's; two may have one name. */
  readonly token?: string;
  readonly session?: { readonly session: Session; readonly account: Account };
}

/** A request that may be answered. */
export interface Asked {
  readonly desk: Desk;
  readonly request: Request;
  readonly url: URL;
  readonly caller: Caller;
  readonly person: Person | undefined;
  /** Parts of the path that the route names. */
  readonly params: Readonly<Record<string, string>>;
  /** The JSON body; empty where there is none. */
  readonly args: Readonly<Record<string, unknown>>;
}

export type Answering = (asked: Asked) => Promise<Response> | Response;

export type { CommandAnswer };
