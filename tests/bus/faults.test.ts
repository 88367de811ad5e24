// No fault of a line, gateway or device makes a number out of another question's answer, and all are recovered from.

import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import modbus from 'modbus-serial';
import { describe, expect, it } from 'vitest';
import { createSerialWire } from '../../src/adapters/serial-wire.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createTcpWire } from '../../src/adapters/tcp-wire.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createRtuLink, SILENCES_TO_REOPEN_PEER } from '../../src/bus/rtu-client.ts';
import { plugTerminal } from '../fakes/pseudo-terminal.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import type { Client, Outcome } from './fault-run.ts';
import { clientOf, deviceOf, MBAP, RTU, runCase } from './fault-run.ts';
import type { FaultCase, Heard } from './faulty-devices.ts';
import { lateBy, RTU_FAULTS, TCP_FAULTS, wordsAt } from './faulty-devices.ts';

const ModbusRTU = modbus.default;
const clock = createSystemClock();
const VIRTUAL_TIMEOUT_MS = 1_000;
/** Longer than a busy machine keeps this process from its port. */
const TIMEOUT_MS = 250;

function expectSound(outcome: Outcome): void {
  expect(outcome.wrong).toEqual([]);
  expect(outcome.recovered).not.toBeNull();
}

/** On virtual time, with nothing real. */
async function virtually(fault: FaultCase, framing: typeof RTU): Promise<Outcome> {
  const time = new VirtualClock();
  const wire = new ScriptedWire(time);
  const device = deviceOf(fault.device, framing, VIRTUAL_TIMEOUT_MS);
  // What was asked on a line is answered even when it was closed meanwhile; a connection takes its answers along.
  const say: Heard['say'] = (bytes, afterMs = 1) =>
    framing === RTU ? wire.sayAnyway(bytes, afterMs) : wire.say(bytes, afterMs);
  wire.device((bytes) =>
    device.hear(bytes, say, () => {
      wire.unplug();
      wire.plugIn();
    }),
  );
  const link =
    framing === RTU
      ? createRtuLink({ wire, clock: time, baud: 9_600 })
      : createMbapLink({ wire, clock: time });
  const client = clientOf(link, VIRTUAL_TIMEOUT_MS, (ms) => time.sleep(ms));
  return time.runUntil(runCase(fault, client, device));
}

/** A serial port in a folder of its own, with a device behind it. */
async function onTerminal(
  fault: FaultCase,
  create: (path: string) => Promise<{ client: Client; close(): Promise<void> }>,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  const path = join(folder, 'port');
  const terminal = plugTerminal(path);
  const device = deviceOf(fault.device, RTU, TIMEOUT_MS);
  const say: Heard['say'] = (bytes, afterMs = 0) => {
    if (afterMs === 0) terminal.say(bytes);
    else void clock.sleep(afterMs).then(() => terminal.say(bytes));
  };
  terminal.onHeard((bytes) => device.hear(bytes, say));
  const { client, close } = await create(path);
  try {
    return await runCase(fault, client, device);
  } finally {
    await close();
    terminal.unplug();
    rmSync(folder, { recursive: true });
  }
}

