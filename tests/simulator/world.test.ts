// A simulated street on real pseudo-terminals and TCP ports, read with the field's own clients.

import { once } from 'node:events';
import {
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import modbus from 'modbus-serial';
import { SerialPort } from 'serialport';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildWorld, type World, type WorldOptions } from '../../simulator/world.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createTcpWire } from '../../src/adapters/tcp-wire.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { eventually } from '../fakes/until.ts';

const ModbusRTU = modbus.default;
const START = Date.UTC(2026, 5, 1);
/** How long anything on this machine may take before it counts as not happening. */
const PATIENCE_MS = 10_000;

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function street(options: Partial<WorldOptions> = {}): Promise<World & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'street-'));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
  const world = await buildWorld({
    seed: 5,
    speed: 60,
    start: START,
    meters: 8,
    folder,
    brokerUrl: 'mqtt://127.0.0.1:1883',
    ...options,
  });
  endings.push(() => world.close());
  return Object.assign(world, { folder });
}

test('a street whose folder cannot be made is refused at once', async () => {
  await expect(street({ folder: '/proc/meter-collector/street' })).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

/** The port of a TCP bus, as the collector learns it. */
function portOf(world: World, bus: string): number {
  const settings = parse(world.settings) as { buses: { bus: string; port: number }[] };
  return settings.buses.find((one) => one.bus === bus)?.port ?? 0;
}

async function openSerial(path: string): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate: 9600, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(error) : resolve()));
  });
  port.on('error', () => undefined);
  // Without a reader serialport never notices that the port is gone.
  port.on('data', () => undefined);
  endings.push(() => (port.isOpen ? new Promise((resolve) => port.close(resolve)) : undefined));
  return port;
}

async function openTcp(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  endings.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The next line, up to its CR. */
function nextLine(stream: SerialPort | Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no line came')), PATIENCE_MS);
    let text = '';
    const hear = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!text.includes('\r')) return;
      clearTimeout(late);
      stream.off('data', hear);
      resolve(text);
    };
    stream.on('data', hear);
  });
}

function ask(stream: SerialPort | Socket, request: string): Promise<string> {
  const line = nextLine(stream);
  stream.write(request);
  return line;
}

async function modbusClient(connect: (client: InstanceType<typeof ModbusRTU>) => Promise<void>) {
  const client = new ModbusRTU();
  client.on('error', () => undefined);
  await connect(client);
  client.setTimeout(2000);
  endings.push(() => new Promise<void>((resolve) => client.close(() => resolve())));
  return client;
}

