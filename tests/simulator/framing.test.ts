// The simulator's own framing, byte by byte: line requests, RTU and MBAP, in parts, with noise, and with what is wrong.

import { describe, expect, test, vi } from 'vitest';
import { lineBridge } from '../../simulator/line-bridge.ts';
import { crc16, mbapSlave, rtuSlave, type UnitWords } from '../../simulator/modbus-slave.ts';
import { HangUp, type Service } from '../../simulator/ports.ts';

/** Says the chunks to a service; what it answered, in hex (or text). */
function say(
  service: Service,
  chunks: readonly Buffer[],
  form: 'hex' | 'latin1' = 'hex',
): string[] {
  const answers: string[] = [];
  const conversation = service((bytes) => answers.push(Buffer.from(bytes).toString(form)));
  for (const chunk of chunks) conversation.receive(chunk);
  conversation.end();
  return answers;
}

function rtu(hex: string): Buffer {
  const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const crc = crc16(body);
  return Buffer.concat([body, Buffer.from([crc & 0xff, crc >>> 8])]);
}

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const HELD = new Map([
  [0, 0x05f5],
  [1, 0xe0ff],
]);
const DIAL: UnitWords = { has: (address) => HELD.has(address), latch: () => HELD };
const units = (unit: number): UnitWords | null => (unit === 1 ? DIAL : null);

describe('the line bridge', () => {
  const message = Buffer.from('V;RB00000042;IB12345678\r');
  const bridge = lineBridge((address) => (address === '7' ? message : null));
  const line = (...texts: string[]) =>
    say(
      bridge,
      texts.map((text) => Buffer.from(text, 'latin1')),
      'latin1',
    );
  const answer = 'V;RB00000042;IB12345678\r';

  test('answers its own address and is silent for others', () => {
    expect(line('#7\r')).toEqual([answer]);
    expect(line('#8\r')).toEqual([]);
    expect(line('7\r')).toEqual([]);
    expect(line('#\r')).toEqual([]);
  });

  test('joins a request that comes in parts, and answers two that come as one', () => {
    expect(line('#', '7', '\r')).toEqual([answer]);
    expect(line('#7\r#7\r')).toEqual([answer, answer]);
  });

  test('passes over noise before a request, however much', () => {
    expect(line('\u0000|||', '#7\r')).toEqual([answer]);
    expect(line('#1\n#7\r')).toEqual([answer]);
    expect(line('x'.repeat(5000), 'y'.repeat(5000), '#7\r')).toEqual([answer]);
  });
});

describe('the RTU slave', () => {
  const answer = rtu('01 03 04 05f5 e0ff').toString('hex');

  test('computes the CRC of the known request 01 03 00 00 00 02 as C4 0B', () => {
    expect(rtu('01 03 0000 0002').toString('hex')).toBe('010300000002c40b');
  });

  test('answers functions 3 and 4 with the words in address order, high byte first', () => {
    const slave = rtuSlave(units);
    expect(say(slave, [rtu('01 03 0000 0002')])).toEqual([answer]);
    expect(say(slave, [rtu('01 04 0001 0001')])).toEqual([rtu('01 04 02 e0ff').toString('hex')]);
  });

  test('says exceptions 1, 2 and 3, in the order of the specification', () => {
    const refused = (hex: string) => say(rtuSlave(units), [rtu(hex)])[0];
    expect(refused('01 06 0000 0001')).toBe(rtu('01 86 01').toString('hex'));
    expect(refused('01 03 0001 0002')).toBe(rtu('01 83 02').toString('hex'));
    expect(refused('01 03 ffff 0002')).toBe(rtu('01 83 02').toString('hex'));
    expect(refused('01 03 0000 0000')).toBe(rtu('01 83 03').toString('hex'));
    expect(refused('01 04 0900 007e')).toBe(rtu('01 84 03').toString('hex'));
  });

  test('is silent for other units, for broadcasts and for a wrong CRC', () => {
    const broken = rtu('01 03 0000 0002');
    broken[7] = (broken[7] ?? 0) ^ 1;
    const others = [rtu('02 03 0000 0002'), rtu('00 03 0000 0002'), broken];
    expect(say(rtuSlave(units), others)).toEqual([]);
  });

  test('refuses a function it has never heard of once the line falls silent', () => {
    vi.useFakeTimers();
    try {
      const answers: string[] = [];
      const slave = rtuSlave(units)((answer) => answers.push(Buffer.from(answer).toString('hex')));
      slave.receive(rtu('01 11'));
      expect(answers).toEqual([]);
      vi.advanceTimersByTime(200);
      expect(answers).toEqual([rtu('01 91 01').toString('hex')]);
      slave.receive(rtu('01 11').subarray(0, 2));
      vi.advanceTimersByTime(200);
      slave.receive(rtu('01 11').subarray(2));
      vi.advanceTimersByTime(200);
      expect(answers).toHaveLength(1);
      slave.receive(rtu('01 11'));
      vi.advanceTimersByTime(200);
      expect(answers).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test('joins a request that comes byte by byte, and finds one behind noise', () => {
    const request = rtu('01 03 0000 0002');
    const single = [...request].map((byte) => Buffer.from([byte]));
    expect(say(rtuSlave(units), single)).toEqual([answer]);
    expect(say(rtuSlave(units), [bytes('55 aa 00 ff 13'), request])).toEqual([answer]);
    expect(say(rtuSlave(units), [Buffer.concat([bytes('01 03'), request])])).toEqual([answer]);
    expect(say(rtuSlave(units), [Buffer.alloc(9000, 3), request])).toEqual([answer]);
  });
});

describe('the MBAP slave', () => {
  test('repeats transaction and unit, and answers requests in parts or together', () => {
    const request = bytes('1234 0000 0006 01 03 0000 0002');
    const answer = '1234000000070103' + '0405f5e0ff';
    expect(say(mbapSlave(units), [request])).toEqual([answer]);
    expect(say(mbapSlave(units), [request.subarray(0, 5), request.subarray(5)])).toEqual([answer]);
    expect(say(mbapSlave(units), [Buffer.concat([request, request])])).toEqual([answer, answer]);
  });

  test('says exceptions, and nothing for another unit', () => {
    expect(say(mbapSlave(units), [bytes('0001 0000 0006 01 03 0000 0003')])).toEqual([
      '000100000003018302',
    ]);
    expect(say(mbapSlave(units), [bytes('0001 0000 0006 01 10 0000 0001')])).toEqual([
      '000100000003019001',
    ]);
    expect(say(mbapSlave(units), [bytes('0001 0000 0006 05 03 0000 0001')])).toEqual([]);
  });

  test('hangs up on what is not Modbus', () => {
    expect(() => say(mbapSlave(units), [bytes('0001 0007 0006 01 03 0000 0002')])).toThrow(HangUp);
    expect(() => say(mbapSlave(units), [bytes('0001 0000 fff0 01 03 0000 0002')])).toThrow(HangUp);
  });
});
