// Gateways that many questions at once, or more than one on a connection, are too much for: every meter behind them is read.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/boundaries.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { Window } from '../../src/bus/window.ts';
import type { ModbusProfile } from '../../src/domain/profile.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const TIMEOUT_MS = 1_000;
const AT_ONCE = 16;
const REQUEST_BYTES = 12;
const ONE = modbusProfile({ type: 'u32', order: 'ABCD' });
/** Its status word lies apart, so it takes two questions. */
const TWO = modbusProfile(
  { type: 'u32', order: 'ABCD' },
  { status: [{ address: 100, step: 0, type: 'u16', order: 'AB', bitStep: 0 }] },
);

let clock: VirtualClock;
let wire: ScriptedWire;
beforeEach(() => {
  clock = new VirtualClock();
  wire = new ScriptedWire(clock);
});

/** The unit's own number in as many words as were asked for. */
function answer(request: Uint8Array): Uint8Array {
  const [unit = 0, words = 0] = [request[6], request[11]];
  const data = [...Array<number>(2 * words - 1).fill(0), words === 2 ? unit : 0];
  const length = 3 + data.length;
  return Uint8Array.of(...request.subarray(0, 4), 0, length, unit, 3, data.length, ...data);
}

function gateway(take: (requests: readonly Uint8Array[]) => void): void {
  wire.device((bytes) => {
    const requests: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += REQUEST_BYTES) {
      requests.push(bytes.slice(at, at + REQUEST_BYTES));
    }
    take(requests);
  });
}

/** One line behind it, on which each answer takes so long. */
function slowLine(eachMs: number): void {
  let busyUntil = 0;
  gateway((requests) => {
    for (const request of requests) {
      busyUntil = Math.max(busyUntil, clock.monotonicMs()) + eachMs;
      wire.say(answer(request), busyUntil - clock.monotonicMs());
    }
  });
}

/** Answers the first that it is asked, and hangs up so long after that. */
function hangsUp(afterMs: number): void {
  gateway(([first]) => {
    const { opens } = wire;
    if (first) wire.say(answer(first), 20);
    void clock.sleep(20 + afterMs).then(() => {
      if (wire.opens !== opens) return;
      wire.unplug();
      wire.plugIn();
    });
  });
}

function busOver(atOnce = AT_ONCE): Bus {
  const link = createMbapLink({ wire, clock, atOnce });
  const timing = { timeoutMs: TIMEOUT_MS, reopenMaxMs: 30_000, random: () => 0.5 };
  return createModbusBus({ link, clock, ...timing });
}

/** How many of so many meters were read in one round, asked as the poller asks: as many at once as the bus bears. */
async function round(bus: Bus, meters: number, profile: ModbusProfile = ONE): Promise<number> {
  let read = 0;
  const flights = new Set<Promise<void>>();
  const ask = async (unit: number) => {
    const target = { meter: `SP-${unit}`, address: String(unit), profile, dial: profile.dial };
    const outcome = await bus.read(target);
    if (outcome.ok) expect(outcome.value.register).toBe(unit);
    read += outcome.ok ? 1 : 0;
  };
  const all = async () => {
    for (let unit = 1; unit <= meters; unit += 1) {
      while (flights.size >= (bus.atOnceNow ?? bus.atOnce ?? 1)) await Promise.race(flights);
      const flight = ask(unit).finally(() => flights.delete(flight));
      flights.add(flight);
    }
    await Promise.all(flights);
  };
  await clock.runUntil(all());
  await clock.run(clock.trueNow() + 60_000);
  return read;
}

describe('a gateway with one slow line behind it', () => {
  it.each([80, 120, 300, 500])('that takes %i ms for each meter has them all read', async (ms) => {
    slowLine(ms);
    const bus = busOver();
    await round(bus, 100);
    expect(await round(bus, 100)).toBe(100);
    expect(await round(bus, 100)).toBeGreaterThanOrEqual(98);
  });

  it('that is quick enough for as many as may be asked is asked as many', async () => {
    slowLine(50);
    const bus = busOver();
    expect(await round(bus, 247)).toBe(247);
    expect(bus.atOnceNow).toBe(AT_ONCE);
  });

  it('is not asked more at once for what it answered alone', async () => {
    slowLine(120);
    const bus = busOver();
    await round(bus, 100);
    const { atOnceNow } = bus;
    expect(atOnceNow).toBeGreaterThan(1);
    const target = { meter: 'SP-1', address: '1', profile: ONE, dial: ONE.dial };
    for (let i = 0; i < 2_000; i += 1) await clock.runUntil(bus.read(target));
    expect(bus.atOnceNow).toBe(atOnceNow);
  });

  it('that takes the first of many questions only is asked fewer', async () => {
    gateway(([first]) => first && wire.say(answer(first), 20));
    const bus = busOver();
    await round(bus, 100);
    await round(bus, 100);
    await round(bus, 100);
    expect(await round(bus, 100)).toBeGreaterThanOrEqual(85);
  });
});

