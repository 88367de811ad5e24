// Signs of life: given by what the collector does, withheld as soon as one part of it hangs.

import { describe, expect, it } from 'vitest';
import type { Supervisor } from '../../src/boundaries.ts';
import { Watchdog } from '../../src/jobs/watchdog.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { VirtualWorld } from '../whole/virtual-world.ts';

const MINUTE = 60_000;
const WANTED_MS = 20 * MINUTE;

function supervised() {
  const clock = new VirtualClock();
  const signs: number[] = [];
  const supervisor: Supervisor = {
    watchdogMs: WANTED_MS,
    ready: async () => undefined,
    alive: async () => void signs.push(clock.monotonicMs()),
    stopping: async () => undefined,
  };
  return { clock, signs, supervisor };
}

function watched() {
  const { clock, signs, supervisor } = supervised();
  const log = new RecordingLog();
  const parts = { supervisor, clock, log, loops: ['pole', 'pit'], status: () => 'well' };
  return { clock, signs, log, watchdog: new Watchdog(parts) };
}

describe('the watchdog', () => {
  it('gives signs well within the time, and not at every read', async () => {
    const { clock, signs, watchdog } = watched();
    for (let second = 0; second < 3_600; second += 1) {
      watchdog.turned('pole');
      watchdog.turned('pit');
      await clock.run(clock.trueNow() + 1_000);
    }
    expect(signs).toHaveLength(12);
    for (const [i, at] of signs.slice(1).entries()) {
      expect(at - (signs[i] ?? 0)).toBeLessThanOrEqual(WANTED_MS / 4 + 1_000);
    }
  });

  it('gives none any more when one loop does not come round, whatever the others do, and says which', async () => {
    const { clock, signs, log, watchdog } = watched();
    for (let minute = 0; minute < 60; minute += 1) {
      watchdog.turned('pole');
      await clock.run(clock.trueNow() + MINUTE);
    }
    expect(Math.max(...signs)).toBeLessThanOrEqual(11 * MINUTE);
    expect(watchdog.silent()).toContain('pit');
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    watchdog.turned('pit');
    expect(signs.at(-1)).toBe(clock.monotonicMs());
  });

  it('gives none while a write does not return, and goes on where the disk refuses', async () => {
    const { clock, signs, watchdog } = watched();
    const turn = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        watchdog.turned('pole');
        watchdog.turned('pit');
        await clock.run(clock.trueNow() + MINUTE);
      }
    };
    watchdog.writing(true);
    await turn(60);
    expect(Math.max(...signs)).toBeLessThanOrEqual(11 * MINUTE);
    watchdog.writing(false);
    const before = signs.length;
    for (let refused = 0; refused < 60; refused += 1) {
      watchdog.writing(true);
      watchdog.writing(false);
      await turn(1);
    }
    expect(signs.length - before).toBeGreaterThan(8);
  });

  it('hears the whole collector while it polls and writes, and nothing from when its disk hangs', async () => {
    const { supervisor } = supervised();
    const signs: number[] = [];
    const world: VirtualWorld = new VirtualWorld({
      ...{ seed: 5, meters: 8 },
      supervisor: { ...supervisor, alive: async () => void signs.push(world.clock.trueNow()) },
    });
    await world.start();
    await world.run(6);
    expect(signs.length).toBeGreaterThanOrEqual(6 * 3);
    for (const [i, at] of signs.slice(1).entries()) {
      expect(at - (signs[i] ?? 0)).toBeLessThan(WANTED_MS / 2);
    }
    world.medium.syncIn(() => new Promise(() => undefined));
    const hung = world.clock.trueNow();
    await world.run(3);
    expect(Math.max(...signs) - hung).toBeLessThan(2 * 3_600_000);
    expect(world.clock.trueNow() - Math.max(...signs)).toBeGreaterThan(WANTED_MS);
    world.kill();
  });
});
