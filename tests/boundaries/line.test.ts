// The promises of Line, kept in memory, on a pseudo-terminal and over TCP; and what only real ports can do.

import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { portFault } from '../../src/adapters/port-fault.ts';
import { createSerialLine } from '../../src/adapters/serial-line.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createTcpLine } from '../../src/adapters/tcp-line.ts';
import type { Clock } from '../../src/boundaries.ts';
import { CR_FRAMING } from '../../src/codec/framer.ts';
import type { Framing } from '../../src/domain/profile.ts';
import type { SerialSettings } from '../../src/settings/settings.ts';
import type { PseudoTerminal } from '../fakes/pseudo-terminal.ts';
import { plugTerminal } from '../fakes/pseudo-terminal.ts';
import { ScriptedLine } from '../fakes/scripted-line.ts';
import { until } from '../fakes/until.ts';
import type { LineRig } from './line.suite.ts';
import { lineSuite, told } from './line.suite.ts';
import { lineFramingSuite } from './line-framing.suite.ts';

const clock = createSystemClock();

async function scriptedRig(wire: Clock, framing: Framing = CR_FRAMING): Promise<LineRig> {
  const line = new ScriptedLine(wire, framing);
  return {
    line,
    absence: 'port.absent',
    say: (bytes) => line.say(bytes),
    heard: () => line.requests.join(''),
    unplug: async () => line.unplug(),
    plugIn: async () => line.plugIn(),
    dispose: async () => {},
  };
}

lineSuite('a scripted line', scriptedRig);
lineFramingSuite('a scripted line', scriptedRig);

interface SerialRig extends LineRig {
  readonly settings: SerialSettings;
  terminal(): PseudoTerminal;
}

async function serialRig(wire: Clock = clock, framing: Framing = CR_FRAMING): Promise<SerialRig> {
  const folder = mkdtempSync(join(tmpdir(), 'line-'));
  const path = join(folder, 'port');
  const settings = { path, baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  let heard = '';
  const plug = () => {
    const plugged = plugTerminal(path);
    plugged.onHeard((bytes) => {
      heard += bytes.toString('latin1');
    });
    return plugged;
  };
  let terminal = plug();
  return {
    settings,
    line: createSerialLine({ settings, clock: wire, framing }),
    absence: 'port.absent',
    terminal: () => terminal,
    say: (bytes) => terminal.say(bytes),
    heard: () => heard,
    unplug: async () => terminal.unplug(),
    plugIn: async () => {
      terminal = plug();
    },
    dispose: async () => {
      terminal.unplug();
      rmSync(folder, { recursive: true });
    },
  };
}

lineSuite('a serial port', serialRig);
lineFramingSuite('a serial port', serialRig);

interface TcpRig extends LineRig {
  readonly peer: { readonly host: string; readonly port: number };
  readonly connections: Socket[];
}

async function tcpRig(wire: Clock = clock, framing: Framing = CR_FRAMING): Promise<TcpRig> {
  let heard = '';
  const connections: Socket[] = [];
  const listen = (port: number) =>
    new Promise<Server>((resolve) => {
      const server = createServer((socket) => {
        connections.push(socket);
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
          heard += bytes.toString('latin1');
        });
      });
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      if (!server.listening) resolve();
      else server.close(() => resolve());
      for (const socket of connections) socket.destroy();
    });
  const peer = { host: '127.0.0.1', port };
  return {
    peer,
    connections,
    line: createTcpLine({ peer, clock: wire, framing }),
    absence: 'peer.unreachable',
    say: (bytes) => {
      const say = () => connections.at(-1)?.write(bytes);
      // The peer learns of a connection a moment after the one who made it.
      if (connections.at(-1)?.destroyed === false) say();
      else server.once('connection', () => setImmediate(say));
    },
    heard: () => heard,
    unplug: stop,
    plugIn: async () => {
      server = await listen(port);
    },
    dispose: stop,
  };
}

lineSuite('a TCP connection', tcpRig);
lineFramingSuite('a TCP connection', tcpRig);

