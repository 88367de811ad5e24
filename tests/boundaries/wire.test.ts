// The promises of Wire, kept in memory, on a pseudo-terminal and over TCP.

import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSerialWire } from '../../src/adapters/serial-wire.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createTcpWire } from '../../src/adapters/tcp-wire.ts';
import { plugTerminal } from '../fakes/pseudo-terminal.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { until } from '../fakes/until.ts';
import { wireSuite } from './wire.suite.ts';

const clock = createSystemClock();

wireSuite('a scripted wire', async () => {
  const wire = new ScriptedWire(clock);
  let heard = Buffer.alloc(0);
  wire.device((bytes) => {
    heard = Buffer.concat([heard, bytes]);
  });
  return {
    wire,
    absence: 'port.absent',
    say: (bytes) => wire.say(bytes),
    heard: () => heard,
    unplug: async () => wire.unplug(),
    plugIn: async () => wire.plugIn(),
    dispose: async () => {},
  };
});

wireSuite('a serial port', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wire-'));
  const path = join(folder, 'port');
  const settings = { path, baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  let heard = Buffer.alloc(0);
  const plug = () => {
    const plugged = plugTerminal(path);
    plugged.onHeard((bytes) => {
      heard = Buffer.concat([heard, bytes]);
    });
    return plugged;
  };
  let terminal = plug();
  return {
    wire: createSerialWire({ settings, clock }),
    absence: 'port.absent',
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
});

wireSuite('a TCP connection', async () => {
  let heard = Buffer.alloc(0);
  const connections: Socket[] = [];
  const listen = (port: number) =>
    new Promise<Server>((resolve) => {
      const server = createServer((socket) => {
        connections.push(socket);
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
          heard = Buffer.concat([heard, bytes]);
        });
      });
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    await until('a connection', () => connections.length > 0);
    for (const socket of connections) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    wire: createTcpWire({ peer: { host: '127.0.0.1', port }, clock }),
    absence: 'peer.unreachable',
    say: (bytes) => {
      // The peer learns of a connection a moment after the one who made it.
      const last = connections.at(-1);
      if (last?.destroyed === false) last.write(bytes);
      else server.once('connection', (socket) => socket.write(bytes));
    },
    heard: () => heard,
    unplug: stop,
    plugIn: async () => {
      server = await listen(port);
    },
    dispose: stop,
  };
});
