// The second opinion: what the simulator writes for every device file, the collector reads back.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceNamed, devices, idLength } from '../../simulator/device.ts';
import { lineFrame, type Saying } from '../../simulator/encodings.ts';
import { crc16, rtuSlave } from '../../simulator/modbus-slave.ts';
import { registerMap } from '../../simulator/register-map.ts';
import { decodeFrame } from '../../src/codec/decode.ts';
import { blocksOf } from '../../src/codec/modbus-blocks.ts';
import type { Profile } from '../../src/domain/profile.ts';
import { shippedDevices } from '../codec/shipped.ts';

const shipped = await shippedDevices();

function profileNamed(name: string): Profile {
  const found = shipped.find(({ profile }) => profile.name === name);
  if (!found) throw new Error(`no such profile: ${name}`);
  return found.profile;
}

/** What the device of that name says, as the collector's codec is given it: without delimiters, or one RTU reply after the other. */
function spoken(name: string, saying: Saying): Uint8Array {
  const device = deviceNamed(name);
  const profile = profileNamed(name);
  if (device.transport === 'line') {
    const second = device.channel === 2;
    const frame = lineFrame(device, second ? [null, saying] : [saying]);
    const text = frame.toString('latin1');
    const end = device.framing.delimiter === 'CR LF' ? 2 : 1;
    if (device.framing.type === 'delimiter') return frame.subarray(0, -end);
    return text.startsWith('\x02') ? frame.subarray(1, -1) : frame;
  }
  if (profile.transport !== 'modbus') throw new Error('two opinions on the transport');
  const words = registerMap(device, [saying]);
  const answers: Buffer[] = [];
  const held = words ?? registerMap(device, []);
  const code = device.table === 'input' ? 4 : 3;
  const unit = { code, has: (at: number) => held?.has(at) === true, latch: () => words } as const;
  const slave = rtuSlave(() => unit)((bytes) => answers.push(Buffer.from(bytes)));
  for (const { address, quantity } of blocksOf(profile, 1)) {
    const request = Buffer.from([1, code, address >> 8, address & 255, 0, quantity, 0, 0]);
    request.writeUInt16LE(crc16(request.subarray(0, 6)), 6);
    slave.receive(request);
  }
  slave.end();
  return Buffer.concat(answers);
}

function decoded(name: string, saying: Saying) {
  const profile = profileNamed(name);
  const read = decodeFrame(profile, spoken(name, saying), profile.dial);
  return read.ok ? read.value : read.fault.code;
}

/** The collector's word for an encoder that cannot be read, by the way a device has of saying so. */
const UNREADABLE = ['frame.unreadable', 'register.stale', 'register.precision', 'modbus.exception'];

test('the simulator knows every device file', () => {
  expect([...devices().keys()].sort()).toEqual(shipped.map(({ profile }) => profile.name).sort());
});

describe.each([...devices().keys()])('%s', (name) => {
  const { dial } = deviceNamed(name);
  const length = idLength(deviceNamed(name));
  const ids = fc
    .stringMatching(/^[0-9A-Z]+$/, { size: 'medium' })
    .map((text) => (length === 0 ? null : text.slice(0, length).padStart(length, '0')));

  test('every register and identification comes back', () => {
    fc.assert(
      fc.property(fc.nat(10 ** dial.digits - 1), ids, (register, id) => {
        const digits = String(register).padStart(dial.digits, '0');
        const saying = { register, id, dial };
        // Of one character again and again an undriven line consists; a message of hardly more is refused.
        fc.pre(new Set(spoken(name, saying)).size > 2);
        expect(decoded(name, saying)).toEqual({ register, digits, id, flags: [] });
      }),
      {
        numRuns: 300,
        examples: [
          [0, idOf(length)],
          [10 ** dial.digits - 1, idOf(length)],
        ],
      },
    );
  });

  test('an encoder that cannot be read is a fault, never a number', () => {
    const saying = { register: 123, id: idOf(length), dial, unreadable: true };
    expect(UNREADABLE).toContain(decoded(name, saying));
  });
});

function idOf(length: number): string | null {
  return length === 0 ? null : '1234567890'.slice(0, length);
}

describe('frames seen on real registers', () => {
  const frame = (name: string, register: number, id: string, dial = deviceNamed(name).dial) => {
    const device = deviceNamed(name);
    return (
      device.transport === 'line' && lineFrame(device, [{ register, id, dial }]).toString('latin1')
    );
  };

  test('are written as those registers do', () => {
    expect(frame('sensus-ui1203-fixed', 2261, '07229550')).toBe('R226107229550\r');
    expect(frame('sensus-ui1203-variable', 99_999_987, 'LOT030115')).toBe(
      'V;RB99999987;IBLOT030115\r',
    );
    expect(frame('neptune-e-coder', 158, '1234567890')).toBe(
      '\x02200SW\x17000001\x171234567890\x17h\x1758@\x1772\x03',
    );
    expect(frame('elster-k-frame', 12_345, '12345678')).toBe('K0123450012345678306600700000');
  });
});
