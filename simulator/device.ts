// The files of devices/ as the simulator reads them: how a kind of meter answers, unchecked beyond its shape.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { MeterDial, MeterUnit } from './meter.ts';

export interface DeviceNumber {
  readonly address: number;
  readonly step?: number;
  readonly type:
    | ('u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64')
    | ('bcd16' | 'bcd32' | 'bcd64' | 'f32' | 'f64' | 'whole-nano');
  readonly order?: string;
}

export interface DeviceText {
  readonly address: number;
  readonly step?: number;
  readonly type: 'ascii' | 'ascii-pair';
  readonly words: number;
}

/** A status word, as far as it can say that the total is not fresh. */
export interface DeviceStatus extends DeviceNumber {
  readonly bits?: Readonly<Record<string, string>>;
  readonly bit_step?: number;
  readonly codes?: Readonly<Record<string, string>>;
  readonly nonzero?: string;
}

export interface LineDevice {
  readonly profile: string;
  readonly transport: 'line';
  readonly dial: MeterDial;
  readonly request?: string;
  readonly framing: {
    readonly type: 'delimiter' | 'stx-etx' | 'fixed';
    readonly delimiter?: 'CR' | 'CR LF';
  };
  readonly frame: 'ui1203' | 'neptune-arb' | 'elster-k' | 'ethermeter-ascii';
  readonly sends?: 'all' | 'left-most' | 'right-most';
  readonly channel?: number;
  readonly speaks_every_s?: number;
}

export interface ModbusDevice {
  readonly profile: string;
  readonly transport: 'modbus';
  readonly dial: MeterDial;
  readonly table: 'holding' | 'input';
  readonly channels?: number;
  readonly readable?: readonly (readonly [number, number])[];
  readonly register: DeviceNumber & {
    readonly unit?:
      | MeterUnit
      | (DeviceNumber & { readonly codes: Record<string, { unit: MeterUnit; pow10?: number }> });
    readonly pow10?: number | (DeviceNumber & { readonly codes?: Record<string, number> });
  };
  readonly dial_digits?: DeviceNumber;
  readonly id?: DeviceNumber | DeviceText;
  readonly status?: readonly DeviceStatus[];
}

export type Device = LineDevice | ModbusDevice;

/** devices/ beside this folder, or beside the folder that this one was built into. */
function devicesFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const near = join(here, '..', 'devices');
  return existsSync(near) ? near : join(here, '..', '..', 'devices');
}

let read: ReadonlyMap<string, Device> | undefined;

/** Every device file by its name. Throws when a file is no YAML: it is part of this program. */
export function devices(): ReadonlyMap<string, Device> {
  if (read) return read;
  const folder = devicesFolder();
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  read = new Map(
    files.sort().map((file) => {
      const device = parse(readFileSync(join(folder, file), 'utf8')) as Device;
      return [device.profile, device];
    }),
  );
  return read;
}

/** The device of that name. Throws Error when there is none. */
export function deviceNamed(name: string): Device {
  const device = devices().get(name);
  if (!device) throw new Error(`no such profile: ${name}`);
  return device;
}

/** How frames begin and end on a line, in words; undefined where there is no line. */
export function framingOf(device: Device): string | undefined {
  if (device.transport !== 'line') return undefined;
  return device.framing.delimiter ?? device.framing.type;
}

/** Characters of the identification that an encoder behind this device has in the street; 0 where none is sent. */
export function idLength(device: Device): number {
  if (device.transport === 'modbus') return device.id === undefined ? 0 : 8;
  if (device.frame === 'ethermeter-ascii') return 0;
  return device.frame === 'ui1203' ? 8 : 10;
}
