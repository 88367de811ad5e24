// `meter-collector decode`: what a frame says, without any bus.

import { describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { fakeParts } from './fake-parts.ts';

/** One command line, its words given one by one as frames hold blanks and semicolons. */
async function typed(...words: string[]) {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    isTTY: false,
    hasKeyboard: false,
    env: {},
  };
  const exit = await runCli(['decode', ...words], io, fakeParts());
  return { exit, out, err };
}

async function json(...words: string[]) {
  const { exit, out, err } = await typed(...words, '--json');
  expect(err).toBe('');
  return { exit, said: JSON.parse(out) as unknown };
}

const BADGER = ['--profile', 'badger-e-series'];
const READ = {
  profile: 'badger-e-series',
  ok: true,
  read: 3549269,
  digits: '003549269',
  id: '0017118249',
  flags: [],
  fault: null,
};

describe('decode --json', () => {
  test.each([
    ['with its CR as an escape', 'V;RB003549269;IB0017118249;GC00;M1D0200,000000\\r'],
    ['with a real CR', 'V;RB003549269;IB0017118249;GC00;M1D0200,000000\r'],
    ['with CR LF', 'V;RB003549269;IB0017118249;GC00;M1D0200,000000\\r\\n'],
    ['without its CR', 'V;RB003549269;IB0017118249;GC00;M1D0200,000000'],
    ['with a character as \\xNN', 'V;RB003549269\\x3bIB0017118249;GC00'],
  ])('a line is read %s', async (_how, line) => {
    expect(await json(...BADGER, '--text', line)).toEqual({ exit: 0, said: READ });
  });

  test('a capture as a port gave it is cut as the line cuts it, and its last message told', async () => {
    const message = (digits: string) => `V;RB${digits};IB0017118249\\r`;
    const capture = `7118249\\r${message('003549268')}\\n${message('003549269')}\\x15`;
    const frames = { heard: 4, read: 2 };
    expect(await json(...BADGER, '--text', capture)).toEqual({
      exit: 0,
      said: { ...READ, frames },
    });
    const { out } = await typed(...BADGER, '--text', capture);
    expect(out).toContain('4, of which 2 could be read');
    const noise = await json(...BADGER, '--text', `\\x15\\xa3 ${message('003549269')}`);
    expect(noise).toEqual({ exit: 0, said: READ });
    const none = await json(...BADGER, '--text', `7118249\\rV;RB00354926?;IB0017118249\\r`);
    expect(none).toMatchObject({
      exit: 6,
      said: { ok: false, fault: { code: 'frame.unreadable' } },
    });
  });

  test('a Modbus reply is read as it came over TCP, of unit 255 too', async () => {
    const profile = ['--profile', 'generic-8-digit-modbus', '--hex'];
    for (const unit of ['01', '00', 'ff']) {
      const hex = `00 07 00 00 00 07 ${unit} 03 04 00 bc 61 4e`;
      expect(await json(...profile, hex)).toMatchObject({ exit: 0, said: { read: 12345678 } });
    }
    for (const wrong of [
      '00 07 00 01 00 07 01 03 04 00 bc 61 4e',
      '00 07 00 00 00 07 01 03 04 00 bc 61',
    ]) {
      expect((await json(...profile, wrong)).exit).toBe(6);
    }
    const refused = await json(...profile, '00 07 00 00 00 03 01 83 02');
    expect(refused).toMatchObject({ said: { fault: { code: 'modbus.exception' } } });
  });

  test('the keys are these, in this order', async () => {
    const { out } = await typed(...BADGER, '--json', '--text', 'V;RB003549269;IB0017118249');
    expect(Object.keys(JSON.parse(out) as object)).toEqual(Object.keys(READ));
  });

  test('the name of the file does too', async () => {
    const { exit } = await typed('--profile', 'badger-e-series.yaml', '--text', 'V;RB003549269');
    expect(exit).toBe(0);
  });

  test('bytes are read, with parity in their highest bit', async () => {
    const hex = 'D2 B2 B2 36 B1 30 B7 B2 B2 39 35 35 30 8D';
    const expected = { exit: 0, said: { read: 2261, id: '07229550' } };
    const fixed = ['--profile', 'sensus-ui1203-fixed', '--hex'];
    expect(await json(...fixed, hex)).toMatchObject(expected);
    expect(await json(...fixed, hex.replaceAll(' ', '').toLowerCase())).toMatchObject(expected);
  });

  test('a frame between STX and ETX is read', async () => {
    const line = '\\x02200SW\\x17000001\\x171234567890\\x17h\\x1758@\\x1772\\x03';
    expect(await json('--profile', 'neptune-e-coder', '--text', line)).toMatchObject({
      exit: 0,
      said: { read: 158, digits: '00000158', id: '1234567890' },
    });
  });

  test('a Modbus reply is read, and one with a bad CRC is not', async () => {
    const modbus = ['--profile', 'generic-8-digit-modbus', '--hex'];
    expect(await json(...modbus, '01 03 04 00 BC 61 4E 92 73')).toMatchObject({
      exit: 0,
      said: { read: 12345678, id: null, fault: null },
    });
    expect(await json(...modbus, '01 03 04 00 BC 61 4E 92 72')).toMatchObject({
      exit: 6,
      said: { ok: false, read: null, fault: { code: 'modbus.crc' } },
    });
  });

  test('a fault has nothing but itself', async () => {
    const { exit, said } = await json(...BADGER, '--text', 'V;RB00354926?;IB0017118249');
    expect(exit).toBe(6);
    expect(said).toEqual({
      profile: 'badger-e-series',
      ok: false,
      read: null,
      digits: null,
      id: null,
      flags: null,
      fault: { code: 'frame.unreadable', detail: expect.any(String) },
    });
  });
});

