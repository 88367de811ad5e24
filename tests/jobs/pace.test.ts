// How a bus keeps its pace: reads around the hour's edge, sick meters alone, slow devices in peace, a person's read at once.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exceptionFault } from '../../src/codec/modbus-frame.ts';
import { heed } from '../../src/domain/advance.ts';
import type { FaultCode } from '../../src/domain/fault.ts';
import type { Polled } from '../../src/jobs/poll-bus.ts';
import { momentOf } from '../../src/pipeline.ts';
import { all, FINE, HOUR, MINUTE, rulesOf, T0 } from '../journal/metered.ts';
import { type Ask, TIMEOUT, TimedBus, type TimedOptions } from './timed-bus.ts';

const QUARTER = 15 * MINUTE;

/** A bus that is polled, each of its meters every quarter of an hour unless said otherwise. */
const started = (options: Omit<TimedOptions, 'pollMs'> & { readonly pollMs?: number }) =>
  new TimedBus({ pollMs: QUARTER, ...options }).start();

/** Milliseconds from the nearest edge of an hour, negative before it. */
const fromEdge = (at: number) => at - Math.round(at / HOUR) * HOUR;

/** The longest that a good read waited, while it was due, for those that did not answer; with `near` only at the edges. */
function longestWait(made: readonly Polled[], near = Number.POSITIVE_INFINITY): number {
  const holds = made.filter(({ ok }) => !ok);
  const waits = made
    .filter(({ ok, due }) => ok && Math.abs(fromEdge(due)) < near)
    .map(({ due, askedAt }) =>
      holds.reduce((sum, { askedAt: from, endedAt: to }) => {
        return sum + Math.max(0, Math.min(askedAt, to) - Math.max(due, from));
      }, 0),
    );
  return Math.max(0, ...waits);
}

async function qualities(bus: TimedBus, meter: string): Promise<string> {
  await bus.journal.flush();
  const rows = await all(bus.journal.rowsOf(meter));
  return rows.map((row) => (row.kind === 'hour' ? row.q : '')).join('');
}

