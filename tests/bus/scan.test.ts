// Devices found on a wire by asking: on virtual time with settings that matter, and on real ports with the simulator's slaves.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lineBridge } from '../../simulator/line-bridge.ts';
import { answerPdu, mbapSlave, rtuSlave, type UnitWords } from '../../simulator/modbus-slave.ts';
import { plugPseudoTerminal, plugTcp } from '../../simulator/ports.ts';
import { createSerialWire } from '../../src/adapters/serial-wire.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { createScan } from '../../src/bus/scan.ts';
import {
  addressesIn,
  longestMs,
  planScan,
  type ScanWire,
  type ScanWish,
} from '../../src/domain/scan.ts';
import { BusScansOf } from '../../src/jobs/bus-scans.ts';
import { openScan } from '../../src/scanning.ts';
import { tasks } from '../../src/settings/apart-tasks.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { ScriptedLine } from '../fakes/scripted-line.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const root = new URL('../..', import.meta.url).pathname;
/** Those that the package ships. */
const profiles = () => tasks.profiles({ root });
const SERIAL: ScanWire = { ways: ['rtu'], baud: [9_600, 19_200], parity: ['none', 'even'] };

/** Holding registers 0 and 1 show 12345678; nothing else is there. */
const words: UnitWords = {
  has: (address) => address < 2,
  latch: () => new Map([[0, 0x00bc], [1, 0x614e]]), // biome-ignore format: a pair of words
};

/** A scan of a virtual line on which `units` hang, at 19200 baud and even parity only. */
async function lineAt19200(
  units: readonly number[],
  wish: ScanWish,
  hears: (request: Uint8Array) => boolean = () => true,
) {
  const clock = new VirtualClock();
  const plan = planScan(wish, SERIAL, await profiles());
  if ('problem' in plan) throw new Error(plan.problem);
  const functions: number[] = [];
  const run = createScan(plan, {
    clock,
    link: ({ baud, parity }) => {
      const wire = new ScriptedWire(clock);
      const slave = rtuSlave((unit) => (units.includes(unit) ? words : null));
      const talk = slave((bytes) => wire.say(bytes, 20));
      wire.device((bytes) => {
        functions.push(bytes[1] ?? 0);
        if (baud === 19_200 && parity === 'even' && hears(bytes)) talk.receive(bytes);
      });
      return createRtuLink({ wire, clock, baud: baud ?? 9_600 });
    },
    line: () => {
      throw new Error('no line is asked for');
    },
  });
  return { clock, run, functions };
}

