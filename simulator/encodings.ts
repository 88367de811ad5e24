// What an encoder says on a line, written from the makers' descriptions: one frame of text for each form.

import type { LineDevice } from './device.ts';
import type { MeterDial, MeterUnit } from './meter.ts';

/** What one encoder has to say. */
export interface Saying {
  /** 0 .. 10^digits - 1. */
  readonly register: number;
  /** Null where the encoder has none. */
  readonly id: string | null;
  readonly dial: MeterDial;
  /** True when the last wheel stands between two digits. */
  readonly unreadable?: boolean;
}

const STX = '\x02';
const ETX = '\x03';
const ETB = '\x17';

/** How each family sends a wheel between two digits (encoders.md 1.4, 2.2). */
const BETWEEN = { ui1203: '?', 'neptune-arb': 'H', 'elster-k': ':', 'ethermeter-ascii': '?' };

/** Unit codes of the K-frame and the volume they stand for (encoders.md 2.2). */
const K_UNITS: readonly { code: string; unit: MeterUnit; pow10: number }[] = [
  { code: '30', unit: 'ft3', pow10: 0 },
  { code: '05', unit: 'ft3', pow10: 2 },
  { code: '01', unit: 'm3', pow10: 0 },
  { code: '06', unit: 'gal', pow10: 0 },
  { code: '04', unit: 'L', pow10: 0 },
];

/** The wheels as sent, the last one unreadable when it is. */
export function wheels(saying: Saying, between: string): string {
  const digits = String(saying.register).padStart(saying.dial.digits, '0');
  return saying.unreadable ? digits.slice(0, -1) + between : digits;
}

/** Exactly `length` characters of identification, zeros in front. */
function exactId(id: string | null, length: number): string {
  return (id ?? '').padStart(length, '0').slice(-length);
}

/** The fixed form with R for four wheels, the variable one with tags for any other (encoders.md 1.2, 1.3). */
function ui1203(digits: string, id: string | null): string {
  return digits.length === 4 ? `R${digits}${exactId(id, 8)}` : `V;RB${digits};IB${id ?? ''}`;
}

/** Type, six digits, identification, flag, last two digits, check sum (encoders.md 2.1). */
function neptune(digits: string, id: string | null): string {
  const fields = ['200SW', digits.slice(0, 6), exactId(id, 10), 'h', `${digits.slice(6) || '00'}@`];
  const text = fields.map((field) => field + ETB).join('');
  let sum = 0;
  for (const character of text) sum += character.charCodeAt(0);
  return `${STX}${text}${(sum & 0x7f).toString(16).toUpperCase().padStart(2, '0')}${ETX}`;
}

/** Value, serial, unit, wheels, digits before the point, option, adapter, error, check sum (encoders.md 2.2). */
function kFrame(digits: string, id: string | null, dial: MeterDial, leftMost: boolean): string {
  const fitting = K_UNITS.filter(({ unit, pow10 }) => {
    const before = dial.digits + dial.pow10 - pow10;
    return unit === dial.unit && before >= 0 && before <= 9;
  });
  // The unit of which the fewest wheels stand behind the point.
  const stated = fitting.reduce<(typeof K_UNITS)[number] | undefined>(
    (best, one) =>
      best && Math.abs(dial.pow10 - best.pow10) <= Math.abs(dial.pow10 - one.pow10) ? best : one,
    undefined,
  );
  if (!stated) throw new RangeError(`no K-frame counts 10^${dial.pow10} ${dial.unit}`);
  const before = dial.digits + dial.pow10 - stated.pow10;
  const field = leftMost ? digits.padEnd(6, '0') : digits.padStart(6, '0');
  return `K${field}${exactId(id, 10)}${stated.code}${dial.digits}${before}00700000`;
}

/** Both totals of an EtherMeter, then flows, rollovers, faults, analog and digital inputs (encoders.md 4). */
function etherMeter(sayings: readonly (Saying | null)[]): string {
  const totals = [0, 1].map((i) =>
    sayings[i] ? wheels({ ...sayings[i], unreadable: false }, '') : '0',
  );
  // The codes of read faults are not published; any but 0 says that the total is an old one.
  const faults = [0, 1].map((i) => (sayings[i]?.unreadable ? '1' : '0'));
  return `:${[...totals, '0', '0', '0', '0', ...faults, '0', '0', '0', '0', '0'].join(';')}`;
}

/**
 * The bytes of one whole frame, delimiters included. `sayings` are the encoders behind the device, channel by channel;
 * only an EtherMeter has two. Throws RangeError for a dial that the form cannot state.
 */
export function lineFrame(device: LineDevice, sayings: readonly (Saying | null)[]): Buffer {
  return Buffer.from(textOf(device, sayings) + endOf(device), 'latin1');
}

function textOf(device: LineDevice, sayings: readonly (Saying | null)[]): string {
  if (device.frame === 'ethermeter-ascii') return etherMeter(sayings);
  const [saying] = sayings;
  if (!saying) throw new RangeError('no encoder behind this device');
  const digits = wheels(saying, BETWEEN[device.frame]);
  if (device.frame === 'ui1203') return ui1203(digits, saying.id);
  if (device.frame === 'neptune-arb') return neptune(digits, saying.id);
  return kFrame(digits, saying.id, saying.dial, device.sends === 'left-most');
}

function endOf({ framing }: LineDevice): string {
  if (framing.type !== 'delimiter') return '';
  return framing.delimiter === 'CR LF' ? '\r\n' : '\r';
}
