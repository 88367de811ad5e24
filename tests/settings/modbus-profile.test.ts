// The form of a Modbus device file, its addresses in the settings, and what each mistake is told as.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DEVICE_FLAGS } from '../../src/domain/device-flag.ts';
import type { ModbusProfile } from '../../src/domain/profile.ts';
import { checkMeters } from '../../src/settings/check-meters.ts';
import { checkProfile } from '../../src/settings/check-profile.ts';
import { compileSchema } from '../../src/settings/check-schema.ts';
import { Findings } from '../../src/settings/findings.ts';
import { parseYaml } from '../../src/settings/parse-yaml.ts';
import { modbusProfile } from '../fakes/profiles.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const schema = compileSchema(await readFile(join(ROOT, 'devices/device.schema.json'), 'utf8'));

const GOOD = `profile: x
maker: nobody
model: test
description: A test.
source: A test.
confidence: derived
transport: modbus
table: input
channels: 3
readable: [[0, 20]]
register:
  address: 0
  step: 2
  type: u32
  order: CDAB
  unit: { address: 10, type: u16, codes: { 0x1: { unit: ft3, pow10: 2 }, 4: { unit: gal } } }
  pow10: { address: 11, step: 1, type: i16 }
dial_digits: { address: 12, type: u16 }
id: { address: 30, type: ascii-pair, words: 4 }
status:
  - { address: 40, type: u32, bits: { 31: leak, 8: register.stale }, bit_step: 1 }
  - { address: 42, type: u16, codes: { 85: empty_pipe }, nonzero: rollover_counted }
dial: { digits: 8, unit: ft3, pow10: -1 }
examples:
  - { hex: 01 84 02 C2 C1, fault: modbus.exception, source: A test., confidence: derived }
`;

function checked(text: string) {
  const { source, problems } = parseYaml('x.yaml', text);
  if (source === undefined) throw new Error(JSON.stringify(problems));
  return checkProfile(source, 'x', schema);
}

