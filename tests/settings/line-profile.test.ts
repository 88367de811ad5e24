// The form of a line's device file: how its frames are cut, and what each mistake is told as.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkProfile } from '../../src/settings/check-profile.ts';
import { compileSchema } from '../../src/settings/check-schema.ts';
import { parseYaml } from '../../src/settings/parse-yaml.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const schema = compileSchema(await readFile(join(ROOT, 'devices/device.schema.json'), 'utf8'));

const GOOD = `profile: x
maker: nobody
model: test
description: A test.
source: A test.
confidence: derived
transport: line
request: "#{address}\\r"
framing: { type: delimiter, delimiter: CR }
frame: ui1203
dial: { digits: 8, unit: ft3, pow10: -1 }
examples:
  - { text: "V;RB00000001", digits: "00000001", source: A test., confidence: derived }
`;

function checked(text: string) {
  const { source, problems } = parseYaml('x.yaml', text);
  if (source === undefined) throw new Error(JSON.stringify(problems));
  return checkProfile(source, 'x', schema);
}

describe("a line's device file", () => {
  it('becomes a profile: nothing is polled faster than nothing, all digits are sent, no check sum guards it', () => {
    const { device, problems } = checked(GOOD);
    expect(problems).toEqual([]);
    expect(device?.profile).toEqual({
      ...{ name: 'x', maker: 'nobody', model: 'test', confidence: 'derived', transport: 'line' },
      ...{ minPollS: 0, sends: 'all', checked: false, request: '#{address}\r', frame: 'ui1203' },
      framing: { kind: 'delimiter', delimiter: 'CR' },
      dial: { digits: 8, unit: 'ft3', pow10: -1 },
    });
  });

  it('says all that a line can say', () => {
    const refused = GOOD.replace('digits: "00000001"', 'fault: frame.malformed');
    const text = refused
      .replace('delimiter: CR', 'delimiter: CR LF')
      .replace(
        'frame: ui1203',
        'frame: ethermeter-ascii\nchannel: 2\nspeaks_every_s: 3\nmin_poll_s: 15\nsends: right-most',
      );
    expect(checked(text).device?.profile).toMatchObject({
      ...{ channel: 2, speaksEveryS: 3, minPollS: 15, sends: 'right-most' },
      framing: { kind: 'delimiter', delimiter: 'CR LF' },
    });
  });

  it.each([
    ['other digits', 'digits: "00000001"', 'digits: "00000002"'],
    ['a fault', 'digits: "00000001"', 'fault: frame.unreadable'],
    ['other counts', 'digits: "00000001"', 'digits: "00000001", read: 2'],
    ['a dial of other digits', '"V;RB00000001"', '"V;RB0000001"'],
  ])('whose example does not come out, for it says %s, is refused there', (_why, said, wrong) => {
    const { problems, device } = checked(GOOD.replace(said, wrong));
    expect(problems).toMatchObject([{ code: 'example.value', line: 13, column: 5 }]);
    expect(device).toBeUndefined();
  });

  const framing = (text: string) => GOOD.replace('{ type: delimiter, delimiter: CR }', text);

  it.each([
    ['{ type: stx-etx }', { kind: 'stx-etx' }],
    ['{ type: fixed, start: K, length: 29 }', { kind: 'fixed', start: 'K', length: 29 }],
  ])('has the framing %s', (text, expected) => {
    expect(checked(framing(text)).device?.profile).toMatchObject({ framing: expected });
  });

  it.each([
    ['no framing', GOOD.replace(/framing: .*\n/, ''), ['1:1 key.missing']],
    ['a delimiter that is not said', framing('{ type: delimiter }'), ['9:10 key.missing']],
    ['an unknown delimiter', framing('{ type: delimiter, delimiter: LF }'), ['9:40 value.enum']],
    ['a key of another framing', framing('{ type: stx-etx, length: 29 }'), ['9:27 key.misplaced']],
    [
      'a start of two characters',
      framing('{ type: fixed, start: KK, length: 29 }'),
      ['9:32 value.pattern'],
    ],
    [
      'a frame longer than any',
      framing('{ type: fixed, start: K, length: 129 }'),
      ['9:43 value.range'],
    ],
    ['a frame without a codec', GOOD.replace('ui1203', 'ui1204'), ['10:8 value.enum ui1203']],
    [
      'a channel in a frame of one meter',
      GOOD.replace('frame: ui1203', 'frame: ui1203\nchannel: 1'),
      ['11:1 key.misplaced'],
    ],
    [
      'no channel in a frame of two',
      GOOD.replace('frame: ui1203', 'frame: ethermeter-ascii'),
      ['1:1 key.missing'],
    ],
    [
      'a Modbus key',
      GOOD.replace('frame: ui1203', 'frame: ui1203\ntable: holding'),
      ['11:1 key.misplaced'],
    ],
    [
      'a flag that nobody raises',
      GOOD.replace('digits: "00000001"', 'digits: "00000001", flags: [leek]'),
      ['13:57 example.value leak'],
    ],
    [
      'a fault that there is not',
      GOOD.replace('digits: "00000001"', 'fault: frame.unreadble'),
      ['13:36 example.value frame.unreadable'],
    ],
    [
      'two answers in one example',
      GOOD.replace('digits: "0', 'hex: "00", digits: "0'),
      ['13:5 example.value'],
    ],
    [
      'a fault beside a reading',
      GOOD.replace('digits: "00000001"', 'digits: "00000001", fault: frame.malformed'),
      ['13:5 example.value'],
    ],
  ])('is refused for %s', (_why, text, expected) => {
    const found = checked(text).problems.map(({ code, line, column, suggestion }) =>
      [`${line}:${column}`, code, ...(suggestion === undefined ? [] : [suggestion])].join(' '),
    );
    expect(found).toEqual(expected);
  });
});
