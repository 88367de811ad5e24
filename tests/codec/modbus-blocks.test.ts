// How few questions fetch what a profile reads, and that no number is ever fetched in two.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, blocksOf, fieldsOf, wordsOf } from '../../src/codec/modbus-blocks.ts';
import type { ModbusProfile } from '../../src/domain/profile.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { shippedDevices } from './shipped.ts';

const status = (address: number, step = 0) =>
  ({ address, step, type: 'u16', order: 'AB', bitStep: 0, nonzero: 'low_battery' }) as const;

/** Questions as `address+quantity`. */
const asked = (profile: ModbusProfile, channel = 1) =>
  blocksOf(profile, channel).map(({ address, quantity }) => `${address}+${quantity}`);

const TOTAL = { type: 'u32', order: 'ABCD', address: 10 } as const;

describe('the questions of a profile', () => {
  it('words that touch or overlap are asked for at once', () => {
    expect(asked(modbusProfile(TOTAL, { status: [status(12), status(9), status(11)] }))).toEqual([
      '9+4',
    ]);
  });

  it('a hole parts them, unless the device is known to answer all of it', () => {
    const two = { status: [status(13)] };
    expect(asked(modbusProfile(TOTAL, two))).toEqual(['10+2', '13+1']);
    expect(asked(modbusProfile(TOTAL, { ...two, readable: [[12, 12]] }))).toEqual(['10+4']);
    expect(asked(modbusProfile(TOTAL, { ...two, readable: [[0, 11]] }))).toEqual(['10+2', '13+1']);
    expect(asked(modbusProfile(TOTAL, { ...two, readable: [[13, 20]] }))).toEqual(['10+2', '13+1']);
  });

  it('no question is for more than 125 words', () => {
    const far = (address: number) =>
      asked(modbusProfile(TOTAL, { status: [status(address)], readable: [[0, 65_535]] }));
    expect(far(134)).toEqual(['10+125']);
    expect(far(135)).toEqual(['10+2', '135+1']);
  });

  it('another channel has its words elsewhere', () => {
    const many = modbusProfile({ ...TOTAL, step: 2 }, { channels: 5, status: [status(50, 1)] });
    expect(asked(many, 1)).toEqual(['10+2', '50+1']);
    expect(asked(many, 5)).toEqual(['18+2', '54+1']);
  });

  it('of every shipped device they are these', async () => {
    const all: [string, string][] = (await shippedDevices()).flatMap(({ profile }) =>
      profile.transport === 'modbus' ? [[profile.name, asked(profile).join(' ')]] : [],
    );
    expect(Object.fromEntries(all)).toEqual({
      'arad-octave': '0+24 40+1 54+2',
      'badger-m2000': '207+2 231+1',
      'generic-4-digit-modbus': '0+1',
      'generic-8-digit-modbus': '0+2',
      'kaifeng-xintai': '1+7',
      'kamstrup-base-module': '8+2',
      'obvius-a8911-23': '0+2',
      'scadametrics-ethermeter-modbus': '0+21',
      'siemens-mag-6000': '3022+2 3200+1',
      'siemens-mag-8000': '3017+4',
    });
  });

  it('whatever is read lies whole in one of them, and nothing that may not be read is asked for', () => {
    const address = fc.integer({ min: 0, max: 400 });
    const range = fc.tuple(address, fc.nat(200)).map(([a, n]): [number, number] => [a, a + n]);
    fc.assert(
      fc.property(
        address,
        fc.array(address),
        fc.array(range, { maxLength: 3 }),
        (at, more, readable) => {
          const profile = modbusProfile(
            { type: 'f64', order: 'ABCDEFGH', address: at },
            { status: more.map((one) => status(one)), readable },
          );
          const blocks = blocksOf(profile, 1);
          const fields = fieldsOf(profile).map((field) => ({
            first: addressOf(field, 1),
            last: addressOf(field, 1) + wordsOf(field) - 1,
          }));
          for (const { first, last } of fields) {
            const whole = blocks.filter((b) => b.address <= first && last < b.address + b.quantity);
            expect(whole.length).toBe(1);
          }
          for (const { address: from, quantity } of blocks) {
            expect(quantity).toBeLessThanOrEqual(125);
            for (let word = from; word < from + quantity; word += 1) {
              const used = fields.some(({ first, last }) => first <= word && word <= last);
              const allowed = readable.some(([first, last]) => first <= word && word <= last);
              expect(used || allowed).toBe(true);
            }
          }
        },
      ),
    );
  });
});