describe('a scan', () => {
  it('finds devices at their baud, parity and address, with the profiles that fit, and only reads', async () => {
    const { clock, run, functions } = await lineAt19200([3, 17], { addresses: '1-20' });
    await clock.runUntil(run.work(Number.POSITIVE_INFINITY));
    const { found, over, fault } = run.progress();
    expect({ over, fault }).toEqual({ over: true, fault: null });
    expect(found).toMatchObject([
      { way: 'rtu', baud: 19_200, parity: 'even', address: '3', garbled: false },
      { way: 'rtu', baud: 19_200, parity: 'even', address: '17', garbled: false },
    ]);
    const names = found[0]?.fits.map(({ profile }) => profile) ?? [];
    // The upper half of its number would do for a dial of four digits: the longer ones are said first.
    expect(names.at(-1)).toBe('generic-4-digit-modbus');
    expect(names).toContain('generic-8-digit-modbus');
    const fit = found[0]?.fits.find(({ profile }) => profile === 'generic-8-digit-modbus');
    expect(fit?.digits).toBe('12345678');
    expect(functions.every((code) => code === 3 || code === 4)).toBe(true);
  });

  it('finds a device that is silent about functions it does not have instead of refusing them', async () => {
    const isHolding = (request: Uint8Array) => request[1] === 3;
    const { clock, run } = await lineAt19200([3], { addresses: '1-5' }, isHolding);
    await clock.runUntil(run.work(Number.POSITIVE_INFINITY));
    expect(run.progress().found).toMatchObject([{ address: '3', garbled: false }]);
    expect(run.progress().found[0]?.fits.map(({ profile }) => profile)).toContain(
      'generic-8-digit-modbus',
    );
  });

  it('goes on where it stopped, sitting by sitting, each as long as it may be', async () => {
    const { clock, run } = await lineAt19200([3, 17], { addresses: '1-20' });
    let sittings = 0;
    while (!run.progress().over) {
      const began = clock.monotonicMs();
      await clock.runUntil(run.work(1_000));
      expect(clock.monotonicMs() - began).toBeLessThanOrEqual(1_000 + 2 * 300 + 50);
      sittings += 1;
    }
    expect(sittings).toBeGreaterThan(10);
    expect(run.progress().found).toHaveLength(2);
    expect(run.progress().left_ms).toBe(0);
  });

  it('tells beforehand about how long it takes', async () => {
    const { clock, run } = await lineAt19200([], { addresses: '1-20' });
    const estimate = run.progress().left_ms;
    const began = clock.monotonicMs();
    await clock.runUntil(run.work(Number.POSITIVE_INFINITY));
    const took = clock.monotonicMs() - began;
    expect(estimate).toBe(4 * 20 * 300);
    expect(took).toBeGreaterThan(0.9 * estimate);
    expect(took).toBeLessThan(1.1 * estimate);
  });

  it('can be broken off in the middle of a question', async () => {
    const { clock, run } = await lineAt19200([], { addresses: '1-247' });
    const halt = new AbortController();
    const work = run.work(Number.POSITIVE_INFINITY, halt.signal);
    await clock.run(clock.trueNow() + 1_000);
    halt.abort();
    const began = clock.monotonicMs();
    await clock.runUntil(work);
    expect(clock.monotonicMs() - began).toBeLessThan(10);
    expect(run.progress()).toMatchObject({ over: false, found: [] });
  });

  it('a port that cannot be opened is told after three tries', async () => {
    const clock = new VirtualClock();
    const plan = planScan({ addresses: '1' }, SERIAL, await profiles());
    if ('problem' in plan) throw new Error(plan.problem);
    const wire = new ScriptedWire(clock);
    wire.unplug('port.denied');
    const link = () => createRtuLink({ wire, clock, baud: 9_600 });
    const line = () => {
      throw new Error('no line is asked for');
    };
    const run = createScan(plan, { clock, link, line });
    for (let i = 0; i < 3; i += 1) await clock.runUntil(run.work(1_000));
    expect(run.progress()).toMatchObject({ over: true, fault: 'port.denied: unplugged' });
  });

  it.each([
    [{ addresses: '0-' }],
    [{ addresses: '1-2000' }],
    [{ baud: [9_601] }],
    [{ parity: ['mark'] }],
    [{ profiles: ['none-such'] }],
    [{ timeout_ms: 1 }],
    [{ ways: ['mbap'] }],
  ] satisfies [ScanWish][])('refuses %o', async (wish) => {
    expect(planScan(wish, SERIAL, await profiles())).toHaveProperty('problem');
  });

  it('is lent the line for as long as it listens, however short its time-out', async () => {
    const wire: ScanWire = { ways: ['line'], baud: [], parity: [] };
    const plan = planScan({ addresses: '1', timeout_ms: 20 }, wire, await profiles());
    if ('problem' in plan) throw new Error(plan.problem);
    const clock = new VirtualClock();
    const run = createScan(plan, {
      clock,
      link: () => {
        throw new Error('no link is asked for');
      },
      line: () => new ScriptedLine(clock),
    });
    const scans = new BusScansOf({ wire: clock, rest: async () => undefined });
    scans.start(run, longestMs(plan));
    let longest = 0;
    while (scans.isWaiting()) {
      const began = clock.monotonicMs();
      await clock.runUntil(scans.work(new AbortController().signal));
      longest = Math.max(longest, clock.monotonicMs() - began);
    }
    expect(longest).toBeGreaterThan(4_000);
    expect(longest).toBeLessThanOrEqual(scans.sittingMs());
  });

  it('looks over TCP for the device itself, too, and on a line never', async () => {
    const wire: ScanWire = { ways: ['mbap', 'rtu'], baud: [], parity: [] };
    const plan = planScan({}, wire, await profiles());
    if ('problem' in plan) throw new Error(plan.problem);
    expect(plan.addresses.mbap).toHaveLength(248);
    expect(plan.addresses.mbap.at(-1)).toBe('255');
    expect(plan.addresses.rtu).toHaveLength(247);
    const wished = planScan({ addresses: '0-1,255' }, wire, await profiles());
    if ('problem' in wished) throw new Error(wished.problem);
    expect(wished.addresses).toMatchObject({ mbap: ['0', '1', '255'], rtu: ['1'] });
  });

  it('takes addresses one by one and in ranges', () => {
    expect(addressesIn('3,7,20-22,7')).toEqual(['3', '7', '20', '21', '22']);
  });
});

/** Long, as the machine may be busy: who is there is asked within it all the same. */
const PATIENT = { timeout_ms: 400 };

