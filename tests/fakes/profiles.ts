// Profiles as the checks of devices/ would give them, for tests that need no file.

import type {
  Framing,
  LineFrame,
  LineProfile,
  ModbusProfile,
  ModbusTotal,
  ProfileBase,
} from '../../src/domain/profile.ts';

/** What every profile says; 8 digits of 0.1 ft3. */
export const BASE: ProfileBase = {
  name: 'test',
  maker: 'nobody',
  model: 'test',
  confidence: 'derived',
  dial: { digits: 8, unit: 'ft3', pow10: -1 },
  minPollS: 0,
  sends: 'all',
  checked: false,
};

/** A device that speaks by itself. */
export function lineProfile(frame: LineFrame, framing: Framing): LineProfile {
  return { ...BASE, transport: 'line', frame, framing };
}

/** A device whose total stands in Modbus words; holding registers of one meter, nothing beside the total. */
export function modbusProfile(
  register: Partial<ModbusTotal> & Pick<ModbusTotal, 'type' | 'order'>,
  more: Partial<Omit<ModbusProfile, 'register' | 'transport'>> = {},
): ModbusProfile {
  return {
    ...BASE,
    checked: true,
    transport: 'modbus',
    table: 'holding',
    channels: 1,
    readable: [],
    register: { address: 0, step: 0, ...register },
    status: [],
    ...more,
  };
}