describe('the hour’s edge', () => {
  it('a line that needs twelve seconds for all of its meters reads half of them before it, and all of them actual', async () => {
    const bus = await started({ meters: 12, readMs: 1_000 });
    await bus.until(3 * 60 + 1);
    for (const edge of [1, 2, 3]) {
      const stamps = bus.asks
        .map(({ to }) => to - edge * HOUR)
        .filter((ms) => Math.abs(ms) < MINUTE);
      expect(stamps.length).toBe(12);
      expect(Math.max(...stamps.map(Math.abs))).toBeLessThanOrEqual(7_000);
      expect(stamps.filter((ms) => ms <= 0).length).toBeGreaterThanOrEqual(5);
    }
    // The first hour began with the first reading, within the tolerance of its edge but not before it.
    for (const meter of bus.names) expect(await qualities(bus, meter)).toMatch(/^PAA$/);
  });

  it('a short round is not begun before it, also where a longer one was expected', async () => {
    const bus = await started({ meters: 12, readMs: 50, expectMs: 1_000 });
    await bus.until(121);
    const near = bus.asks.map(({ from }) => fromEdge(from)).filter((ms) => Math.abs(ms) < MINUTE);
    expect(Math.min(...near)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...near)).toBeLessThan(2_000);
  });

  it('what does not fit into the tolerance does not keep out what does', async () => {
    const bus = await started({ meters: 40, readMs: 1_300, expectMs: 1_300 });
    await bus.until(4 * 60 + 5);
    const told = await Promise.all(bus.names.map((meter) => qualities(bus, meter)));
    expect(told.filter((hours) => /^PAAA$/.test(hours)).length).toBe(23);
  });

  it('reads between the edges are spread where all at once would hold the line long', async () => {
    const bus = await started({ meters: 32, readMs: 70, expectMs: 70 });
    await bus.until(59);
    const starts = bus.asks.map(({ from }) => from).filter((ms) => ms > 5 * MINUTE);
    const pauses = starts.slice(1).map((ms, i) => ms - (starts[i] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThan(10_000);
    expect(bus.asks.length).toBe(32 * 4); // At the start and three times; not once more.
  });
});

describe('an answer that a device or its gateway puts off', () => {
  /** What it is from `fromMs` to `toMs` after the first edge. */
  const refusing = async (exception: number, fromMs: number, toMs: number) => {
    const bus = await started({ meters: 4, readMs: 50 });
    await bus.clock.run(T0 + HOUR + fromMs);
    bus.faults.set('SP-2', exceptionFault(exception));
    await bus.clock.run(T0 + HOUR + toMs);
    bus.faults.clear();
    await bus.until(2 * 60 + 1);
    return qualities(bus, 'SP-2');
  };

  it.each([5, 6])('by exception %i is asked for again while it would count', async (exception) => {
    expect(await refusing(exception, -1_000, 9_000)).toMatch(/^PA$/);
  });

  it.each([10, 11])(
    'by exception %i of a gateway is asked for as after a silence',
    async (exception) => {
      const line = await started({ meters: 4, readMs: 50 });
      await line.clock.run(T0 + HOUR - 1_000);
      line.faults.set('SP-2', exceptionFault(exception));
      await line.until(61);
      const tries = line.of('SP-2').filter(({ from }) => Math.abs(from - HOUR) <= 15_000);
      expect(tries.length).toBe(6);
    },
  );

  it('by a refusal is not asked for again and again', async () => {
    const bus = await started({ meters: 4, readMs: 50 });
    await bus.clock.run(T0 + HOUR - 1_000);
    bus.faults.set('SP-2', exceptionFault(2));
    await bus.until(61);
    const tries = bus.of('SP-2').filter(({ from }) => Math.abs(from - HOUR) <= 15_000);
    expect(tries.length).toBe(2);
  });
});

describe('a meter that does not answer', () => {
  it.each([
    'line.silent',
    'frame.wrong_id',
    'modbus.crc',
    'modbus.exception',
    'frame.unreadable',
  ] as FaultCode[])(
    'with %s is asked more and more rarely, for ever, and at every edge',
    async (code) => {
      const bus = await started({ meters: 4, pollMs: 10_000, readMs: 50 });
      bus.faults.set('SP-2', code);
      await bus.until(8 * 60 + 1);
      for (let hour = 1; hour <= 8; hour += 1) {
        const asked = bus.of('SP-2').filter(({ from }) => Math.floor(from / HOUR) === hour - 1);
        expect(asked.length).toBeGreaterThanOrEqual(10);
        if (hour > 1) expect(asked.length).toBeLessThanOrEqual(40);
        const at = bus.of('SP-2').filter(({ from }) => Math.abs(from - hour * HOUR) <= 15_000);
        expect(at.length).toBeGreaterThanOrEqual(1);
        expect(at.every(({ from }) => from >= hour * HOUR)).toBe(true);
      }
      expect(bus.of('SP-1').length).toBeGreaterThanOrEqual(8 * 360);
    },
  );

  it('is read again within five minutes after hours of absence, without any restart', async () => {
    const bus = await started({ meters: 4, pollMs: 10_000, readMs: 50 });
    await bus.until(30);
    bus.faults.set('SP-2', 'line.silent');
    await bus.until(7 * 60 + 22);
    bus.faults.clear();
    await bus.until(7 * 60 + 22 + 5.5);
    const again = bus.of('SP-2').filter(({ from }) => from > (7 * 60 + 22) * MINUTE);
    expect(again.length).toBeGreaterThan(1);
    expect(bus.records.get('SP-2')?.fault).toBeNull();
    await bus.until(9 * 60 + 1);
    expect(await qualities(bus, 'SP-2')).toMatch(/^PM*PA$/);
  });

  it('two that fell silent together are not asked together', async () => {
    const bus = await started({ meters: 4, pollMs: 10_000, readMs: 50 });
    for (const meter of ['SP-1', 'SP-2']) bus.faults.set(meter, 'line.silent');
    await bus.until(58);
    const [one, two] = ['SP-1', 'SP-2'].map((meter) =>
      bus
        .of(meter)
        .slice(5)
        .map(({ from }) => from),
    );
    const together = one?.filter((at) => two?.some((other) => Math.abs(at - other) < 5_000)) ?? [];
    expect(together.length).toBeLessThan((one?.length ?? 0) / 2);
  });

  it('on a bus that is never idle is asked again and again, and holds nobody up by more than one time-out', async () => {
    const bus = await started({ meters: 12, pollMs: 5_000, readMs: 1_000, expectMs: 1_000 });
    for (const meter of ['SP-3', 'SP-7', 'SP-9']) bus.faults.set(meter, 'line.silent');
    await bus.until(3 * 60);
    const known = bus.asks.filter(({ from }) => from > 20 * MINUTE);
    for (const meter of ['SP-3', 'SP-7', 'SP-9']) {
      for (let hour = 1; hour < 3; hour += 1) {
        const asked = known.filter(
          (ask) => ask.meter === meter && Math.floor(ask.from / HOUR) === hour,
        );
        expect(asked.length).toBeGreaterThan(5);
      }
    }
    const made = bus.polled.filter(({ askedAt }) => askedAt - T0 > 20 * MINUTE);
    expect(longestWait(made)).toBeLessThanOrEqual(TIMEOUT);
  });

  it('holds nobody up by more than one time-out, and nobody at the edge', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 20, max: 400 }),
        fc.constantFrom(10_000, 60_000, 300_000, 900_000),
        fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 6 }),
        async (meters, readMs, pollMs, dead) => {
          const bus = await started({ meters, readMs, pollMs, expectMs: readMs });
          for (const one of dead) bus.faults.set(`SP-${one}`, 'line.silent');
          await bus.until(4 * 60 + 2);
          const known = bus.polled.filter(
            ({ askedAt }) => askedAt > bus.clock.trueNow() - 3 * HOUR,
          );
          expect(longestWait(known)).toBeLessThanOrEqual(TIMEOUT);
          expect(longestWait(known, 2_000)).toBe(0);
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);
});