describe('a serial port', () => {
  it('another program on the port is told, and the port is free again after a close', async () => {
    const rig = await serialRig();
    const second = createSerialLine({ settings: rig.settings, clock });
    await rig.line.open();
    expect(told(await second.open())).toBe('port.failed');
    await rig.line.close();
    expect(told(await second.open())).toBeUndefined();
    await second.close();
    await rig.dispose();
  });

  it('a file that is no port is told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'line-'));
    const path = join(folder, 'port');
    symlinkSync('/dev/null', path);
    const settings = { path, baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
    const line = createSerialLine({ settings, clock });
    expect(told(await line.open())).toBe('port.failed');
    expect(line.isOpen()).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it('the words of the driver become codes', () => {
    const codes = {
      'Error: No such file or directory, cannot open /dev/x': 'port.absent',
      'Error: No such device or address, cannot open /dev/x': 'port.absent',
      'Error: Permission denied, cannot open /dev/x': 'port.denied',
      'Error: Operation not permitted, cannot open /dev/x': 'port.denied',
      'Error Resource temporarily unavailable Cannot lock port': 'port.failed',
      'Error: Device or resource busy, cannot open /dev/x': 'port.failed',
      'anything else': 'port.failed',
    };
    for (const [words, code] of Object.entries(codes)) {
      expect(portFault('/dev/x', new Error(words)).code).toBe(code);
    }
    const none = new Error(
      'Error: Inappropriate ioctl for device setting custom baud rate of 9600',
    );
    expect(portFault('/dev/null', none).detail).toBe('/dev/null is no serial port');
  });

  it('a port that takes no bytes is given up in bounded time, and opens again', async () => {
    // Twenty times as fast, so that the limit on writing passes in a tenth of a second.
    const rig = await serialRig(createSystemClock({ speed: 20 }));
    await rig.line.open();
    rig.terminal().stuff();
    expect(told(await rig.line.write(new Uint8Array(256 * 1024)))).toBe('port.failed');
    expect(rig.line.isOpen()).toBe(false);
    await rig.unplug();
    await rig.plugIn();
    expect(told(await rig.line.open())).toBeUndefined();
    await rig.line.close();
    await rig.dispose();
  });

  it('a path that leads to another device is noticed even when the driver says nothing', async () => {
    const rig = await serialRig(createSystemClock({ speed: 20 }));
    await rig.line.open();
    const other = plugTerminal(`${rig.settings.path}-other`);
    renameSync(`${rig.settings.path}-other`, rig.settings.path);
    await until('the line is lost', () => !rig.line.isOpen());
    expect(told(await rig.line.open())).toBeUndefined();
    other.say(Buffer.from('R226107229550\r'));
    expect(told(await rig.line.receive(200_000))).toBe('R226107229550');
    await rig.line.close();
    other.unplug();
    await rig.dispose();
  });

  it('7E1 read as 7E1 opens on a port', async () => {
    const rig = await serialRig();
    const settings = { ...rig.settings, dataBits: 7, parity: 'even' } as const;
    const line = createSerialLine({ settings, clock });
    expect(told(await line.open())).toBeUndefined();
    rig.say(Buffer.from('R226107229550\r'));
    expect(told(await line.receive(10_000))).toBe('R226107229550');
    await line.close();
    await rig.dispose();
  });
});

describe('a TCP connection', () => {
  it('a peer that does not take the connection is given up in bounded time', async () => {
    const impatient: Clock = { ...clock, sleep: async () => {} };
    const rig = await tcpRig(impatient);
    expect(told(await rig.line.open())).toBe('peer.unreachable');
    expect(rig.line.isOpen()).toBe(false);
    await rig.dispose();
  });

  it('a peer that takes no bytes is given up in bounded time', async () => {
    const rig = await tcpRig(createSystemClock({ speed: 20 }));
    await rig.line.open();
    await until('a connection', () => rig.connections.length === 1);
    rig.connections[0]?.pause();
    expect(told(await rig.line.write(new Uint8Array(32 * 1024 * 1024)))).toBe('port.failed');
    expect(rig.line.isOpen()).toBe(false);
    await rig.dispose();
  });

  it('after three answers missed in a row the connection is made anew, not after two and a frame', async () => {
    const rig = await tcpRig();
    await rig.line.open();
    await until('a connection', () => rig.connections.length === 1);
    const silence = async () => expect(told(await rig.line.receive(1))).toBe('line.silent');
    await silence();
    await silence();
    rig.say(Buffer.from('a sign of life\r'));
    expect(told(await rig.line.receive(10_000))).toBe('a sign of life');
    await silence();
    await silence();
    expect(rig.line.isOpen()).toBe(true);
    await silence();
    expect(rig.line.isOpen()).toBe(false);
    expect(told(await rig.line.open())).toBeUndefined();
    await rig.line.close();
    await rig.dispose();
  });
});
