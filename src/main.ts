#!/usr/bin/env node
// The process edge: arguments, signals, streams and the exit code; everything else is given to the command line.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants, release } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callCommands } from './adapters/control-socket.ts';
import { newFileError } from './adapters/file-words.ts';
import { createHost } from './adapters/host.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { promptAtTerminal } from './adapters/terminal-prompt.ts';
import { readPieces, writeGzip } from './adapters/text-file.ts';
import { clearHeap, keepHeapSmall } from './adapters/v8-heap.ts';
import { runCli } from './cli/cli.ts';
import { EXIT } from './cli/exit-codes.ts';
import { globalsOf } from './cli/globals.ts';
import type { Io, Parts, TextFile } from './cli/parts.ts';
import { SERVICE } from './cli/unit.ts';
import { Backtest } from './codec/backtest.ts';
import type { Catalogue } from './domain/words.ts';
import { apart } from './settings/apart.ts';

/** npm passes on the Ctrl-C that the terminal has sent already: two in one breath are one wish. */
const ONE_WISH_MS = 500;

const here = fileURLToPath(import.meta.url);
const root = packageRoot(dirname(here));
const version = packageVersion(root);
const clock = createSystemClock();

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTTY: process.stdout.isTTY === true && process.stderr.isTTY === true,
  hasKeyboard: process.stdin.isTTY === true,
  env: process.env,
};

// A demo's collector goes with the demo, which holds the other end of this channel; a collector that a process manager has
// started in the same way goes on without it.
if (process.env['METER_COLLECTOR_LEASH'] === '1') {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}

/** The daemon stays for years with what it has once taken in. */
const stays = process.argv[2] === 'run';
if (stays) void clearHeap(clock, new AbortController().signal);

// Each is loaded by the command that needs it: `status` needs no journal, the daemon no parser of settings.
const parts: Parts = {
  version,
  catalogues: { en: catalogue('en'), es: catalogue('es') },
  settingsFile: usualSettings(),
  prompt: (question, { isSecret } = { isSecret: false }) =>
    promptAtTerminal(question, { input: process.stdin, output: process.stderr, isSecret }),
  accounts: async (settings) => (await import('./web-console.ts')).openAccounts(settings),
  wayIn: async (settings) => (await import('./web-console.ts')).wayIn(settings),
  qr: async (text) => (await import('./adapters/qr-code.ts')).qrText(text),
  pause: (ms, signal) => clock.sleep(ms, signal),
  writeGzip,
  schemaText: async () => readFileSync(join(root, 'config/settings.schema.json'), 'utf8'),
  versions: {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    system: release(),
  },
  loadSettings: async (file) => {
    if (stays) return apart.load({ file, root });
    return (await import('./settings/load-settings.ts')).loadSettings({ file, root });
  },
  tryProfile: async (name, answer) =>
    (await import('./settings/try-profile.ts')).tryProfile({ root, name, answer }),
  startCollector: async (settings, file) => {
    keepHeapSmall(settings.meters.reduce((sum, { pollS }) => sum + 1 / pollS, 0));
    return (await import('./daemon.ts')).startCollector(settings, {
      root,
      version,
      file: resolve(file),
      env: process.env,
    });
  },
  daemon: callCommands,
  settingsCommands: (file) => ({
    run: async (name, args) =>
      (await import('./offline.ts')).runOnFile(resolve(file), root, name, args),
  }),
  openJournal: async (settings) =>
    (await import('./offline.ts')).openJournalOffline(settings, root),
  requestCertificate: async (...asked) =>
    (await import('./adapters/enrolment.ts')).requestCertificate(...asked),
  takeCertificate: async (settings, text) =>
    (await import('./adapters/enrolment.ts')).takeCertificate(settings, text, clock.now()),
  tryUpstream: async (settings) =>
    (await import('./adapters/upstream-trial.ts')).tryUpstream(settings, clock),
  restoreJournal: async (...asked) => (await import('./offline.ts')).restoreJournal(...asked),
  every(ms, act) {
    const over = new AbortController();
    const run = async () => {
      for (;;) {
        await clock.sleep(ms, over.signal);
        if (over.signal.aborted) return;
        act();
      }
    };
    void run();
    return () => over.abort('over');
  },
  loadBacktestRules: async (file) =>
    (await import('./settings/backtest-rules.ts')).loadBacktestRules({ file, root }),
  beginBacktest: (options) => new Backtest(options),
  readText,
  drained,
  openScan: async (target, wish) => {
    const { tasks } = await import('./settings/apart-tasks.ts');
    const profiles = () => tasks.profiles({ root });
    return (await import('./scanning.ts')).openScan(target, wish, { profiles });
  },
  createFile,
  host: createHost(here, () => readFileSync(join(root, 'config/field.yaml'), 'utf8')),
  runProgram,
  onStop: (listener) => onSignals(['SIGINT', 'SIGTERM'], listener),
  onReload: (listener) => onSignals(['SIGHUP'], listener, 0),
};

