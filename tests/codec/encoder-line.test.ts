// What an encoder's text means, and that damage is refused instead of read.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_CAP, parseUi1203, registerOf } from '../../src/codec/encoder-line.ts';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const parse = (text: string) => parseUi1203(bytes(text));
/** The code of a refusal, or the message read. */
const outcome = (result: ReturnType<typeof parseUi1203>) =>
  result.ok ? result.value : result.fault.code;

/** 7E1 as a port opened 8N1 shows it: bit 7 makes the number of ones even. */
function withParity(text: string): Uint8Array {
  return bytes(text).map((byte) => (ones(byte) % 2 === 0 ? byte : byte | 0x80));
}

function ones(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length;
}

const digits = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789'), { minLength: length, maxLength: length })
    .map((all) => all.join(''));
const identification = fc
  .array(fc.constantFrom(...'0123456789ABCXYZabcxyz'), { minLength: 8, maxLength: 10 })
  .map((all) => all.join(''));
const variable = fc
  .record({ reading: digits(8), id: identification, swapped: fc.boolean() })
  .map(({ reading, id, swapped }) =>
    swapped ? `V;IB${id};GC00;RB${reading}` : `V;RB${reading};IB${id};GC00`,
  );
const fixed = fc.tuple(digits(4), digits(8)).map(([reading, id]) => `R${reading}${id}`);
const anyFrame = fc.oneof(variable, fixed).filter((frame) => parse(frame).ok);

