// A scan over real wires: of a port or peer that nobody holds, or of a bus that lends its own.

import { createSerialWire } from './adapters/serial-wire.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { createTcpWire } from './adapters/tcp-wire.ts';
import { createWireLine } from './adapters/wire-line.ts';
import type { Clock, ScanRun, Wire } from './boundaries.ts';
import { createMbapLink } from './bus/mbap-client.ts';
import { createRtuLink } from './bus/rtu-client.ts';
import { createScan } from './bus/scan.ts';
import { framerOf } from './codec/framer.ts';
import type { Profile } from './domain/profile.ts';
import {
  PARITIES,
  planScan,
  type ScanPlan,
  type ScanSetting,
  type ScanWay,
  type ScanWire,
  type ScanWish,
} from './domain/scan.ts';
import type { BusSettings, ScanTarget, SerialSettings } from './settings/settings.ts';

export type OpenedScan = { readonly run: ScanRun; readonly plan: ScanPlan };

/** Most meters are at one of these (Modbus over serial line 1.02, 2.1 and 2.5.1: 9600 and 19200, even by default). */
const USUAL_BAUD = [9_600, 19_200];
/** Of a serial line behind a server, which keeps its baud to itself: the slowest is never too fast. */
const UNKNOWN_BAUD = 9_600;

/** A scan that has not begun, or in words what is wrong with the wish. `profiles` gives those that are looked for. */
export async function openScan(
  target: ScanTarget,
  wish: ScanWish,
  {
    profiles: load,
    clock = createSystemClock(),
  }: { readonly profiles: () => Promise<readonly Profile[]>; readonly clock?: Clock },
): Promise<OpenedScan | { readonly problem: string }> {
  const plan = planScan(wish, wireOf(target), await load());
  if ('problem' in plan) return plan;
  const wire = (setting: ScanSetting) => openWire(target, setting, clock);
  const name = 'port' in target ? target.port : 'the wire';
  const run = createScan(plan, {
    clock,
    link: (setting) =>
      setting.way === 'mbap'
        ? createMbapLink({ wire: wire(setting), clock, atOnce: 1 })
        : createRtuLink({ wire: wire(setting), clock, baud: setting.baud ?? UNKNOWN_BAUD }),
    line: (setting, framing) =>
      createWireLine({ wire: wire(setting), clock, framer: framerOf(framing), name }),
  });
  return { run, plan };
}

/** The one way of speaking on a bus. */
const WAYS: Readonly<Record<BusSettings['type'], ScanWay>> = {
  ...{ 'line-serial': 'line', 'line-tcp': 'line' },
  ...{ 'modbus-rtu': 'rtu', 'modbus-rtu-tcp': 'rtu', 'modbus-tcp': 'mbap' },
};

/** The ways and settings that a wire has. A bus is looked at as it is set unless the wish says otherwise. */
function wireOf(target: ScanTarget): ScanWire {
  if ('port' in target) return { ways: ['rtu', 'line'], baud: USUAL_BAUD, parity: [...PARITIES] };
  if ('peer' in target) return { ways: ['mbap', 'rtu', 'line'], baud: [], parity: [] };
  const { bus } = target;
  const ways = [WAYS[bus.type]];
  if (!('serial' in bus)) return { ways, baud: [], parity: [] };
  return { ways, baud: [bus.serial.baud], parity: [bus.serial.parity] };
}

function openWire(target: ScanTarget, { baud, parity }: ScanSetting, clock: Clock): Wire {
  const serial = (settings: SerialSettings) =>
    createSerialWire({
      settings: { ...settings, baud: baud ?? settings.baud, parity: parity ?? settings.parity },
      clock,
    });
  if ('port' in target) {
    return serial({ path: target.port, baud: 9_600, dataBits: 8, parity: 'none', stopBits: 1 });
  }
  if ('peer' in target) return createTcpWire({ peer: target.peer, clock });
  const { bus } = target;
  return 'serial' in bus ? serial(bus.serial) : createTcpWire({ peer: bus.peer, clock });
}
