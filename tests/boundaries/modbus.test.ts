// The promises of a Modbus link, kept in memory, on a pseudo-terminal and over TCP; and the noise of real wires.

import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import modbus from 'modbus-serial';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSerialWire } from '../../src/adapters/serial-wire.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createTcpWire } from '../../src/adapters/tcp-wire.ts';
import { createMbapLink, type MbapLink } from '../../src/bus/mbap-client.ts';
import { createRtuLink, type RtuLink } from '../../src/bus/rtu-client.ts';
import type { PeerSettings, SerialSettings } from '../../src/settings/settings.ts';
import { plugTerminal } from '../fakes/pseudo-terminal.ts';
import type { ModbusScript } from '../fakes/scripted-modbus.ts';
import { ScriptedModbus } from '../fakes/scripted-modbus.ts';
import { until } from '../fakes/until.ts';
import type { ModbusRig } from './modbus.suite.ts';
import { ask, FAIR_MS, itsAddress, modbusSuite, SHORT_MS, told } from './modbus.suite.ts';
import type { WireBytes } from './modbus-device.ts';
import { crc, rtu, rtuDevice, tcpDevice, wordBytes } from './modbus-device.ts';

const clock = createSystemClock();

function createModbusRtuLink({ settings }: { settings: SerialSettings }): RtuLink {
  return createRtuLink({
    wire: createSerialWire({ settings, clock }),
    clock,
    baud: settings.baud,
  });
}

function createModbusTcpLink({ peer }: { peer: PeerSettings }): MbapLink {
  return createMbapLink({ wire: createTcpWire({ peer, clock }), clock });
}

modbusSuite('a scripted link', async () => {
  const link = new ScriptedModbus(clock);
  return {
    link,
    absence: 'port.absent',
    answer: (script) => link.answer(script),
    unplug: async () => link.unplug(),
    plugIn: async () => link.plugIn(),
    dispose: async () => {},
  };
});

interface RtuRig extends ModbusRig {
  readonly link: RtuLink;
  /** Takes the place of the scripted devices: gets each request, says what it likes. */
  onRequest(listener: (request: Buffer) => void): void;
  say(...bytes: Buffer[]): void;
}

