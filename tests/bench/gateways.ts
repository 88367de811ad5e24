// A program of its own: Modbus TCP gateways with meters behind them, which count every reading they gave. Started by `startGateways`.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

/** Readings given so far, gateway by gateway and unit by unit from 1, and requests for anything else. */
export interface Given {
  readonly readings: readonly (readonly number[])[];
  readonly others: number;
}

/** Bytes before the PDU: transaction, protocol, length, unit (Modbus Messaging on TCP/IP 1.0b, 3.1.3). */
const MBAP = 7;
/** A request for words: function, address, quantity. */
const REQUEST = MBAP + 5;

/** Each dial moves one count in so many milliseconds, each meter at its own instants: busier than any home. */
const COUNT_MS = 30_000;

function registerOf(gateway: number, unit: number): number {
  return 1_000_000 * unit + Math.floor((Date.now() + 977 * unit + 7919 * gateway) / COUNT_MS);
}

/** One gateway: two words at address 0 of each unit, high word first. What is not Modbus ends the connection. */
function serveGateway(gateway: number, units: number, given: number[], other: () => void): Server {
  return createServer((socket) => {
    let waiting: Buffer = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      const bytes = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      const answers: Buffer[] = [];
      let from = 0;
      for (; from + REQUEST <= bytes.length; from += REQUEST) {
        if (bytes.readUInt16BE(from + 2) !== 0 || bytes.readUInt16BE(from + 4) !== 6) {
          other();
          socket.destroy();
          return;
        }
        answers.push(answer(bytes.subarray(from, from + REQUEST)));
      }
      waiting = Buffer.from(bytes.subarray(from));
      if (answers.length > 0) socket.write(Buffer.concat(answers));
    });
  });

  function answer(request: Buffer): Buffer {
    const unit = request[6] ?? 0;
    const code = request[MBAP];
    const known = code === 3 && request.readUInt32BE(8) === 2 && unit >= 1 && unit <= units;
    if (!known) {
      other();
      const refusal = Buffer.from([...request.subarray(0, 4), 0, 3, unit, (code ?? 0) | 0x80, 2]);
      return refusal;
    }
    given[unit - 1] = (given[unit - 1] ?? 0) + 1;
    const reply = Buffer.alloc(13);
    request.copy(reply, 0, 0, 4);
    reply[5] = 7;
    reply[6] = unit;
    reply[7] = 3;
    reply[8] = 4;
    reply.writeUInt32BE(registerOf(gateway, unit) % 100_000_000, 9);
    return reply;
  }
}

async function run(gateways: number, units: number): Promise<void> {
  const readings = Array.from({ length: gateways }, () => Array<number>(units).fill(0));
  let others = 0;
  const ports: number[] = [];
  for (const [i, given] of readings.entries()) {
    const server = serveGateway(i, units, given, () => {
      others += 1;
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  process.on('message', () => process.send?.({ readings, others } satisfies Given));
  process.on('disconnect', () => process.exit(0));
  process.send?.(ports);
}

/** Gateways in a process of their own, so that their work is nobody's cost. */
export interface Gateways {
  /** On 127.0.0.1. */
  readonly ports: readonly number[];
  given(): Promise<Given>;
  close(): void;
}

/** Starts so many gateways with so many meters each; rejects when the process cannot be started. */
export async function startGateways(gateways: number, units: number): Promise<Gateways> {
  const child = fork(fileURLToPath(import.meta.url), [String(gateways), String(units)]);
  const [ports] = (await once(child, 'message')) as [number[]];
  return {
    ports,
    given: () => ask(child),
    close: () => child.disconnect(),
  };
}

async function ask(child: ChildProcess): Promise<Given> {
  const answered = once(child, 'message');
  child.send('given');
  const [given] = (await answered) as [Given];
  return given;
}

if (argv[1] === fileURLToPath(import.meta.url)) await run(Number(argv[2]), Number(argv[3]));
