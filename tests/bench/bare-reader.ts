// A program of its own: the least that a Node program can do to read all meters every second. It keeps nothing and tells nobody.

import { connect } from 'node:net';
import { argv } from 'node:process';
import { setInterval } from 'node:timers/promises';

/** A request for two words at address 0, and its answer (Modbus Messaging on TCP/IP 1.0b). */
const REQUEST = 12;
const ANSWER = 13;

async function readAll(port: number, units: number): Promise<void> {
  const requests = Buffer.alloc(REQUEST * units);
  const counts = new Float64Array(units);
  for (let unit = 1; unit <= units; unit += 1) {
    requests.set([0, unit, 0, 0, 0, 6, unit, 3, 0, 0, 0, 2], REQUEST * (unit - 1));
  }
  const socket = connect(port, '127.0.0.1');
  let part: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const bytes = part.length === 0 ? chunk : Buffer.concat([part, chunk]);
    let at = 0;
    for (; at + ANSWER <= bytes.length; at += ANSWER) {
      counts[(bytes[at + 6] ?? 1) - 1] = bytes.readUInt32BE(at + 9);
    }
    part = bytes.subarray(at);
  });
  for await (const _ of setInterval(1_000)) socket.write(requests);
}

const [, , units, ...ports] = argv;
for (const port of ports) void readAll(Number(port), Number(units));