describe('a Modbus device file', () => {
  it('becomes a profile, with the usual order where none is said', () => {
    expect(checked(GOOD).problems).toEqual([]);
    const profile = checked(GOOD).device?.profile as ModbusProfile;
    expect(profile).toMatchObject({ checked: true, table: 'input', channels: 3 });
    expect(profile.register).toEqual({
      address: 0,
      step: 2,
      type: 'u32',
      order: 'CDAB',
      unit: {
        ...{ address: 10, step: 0, type: 'u16', order: 'AB' },
        codes: { '1': { unit: 'ft3', pow10: 2 }, '4': { unit: 'gal', pow10: 0 } },
      },
      pow10: { address: 11, step: 1, type: 'i16', order: 'AB' },
    });
    expect(profile.dialDigits).toEqual({ address: 12, step: 0, type: 'u16', order: 'AB' });
    expect(profile.id).toEqual({ address: 30, step: 0, type: 'ascii-pair', words: 4 });
    expect(profile.status.map(({ order, bitStep }) => [order, bitStep])).toEqual([
      ['ABCD', 1],
      ['AB', 0],
    ]);
  });

  it.each([
    ['no register', /^register:\n(?: .*\n)+/m, '', ['1:1 key.missing']],
    [
      'a type that there is not, with an order',
      'type: u32\n  order',
      'type: bcd24\n  order',
      ['14:9 value.enum'],
    ],
    ['an order that no type has', 'order: CDAB', 'order: CDBA', ['15:10 value.enum']],
    ['an order that its type does not have', 'order: CDAB', 'order: AB', ['15:10 value.enum']],
    [
      'an order of eight for a float of four',
      'u32\n  order: CDAB',
      'f32\n  order: ABCDEFGH',
      ['15:10 value.enum'],
    ],
    ['an address beyond 65535', 'address: 0\n', 'address: 65536\n', ['12:12 value.range']],
    ['a channel beyond 65535', 'address: 0\n', 'address: 65531\n', ['12:12 value.range']],
    ['a range that runs backwards', '[[0, 20]]', '[[20, 0]]', ['10:12 value.range']],
    ['a bit that its word does not have', 'bits: { 31', 'bits: { 32', ['21:43 value.range']],
    ['a flag that there is not', 'leak', 'leek', ['21:43 value.enum']],
    ['a fault that no status raises', 'register.stale', 'register.unit', ['21:52 value.enum']],
    [
      'a status that raises nothing',
      'codes: { 85: empty_pipe }, nonzero: rollover_counted',
      'step: 1',
      ['22:5 key.missing'],
    ],
    ['a unit that no dial has', 'unit: gal', 'unit: acre', ['16:85 value.enum']],
    ['a code that is no number', '4: { unit', 'four: { unit', ['16:74 key.unknown']],
    ['text without a length', ', words: 4', '', ['19:5 key.missing']],
    [
      'a float with an exponent register that is a float',
      '11, step: 1, type: i16',
      '11, step: 1, type: f32',
      ['17:40 value.enum'],
    ],
    ['a dial that its type cannot carry', 'digits: 8', 'digits: 10', ['23:17 dial.too_wide']],
    ["a line's key", 'table: input', 'table: input\nframe: ui1203', ['9:1 key.misplaced']],
  ])('with %s is refused at its place', (_what, from, to, expected) => {
    const text = GOOD.replace(from, to);
    expect(text).not.toBe(GOOD);
    const found = checked(text).problems.map(
      ({ line, column, code }) => `${line}:${column} ${code}`,
    );
    expect(found).toEqual(expected);
  });

  it.each([
    ['holding', 40001, 'address 0 with table: holding'],
    ['input', 40108, 'address 107 with table: holding'],
    ['input', 30001, 'address 0 with table: input'],
    ['holding', 39999, 'address 9998 with table: input'],
  ])('of the table %s with the address %i is doubted, and says %s', (table, address, instead) => {
    const text = GOOD.replace('table: input', `table: ${table}`)
      .replace('01 84 02 C2 C1', table === 'input' ? '01 84 02 C2 C1' : '01 83 02 C0 F1')
      .replace('address: 0', `address: ${address}`)
      .replace('address: 10,', `address: ${address + 10},`);
    const { device, problems, warnings } = checked(text);
    expect(problems).toEqual([]);
    expect(device).toBeDefined();
    expect(warnings).toMatchObject([{ code: 'address.notation', line: 12, column: 12 }]);
    expect(warnings[0]?.message).toContain(instead);
  });

  it.each([
    [400001, 'write address 0 with table: holding'],
    [300055, 'write address 54 with table: input'],
  ])('with the address %i is refused, and says to %s', (address, instead) => {
    const { problems } = checked(GOOD.replace('address: 0', `address: ${address}`));
    expect(problems.map(({ code }) => code)).toEqual(['value.range', 'address.notation']);
    expect(problems[1]?.message).toContain(instead);
  });

  it('with an address that no manual begins a table with is not doubted', () => {
    for (const address of [1, 3022, 29_999, 30_000, 40_000, 50_000, 65_000]) {
      expect(checked(GOOD.replace('address: 0', `address: ${address}`)).warnings).toEqual([]);
    }
  });

  it('may raise every flag there is', () => {
    for (const flag of Object.keys(DEVICE_FLAGS)) {
      expect(checked(GOOD.replace('leak', flag)).problems).toEqual([]);
    }
  });

  it.each([
    ['u16', 'AB', 4],
    ['u32', 'ABCD', 9],
    ['bcd32', 'CDAB', 8],
    ['f32', 'ABCD', 7],
    ['whole-nano', 'ABCD', 10],
  ])('a %s carries a dial of so many digits and not one more', (type, order, most) => {
    const file = (digits: number) =>
      GOOD.replace('u32\n  order: CDAB', `${type}\n  order: ${order}`).replace(
        'digits: 8',
        `digits: ${digits}`,
      );
    expect(checked(file(most)).problems).toEqual([]);
    expect(checked(file(most + 1)).problems.map(({ code }) => code)).toEqual(['dial.too_wide']);
  });
});

