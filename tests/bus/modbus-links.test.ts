// What our Modbus links keep count of and let go of, on virtual time.

import { beforeEach, describe, expect, it } from 'vitest';
import type { ModbusQuestion, ReadTarget } from '../../src/boundaries.ts';
import { createMbapLink, type MbapLink } from '../../src/bus/mbap-client.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { createRtuLink, type RtuLink } from '../../src/bus/rtu-client.ts';
import { rtu, wordBytes } from '../boundaries/modbus-device.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { MBAP } from './fault-run.ts';

const TIMEOUT_MS = 1_000;
const ask = (changes: Partial<ModbusQuestion> = {}): ModbusQuestion => ({
  unit: 1,
  table: 'holding',
  address: 0,
  quantity: 2,
  timeoutMs: TIMEOUT_MS,
  ...changes,
});

/** As `timed`, without the pause between two frames. */
async function roughly(work: Parameters<typeof timed>[0]) {
  const { is, ms } = await timed(work);
  return { is, ms: Math.floor(ms / 10) * 10 };
}

let clock: VirtualClock;
let wire: ScriptedWire;
beforeEach(() => {
  clock = new VirtualClock();
  wire = new ScriptedWire(clock);
});

/** What a read says, and how long it took. */
async function timed(work: Promise<{ ok: boolean } & object>) {
  const began = clock.monotonicMs();
  const answer = (await clock.runUntil(work)) as
    | { ok: true; value: readonly number[] }
    | { ok: false; fault: { code: string } };
  return { is: answer.ok ? answer.value : answer.fault.code, ms: clock.monotonicMs() - began };
}