describe('a device that misbehaves when it is asked too soon', () => {
  /** The shortest time between two asks of one meter. */
  const shortest = (asks: readonly Ask[], meters: readonly string[]) =>
    Math.min(
      ...meters.flatMap((meter) => {
        const from = asks.filter((ask) => ask.meter === meter).map((ask) => ask.from);
        return from.slice(1).map((ms, i) => ms - (from[i] ?? 0));
      }),
    );

  it('is never asked again before its time, whoever asks and whatever it answers', async () => {
    const fates: (FaultCode | 'good')[] = [
      'good',
      'good',
      'line.silent',
      'frame.malformed',
      'frame.unreadable',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            wait: fc.integer({ min: 1, max: 600 }),
            meter: fc.integer({ min: 1, max: 3 }),
            fate: fc.constantFrom(...fates),
            act: fc.constantFrom('ask', 'fate', 'step'),
          }),
          { minLength: 10, maxLength: 40 },
        ),
        fc.constantFrom(15_000, 60_000, 900_000),
        fc.boolean(),
        async (acts, pollMs, checked) => {
          const bus = new TimedBus({ meters: 3, readMs: 800, pollMs, minPollS: 15, checked });
          await bus.start();
          await bus.until(58);
          let minute = 58;
          for (const { wait, meter, fate, act } of acts) {
            minute += wait / 60;
            await bus.until(minute);
            if (act === 'ask') void bus.door.ask(`SP-${meter}`, 30_000);
            else if (act === 'step') bus.clock.stepWall((wait - 300) * 1_000);
            else if (fate === 'good') bus.faults.delete(`SP-${meter}`);
            else bus.faults.set(`SP-${meter}`, fate);
          }
          await bus.until(minute + 20);
          expect(bus.asks.length).toBeGreaterThan(3);
          expect(shortest(bus.asks, bus.names)).toBeGreaterThanOrEqual(15_000);
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  it('is left in peace also over a restart', async () => {
    const bus = new TimedBus({ meters: 2, readMs: 800, pollMs: QUARTER, minPollS: 15 });
    await bus.start();
    await bus.until(5);
    void bus.door.ask('SP-1', 5_000);
    await bus.until(5.05);
    await bus.stop();
    await bus.start();
    await bus.until(6);
    expect(bus.of('SP-1').length).toBe(3);
    expect(shortest(bus.asks, ['SP-1'])).toBeGreaterThanOrEqual(15_000 - 800);
  });

  it('is not asked shortly before the edge by a poll that would keep it from being read there', async () => {
    const bus = await started({
      meters: 8,
      readMs: 800,
      pollMs: 16_000,
      minPollS: 15,
      toleranceMs: 5_000,
    });
    await bus.until(5 * 60 + 1);
    for (const meter of bus.names) expect(await qualities(bus, meter)).toMatch(/^PAAAA$/);
  });
});

describe('a read that a person asks for', () => {
  const answered = <T>(bus: TimedBus, asked: Promise<T>) => bus.clock.runUntil(asked);

  it('goes before the polls that wait, and is taken in', async () => {
    const bus = await started({ meters: 30, readMs: 900, expectMs: 900 });
    await bus.until(0.05); // Thirty are due; three were read.
    const asked = bus.door.ask('SP-30', 10_000);
    expect(await answered(bus, asked)).toEqual({ ok: true, value: 0 });
    expect(bus.asks.findIndex(({ meter }) => meter === 'SP-30')).toBeLessThan(6);
    expect(bus.journal.installation('SP-30')?.last?.read).toBe(0);
  });

  it('of a meter alone and idle is made at once', async () => {
    const bus = await started({ meters: 3, readMs: 100 });
    await bus.until(7);
    const outcome = await answered(bus, bus.door.ask('SP-2', 10_000));
    expect(outcome).toEqual({ ok: true, value: 7 });
    expect(bus.of('SP-2').at(-1)).toMatchObject({ from: 7 * MINUTE, to: 7 * MINUTE + 100 });
  });

  it('several who ask share one read', async () => {
    const bus = await started({ meters: 3, readMs: 100 });
    await bus.until(7);
    const asked = [1, 2, 3].map(() => bus.door.ask('SP-2', 10_000));
    expect(await answered(bus, Promise.all(asked))).toHaveLength(3);
    expect(bus.of('SP-2').length).toBe(2);
  });

  it('of a reading without check sum is answered when a second one agrees', async () => {
    const bus = await started({ meters: 3, readMs: 100, checked: false });
    await bus.until(7);
    expect(await answered(bus, bus.door.ask('SP-2', 10_000))).toEqual({ ok: true, value: 7 });
    expect(bus.journal.installation('SP-2')?.last?.read).toBe(7);
    expect(bus.journal.installation('SP-2')?.unconfirmed).toBeNull();
  });

  it('of a silent meter says so, and it is asked whenever somebody asks', async () => {
    const bus = await started({ meters: 3, readMs: 100 });
    bus.faults.set('SP-2', 'line.silent');
    await bus.until(55);
    const before = bus.of('SP-2').length;
    expect(await answered(bus, bus.door.ask('SP-2', 10_000))).toMatchObject({
      ok: false,
      fault: { code: 'line.silent' },
    });
    expect(bus.of('SP-2').length).toBe(before + 1);
  });

  it('that a device’s pause does not allow is refused with the time from which it does', async () => {
    const bus = await started({ meters: 2, readMs: 100, minPollS: 15 });
    await bus.until(7);
    expect(await answered(bus, bus.door.ask('SP-1', 5_000))).toMatchObject({ ok: true });
    const refused = await answered(bus, bus.door.ask('SP-1', 5_000));
    expect(refused).toEqual({ ok: false, busyUntil: bus.clock.now() + 15_000 - 100 });
    expect(await answered(bus, bus.door.ask('SP-1', 20_000))).toMatchObject({ ok: true });
  });

  it('of a silent meter waits while the others are read for the edge', async () => {
    const bus = await started({ meters: 10, readMs: 200 });
    bus.faults.set('SP-2', 'line.silent');
    await bus.until(60 - 0.5 / 60);
    const asked = bus.door.ask('SP-2', 10_000);
    expect(await answered(bus, asked)).toMatchObject({ fault: { code: 'line.silent' } });
    const edge = bus.asks.filter(({ from }) => from >= 60 * MINUTE);
    expect(edge.findIndex(({ meter }) => meter === 'SP-2')).toBe(9);
  });

  it('of a disabled meter is refused, and the meter is left in peace', async () => {
    const bus = await started({ meters: 2, readMs: 100 });
    await bus.until(7);
    const state = bus.journal.installation('SP-1');
    if (!state) throw new Error('no state');
    bus.journal.commit(
      'SP-1',
      heed(state, { kind: 'disable' }, momentOf(bus.clock), rulesOf(FINE)),
    );
    expect(await answered(bus, bus.door.ask('SP-1', 5_000))).toMatchObject({ ok: false });
    await bus.until(90);
    expect(bus.of('SP-1').length).toBe(1);
  });

  it('again and again by scripts leaves the polls at least every other turn', async () => {
    const bus = await started({ meters: 10, pollMs: 10_000, readMs: 500, expectMs: 500 });
    await bus.until(2);
    let asking = true;
    const script = Promise.all(
      bus.names.slice(0, 3).map(async (meter) => {
        while (asking) await bus.door.ask(meter, 10_000);
      }),
    );
    const from = bus.asks.length;
    await bus.until(12);
    asking = false;
    await bus.clock.runUntil(script);
    const here = bus.asks.slice(from);
    for (const meter of bus.names.slice(3)) {
      expect(here.filter((ask) => ask.meter === meter).length).toBeGreaterThanOrEqual(58);
    }
  });

  it('is told when the collector stops', async () => {
    const bus = await started({ meters: 2, readMs: 100, minPollS: 15 });
    await bus.until(0.1);
    const asked = bus.door.ask('SP-1', 60_000);
    await bus.stop();
    expect(await asked).toMatchObject({ fault: { code: 'aborted' } });
    expect(await bus.door.ask('SP-1', 60_000)).toMatchObject({ fault: { code: 'aborted' } });
  });
});

describe('a gateway that takes several questions at once', () => {
  it('is asked so many at once and never more, and no meter twice at once', async () => {
    const bus = await started({
      meters: 50,
      pollMs: 1_000,
      readMs: 150,
      parallel: 16,
      expectMs: 150,
    });
    await bus.until(3);
    expect(bus.atOnce).toBe(16);
    for (const meter of bus.names) expect(bus.of(meter).length).toBeGreaterThanOrEqual(179);
  });

  it('half of its meters silent does not keep the others from being read every second', async () => {
    const bus = await started({ meters: 20, pollMs: 1_000, readMs: 50, parallel: 4, expectMs: 50 });
    for (let i = 1; i <= 10; i += 1) bus.faults.set(`SP-${i}`, 'line.silent');
    await bus.until(5);
    const from = bus.asks.length;
    await bus.until(15);
    const here = bus.asks.slice(from);
    for (let i = 11; i <= 20; i += 1) {
      expect(here.filter(({ meter }) => meter === `SP-${i}`).length).toBeGreaterThanOrEqual(595);
    }
    for (let i = 1; i <= 10; i += 1) {
      expect(here.filter(({ meter }) => meter === `SP-${i}`).length).toBeGreaterThanOrEqual(1);
    }
  });

  it('a bug in one read ends the loop after the others in flight are over', async () => {
    const bus = new TimedBus({ meters: 5, pollMs: 1_000, readMs: 50, parallel: 3 });
    bus.read = async () => {
      await bus.clock.sleep(10);
      throw new Error('a bug');
    };
    await bus.start();
    await expect(bus.stop()).rejects.toThrow('a bug');
  });
});

describe('whatever happens to clock and meters', () => {
  it('every meter that answers is asked within one and a half periods of the world’s time', async () => {
    const faults: FaultCode[] = ['line.silent', 'modbus.crc', 'port.absent', 'register.digits'];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 4),
        fc.array(
          fc.record({
            minutes: fc.integer({ min: 0, max: 70 }),
            stepMs: fc.integer({ min: -3 * HOUR, max: 3 * HOUR }),
            meter: fc.integer({ min: 1, max: 9 }),
            fault: fc.constantFrom(...faults),
            act: fc.constantFrom('step', 'fail', 'heal'),
          }),
          { maxLength: 12 },
        ),
        async (meters, parallel, acts) => {
          const bus = await started({ meters, parallel, readMs: 120, pollMs: 5 * MINUTE });
          let minute = 0;
          for (const { minutes, stepMs, meter, fault, act } of acts) {
            minute += minutes;
            await bus.until(minute);
            if (act === 'step') bus.clock.stepWall(stepMs);
            if (act === 'fail') bus.faults.set(`SP-${meter}`, fault);
            if (act === 'heal') bus.faults.delete(`SP-${meter}`);
          }
          bus.faults.clear();
          const healed = minute + 11; // One look at the clock, one probe.
          await bus.until(healed + 180);
          for (const meter of bus.names) {
            const times = [
              healed * MINUTE,
              ...bus.of(meter).map(({ from }) => from),
              (healed + 180) * MINUTE,
            ];
            const after = times.filter((at) => at >= healed * MINUTE).sort((a, b) => a - b);
            const pauses = after.slice(1).map((at, i) => at - (after[i] ?? 0));
            expect(Math.max(...pauses)).toBeLessThanOrEqual(7.5 * MINUTE + 5_000);
            expect(bus.records.get(meter)?.fault).toBeNull();
          }
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);
});
