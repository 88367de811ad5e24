// Settings loaded in a process of their own are what they are when loaded here: good ones, and bad ones with every problem.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { loadApart } from '../../src/settings/load-apart.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'apart-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Only the built program can be started. */
const built = (await import(join(root, 'dist/src/settings/load-apart.js'))) as {
  loadApart: typeof loadApart;
};

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
  const here = await loadSettings({ file, root });
  const apart = await built.loadApart({ file, root });
  expect(here).toMatchObject({ ok: true });
  expect(apart).toEqual(here);
  const [one, other] = apart?.ok ? apart.settings.meters : [];
  expect(one?.profile).toBeDefined();
  expect(one?.profile).toBe(other?.profile);
});

it('bad settings arrive as all of their problems, and a file that is not there as one', async () => {
  for (const file of [fileOf('bad.yaml', 'collectr: x\npoll: 3'), join(folder, 'none.yaml')]) {
    const here = await loadSettings({ file, root });
    expect(here).toMatchObject({ ok: false });
    expect(await built.loadApart({ file, root })).toEqual(here);
  }
});
