// What the command line is given in tests: streams that remember, and parts that answer as told.

import { readFileSync } from 'node:fs';
import type { CommandAnswer, Commands } from '../../src/boundaries.ts';
import { runCli } from '../../src/cli/cli.ts';
import type { Parts } from '../../src/cli/parts.ts';
import { Backtest } from '../../src/codec/backtest.ts';
import { good } from '../../src/domain/fault.ts';
import type { Catalogue } from '../../src/domain/words.ts';
import { loadBacktestRules } from '../../src/settings/backtest-rules.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { tryProfile } from '../../src/settings/try-profile.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

const catalogue = (language: string): Catalogue =>
  JSON.parse(readFileSync(`${ROOT}config/locales/${language}.json`, 'utf8'));

export const CATALOGUES = { en: catalogue('en'), es: catalogue('es') };

const SETTINGS = `version: 1
utility: demo
collector: COL-1
data: ./journal
upstream: { url: "mqtt://127.0.0.1" }
buses:
  - { bus: pole-1, type: line-serial, path: /dev/ttyUSB0 }
meters:
  - { meter: SP-1, bus: pole-1, profile: generic-8-digit-line, address: "1" }
`;

/** The text of each settings file there is. */
const FILES: Readonly<Record<string, string>> = {
  'good.yaml': SETTINGS,
  'bad.yaml': SETTINGS.replace('utility', 'utilty').replace('pole-1, pro', 'pole-2, pro'),
};

/** Commands that answer as `answers` says and remember what was asked. */
export function scriptedCommands(answers: Readonly<Record<string, CommandAnswer>>) {
  const asked: [name: string, args: unknown][] = [];
  const commands: Commands = {
    async run(name, args) {
      asked.push([name, args]);
      const refusal = { ok: false, code: 'unknown_command', message: 'No.', hint: '' } as const;
      return answers[name] ?? refusal;
    },
  };
  return { asked, commands };
}

export const absent: Commands = {
  run: async () => ({ ok: false, code: 'daemon.absent', message: 'Nobody listens.', hint: '' }),
};

/** Parts for a machine on which no collector runs and no journal is, changed by `changes`. */
export function fakeParts(changes: Partial<Parts> = {}): Parts {
  return {
    version: '1.2.3',
    loadSettings: (file) =>
      loadSettings({ file, root: ROOT, readText: async (path) => textOf(path) }),
    catalogues: CATALOGUES,
    settingsFile: { path: 'good.yaml', isThere: true },
    prompt: async () => null,
    pause: async () => undefined,
    accounts: async () => {
      throw new Error('no accounts');
    },
    writeGzip: async () => undefined,
    schemaText: async () => '{}\n',
    versions: { node: 'v20.0.0' },
    tryProfile: (name, answer) => tryProfile({ root: ROOT, name, answer }),
    startCollector: async () => ({ stop: async () => undefined }),
    daemon: () => absent,
    settingsCommands: () => absent,
    wayIn: async () => null,
    qr: async (text) => text,
    openJournal: async () => good({ ...absent, close: async () => undefined }),
    restoreJournal: async () => ({ ok: true, data: {} }),
    requestCertificate: async () => ({ ok: true, data: {} }),
    takeCertificate: async () => ({ ok: true, data: {} }),
    tryUpstream: async () => ({ ok: true, data: {} }),
    every: () => () => undefined,
    loadBacktestRules: (file) => loadBacktestRules({ file, root: ROOT }),
    beginBacktest: (options) => new Backtest(options),
    readText: async function* (file) {
      yield textOf(file);
    },
    drained: async () => undefined,
    openScan: async () => ({ problem: 'no wire' }),
    createFile: async () => ({ write: async () => undefined, close: async () => undefined }),
    host: {
      ...{
        node: '/usr/bin/node',
        program: '/opt/meter-collector/main.js',
        example: 'version: 1\n',
      },
      ...{ runsSystemd: false, place: async () => true, run: async () => 0 },
      folderTrouble: async () => null,
      ...{ has: async () => false, folder: async () => undefined, ports: async () => [] },
    },
    runProgram: async () => 0,
    onStop: () => () => undefined,
    ...changes,
  };
}

function textOf(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw Object.assign(new Error('absent'), { code: 'ENOENT' });
  return text;
}

/** One command line, what it said on both streams, and its exit code. */
export async function typed(
  line: string | readonly string[],
  parts: Parts,
  surroundings: Surroundings = {},
) {
  let out = '';
  let err = '';
  const exit = await runCli(
    typeof line === 'string' ? line.split(' ').filter(Boolean) : line,
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      isTTY: surroundings.isTTY ?? false,
      hasKeyboard: surroundings.isTTY ?? false,
      env: surroundings.env ?? {},
    },
    parts,
  );
  return { exit, out, err };
}

export interface Surroundings {
  readonly isTTY?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}
