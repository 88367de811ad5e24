// How a kind of meter is asked and what its answer means: plain facts, without any way to ask.

import type { Dial } from './units.ts';

/** A meter that answers with one line of text. */
export interface LineProfile {
  readonly name: string;
  readonly transport: 'line';
  /** Text sent to ask this meter, with `{address}` replaced; absent: the device speaks by itself. */
  readonly request?: string;
  readonly frame: 'ui1203';
  readonly dial: Dial;
}

/** A meter whose register stands in one or two Modbus words. */
export interface ModbusProfile {
  readonly name: string;
  readonly transport: 'modbus';
  readonly table: 'holding' | 'input';
  readonly address: number;
  readonly type: 'u16' | 'u32';
  /** Order of the two words of a u32. */
  readonly words: 'high-first' | 'low-first';
  readonly dial: Dial;
}

/** How a meter's answer is asked for and read; the checked form of a file in devices/. */
export type Profile = LineProfile | ModbusProfile;
