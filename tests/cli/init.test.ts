// `init`: the file it writes from options or answers, in both languages, what it leaves alone, and what it says comes next.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createHost } from '../../src/adapters/host.ts';
import type { Parts } from '../../src/cli/parts.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { fakeParts, typed } from './fake-parts.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const folders: string[] = [];
afterEach(async () => {
  for (const one of folders.splice(0)) await rm(one, { recursive: true, force: true });
});

async function site(answers: readonly string[] = [], ports: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'init-'));
  folders.push(folder);
  const asked: string[] = [];
  const left = [...answers];
  const host = createHost('/opt/main.js', () => '');
  const parts: Parts = fakeParts({
    host: Object.assign(Object.create(null), host, { ports: async () => ports }),
    loadSettings: (file) => loadSettings({ file, root: ROOT }),
    prompt: async (question) => {
      asked.push(question);
      return left.shift() ?? null;
    },
  });
  return { folder, parts, asked, file: join(folder, 'settings.yaml') };
}

const NAMES = '--utility demo --collector COL-1 --broker mqtt://127.0.0.1:1883';

describe('init', () => {
  it.each([
    ['--port /dev/ttyUSB0', { type: 'line-serial', serial: { path: '/dev/ttyUSB0', baud: 9600 } }],
    [
      '--type modbus-rtu --port /dev/ttyS1 --baud 19200',
      { type: 'modbus-rtu', serial: { path: '/dev/ttyS1', baud: 19_200, parity: 'even' } },
    ],
    [
      '--type line-tcp --host 10.0.0.2',
      { type: 'line-tcp', peer: { host: '10.0.0.2', port: 4001 } },
    ],
    ['--type modbus-tcp --host h', { type: 'modbus-tcp', peer: { host: 'h', port: 502 } }],
  ])('writes good settings from options alone: %s', async (options, bus) => {
    const { parts, file } = await site();
    const line = `init --config ${file} ${NAMES} ${options} --no-input`;
    expect((await typed(line, parts)).exit).toBe(0);
    const checked = await loadSettings({ file, root: ROOT });
    expect(checked).toMatchObject({
      ok: true,
      settings: { utility: 'demo', collector: 'COL-1', buses: [bus], meters: [] },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  it('makes the folder of its state for its owner alone, and says the next steps', async () => {
    const { parts, file, folder } = await site();
    const { err, out } = await typed(`init --config ${file} ${NAMES} --port /dev/x`, parts);
    expect((await stat(join(folder, 'journal'))).mode & 0o777).toBe(0o700);
    expect(out).toContain(file);
    expect(err).toContain(`meter-collector run --config ${file}`);
    expect(err).toContain(`meter-collector commission --config ${file}`);
  });

  it('asks for what is not said, again where an answer cannot be, and takes a port by its number', async () => {
    const answers = [
      'demo',
      'COL 1',
      'COL-1',
      'broker',
      'mqtts://b.example:8883',
      '2',
      '',
      '2',
      '',
      '',
    ];
    const { parts, file, asked } = await site(answers, ['/dev/a', '/dev/b']);
    const { exit, err } = await typed(`init --config ${file}`, parts, { isTTY: true });
    expect(exit).toBe(0);
    expect(asked).toHaveLength(answers.length);
    expect(err).toContain('/dev/b');
    expect(await loadSettings({ file, root: ROOT })).toMatchObject({
      settings: {
        collector: 'COL-1',
        buses: [{ bus: 'bus-1', type: 'modbus-rtu', serial: { path: '/dev/b', parity: 'even' } }],
      },
    });
  });

  it.each([
    ['en', 'Lines that begin with # are comments'],
    ['es', 'Las líneas con # son comentarios'],
  ])('comments its file in the language of the session: %s', async (language, comment) => {
    const { parts, file } = await site();
    await typed(`init --config ${file} ${NAMES} --port /dev/x --lang ${language}`, parts);
    expect(await readFile(file, 'utf8')).toContain(comment);
  });

  it('never writes over a file without --force', async () => {
    const { parts, file } = await site();
    await writeFile(file, 'mine');
    const line = `init --config ${file} ${NAMES} --port /dev/x`;
    const refused = await typed(`${line} --json`, parts);
    expect(refused.exit).toBe(1);
    expect(JSON.parse(refused.out).error.code).toBe('conflict');
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect((await typed(`${line} --force`, parts)).exit).toBe(0);
    expect(await readFile(file, 'utf8')).not.toBe('mine');
  });

  it.each([
    ['--utility demo', 'usage.missing'],
    ['--utility a/b', 'usage.value'],
    [`${NAMES.replace('mqtt:', 'http:')} --port /dev/x`, 'usage.value'],
    [`${NAMES} --port /dev/x --baud 1`, 'usage.value'],
    [`${NAMES} --type wires`, 'usage.value'],
  ])('writes nothing where %s', async (options, code) => {
    const { parts, file } = await site();
    const { exit, out } = await typed(`init --config ${file} ${options} --json`, parts);
    expect([exit, JSON.parse(out).error.code]).toEqual([2, code]);
    await expect(stat(file)).rejects.toThrow();
  });

  it('ends with 130 and writes nothing when the person leaves', async () => {
    const { parts, file } = await site(['demo']);
    expect((await typed(`init --config ${file}`, parts, { isTTY: true })).exit).toBe(130);
    await expect(stat(file)).rejects.toThrow();
  });
});
