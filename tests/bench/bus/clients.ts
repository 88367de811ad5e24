// The clients of the bus bench, each reading two holding registers of unit 1 as fast as it can for so many seconds.

import { connect } from 'node:net';
import modbus from 'modbus-serial';
import { createSerialWire } from '../../../src/adapters/serial-wire.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { createTcpWire } from '../../../src/adapters/tcp-wire.ts';
import type { ModbusLink } from '../../../src/boundaries.ts';
import { createMbapLink } from '../../../src/bus/mbap-client.ts';
import { createRtuLink } from '../../../src/bus/rtu-client.ts';

const ModbusRTU = modbus.default;

/** Readings a second, and milliseconds of processor for a thousand of them. */
export interface Rate {
  readonly perS: number;
  readonly cpuMs: number;
}

const ADDRESS = 100;
const WORDS = { unit: 1, table: 'holding', address: ADDRESS, quantity: 2 } as const;
const QUESTION = { ...WORDS, timeoutMs: 1_000 };
const clock = createSystemClock();

async function measured(seconds: number, work: (until: number) => Promise<number>): Promise<Rate> {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const reads = await work(begun + seconds * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const tookS = (performance.now() - begun) / 1000;
  return { perS: reads / tookS, cpuMs: (user + system) / reads };
}

/** Our link, `depth` questions under way. Throws when anything is answered but the words. */
async function ours(link: ModbusLink, depth: number, seconds: number): Promise<Rate> {
  const opened = await link.open();
  if (!opened.ok) throw new Error(opened.fault.detail);
  let loops: Promise<void>[] = [];
  const rate = await measured(seconds, async (until) => {
    let reads = 0;
    const loop = async () => {
      while (performance.now() < until) {
        const answer = await link.read(QUESTION);
        if (!answer.ok) throw new Error(`${answer.fault.code}: ${answer.fault.detail}`);
        if (answer.value[0] !== ADDRESS) throw new Error('wrong words');
        reads += 1;
      }
    };
    loops = Array.from({ length: depth }, loop);
    // As the socket's: to the first answer after the time. To those behind it a server that sends them one by one adds 40 ms, as
    // nobody asks more: it waits for the kernel's late word that the one before was heard.
    await Promise.race(loops);
    return reads;
  });
  await Promise.all(loops);
  await link.close();
  return rate;
}

export function oursTcp(port: number, depth: number, seconds: number): Promise<Rate> {
  const wire = createTcpWire({ peer: { host: '127.0.0.1', port }, clock });
  return ours(createMbapLink({ wire, clock, atOnce: depth }), depth, seconds);
}

export function oursRtu(path: string, baud: number, seconds: number): Promise<Rate> {
  const settings = { path, baud, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  const wire = createSerialWire({ settings, clock });
  return ours(createRtuLink({ wire, clock, baud }), 1, seconds);
}

/** Bytes of an answer of two words. */
const ANSWER_BYTES = 13;

/** A plain socket that sends a ready request for every answer, with nothing parsed: what Node can do at all. */
export function rawTcp(port: number, depth: number, seconds: number): Promise<Rate> {
  const request = Buffer.of(0, 1, 0, 0, 0, 6, 1, 3, 0, ADDRESS, 0, 2);
  return measured(seconds, (until) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    return new Promise((resolve, reject) => {
      let bytes = 0;
      let reads = 0;
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        bytes += chunk.length;
        const answers = Math.floor(bytes / ANSWER_BYTES);
        bytes -= answers * ANSWER_BYTES;
        reads += answers;
        if (performance.now() >= until) {
          socket.destroy();
          resolve(reads);
          return;
        }
        for (let i = 0; i < answers; i += 1) socket.write(request);
      });
      for (let i = 0; i < depth; i += 1) socket.write(request);
    });
  });
}

/** modbus-serial on the port of a server, or on a serial port at a speed. */
export async function modbusSerial(
  at: { port: number } | { path: string; baud: number },
  seconds: number,
): Promise<Rate> {
  const client = new ModbusRTU();
  if ('port' in at) await client.connectTCP('127.0.0.1', { port: at.port });
  else await client.connectRTUBuffered(at.path, { baudRate: at.baud });
  client.setID(1);
  client.setTimeout(1_000);
  const rate = await measured(seconds, async (until) => {
    let reads = 0;
    for (; performance.now() < until; reads += 1) await client.readHoldingRegisters(ADDRESS, 2);
    return reads;
  });
  await new Promise<void>((resolve) => client.close(() => resolve()));
  return rate;
}