async function createFile(path: string): Promise<TextFile> {
  const file = await open(path, 'w').catch((cause: unknown) => {
    throw newFileError(cause, path);
  });
  return {
    write: async (text) => {
      await file.appendFile(text);
    },
    close: () => file.close(),
  };
}

/** The folder with package.json above both src/ and dist/src/. */
function packageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json is missing above the program');
  return packageRoot(parent);
}

function catalogue(language: string): Catalogue {
  return JSON.parse(
    readFileSync(join(root, `config/locales/${language}.json`), 'utf8'),
  ) as Catalogue;
}

/** Where the settings are when nobody says: as the environment has it, else here, else the service's. */
function usualSettings(): Parts['settingsFile'] {
  const named = process.env['METER_COLLECTOR_CONFIG'];
  const service = `/etc/${SERVICE}/settings.yaml`;
  const here = './settings.yaml';
  const path = named || (existsSync(here) ? here : service);
  return { path, isThere: existsSync(path) };
}

function packageVersion(folder: string): string {
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function readText(file: string): AsyncIterable<string> {
  if (file !== '-') return readPieces(file);
  process.stdin.setEncoding('utf8');
  return process.stdin as AsyncIterable<unknown> as AsyncIterable<string>;
}

/** Resolves when standard output has room again; when its reader has gone, the process ends anyway. */
function drained(): Promise<void> {
  if (!process.stdout.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}

/** Calls `listener` for each wish to stop. */
function onSignals(
  signals: readonly NodeJS.Signals[],
  listener: (signal: NodeJS.Signals) => void,
  oneWishMs = ONE_WISH_MS,
): () => void {
  let before = Number.NEGATIVE_INFINITY;
  const heard = (signal: NodeJS.Signals) => {
    const now = clock.monotonicMs();
    if (now - before >= oneWishMs) listener(signal);
    before = now;
  };
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

/**
 * Starts simulator/main beside this program, passes signals on, and resolves to its exit code. Ctrl-C at a terminal
 * reaches it twice, from the terminal and from here; it takes two in one breath as one, as we do.
 */
function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const script = join(dirname(here), '..', 'simulator', `main${extname(here)}`);
  const child = spawn(process.execPath, [...process.execArgv, script, program, ...args], {
    // Over the channel nothing is said: its end tells the program that we are gone, even by SIGKILL.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const release = onSignals(signals, (signal) => child.kill(signal));
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      // As a shell has it: 128 and the number of the signal that ended it.
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  }).finally(release);
}

// `meter-collector intervals SP-1 | head` closes the pipe early: that is no failure of ours.
let isUnsaid = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  if (isUnsaid) return;
  isUnsaid = true;
  const { say } = globalsOf(process.argv.slice(2), io, parts).manner;
  const what = say('cli.out_failed', { code: error.code ?? error.message });
  process.stderr.write(`${say('cli.error')} ${what}\n`, () => process.exit(EXIT.failed));
});

process.stderr.on('error', () => undefined);

const exit = await runCli(process.argv.slice(2), io, parts);
// Exits even when something is stuck, but not before all that was said is out.
process.stderr.write('', () =>
  process.stdout.write('', () => process.exit(isUnsaid ? EXIT.failed : exit)),
);