/** A TCP server with a device behind it. */
async function onServer(
  fault: FaultCase,
  framing: typeof RTU,
  create: (port: number) => Promise<{ client: Client; close(): Promise<void> }>,
): Promise<Outcome> {
  const device = deviceOf(fault.device, framing, TIMEOUT_MS);
  const sockets = new Set<Socket>();
  let last: Socket | undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    last = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      // A server of a serial line hands what comes from the line to whoever is connected.
      const to = () => (framing === RTU ? last : socket);
      const say: Heard['say'] = (said, afterMs = 0) => {
        if (afterMs === 0) to()?.write(said);
        else void clock.sleep(afterMs).then(() => to()?.write(said));
      };
      device.hear(bytes, say, (how) => {
        if (how === 'fin') socket.end();
        else socket.resetAndDestroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { client, close } = await create((server.address() as AddressInfo).port);
  try {
    return await runCase(fault, client, device);
  } finally {
    await close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const rest = () => clock.sleep(TIMEOUT_MS);

/** The library alone, as a program would use it that opens again what was lost. */
async function bare(
  connect: (client: InstanceType<typeof ModbusRTU>) => Promise<void>,
): Promise<{ client: Client; close(): Promise<void> }> {
  const library = new ModbusRTU();
  library.on('error', () => {});
  await connect(library);
  library.setTimeout(TIMEOUT_MS);
  const ask: Client['ask'] = async (unit, address, quantity) => {
    try {
      if (!library.isOpen) await connect(library);
      library.setID(unit);
      return (await library.readHoldingRegisters(address, quantity)).data;
    } catch (error) {
      return String(error);
    }
  };
  const close = () => new Promise<void>((resolve) => library.close(() => resolve()));
  return { client: { ask, rest }, close };
}

describe('our RTU line', () => {
  it.each(RTU_FAULTS)('bears $name, on virtual time', async (fault) => {
    expectSound(await virtually(fault, RTU));
  });

  it.each(RTU_FAULTS)('bears $name, on a pseudo-terminal', async (fault) => {
    const outcome = await onTerminal(fault, async (path) => {
      const settings = { path, baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
      const wire = createSerialWire({ settings, clock });
      const link = createRtuLink({ wire, clock, baud: 9600 });
      return { client: clientOf(link, TIMEOUT_MS, clock.sleep), close: () => link.close() };
    });
    expectSound(outcome);
  });

  it.each(RTU_FAULTS)('bears $name, through a server of a serial line', async (fault) => {
    const outcome = await onServer(fault, RTU, async (port) => {
      const wire = createTcpWire({ peer: { host: '127.0.0.1', port }, clock });
      const silencesToReopen = SILENCES_TO_REOPEN_PEER;
      const link = createRtuLink({ wire, clock, baud: 9600, silencesToReopen });
      return { client: clientOf(link, TIMEOUT_MS, clock.sleep), close: () => link.close() };
    });
    expectSound(outcome);
  });
});

describe('our TCP link', () => {
  const FAR: FaultCase = {
    name: 'an answer 65,536 requests late',
    fools: false,
    reads: 65_540,
    device: lateBy(65_536),
  };

  it.each([...TCP_FAULTS, FAR])('bears $name, on virtual time', async (fault) => {
    // The device of this one keeps an answer, so each run has its own.
    const device = fault.name.includes('256') ? lateBy(256) : fault.device;
    expectSound(await virtually({ ...fault, device }, MBAP));
  });

  it.each(TCP_FAULTS)('bears $name, on a socket', async (fault) => {
    const device = fault.name.includes('256') ? lateBy(256) : fault.device;
    const outcome = await onServer({ ...fault, device }, MBAP, async (port) => {
      const wire = createTcpWire({ peer: { host: '127.0.0.1', port }, clock });
      const link = createMbapLink({ wire, clock });
      return { client: clientOf(link, TIMEOUT_MS, clock.sleep), close: () => link.close() };
    });
    expectSound(outcome);
  });
});

describe('the same faults on bare modbus-serial', () => {
  const fooling = RTU_FAULTS.filter(({ fools }) => fools);

  it.each(fooling)('$name makes wrong numbers', async (fault) => {
    const outcome = await onTerminal(fault, (path) =>
      bare((library) => library.connectRTUBuffered(path, { baudRate: 9600 })),
    );
    expect(outcome.wrong).not.toEqual([]);
  });

  it('an answer 256 requests late makes a wrong number', async () => {
    const fault = TCP_FAULTS.find(({ fools }) => fools) as FaultCase;
    const outcome = await onServer({ ...fault, device: lateBy(256) }, MBAP, (port) =>
      bare((library) => library.connectTCP('127.0.0.1', { port })),
    );
    expect(outcome.wrong).not.toEqual([]);
  });

  it('three questions at once on a line give one the answer of another', async () => {
    const sound: FaultCase = {
      ...{ name: 'sound', fools: true, reads: 0 },
      device: ({ say, answer }) => say(answer, 20),
    };
    let got: unknown[] = [];
    await onTerminal(sound, async (path) => {
      const one = await bare((library) => library.connectRTUBuffered(path, { baudRate: 9600 }));
      const asked = [10, 20, 30].map((address) => one.client.ask(1, address, 2));
      got = await Promise.all(asked);
      return one;
    });
    const right = [10, 20, 30].map((address) => wordsAt(address, 2).join());
    const wrong = got.filter((words, i) => Array.isArray(words) && words.join() !== right[i]);
    expect(wrong).not.toEqual([]);
  });
});