describe('a street on real ports', () => {
  test('answers a serial reader on a pseudo-terminal with the register it notes as served', async () => {
    const world = await street();
    const port = await openSerial(join(world.folder, 'bus-1.tty'));
    const line = await ask(port, '#1\r');
    const [served] = world.truth.served('SP-00001');
    const id = world.truth.meters[0]?.registerId;
    expect(line).toBe(`V;RB${String(served?.register).padStart(8, '0')};IB${id}\r`);
    expect(world.registerAt('SP-00001', served?.at ?? 0)).toEqual({
      register: served?.register,
      count: served?.count,
    });
    const fixed = await ask(port, '#2\r');
    const four = world.truth.served('SP-00005')[0]?.register;
    expect(fixed).toBe(`R${String(four).padStart(4, '0')}${world.truth.meters[4]?.registerId}\r`);
  });

  test('passes bytes unaltered even to a reader that never set the port up', async () => {
    const world = await street();
    const file = await open(join(world.folder, 'bus-1.tty'), constants.O_RDWR | constants.O_NOCTTY);
    endings.push(() => file.close());
    await file.write('#1\r');
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64), 0, 64);
    expect(buffer.toString('latin1', 0, bytesRead)).toMatch(/^V;RB\d{8};IB\d{8}\r$/);
    expect(world.truth.served('SP-00001')).toHaveLength(1);
  });

  test('keeps serving a serial port that one reader after the other opens and closes', async () => {
    const world = await street();
    for (let reader = 0; reader < 8; reader++) {
      const port = await openSerial(join(world.folder, 'bus-1.tty'));
      expect(await ask(port, '#2\r')).toMatch(/^R\d{12}\r$/);
      await new Promise((resolve) => port.close(resolve));
    }
  });

  test('answers the same line over TCP, also when asked in parts', async () => {
    const world = await street();
    const socket = await openTcp(portOf(world, 'bus-2'));
    const line = nextLine(socket);
    socket.write('#');
    socket.write('1');
    socket.write('\r');
    expect(await line).toMatch(/^V;RB\d{8};IB\d{8}\r$/);
    expect(world.truth.served('SP-00002')).toHaveLength(1);
  });

  test('is read by modbus-serial over a pseudo-terminal: u32, u16 and exceptions', async () => {
    const world = await street();
    const path = join(world.folder, 'bus-3.tty');
    const client = await modbusClient((c) => c.connectRTUBuffered(path, { baudRate: 9600 }));
    client.setID(1);
    const eight = await client.readHoldingRegisters(0, 2);
    expect(eight.buffer.readUInt32BE(0)).toBe(world.truth.served('SP-00003')[0]?.register);
    client.setID(2);
    await expect(client.readInputRegisters(0, 1)).rejects.toMatchObject({ modbusCode: 1 });
    const four = await client.readHoldingRegisters(0, 1);
    expect(four.data[0]).toBe(world.truth.served('SP-00007')[0]?.register);
    await expect(client.readHoldingRegisters(0, 2)).rejects.toMatchObject({ modbusCode: 2 });
    await expect(client.readCoils(0, 1)).rejects.toMatchObject({ modbusCode: 1 });
    expect(world.truth.served('SP-00007')).toHaveLength(1);
  });

  test('serves every channel of a device: its meters share a unit, and one that is silent is stale alone', async () => {
    const names = ['SP-00004', 'SP-00008', 'SP-00012'] as const;
    const profiles = new Map(names.map((name) => [name, 'scadametrics-ethermeter-modbus']));
    const world = await street({ meters: 16, profiles });
    const { meters } = parse(world.settings) as { meters: { meter: string; address: string }[] };
    const address = (name: string) => meters.find(({ meter }) => meter === name)?.address;
    expect(names.map(address)).toEqual(['1/1', '1/2', '3/1']);
    const port = portOf(world, 'bus-4');
    const client = await modbusClient((c) => c.connectTCP('127.0.0.1', { port }));
    client.setID(1);
    const total = (name: string) => world.truth.served(name).at(-1)?.register;
    const both = await client.readHoldingRegisters(0, 4);
    expect(both.buffer.readUInt32BE(0)).toBe(total('SP-00004'));
    expect(both.buffer.readUInt32BE(4)).toBe(total('SP-00008'));
    const second = await client.readHoldingRegisters(2, 2);
    expect(second.buffer.readUInt32BE(0)).toBe(total('SP-00008'));
    expect(world.truth.served('SP-00004')).toHaveLength(1);
    expect(world.truth.served('SP-00008')).toHaveLength(2);

    world.silence('SP-00008', true);
    // Bits 8 and 9 say that a meter could not be read.
    expect(((await client.readHoldingRegisters(13, 1)).data[0] ?? 0) & 0x300).toBe(0x200);
    await client.readHoldingRegisters(0, 4);
    expect(world.truth.served('SP-00004')).toHaveLength(2);
    expect(world.truth.served('SP-00008')).toHaveLength(2);
    world.silence('SP-00004', true);
    client.setTimeout(200);
    await expect(client.readHoldingRegisters(0, 4)).rejects.toMatchObject({ errno: 'ETIMEDOUT' });
  });

  test('refuses the question for an unreadable channel alone where a device has no word for it', async () => {
    const names = ['SP-00004', 'SP-00008'];
    const profiles = new Map(names.map((name) => [name, 'obvius-a8911-23']));
    const faults = [{ kind: 'unreadable', meter: 'SP-00008', from: 0, to: 9 }] as const;
    const world = await street({ profiles, faults });
    const port = portOf(world, 'bus-4');
    const client = await modbusClient((c) => c.connectTCP('127.0.0.1', { port }));
    client.setID(1);
    const first = await client.readHoldingRegisters(0, 2);
    expect(first.buffer.readUInt32BE(0)).toBe(world.truth.served('SP-00004')[0]?.register);
    await expect(client.readHoldingRegisters(2, 2)).rejects.toMatchObject({ modbusCode: 4 });
  });

  test('is read by modbus-serial over TCP: u32, and silence where no unit is', async () => {
    const world = await street();
    const port = portOf(world, 'bus-4');
    const client = await modbusClient((c) => c.connectTCP('127.0.0.1', { port }));
    client.setID(1);
    const eight = await client.readHoldingRegisters(0, 2);
    expect(eight.buffer.readUInt32BE(0)).toBe(world.truth.served('SP-00004')[0]?.register);
    client.setTimeout(200);
    client.setID(9);
    await expect(client.readHoldingRegisters(0, 2)).rejects.toMatchObject({ errno: 'ETIMEDOUT' });
  });

  test('is read through a server of serial lines, as its settings say', async () => {
    const world = await street({ rtuOverTcp: true });
    const loaded = await loadSettings({
      file: join(world.folder, 'collector.yaml'),
      root: fileURLToPath(new URL('../..', import.meta.url)),
      readText: async (path) => readFileSync(path, 'utf8'),
    });
    const bus = loaded.ok ? loaded.settings.buses[2] : undefined;
    if (bus?.type !== 'modbus-rtu-tcp') throw new Error('another kind of bus');
    const clock = createSystemClock();
    const wire = createTcpWire({ peer: bus.peer, clock });
    const link = createRtuLink({ wire, clock, baud: bus.baud });
    endings.push(() => link.close());
    expect((await link.open()).ok).toBe(true);
    const question = { unit: 1, table: 'holding', address: 0, quantity: 2 } as const;
    const words = await link.read({ ...question, timeoutMs: PATIENCE_MS });
    const register = world.truth.served('SP-00003')[0]?.register ?? -1;
    expect(words).toEqual({ ok: true, value: [register >>> 16, register & 0xffff] });
  });

  test('answers for an Octave with input registers, its code for ft3 and nothing in the holes', async () => {
    const world = await street({ profiles: new Map([['SP-00003', 'arad-octave']]) });
    const path = join(world.folder, 'bus-3.tty');
    const client = await modbusClient((c) => c.connectRTUBuffered(path, { baudRate: 9600 }));
    client.setID(1);
    expect((await client.readInputRegisters(23, 1)).data).toEqual([1]);
    expect(world.truth.served('SP-00003')).toEqual([]);
    const total = await client.readInputRegisters(54, 2);
    expect(total.buffer.readUInt32BE(0)).toBe(world.truth.served('SP-00003')[0]?.register);
    await expect(client.readInputRegisters(100, 1)).rejects.toMatchObject({ modbusCode: 2 });
    await expect(client.readHoldingRegisters(54, 2)).rejects.toMatchObject({ modbusCode: 1 });
  });

  test('lets an EtherMeter speak by itself with both of its meters', async () => {
    const profiles = new Map([
      ['SP-00002', 'scadametrics-ethermeter-ascii'],
      ['SP-00006', 'scadametrics-ethermeter-ascii-2'],
    ]);
    const world = await street({ profiles });
    const line = await nextLine(await openTcp(portOf(world, 'bus-2')));
    const [one, two] = ['SP-00002', 'SP-00006'].map((meter) =>
      String(world.truth.served(meter)[0]?.register).padStart(8, '0'),
    );
    expect(line.startsWith(`:${one};${two};0;`)).toBe(true);
  });

  test('notes the register of a stranger as no reading of the meter', async () => {
    const faults = [
      { kind: 'stranger', meter: 'SP-00002', from: 0, to: 9999, id: '77770001' },
    ] as const;
    const world = await street({ faults });
    expect(await ask(await openTcp(portOf(world, 'bus-2')), '#1\r')).toMatch(/;IB77770001\r$/);
    expect(world.truth.served('SP-00002')).toEqual([]);
    await world.close();
    const text = readFileSync(join(world.folder, 'truth.ndjson'), 'utf8');
    expect(text).toMatch(/"type":"stranger","meter":"SP-00002".*"id":"77770001"/);
  });

  test('lets a silenced meter be silent while its neighbour answers', async () => {
    const world = await street();
    const port = await openSerial(join(world.folder, 'bus-1.tty'));
    world.silence('SP-00001', true);
    expect(await ask(port, '#1\r#2\r')).toMatch(/^R\d{12}\r$/);
    world.silence('SP-00001', false);
    expect(await ask(port, '#1\r')).toMatch(/^V;/);
    expect(world.truth.served('SP-00001')).toHaveLength(1);
  });

  test('answers late when told so, and latches the dial only then', async () => {
    const world = await street({ replyDelayMs: 120, speed: 600 });
    const socket = await openTcp(portOf(world, 'bus-2'));
    const asked = world.now();
    await ask(socket, '#1\r');
    const at = world.truth.served('SP-00002')[0]?.at ?? 0;
    expect(at - asked).toBeGreaterThanOrEqual(119 * 600);
  });

  test('passes 99999999 to zero on the wire, and is right before and after', async () => {
    const world = await street({ speed: 7200 });
    const path = join(world.folder, 'bus-3.tty');
    const client = await modbusClient((c) => c.connectRTUBuffered(path, { baudRate: 9600 }));
    client.setID(1);
    let before = 0;
    const after = await eventually(async () => {
      const now = (await client.readHoldingRegisters(0, 2)).buffer.readUInt32BE(0);
      if (now < before) return now;
      before = now;
      return undefined;
    });
    expect(before).toBeGreaterThan(99_999_900);
    expect(after).toBeLessThan(1000);
    for (const { at, register, count } of world.truth.served('SP-00003')) {
      expect(register).toBe(count % 1e8);
      expect(world.registerAt('SP-00003', at)).toEqual({ register, count });
    }
  });
});

