// The compiled program as a process of its own: settings, signals, the socket and the exit codes, on a machine without ports or broker.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chmod, chown, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../fakes/until.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const MAIN = join(ROOT, 'dist/src/main.js');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A folder with the simulator's settings, whose ports and broker are all absent. */
async function site(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'site-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const settings = await readFile(join(ROOT, 'config/simulator.yaml'), 'utf8');
  // Port 9 (discard) is served nowhere.
  const alone = settings.replace(':1883', ':9').replaceAll(/port: \d+/g, 'port: 9');
  await writeFile(join(folder, 'settings.yaml'), alone);
  return folder;
}

function start(folder: string, ...args: string[]): { child: ChildProcess; out(): string } {
  return startAs(undefined, folder, ...args);
}

function startAs(uid: number | undefined, folder: string, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  cleanups.push(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.resume();
  return { child, out: () => out };
}

async function ended({ child, out }: ReturnType<typeof start>) {
  const [exit] = await once(child, 'close');
  return { exit, out: out() };
}

/** A collector that has said it collects. */
async function running(folder: string) {
  const started = start(folder, 'run', '--config', 'settings.yaml');
  while (!started.out().includes('"collecting"')) {
    await Promise.race([
      once(started.child.stdout as NonNullable<ChildProcess['stdout']>, 'data'),
      once(started.child, 'close').then(() => Promise.reject(new Error(started.out()))),
    ]);
  }
  return started;
}

describe.skipIf(!existsSync(MAIN))('the program (needs npm run build)', () => {
  test('npx runs what the build has made, as the README says', async () => {
    const child = spawn('npx', ['--no-install', 'meter-collector', '--version'], { cwd: ROOT });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    const [exit] = await once(child, 'close');
    expect([exit, out]).toEqual([0, expect.stringMatching(/^meter-collector \d/)]);
  });

  test('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await ended(start(ROOT, 'version'))).toEqual({
      exit: 0,
      out: `meter-collector ${version}\n`,
    });
  });

  test.skipIf(!existsSync('/dev/full'))(
    'says in a sentence that what it has to say does not go out, and ends with 1',
    async () => {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [MAIN, 'config', 'schema'], {
        stdio: ['ignore', full, 'pipe'],
      });
      closeSync(full);
      let err = '';
      child.stderr?.on('data', (chunk) => {
        err += chunk;
      });
      const [exit] = await once(child, 'close');
      expect([exit, err]).toEqual([1, expect.stringMatching(/^error: [^\n]+ENOSPC[^\n]+\n$/)]);
    },
  );

  test('ends with 2, 3 and 7 as told', async () => {
    const folder = await site();
    expect((await ended(start(folder, 'statuz'))).exit).toBe(2);
    expect((await ended(start(folder, 'config', 'check', 'none.yaml'))).exit).toBe(3);
    const collector = await running(folder);
    await rm(join(folder, 'journal/control.sock'));
    expect((await ended(start(folder, 'audit', '--config', 'settings.yaml'))).exit).toBe(7);
    collector.child.kill('SIGTERM');
    expect((await ended(collector)).exit).toBe(0);
  });

  test('runs without ports and broker, answers, stops cleanly, and its journal answers on', async () => {
    const folder = await site();
    const collector = await running(folder);
    const ask = async () => {
      const { exit, out } = await ended(
        start(folder, 'status', '--config', 'settings.yaml', '--json'),
      );
      expect(exit).toBe(0);
      return JSON.parse(out);
    };
    const meters = [1, 2, 3, 4].map((n) => ({ meter: `SP-${n}`, read: null }));
    expect(await ask()).toMatchObject({ clock: { speed: 1 }, meters });
    collector.child.kill('SIGTERM');
    expect((await ended(collector)).exit).toBe(0);
    expect(existsSync(join(folder, 'journal/control.sock'))).toBe(false);
    expect(await ask()).toMatchObject({ clock: null, meters });
  });

  test.each([
    ['backtest', '--readings', 'absent'],
    ['conformance', '--recording', 'absent'],
    ['restore', 'absent', '--config', 'settings.yaml'],
    ['sim', '--replay', 'absent'],
    ['headend', '--truth', 'absent', '--broker', 'mqtt://127.0.0.1:9'],
    ['headend', '--offline', '--store', 'absent'],
  ])('says in words that a file is not there: %s', async (...args) => {
    const { child } = start(await site(), ...args);
    let err = '';
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    const [exit] = await once(child, 'close');
    expect(exit).toBeGreaterThan(0);
    expect(err.toLowerCase()).toMatch(/there is no \S*absent\./);
    expect(err).not.toMatch(/ENOENT|\broom\b/);
  });

  test.each([
    ['conformance', '--recording', '.'],
    ['restore', '.', '--config', 'settings.yaml'],
    ['sim', '--replay', '.'],
    ['headend', '--truth', '.', '--broker', 'mqtt://127.0.0.1:9'],
  ])('says in words that a file is a folder: %s', async (...args) => {
    const { child } = start(await site(), ...args);
    let err = '';
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    const [exit] = await once(child, 'close');
    expect(exit).toBeGreaterThan(0);
    expect(err).toMatch(/is a folder/);
    expect(err).not.toContain('EISDIR');
  });

  test('a simulation whose starter is killed ends by itself and leaves no port', async () => {
    const folder = await site();
    const sim = start(folder, 'sim', '--folder', 'street');
    while (!sim.out().includes('Ctrl-C')) {
      await once(sim.child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    }
    expect(await readdir(join(folder, 'street'))).toContain('bus-1.tty');
    sim.child.kill('SIGKILL');
    // Its output is closed when the last process that holds it is gone.
    await once(sim.child, 'close');
    expect((await readdir(join(folder, 'street'))).sort()).toEqual([
      ...['collector.yaml', 'truth.ndjson'],
    ]);
  });

  test('two simulations do not share a folder, by whatever path, and one after the other may have it', async () => {
    const folder = await site();
    const serves = async () => {
      const sim = start(folder, 'sim', '--folder', 'street', '--json');
      while (!sim.out().includes('"street"')) {
        await once(sim.child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
      }
      return sim;
    };
    const first = await serves();
    const truth = await readFile(join(folder, 'street/truth.ndjson'), 'utf8');
    await symlink('street', join(folder, 'also'));
    const second = start(folder, 'sim', '--folder', 'also');
    let err = '';
    second.child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    expect((await ended(second)).exit).toBe(1);
    expect(err).toMatch(/Another simulation serves a street in .*also\.\nEnd it first/);
    expect(await readdir(join(folder, 'street'))).toContain('bus-1.tty');
    expect(await readFile(join(folder, 'street/truth.ndjson'), 'utf8')).toContain(truth);
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const third = await serves();
    third.child.kill('SIGTERM');
    expect((await ended(third)).exit).toBe(0);
  });

  test('a demo that is killed within takes its collector along', async () => {
    const folder = await site();
    const demo = start(folder, 'demo', '--plain');
    while (!demo.out().includes('meters ')) {
      await once(demo.child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    }
    const childOf = async (pid: number | undefined) =>
      Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ')[0]);
    const within = await childOf(demo.child.pid);
    const collector = await childOf(within);
    const words = (await readFile(`/proc/${collector}/cmdline`, 'utf8')).split('\0');
    const config = words[words.indexOf('--config') + 1] ?? '';
    expect(config).toMatch(/water-demo-.*collector\.yaml$/);
    cleanups.push(() => rm(dirname(config), { recursive: true, force: true }));
    cleanups.push(() => existsSync(`/proc/${collector}`) && process.kill(collector, 'SIGKILL'));
    process.kill(within, 'SIGKILL');
    expect((await ended(demo)).exit).toBe(137);
    await until('the collector is gone', () => !existsSync(`/proc/${collector}`));
  });

  test.each(['sim', 'demo', 'headend', 'conformance'])(
    'the help of %s ends well for a reader that has gone',
    async (program) => {
      const { child } = start(await site(), program, '--help');
      child.stdout?.destroy();
      let err = '';
      child.stderr?.on('data', (chunk) => {
        err += chunk;
      });
      const [exit] = await once(child, 'close');
      expect([exit, err]).toEqual([0, '']);
    },
  );

  test('takes the Ctrl-C that terminal and npm both send as one', async () => {
    const collector = await running(await site());
    collector.child.kill('SIGINT');
    collector.child.kill('SIGTERM');
    expect((await ended(collector)).exit).toBe(0);
  });

  test('stops cleanly where a SIGHUP follows, as from a terminal that closes', async () => {
    const collector = await running(await site());
    collector.child.kill('SIGTERM');
    collector.child.kill('SIGHUP');
    expect((await ended(collector)).exit).toBe(0);
  });

  describe.skipIf(process.getuid?.() !== 0)(
    'run by who may not use the journal (needs root)',
    () => {
      const NOBODY = 65_534;

      test.each([
        ['a folder that is another’s', [], 'forbidden', 8],
        ['a folder that is to be made in one that is another’s', ['settings: 0'], 'forbidden', 8],
        ['a store that another user left in its own folder', ['own'], 'forbidden', 8],
        ['a file', ['file'], 'config.invalid', 3],
      ])('%s: it ends before it speaks on a bus or to the broker', async (_, how, code, exit) => {
        const folder = await site();
        await chmod(folder, 0o755);
        const journal = join(folder, 'journal');
        if (how[0] === 'file') await writeFile(journal, '');
        else if (how[0] !== 'settings: 0') {
          const before = await running(folder);
          before.child.kill('SIGTERM');
          await ended(before);
        }
        if (how[0] === 'own') await chown(journal, NOBODY, NOBODY);
        const args = ['run', '--config', 'settings.yaml', '--json'];
        const said = await ended(startAs(NOBODY, folder, ...args));
        expect(said.exit).toBe(exit);
        expect(JSON.parse(said.out)).toMatchObject({
          error: { code, hint: expect.stringMatching(/./) },
        });
      });

      test('a folder of this user is none of these', async () => {
        const folder = await site();
        await chown(folder, NOBODY, NOBODY);
        const collector = startAs(NOBODY, folder, 'run', '--config', 'settings.yaml');
        await until('it collects', () => collector.out().includes('"collecting"'), 20_000);
        collector.child.kill('SIGTERM');
        expect((await ended(collector)).exit).toBe(0);
      });
    },
  );

  test('answers again after having been killed', async () => {
    const folder = await site();
    const killed = await running(folder);
    killed.child.kill('SIGKILL');
    await ended(killed);
    expect(existsSync(join(folder, 'journal/control.sock'))).toBe(true);
    const collector = await running(folder);
    const audit = start(folder, 'audit', '--config', 'settings.yaml', '--json');
    expect(await ended(audit)).toMatchObject({ exit: 0 });
    collector.child.kill('SIGTERM');
    expect((await ended(collector)).exit).toBe(0);
  });
});
