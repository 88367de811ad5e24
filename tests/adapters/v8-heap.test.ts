// The daemon's heap is cleared after the start, and later only when it has grown.

import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clearHeap } from '../../src/adapters/v8-heap.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const MINUTE = 60_000;

/** Full collections that somebody asked for; nobody else does in this process. */
let cleared = 0;
const observer = new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries() as unknown as readonly { detail: Gc }[]) {
    const isFull = detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    if (isFull && (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) cleared += 1;
  }
});
interface Gc {
  readonly kind: number;
  readonly flags: number;
}
beforeEach(() => {
  cleared = 0;
  observer.observe({ entryTypes: ['gc'] });
});
afterEach(() => observer.disconnect());

/** Lets so many minutes of the clock pass, and what was observed come in. */
async function pass(clock: VirtualClock, minutes: number): Promise<void> {
  await clock.run(clock.trueNow() + minutes * MINUTE);
  await setImmediate();
  await setImmediate();
}

it('is cleared after the start, and again when it has grown by some MiB', async () => {
  const clock = new VirtualClock();
  const over = new AbortController();
  const clearing = clearHeap(clock, over.signal);
  await pass(clock, 1);
  expect(cleared).toBe(1);
  await pass(clock, 30);
  expect(cleared).toBe(1);
  const grown = Array.from({ length: 8 * 1024 }, (_, i) => new Array<number>(128).fill(i));
  await pass(clock, 2);
  expect(cleared).toBe(2);
  expect(grown).toHaveLength(8 * 1024);
  over.abort('over');
  await clearing;
});