describe('the address and dial of a Modbus meter in the settings', () => {
  const many = modbusProfile(
    { type: 'f32', order: 'ABCD', step: 2, unit: 'm3' },
    { channels: 23, dial: { digits: 7, unit: 'm3', pow10: -1 } },
  );
  const one = { ...modbusProfile({ type: 'u32', order: 'ABCD' }), name: 'one' };
  const profiles = {
    names: ['test', 'one'],
    byName: new Map([
      ['test', many],
      ['one', one],
    ]),
  };
  const found = (...meters: string[]) => on('modbus-rtu', ...meters);
  const on = (type: string, ...meters: string[]) =>
    problemsOn(type, ...meters).map(({ code }) => code);
  const problemsOn = (type: string, ...meters: string[]) => {
    const text = `buses:\n  - { bus: b, type: ${type} }\nmeters:\n${meters
      .map((meter, i) => `  - { meter: M${i}, bus: b, ${meter} }`)
      .join('\n')}\n`;
    const { source } = parseYaml('s.yaml', text);
    if (source === undefined) throw new Error('not YAML');
    const findings = new Findings(source);
    checkMeters(source, profiles, findings);
    return findings.problems;
  };

  it('is a unit, with a channel where the device has several', () => {
    expect(found('profile: one, address: 17')).toEqual([]);
    expect(found('profile: test, address: 17/23', 'profile: test, address: 17/1')).toEqual([]);
    expect(found('profile: test, address: 17/24')).toEqual(['address.range']);
    expect(found('profile: test, address: 17/0')).toEqual(['address.range']);
    expect(found('profile: one, address: 17/2')).toEqual(['address.range']);
    for (const address of ['0', '248', '1/', '/1', '1/1/1', 'x']) {
      expect(found(`profile: one, address: "${address}"`)).toEqual(['address.range']);
    }
  });

  it('is 0 or 255 over TCP, where both mean the one device itself, and on no serial line', () => {
    for (const address of ['0', '255', '"255"']) {
      expect(on('modbus-tcp', `profile: one, address: ${address}`)).toEqual([]);
      expect(on('modbus-rtu', `profile: one, address: ${address}`)).toEqual(['address.range']);
      expect(on('modbus-rtu-tcp', `profile: one, address: ${address}`)).toEqual(['address.range']);
    }
    const twice = on('modbus-tcp', 'profile: one, address: 0', 'profile: one, address: 255');
    expect(twice).toEqual(['address.duplicate']);
    // Who wrote 255 sees no other 255 on that line.
    const [told] = problemsOn(
      'modbus-tcp',
      'profile: one, address: 0',
      'profile: one, address: 255',
    );
    expect(told?.message).toMatch(/"255".*"0" on line 4/);
    const channels = (a: string, b: string) =>
      on('modbus-tcp', `profile: test, address: ${a}`, `profile: test, address: ${b}`);
    expect(channels('255/2', '0/2')).toEqual(['address.duplicate']);
    expect(channels('255/2', '0/3')).toEqual([]);
    expect(channels('255', '1')).toEqual([]);
    for (const address of ['248', '254', '256', '255/24', '-1', 'x']) {
      expect(on('modbus-tcp', `profile: test, address: "${address}"`)).toEqual(['address.range']);
    }
  });

  it('no two meters share a channel, however it is written', () => {
    expect(found('profile: test, address: 17/1', 'profile: test, address: "017"')).toEqual([
      'address.duplicate',
    ]);
  });

  it('a dial in another unit than the device counts in is refused', () => {
    expect(found('profile: test, address: 1/1, dial: { unit: L }')).toEqual([]);
    expect(found('profile: test, address: 1/1, dial: { unit: ft3 }')).toEqual(['dial.unit']);
    expect(found('profile: test, address: 1/1, dial: { digits: 8 }')).toEqual(['dial.too_wide']);
  });
});
