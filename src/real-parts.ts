// The real outside of a collector, as its settings have it: buses over wires, the journal's folder, the settings file, tools for work on site.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLevelVault } from './adapters/level-vault.ts';
import { speaker } from './adapters/locales.ts';
import type { LeveledLog } from './adapters/pino-log.ts';
import { lookAtPort } from './adapters/port-look.ts';
import { qrSvg } from './adapters/qr-code.ts';
import { createSerialLine } from './adapters/serial-line.ts';
import { createSerialWire } from './adapters/serial-wire.ts';
import { sha256 } from './adapters/sha256.ts';
import { createTcpLine } from './adapters/tcp-line.ts';
import { createTcpWire } from './adapters/tcp-wire.ts';
import { replaceText } from './adapters/text-file.ts';
import { tryLink } from './adapters/upstream-trial.ts';
import type { Bus, Clock, Log, Vault, Wire } from './boundaries.ts';
import { BusTally } from './bus/bus-tally.ts';
import { FrameTrace } from './bus/frame-trace.ts';
import { createLineBus } from './bus/line-bus.ts';
import { AT_ONCE, createMbapLink } from './bus/mbap-client.ts';
import { createModbusBus } from './bus/modbus-bus.ts';
import { createRtuLink, SILENCES_TO_REOPEN_PEER } from './bus/rtu-client.ts';
import { CR_FRAMING } from './codec/framer.ts';
import type { Configuring } from './commands/config.ts';
import type { SiteParts } from './parts.ts';
import { apart } from './settings/apart.ts';
import type { BusSettings, Settings } from './settings/settings.ts';

/** The folder of the journal; with `create` false one that is not there is a fault. */
export function vaultOf(
  { data, journal }: Settings,
  how: { readonly log?: Log; readonly create?: boolean },
): Vault {
  return createLevelVault({
    ...{ folder: data, ballastBytes: journal.ballastMb * 1024 * 1024, ...how },
  });
}

/** A bus whose wire is opened by its first read. `clock` is the wire's. */
export function openBus(settings: BusSettings, clock: Clock): Bus {
  const { timeoutMs, reopenMaxMs, framing = CR_FRAMING } = settings;
  const atOnce = settings.type === 'modbus-tcp' ? (settings.inFlight ?? AT_ONCE) : 1;
  const tally = new BusTally(clock, atOnce);
  const trace = new FrameTrace(clock);
  const tap = (wire: Wire) => trace.over(wire);
  const common = { clock, timeoutMs, reopenMaxMs, random: Math.random, tally, trace };
  switch (settings.type) {
    case 'line-serial': {
      const line = createSerialLine({ settings: settings.serial, clock, framing, tap });
      return createLineBus({ line, ...common });
    }
    case 'line-tcp': {
      const line = createTcpLine({ peer: settings.peer, clock, framing, tap });
      return createLineBus({ line, ...common });
    }
    case 'modbus-rtu': {
      const wire = tap(createSerialWire({ settings: settings.serial, clock }));
      const link = createRtuLink({ wire, clock, baud: settings.serial.baud, ear: tally });
      return createModbusBus({ link, ...common });
    }
    case 'modbus-rtu-tcp': {
      const wire = tap(createTcpWire({ peer: settings.peer, clock }));
      const link = createRtuLink({
        ...{ wire, clock, baud: settings.baud, ear: tally },
        silencesToReopen: SILENCES_TO_REOPEN_PEER,
      });
      return createModbusBus({ link, ...common });
    }
    case 'modbus-tcp': {
      const wire = tap(createTcpWire({ peer: settings.peer, clock }));
      const link = createMbapLink({ wire, clock, atOnce, ear: tally });
      return createModbusBus({ link, ...common });
    }
  }
}

/** Tools for work on site. `clock` is the wire's. */
export function siteParts(root: string, clock: Clock): SiteParts {
  return {
    ...{ sha256, qrSvg, sayIn: speaker(root) },
    lookAtPort: (bus) => lookAtPort(bus, clock),
    tryUpstream: (settings) => tryLink(settings, clock),
  };
}

/** The settings file, edited in a process of its own; the one that was there stays beside it. */
export function configuringOf(file: string, root: string, log: LeveledLog): Configuring {
  return {
    edit: (steps) => apart.edit({ file, root, steps }),
    write: (text) => replaceText(file, text),
    setLogLevel: (level) => log.setLevel(level),
    schema: async () =>
      JSON.parse(await readFile(join(root, 'config/settings.schema.json'), 'utf8')),
    read: (text) => apart.edit({ file, root, steps: [], text }),
  };
}

/** 20 characters of 0-9 A-V from 104 random bits; one in 512 is shorter, as zeros in front are not written. */
export function newName(): string {
  return BigInt(`0x${randomBytes(13).toString('hex')}`)
    .toString(32)
    .slice(0, 20)
    .toUpperCase();
}
