// Nothing is left in English in a Spanish session: help of every command, outputs of the main ones, what is heard from the collector and the files' checks.

import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CommandAnswer } from '../../src/boundaries.ts';
import { commandLine } from '../../src/cli/cli.ts';
import { exampleOf } from '../../src/cli/command.ts';
import { EXIT_MEANINGS } from '../../src/cli/exit-codes.ts';
import { globalsOf } from '../../src/cli/globals.ts';
import { hearing } from '../../src/cli/heard.ts';
import { PROGRAMS } from '../../src/cli/parts.ts';
import { adviceOn } from '../../src/domain/bus-advice.ts';
import { sayIn } from '../../src/domain/words.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { absent, CATALOGUES, fakeParts, scriptedCommands, typed } from './fake-parts.ts';
import { ANSWERS, LINES } from './main-outputs.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Words that no Spanish sentence has; those that both languages share are not among them. */
const ENGLISH =
  /(?<![\p{L}-])(the|of|and|is|are|was|were|not|with|for|this|that|from|it|its|there|has|have|been|on|at|by|to|or|which|when|what|one|all|meter|meters|file|settings|read|hour|hours|wait|waits|since|shows|show|say|run|running|unknown|missing|found|usage|options?|commands?|arguments?|default|help|next|see|nothing|try)(?![\p{L}-])/iu;

/** What is typed, and so is the same everywhere: options, examples, codes, keys, paths, quoted words. */
function withoutTyped(text: string): string {
  return text
    .replaceAll(/^ {2,}meter-collector .*$/gm, '')
    .replaceAll(/^meter-collector .*$/gm, '')
    .replaceAll(/meter-collector( (?:[a-z-]+|--[a-z-]+|[A-Z-]+\d*))*/g, '')
    .replaceAll(/--[a-z][a-z0-9-]*( [a-z]+\|[a-z]+)?/g, '')
    .replaceAll(/^ {2}[a-z-]+( [<[].*?[>\]])*(?= {2,}|$)/gm, '')
    .replaceAll(/\b[a-z]+_[a-z0-9_]+\b/g, '')
    .replaceAll(/\b[a-z]+\.[a-zA-Z_-]+\d*\b/g, '')
    .replaceAll(/(?<=Las que hay: ).*/g, '')
    .replaceAll(/\(([a-z-]+|[A-Z_]+)\)|"[^"]*"|[./][\w./-]+/g, '')
    .replaceAll(/\bhelp\b|exit-codes/g, '');
}

const english = (text: string) =>
  withoutTyped(text)
    .split('\n')
    .filter((line) => ENGLISH.test(line));

function everyCommand(language: string): Command[] {
  const parts = fakeParts();
  const io = {
    out: () => undefined,
    err: () => undefined,
    isTTY: false,
    hasKeyboard: false,
    env: {},
  };
  const { manner } = globalsOf(['--lang', language], io, parts);
  const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)];
  return walk(commandLine({ manner, io, parts, done: () => undefined }));
}

const pathOf = (command: Command): string =>
  command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();

describe('the catalogue of the command line', () => {
  const said = Object.keys(CATALOGUES.en['cli'] ?? {});
  const sources = readdirSync(`${ROOT}src/cli`).map((name) =>
    readFileSync(`${ROOT}src/cli/${name}`, 'utf8'),
  );

  it('has every key that the program names', () => {
    const named = sources.flatMap((text) =>
      [...text.matchAll(/'cli\.([a-z0-9_]+)'/gi)].map((match) => match[1] ?? ''),
    );
    expect(named.length).toBeGreaterThan(150);
    const known = new Set(said.flatMap((key) => [key, key.replace(/_(one|other)$/, '')]));
    expect(named.filter((key) => !known.has(key))).toEqual([]);
  });

  it('has the meaning of every exit code', () => {
    const codes = Object.keys(EXIT_MEANINGS).map((code) => `exit_${code}`);
    expect(codes.filter((key) => !said.includes(key))).toEqual([]);
    const say = sayIn('en', CATALOGUES.en);
    const meanings = Object.entries(EXIT_MEANINGS).map(([code, text]) => [
      say(`cli.exit_${code}`),
      text,
    ]);
    expect(meanings.filter(([one, other]) => one !== other)).toEqual([]);
  });
});

