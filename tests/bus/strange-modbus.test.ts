// What Modbus devices and gateways of all makers answer: read as it was meant, or refused, and never in the way of the next.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/boundaries.ts';
import { BusTally } from '../../src/bus/bus-tally.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { adviceOn, type BusKind } from '../../src/domain/bus-advice.ts';
import { crc, rtu, wordBytes } from '../boundaries/modbus-device.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const TIMEOUT_MS = 1_000;
const PROFILE = modbusProfile({ type: 'u32', order: 'ABCD' });
const REGISTER = 12_345_678;
const PDU = [3, 4, ...wordBytes([REGISTER >>> 16, REGISTER & 0xffff])];

let clock: VirtualClock;
let wire: ScriptedWire;
let tally: BusTally;
beforeEach(() => {
  clock = new VirtualClock();
  wire = new ScriptedWire(clock);
  tally = new BusTally(clock);
});

function busOver(kind: 'rtu' | 'mbap'): Bus {
  const common = { wire, clock, ear: tally };
  const link = kind === 'rtu' ? createRtuLink({ ...common, baud: 9_600 }) : createMbapLink(common);
  return createModbusBus({
    ...{ link, clock, tally, timeoutMs: TIMEOUT_MS, reopenMaxMs: 30_000, random: () => 0.5 },
  });
}

/** What so many polls, a minute apart, make of unit 7. */
async function polled(bus: Bus, times: number, address = '7') {
  const target = { meter: 'SP-7', address, profile: PROFILE, dial: PROFILE.dial };
  const told: (number | string)[] = [];
  for (let i = 0; i < times; i += 1) {
    const read = await clock.runUntil(bus.read(target));
    told.push(read.ok ? read.value.register : read.fault.code);
    await clock.run(clock.trueNow() + 60_000);
  }
  return told;
}

/** An MBAP frame around unit and PDU; `more` bytes that its length counts, and such that it does not. */
function mbap(
  request: Uint8Array,
  unit: number,
  pdu: readonly number[],
  more: readonly number[] = [],
) {
  const length = 1 + pdu.length + more.length;
  return Uint8Array.of(
    ...request.subarray(0, 4),
    length >> 8,
    length & 0xff,
    unit,
    ...pdu,
    ...more,
  );
}

const READ = [REGISTER, REGISTER, REGISTER];

describe('a Modbus TCP answer', () => {
  it.each([0, 255])('of a device that always says it is unit %i is read', async (unit) => {
    wire.device((request) => wire.say(mbap(request, unit, PDU), 20));
    expect(await polled(busOver('mbap'), 3)).toEqual(READ);
  });

  it.each([0, 255])(
    'of a device that answers as unit %i only is read by that address',
    async (unit) => {
      wire.device((request) => {
        if (request[6] === unit) wire.say(mbap(request, unit, PDU), 20);
      });
      expect(await polled(busOver('mbap'), 3, String(unit))).toEqual(READ);
      expect(await polled(busOver('mbap'), 1)).toEqual(['line.silent']);
    },
  );

  it('of another unit is not, and nobody says that all meters answer', async () => {
    wire.device((request) => wire.say(mbap(request, 9, PDU), 20));
    expect(await polled(busOver('mbap'), 3)).toEqual(Array(3).fill('modbus.unexpected'));
    expect(advice('tcp')).toEqual(['meter.unread']);
  });

  it('that brings along the CRC of the line behind the gateway is read', async () => {
    const sum = [...crc(Uint8Array.of(7, ...PDU))];
    wire.device((request) => wire.say(mbap(request, 7, PDU, sum), 20));
    expect(await polled(busOver('mbap'), 3)).toEqual(READ);
  });

  it('that is filled up with zeros is read, with anything else it is not', async () => {
    wire.device((request) => wire.say(mbap(request, 7, PDU, [0, 0, 0]), 20));
    const bus = busOver('mbap');
    expect(await polled(bus, 3)).toEqual(READ);
    wire.device((request) => wire.say(mbap(request, 7, PDU, [1, 2]), 20));
    expect(await polled(bus, 2)).toEqual(['modbus.unexpected', 'modbus.unexpected']);
  });

  it('that is filled up beyond its length is read, and so is the next', async () => {
    wire.device((request) => wire.say(Uint8Array.of(...mbap(request, 7, PDU), 0, 0), 20));
    expect(await polled(busOver('mbap'), 3)).toEqual(READ);
    expect(wire.opens).toBe(1);
  });

  it('that comes late is told as its unit’s, whatever unit it names', async () => {
    let afterMs = 1_300;
    wire.device((request) => wire.say(mbap(request, 255, PDU), afterMs));
    const bus = busOver('mbap');
    expect(await polled(bus, 2)).toEqual(['line.silent', 'line.silent']);
    expect(tally.seen().meters[0]?.latestMs).toBeCloseTo(1_300, 0);
    expect(advice('tcp')).toEqual(['meter.late']);
    afterMs = 20;
    expect(await polled(bus, 1)).toEqual([REGISTER]);
  });

  it('that stops short of its length is refused, and the next one read', async () => {
    let isShort = true;
    wire.device((request) => {
      const whole = mbap(request, 7, PDU);
      wire.say(isShort ? whole.subarray(0, -2) : whole, 20);
    });
    const bus = busOver('mbap');
    expect(await polled(bus, 1)).toEqual(['line.torn']);
    isShort = false;
    expect(await polled(bus, 1)).toEqual([REGISTER]);
  });

  it('cannot be of another question: words less or more, or another function', async () => {
    for (const pdu of [
      [3, 2, 0, 188],
      [3, 8, ...PDU.slice(2), ...PDU.slice(2)],
      [4, ...PDU.slice(1)],
    ]) {
      wire.device((request) => wire.say(mbap(request, 7, pdu), 20));
      expect(await polled(busOver('mbap'), 1)).toEqual(['modbus.unexpected']);
    }
  });
});

