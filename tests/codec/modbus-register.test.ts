// What the words of a device say of its dial: scale, unit, capacity, identification and alarms.

import { describe, expect, it } from 'vitest';
import { blocksOf } from '../../src/codec/modbus-blocks.ts';
import { registerIn } from '../../src/codec/modbus-register.ts';
import type { ModbusNumber, ModbusProfile, ModbusStatus } from '../../src/domain/profile.ts';
import type { Dial } from '../../src/domain/units.ts';
import { modbusProfile } from '../fakes/profiles.ts';

const at = (address: number, more: Partial<ModbusNumber> = {}): ModbusNumber => ({
  ...{ address, step: 0, type: 'i16', order: 'AB' },
  ...more,
});
const TOTAL = { type: 'u32', order: 'ABCD', address: 0 } as const;
const EIGHT: Dial = { digits: 8, unit: 'ft3', pow10: -1 };

/** The register shown when the device's words are these, by address; the fault's code where there is none. */
function shown(
  profile: ModbusProfile,
  words: Readonly<Record<number, number>>,
  { dial = EIGHT, channel = 1 }: { dial?: Dial; channel?: number } = {},
) {
  const answers = blocksOf(profile, channel).map((block) => ({
    block,
    words: Array.from({ length: block.quantity }, (_, i) => words[block.address + i] ?? 0),
  }));
  const register = registerIn(answers, profile, dial, channel);
  return register.ok ? register.value : register.fault.code;
}

const counts = (...given: Parameters<typeof shown>) => {
  const register = shown(...given);
  return typeof register === 'string' ? register : register.register;
};

describe('the scale of a total', () => {
  it("is the dial's own where nothing says otherwise", () => {
    const plain = modbusProfile(TOTAL);
    expect(counts(plain, { 1: 123 })).toBe(123);
    expect(counts(plain, { 1: 123 }, { dial: { digits: 4, unit: 'gal', pow10: 3 } })).toBe(123);
  });

  it('may be fixed', () => {
    expect(counts(modbusProfile({ ...TOTAL, pow10: -3 }), { 1: 12_399 })).toBe(123);
    expect(counts(modbusProfile({ ...TOTAL, pow10: 0 }), { 1: 123 })).toBe('register.precision');
  });

  it('may be an exponent that the device says', () => {
    const said = modbusProfile({ ...TOTAL, pow10: at(9) });
    expect(counts(said, { 1: 123, 9: 0xffff })).toBe(123);
    expect(counts(said, { 1: 12_399, 9: 0xfffd })).toBe(123);
    expect(counts(said, { 1: 123, 9: 0 })).toBe('register.precision');
    expect(counts(said, { 1: 123, 9: 13 })).toBe('register.unit');
    expect(counts(said, { 1: 123, 9: 0x8000 })).toBe('register.unit');
  });

  it('of 64 bits or in BCD is the dial’s own, or fixed, as any whole number', () => {
    const words = { 0: 0x614e, 1: 0x00bc, 2: 0, 3: 0 };
    const long = { type: 'u64', order: 'GHEFCDAB', address: 0 } as const;
    expect(counts(modbusProfile(long), words)).toBe(12_345_678);
    expect(counts(modbusProfile({ ...long, pow10: -3 }), words)).toBe(123_456);
    const full = { 0: 0xffff, 1: 0xffff, 2: 0xffff, 3: 0xffff };
    expect(counts(modbusProfile(long), full)).toBe('register.digits');
    expect(counts(modbusProfile({ ...long, type: 'i64' }), full)).toBe('register.precision');
    const bcd = { type: 'bcd32', order: 'CDAB', address: 0 } as const;
    expect(counts(modbusProfile(bcd), { 0: 0x5678, 1: 0x1234 })).toBe(12_345_678);
    expect(counts(modbusProfile({ ...bcd, pow10: -2 }), { 0: 0x5678, 1: 0x1234 })).toBe(1_234_567);
    expect(counts(modbusProfile(bcd), { 0: 0xffff, 1: 0xffff })).toBe('register.precision');
  });

  it('may be a code that the device says, and an unknown one is never guessed at', () => {
    const codes = { '3': -1, '2': -2 };
    const said = modbusProfile({ ...TOTAL, pow10: { ...at(9), codes } });
    expect(counts(said, { 1: 123, 9: 3 })).toBe(123);
    expect(counts(said, { 1: 1239, 9: 2 })).toBe(123);
    for (const code of [0, 1, 4, 0xffff]) {
      expect(counts(said, { 1: 123, 9: code })).toBe('register.unit');
    }
  });
});