describe('a gateway that answers many at once', () => {
  it.each([
    ['dead', (unit: number) => (unit % 10 === 0 ? null : 200), 90],
    ['slower than the time-out', (unit: number) => (unit % 50 === 0 ? 1_300 : 200), 98],
  ])('goes on being asked many where some are %s', async (_what, latency, well) => {
    gateway((requests) => {
      for (const request of requests) {
        const ms = latency(request[6] ?? 0);
        if (ms !== null) wire.say(answer(request), ms);
      }
    });
    const bus = busOver();
    for (let i = 0; i < 4; i += 1) expect(await round(bus, 100)).toBe(well);
    expect(bus.atOnceNow).toBe(AT_ONCE);
  });
});

describe('a gateway that hangs up after each answer', () => {
  it.each([0, 0.5, 200])('%d ms behind it has its meters read one after the other', async (ms) => {
    hangsUp(ms);
    expect(await round(busOver(1), 6)).toBe(6);
  });

  it('has meters read that take two questions', async () => {
    hangsUp(0.5);
    expect(await round(busOver(1), 6, TWO)).toBe(6);
  });

  it('has meters read though many are asked at once', async () => {
    hangsUp(0.5);
    expect(await round(busOver(), 16)).toBe(16);
  });

  it('before it ever answered is opened ever more seldom', async () => {
    gateway(() => {
      wire.unplug();
      wire.plugIn();
    });
    const bus = busOver(1);
    for (let i = 0; i < 50; i += 1) {
      const target = { meter: 'SP-1', address: '1', profile: ONE, dial: ONE.dial };
      await clock.runUntil(bus.read(target));
    }
    expect(wire.opens).toBe(1);
  });
});

it('answers to nothing asked are told as that, not as a link that is not open', async () => {
  gateway((requests) => {
    for (const request of requests)
      wire.say(answer(Uint8Array.of(0xff, 0xff, ...request.subarray(2))), 20);
  });
  const target = (unit: number) => ({
    meter: `SP-${unit}`,
    address: String(unit),
    profile: ONE,
    dial: ONE.dial,
  });
  const bus = busOver();
  const read = await clock.runUntil(
    Promise.all([1, 2, 3, 4].map((unit) => bus.read(target(unit)))),
  );
  for (const one of read)
    expect(one).toMatchObject({ ok: false, fault: { code: 'modbus.unexpected' } });
});

describe('the width', () => {
  it('is halved where several units go astray, grows again, and more slowly each time', () => {
    const window = new Window(4);
    const crowd = (now: number) => {
      for (const unit of [1, 2]) window.late(unit, now, now + 1);
    };
    crowd(0);
    expect(window.width).toBe(2);
    crowd(0.5);
    expect(window.width).toBe(2);
    const grows = () => {
      const before = window.width;
      let answers = 0;
      for (; window.width === before; answers += 1) window.inTime(1, true);
      return answers;
    };
    const first = grows();
    expect(window.width).toBe(3);
    crowd(10);
    expect(window.width).toBe(1);
    grows();
    expect(grows()).toBeGreaterThan(first);
  });

  it('does not grow by answers to questions put alone, unless it is one', () => {
    const window = new Window(4);
    const alone = () => {
      for (let answers = 0; answers < 1_000; answers += 1) window.inTime(1, false);
    };
    for (const unit of [1, 2]) window.late(unit, 0, 1);
    alone();
    expect(window.width).toBe(2);
    for (const unit of [1, 2]) window.late(unit, 2, 3);
    alone();
    expect(window.width).toBe(2);
  });

  it('is never less than one, nor changed by one unit alone', () => {
    const window = new Window(16);
    for (let now = 0; now < 100; now += 1) window.late(7, now, now + 1);
    expect(window.width).toBe(16);
    for (let now = 100; now < 200; now += 1) window.late(now, now, now);
    expect(window.width).toBe(1);
  });
});
