// The address of a meter on Modbus: its unit, and its channel in a device that holds several totals.

/** Modbus over Serial Line 1.02, 2.2: 0 is the broadcast, 248 to 255 are reserved. */
const UNIT_MAX = 247;
/**
 * Over TCP the device itself, without a line behind it: 255 is recommended, 0 allowed, and both are the same device (Modbus
 * Messaging on TCP/IP 1.0b, 4.4.1.3).
 */
const ITSELF: ReadonlySet<number> = new Set([0, 255]);

export interface ModbusAddress {
  readonly unit: number;
  /** From 1. */
  readonly channel: number;
}

/** `UNIT` or `UNIT/CHANNEL` on a serial line, or over TCP; undefined for any other text. */
export function modbusAddress(text: string, over: 'line' | 'tcp'): ModbusAddress | undefined {
  const parts = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text);
  const unit = Number(parts?.[1] ?? -1);
  const channel = Number(parts?.[2] ?? 1);
  const isUnit = isLineUnit(unit) || (over === 'tcp' && ITSELF.has(unit));
  return isUnit && channel >= 1 ? { unit, channel } : undefined;
}

/** Whether on a serial line a unit can be asked: 0 is everybody, and nobody answers. */
export function isLineUnit(unit: number): boolean {
  return unit >= 1 && unit <= UNIT_MAX;
}

/** One address for all that mean the same place. */
export function placeOf({ unit, channel }: ModbusAddress): ModbusAddress {
  return { unit: ITSELF.has(unit) ? 255 : unit, channel };
}

/** The address of a checked setting. Throws for any other: our bug. */
export function unitAndChannel(text: string): ModbusAddress {
  const address = modbusAddress(text, 'tcp');
  if (address === undefined) throw new Error(`${text} is no Modbus address`);
  return address;
}

/** The one way to write an address: `17`, `17/5`. */
export function writtenAddress({ unit, channel }: ModbusAddress, channels: number): string {
  return channels > 1 ? `${unit}/${channel}` : String(unit);
}
