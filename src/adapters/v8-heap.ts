// Keeps the daemon's heap as small as its work allows, on boxes with little memory.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../boundaries.ts';

/** What a start leaves behind is cleared away after this, and the heap is looked at so often from then on: milliseconds of the system. */
const FIRST_CLEAR_MS = 20_000;
const LOOK_MS = 60_000;
/** It is cleared when it has grown by so much: a collection throws away machine code as well, which is then made again. */
const GROWN_BYTES = 6 * 1024 * 1024;

/** From so many readings a second on, a small space for new objects costs more time than its memory is worth: a third at 1,000. */
const BUSY_PER_S = 300;

/**
 * New objects get no more than the space that they begin with where few readings are made: V8 would let them take up to 3 x 16 MiB,
 * though a collector needs few at a time. Takes effect from now on, since the space is only ever enlarged by this factor.
 */
export function keepHeapSmall(readingsPerS: number): void {
  if (readingsPerS < BUSY_PER_S) setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Clears the heap, when it has grown, until `signal` aborts. V8 by itself waits until it has grown to several times what lives,
 * which for the state of some hundred meters is tens of MiB; a full collection of it takes some 20 ms.
 */
export async function clearHeap(clock: Clock, signal: AbortSignal): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  let lives = Number.NEGATIVE_INFINITY;
  for (let ms = FIRST_CLEAR_MS; typeof collect === 'function'; ms = LOOK_MS) {
    await clock.sleep(ms, signal);
    if (signal.aborted) return;
    if (getHeapStatistics().used_heap_size - lives < GROWN_BYTES) continue;
    collect();
    lives = getHeapStatistics().used_heap_size;
  }
}