describe('help', () => {
  const commands = everyCommand('es');
  const help = (command: Command) => {
    let text = '';
    const writeOut = (part: string) => {
      text += part;
    };
    command.configureOutput({ writeOut });
    command.outputHelp();
    return text;
  };

  it.each(commands.map((one) => [pathOf(one), one] as const))(
    'of "%s" is Spanish throughout',
    (_path, command) => {
      expect(english(help(command))).toEqual([]);
    },
  );

  it('in English would be found out', () => {
    const found = everyCommand('en').filter((one) => english(help(one)).length === 0);
    expect(found.map(pathOf)).toEqual([]);
  });

  it('has for every command an example that is a command line of it', () => {
    const leaves = commands.filter(
      (one) => one.commands.length === 0 && !PROGRAMS.some((name) => name === one.name()),
    );
    expect(leaves.length).toBeGreaterThan(35);
    for (const leaf of leaves) {
      const example = exampleOf(leaf) ?? '';
      expect(example.startsWith(pathOf(leaf))).toBe(true);
      const flags = [...example.matchAll(/ (--[a-z0-9-]+)/g)].map((match) => match[1]);
      const known = leaf.options.map(({ long }) => long);
      expect([pathOf(leaf), flags.filter((flag) => !known.includes(flag ?? ''))]).toEqual([
        pathOf(leaf),
        [],
      ]);
    }
  });
});

describe('a Spanish session', () => {
  const daemon = scriptedCommands(
    Object.fromEntries(
      Object.entries(ANSWERS).map(([name, data]): [string, CommandAnswer] => [
        name,
        { ok: true, data },
      ]),
    ),
  ).commands;
  const plain = fakeParts({ daemon: () => daemon });
  // What the collector has written is there.
  const parts = { ...plain, host: { ...plain.host, has: async () => true } };

  it.each(LINES)('"%s" is answered in Spanish', async (line) => {
    const { out, err } = await typed(`${line} --lang es`, parts);
    expect(out.length).toBeGreaterThan(0);
    expect(english(`${out}\n${err}`)).toEqual([]);
    const foreign = await typed(`${line} --lang en`, parts);
    expect(`${foreign.out}${foreign.err}`).not.toBe(`${out}${err}`);
  });

  it.each([
    'statu',
    'status --wach',
    'read',
    'verify SP-1',
    'intervals SP-1 --from ayer',
    'config check none.yaml',
    'config check bad.yaml',
    'audit --config none.yaml',
    'alert set SP-1 --daily mucho',
    'bus trace pole-1 --for siempre',
    'scan',
    'doctor casa',
    'completion csh',
    'help nada',
    'commission SP-9 --skip tap',
    'meter edit SP-1',
    'init --utility demo',
    'decode --profile nada --hex 00',
  ])('what is wrong with "%s" is said in Spanish', async (line) => {
    const { exit, err } = await typed(`${line} --lang es`, fakeParts({ daemon: () => absent }));
    expect(exit).toBeGreaterThan(0);
    expect(err).not.toBe('');
    expect(english(err)).toEqual([]);
  });

  it('begins by the locale too, and --lang overrules it', async () => {
    const env = { LANG: 'es_MX.UTF-8' };
    expect((await typed('statu', parts, { env })).err).toContain('orden');
    expect((await typed('statu --lang en', parts, { env })).err).toContain('command');
    const first = { ...env, LC_ALL: 'C.UTF-8' };
    expect((await typed('statu', parts, { env: first })).err).toContain('command');
  });

  it('never translates keys and codes of JSON', async () => {
    const [es, en] = await Promise.all(
      ['es', 'en'].map((language) => typed(`status --json --lang ${language}`, parts)),
    );
    expect(es?.out).toBe(en?.out);
    const said = await typed('statu --json --lang es', parts);
    expect(JSON.parse(said.out).error.code).toBe('usage.unknownCommand');
  });
});