describe('a scan of real ports', () => {
  it('finds Modbus units on a pseudo-terminal, which has no baud: in the settings asked first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'scan-'));
    const path = join(folder, 'port');
    const units = [2, 5];
    const port = plugPseudoTerminal(
      path,
      rtuSlave((unit) => (units.includes(unit) ? words : null)),
      0,
    );
    const wish = { ...PATIENT, addresses: '1-5', ways: ['rtu'], baud: [19_200], parity: ['even'] };
    const opened = await openScan({ port: path }, wish, { profiles });
    if ('problem' in opened) throw new Error(opened.problem);
    await opened.run.work(Number.POSITIVE_INFINITY);
    const { found, fault } = opened.run.progress();
    await port.close();
    rmSync(folder, { recursive: true, force: true });
    expect(fault).toBeNull();
    expect(found.map(({ address, baud }) => [address, baud])).toEqual([
      ['2', 19_200],
      ['5', 19_200],
    ]);
    expect(found[1]?.fits.map(({ profile }) => profile)).toContain('generic-8-digit-modbus');
  }, 60_000);

  it('finds encoders behind a bridge over TCP, by their identification', async () => {
    const bridge = lineBridge((address) =>
      address === '7' ? Buffer.from('V;RB01234567;IB48213377\r') : null,
    );
    const port = await plugTcp(0, bridge, 0);
    const wish = {
      ...PATIENT,
      addresses: '6-8',
      ways: ['line'],
      profiles: ['generic-8-digit-line'],
    };
    const peer = { host: '127.0.0.1', port: port.number };
    const opened = await openScan({ peer }, wish, { profiles });
    if ('problem' in opened) throw new Error(opened.problem);
    await opened.run.work(Number.POSITIVE_INFINITY);
    await port.close();
    const fits = [{ profile: 'generic-8-digit-line', digits: '01234567', id: '48213377' }];
    expect(opened.run.progress().found).toMatchObject([{ address: '7', fits }]);
  }, 60_000);

  it('finds encoders behind a bridge that says a word of its own first, and tells of words alone', async () => {
    const bridge = lineBridge((address) =>
      Buffer.from(address === '7' ? 'READING\r\nV;RB01234567;IB48213377\r' : 'ERROR\r\n'),
    );
    const port = await plugTcp(0, bridge, 0);
    const wish = {
      ...PATIENT,
      addresses: '6-7',
      ways: ['line'],
      profiles: ['generic-8-digit-line'],
    };
    const peer = { host: '127.0.0.1', port: port.number };
    const opened = await openScan({ peer }, wish, { profiles });
    if ('problem' in opened) throw new Error(opened.problem);
    await opened.run.work(Number.POSITIVE_INFINITY);
    await port.close();
    expect(opened.run.progress().found).toMatchObject([
      { address: '6', fits: [], garbled: true },
      { address: '7', fits: [{ digits: '01234567' }], garbled: false },
    ]);
  }, 60_000);

  it('finds units behind a gateway that says at once of the others that nobody is there', async () => {
    // The gateway's refusal (11) is no device.
    const absent: UnitWords = { ...words, damage: () => Buffer.alloc(0) };
    const port = await plugTcp(
      0,
      mbapSlave((unit) => (unit === 9 ? words : absent)),
      0,
    );
    expect(answerPdu(Buffer.from([3, 0, 0, 0, 2]), words)[0]).toBe(3);
    const peer = { host: '127.0.0.1', port: port.number };
    const wish = { ...PATIENT, addresses: '1-20', ways: ['mbap'] };
    const opened = await openScan({ peer }, wish, { profiles });
    if ('problem' in opened) throw new Error(opened.problem);
    await opened.run.work(Number.POSITIVE_INFINITY);
    await port.close();
    expect(opened.run.progress().found).toMatchObject([{ way: 'mbap', address: '9', baud: null }]);
  }, 60_000);

  it('a bus lends its port, in another baud too, and reads on at once afterwards', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'scan-'));
    const path = join(folder, 'port');
    const slave = rtuSlave((unit) => (unit === 4 ? words : null));
    const port = plugPseudoTerminal(path, slave, 0);
    const clock = createSystemClock();
    const serial = { path, baud: 9_600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
    const wire = createSerialWire({ settings: serial, clock });
    const bus = createModbusBus({
      ...{ link: createRtuLink({ wire, clock, baud: 9_600 }), clock, timeoutMs: 4_000 },
      ...{ reopenMaxMs: 30_000, random: () => 0.5 },
    });
    const profile = modbusProfile({ type: 'u32', order: 'ABCD' });
    const target = { meter: 'SP-4', address: '4', profile, dial: profile.dial };
    expect(await bus.read(target)).toMatchObject({ ok: true, value: { register: 12_345_678 } });
    const settings = {
      bus: 'pit',
      type: 'modbus-rtu',
      serial,
      timeoutMs: 1,
      reopenMaxMs: 1,
    } as const;
    const wish = { ...PATIENT, addresses: '4', baud: [19_200] };
    const opened = await openScan({ bus: settings }, wish, { profiles, clock });
    if ('problem' in opened) throw new Error(opened.problem);
    const scans = new BusScansOf({ wire: clock, rest: async () => bus.rest?.() });
    scans.start(opened.run, 400);
    const never = new AbortController().signal;
    while (scans.isWaiting()) {
      await scans.work(never);
      expect(await bus.read(target)).toMatchObject({ ok: true });
    }
    await bus.close();
    await port.close();
    rmSync(folder, { recursive: true, force: true });
    expect(opened.run.progress()).toMatchObject({ fault: null, found: [{ baud: 19_200 }] });
  }, 60_000);
});
