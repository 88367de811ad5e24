// On a bench no collector runs yet: its settings are shown and changed on the file itself, with the checks of a running one.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { collectorProgram } from '../../simulator/collector-process.ts';

let folder: string;

interface Typed {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Types a command line at the built program in the folder of the bench. */
function type(...words: string[]): Promise<Typed> {
  const program = collectorProgram() ?? '';
  const env = { ...process.env, LANG: 'en_US.UTF-8', LC_ALL: '' };
  return new Promise((resolve) => {
    const args = [program, ...words];
    const child = execFile(process.execPath, args, { cwd: folder, env }, (_, out, err) =>
      resolve({ exit: child.exitCode ?? -1, out, err }),
    );
  });
}

const text = () => readFile(join(folder, 'settings.yaml'), 'utf8');
const said = async () => parse(await text());
const METER = ['--bus', 'pole-1', '--profile', 'generic-8-digit-line', '--address', '1'];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const names = ['--utility', 'demo', '--collector', 'COL-7', '--bus', 'pole-1'];
  const places = [
    '--broker',
    'mqtt://127.0.0.1:9',
    '--type',
    'line-serial',
    '--port',
    '/dev/ttyS9',
  ];
  const made = await type('init', '--no-input', ...names, ...places);
  expect([made.exit, made.err]).toEqual([0, made.err]);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('settings of a collector that does not run', () => {
  it('take a meter in, checked as a whole, with every comment kept', async () => {
    const comments = (await text()).split('\n').filter((line) => line.startsWith('#'));
    expect(comments.length).toBeGreaterThan(3);
    const added = await type('meter', 'add', 'SP-1', ...METER);
    expect(added.exit).toBe(0);
    expect(added.err).toContain('not running');
    expect(added.out).toContain('meter-collector run --config ./settings.yaml');
    expect((await said()).meters).toEqual([
      { meter: 'SP-1', bus: 'pole-1', profile: 'generic-8-digit-line', address: '1' },
    ]);
    const kept = (await text()).split('\n');
    expect(comments.filter((line) => !kept.includes(line))).toEqual([]);
    expect((await type('config', 'check')).exit).toBe(0);
    expect((await type('meter', 'edit', 'SP-1', '--poll-s', '300')).exit).toBe(0);
    expect((await said()).meters[0].poll_s).toBe(300);
    expect((await type('meter', 'remove', 'SP-1', '--confirm', 'SP-1')).exit).toBe(0);
    expect((await said()).meters ?? []).toEqual([]);
  }, 180_000);

  it('refuse what a running one would refuse, and stay as they are', async () => {
    await type('meter', 'add', 'SP-1', ...METER);
    const before = await text();
    const refused = [
      [1, 'meter', 'add', 'SP-1', ...METER],
      [3, 'meter', 'add', 'SP-2', '--bus', 'pole-9', ...METER.slice(2)],
      [3, 'meter', 'edit', 'SP-1', '--poll-s', '-5'],
      [3, 'config', 'set', 'upstream.keepalive_z', '60'],
    ] as const;
    for (const [code, ...words] of refused) {
      const { exit, err } = await type(...words);
      expect([words.join(' '), exit]).toEqual([words.join(' '), code]);
      expect(err).toContain('error:');
      expect(await text()).toBe(before);
    }
    const tried = await type('config', 'set', 'upstream.keepalive_s', '60', '--dry-run');
    expect(tried.exit).toBe(0);
    expect(await text()).toBe(before);
  }, 180_000);

  it('may be changed as a whole, for who asks stands at the collector; another file can be compared', async () => {
    const other = join(folder, 'other.yaml');
    await type('config', 'set', 'collector', 'COL-8');
    expect((await said()).collector).toBe('COL-8');
    const shown = await type('config', 'show', 'collector', '--json');
    expect(JSON.parse(shown.out).settings).toBe('COL-8');
    await type(
      'init',
      '--no-input',
      '--config',
      other,
      '--utility',
      'demo',
      '--collector',
      'COL-7',
    );
    const differing = await type('config', 'diff', 'settings.yaml');
    expect([differing.exit, differing.err.includes('not running')]).toEqual([0, true]);
    // With what runs nothing can be compared, and nothing takes it in.
    expect((await type('config', 'diff')).exit).toBe(7);
    expect((await type('config', 'apply')).exit).toBe(7);
  }, 180_000);
});
