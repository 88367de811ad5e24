// Runs the clock suite on the system's clock, plain and scaled, and on virtual time; then what each promises alone.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { clockSuite } from './clock.suite.ts';

const settle = <T>(work: Promise<T>) => work;

clockSuite('the system clock', () => ({ clock: createSystemClock(), settle, keeps: 1 }));
clockSuite('the system clock at 3,600 times its speed', () => ({
  clock: createSystemClock({ speed: 3_600 }),
  settle,
  keeps: 1,
}));
clockSuite('virtual time', () => {
  const clock = new VirtualClock();
  return { clock, settle: (work) => clock.runUntil(work), keeps: 1 };
});
clockSuite('a life in virtual time', () => {
  const world = new VirtualClock();
  return { clock: world.life(), settle: (work) => world.runUntil(work), keeps: 1 };
});

describe('the system clock', () => {
  it('shows the simulated time that belongs to a system time, for every process alike', () => {
    const real = Date.now() - 10_000;
    const simulated = Date.UTC(2026, 5, 1);
    const clocks = [1, 2].map(() => createSystemClock({ speed: 60, real, simulated }));
    for (const clock of clocks) {
      const passed = clock.now() - simulated;
      expect(passed).toBeGreaterThanOrEqual(600_000);
      expect(passed).toBeLessThanOrEqual((Date.now() - real) * 60);
    }
  });

  it('carries a sleep of years on timers that each can hold their part', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.name);
    process.on('warning', note);
    const stop = new AbortController();
    const sleeping = createSystemClock().sleep(3 * 2 ** 31, stop.signal);
    // Node warns, in the next turn, of a delay it cannot carry, and fires at once.
    await createSystemClock().sleep(5);
    stop.abort();
    await sleeping;
    process.off('warning', note);
    expect(warnings).not.toContain('TimeoutOverflowWarning');
  });

  it('is believed without asking when the sync is assumed', () => {
    expect(createSystemClock().synced()).toBeNull();
  });

  it('is believed under timesyncd only while its mark is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clock-'));
    const mark = join(folder, 'synchronized');
    const before = createSystemClock({ sync: 'timesyncd', syncMark: mark });
    expect(before.synced()).toBe(false);
    await writeFile(mark, '');
    expect(createSystemClock({ sync: 'timesyncd', syncMark: mark }).synced()).toBe(true);
    expect(before.synced(), 'a look is believed for some seconds').toBe(false);
    await rm(folder, { recursive: true });
  });
});

describe('virtual time', () => {
  it('wakes sleepers of one instant in the order in which they lay down', async () => {
    const clock = new VirtualClock();
    const order: number[] = [];
    const naps = [30, 10, 20, 10, 30].map((ms, i) => clock.sleep(ms).then(() => order.push(i)));
    await clock.runUntil(Promise.all(naps));
    expect(order).toEqual([1, 3, 2, 0, 4]);
  });

  it('lets all that follows from one waking happen before the next', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const first = clock.sleep(5).then(async () => {
      for (let i = 0; i < 50; i += 1) await Promise.resolve();
      seen.push(`first at ${clock.monotonicMs()}`);
    });
    const second = clock.sleep(5).then(() => seen.push('second'));
    await clock.runUntil(Promise.all([first, second]));
    expect(seen).toEqual(['first at 5', 'second']);
  });

  it('stands at the end of a run and no further', async () => {
    const start = Date.UTC(2026, 0, 1);
    const clock = new VirtualClock(start);
    const woken: number[] = [];
    for (const ms of [999, 1_000, 1_001]) void clock.sleep(ms).then(() => woken.push(ms));
    await clock.run(start + 1_000);
    expect(clock.now()).toBe(start + 1_000);
    expect(woken).toEqual([999, 1_000]);
    await clock.run(start + 2_000);
    expect(woken).toEqual([999, 1_000, 1_001]);
  });

  it('a stepped wall clock moves neither sleepers nor monotonic time', async () => {
    const start = Date.UTC(2026, 0, 1);
    const clock = new VirtualClock(start);
    clock.at(start + 100, () => clock.stepWall(-86_400_000));
    const nap = clock.sleep(200).then(() => [clock.now(), clock.monotonicMs(), clock.trueNow()]);
    expect(await clock.runUntil(nap)).toEqual([start + 200 - 86_400_000, 200, start + 200]);
  });

  it('a halted life never wakes; the world and the next life go on under another boot', async () => {
    const clock = new VirtualClock();
    const first = clock.life();
    let ghost = false;
    void first.sleep(10).then(() => {
      ghost = true;
    });
    void first
      .wire()
      .sleep(10)
      .then(() => {
        ghost = true;
      });
    await clock.run(clock.trueNow() + 5);
    first.halt();
    const second = clock.life();
    expect(second.boot).not.toBe(first.boot);
    expect(second.monotonicMs()).toBe(0);
    await clock.runUntil(second.sleep(20));
    expect(second.monotonicMs()).toBe(20);
    expect(clock.monotonicMs()).toBe(25);
    expect(ghost).toBe(false);
  });

  it('the schedule and the wire of one life share one time', async () => {
    const clock = new VirtualClock();
    const life = clock.life();
    await clock.run(clock.trueNow() + 1_234);
    expect(life.wire().now()).toBe(life.now());
    expect(life.wire().monotonicMs()).toBe(life.monotonicMs());
    expect(life.wire().boot).toBe(life.boot);
  });

  it('says so when nothing can happen any more', async () => {
    const clock = new VirtualClock();
    await expect(clock.runUntil(new Promise(() => undefined))).rejects.toThrow();
  });

  it('an error thrown at a time ends the run', async () => {
    const clock = new VirtualClock();
    clock.at(clock.now() + 1, () => {
      throw new Error('planted');
    });
    await expect(clock.run(clock.now() + 10)).rejects.toThrow('planted');
  });

  it('ten thousand aborted time-outs do not pile up in the way of the others', async () => {
    const clock = new VirtualClock();
    const order: number[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      const stop = new AbortController();
      void clock.sleep(1_000_000 + i, stop.signal);
      if (i % 1_000 === 0) void clock.sleep(10_000 - i).then(() => order.push(i));
      stop.abort();
    }
    await clock.run(clock.now() + 20_000);
    expect(order).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => n * 1_000));
  });
});