describe('an RTU link', () => {
  let link: RtuLink;
  let requests: number[];
  /** Milliseconds until each answer; none: silence. */
  let delays: (number | undefined)[];
  beforeEach(async () => {
    link = createRtuLink({ wire, clock, baud: 9_600 });
    requests = [];
    delays = [];
    wire.device((bytes) => {
      requests.push(clock.monotonicMs());
      const [unit = 0, code = 0, , address = 0, , quantity = 0] = bytes;
      const words = Array.from({ length: quantity }, (_, i) => address + i);
      const delay = delays.length > 0 ? delays.shift() : 30;
      const answer = rtu(unit, code, 2 * quantity, ...wordBytes(words));
      if (delay !== undefined) wire.sayAnyway(answer, delay);
    });
    await clock.runUntil(link.open());
  });

  it('asks again no sooner than three and a half characters after the last byte', async () => {
    for (let i = 0; i < 5; i += 1) await timed(link.read(ask({ address: i })));
    const gaps = requests.slice(1).map((at, i) => at - (requests[i] as number) - 30);
    for (const gap of gaps) expect(gap).toBeCloseTo(4.01, 2);
  });

  it('learns the latency of a unit, and counts what went wrong with it', async () => {
    for (const delay of [20, 30, 40]) {
      delays = [delay];
      await timed(link.read(ask()));
    }
    expect(link.tally(1)?.latencyMs(0.5)).toBeCloseTo(30);
    expect(link.tally(1)?.latencyMs(0.95)).toBeCloseTo(40);
    delays = [undefined];
    await timed(link.read(ask()));
    expect(link.tally(1)?.counts).toMatchObject({ answered: 3, silent: 1, crc: 0 });
    expect(link.tally(2)).toBeUndefined();
  });

  it('asks a unit that owes an answer once more than it owes, and another unit once', async () => {
    delays = [undefined];
    expect((await timed(link.read(ask()))).is).toBe('line.silent');
    const before = requests.length;
    expect(await timed(link.read(ask({ unit: 2, address: 7 })))).toMatchObject({ is: [7, 8] });
    expect(requests.length - before).toBe(1);
    expect(await timed(link.read(ask({ address: 9 })))).toMatchObject({ is: [9, 10] });
    expect(requests.length - before).toBe(3);
  });

  it('leaves a unit that owes too much alone, and asks it once when nothing can come any more', async () => {
    delays = Array.from({ length: 5 }, () => undefined);
    for (let i = 0; i < 5; i += 1) {
      expect((await timed(link.read(ask()))).is).toBe('line.silent');
    }
    const before = requests.length;
    // Its first time-outs are more than ten seconds ago by now or soon: as they pass, it is asked again.
    await clock.run(clock.trueNow() + 10_000);
    expect(await timed(link.read(ask({ address: 3 })))).toMatchObject({ is: [3, 4] });
    expect(requests.length - before).toBe(1);
  });

  it('words that do not hold still while an answer is owed are refused, and read when it is past', async () => {
    delays = [undefined];
    await timed(link.read(ask()));
    let word = 0;
    wire.device((bytes) => {
      word += 1;
      wire.say(rtu(bytes[0] as number, 3, 4, ...wordBytes([0, word])), 30);
    });
    expect((await timed(link.read(ask()))).is).toBe('modbus.unexpected');
    expect(await timed(link.read(ask()))).toEqual({ is: 'line.silent', ms: 0 });
    await clock.run(clock.trueNow() + 11_000);
    expect((await timed(link.read(ask()))).is).toEqual([0, word]);
  });

  it('a unit asked without a pause is not in doubt for ever', async () => {
    delays = [undefined];
    await timed(link.read(ask()));
    const asked: number[] = [];
    for (let second = 0; second < 120; second += 1) {
      const before = requests.length;
      const { is } = await timed(link.read(ask({ address: 5 })));
      if (is === 'line.silent') expect(requests.length).toBe(before);
      else expect(is).toEqual([5, 6]);
      asked.push(requests.length - before);
      await clock.run(clock.trueNow() + 1_000);
    }
    expect(asked[0]).toBe(2);
    expect(asked.filter((questions) => questions === 0).length).toBeLessThan(12);
    expect(asked.slice(-30)).toEqual(Array(30).fill(1));
  });

  it('takes the answer of a unit that is slow today, and waits for one that is silent no longer than its time-out', async () => {
    delays = [600];
    await timed(link.read(ask()));
    delays = [TIMEOUT_MS + 500];
    expect(await roughly(link.read(ask({ address: 4 })))).toEqual({ is: [4, 5], ms: 1_500 });
    delays = [undefined, undefined];
    expect(await roughly(link.read(ask()))).toEqual({ is: 'line.silent', ms: 2 * TIMEOUT_MS });
    await clock.run(clock.trueNow() + TIMEOUT_MS);
    expect(await roughly(link.read(ask()))).toEqual({ is: 'line.silent', ms: TIMEOUT_MS });
  });

  it('waits longer for a slow unit where nobody else needs the line', async () => {
    delays = [600];
    await timed(link.read(ask()));
    delays = [TIMEOUT_MS + 1_900];
    const read = link.read(ask({ address: 4, spareMs: 2_000 }));
    expect(await roughly(read)).toEqual({ is: [4, 5], ms: 2_900 });
    delays = [undefined];
    const fault = await clock.runUntil(link.read(ask({ unit: 3, spareMs: 2_000 })));
    // Of a unit that never answered nothing is awaited.
    expect(fault).toMatchObject({ fault: { code: 'line.silent', restMs: TIMEOUT_MS } });
  });

  it('is held silent for the latency of a unit whose answer was spoilt, within its time-out', async () => {
    delays = [600];
    await timed(link.read(ask()));
    wire.device(() => wire.say(Uint8Array.of(1, 3, 4, 0, 0, 0, 7, 0, 0), 30));
    expect(await roughly(link.read(ask()))).toEqual({ is: 'modbus.crc', ms: 30 + 100 + 600 });
  });

  it('is let go at once by an abort and by a close, wherever it waits', async () => {
    delays = [undefined];
    await timed(link.read(ask()));
    // Now it waits out the grace of the unit.
    const giveUp = new AbortController();
    clock.at(clock.trueNow() + 100, () => giveUp.abort());
    expect(await timed(link.read(ask(), giveUp.signal))).toEqual({ is: 'aborted', ms: 100 });
    delays = [undefined];
    clock.at(clock.trueNow() + 100, () => void link.close());
    expect(await timed(link.read(ask({ unit: 3 })))).toEqual({ is: 'port.absent', ms: 100 });
  });
});

