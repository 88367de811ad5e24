// The system's time, scaled for the schedule and plain for the wire: the one file that reads time and sets timers.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Clock } from '../boundaries.ts';
import type { EpochMs } from '../domain/units.ts';

/** The longest delay a Node timer carries (2^31 - 1 ms, 24.8 days; more fires at once). Longer sleeps are chained. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** How long one look at the mark of systemd-timesyncd is believed: it changes a few times a day at most. */
const SYNC_LOOK_MS = 5_000;
/** systemd-timesyncd touches this file when it has set the clock (systemd-timesyncd.service(8)). */
const TIMESYNCD_MARK = '/run/systemd/timesync/synchronized';

/** Monotonic time begins with the process, so the process is its boot. */
const BOOT = randomUUID();

export interface SystemClockOptions {
  /** Milliseconds of this clock in one millisecond of the system; more than 0. Default 1. */
  readonly speed?: number;
  /** System time at which this clock shows `simulated`. Default: now. */
  readonly real?: EpochMs;
  /** What this clock shows at `real`. Default: the same as `real`. */
  readonly simulated?: EpochMs;
  /** Who tells whether the wall time is right: nobody, or systemd-timesyncd. Default `assumed`: nobody. */
  readonly sync?: 'assumed' | 'timesyncd';
  /** Where the mark of systemd-timesyncd is looked for. */
  readonly syncMark?: string;
}

/**
 * A clock that shows `simulated` + (system time - `real`) x `speed`, in whole milliseconds.
 * Without options it is the system's own clock, which is what the wire uses.
 */
export function createSystemClock(options: SystemClockOptions = {}): Clock {
  const speed = options.speed ?? 1;
  const real = options.real ?? Date.now();
  const simulated = options.simulated ?? real;
  return {
    speed,
    boot: BOOT,
    now: () => Math.floor(simulated + (Date.now() - real) * speed),
    monotonicMs: () => performance.now() * speed,
    synced: options.sync === 'timesyncd' ? markLookup(options.syncMark) : () => null,
    sleep: (ms, signal) => systemSleep(ms / speed, signal),
    pause: (ms) => systemPause(ms / speed),
  };
}

function systemSleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const due = performance.now() + ms;
    const ends = signal && endedBy(signal);
    let timer: NodeJS.Timeout;
    const finish = () => {
      clearTimeout(timer);
      ends?.delete(finish);
      resolve();
    };
    const arm = () => {
      const left = Math.max(0, Math.ceil(due - performance.now()));
      timer = setTimeout(wake, Math.min(left, TIMER_MAX_MS));
    };
    // Timers may fire a fraction of a millisecond early, which is seconds on a fast clock: never wake before the time.
    const wake = () => (performance.now() < due ? arm() : finish());
    ends?.add(finish);
    arm();
  });
}

/** What ends the sleeps on a signal. One listener serves them all while the signal lives: it costs more than a sleep. */
const ENDS = new WeakMap<AbortSignal, Set<() => void>>();

function endedBy(signal: AbortSignal): Set<() => void> {
  const known = ENDS.get(signal);
  if (known) return known;
  const ends = new Set<() => void>();
  ENDS.set(signal, ends);
  const over = () => {
    for (const end of ends) end();
  };
  signal.addEventListener('abort', over, { once: true });
  return ends;
}

/** A timer set to `n` ms fires within about `n` and `n + 1`, so the last two milliseconds are not its own. */
const TIMER_GRAIN_MS = 2;
/** A nap of the whole thread: short enough for everything else, and it costs no processor, as looking on and on does. */
const NAP_MS = 0.1;
/** How late the kernel may wake a napper; within so much of the end nobody naps. */
const NAP_LATE_MS = 0.15;
const NAPPING = new Int32Array(new SharedArrayBuffer(4));

function systemPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const due = performance.now() + ms;
    // Turn by turn of the event loop: what else there is to do goes on meanwhile.
    const look = () => {
      const left = due - performance.now();
      if (left <= 0) {
        resolve();
        return;
      }
      if (left > NAP_MS + NAP_LATE_MS) Atomics.wait(NAPPING, 0, 0, NAP_MS);
      setImmediate(look);
    };
    if (ms > TIMER_GRAIN_MS) setTimeout(look, Math.floor(ms - 1));
    else look();
  });
}

function markLookup(mark: string = TIMESYNCD_MARK): () => boolean {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let seen = false;
  return () => {
    if (performance.now() - lookedAt >= SYNC_LOOK_MS) {
      lookedAt = performance.now();
      seen = existsSync(mark);
    }
    return seen;
  };
}
