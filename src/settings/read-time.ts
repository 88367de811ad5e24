// How long one meter's read is expected to hold its bus, before any was made: characters at the baud, and the device's pause.

import { blocksOf } from '../codec/modbus-blocks.ts';
import { unitAndChannel } from '../domain/modbus-address.ts';
import type { LineProfile, ModbusProfile } from '../domain/profile.ts';
import type { BusSettings, MeterSettings, SerialSettings } from './settings.ts';

/** Characters of a Modbus RTU question; of an answer beside its words (Modbus over serial line 1.02, 2.5.1). */
const RTU_QUESTION = 8;
const RTU_ANSWER = 5;
/** A character of a line that we know by its baud alone. */
const CHARACTER_BITS = 11;
/** Devices take 5 to 50 ms before they answer (encoders 6). */
const DEVICE_MS = 30;
/** Above 19200 baud the silence between frames is fixed (Modbus over serial line 1.02, 2.5.1.1). */
const FAST_BAUD = 19_200;
const FAST_SILENCE_MS = 1.75;
/** A gateway asks a line of its own behind it. */
const GATEWAY_MS = 50;
/** An encoder is reset, powered up and then speaks: 2 to 5 s (encoders 1.6). A time-out below that says that this one is faster. */
const ENCODER_MS = 2_000;
/** The longest of the usual UI-1203 messages (encoders 1.6). */
const MESSAGE_CHARACTERS = 47;

/** Milliseconds of the wire. Never more than the time-out: what takes longer is not read at all. */
export function expectedReadMs(
  { profile, address }: Pick<MeterSettings, 'profile' | 'address'>,
  bus: BusSettings,
): number {
  switch (profile.transport) {
    case 'modbus':
      return Math.min(modbusMs(profile, address, bus), bus.timeoutMs);
    case 'line':
      return Math.min(lineMs(profile, bus), bus.timeoutMs);
    case 'hand':
      return 0; // Nobody asks it.
  }
}

function modbusMs(profile: ModbusProfile, address: string, bus: BusSettings): number {
  const blocks = blocksOf(profile, unitAndChannel(address).channel);
  if (bus.type === 'modbus-tcp') return blocks.length * GATEWAY_MS;
  const baud = 'serial' in bus ? bus.serial.baud : 'baud' in bus ? bus.baud : FAST_BAUD;
  const character = 'serial' in bus ? characterMs(bus.serial) : (CHARACTER_BITS * 1000) / baud;
  const silence = baud > FAST_BAUD ? FAST_SILENCE_MS : 3.5 * character;
  return blocks.reduce(
    (sum, { quantity }) =>
      sum + (RTU_QUESTION + RTU_ANSWER + 2 * quantity) * character + 2 * silence + DEVICE_MS,
    0,
  );
}

function lineMs({ request, framing, speaksEveryS }: LineProfile, bus: BusSettings): number {
  if (request === undefined) return (speaksEveryS ?? 0) * 1000 || ENCODER_MS;
  const answer = framing.kind === 'fixed' ? framing.length : MESSAGE_CHARACTERS;
  const character = 'serial' in bus ? characterMs(bus.serial) : 0;
  return ENCODER_MS + (request.length + answer) * character;
}

function characterMs({ baud, dataBits, parity, stopBits }: SerialSettings): number {
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baud;
}