describe('decode for a person', () => {
  test('says reading, volume, identification and flags', async () => {
    const { exit, out, err } = await typed(...BADGER, '--text', 'V;RB003549269;IB0017118249');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toContain('003549269, 3549.269 ft3');
    expect(out).toContain('0017118249');
  });

  test('says the fault', async () => {
    const { exit, out } = await typed(...BADGER, '--text', 'V;RB00354926?');
    expect(exit).toBe(6);
    expect(out).toContain('frame.unreadable');
  });
});

describe('decode is refused with exit 2 for', () => {
  const line = ['--text', 'V;RB003549269'];
  test.each([
    [
      'an unknown profile, with the likely one',
      ['--profile', 'badger-e-serie', ...line],
      'badger-e-series',
    ],
    [
      'an unknown profile, with the one it begins',
      ['--profile', 'badger', ...line],
      'badger-e-series',
    ],
    ['a profile like no other', ['--profile', 'toaster', ...line], 'Known are'],
    ['a path instead of a name', ['--profile', '../devices/badger-e-series', ...line], ''],
    ['no profile', line, ''],
    ['no answer', BADGER, '--text'],
    ['two answers', [...BADGER, ...line, '--hex', '00'], '--hex'],
    ['half a byte', [...BADGER, '--hex', '0'], ''],
    ['bytes that are none', [...BADGER, '--hex', 'no'], ''],
    ['a text for a Modbus profile', ['--profile', 'generic-8-digit-modbus', ...line], '--hex'],
    ['a character of more than 8 bits', [...BADGER, '--text', 'V;RB00354926\u2460'], ''],
    ['an answer without end', [...BADGER, '--text', 'x'.repeat(20_000)], ''],
  ])('%s', async (_why, words, hint) => {
    const { exit, out, err } = await typed(...words);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toContain(hint);
    const said = JSON.parse((await typed(...words, '--json')).out) as object;
    expect(said).toMatchObject({ error: { code: expect.any(String) } });
  });
});