describe('what is heard', () => {
  const hear = hearing('es', CATALOGUES.en, sayIn('es', CATALOGUES.es));

  it('of a collector is said in Spanish', () => {
    for (const sentence of [
      'There is no meter SP-9.',
      'Known are SP-1, SP-2 and 32 more.',
      'SP-1 was not read: line.silent (no answer in 1000 ms).',
      'connected to 127.0.0.1:1883 (MQTT 5), next try in 3 s',
      'no answer from 127.0.0.1:9: ECONNREFUSED, next try in 2 s',
      'port.denied: no right to open /dev/ttyUSB0',
      'the certificate of broker:8883 has expired (it is 2026-11-22 06:00 UTC here): the broker needs a new one (CERT_HAS_EXPIRED)',
      'pole-1 is not open: port.absent: no port at /dev/ttyUSB0.',
    ]) {
      expect(english(hear(sentence))).toEqual([]);
    }
  });

  it('of advice on a bus is said in Spanish', () => {
    const bus = { bus: 'pole-1', link: '', timeoutMs: 1_000 } as const;
    const meter = {
      p95Ms: null,
      latestMs: null,
      strangerId: null,
      lastFault: 'modbus.exception',
      address: '1',
    };
    const cases = (
      ['timeouts', 'crc', 'ok', 'exceptions', 'unusable', 'wrong_id'] as const
    ).flatMap((end) =>
      (['rtu', 'line', 'tcp'] as const).map((kind) =>
        adviceOn({
          ...{ ...bus, kind, open: true },
          meters: [{ ...meter, meter: 'SP-1', recent: [end, end, end, end] }],
        } as Parameters<typeof adviceOn>[0]),
      ),
    );
    const told = cases.flat().flatMap(({ says, next }) => [says, next]);
    expect(told.length).toBeGreaterThan(30);
    expect(told.map(hear).filter((text) => english(text).length > 0)).toEqual([]);
  });

  it.each([
    ['', 'file.empty'],
    ['version: 1\n\tutility: x\n', 'yaml.tab'],
    ['version: 1\nutilty: demo\n', 'key.unknown'],
    ['version: 2\n', 'version.unknown'],
    ['data: ~/x\n', 'value.pattern'],
    ['a: "x\n', 'yaml.syntax'],
    ['a: b: c\n', 'yaml.syntax'],
    ['a\nb: 1\n', 'yaml.syntax'],
    ['a: 1\r', 'yaml.character'],
    ['a: \u0001\n', 'yaml.character'],
    ['%YAML 1.1\n---\na: 1\n', 'yaml.directive'],
    ['<<: {}\n', 'yaml.key'],
    ['buses: [{ host: "a:1" }]\n', 'peer.host'],
  ])('of a settings file %j is said in Spanish', async (text, code) => {
    const checked = await loadSettings({ file: 'x.yaml', root: ROOT, readText: async () => text });
    const problems = checked.ok ? [] : checked.problems;
    expect(problems.map((one) => one.code)).toContain(code);
    const said = problems.map(({ message }) => hear(message));
    expect(said.filter((one) => english(one).length > 0)).toEqual([]);
  });

  it('of a command that refuses is said in Spanish, whatever it refuses for', () => {
    const rooms = readdirSync(`${ROOT}src/commands`).map((name) => `commands/${name}`);
    const others = ['adapters/enrolment.ts', 'console/accounts.ts', 'journal/restore-backup.ts'];
    const sentences = [...rooms, ...others].flatMap((file) => sentencesIn(`${ROOT}src/${file}`));
    expect(sentences.length).toBeGreaterThan(150);
    expect(sentences.filter((one) => hear(one) === one)).toEqual([]);
  });

  it('and is not known is left as it is', () => {
    expect(hear('EWHATEVER happened')).toBe('EWHATEVER happened');
  });
});

/** What a source file says in whole sentences, with a number wherever something is put in. */
function sentencesIn(file: string): string[] {
  const code = readFileSync(file, 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');
  const texts = [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|`([^`]*)`/g)].map(
    ([, plain, template]) => plain ?? template ?? '',
  );
  return texts
    .filter((text) => /^[A-Za-z"$].* .*[.?]$/.test(text))
    .map((text) => text.replaceAll(/\$\{[^}]*\}/g, '7').replaceAll("\\'", "'"));
}