/** Pseudo-terminals that this process holds open, where the system tells. */
function openTerminals(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith('/dev/pts/')).length;
}

describe('plugs', () => {
  test.skipIf(!existsSync('/proc/self/fd'))(
    'pulled and put back many times leave nothing open behind (needs /proc)',
    async () => {
      const world = await street();
      const before = openTerminals();
      for (let pull = 0; pull < 10; pull++) {
        world.unplug('bus-3');
        await world.replug('bus-3');
      }
      expect(openTerminals()).toBe(before);
      await world.close();
      expect(openTerminals()).toBe(before - 2);
    },
  );

  test('an unplugged serial bus is gone for its reader, and serves again under its name when back', async () => {
    const world = await street();
    const path = join(world.folder, 'bus-1.tty');
    const port = await openSerial(path);
    await ask(port, '#1\r');
    world.unplug('bus-1');
    world.unplug('bus-1');
    expect(existsSync(path)).toBe(false);
    // Pulled in the midst of its read, serialport only notices with its next write.
    await eventually(async () => {
      if (port.isOpen) port.write('#1\r');
      return port.isOpen ? undefined : true;
    });
    await expect(openSerial(path)).rejects.toThrow();
    await world.replug('bus-1');
    const back = await openSerial(path);
    expect(await ask(back, '#1\r')).toMatch(/^V;RB\d{8};IB\d{8}\r$/);
  });

  test('an unplugged TCP bus refuses its peer, and serves again on its port when back', async () => {
    const world = await street();
    const port = portOf(world, 'bus-2');
    const socket = await openTcp(port);
    const lost = once(socket, 'close');
    world.unplug('bus-2');
    await lost;
    await expect(openTcp(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await world.replug('bus-2');
    expect(await ask(await openTcp(port), '#1\r')).toMatch(/^V;/);
  });

  test('a planned fault pulls the plug and puts it back, and the others never notice', async () => {
    // An hour is 100 ms here.
    const faults = [{ kind: 'unplug', bus: 'bus-2', from: 4, to: 9 }] as const;
    const world = await street({ speed: 36_000, faults });
    const other = await openSerial(join(world.folder, 'bus-1.tty'));
    const socket = await openTcp(portOf(world, 'bus-2'));
    await once(socket, 'close');
    expect((world.now() - START) / 3_600_000).toBeGreaterThanOrEqual(4);
    expect(await ask(other, '#1\r')).toMatch(/^V;/);
    const back = await eventually(() => openTcp(portOf(world, 'bus-2')));
    expect((world.now() - START) / 3_600_000).toBeGreaterThanOrEqual(9);
    expect(await ask(back, '#1\r')).toMatch(/^V;/);
  });

  test('a planned silence ends by itself', async () => {
    const faults = [{ kind: 'silent', meter: 'SP-00002', from: 0, to: 6 }] as const;
    const world = await street({ speed: 36_000, faults });
    const socket = await openTcp(portOf(world, 'bus-2'));
    const lines: string[] = [];
    socket.on('data', (chunk) => lines.push(chunk.toString('latin1')));
    await eventually(async () => {
      socket.write('#1\r');
      return lines.length > 0 || undefined;
    });
    const [first] = world.truth.served('SP-00002');
    expect(first?.at).toBeGreaterThanOrEqual(START + 6 * 3_600_000);
  });
});

describe('the truth', () => {
  test('holds on disk every count in order, when it passed, and every register served', async () => {
    const world = await street({ speed: 14_400 });
    const socket = await openTcp(portOf(world, 'bus-2'));
    await eventually(async () => {
      await ask(socket, '#1\r');
      return world.now() > START + 6 * 3_600_000 || undefined;
    });
    await world.close();
    const text = readFileSync(join(world.folder, 'truth.ndjson'), 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ type }) => type === 'meter')).toHaveLength(8);
    for (const { meter, initial } of world.truth.meters) {
      const counts = lines.filter((line) => line.type === 'count' && line.meter === meter);
      expect(counts.map(({ count }) => count)).toEqual(counts.map((_, i) => initial + 1 + i));
      for (const { at, count } of counts) {
        expect(world.registerAt(meter, Date.parse(at)).count).toBeGreaterThanOrEqual(count);
        expect(world.registerAt(meter, Date.parse(at) - 1).count).toBeLessThan(count);
      }
    }
    for (const { meter } of world.truth.meters) {
      const times = lines.filter((line) => line.meter === meter && line.at).map(({ at }) => at);
      expect(times).toEqual(times.toSorted());
    }
    const served = lines.filter(({ type }) => type === 'served');
    expect(served.length).toBeGreaterThan(10);
    expect(served.map((line) => ({ ...line, type: undefined, at: Date.parse(line.at) }))).toEqual(
      world.truth.served('SP-00002').map((entry) => ({ ...entry, type: undefined })),
    );
  });

  test('cannot be told of a world with a fault that names nothing in it', async () => {
    const faults = [{ kind: 'silent', meter: 'SP-00009', from: 1, to: 2 }] as const;
    await expect(street({ faults })).rejects.toThrow('no such meter');
    await expect(street({ meters: 7 })).rejects.toThrow(RangeError);
  });
});

