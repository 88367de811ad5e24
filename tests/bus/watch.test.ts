// Deadlines on a clock that stops: what came while the process stood still is looked at before anything is given up.

import { expect, it } from 'vitest';
import type { Clock } from '../../src/boundaries.ts';
import { Watch } from '../../src/bus/watch.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

/** Wakes so many milliseconds late, as after a stop of the process. */
function late(clock: VirtualClock, by: () => number): Clock {
  return {
    ...{ speed: 1, boot: 'b', now: () => clock.now(), synced: () => true },
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms + by(), signal),
    pause: (ms) => clock.pause(ms),
  };
}

async function lookedAt(lateMs: number): Promise<number> {
  const clock = new VirtualClock();
  const stops = [lateMs, 0];
  let at = Number.NaN;
  const watch = new Watch(
    late(clock, () => stops.shift() ?? 0),
    () => {
      at = clock.monotonicMs();
    },
  );
  watch.by(100);
  await clock.run(clock.trueNow() + 1_000);
  return at;
}

it('a deadline is looked at when it has come', async () => {
  expect(await lookedAt(0)).toBe(100);
  expect(await lookedAt(15)).toBe(115);
});

it('after a stop of the process what came meanwhile is heard first', async () => {
  expect(await lookedAt(400)).toBe(520);
});