describe('encoder messages', () => {
  it.each([
    ['R226107229550', '2261', '07229550'],
    ['V;RB003549269;IB0017118249;GC00;M1D0200,000000', '003549269', '0017118249'],
    ['V;RB99999987;IBLOT030115', '99999987', 'LOT030115'],
    [
      'V;RB00000200;IB61564400;A1000;Z3214;XT0746;MT0683;RR00000000;GX000000;GN000000',
      '00000200',
      '61564400',
    ],
    ['V;IMA12345;RB0001234', '0001234', 'A12345'],
    ['V;RB12345678', '12345678', null],
  ])('%s is read as sent', (frame, reading, id) => {
    expect(outcome(parse(frame))).toEqual({ digits: reading, id });
  });

  it('a line feed left over from a CR LF bridge is passed over', () => {
    expect(outcome(parse('\nR226107229550'))).toEqual({ digits: '2261', id: '07229550' });
    expect(outcome(parse('\n\nR226107229550'))).toBe('frame.malformed');
  });

  it('even parity left in bit 7 is checked and taken off', () => {
    const captured = [0xd2, 0xb2, 0xb2, 0x36, 0xb1, 0x30, 0xb7, 0xb2, 0xb2, 0x39, 0x35, 0x35, 0x30];
    expect(outcome(parseUi1203(Uint8Array.from(captured)))).toEqual({
      digits: '2261',
      id: '07229550',
    });
  });

  it.each(['R2?6107229550', 'V;RB0000?200;IB61564400', 'V;RB0000:200', 'V;RB051H05;IB1'])(
    'a wheel between two digits makes no number: %s',
    (frame) => {
      expect(outcome(parse(frame))).toBe('frame.unreadable');
    },
  );

  it('an identification with an unreadable character identifies nobody', () => {
    expect(outcome(parse('R22610722?550'))).toEqual({ digits: '2261', id: null });
  });

  it.each([
    ['nothing at all', ''],
    ['noise before the message', '\x00R226107229550'],
    ['a message that lost its head', 'B00000200;IB61564400'],
    ['a fixed message of 12 characters', 'R22610722955'],
    ['a fixed message of 14 characters', 'R2261072295501'],
    ['a decimal point', 'V;RB0035492.69;IB0017118249'],
    ['a sub-field whose meaning nobody published', 'V;RB0001234,01;IB17118249'],
    ['a reading that is missing', 'V;IB61564400;RR00000000'],
    ['an empty reading', 'V;RB;IB61564400'],
    ['two readings that disagree', 'V;RB00000200;IB61564400;RB00000201'],
    ['two identifications that disagree', 'V;RB00000200;IB61564400;IB61564401'],
    ['two messages glued together', 'V;RB00000V;RB00000200;IB61564400'],
    ['an empty field', 'V;RB00000200;;IB61564400'],
    ['a clean run of one character', '|'.repeat(40)],
    ['a message of two different characters', 'R111111111111'],
    ['more than 12 digits', 'V;RB1234567890123'],
    ['a reading of spaces', 'V;RB        ;IB61564400'],
    ['a minus', 'V;RB-0000200;IB61564400'],
  ])('%s is refused', (_what, frame) => {
    expect(outcome(parse(frame))).toBe('frame.malformed');
  });

  it('a reading said twice alike is believed', () => {
    expect(outcome(parse('V;RB00000200;RB00000200'))).toEqual({ digits: '00000200', id: null });
  });

  it('a message longer than the cap is refused, one as long is read', () => {
    const message = 'V;RB00000200;X';
    const filled = message.padEnd(FRAME_CAP, '0');
    expect(parse(filled).ok).toBe(true);
    expect(outcome(parse(`${filled}0`))).toBe('frame.malformed');
  });

  it('no bytes whatever make the parser throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (frame) => {
        const result = parseUi1203(frame);
        if (result.ok) expect(result.value.digits).toMatch(/^[0-9]{1,12}$/);
      }),
      { numRuns: 5_000 },
    );
  });

  it('what looks much like a message never makes the parser throw nor gives digits not in it', () => {
    const piece = fc.constantFrom(
      'V',
      ';',
      'RB',
      'IB',
      'R',
      '0',
      '9',
      '?',
      '1234',
      '.',
      '\n',
      '\xb2',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const result = parse(pieces.join(''));
        if (result.ok) expect(pieces.join('')).toContain(result.value.digits);
      }),
      { numRuns: 5_000 },
    );
  });

  it('without parity a changed byte gives no reading, or one with as many digits that differs in that digit alone', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.nat(255), (frame, at, byte) => {
        const damaged = bytes(frame);
        const index = at % damaged.length;
        damaged[index] = byte;
        const sent = parse(frame);
        const got = parseUi1203(damaged);
        if (!sent.ok || !got.ok) return;
        expect(got.value.digits.length).toBe(sent.value.digits.length);
        const changed = [...got.value.digits].filter((one, i) => one !== sent.value.digits[i]);
        expect(changed.length).toBeLessThanOrEqual(1);
        // Only a digit put in the place of a digit passes: there is no checksum to tell.
        if (changed.length === 1) {
          expect(frame[index]).toMatch(/[0-9]/);
          expect(String.fromCharCode(byte)).toMatch(/[0-9]/);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('a message cut anywhere gives no reading, or fewer digits, or loses only what stands after the reading', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), (frame, at) => {
        const sent = parse(frame);
        const got = parse(frame.slice(0, at % frame.length));
        if (!sent.ok || !got.ok) return;
        expect(sent.value.digits.startsWith(got.value.digits)).toBe(true);
        if (got.value.digits.length === sent.value.digits.length) {
          expect(got.value.digits).toBe(sent.value.digits);
        }
      }),
    );
  });

  it('with parity every flipped bit is refused, or changes nothing of the message', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const sent = parse(frame);
        const framed = withParity(frame);
        expect(parseUi1203(framed)).toEqual(sent);
        for (let bit = 0; bit < framed.length * 8; bit += 1) {
          const damaged = framed.slice();
          damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
          const got = parseUi1203(damaged);
          // A message with one parity bit in all, that of its R, is the plain message without it.
          if (got.ok) expect(got).toEqual(sent);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('digits on a dial', () => {
  it('as many digits as the dial has are its position', () => {
    expect(registerOf('00000012', { digits: 8 })).toEqual({ ok: true, value: 12 });
    expect(registerOf('9999', { digits: 4 })).toEqual({ ok: true, value: 9999 });
  });

  it.each([
    ['one digit more', '123456789', 8],
    ['one digit fewer, which may be a lost zero', '1234567', 8],
    ['no digits', '', 4],
    ['letters', '12E4', 4],
    ['more digits than can be counted exactly', '99999999999999999', 17],
  ])('%s is refused', (_what, sent, dial) => {
    const register = registerOf(sent, { digits: dial });
    expect(register).toMatchObject({ ok: false, fault: { code: 'register.digits' } });
  });
});
