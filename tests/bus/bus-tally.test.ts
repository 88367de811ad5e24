// What a bus keeps count of, on virtual time: by meter, since the start and over a day, and how busy its wire is.

import { beforeEach, describe, expect, it } from 'vitest';
import type { ReadTarget } from '../../src/boundaries.ts';
import { BusTally } from '../../src/bus/bus-tally.ts';
import { createLineBus } from '../../src/bus/line-bus.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import type { LineProfile } from '../../src/domain/profile.ts';
import { rtu, wordBytes } from '../boundaries/modbus-device.ts';
import { lineProfile, modbusProfile } from '../fakes/profiles.ts';
import { ScriptedLine } from '../fakes/scripted-line.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const TIMEOUT_MS = 1_000;
const HOUR_MS = 3_600_000;
const EIGHT = modbusProfile({ type: 'u32', order: 'ABCD' });
const modbus = (unit: number): ReadTarget => ({
  ...{ meter: `SP-${unit}`, address: String(unit), profile: EIGHT, dial: EIGHT.dial },
});
const LINE: LineProfile = {
  ...lineProfile('ui1203', { kind: 'delimiter', delimiter: 'CR' }),
  ...{ dial: { digits: 8, unit: 'ft3', pow10: -1 }, request: '#{address}\r' },
};
const encoder = (address: string): ReadTarget => ({
  ...{ meter: `SP-${address}`, address, profile: LINE, dial: LINE.dial },
  registerId: `4821337${address}`,
});

let clock: VirtualClock;
let tally: BusTally;
beforeEach(() => {
  clock = new VirtualClock();
  tally = new BusTally(clock);
});
const pass = (ms: number) => clock.run(clock.trueNow() + ms);
const of = (meter: string) => {
  const seen = tally.seen().meters.find((one) => one.meter === meter);
  if (!seen) throw new Error(`nothing seen of ${meter}`);
  return seen;
};
const more = () => ({
  clock,
  timeoutMs: TIMEOUT_MS,
  reopenMaxMs: 30_000,
  random: () => 0.5,
  tally,
});

describe('the counts of a bus', () => {
  it('forget what is older than a day, and keep the sum since the start', async () => {
    tally.ended('SP-1', good(1), 40, false);
    await pass(23 * HOUR_MS);
    tally.ended('SP-1', faulty('modbus.crc', 'wrong'), 40, true);
    expect(of('SP-1').day).toMatchObject({ polls: 2, ok: 1, crc: 1, second: 1 });
    await pass(3 * HOUR_MS);
    expect(of('SP-1').day).toMatchObject({ polls: 1, ok: 0, crc: 1 });
    await pass(100 * HOUR_MS);
    expect(of('SP-1').day).toMatchObject({ polls: 0, ok: 0, crc: 0 });
    expect(of('SP-1').total).toMatchObject({ polls: 2, ok: 1, crc: 1 });
  });

  it('tell how busy the wire was in the last hour, and how many reads still fit', async () => {
    for (let i = 0; i < 60; i += 1) {
      tally.used(good(1), 6_000);
      await pass(60_000);
    }
    const seen = tally.seen();
    expect(seen.utilisation).toBeCloseTo(0.1, 1);
    expect(seen.readMs).toBe(6_000);
    expect(seen.headroomPerMin).toBeCloseTo(9, 0);
    await pass(2 * HOUR_MS);
    expect(tally.seen()).toMatchObject({ utilisation: 0, headroomPerMin: null });
  });

  it('say nothing of a meter when the port is away', () => {
    tally.ended('SP-1', faulty('port.absent', 'gone'), 0, false);
    tally.used(faulty('port.absent', 'gone'), 0);
    expect(tally.seen()).toMatchObject({ meters: [], readMs: null });
  });

  it('keep the last sixteen ends and no more, however long it runs', () => {
    for (let i = 0; i < 1_000; i += 1) tally.ended('SP-1', faulty('line.silent', ''), 0, false);
    for (let i = 0; i < 3; i += 1) tally.ended('SP-1', good(1), 5, false);
    expect(of('SP-1').recent).toHaveLength(16);
    expect(of('SP-1').recent.slice(-4)).toEqual(['timeouts', 'ok', 'ok', 'ok']);
  });
});

