// How a kind of meter is asked and what its answer means: plain facts, without any way to ask.

import type { DeviceFlag } from './device-flag.ts';
import type { Counts, Dial, VolumeUnit } from './units.ts';

/** Where a fact comes from: seen on a real device, written by its maker or reader's maker, or worked out by us. */
export type Confidence = 'captured' | 'documented' | 'derived';

/**
 * Which digits of its face a device sends. `all`: as many as the dial of the profile has. `left-most`: those of the
 * dial of the profile are the left-most of the face (old remotes). `right-most`: the device counts further than the
 * dial, whose digits are its last; the number is taken modulo 10^digits.
 */
export type Sends = 'all' | 'left-most' | 'right-most';

/** What every profile says. */
export interface ProfileBase {
  readonly name: string;
  readonly maker: string;
  readonly model: string;
  readonly confidence: Confidence;
  /** The digits that are sent; a meter's settings may override it. */
  readonly dial: Dial;
  /** Seconds between two reads below which the device misbehaves; 0 where none is known. */
  readonly minPollS: number;
  readonly sends: Sends;
  /** True where a check sum or CRC guards the answer, so that a changed reading needs no second one. */
  readonly checked: boolean;
}

/** Where an answer begins and ends in a stream of bytes. All meters of one line share it. */
export type Framing =
  | { readonly kind: 'delimiter'; readonly delimiter: 'CR' | 'CR LF' }
  | { readonly kind: 'stx-etx' }
  /** `length` bytes, the first of which is the character `start`. */
  | { readonly kind: 'fixed'; readonly start: string; readonly length: number };

/** The text forms there are a codec for. */
export type LineFrame = 'ui1203' | 'neptune-arb' | 'elster-k' | 'ethermeter-ascii';

/** A meter that answers with one frame of text. */
export interface LineProfile extends ProfileBase {
  readonly transport: 'line';
  /** Text sent to ask this meter, with `{address}` replaced; absent: the device speaks by itself. */
  readonly request?: string;
  readonly framing: Framing;
  readonly frame: LineFrame;
  /** Which of several meters in one frame is meant, from 1; absent where a frame holds one. */
  readonly channel?: number;
  /** Seconds between two frames of a device that speaks by itself, where that is known. */
  readonly speaksEveryS?: number;
}

/**
 * Numbers that Modbus words can hold. `bcd`: a decimal digit in each 4 bits; `whole-nano`: a 32-bit whole number, then a 32-bit
 * fraction in 10^-9.
 */
export type ModbusType =
  | ('u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64')
  | ('bcd16' | 'bcd32' | 'bcd64')
  | ('f32' | 'f64' | 'whole-nano');

/**
 * The order in which the bytes of a number (A is the highest) come over the wire: as they are, words reversed, bytes
 * reversed within each word, or both. Each half of a `whole-nano` has an order of four.
 */
export type ModbusOrder =
  | 'AB'
  | 'BA'
  | 'ABCD'
  | 'CDAB'
  | 'BADC'
  | 'DCBA'
  | 'ABCDEFGH'
  | 'GHEFCDAB'
  | 'BADCFEHG'
  | 'HGFEDCBA';

/** Where the first Modbus word stands: from 0, as on the wire. That of channel n stands `step` x (n - 1) further. */
export interface ModbusPlace {
  readonly address: number;
  readonly step: number;
}

export interface ModbusNumber extends ModbusPlace {
  readonly type: ModbusType;
  readonly order: ModbusOrder;
}

/** A number that stands for something, by its value in decimal. A value that is not listed is never guessed at. */
export interface ModbusCode<T> extends ModbusNumber {
  readonly codes: Readonly<Record<string, T>>;
}

/** `words` Modbus words of ASCII: `ascii` has one character in each (its low byte), `ascii-pair` two, high byte first. */
export interface ModbusText extends ModbusPlace {
  readonly type: 'ascii' | 'ascii-pair';
  readonly words: number;
}

/** What a unit code says: the unit, and the power of ten of it that is counted. */
export interface CodedUnit {
  readonly unit: VolumeUnit;
  readonly pow10: number;
}

/**
 * The total. One step of its number is 10^`pow10` `unit`: fixed, read from the device as an exponent or as a code.
 * Without `pow10` an integer counts the dial's own counts, unless a unit code says what; any other number is in units.
 * Without `unit` it is in the unit of the dial.
 */
export interface ModbusTotal extends ModbusNumber {
  readonly unit?: VolumeUnit | ModbusCode<CodedUnit>;
  readonly pow10?: number | ModbusNumber | ModbusCode<number>;
}

/** What a status bit or code raises: a flag beside the reading, or a fault instead of it. */
export type ModbusSign = DeviceFlag | 'register.stale';

/** A status word: `bits` by their number (that of channel n is `bitStep` x (n - 1) higher), `codes` by its value, `nonzero` for any value but 0. */
export interface ModbusStatus extends ModbusNumber {
  readonly bits?: Readonly<Record<string, ModbusSign>>;
  readonly bitStep: number;
  readonly codes?: Readonly<Record<string, ModbusSign>>;
  readonly nonzero?: ModbusSign;
}

/** A device whose total stands in Modbus words. */
export interface ModbusProfile extends ProfileBase {
  readonly transport: 'modbus';
  /** Function 3 reads holding registers, function 4 input registers. */
  readonly table: 'holding' | 'input';
  /** Totals of different meters in one device; a meter's address says which: `UNIT/CHANNEL`. */
  readonly channels: number;
  /** First and last addresses between which the device answers every word: there one question may span what is not used. */
  readonly readable: readonly (readonly [first: number, last: number])[];
  readonly register: ModbusTotal;
  /** Where the device says how many digits its dial has. */
  readonly dialDigits?: ModbusNumber;
  readonly id?: ModbusNumber | ModbusText;
  readonly status: readonly ModbusStatus[];
}

/** A dial without an encoder, or one whose customer opted out: people read it, and it hangs on no bus. */
export interface HandProfile extends ProfileBase {
  readonly transport: 'hand';
}

/** How a meter's answer is asked for and read; the checked form of a file in devices/. */
export type Profile = LineProfile | ModbusProfile;

/** The profile of a dial that only people read; its meter's settings say what the dial shows. */
export const READ_BY_HAND: HandProfile = {
  transport: 'hand',
  name: 'read-by-hand',
  maker: 'any',
  model: 'any',
  confidence: 'documented',
  dial: { digits: 8, unit: 'ft3', pow10: -1 },
  minPollS: 0,
  sends: 'all',
  checked: true,
};

/** What a device says of its dial, and the identification and flags that came with it. */
export interface Register {
  readonly register: Counts;
  /** The dial's digits as text, leading zeros included. */
  readonly digits: string;
  /** Null where the device sends none, or one of its characters could not be read. */
  readonly id: string | null;
  readonly flags: readonly DeviceFlag[];
}
