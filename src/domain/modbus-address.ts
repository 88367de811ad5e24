// The address of a meter on Modbus: its unit, and its channel in a device that holds several totals.

/** Modbus over Serial Line 1.02, 2.2: 0 is the broadcast, 248 to 255 are reserved. */
const UNIT_MAX = 247;

export interface ModbusAddress {
  readonly unit: number;
  /** From 1. */
  readonly channel: number;
}

/** `UNIT` or `UNIT/CHANNEL`; undefined for any other text. */
export function modbusAddress(text: string): ModbusAddress | undefined {
  const parts = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text);
  const unit = Number(parts?.[1] ?? 0);
  const channel = Number(parts?.[2] ?? 1);
  return unit >= 1 && unit <= UNIT_MAX && channel >= 1 ? { unit, channel } : undefined;
}

/** The address of a checked setting. Throws for any other: our bug. */
export function unitAndChannel(text: string): ModbusAddress {
  const address = modbusAddress(text);
  if (address === undefined) throw new Error(`${text} is no Modbus address`);
  return address;
}

/** The one way to write an address: `17`, `17/5`. */
export function writtenAddress({ unit, channel }: ModbusAddress, channels: number): string {
  return channels > 1 ? `${unit}/${channel}` : String(unit);
}