describe('the settings for the collector', () => {
  test('state every meter once, on its bus, and one clock for both programs', async () => {
    const world = await street({ speed: 2400, meters: 11 });
    const settings = parse(world.settings);
    expect(readFileSync(join(world.folder, 'collector.yaml'), 'utf8')).toBe(world.settings);
    expect(settings.meters.map((one: { meter: string }) => one.meter)).toEqual(
      world.truth.meters.map(({ meter }) => meter),
    );
    const shared = Date.parse(settings.time.simulated) - Date.parse(settings.time.real) * 2400;
    const drift = world.now() - (shared + Date.now() * 2400);
    expect(Math.abs(drift)).toBeLessThanOrEqual(2400 * 50);
    expect(settings.meters[0].tolerance_s).toBe(600);
    expect(settings.upstream.smear_s).toBe(0);
  });

  test('are accepted by the collector’s own check, profiles and all', async () => {
    const { folder } = await street({ speed: 2400, meters: 40 });
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const checked = await loadSettings({ file: join(folder, 'collector.yaml'), root });
    expect(checked).toMatchObject({ ok: true });
  });

  test.each([
    ['sensus-ui1203-variable', 'sensus-ui1203-fixed', 'neptune-e-coder'],
    ['scadametrics-ethermeter-ascii', 'scadametrics-ethermeter-ascii-2', 'elster-k-frame'],
    ['badger-e-series', 'generic-4-digit-line', 'sensus-ui1203-fixed'],
  ])(
    'are accepted with the devices %s and %s on one line and %s on the other',
    async (one, five, both) => {
      const profiles = new Map([
        ['SP-00001', one],
        ['SP-00005', five],
        ['SP-00002', both],
        ['SP-00006', both],
        ['SP-00003', 'arad-octave'],
        ['SP-00004', 'scadametrics-ethermeter-modbus'],
        ['SP-00007', 'siemens-mag-6000'],
        ['SP-00008', 'obvius-a8911-23'],
      ]);
      const { folder } = await street({ speed: 2400, profiles });
      const root = fileURLToPath(new URL('../../', import.meta.url));
      const checked = await loadSettings({ file: join(folder, 'collector.yaml'), root });
      expect(checked).toMatchObject({ ok: true });
    },
  );

  test('are those of the field at the field’s own speed', async () => {
    const settings = parse((await street({ speed: 1 })).settings);
    expect(settings.meters[0].tolerance_s).toBe(15);
    expect(settings.upstream.smear_s).toBe(300);
    expect(settings.buses[0].timeout_ms).toBe(1000);
  });
});
