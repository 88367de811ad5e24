// What a bus of Modbus meters owes each of them, on virtual time.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Bus, ReadTarget } from '../../src/boundaries.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import type { Result } from '../../src/domain/fault.ts';
import type { ModbusProfile } from '../../src/domain/profile.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import type { ModbusScript } from '../fakes/scripted-modbus.ts';
import { ScriptedModbus } from '../fakes/scripted-modbus.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const TIMEOUT_MS = 1_000;
const EIGHT = modbusProfile({ type: 'u32', order: 'ABCD' });
const FOUR = modbusProfile(
  { address: 36, type: 'u16', order: 'AB' },
  { table: 'input', dial: { digits: 4, unit: 'ft3', pow10: 2 } },
);

const at = (unit: number, profile: ModbusProfile = EIGHT): ReadTarget => ({
  meter: `SP-${unit}`,
  address: String(unit),
  profile,
  dial: profile.dial,
});

let clock: VirtualClock;
let link: ScriptedModbus;
let bus: Bus;

beforeEach(() => {
  clock = new VirtualClock();
  link = new ScriptedModbus(clock);
  bus = createModbusBus({
    link,
    clock,
    timeoutMs: TIMEOUT_MS,
    reopenMaxMs: 1_000,
    random: () => 0.5,
  });
});

async function read(target: ReadTarget) {
  const began = clock.monotonicMs();
  const result: Result<{ register: number }> = await clock.runUntil(bus.read(target));
  return {
    is: result.ok ? result.value.register : result.fault.code,
    ms: clock.monotonicMs() - began,
  };
}

/** Each unit shows its own number after 30 ms. */
const prompt: ModbusScript = ({ unit, quantity }) => ({
  words: quantity === 2 ? [0, unit] : [unit],
  afterMs: 30,
});

describe('a bus of Modbus meters', () => {
  it('asks for both words in one question, as the profile says', async () => {
    link.answer(() => ({ words: [0x00bc, 0x614e] }));
    expect(await clock.runUntil(bus.read(at(17)))).toEqual({
      ok: true,
      value: { register: 12_345_678, digits: '12345678', id: null, flags: [] },
    });
    link.answer(prompt);
    expect((await read(at(5, FOUR))).is).toBe(5);
    expect(link.questions).toEqual([
      { unit: 17, table: 'holding', address: 0, quantity: 2, timeoutMs: TIMEOUT_MS },
      { unit: 5, table: 'input', address: 36, quantity: 1, timeoutMs: TIMEOUT_MS },
    ]);
  });

  it("the meter's own dial decides what fits, not the profile's", async () => {
    link.answer(() => ({ words: [0, 10_000] }));
    const fourDigits = { ...at(1), dial: { digits: 4, unit: 'ft3', pow10: 2 } as const };
    expect((await read(fourDigits)).is).toBe('register.digits');
    expect((await read(at(1))).is).toBe(10_000);
  });

  it('what lies apart is asked for in questions of its own, and one fault among them is the fault of the read', async () => {
    const status = { address: 500, step: 1, type: 'u16', order: 'AB', bitStep: 0 } as const;
    const apart = modbusProfile(
      { address: 100, step: 2, type: 'u32', order: 'ABCD' },
      { channels: 3, status: [{ ...status, nonzero: 'low_battery' }] },
    );
    const third = { ...at(9, apart), address: '9/3' };
    link.answer(({ address }) => (address === 104 ? { words: [0, 47] } : { words: [1] }));
    expect(await clock.runUntil(bus.read(third))).toEqual({
      ok: true,
      value: { register: 47, digits: '00000047', id: null, flags: ['low_battery'] },
    });
    expect(link.questions.map(({ unit, address, quantity }) => [unit, address, quantity])).toEqual([
      [9, 104, 2],
      [9, 502, 1],
    ]);
    link.answer(({ address }) => (address === 104 ? { words: [0, 47] } : { exception: 2 }));
    expect((await read(third)).is).toBe('modbus.exception');
    link.answer(({ address }) => (address === 104 ? 'silence' : { words: [1] }));
    const asked = link.questions.length;
    expect(await read(third)).toEqual({ is: 'line.silent', ms: TIMEOUT_MS });
    expect(link.questions.length).toBe(asked + 1);
  });

  it('a device that says who it is must be the right one; one that says nothing cannot be told', async () => {
    const id = { address: 2, step: 0, type: 'ascii', words: 2 } as const;
    const named = { ...at(1, modbusProfile(EIGHT.register, { id })), registerId: 'A7' };
    link.answer(() => ({ words: [0, 47, 0x41, 0x37] }));
    expect((await read(named)).is).toBe(47);
    link.answer(() => ({ words: [0, 47, 0x41, 0x38] }));
    expect((await read(named)).is).toBe('frame.wrong_id');
    link.answer(() => ({ words: [0, 47, 0, 0] }));
    expect((await read(named)).is).toBe('frame.wrong_id');
    link.answer(() => ({ words: [0, 47] }));
    expect((await read({ ...at(1), registerId: 'A7' })).is).toBe(47);
  });

  it('a silent meter costs its own time-out and no more', async () => {
    link.answer((question) => (question.unit === 1 ? 'silence' : prompt(question)));
    expect(await read(at(1))).toEqual({ is: 'line.silent', ms: TIMEOUT_MS });
    expect(await read(at(2))).toEqual({ is: 2, ms: 30 });
    expect(link.questions.length).toBe(2);
  });

  it('a spoilt answer is asked for once more if it came fast', async () => {
    link.answer((question) =>
      link.questions.length === 1 ? { fault: 'modbus.crc', afterMs: 30 } : prompt(question),
    );
    expect(await read(at(1))).toEqual({ is: 1, ms: 60 });
    link.answer(() => ({ fault: 'modbus.crc', afterMs: 30 }));
    expect(await read(at(1))).toEqual({ is: 'modbus.crc', ms: 60 });
    link.answer(() => ({ fault: 'modbus.crc', afterMs: 600 }));
    expect(await read(at(1))).toEqual({ is: 'modbus.crc', ms: 600 });
  });

  it('an exception is told and not asked for again', async () => {
    link.answer(() => ({ exception: 2 }));
    expect((await read(at(1))).is).toBe('modbus.exception');
    expect(link.questions.length).toBe(1);
  });

  it('an absent link costs nobody anything and opens once it is back', async () => {
    link.answer(prompt);
    link.unplug();
    for (let i = 0; i < 100; i += 1) {
      expect(await read(at(1))).toEqual({ is: 'port.absent', ms: 0 });
    }
    expect(link.opens).toBe(1);
    expect(bus.link()).toMatchObject({ open: false });
    link.plugIn();
    await clock.run(clock.trueNow() + 1_000);
    expect((await read(at(1))).is).toBe(1);
    expect(bus.link()).toMatchObject({ open: true });
  });

  it('closing ends the turn', async () => {
    link.answer(() => 'silence');
    clock.at(clock.trueNow() + 100, () => void bus.close());
    const ended = await read(at(1));
    expect(ended.ms).toBe(100);
    expect(['aborted', 'port.absent']).toContain(ended.is);
    expect(link.isOpen()).toBe(false);
  });
});
