// The files in devices/ are whole, and what a broken one is refused for; their examples run in tests/devices.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadProfiles } from '../../src/settings/load-profiles.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const shipped = await loadProfiles(ROOT);

describe('the profiles that are shipped', () => {
  test('are whole, and are the four generic ones at least', () => {
    expect(shipped.problems).toEqual([]);
    expect(shipped.names).toEqual(
      expect.arrayContaining([
        'generic-4-digit-line',
        'generic-4-digit-modbus',
        'generic-8-digit-line',
        'generic-8-digit-modbus',
      ]),
    );
  });

  test('stand in the table of devices/README.md', async () => {
    const readme = await readFile(join(ROOT, 'devices/README.md'), 'utf8');
    expect(shipped.names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('a device file is refused for', () => {
  const good = `profile: x
maker: nobody
model: test
description: A test.
source: A test.
confidence: derived
transport: modbus
table: holding
register: { address: 0, type: u16 }
dial: { digits: 4, unit: ft3, pow10: 2 }
examples:
  - { hex: 01 03 02 00 01 79 84, digits: "0001", source: A test., confidence: derived }
`;
  const found = async (text: string) => {
    const root = await mkdtemp(join(tmpdir(), 'devices-'));
    try {
      await mkdir(join(root, 'devices'));
      const schema = await readFile(join(ROOT, 'devices/device.schema.json'), 'utf8');
      await writeFile(join(root, 'devices/device.schema.json'), schema);
      await writeFile(join(root, 'devices/x.yaml'), text);
      const { problems } = await loadProfiles(root);
      return problems.map(({ code, line, column }) => `${line}:${column} ${code}`);
    } finally {
      await rm(root, { recursive: true });
    }
  };

  test.each([
    ['nothing, when it is whole', good, []],
    [
      "a name other than its file's",
      good.replace('profile: x', 'profile: y'),
      ['1:10 profile.name'],
    ],
    ['no example', `${good.split('examples:')[0]}examples: []`, ['11:11 list.length']],
    [
      'an example without an answer',
      good.replace('hex: 01 03 02 00 01 79 84, ', ''),
      ['12:5 example.value'],
    ],
    ['an example without a dial', good.replace('digits: "0001", ', ''), ['12:5 example.value']],
    [
      "a line's key in a Modbus profile",
      good.replace('table: holding', 'table: holding\nframe: ui1203'),
      ['9:1 key.misplaced'],
    ],
    ['a dial wider than its word', good.replace('digits: 4', 'digits: 5'), ['10:17 dial.too_wide']],
    [
      'an unknown confidence',
      good.replace('confidence: derived\n', 'confidence: hearsay\n'),
      ['6:13 value.enum'],
    ],
  ])('%s', async (_why, text, expected) => {
    expect(await found(text)).toEqual(expected);
  });
});
