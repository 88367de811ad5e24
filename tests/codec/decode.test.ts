// What each line codec reads and refuses, beyond the examples of its device file.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../src/codec/decode.ts';
import { withEvenParity } from '../../src/codec/seven-bit.ts';
import type { Framing, LineFrame, LineProfile } from '../../src/domain/profile.ts';
import type { Dial } from '../../src/domain/units.ts';
import { lineProfile } from '../fakes/profiles.ts';

const CR: Framing = { kind: 'delimiter', delimiter: 'CR' };
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

interface Setting {
  readonly dial?: Partial<Dial>;
  readonly more?: Partial<LineProfile>;
}

/** The register and identification read, or the fault's code. */
function decode(frame: LineFrame, text: string | Uint8Array, { dial, more }: Setting = {}) {
  const profile = { ...lineProfile(frame, CR), ...more };
  const read = decodeFrame(profile, typeof text === 'string' ? bytes(text) : text, {
    ...profile.dial,
    ...dial,
  });
  return read.ok ? read.value : read.fault.code;
}

const NEPTUNE = '200SW\x17000001\x171234567890\x17h\x1758@\x1772';
const K = 'K0123450012345678306600700000';
const SIX: Setting = { dial: { digits: 6, pow10: 0 } };
const ETHER = ':12345678;47;0;0;0;0;0;0;0;0;1;0;1';

describe('the digits of a dial', () => {
  it('of a device that counts further than the dial are its last', () => {
    const more = { sends: 'right-most' } as const;
    expect(decode('ui1203', 'V;RB123456789;IB1', { more })).toMatchObject({
      register: 23456789,
      digits: '23456789',
    });
    expect(decode('ui1203', 'V;RB1234567;IB1', { more })).toBe('register.digits');
  });

  it.each(['all', 'left-most'] as const)('that are too many are refused (%s)', (sends) => {
    expect(decode('ui1203', 'V;RB123456789;IB1', { more: { sends } })).toBe('register.digits');
  });
});

describe('a Neptune frame', () => {
  it('has 6 digits in its first field and 2 in its last', () => {
    expect(decode('neptune-arb', NEPTUNE)).toEqual({
      ...{ register: 158, digits: '00000158', id: '1234567890', flags: [] },
    });
    expect(decode('neptune-arb', NEPTUNE, SIX)).toMatchObject({ register: 1, digits: '000001' });
  });

  it('is read whatever its check sum and flag characters say: their rules are not known', () => {
    expect(decode('neptune-arb', NEPTUNE.replace(/72$/, '00'))).toMatchObject({ register: 158 });
    expect(decode('neptune-arb', NEPTUNE.replace('h', '~').replace('@', 'A'))).toMatchObject({
      register: 158,
    });
  });

  it.each(['00?001', '00:001', '051H05'])('with a wheel at %s is unreadable', (digits) => {
    expect(decode('neptune-arb', NEPTUNE.replace('000001', digits))).toBe('frame.unreadable');
  });

  it('with a wheel in its last digits is unreadable, but not for a dial that ends before them', () => {
    const frame = NEPTUNE.replace('58@', '?8@');
    expect(decode('neptune-arb', frame)).toBe('frame.unreadable');
    expect(decode('neptune-arb', frame, SIX)).toMatchObject({ register: 1 });
  });

  it.each([
    ['a digit less', NEPTUNE.replace('000001', '00001')],
    ['a field less', NEPTUNE.replace('\x17h', '')],
    ['another character than ETB between fields', NEPTUNE.replace('\x17', ';')],
    ['a letter in the reading', NEPTUNE.replace('000001', '00A001')],
    ['a control character', NEPTUNE.replace('h', '\x07')],
    ['a blank in its last digits', NEPTUNE.replace('58@', '5 @')],
  ])('with %s is refused', (_what, frame) => {
    expect(decode('neptune-arb', frame)).toBe('frame.malformed');
  });
});

