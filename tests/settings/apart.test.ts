// Settings loaded in a process of their own are what they are when loaded here: good ones, and bad ones with every problem.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { Tasks } from '../../src/settings/apart.ts';
import { tasks } from '../../src/settings/apart-tasks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'apart-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Only the built program can be started. */
const { apart } = (await import(join(root, 'dist/src/settings/apart.js'))) as { apart: Tasks };

function fileOf(name: string, more: string): string {
  const file = join(folder, name);
  const meters = [1, 2].map(
    (unit) => `  - { meter: SP-${unit}, bus: gate, profile: arad-octave, address: "${unit}" }`,
  );
  writeFileSync(
    file,
    `version: 1
utility: demo
collector: COL-00001
data: ./journal
upstream: { url: "mqtt://127.0.0.1:1883" }
buses: [{ bus: gate, type: modbus-tcp, host: 127.0.0.1, port: 502 }]
meters:
${meters.join('\n')}
${more}`,
  );
  return file;
}

it('good settings arrive as they are, one profile shared by its meters', async () => {
  const file = fileOf('good.yaml', '');
  const here = await tasks.load({ file, root });
  const there = await apart.load({ file, root });
  expect(here).toMatchObject({ ok: true });
  expect(there).toEqual(here);
  const [one, other] = there.ok ? there.settings.meters : [];
  expect(one?.profile).toBeDefined();
  expect(one?.profile).toBe(other?.profile);
});

it('bad settings arrive as all of their problems, and a file that is not there as one', async () => {
  for (const file of [fileOf('bad.yaml', 'collectr: x\npoll: 3'), join(folder, 'none.yaml')]) {
    const here = await tasks.load({ file, root });
    expect(here).toMatchObject({ ok: false });
    expect(await apart.load({ file, root })).toEqual(here);
  }
});

it('what stands beside the options and cannot be sent is not sent', async () => {
  const asked = { file: fileOf('beside.yaml', ''), root, steps: [], setLevel: () => {} };
  expect(await apart.load(asked)).toEqual(await tasks.load(asked));
  expect(await apart.edit(asked)).toEqual(await tasks.edit(asked));
  expect(await apart.profiles(asked)).toHaveLength((await tasks.profiles(asked)).length);
});

it('all profiles arrive as they are', async () => {
  const here = await tasks.profiles({ root });
  expect(here.length).toBeGreaterThan(5);
  expect(await apart.profiles({ root })).toEqual(here);
});

it('an edit arrives as it is', async () => {
  const file = fileOf('edited.yaml', '');
  const asked = { file, root, steps: [{ path: ['utility'], value: 'city' }] };
  const here = await tasks.edit(asked);
  expect(here).toMatchObject({ ok: true });
  expect(await apart.edit(asked)).toEqual(here);
});