async function rtuRig(): Promise<RtuRig> {
  const folder = mkdtempSync(join(tmpdir(), 'modbus-'));
  const path = join(folder, 'port');
  const settings = { path, baud: 9600, dataBits: 8, parity: 'even', stopBits: 1 } as const;
  let script: ModbusScript = itsAddress;
  const device = rtuDevice(() => script);
  let listener = (request: Buffer) => sayLater(device(request));
  let heard = Buffer.alloc(0);
  const plug = () => {
    const plugged = plugTerminal(path);
    plugged.onHeard((bytes) => {
      heard = Buffer.concat([heard, bytes]);
      for (; heard.length >= 8; heard = heard.subarray(8)) listener(heard.subarray(0, 8));
    });
    return plugged;
  };
  let terminal = plug();
  const sayLater = (answer: WireBytes | null) => {
    if (answer !== null) void clock.sleep(answer.afterMs).then(() => terminal.say(answer.bytes));
  };
  return {
    link: createModbusRtuLink({ settings }),
    absence: 'port.absent',
    answer: (next) => {
      script = next;
    },
    onRequest: (next) => {
      listener = next;
    },
    say: (...bytes) => terminal.say(Buffer.concat(bytes)),
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

modbusSuite('a serial line', rtuRig);

interface TcpRig extends ModbusRig {
  readonly link: MbapLink;
  readonly connections: Socket[];
  onRequest(listener: (request: Buffer, socket: Socket) => void): void;
}

async function tcpRig(): Promise<TcpRig> {
  let script: ModbusScript = itsAddress;
  const device = tcpDevice(() => script);
  const connections: Socket[] = [];
  let listener = (request: Buffer, socket: Socket) => {
    const answer = device(request);
    if (answer !== null) void clock.sleep(answer.afterMs).then(() => socket.write(answer.bytes));
  };
  const listen = (port: number) =>
    new Promise<Server>((resolve) => {
      const server = createServer((socket) => {
        connections.push(socket);
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
          for (let at = 0; at + 12 <= bytes.length; at += 12) {
            listener(bytes.subarray(at, at + 12), socket);
          }
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
  return {
    connections,
    link: createModbusTcpLink({ peer: { host: '127.0.0.1', port } }),
    absence: 'peer.unreachable',
    answer: (next) => {
      script = next;
    },
    onRequest: (next) => {
      listener = next;
    },
    unplug: async () => {
      // The peer learns of a connection a moment after the one who made it.
      await until('a connection', () => connections.length > 0);
      await stop();
    },
    plugIn: async () => {
      server = await listen(port);
    },
    dispose: stop,
  };
}

modbusSuite('a TCP connection', tcpRig);

describe('a serial Modbus line', () => {
  let rig: RtuRig;
  /** The true answer of unit 1 to the question for `address`. */
  const answer = (address: number) => rtu(1, 3, 4, ...wordBytes([1, address]));
  const read = async (address: number, timeoutMs = FAIR_MS) => {
    await rig.link.open();
    return told(await rig.link.read(ask({ address, timeoutMs })));
  };
  beforeEach(async () => {
    rig = await rtuRig();
    await rig.link.open();
  });
  afterEach(async () => {
    await rig.link.close();
    await rig.dispose();
  });
  const addressIn = (request: Buffer) => request.readUInt16BE(2);

  it('the example of the reference is read: 12345678 high word first', async () => {
    rig.onRequest(() => rig.say(Buffer.from('01030400bc614e9273', 'hex')));
    expect(await read(0)).toEqual([0x00bc, 0x614e]);
  });

  it('a flipped bit anywhere in the answer makes no number', async () => {
    const codes = new Set<unknown>();
    for (let bit = 0; bit < 9 * 8; bit += 5) {
      rig.onRequest((request) => {
        const damaged = answer(addressIn(request));
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        rig.say(damaged);
      });
      codes.add(await read(20, SHORT_MS));
    }
    for (const code of codes) expect(typeof code).toBe('string');
    expect(codes).toContain('modbus.crc');
    rig.onRequest((request) => rig.say(answer(addressIn(request))));
    expect(await read(21)).toEqual([1, 21]);
  });

  it('half an answer is torn, and its end does not answer the next question', async () => {
    rig.onRequest((request) => rig.say(answer(addressIn(request)).subarray(0, 5)));
    expect(await read(30, SHORT_MS)).toBe('line.torn');
    rig.say(answer(30).subarray(5));
    rig.onRequest((request) => rig.say(answer(addressIn(request))));
    expect(await read(31)).toEqual([1, 31]);
  });

  it('a whole answer that nobody asked for is not the answer to the next question', async () => {
    rig.onRequest((request) =>
      rig.say(rtu(request.readUInt8(0), 3, 4, 0, 7, 0, addressIn(request))),
    );
    const unit2 = async (address: number) =>
      told(await rig.link.read(ask({ timeoutMs: FAIR_MS, unit: 2, address })));
    // The answer of unit 2 comes behind the stray one, which is in then.
    rig.say(answer(40));
    expect(await unit2(41)).toEqual([7, 41]);
    rig.say(answer(42));
    expect(await unit2(43)).toEqual([7, 43]);
    expect(rig.link.tally(1)?.counts.unasked).toBe(2);
    expect(await read(45)).toEqual([7, 45]);
  });

  it('two answers to one question are both refused, and the question after it is answered', async () => {
    rig.onRequest(() => {});
    expect(await read(50, SHORT_MS)).toBe('line.silent');
    // Both the answer owed and the true one come: the first is not believed.
    rig.onRequest((request) => rig.say(answer(50), answer(addressIn(request))));
    expect(typeof (await read(51))).toBe('string');
    rig.onRequest((request) => rig.say(answer(addressIn(request))));
    expect(await read(52)).toEqual([1, 52]);
  });

  it('an answer far too late is not believed as the answer to the next question', async () => {
    rig.onRequest(() => {});
    expect(await read(55, SHORT_MS)).toBe('line.silent');
    rig.onRequest((request) => {
      rig.say(answer(55));
      void clock.sleep(50).then(() => rig.say(answer(addressIn(request))));
    });
    expect(await read(56)).toBe('modbus.unexpected');
    rig.onRequest((request) => rig.say(answer(addressIn(request))));
    expect(await read(57)).toEqual([1, 57]);
  });

  it('noise that looks like the head of an answer hides neither that answer nor another', async () => {
    rig.onRequest((request) => rig.say(Buffer.of(1, 3, 4, 0, 0), answer(addressIn(request))));
    expect(await read(60)).toEqual([1, 60]);
    rig.onRequest((request) => rig.say(answer(addressIn(request))));
    expect(await read(61)).toEqual([1, 61]);
    expect(await read(62)).toEqual([1, 62]);
  });

  it('noise before the answer is passed over, bytes behind it do not reach the next', async () => {
    rig.onRequest((request) =>
      rig.say(Buffer.of(0x55, 0xaa, 0), answer(addressIn(request)), Buffer.of(1)),
    );
    expect(await read(70)).toEqual([1, 70]);
    rig.onRequest((request) => rig.say(answer(addressIn(request))));
    expect(await read(71)).toEqual([1, 71]);
  });

  it('an adapter that hears its own request does no harm', async () => {
    rig.onRequest((request) => rig.say(Buffer.from(request), answer(addressIn(request))));
    for (let address = 80; address < 84; address += 1) {
      expect(await read(address)).toEqual([1, address]);
    }
    expect(rig.link.tally(1)?.counts.echoes).toBe(4);
  });

  it('a device that babbles without end keeps nobody waiting', async () => {
    const stop = new AbortController();
    const babble = (async () => {
      while (!stop.signal.aborted) {
        rig.say(Buffer.alloc(16, 0x55));
        await clock.sleep(1);
      }
    })();
    const began = performance.now();
    rig.onRequest(() => {});
    expect(['modbus.unexpected', 'line.torn']).toContain(await read(90, SHORT_MS));
    expect(performance.now() - began).toBeLessThan(5_000);
    stop.abort();
    await babble;
    rig.onRequest((request) => rig.say(answer(addressIn(request))));
    await read(91);
    expect(await read(92)).toEqual([1, 92]);
  });

  it('an absent port is told, each time', async () => {
    const settings = {
      path: '/nowhere/port',
      baud: 9600,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
    } as const;
    const absent = createModbusRtuLink({ settings });
    expect(told(await absent.open())).toBe('port.absent');
    expect(told(await absent.open())).toBe('port.absent');
    await absent.close();
  });
});

describe('a Modbus TCP connection', () => {
  it("the library's own server is read, both tables", async () => {
    const server = new modbus.ServerTCP(
      {
        getHoldingRegister: (address: number) => 1000 + address,
        getInputRegister: (address: number) => 2000 + address,
      },
      { host: '127.0.0.1', port: 0, unitID: 1 },
    );
    await new Promise((resolve) => server.on('initialized', resolve));
    const { port } = (server as unknown as { _server: Server })._server.address() as AddressInfo;
    const link = createModbusTcpLink({ peer: { host: '127.0.0.1', port } });
    await link.open();
    expect(told(await link.read(ask({ address: 5 })))).toEqual([1005, 1006]);
    expect(told(await link.read(ask({ address: 5, table: 'input' })))).toEqual([2005, 2006]);
    await link.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('a time-out leaves the connection, and the late answer is told from the next one', async () => {
    const rig = await tcpRig();
    await rig.link.open();
    rig.answer(({ address }) => ({ words: [1, address], afterMs: SHORT_MS * 1.5 }));
    expect(told(await rig.link.read(ask({ address: 3, timeoutMs: SHORT_MS })))).toBe('line.silent');
    expect(rig.link.isOpen()).toBe(true);
    expect(told(await rig.link.read(ask({ address: 4 })))).toEqual([1, 4]);
    expect(rig.link.counts.late).toBe(1);
    expect(rig.connections.length).toBe(1);
    await rig.link.close();
    await rig.dispose();
  });

  it('a peer that says nothing at all is left after three time-outs', async () => {
    const rig = await tcpRig();
    await rig.link.open();
    rig.answer(() => 'silence');
    for (const open of [true, true, false]) {
      expect(told(await rig.link.read(ask({ timeoutMs: 20 })))).toBe('line.silent');
      expect(rig.link.isOpen()).toBe(open);
    }
    await until('the old connection is given up', () => rig.connections[0]?.destroyed === true);
    rig.answer(itsAddress);
    await rig.link.open();
    expect(told(await rig.link.read(ask({ address: 4 })))).toEqual([1, 4]);
    await rig.link.close();
    await rig.dispose();
  });

  it.each([
    ['half an answer', (good: Buffer) => good.subarray(0, 10), 'line.torn'],
    [
      'another transaction',
      (good: Buffer) => Buffer.of(0x55, 0x55, ...good.subarray(2)),
      'modbus.unexpected',
    ],
    [
      'bytes that are no Modbus',
      () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'modbus.unexpected',
    ],
  ])('%s makes no number, and the next connection is sound', async (_what, spoil, code) => {
    const rig = await tcpRig();
    await rig.link.open();
    const device = tcpDevice(() => itsAddress);
    const sound = (request: Buffer) => (device(request) as WireBytes).bytes;
    rig.onRequest((request, socket) => socket.write(spoil(sound(request))));
    expect(told(await rig.link.read(ask({ timeoutMs: SHORT_MS })))).toBe(code);
    rig.onRequest((request, socket) => socket.write(sound(request)));
    await rig.link.open();
    expect(told(await rig.link.read(ask({ address: 8 })))).toEqual([1, 8]);
    await rig.link.close();
    await rig.dispose();
  });
});

it('the checksum of the tests is that of the reference', () => {
  expect(crc(Buffer.from('01030000001a', 'hex')).toString('hex')).toBe('c401');
});