describe('what each kind of bus counts', () => {
  it('an RTU unit that answers late: the time-out, the refused answer and how late it came', async () => {
    const wire = new ScriptedWire(clock);
    const link = createRtuLink({ wire, clock, baud: 9_600, ear: tally });
    const bus = createModbusBus({ link, ...more() });
    let afterMs = 40;
    wire.device(([unit = 0]) => wire.say(rtu(unit, 3, 4, ...wordBytes([0, 7])), afterMs));
    expect(await clock.runUntil(bus.read(modbus(1)))).toMatchObject({ ok: true });
    afterMs = 1_400;
    expect(await clock.runUntil(bus.read(modbus(2)))).toMatchObject({ ok: false });
    await pass(1_000);
    expect(of('SP-1')).toMatchObject({ total: { polls: 1, ok: 1, timeouts: 0 }, recent: ['ok'] });
    expect(of('SP-1').p50Ms).toBeCloseTo(40, 0);
    expect(of('SP-2')).toMatchObject({ total: { polls: 1, timeouts: 1, late: 1 } });
    expect(of('SP-2').latestMs).toBeCloseTo(1_400, 0);
  });

  it('a Modbus TCP peer that answers late, and one that answers what nobody asked', async () => {
    const wire = new ScriptedWire(clock);
    const bus = createModbusBus({ link: createMbapLink({ wire, clock, ear: tally }), ...more() });
    const answer = (request: Uint8Array, transaction = request[1] ?? 0) => {
      const head = [request[0] ?? 0, transaction, 0, 0, 0, 7, request[6] ?? 0];
      return Uint8Array.from([...head, 3, 4, 0, 0, 0, 9]);
    };
    wire.device((request) => wire.say(answer(request), 1_300));
    expect(await clock.runUntil(bus.read(modbus(3)))).toMatchObject({ ok: false });
    await pass(500);
    wire.device((request) => {
      wire.say(answer(request, 77), 5);
      wire.say(answer(request), 10);
    });
    expect(await clock.runUntil(bus.read(modbus(3)))).toMatchObject({ ok: true });
    expect(of('SP-3').total).toMatchObject({ polls: 2, ok: 1, timeouts: 1, late: 1, unasked: 1 });
    expect(of('SP-3').latestMs).toBeCloseTo(1_300, 0);
  });

  it('encoders on a line: a late answer is counted for who was asked, not as a stranger', async () => {
    const line = new ScriptedLine(clock);
    const bus = createLineBus({ line, ...more() });
    const frame = (address: string) => `V;RB00000007;IB4821337${address}\r`;
    line.answer((request) => {
      const address = request.slice(1, -1);
      return [{ bytes: frame(address), afterMs: address === '1' ? 1_300 : 400 }];
    });
    expect(await clock.runUntil(bus.read(encoder('1')))).toMatchObject({ ok: false });
    expect(await clock.runUntil(bus.read(encoder('2')))).toMatchObject({ ok: true });
    expect(of('SP-1').total).toMatchObject({ polls: 1, timeouts: 1, late: 1, wrong_id: 0 });
    expect(of('SP-2').total).toMatchObject({ polls: 1, ok: 1, wrong_id: 0 });
    expect(of('SP-1').latestMs).toBeCloseTo(1_300, 0);
  });

  it('another encoder answers while a silent meter still owes its answer: nobody is told as late', async () => {
    const line = new ScriptedLine(clock);
    const bus = createLineBus({ line, ...more() });
    line.answer((request) =>
      request === '#2\r' ? [{ bytes: 'V;RB00000007;IB999\r', afterMs: 400 }] : [],
    );
    for (let i = 0; i < 3; i += 1) {
      await clock.runUntil(bus.read(encoder('1')));
      const read = await clock.runUntil(bus.read(encoder('2')));
      expect(read).toMatchObject({ fault: { code: 'frame.wrong_id', id: '999' } });
    }
    expect(of('SP-1').total).toMatchObject({ timeouts: 3, late: 0 });
    expect(of('SP-2').total).toMatchObject({ timeouts: 0, wrong_id: 3 });
    expect(of('SP-2').strangerId).toBe('999');
  });

  it('a late answer of the meter before is no other encoder at the address of one that is silent', async () => {
    const line = new ScriptedLine(clock);
    const bus = createLineBus({ line, ...more() });
    line.answer((request) =>
      request === '#1\r' ? [{ bytes: 'V;RB00000009;IB48213371\r', afterMs: 1_200 }] : [],
    );
    await clock.runUntil(bus.read(encoder('1')));
    expect(await clock.runUntil(bus.read(encoder('2')))).toMatchObject({
      fault: { code: 'line.silent' },
    });
    expect(of('SP-2').total).toMatchObject({ timeouts: 1, wrong_id: 0 });
  });

  it('a line that goes while only others answered is told as gone', async () => {
    const line = new ScriptedLine(clock);
    const bus = createLineBus({ line, ...more() });
    line.answer((request) =>
      request === '#1\r' ? [{ bytes: 'V;RB00000009;IB48213371\r', afterMs: 1_200 }] : [],
    );
    await clock.runUntil(bus.read(encoder('1')));
    void clock.sleep(600).then(() => line.unplug());
    expect(await clock.runUntil(bus.read(encoder('2')))).toMatchObject({
      fault: { code: 'port.absent' },
    });
  });

  it('of encoders that speak by themselves another’s message is none at this place, a strange one is', async () => {
    const line = new ScriptedLine(clock);
    const bus = createLineBus({ line, ...more() });
    const { request: _, ...profile } = LINE;
    const speaker = (address: string) => ({ ...encoder(address), profile });
    const heard = async (id: string) => {
      const read = bus.read(speaker('2'));
      void clock.sleep(300).then(() => line.say(`V;RB00000009;IB${id}\r`));
      const outcome = await clock.runUntil(read);
      return outcome.ok ? outcome.value.register : outcome.fault.code;
    };
    await clock.runUntil(bus.read(speaker('1')));
    expect(await heard('48213371')).toBe('line.silent');
    expect(await heard('999')).toBe('frame.wrong_id');
    expect(await heard('48213372')).toBe(9);
    expect(of('SP-2').total).toMatchObject({ ok: 1, timeouts: 1, wrong_id: 1 });
    expect(of('SP-2').strangerId).toBe('999');
  });

  it('a late answer of another encoder keeps no meter from being read', async () => {
    const line = new ScriptedLine(clock);
    const bus = createLineBus({ line, ...more() });
    line.answer((request) =>
      request === '#1\r'
        ? [{ bytes: 'V;RB00000009;IB999\r', afterMs: 1_200 }]
        : [{ bytes: 'V;RB00000007;IB48213372\r', afterMs: 400 }],
    );
    await clock.runUntil(bus.read(encoder('1')));
    expect(await clock.runUntil(bus.read(encoder('2')))).toMatchObject({ value: { register: 7 } });
    expect(of('SP-2').total).toMatchObject({ ok: 1, wrong_id: 0 });
  });

  it('another encoder at an address: its identification is kept, a spoilt answer is asked again', async () => {
    const line = new ScriptedLine(clock);
    const bus = createLineBus({ line, ...more() });
    const said = ['V;RB00000007;IB999\r', 'garbage\r', 'V;RB00000007;IB48213371\r'];
    line.answer(() => [{ bytes: said.shift() ?? '', afterMs: 20 }]);
    await clock.runUntil(bus.read(encoder('1')));
    expect(of('SP-1')).toMatchObject({ strangerId: '999', recent: ['wrong_id'] });
    expect(await clock.runUntil(bus.read(encoder('1')))).toMatchObject({ ok: true });
    expect(of('SP-1').total).toMatchObject({ polls: 3, ok: 1, wrong_id: 1, framing: 1, second: 1 });
  });
});
