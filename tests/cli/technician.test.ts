// From `init` to a commissioned meter with the terminal alone, as a new technician would; docs/technician.md and docs/tecnico.md show what was on the screen.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sayIn } from '../../src/domain/words.ts';
import { aedes, type RealBroker } from '../fakes/real-brokers.ts';
import { openTerminal, type Typist } from '../fakes/terminal.ts';
import { until } from '../fakes/until.ts';
import { CATALOGUES } from './fake-parts.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const MAIN = join(ROOT, 'dist/src/main.js');
const PLACE = 'SP-48213377';
/** With it set the pages are written anew instead of being compared. */
const RECORDS = process.env['RECORD_TRANSCRIPTS'] !== undefined;

const PAGES = { en: 'docs/technician.md', es: 'docs/tecnico.md' } as const;
type Language = keyof typeof PAGES;
const LOCALES = { en: 'en_US.UTF-8', es: 'es_MX.UTF-8' } as const;

let broker: RealBroker;
let street = '';
let simulator: ChildProcess;
let headEnd: ChildProcess;

/** A program of ours beside the technician's; resolves when it has said `word`. */
async function beside(args: readonly string[], word: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout?.on('data', (data) => {
    out += data;
  });
  await until(`${args[0]} says ${word}: ${out}`, () => out.includes(word), 30_000);
  return child;
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** The key of a question, and what is typed. */
type Answer = readonly [key: string, answer: string | (() => Promise<string>)];

/** One person at one terminal, in one language. */
class Technician {
  readonly #folder: string;
  readonly #language: Language;
  readonly #say: ReturnType<typeof sayIn>;
  /** What each command showed. */
  readonly shown: string[] = [];

  constructor(folder: string, language: Language) {
    this.#folder = folder;
    this.#language = language;
    this.#say = sayIn(language, CATALOGUES[language]);
  }

  open(...args: readonly string[]): Typist {
    const { PATH = '', HOME = '' } = process.env;
    const env = {
      PATH,
      HOME,
      TERM: 'xterm',
      NO_COLOR: '1',
      USER: 'ana',
      LANG: LOCALES[this.#language],
    };
    return openTerminal(process.execPath, [MAIN, ...args], { cwd: this.#folder, env });
  }

  /** Types a command and its answers, each to the question of its key. */
  async types(line: string, answers: readonly Answer[] = []): Promise<number> {
    const typist = this.open(...line.split(' '));
    try {
      for (const [key, answer] of answers) {
        const question = this.#say(`cli.${key}`).split('{')[0] ?? '';
        const asked = () => isAsked(typist.screen(), question);
        await until(`${line}: ${key}`, asked, 90_000).catch((cause) => {
          throw new Error(`${cause.message}\n${typist.screen()}`);
        });
        const said = typeof answer === 'string' ? answer : await answer();
        const lines = typist.screen().split('\n').length;
        typist.type(`${said}\r`);
        await until(`${key} is taken`, () => typist.screen().split('\n').length > lines);
      }
      const exit = await typist.ended;
      this.shown.push(`$ meter-collector ${line}\n${typist.screen().trimEnd()}\n`);
      return exit;
    } finally {
      typist.kill();
    }
  }

  /** What a command says in JSON, beside the terminal. */
  async ask(...args: readonly string[]): Promise<Record<string, unknown>> {
    const child = spawn(process.execPath, [MAIN, ...args, '--json'], { cwd: this.#folder });
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    await once(child, 'close');
    return JSON.parse(out) as Record<string, unknown>;
  }
}

/** The last line of the screen is this question, without an answer yet. */
function isAsked(screen: string, question: string): boolean {
  const last = screen.split('\n').at(-1) ?? '';
  return last.startsWith(question) && /[:.?]$/.test(last);
}

/** Without what is another each time: times, dials, ids, ports, folders, sums, the machine's own serial ports. */
function masked(text: string, folder: string): string {
  return text
    .replaceAll(folder, '/home/ana/site')
    .replaceAll(street, '/home/ana/street')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1883')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-22T15:04:05.678Z')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '2026-11-22 15:04')
    .replaceAll(/\bC\d{14}\b/g, 'C20261122150405')
    .replaceAll(/-\d{4}-\d\d-\d\d\b/g, '-2026-11-22')
    .replaceAll(/\b[0-9a-f]{64}\b/g, '5f'.repeat(32))
    .replaceAll(/^ {2}\d+ {2}\/dev\/.*\n/gm, '');
}

/** As far as two recordings must be alike: numbers that water, wire and clock decide are not looked at. */
function comparable(text: string, say: ReturnType<typeof sayIn>): string {
  return text
    .replaceAll(say('cli.ports_there'), say('cli.ports_none'))
    .replaceAll(/\d[\d.]*/g, '0')
    .replaceAll(/ +/g, ' ');
}

const BLOCK = /(```console\n)([\s\S]*?)(```)/g;

/** Puts what was shown into the blocks of a page, or compares it with them. */
function compare(language: Language, shown: readonly string[]): void {
  const file = join(ROOT, PAGES[language]);
  const page = readFileSync(file, 'utf8');
  const say = sayIn(language, CATALOGUES[language]);
  const blocks = [...page.matchAll(BLOCK)].map((match) => match[2] ?? '');
  expect(blocks).toHaveLength(shown.length);
  if (RECORDS) {
    const left = [...shown];
    writeFileSync(
      file,
      page.replaceAll(BLOCK, (_, begin, __, end) => begin + left.shift() + end),
    );
    return;
  }
  for (const [i, block] of blocks.entries()) {
    expect(comparable(block, say)).toBe(comparable(shown[i] ?? '', say));
  }
}

/** What stands on the dial of the simulated meter, which a person would look at. */
async function dialOf(technician: Technician, config: string): Promise<string> {
  const { dial } = await technician.ask('read', PLACE, '--config', config);
  return String(dial);
}

/** The last digit but one misread: one that water cannot reach meanwhile. */
const misread = (dial: string) =>
  `${dial.slice(0, 2)}${(Number(dial[2]) + 5) % 10}${dial.slice(3)}`;

async function runWater(technician: Technician, config: string): Promise<void> {
  const before = Number(await dialOf(technician, config));
  simulator.stdin?.write('open SP-00001\n');
  await until(
    'the dial turns',
    async () => Number(await dialOf(technician, config)) > before + 1,
    60_000,
  );
  simulator.stdin?.write('close SP-00001\n');
}

describe.skipIf(!existsSync(MAIN))('a new technician at a terminal (needs npm run build)', () => {
  beforeAll(async () => {
    broker = await aedes();
    await broker.start();
    street = await mkdtemp(join(tmpdir(), 'street-'));
    const url = `mqtt://127.0.0.1:${broker.port}`;
    // At night nobody else draws water.
    const night = ['--start', '2026-06-01T08:00:00Z', '--speed', '1', '--taps'];
    simulator = await beside(['sim', '--folder', street, '--broker', url, ...night], 'Ctrl-C');
    const store = join(street, 'head-end.ndjson');
    headEnd = await beside(
      ['headend', '--broker', url, '--utility', 'demo', '--store', store],
      'demo',
    );
  }, 60_000);

  afterAll(async () => {
    await end(headEnd);
    await end(simulator);
    await broker?.dispose();
    if (street !== '') await rm(street, { recursive: true, force: true });
  });

  it.each(['en', 'es'] as const)(
    'makes settings, starts, and proves a meter to its report (%s)',
    async (language) => {
      const folder = await mkdtemp(join(tmpdir(), 'site-'));
      const technician = new Technician(folder, language);
      const config = join(folder, 'settings.yaml');
      let collector: Typist | undefined;
      try {
        const first = await technician.types('init', [
          ['q_utility', 'demo'],
          ['q_collector', 'COL-00017'],
          ['q_broker', `mqtt://127.0.0.1:${broker.port}`],
          ['q_type', '1'],
          ['q_bus', 'pole-1'],
          ['q_port', join(street, 'bus-1.tty')],
          ['q_baud', ''],
          ['q_parity', ''],
        ]);
        expect(first).toBe(0);
        expect(await technician.types('config check')).toBe(0);

        const running = technician.open('run', '--config', './settings.yaml');
        collector = running;
        await until(
          `it runs: ${running.screen()}`,
          () => running.screen().includes('"collecting"'),
          30_000,
        );
        await until(
          'the head-end is there',
          async () => {
            const { upstream } = await technician.ask('status', '--config', config);
            return (upstream as { connected: boolean } | undefined)?.connected === true;
          },
          30_000,
        );
        expect(await technician.types('status')).toBe(0);

        const look = () => dialOf(technician, config);
        const water = async () => {
          await runWater(technician, config);
          return '';
        };
        const proved = await technician.types('commission --polls-s 5 --report report.html', [
          ['q_by', ''],
          ['q_addresses', '1-3'],
          ['q_device', '1'],
          ['q_place', PLACE],
          ['q_dial', async () => misread(await look())],
          ['q_failed', '1'],
          ['q_dial', look],
          ['q_digits', ''],
          ['q_unit', ''],
          ['q_pow10', ''],
          ['tap_open', ''],
          ['tap_close', water],
          ['q_body_serial', '0071234'],
          ['q_register_id', ''],
          ['q_service_point', '100-2231'],
          ['q_route', '12'],
        ]);
        expect(proved).toBe(0);
        expect(existsSync(join(folder, 'report.html'))).toBe(true);
        expect(await technician.types(`meter show ${PLACE}`)).toBe(0);
        expect(await technician.types('doctor')).toBe(0);
        expect(await technician.types(`verify ${PLACE}`, [['q_dial', '00000001']])).toBe(6);
        compare(
          language,
          technician.shown.map((one) => masked(one, folder)),
        );
      } finally {
        collector?.kill();
        await rm(folder, { recursive: true, force: true });
      }
    },
    240_000,
  );
});
