// A Modbus TCP server of modbus-serial in a process of its own: prints its port, ends with its standard input.

import type { AddressInfo, Server } from 'node:net';
import modbus from 'modbus-serial';

const server = new modbus.ServerTCP(
  { getHoldingRegister: (address: number) => address },
  { host: '127.0.0.1', port: 0, unitID: 1 },
);
server.on('initialized', () => {
  const { port } = (server as unknown as { _server: Server })._server.address() as AddressInfo;
  process.stdout.write(`${port}\n`);
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
