// What a bus of Modbus meters owes each of them, on virtual time.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Bus, ReadTarget } from '../../src/boundaries.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import type { Result } from '../../src/domain/fault.ts';
import type { ModbusProfile } from '../../src/domain/profile.ts';
import type { ModbusScript } from '../fakes/scripted-modbus.ts';
import { ScriptedModbus } from '../fakes/scripted-modbus.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const TIMEOUT_MS = 1_000;
const EIGHT: ModbusProfile = {
  name: 'generic-8-digit-modbus',
  transport: 'modbus',
  table: 'holding',
  address: 0,
  type: 'u32',
  words: 'high-first',
  dial: { digits: 8, unit: 'ft3', pow10: -1 },
};
const FOUR: ModbusProfile = {
  ...EIGHT,
  name: 'generic-4-digit-modbus',
  table: 'input',
  address: 36,
  type: 'u16',
  dial: { digits: 4, unit: 'ft3', pow10: 2 },
};

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
      value: { register: 12_345_678, id: null },
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