describe('an exception', () => {
  const KINDS = ['rtu', 'mbap'] as const;
  const refuse = (kind: (typeof KINDS)[number], exception: number) =>
    wire.device((request) =>
      wire.say(kind === 'rtu' ? rtu(7, 0x83, exception) : mbap(request, 7, [0x83, exception]), 20),
    );

  it.each(KINDS)('of any number is a refusal, and the next answer is read (%s)', async (kind) => {
    const bus = busOver(kind);
    for (const exception of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x80, 0xff]) {
      refuse(kind, exception);
      expect(await polled(bus, 1)).toEqual(['modbus.exception']);
    }
    wire.device((request) => wire.say(kind === 'rtu' ? rtu(7, ...PDU) : mbap(request, 7, PDU), 20));
    expect(await polled(bus, 1)).toEqual([REGISTER]);
  });

  it.each([10, 11])(
    '%i of a gateway is told as the silence of the meter behind it',
    async (exception) => {
      refuse('mbap', exception);
      await polled(busOver('mbap'), 3);
      expect(advice('tcp')).toEqual(['bus.silent']);
    },
  );

  it('of the meter itself is told as its refusal', async () => {
    refuse('mbap', 2);
    await polled(busOver('mbap'), 3);
    expect(advice('tcp')).toEqual(['meter.refuses']);
  });
});

it('a serial line is never asked as unit 0, which is everybody, nor as 255', async () => {
  const asked: Uint8Array[] = [];
  wire.device((request) => void asked.push(request));
  for (const address of ['0', '255']) {
    await expect(
      clock.runUntil(
        busOver('rtu').read({ meter: 'SP-7', address, profile: PROFILE, dial: PROFILE.dial }),
      ),
    ).rejects.toThrow();
  }
  expect(asked).toEqual([]);
});

describe('an RTU answer', () => {
  it.each([
    ['with padding behind it', [], [0, 0]],
    ['with much padding behind it', [], [0, 0, 0, 0, 0, 0, 0, 0]],
    ['behind zeros', [0, 0, 0], []],
    ['behind the spike of a driver', [0xfe], []],
    ['behind an echo of the question', 'echo', []],
    ['between spikes', [0xff], [0xff]],
  ] as const)('%s is read', async (_how, before, behind) => {
    wire.device((request) => {
      const first = before === 'echo' ? [...request] : before;
      wire.say(Uint8Array.of(...first, ...rtu(7, ...PDU), ...behind), 20);
    });
    expect(await polled(busOver('rtu'), 3)).toEqual(READ);
  });

  it('that a repeater says twice is read, and is no second meter', async () => {
    wire.device(() => {
      wire.say(rtu(7, ...PDU), 20);
      wire.say(rtu(7, ...PDU), 60);
    });
    expect(await polled(busOver('rtu'), 4)).toEqual([...READ, REGISTER]);
    expect(advice('rtu')).toEqual(['bus.fine']);
  });
});

/** The findings on the bus, as far as it was asked. */
function advice(kind: BusKind): string[] {
  const meters = tally.seen().meters.map((meter) => ({ ...meter, address: '7' }));
  const found = adviceOn({ bus: 'pit', kind, open: true, link: '', timeoutMs: TIMEOUT_MS, meters });
  return found.map(({ code }) => code);
}