describe('a TCP link', () => {
  let link: MbapLink;
  let requests: Buffer[];
  let writes: number;
  beforeEach(async () => {
    link = createMbapLink({ wire, clock });
    requests = [];
    writes = 0;
    wire.device((bytes) => {
      writes += 1;
      for (let at = 0; at < bytes.length; at += 12) {
        const request = Buffer.from(bytes.subarray(at, at + 12));
        requests.push(request);
        const address = request.readUInt16BE(8);
        const words = Array.from({ length: request.readUInt16BE(10) }, (_, i) => address + i);
        // The first asked are answered last.
        if (address < 1_000) wire.say(MBAP.answer(request, words), 50 - address);
      }
    });
    await clock.runUntil(link.open());
  });

  it('answers that overtake each other each reach their question, in few writes', async () => {
    const reads = Array.from({ length: 16 }, (_, i) => link.read(ask({ address: i })));
    const answers = await clock.runUntil(Promise.all(reads));
    expect(answers.map((answer) => answer.ok && answer.value)).toEqual(
      Array.from({ length: 16 }, (_, i) => [i, i + 1]),
    );
    expect(writes).toBe(2);
  });

  it('uses a number again only when its answer has come', async () => {
    expect((await timed(link.read(ask({ address: 2_000 })))).is).toBe('line.silent');
    const owed = requests[0]?.readUInt16BE(0);
    const reads = async () => {
      for (let i = 0; i < 70_000; i += 1) {
        const read = link.read(ask({ address: 49 }));
        wire.say(MBAP.answer(requests.at(-1) as Buffer, [1, 2]));
        const answer = await read;
        if (!answer.ok) throw new Error(answer.fault.code);
      }
    };
    await clock.runUntil(reads());
    const used = requests.slice(1).map((request) => request.readUInt16BE(0));
    expect(used.length).toBe(70_000);
    expect(used).not.toContain(owed);
    expect(new Set(used).size).toBe(0xffff);
  });

  it('one signal given up lets go of its own questions and no others', async () => {
    const giveUp = new AbortController();
    const given = [1, 2].map((address) => link.read(ask({ address }), giveUp.signal));
    const kept = link.read(ask({ address: 3 }));
    giveUp.abort();
    const codes = (await clock.runUntil(Promise.all(given))).map((one) => one.ok || one.fault.code);
    expect(codes).toEqual(['aborted', 'aborted']);
    expect((await timed(kept)).is).toEqual([3, 4]);
    await clock.run(clock.trueNow() + 10);
    expect(link.counts.late).toBe(2);
  });

  it('a close settles every question under way', async () => {
    const reads = [2_000, 2_001, 2_002].map((address) => link.read(ask({ address })));
    clock.at(clock.trueNow() + 10, () => void link.close());
    const answers = await clock.runUntil(Promise.all(reads));
    expect(answers.map((one) => one.ok || one.fault.code)).toEqual(Array(3).fill('port.absent'));
  });
});

describe('a bus over TCP', () => {
  const profile = modbusProfile({ type: 'u32', order: 'ABCD' });
  const at = (unit: number): ReadTarget => ({
    meter: `SP-${unit}`,
    address: String(unit),
    profile,
    dial: profile.dial,
  });

  it('reads fifty slow units behind one gateway in the time of four, and opens it once', async () => {
    wire.device((bytes) => {
      for (let from = 0; from < bytes.length; from += 12) {
        const request = Buffer.from(bytes.subarray(from, from + 12));
        wire.say(MBAP.answer(request, [0, request.readUInt8(6)]), 200);
      }
    });
    const link = createMbapLink({ wire, clock });
    const bus = createModbusBus({
      ...{ link, clock, timeoutMs: TIMEOUT_MS, reopenMaxMs: 1_000, random: () => 0.5 },
    });
    expect(bus.atOnce).toBe(16);
    const units = Array.from({ length: 50 }, (_, i) => i + 1);
    const registers = new Map<number, number>();
    const poll = async () => {
      for (let unit = units.shift(); unit !== undefined; unit = units.shift()) {
        const seen = await bus.read(at(unit));
        if (seen.ok) registers.set(unit, seen.value.register);
      }
    };
    const began = clock.monotonicMs();
    await clock.runUntil(Promise.all(Array.from({ length: 16 }, poll)));
    expect(clock.monotonicMs() - began).toBe(800);
    expect(wire.opens).toBe(1);
    expect([...registers].every(([unit, register]) => unit === register)).toBe(true);
    expect(registers.size).toBe(50);
    await expect(
      Promise.all(Array.from({ length: 17 }, (_, i) => bus.read(at(i + 1)))),
    ).rejects.toThrow();
  });
});
