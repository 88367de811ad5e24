// `install`: the unit is as closed as systemd's own judge wants it, and its files stand where they belong.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createHost } from '../../src/adapters/host.ts';
import { runCli } from '../../src/cli/cli.ts';
import type { Host } from '../../src/cli/parts.ts';
import { fakeParts } from './fake-parts.ts';

const HAS_ANALYZE = spawnSync('systemd-analyze', ['--version']).status === 0;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'install-'));
  folders.push(made);
  return made;
}

async function typed(words: string | readonly string[], host: Partial<Host> = {}) {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    isTTY: false,
    hasKeyboard: false,
    env: {},
  };
  const parts = fakeParts();
  Object.assign(parts.host, host);
  const exit = await runCli(
    ['install', ...(typeof words === 'string' ? words.split(' ') : words)],
    io,
    parts,
  );
  return { exit, out, err };
}

/** The host itself, as if Node and the program lay where all may see them. */
const realHost = () =>
  Object.assign(
    createHost('/opt/meter-collector/main.js', () => 'version: 1\n'),
    { node: '/usr/bin/node' },
  );

describe('install', () => {
  test('places unit, user and settings below a folder, and keeps settings that are there', async () => {
    const root = await folder();
    const host = realHost();
    const first = await typed(`--root ${root} --json`, host);
    expect(first.exit).toBe(0);
    const { files, next } = JSON.parse(first.out);
    expect(files.map((one: { kept: boolean }) => one.kept)).toEqual([false, false, false]);
    expect(next).toContain('systemctl daemon-reload');
    const unit = await readFile(join(root, 'etc/systemd/system/meter-collector.service'), 'utf8');
    expect(unit).toContain('Type=notify');
    expect(unit).toMatch(
      /^ExecStart=\/usr\/bin\/node --min-semi-space-size=2 --single-threaded-gc --v8-pool-size=1 \/opt\/meter-collector\/main.js run --config \/etc\/meter-collector\/settings.yaml$/m,
    );
    expect(await readFile(join(root, 'etc/sysusers.d/meter-collector.conf'), 'utf8')).toContain(
      'dialout',
    );
    const settings = join(root, 'etc/meter-collector/settings.yaml');
    expect((await stat(settings)).mode & 0o777).toBe(0o640);
    await writeFile(settings, 'mine');
    const again = await typed(`--root ${root} --json`, host);
    expect(JSON.parse(again.out).files.at(-1)).toMatchObject({ kept: true });
    expect(await readFile(settings, 'utf8')).toBe('mine');
  });

  test('says of the shipped example that it is one, and nothing of settings that were there', async () => {
    const root = await folder();
    expect((await typed(`--root ${root}`, realHost())).out).toContain('shipped example');
    expect((await typed(`--root ${root}`, realHost())).out).not.toContain('shipped example');
  });

  test('runs the steps where systemd runs, and says which one failed', async () => {
    const ran: string[] = [];
    const run = async (tool: string, args: readonly string[]) => {
      ran.push([tool, ...args].join(' '));
      return tool === 'systemctl' ? 1 : 0;
    };
    const said = await typed('--json', { runsSystemd: true, run });
    expect(ran).toEqual([
      'systemd-sysusers',
      'chown root:meter-collector /etc/meter-collector/settings.yaml',
      'systemctl daemon-reload',
    ]);
    expect(said.exit).toBe(1);
    expect(JSON.parse(said.out).error.message).toContain('systemctl daemon-reload');
  });

  test('a settings file with blanks is one word of each step, run or told', async () => {
    const ran: (readonly string[])[] = [];
    const run = async (tool: string, args: readonly string[]) => {
      ran.push([tool, ...args]);
      return 0;
    };
    const words = ['--config', "/etc/it's mine/s.yaml", '--json'];
    await typed(words, { runsSystemd: true, run });
    expect(ran).toContainEqual(['chown', 'root:meter-collector', "/etc/it's mine/s.yaml"]);
    const { next } = JSON.parse((await typed(words)).out);
    expect(next).toContain("chown root:meter-collector '/etc/it'\\''s mine/s.yaml'");
    expect(next).toContain("meter-collector config check '/etc/it'\\''s mine/s.yaml'");
    expect(next).toContain("meter-collector status --config '/etc/it'\\''s mine/s.yaml'");
  });

  test.each([
    ['a path that is not whole', '--config settings.yaml', {}],
    ['settings in a home', '--config /home/ann/settings.yaml', {}],
    ['a Node that only one user has', '--print', { node: '/root/.nvm/versions/node/bin/node' }],
  ])('%s is refused, and nothing is written', async (_what, words, host) => {
    const place = async () => {
      throw new Error('nothing may be written');
    };
    const said = await typed(`${words} --json`, { ...host, place });
    expect(said.exit).toBe(2);
    expect(JSON.parse(said.out).error.hint).not.toBe('');
  });

  test('where this user may not write, that is said', async () => {
    const place = async () => {
      throw Object.assign(new Error('this user may not open /etc/systemd'), { code: 'EACCES' });
    };
    const said = await typed('--json', { place });
    expect(said.exit).toBe(8);
    expect(JSON.parse(said.out).error.hint).toContain('sudo');
  });

  test('paths with blanks, dollars and percents reach the program as they are', async () => {
    const { out } = await typed('--print', { program: '/opt/a b/50%/$x/main.js' });
    expect(out).toContain('"/opt/a b/50%%/$$x/main.js"');
  });

  test.skipIf(!HAS_ANALYZE)(
    'systemd finds the unit valid and at most 2.0 open (needs systemd-analyze)',
    async () => {
      const root = await folder();
      const unit = join(root, 'meter-collector.service');
      // Verified with programs that are there.
      const { out } = await typed('--print', { node: '/bin/true', program: '/bin/true' });
      await writeFile(unit, out);
      const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
      expect(verified).toMatchObject({ status: 0, stderr: '' });
      const judged = spawnSync(
        'systemd-analyze',
        ['security', '--offline=true', '--threshold=20', unit],
        { encoding: 'utf8' },
      );
      expect(judged.status).toBe(0);
    },
  );
});