describe('a K-frame', () => {
  const with_ = (
    change: Partial<Record<'value' | 'unit' | 'wheels' | 'before' | 'error', string>>,
  ) =>
    `K${change.value ?? '012345'}0012345678${change.unit ?? '30'}${change.wheels ?? '6'}${change.before ?? '6'}0070${change.error ?? '00'}00`;

  it('has 6 digits, an identification and the volume of one count', () => {
    expect(with_({})).toBe(K);
    expect(decode('elster-k', K, SIX)).toEqual({
      ...{ register: 12345, digits: '012345', id: '0012345678', flags: [] },
    });
  });

  it.each([
    ['01', 'm3', 0],
    ['11', 'm3', 1],
    ['21', 'm3', 2],
    ['02', 'gal', 3],
    ['04', 'L', 0],
    ['05', 'ft3', 2],
    ['06', 'gal', 0],
    ['08', 'm3', 0],
    ['30', 'ft3', 0],
  ] as const)('with unit %s counts in %s x 10^%d', (code, unit, pow10) => {
    const dial = { digits: 6, unit, pow10 };
    expect(decode('elster-k', with_({ unit: code }), { dial })).toMatchObject({ register: 12345 });
    const shifted = { dial: { ...dial, pow10: pow10 - 2 } };
    expect(decode('elster-k', with_({ unit: code, before: '4' }), shifted)).toMatchObject({
      register: 12345,
    });
    expect(decode('elster-k', with_({ unit: code, before: '5' }), { dial })).toBe('register.unit');
  });

  it.each(['03', '31', '32', '33'])('with unit %s fits none of our dials', (unit) => {
    expect(decode('elster-k', with_({ unit }), SIX)).toBe('register.unit');
  });

  it('with a unit that nobody published is read and flagged', () => {
    expect(decode('elster-k', with_({ unit: 'FF' }), SIX)).toMatchObject({
      ...{ register: 12345, flags: ['unit_unknown'] },
    });
  });

  it('of 4 wheels is read from the side that the profile says, and refused where it says none', () => {
    const frame = with_({ value: '123456', wheels: '4', before: '4' });
    const dial = { digits: 4, pow10: 0 };
    const from = (sends: LineProfile['sends']) =>
      decode('elster-k', frame, { dial, more: { sends } });
    expect(from('left-most')).toMatchObject({ register: 1234 });
    expect(from('right-most')).toMatchObject({ register: 3456 });
    expect(from('all')).toBe('register.digits');
  });

  it('of 4 wheels on a dial of 6, or the other way round, is refused', () => {
    const four = with_({ wheels: '4', before: '4' });
    for (const sends of ['all', 'left-most', 'right-most'] as const)
      expect(decode('elster-k', four, { ...SIX, more: { sends } })).toBe('register.digits');
    expect(decode('elster-k', K, { dial: { digits: 4, pow10: 0 } })).toBe('register.digits');
  });

  it('only the wheels that are there must be readable', () => {
    const frame = with_({ value: '1234??', wheels: '4', before: '4' });
    const dial = { digits: 4, pow10: 0 };
    expect(decode('elster-k', frame, { dial, more: { sends: 'left-most' } })).toMatchObject({
      register: 1234,
    });
    expect(decode('elster-k', frame, { dial, more: { sends: 'right-most' } })).toBe(
      'frame.unreadable',
    );
  });

  it.each(['01234?', ':12345', '0H2345'])('with a wheel at %s is unreadable', (value) => {
    expect(decode('elster-k', with_({ value }), SIX)).toBe('frame.unreadable');
  });

  it('that reports an error is unreadable', () => {
    expect(decode('elster-k', with_({ error: '12' }), SIX)).toBe('frame.unreadable');
  });

  it.each([
    ['28 characters', K.slice(0, -1)],
    ['30 characters', `${K}0`],
    ['another start', `J${K.slice(1)}`],
    ['seven wheels', with_({ wheels: '7' })],
    ['a blank in the value', with_({ value: ' 12345' })],
    ['a unit that is no code', with_({ unit: 'GG' })],
    ['no decimal point', with_({ before: '-' })],
  ])('of %s is refused', (_what, frame) => {
    expect(decode('elster-k', frame, SIX)).toBe('frame.malformed');
  });
});

