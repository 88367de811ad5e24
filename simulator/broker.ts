// An MQTT broker inside this process, so that the demo needs nothing installed; it speaks MQTT 3.1.1 only.

import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';

/** Lives from `startBroker` to `close`. */
export interface EmbeddedBroker {
  readonly url: string;
  readonly port: number;
  /** Clients connected now. */
  clients(): number;
  /** Cuts every connection and forgets everything. */
  close(): Promise<void>;
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** Starts a broker on 127.0.0.1; port 0 takes any free one. Rejects when the port is taken. */
export async function startBroker(port = 0): Promise<EmbeddedBroker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A peer that resets is its own trouble; without a listener it would end the process.
    socket.on('error', () => undefined);
    aedes.handle(socket);
  });
  // A client of MQTT 5 is refused with an error event; it comes back with 3.1.1.
  aedes.on('connectionError', () => undefined);
  aedes.on('clientError', () => undefined);
  const taken = await listen(server, port);
  return {
    url: `mqtt://127.0.0.1:${taken}`,
    port: taken,
    clients: () => sockets.size,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