describe('the unit of a total', () => {
  const codes = {
    '0': { unit: 'm3', pow10: 0 },
    '1': { unit: 'ft3', pow10: 0 },
    '2': { unit: 'ft3', pow10: -2 },
    '8': { unit: 'L', pow10: 0 },
  } as const;
  const said = modbusProfile({ ...TOTAL, type: 'f32', unit: { ...at(9), codes } });
  const F_12_5 = { 0: 0x4148, 1: 0 };

  it("is taken from the device's code, with its power of ten", () => {
    expect(counts(said, { ...F_12_5, 9: 1 })).toBe(125);
    expect(counts(said, { ...F_12_5, 9: 2 })).toBe(1);
  });

  it('is refused when unknown, or another than the dial has', () => {
    expect(counts(said, { ...F_12_5, 9: 7 })).toBe('register.unit');
    expect(counts(said, { ...F_12_5, 9: 0 })).toBe('register.unit');
    expect(counts(modbusProfile({ ...TOTAL, unit: 'gal' }), { 1: 5 })).toBe('register.unit');
  });

  it('litres and cubic metres are a power of ten apart, and nothing else is', () => {
    const m3: Dial = { digits: 8, unit: 'm3', pow10: -3 };
    expect(counts(said, { ...F_12_5, 9: 0 }, { dial: m3 })).toBe(12_500);
    expect(counts(said, { ...F_12_5, 9: 8 }, { dial: m3 })).toBe(12);
    expect(counts(said, { ...F_12_5, 9: 0 }, { dial: { digits: 8, unit: 'L', pow10: 0 } })).toBe(
      12_500,
    );
    expect(counts(said, { ...F_12_5, 9: 8 }, { dial: { ...m3, unit: 'gal' } })).toBe(
      'register.unit',
    );
  });
});

describe('the dial that a device says it has', () => {
  const said = modbusProfile({ ...TOTAL, pow10: at(9) }, { dialDigits: at(8) });
  it('must pass zero where ours does', () => {
    expect(counts(said, { 1: 47, 8: 8, 9: 0xffff })).toBe(47);
    expect(counts(said, { 1: 47, 8: 7, 9: 0xffff })).toBe('register.digits');
    expect(counts(said, { 1: 470, 8: 9, 9: 0xfffe })).toBe(47);
    expect(counts(said, { 1: 47, 8: 4, 9: 2 })).toBe('register.digits');
    const four: Dial = { digits: 4, unit: 'ft3', pow10: 2 };
    expect(counts(said, { 1: 47, 8: 4, 9: 2 }, { dial: four })).toBe(47);
  });
});

describe('the status of a device', () => {
  const word = (more: Partial<ModbusStatus>): ModbusStatus => ({
    ...at(5, { type: 'u16' }),
    bitStep: 0,
    ...more,
  });
  const flags = (status: ModbusStatus, value: number, channel = 1) => {
    const register = shown(
      modbusProfile(TOTAL, { status: [status], channels: 2 }),
      { 5: value },
      { channel },
    );
    return typeof register === 'string' ? register : register.flags;
  };

  it('its bits raise flags, each once', () => {
    const battery = word({ bits: { '7': 'low_battery', '12': 'low_battery', '15': 'leak' } });
    expect(flags(battery, 0)).toEqual([]);
    expect(flags(battery, 1 << 7)).toEqual(['low_battery']);
    expect(flags(battery, 0xffff)).toEqual(['low_battery', 'leak']);
    expect(flags(battery, ~((1 << 7) | (1 << 12) | (1 << 15)) & 0xffff)).toEqual([]);
  });

  it('the highest bit of a signed word is a bit like any other', () => {
    const signed = { ...word({ bits: { '15': 'leak', '3': 'tamper' } }), type: 'i16' } as const;
    expect(flags(signed, 0x8000)).toEqual(['leak']);
    expect(flags(signed, 0xfff7)).toEqual(['leak']);
    expect(new Set(flags(signed, 0x8008))).toEqual(new Set(['leak', 'tamper']));
  });

  it('another channel has another bit', () => {
    const reverse = word({ bits: { '12': 'reverse_flow' }, bitStep: 1 });
    expect([flags(reverse, 1 << 12, 1), flags(reverse, 1 << 12, 2)]).toEqual([
      ['reverse_flow'],
      [],
    ]);
    expect([flags(reverse, 1 << 13, 1), flags(reverse, 1 << 13, 2)]).toEqual([
      [],
      ['reverse_flow'],
    ]);
  });

  it('a code raises its flag, any other none', () => {
    const pipe = word({ codes: { '85': 'empty_pipe' } });
    expect([0x55, 0xaa, 0, 0x5500].map((code) => flags(pipe, code))).toEqual([
      ['empty_pipe'],
      [],
      [],
      [],
    ]);
  });

  it('what is only there after a rollover is told, and never added to the register', () => {
    const rollovers = word({ nonzero: 'rollover_counted' });
    const counting = modbusProfile(TOTAL, { status: [rollovers] });
    expect(shown(counting, { 1: 47, 5: 3 })).toEqual({
      register: 47,
      digits: '00000047',
      id: null,
      flags: ['rollover_counted'],
    });
  });

  it('a register that is not fresh is none', () => {
    expect(flags(word({ bits: { '8': 'register.stale' } }), 1 << 8)).toBe('register.stale');
    expect(flags(word({ nonzero: 'register.stale' }), 0xffff)).toBe('register.stale');
  });
});

describe('the identification of a device', () => {
  it('is a number or a text, and null where it is no text', () => {
    const number = modbusProfile(TOTAL, { id: at(20, { type: 'u32', order: 'ABCD' }) });
    expect(shown(number, { 20: 0x02df, 21: 0xa3b1 })).toMatchObject({ id: '48210865' });
    const text = modbusProfile(TOTAL, { id: { address: 20, step: 0, type: 'ascii', words: 4 } });
    expect(shown(text, { 20: 0x41, 21: 0x31, 22: 0x32 })).toMatchObject({ id: 'A12' });
    expect(shown(text, { 20: 0x1041 })).toMatchObject({ id: null });
  });
});
