// SIGHUP to the real program: a good file is taken in while it runs, a bad one changes nothing, and what waits is said.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { callCommands } from '../../src/adapters/control-socket.ts';
import type { Commands } from '../../src/boundaries.ts';
import { startCollector } from '../../src/daemon.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { until } from '../fakes/until.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const MAIN = join(ROOT, 'dist/src/main.js');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Settings whose hour is half over when they are made, with ports and broker that are absent. */
const settingsOf = (more = '', data = './journal') => `# the pole behind the church
version: 1
utility: demo
collector: COL-1
data: ${data}
control: ./control.sock
time: { speed: 1, real: "${new Date().toISOString()}", simulated: "2026-06-01T12:30:00.000Z" }
upstream: { url: "mqtt://127.0.0.1:9" }
buses:
  - { bus: gate, type: modbus-tcp, host: 127.0.0.1, port: 9 }
meters:
  - { meter: SP-1, bus: gate, profile: generic-8-digit-modbus, address: 1 }
${more}`;

const isCollecting = ({ msg }: Record<string, unknown>) => msg === 'collecting';

interface Site {
  readonly child: ChildProcess;
  readonly file: string;
  readonly ask: Commands;
  log(): Record<string, unknown>[];
}

/** A program that collects; with `isBeginning` one of which nothing is known but that it was started. */
async function running(more = '', isBeginning = false): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'reload-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'settings.yaml');
  await writeFile(file, settingsOf(more));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const child = spawn(process.execPath, [MAIN, 'run', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const log = () =>
    out
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  if (!isBeginning) await until('the collector collects', () => log().some(isCollecting), 60_000);
  return { child, file, log, ask: callCommands(join(folder, 'control.sock')) };
}

async function told(ask: Commands, name: string, args = {}): Promise<Record<string, unknown>> {
  const answer = await ask.run(name, args);
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.data as Record<string, unknown>;
}

describe.skipIf(!existsSync(MAIN))(
  'a settings file that changes (needs npm run build)',
  { timeout: 120_000 },
  () => {
    const another =
      '  - { meter: SP-2, bus: gate, profile: generic-8-digit-modbus, address: 2, poll_s: 300 }\n';

    it('is taken in on SIGHUP, with a line that says what, and the process goes on', async () => {
      const { child, file, ask, log } = await running();
      await writeFile(file, `${await readFile(file, 'utf8')}${another}`);
      expect(await told(ask, 'config.diff')).toMatchObject({
        changes: [{ path: '/meters/SP-2', before: null, restart: false }],
      });
      child.kill('SIGHUP');
      await until(
        'it is applied',
        () => log().some(({ applied }) => applied !== undefined),
        60_000,
      );
      expect(log().findLast(({ applied }) => applied)).toMatchObject({
        applied: ['/meters/SP-2'],
        restart_required: [],
      });
      const { meters } = await told(ask, 'status');
      expect((meters as { meter: string }[]).map(({ meter }) => meter)).toEqual(['SP-1', 'SP-2']);
      expect(await told(ask, 'config.diff')).toMatchObject({ changes: [] });
      const { events } = (await told(ask, 'events')) as {
        events: { code: string; data: object }[];
      };
      expect(events).toContainEqual(
        expect.objectContaining({
          code: 'config.changed',
          data: expect.objectContaining({ by: 'SIGHUP', applied: '/meters/SP-2' }),
        }),
      );
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    });

    it.each(['config.apply', 'SIGHUP'])(
      'that came by %s before the start was over is taken in behind it',
      async (way) => {
        const tls =
          'console: { listen: "127.0.0.1:0", tls: { cert_file: ./pipe, key_file: ./none } }\n';
        const { child, file, ask, log } = await running(tls, true);
        // A start lasts until somebody writes into what it reads its console's certificate from.
        const pipe = join(file, '../pipe');
        await until(
          'the command line is let in',
          () => existsSync(join(file, '../control.sock')),
          60_000,
        );
        const changed = settingsOf(`${another}${tls}`);
        await writeFile(file, changed);
        const answer = way === 'SIGHUP' ? null : told(ask, way, { by: 'Ana' });
        if (answer === null) child.kill('SIGHUP');
        await told(ask, 'status');
        expect(log().filter(isCollecting)).toEqual([]);
        const end = await open(pipe, 'w');
        // Who reads it later does not wait.
        await rename(file, pipe);
        await writeFile(file, changed);
        await end.close();
        if (answer !== null)
          expect(await answer).toMatchObject({ applied: [{ path: '/meters/SP-2' }] });
        await until(
          'it is applied',
          () => log().some(({ applied }) => applied !== undefined),
          60_000,
        );
        const { meters } = await told(ask, 'status');
        expect(meters).toHaveLength(2);
        child.kill('SIGTERM');
        expect(await once(child, 'exit')).toEqual([0, null]);
      },
    );

    it('changes nothing where it is not good, and says so with its line', async () => {
      const { child, file, ask, log } = await running();
      await writeFile(
        file,
        settingsOf('  - { meter: SP-2, bus: nowhere, profile: x, address: 2 }\n'),
      );
      child.kill('SIGHUP');
      await until(
        'it is refused',
        () => log().some(({ problems }) => problems !== undefined),
        20_000,
      );
      const { problems } = log().find((line) => line['problems']) as { problems: string[] };
      expect(problems.join()).toMatch(/settings\.yaml:13:/);
      expect(await ask.run('config.apply', { by: 'Ana' })).toMatchObject({ code: 'verify_failed' });
      const { meters } = await told(ask, 'status');
      expect(meters).toHaveLength(1);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    });

    it('says what waits for a restart, and takes in the rest', async () => {
      const { child, file, ask } = await running();
      const now = (await readFile(file, 'utf8')).replace('./journal', './elsewhere');
      await writeFile(file, `${now}${another}`);
      const came = await told(ask, 'config.apply', { by: 'Ana' });
      expect(came).toMatchObject({
        applied: [{ path: '/meters/SP-2' }],
        restart_required: [{ path: '/data', before: './journal', after: './elsewhere' }],
      });
      expect(await told(ask, 'config.apply', { by: 'Ana' })).toMatchObject({
        applied: [],
        restart_required: [{ path: '/data' }],
      });
      expect(existsSync(join(file, '../elsewhere'))).toBe(false);
      expect(await told(ask, 'config.schema')).toMatchObject({ type: 'object' });
      const wish = { changes: [{ path: '/meters/SP-1/poll_s', value: 60 }] };
      expect(await told(ask, 'config.diff', wish)).toMatchObject({
        changes: [{ path: '/meters/SP-1/poll_s', before: null, after: 60, restart: false }],
      });
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    });
  },
);

it('a package that is just being replaced changes nothing, and the collector goes on', async () => {
  const root = await mkdtemp(join(tmpdir(), 'package-'));
  cleanups.push(() => rm(root, { recursive: true, force: true }));
  for (const name of ['config', 'devices', 'docs'])
    await symlink(join(ROOT, name), join(root, name));
  const file = join(root, 'settings.yaml');
  await writeFile(file, settingsOf('log: { level: error }'));
  const checked = await loadSettings({ file, root });
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join());
  const daemon = await startCollector(checked.settings, { root, version: '0', file, env: {} });
  cleanups.push(() => daemon.stop());
  await unlink(join(root, 'config'));
  expect(await daemon.reload('SIGHUP')).toMatchObject({ ok: false, code: 'internal' });
  await symlink(join(ROOT, 'config'), join(root, 'config'));
  expect(await daemon.reload('SIGHUP')).toMatchObject({ ok: true });
});
