// Every example of every file in devices/ through the codec, and the form of those files.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseUi1203, registerOf } from '../../src/codec/encoder-line.ts';
import { countsOf } from '../../src/codec/modbus-words.ts';
import type { Result } from '../../src/domain/fault.ts';
import type { Profile } from '../../src/domain/profile.ts';
import type { Example } from '../../src/settings/check-profile.ts';
import { loadProfiles } from '../../src/settings/load-profiles.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const shipped = await loadProfiles(ROOT);

/** What comes out of an example's answer, in the form of what the example expects. */
function outcome(example: Example, profile: Profile): Partial<Example> {
  const read =
    profile.transport === 'line' ? fromLine(example, profile) : fromWords(example, profile);
  return read.ok ? read.value : { fault: read.fault.code };
}

function fromLine(example: Example, profile: Profile): Result<Partial<Example>> {
  const message = parseUi1203(example.frame ?? new Uint8Array());
  if (!message.ok) return message;
  const { digits, id } = message.value;
  const register = registerOf(digits, profile.dial);
  return register.ok ? { ok: true, value: { digits, ...(id === null ? {} : { id }) } } : register;
}

function fromWords(example: Example, profile: Profile): Result<Partial<Example>> {
  if (profile.transport !== 'modbus') throw new Error('a line has no words');
  const counts = countsOf(example.words ?? [], profile, profile.dial);
  if (!counts.ok) return counts;
  return { ok: true, value: { digits: String(counts.value).padStart(profile.dial.digits, '0') } };
}

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

  const examples = shipped.devices.flatMap(({ profile, examples }) =>
    examples.map((example, i) => ({ name: profile.name, number: i + 1, profile, example })),
  );

  test.each(examples)(
    '$name reads its example $number as the dial showed it',
    ({ profile, example }) => {
      const { digits, id, fault } = example;
      expect(outcome(example, profile)).toEqual(JSON.parse(JSON.stringify({ digits, id, fault })));
    },
  );
});

describe('a device file is refused for', () => {
  const good = `profile: x
description: A test.
source: A test.
confidence: derived
transport: modbus
table: holding
address: 0
type: u16
dial: { digits: 4, unit: ft3, pow10: 2 }
examples:
  - { words: [1], digits: "0001", source: A test., confidence: derived }
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
    ['no example', `${good.split('examples:')[0]}examples: []`, ['10:11 list.length']],
    ['an example without an answer', good.replace('words: [1], ', ''), ['11:5 example.value']],
    ['an example without a dial', good.replace('digits: "0001", ', ''), ['11:5 example.value']],
    [
      "a line's key in a Modbus profile",
      good.replace('type: u16', 'type: u16\nframe: ui1203'),
      ['9:1 key.misplaced'],
    ],
    ['a dial wider than its word', good.replace('digits: 4', 'digits: 5'), ['9:17 dial.too_wide']],
    [
      'an unknown confidence',
      good.replace('confidence: derived\n', 'confidence: hearsay\n'),
      ['4:13 value.enum'],
    ],
  ])('%s', async (_why, text, expected) => {
    expect(await found(text)).toEqual(expected);
  });
});