describe('a line of an EtherMeter', () => {
  const meter = (channel: number): Setting => ({ more: { channel } });

  it('has the totals of two meters, with or without leading zeros, and no identification', () => {
    expect(decode('ethermeter-ascii', ETHER, meter(1))).toEqual({
      ...{ register: 12345678, digits: '12345678', id: null, flags: [] },
    });
    expect(decode('ethermeter-ascii', ETHER, meter(2))).toMatchObject({ digits: '00000047' });
    expect(decode('ethermeter-ascii', ETHER.replace('47', '00000047'), meter(2))).toMatchObject({
      register: 47,
    });
  });

  it('a total of more digits than the dial is refused', () => {
    expect(decode('ethermeter-ascii', ETHER.replace(':', ':9'), meter(1))).toBe('register.digits');
  });

  it("a meter's own fault makes it unreadable, the other's does not", () => {
    const faulted = ETHER.replace('0;0;0;0;0;0', '0;0;0;0;7;0');
    expect(decode('ethermeter-ascii', faulted, meter(1))).toBe('frame.unreadable');
    expect(decode('ethermeter-ascii', faulted, meter(2))).toMatchObject({ register: 47 });
  });

  it('a second meter that is not connected does not hurt the first', () => {
    const alone = ETHER.replace('47', '');
    expect(decode('ethermeter-ascii', alone, meter(1))).toMatchObject({ register: 12345678 });
    expect(decode('ethermeter-ascii', alone, meter(2))).toBe('frame.malformed');
  });

  it.each([
    ['no colon', ETHER.slice(1)],
    ['twelve fields', ETHER.slice(0, -2)],
    ['fourteen fields', `${ETHER};0`],
    ['two lines glued together', `${ETHER}${ETHER}`],
    ['a flow that is no number', ETHER.replace('47;0', '47;1.5')],
    ['a negative total', ETHER.replace(':1', ':-1')],
    ['a blank', ETHER.replace(';47', '; 47')],
  ])('with %s is refused', (_what, frame) => {
    expect(decode('ethermeter-ascii', frame, meter(1))).toBe('frame.malformed');
  });
});

describe('any form of text', () => {
  const SAMPLES: readonly (readonly [LineFrame, string, Setting])[] = [
    ['ui1203', 'V;RB12345678;IB48213377', {}],
    ['neptune-arb', NEPTUNE, {}],
    ['elster-k', K, SIX],
    ['ethermeter-ascii', ETHER, {}],
  ];

  it.each(SAMPLES)(
    '%s in 7E1 on a port opened 8N1 is verified and read',
    (frame, text, setting) => {
      const seen = bytes(text).map(withEvenParity);
      expect(seen.some((byte) => byte > 0x7f)).toBe(true);
      expect(decode(frame, seen, setting)).toEqual(decode(frame, text, setting));
      for (let bit = 0; bit < seen.length * 8; bit += 1) {
        const damaged = seen.slice();
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(decode(frame, damaged, setting)).toBe('frame.malformed');
      }
    },
  );

  it.each(SAMPLES)('%s never makes the codec throw, whatever the bytes', (frame, text, setting) => {
    const near = fc
      .tuple(fc.nat(text.length), fc.nat(5), fc.uint8Array({ maxLength: 4 }))
      .map(([at, gone, put]) => [
        ...bytes(text.slice(0, at)),
        ...put,
        ...bytes(text.slice(at + gone)),
      ])
      .map((all) => Uint8Array.from(all));
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 200 })), (damaged) => {
        const read = decode(frame, damaged, setting);
        if (typeof read === 'string') return;
        expect(read.digits).toMatch(/^[0-9]+$/);
        expect(read.register).toBe(Number(read.digits));
      }),
      { numRuns: 2_000 },
    );
  });
});
