// What the commands of the command line are given: where they write, and what only the process edge can do.

import type { CommandAnswer, Commands, ScanRun } from '../boundaries.ts';
import type { BacktestRules } from '../domain/backtest-rules.ts';
import type { Result } from '../domain/fault.ts';
import type { ScanWish } from '../domain/scan.ts';
import type { Catalogue, Language, Say } from '../domain/words.ts';
import type { CheckedRules } from '../settings/backtest-rules.ts';
import type { Checked } from '../settings/check-settings.ts';
import type { ScanTarget, Settings } from '../settings/settings.ts';
import type { Tried } from '../settings/try-profile.ts';

/** Output goes to `out` and nothing else does; messages for people go to `err`. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** True when a person looks at both. */
  readonly isTTY: boolean;
  /** True when a person can answer: standard input is a terminal too. */
  readonly hasKeyboard: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A text file that is being written. */
export interface TextFile {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** A collector at work. `stopped` resolves when it has ended, asked for or not; absent, it never ends by itself. */
export interface RunningCollector {
  readonly stopped?: Promise<void>;
  stop(): Promise<void>;
  /** Takes in the settings file as it is now, for who is named; it tells by itself what came of it. */
  reload?(by: string): Promise<unknown>;
}

/** Readings judged line by line. */
export interface Backtesting {
  readonly readings: number;
  readonly meters: number;
  readonly events: number;
  /** What is wrong with the line, or null. */
  take(line: string): string | null;
}

/** The machine on which the collector is to be a service. */
export interface Host {
  /** Node's program, and the collector's. */
  readonly node: string;
  readonly program: string;
  /** The commented settings file that is shipped. */
  readonly example: string;
  readonly runsSystemd: boolean;
  /** Writes a file with its folders; false where `keep` and it is there. Rejects as the operating system does. */
  place(path: string, text: string, mode: number, keep: boolean): Promise<boolean>;
  /** True when there is a file of that name. */
  has(path: string): Promise<boolean>;
  /** Makes a folder with those above it, unless it is there. Rejects as the operating system does. */
  folder(path: string, mode: number): Promise<void>;
  /** What keeps this user from a journal in that folder for good; null where nothing does. Never rejects. */
  folderTrouble(
    path: string,
  ): Promise<{ readonly why: 'denied' | 'foreign' | 'file'; readonly path: string } | null>;
  /** Serial ports that are plugged in, by names that outlast a restart where there are such. */
  ports(): Promise<readonly string[]>;
  /** Runs a tool to its end and resolves to its exit code. */
  run(tool: string, args: readonly string[]): Promise<number>;
}

/** The accounts of the console; every change is written when it resolves good. */
export interface Accounts {
  list(): Promise<CommandAnswer>;
  add(wish: { readonly user: string; readonly role: string }): Promise<CommandAnswer>;
  setPassword(user: string, password: string): Promise<CommandAnswer>;
  reset(user: string): Promise<CommandAnswer>;
  remove(user: string): Promise<CommandAnswer>;
  /** A one-time code that lets a user in; without one the code that makes the first user. */
  code(user?: string): Promise<CommandAnswer>;
  listTokens(): Promise<CommandAnswer>;
  createToken(wish: {
    readonly name: string;
    readonly role: string;
    readonly by: string;
    readonly owner: string | null;
  }): Promise<CommandAnswer>;
  revokeToken(id: string): Promise<CommandAnswer>;
}

/** Programs of the simulator, which start as processes of their own. */
export const PROGRAMS = ['sim', 'demo', 'headend', 'conformance'] as const;
export type Program = (typeof PROGRAMS)[number];

export interface Parts {
  readonly version: string;
  /** Every sentence of this program, by language. */
  readonly catalogues: Readonly<Record<Language, Catalogue>>;
  /** The settings file where none is named, and whether it is there. */
  readonly settingsFile: { readonly path: string; readonly isThere: boolean };
  /** Asks the person at the terminal; null when there will be no answer (Ctrl-C, Ctrl-D). A secret is not shown. */
  prompt(question: string, how?: { readonly isSecret: boolean }): Promise<string | null>;
  /** Users and tokens of the console of these settings, whether the collector runs or not. */
  accounts(settings: Settings): Promise<Accounts>;
  /** Where the console of these settings is, and what its certificate shows (SHA-256); null: there is none. */
  wayIn(
    settings: Settings,
  ): Promise<{ readonly url: string; readonly fingerprint: string | null } | null>;
  /** A text as a QR code of half blocks, for a terminal. */
  qr(text: string): Promise<string>;
  loadSettings(file: string): Promise<Checked>;
  /** What the profile of that name makes of one answer, given as text or as bytes. */
  tryProfile(name: string, answer: string | Uint8Array): Promise<Tried>;
  /** `file` is where the settings came from. */
  startCollector(settings: Settings, file: string): Promise<RunningCollector>;
  /** The commands of the daemon behind this control socket; `daemon.absent` when none listens there. */
  daemon(control: string): Commands;
  /** The commands of the settings over their file alone, while no daemon runs on it. */
  settingsCommands(file: string): Commands;
  /** The same commands over the journal of a daemon that is not running. */
  openJournal(settings: Settings): Promise<Result<Commands & { close(): Promise<void> }>>;
  /** Puts what a backup holds in the journal's place, while no collector runs. */
  restoreJournal(settings: Settings, file: string, force: boolean): Promise<CommandAnswer>;
  /** A request for this collector's certificate, for the key that is there or for a new one. */
  requestCertificate(settings: Settings, isNew: boolean): Promise<CommandAnswer>;
  /** Puts the certificate that came in its place. */
  takeCertificate(settings: Settings, text: string): Promise<CommandAnswer>;
  /** One connection to the broker, beside the running collector's. */
  tryUpstream(settings: Settings): Promise<CommandAnswer>;
  /** Calls `act` again and again, `ms` apart; returns how to stop it. */
  every(ms: number, act: () => void): () => void;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** Writes `text` compressed (RFC 1952), for its owner alone. Rejects as the operating system does. */
  writeGzip(path: string, text: string): Promise<void>;
  /** The JSON Schema of the settings. */
  schemaText(): Promise<string>;
  /** What this program runs on: Node, system, processor. */
  readonly versions: Readonly<Record<string, string>>;
  /** The rules of a backtest, or all problems of their file. */
  loadBacktestRules(file: string): Promise<CheckedRules>;
  beginBacktest(options: {
    readonly rules: BacktestRules;
    readonly intervals: boolean;
    readonly write: (line: string) => void;
  }): Backtesting;
  /** A file's text (of standard input for `-`), piece by piece. Rejects as node:fs does. */
  readText(file: string): AsyncIterable<string>;
  /** Resolves when standard output has taken what was written to it. */
  drained(): Promise<void>;
  /** A scan that this process makes, which has not begun; in words what is wrong with the wish. */
  openScan(
    target: ScanTarget,
    wish: ScanWish,
  ): Promise<{ readonly run: ScanRun } | { readonly problem: string }>;
  /** A new file at `path`, in place of one that is there. Rejects as the operating system does. */
  createFile(path: string): Promise<TextFile>;
  readonly host: Host;
  /** Runs a program, with `env` beside the environment of this process, to its end and resolves to its exit code. */
  runProgram(
    program: Program,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<number>;
  /** Calls `listener` each time somebody asks this process to stop; returns how to stop listening. */
  onStop(listener: () => void): () => void;
  /** Calls `listener` each time somebody says that the settings have changed; returns how to stop listening. */
  onReload?(listener: () => void): () => void;
}

/** How this session wants to be spoken to: options that every command understands, and the language. */
export interface Manner {
  readonly json: boolean;
  /** Tables as lines of fields with tabs between them. */
  readonly plain: boolean;
  readonly color: boolean;
  /** Questions may be put to the person at the terminal. */
  readonly asks: boolean;
  readonly language: Language;
  readonly say: Say;
  /** What the collector or a file's check says in English, in this language. */
  readonly hear: (sentence: string) => string;
}

/** What every command is given, and where its exit code goes. */
export interface Desk {
  readonly manner: Manner;
  readonly io: Io;
  readonly parts: Parts;
  done(exit: number): void;
}
