// A trace taken on one wire, served on another: the same questions get the same answers, on real ports.

import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lineBridge } from '../../simulator/line-bridge.ts';
import { mbapSlave, rtuSlave, type UnitWords } from '../../simulator/modbus-slave.ts';
import { type Port, plugPseudoTerminal, plugTcp, type Service } from '../../simulator/ports.ts';
import { type PluggedTrace, parseTrace, plugTrace, replayService } from '../../simulator/replay.ts';
import { runSim } from '../../simulator/sim.ts';
import { createSerialWire } from '../../src/adapters/serial-wire.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createTcpWire } from '../../src/adapters/tcp-wire.ts';
import { createWireLine } from '../../src/adapters/wire-line.ts';
import type { ModbusLink, ModbusQuestion, Wire } from '../../src/boundaries.ts';
import { FrameTrace } from '../../src/bus/frame-trace.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { CR_FRAMING, framerOf } from '../../src/codec/framer.ts';
import type { Result } from '../../src/domain/fault.ts';
import { openScan } from '../../src/scanning.ts';
import { tasks } from '../../src/settings/apart-tasks.ts';
import type { ScanTarget } from '../../src/settings/settings.ts';

const clock = createSystemClock();
/** Long, as the machine may be busy; only units that are never asked here would use it up. */
const TIMEOUT_MS = 4_000;
let folder: string;
let ports: { close(): Promise<void> }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  ports = [];
});
afterEach(async () => {
  for (const port of ports) await port.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Units that show a number that grows with each answer. */
function units(): (unit: number) => UnitWords {
  let answers = 0;
  return (unit) => ({
    has: () => true,
    latch: (address, quantity) => {
      answers += 1;
      const words = Array.from({ length: quantity }, (_, i) => [address + i, unit * 100 + answers]);
      return new Map(words as [number, number][]);
    },
  });
}

async function plugged(service: Service): Promise<Port> {
  const port = await plugTcp(0, service, 0);
  ports.push(port);
  return port;
}
const wireTo = (port: number) => createTcpWire({ peer: { host: '127.0.0.1', port }, clock });

/** What `talk` said over a traced wire, and the file of its trace. */
async function recorded<T>(service: Service, talk: (wire: Wire) => Promise<T>) {
  const trace = new FrameTrace(clock);
  const id = trace.start(60_000);
  const said = await talk(trace.over(wireTo((await plugged(service)).number)));
  trace.stop(id);
  const { frames } = await trace.take(id, 0);
  const file = join(folder, 'trace.ndjson');
  writeFileSync(file, frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  return { said, file };
}

async function replayed(file: string, tcpPort?: number): Promise<PluggedTrace> {
  const found = await plugTrace({ file, folder, tcpPort });
  if ('problem' in found) throw new Error(found.problem);
  ports.push(found.port);
  return found;
}

const question = (unit: number): ModbusQuestion => ({
  ...{ unit, table: 'holding', address: 0, quantity: 2, timeoutMs: TIMEOUT_MS },
});
const words = (answer: Result<readonly number[]>) => (answer.ok ? answer.value : answer.fault.code);

/** Three questions one after the other: two of one unit, one of another. */
async function inTurn(link: ModbusLink) {
  await link.open();
  const said: unknown[] = [];
  for (const unit of [1, 1, 2]) said.push(words(await link.read(question(unit))));
  await link.close();
  return said;
}

it('an RTU line comes back on a pseudo-terminal, answer by answer', async () => {
  const talk = (wire: Wire) => inTurn(createRtuLink({ wire, clock, baud: 9_600 }));
  const { said, file } = await recorded(rtuSlave(units()), talk);
  expect(said).toEqual([
    [101, 101],
    [102, 102],
    [203, 203],
  ]);
  const { place, questions, kind } = await replayed(file);
  expect({ questions, kind }).toEqual({ questions: 2, kind: 'a line' });
  const path = 'path' in place ? place.path : '';
  const settings = { path, baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  expect(await talk(createSerialWire({ settings, clock }))).toEqual(said);
}, 30_000);

it('Modbus TCP comes back of a trace that was switched on in the middle of an answer, and of one that broke off', async () => {
  const piece = (at: number, dir: 'tx' | 'rx', hex: string) =>
    JSON.stringify({ at_us: at, dir, hex, gap_us: 0 });
  const trace = [
    piece(0, 'rx', '04 00bc 614e'.replaceAll(' ', '')),
    piece(1_000, 'tx', '000500000006010300000002'),
    piece(2_000, 'rx', '0005000000070103'),
    piece(5_000, 'tx', '000600000006010300000002'),
    piece(6_000, 'rx', '000600000007010304'),
    piece(6_500, 'rx', '00bc614e'),
  ].join('\n');
  const pieces = parseTrace(trace);
  if ('problem' in pieces) throw new Error(pieces.problem);
  const sent: string[] = [];
  const spoken = replayService(pieces).service((bytes) =>
    sent.push(Buffer.from(bytes).toString('hex')),
  );
  for (const transaction of ['0008', '0009']) {
    spoken.receive(Buffer.from(`${transaction}00000006010300000002`, 'hex'));
  }
  await vi.waitFor(() => expect(sent).toEqual(['00090000000701030400bc614e']));
  spoken.end();
});

it('Modbus TCP comes back with many questions at once, under other transactions', async () => {
  const talk = async (wire: Wire) => {
    const link = createMbapLink({ wire, clock });
    await link.open();
    const said = await Promise.all([5, 6, 7, 8].map((unit) => link.read(question(unit))));
    await link.close();
    return said.map(words);
  };
  const { said, file } = await recorded(mbapSlave(units()), talk);
  const { port, kind, questions } = await replayed(file, 0);
  expect({ questions, kind }).toEqual({ questions: 4, kind: 'Modbus TCP' });
  const link = createMbapLink({ wire: wireTo(port.number), clock });
  await link.open();
  for (const [i, unit] of [5, 6, 7, 8].entries()) {
    expect(words(await link.read(question(unit)))).toEqual(said[i]);
  }
  await link.close();
}, 30_000);

describe('a scan of what polls of one profile recorded', () => {
  const root = new URL('../..', import.meta.url).pathname;
  const profiles = () => tasks.profiles({ root });
  /** The total of a MAG 8000, in the one question that its profile asks: 1234 and 0.5 m3. */
  const total: ModbusQuestion = { ...question(4), address: 3017, quantity: 4 };
  const mag: UnitWords = {
    has: (address) => address >= 3017 && address < 3021,
    latch: () => new Map([[3017, 0], [3018, 1234], [3019, 0x1dcd], [3020, 0x6500]]), // biome-ignore format: pairs of words
  };
  const poll = async (link: ModbusLink) => {
    await link.open();
    expect(words(await link.read(total))).toEqual([0, 1234, 0x1dcd, 0x6500]);
    await link.close();
  };
  const scanned = async (target: ScanTarget, way: string) => {
    const wish = {
      ways: [way],
      addresses: '3-5',
      baud: [9_600],
      parity: ['none'],
      timeout_ms: 400,
    };
    const opened = await openScan(target, wish, { profiles });
    if ('problem' in opened) throw new Error(opened.problem);
    await opened.run.work(Number.POSITIVE_INFINITY);
    const { found, fault } = opened.run.progress();
    expect(fault).toBeNull();
    return found.map(({ address, garbled, fits }) => ({ address, garbled, fits }));
  };
  const FOUND = [
    {
      ...{ address: '4', garbled: false },
      fits: [{ profile: 'siemens-mag-8000', digits: expect.any(String), id: null }],
    },
  ];

  it('finds the unit on a serial line, which refuses what it was never asked', async () => {
    const talk = (wire: Wire) => poll(createRtuLink({ wire, clock, baud: 9_600 }));
    const { file } = await recorded(
      rtuSlave((unit) => (unit === 4 ? mag : null)),
      talk,
    );
    const { place } = await replayed(file);
    expect(await scanned({ port: 'path' in place ? place.path : '' }, 'rtu')).toEqual(FOUND);
  }, 60_000);

  it('finds the unit over TCP, which refuses what it was never asked', async () => {
    const talk = (wire: Wire) => poll(createMbapLink({ wire, clock }));
    const { file } = await recorded(
      mbapSlave((unit) => (unit === 4 ? mag : null)),
      talk,
    );
    const { port } = await replayed(file, 0);
    const peer = { host: '127.0.0.1', port: port.number };
    expect(await scanned({ peer }, 'mbap')).toEqual(FOUND);
  }, 60_000);
});

it('encoders on a line come back; who was silent stays silent', async () => {
  const talk = async (wire: Wire, timeoutMs: number) => {
    const line = createWireLine({ wire, clock, framer: framerOf(CR_FRAMING), name: 'it' });
    await line.open();
    const said: string[] = [];
    for (const address of ['1', '2']) {
      line.drain();
      await line.write(new TextEncoder().encode(`#${address}\r`));
      const frame = await line.receive(address === '2' ? timeoutMs : TIMEOUT_MS);
      said.push(frame.ok ? new TextDecoder().decode(frame.value) : frame.fault.code);
    }
    await line.close();
    return said;
  };
  const bridge = lineBridge((address) =>
    address === '1' ? Buffer.from('V;RB00000007;IB48213371\r') : null,
  );
  const { said, file } = await recorded(bridge, (wire) => talk(wire, 200));
  expect(said).toEqual(['V;RB00000007;IB48213371', 'line.silent']);
  const { port } = await replayed(file, 0);
  expect(await talk(wireTo(port.number), 200)).toEqual(said);
}, 30_000);

it('a port that is taken is not said to be a fault of the trace, and the program ends with 1', async () => {
  const { number } = await plugged(() => ({ receive: () => undefined, end: () => undefined }));
  const file = join(folder, 'good.ndjson');
  writeFileSync(file, '{"at_us":1,"dir":"tx","hex":"01"}\n');
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const args = ['--replay', file, '--tcp-port', String(number), '--for', '0'];
  expect(await runSim(args)).toBe(1);
  expect(String(err.mock.calls[0]?.[0])).toContain('--tcp-port');
  expect(await runSim(['--replay', file, '--folder', join(file, 'below')])).toBe(1);
  expect(String(err.mock.calls[1]?.[0])).toContain(join(file, 'below'));
  vi.restoreAllMocks();
}, 10_000);

it('a port that is unplugged leaves the name alone that another one has taken', async () => {
  const service: Service = () => ({ receive: () => undefined, end: () => undefined });
  const link = join(folder, 'bus-1.tty');
  const first = plugPseudoTerminal(link, service, 0);
  const second = plugPseudoTerminal(link, service, 0);
  const taken = readlinkSync(link);
  await first.close();
  expect(readlinkSync(link)).toBe(taken);
  await second.close();
  expect(readdirSync(folder)).toEqual([]);
});

it('what only a street has is refused of a trace, not passed over', async () => {
  const file = join(folder, 'good.ndjson');
  writeFileSync(file, '{"at_us":1,"dir":"tx","hex":"01"}\n');
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  for (const words of [['--taps'], ['--fault', 'silent:SP-00001@2h-5h'], ['--meters', '8']]) {
    const args = ['--replay', file, '--folder', folder, '--for', '0'];
    expect(await runSim([...args, ...words])).toBe(2);
    expect(String(err.mock.lastCall?.[0])).toContain(words[0]);
  }
  expect(out).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

it('a trace that is none is refused with the line, and the program ends with 2', async () => {
  expect(parseTrace('{"at_us":1,"dir":"tx","hex":"01"}\n{"at_us":2}\n')).toEqual({
    problem: 'Line 2 is no piece of a trace.',
  });
  expect(parseTrace('')).toMatchObject({ problem: expect.any(String) });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  expect(await runSim(['--replay', join(folder, 'none.ndjson'), '--folder', folder])).toBe(2);
  expect(String(err.mock.calls[0]?.[0])).toContain('none.ndjson');
  vi.restoreAllMocks();
});
