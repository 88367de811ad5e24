// Time that stands still until a test moves it: a heap of sleepers, woken one by one in the order (time, sequence).

import type { Clock } from '../../src/boundaries.ts';
import type { EpochMs } from '../../src/domain/units.ts';

/** The event loop gets a turn after so many wakings, so that a long run does not starve the test runner. */
const WAKINGS_A_TURN = 1_024;
/** Aborted sleepers stay in the heap until they are so many and the greater part of it. */
const SWEEP_FROM = 1_024;

/** A clock of one life of a program: after `halt` nothing that sleeps on it ever wakes, as after a kill. */
export interface Life extends Clock {
  /** The life's second clock, for lines, disk and network: the same virtual time. */
  wire(): Clock;
  halt(): void;
  /** The process is stopped for so long, as by SIGSTOP: what it slept for wakes it afterwards, in the old order. */
  suspend(ms: number): void;
}

/** What holds for all sleepers of one program. */
interface Alive {
  halted: boolean;
  stoppedUntil: number;
}

interface Sleeper {
  at: number;
  sequence: number;
  readonly life: Alive;
  wake: (() => void) | undefined;
}

/**
 * Wall time, monotonic time and true time of a simulated world. True time starts at `start` and is what
 * `run`, `at` and the sleepers go by; wall time is true time plus the error that `stepWall` adds up.
 * Everything driven by it must be made of promises alone: sockets, files and timers do not wait for it.
 */
export class VirtualClock implements Clock {
  readonly speed = 1;
  readonly boot = 'boot-0';
  readonly #start: EpochMs;
  readonly #world: Alive = { halted: false, stoppedUntil: 0 };
  #elapsed = 0;
  #wallError = 0;
  /** Milliseconds that the wall clock gains in one, since when. */
  #drift = 0;
  #driftSince = 0;
  #synced = true;
  #lives = 0;
  #sequence = 0;
  #aborted = 0;
  #heap: Sleeper[] = [];
  readonly #sleeping = new WeakMap<AbortSignal, Map<Sleeper, () => void>>();

  constructor(start: EpochMs = Date.UTC(2026, 0, 1)) {
    this.#start = start;
  }

  now(): EpochMs {
    const gained = this.#drift * (this.#elapsed - this.#driftSince);
    return Math.floor(this.#start + this.#elapsed + this.#wallError + gained);
  }

  monotonicMs(): number {
    return this.#elapsed;
  }

  /** The time of the world, which no step of the wall clock touches. */
  trueNow(): EpochMs {
    return this.#start + this.#elapsed;
  }

  synced(): boolean {
    return this.#synced;
  }

  setSynced(synced: boolean): void {
    this.#synced = synced;
  }

  /** Steps the wall time; monotonic time and sleepers do not notice. */
  stepWall(deltaMs: number): void {
    this.#wallError += deltaMs;
  }

  /** From now on the wall clock gains (or loses) so many parts in a million. */
  driftBy(partsPerMillion: number): void {
    this.#wallError += this.#drift * (this.#elapsed - this.#driftSince);
    this.#driftSince = this.#elapsed;
    this.#drift = partsPerMillion / 1e6;
  }

  /** Sleepers that may still wake somebody. */
  sleepers(): number {
    return this.#heap.filter(({ wake, life }) => wake !== undefined && !life.halted).length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#sleep(ms, signal, this.#world);
  }

  pause(ms: number): Promise<void> {
    return this.#sleep(ms, undefined, this.#world);
  }

  wire(): Clock {
    return this;
  }

  /** Clocks for one life of a program (schedule and wire) with a boot of its own; monotonic time begins at 0. */
  life(): Life {
    this.#lives += 1;
    return new ClockOfLife(this, `boot-${this.#lives}`, (ms, signal, life) =>
      this.#sleep(ms, signal, life),
    );
  }

  /** Calls `act` when true time reaches `at` (at the next step of a run if that is past). */
  at(at: EpochMs, act: () => void): void {
    this.#push(Math.max(at - this.#start, this.#elapsed), this.#world, act);
  }

  /**
   * Lives until true time is `until`: lets everything that can go on go on, then jumps to the next sleeper.
   * Sleepers of `until` itself are woken. Rejects with what an `at` threw.
   */
  run(until: EpochMs): Promise<void> {
    const end = until - this.#start;
    return this.#drive(() => {
      const next = this.#heap[0];
      if (next !== undefined && next.at <= end) return true;
      this.#elapsed = Math.max(this.#elapsed, end);
      return false;
    });
  }

  /** Lives until `work` settles and says its outcome. Rejects if all sleep without end before that. */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    work.then(settle, settle);
    await this.#drive(() => !settled && this.#heap.length > 0);
    if (!settled) throw new Error('nothing is left to wake, and the awaited work has not ended');
    return work;
  }

  #sleep(ms: number, signal: AbortSignal | undefined, life: Alive): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const at = this.#elapsed + Math.max(0, ms);
      if (signal === undefined) {
        this.#push(at, life, resolve);
        return;
      }
      const ended = this.#endedBy(signal);
      const sleeper = this.#push(at, life, () => {
        ended.delete(sleeper);
        resolve();
      });
      ended.set(sleeper, resolve);
    });
  }

  /** Who sleeps until `signal` aborts at the latest. One listener a signal serves them all: it costs more than a sleep. */
  #endedBy(signal: AbortSignal): Map<Sleeper, () => void> {
    const known = this.#sleeping.get(signal);
    if (known) return known;
    const ended = new Map<Sleeper, () => void>();
    this.#sleeping.set(signal, ended);
    const abort = () => {
      for (const [sleeper, resolve] of ended) {
        sleeper.wake = undefined;
        this.#sweep();
        resolve();
      }
      ended.clear();
    };
    signal.addEventListener('abort', abort, { once: true });
    return ended;
  }

  #drive(more: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let wakings = 0;
      const step = () => {
        if (!more()) {
          resolve();
          return;
        }
        try {
          this.#wakeNext();
        } catch (bug) {
          reject(bug);
          return;
        }
        wakings += 1;
        if (wakings % WAKINGS_A_TURN === 0) setImmediate(step);
        else settled(step);
      };
      settled(step);
    });
  }

  #wakeNext(): void {
    const sleeper = this.#pop();
    if (sleeper.wake === undefined) this.#aborted -= 1;
    else if (sleeper.at < sleeper.life.stoppedUntil) this.#putOff(sleeper);
    else if (!sleeper.life.halted) {
      // An aborted or halted sleeper does not move time; a run past it does.
      this.#elapsed = sleeper.at;
      sleeper.wake();
    }
  }

  #push(at: number, life: Alive, wake: () => void): Sleeper {
    this.#sequence += 1;
    const sleeper: Sleeper = { at, sequence: this.#sequence, life, wake };
    this.#lay(sleeper);
    return sleeper;
  }

  #lay(sleeper: Sleeper): void {
    this.#heap.push(sleeper);
    rise(this.#heap, this.#heap.length - 1);
  }

  /** The same sleeper, so that who holds it can still call it off. */
  #putOff(sleeper: Sleeper): void {
    this.#sequence += 1;
    sleeper.at = sleeper.life.stoppedUntil;
    sleeper.sequence = this.#sequence;
    this.#lay(sleeper);
  }

  #pop(): Sleeper {
    const first = this.#heap[0] as Sleeper;
    const last = this.#heap.pop() as Sleeper;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      sink(this.#heap, 0);
    }
    return first;
  }

  #sweep(): void {
    this.#aborted += 1;
    if (this.#aborted < SWEEP_FROM || this.#aborted * 2 < this.#heap.length) return;
    // An array sorted by (time, sequence) is a heap.
    this.#heap = this.#heap.filter((sleeper) => sleeper.wake !== undefined).sort(byTime);
    this.#aborted = 0;
  }
}

/** A class, for all lives of a process are of one shape then: with functions of its own each life made all code slower (V8). */
class ClockOfLife implements Life {
  readonly speed = 1;
  readonly boot: string;
  readonly #world: VirtualClock;
  readonly #origin: number;
  readonly #alive: Alive = { halted: false, stoppedUntil: 0 };
  readonly #sleep: (ms: number, signal: AbortSignal | undefined, life: Alive) => Promise<void>;

  constructor(
    world: VirtualClock,
    boot: string,
    sleep: (ms: number, signal: AbortSignal | undefined, life: Alive) => Promise<void>,
  ) {
    this.#world = world;
    this.boot = boot;
    this.#origin = world.monotonicMs();
    this.#sleep = sleep;
  }

  now(): EpochMs {
    return this.#world.now();
  }

  monotonicMs(): number {
    return this.#world.monotonicMs() - this.#origin;
  }

  synced(): boolean {
    return this.#world.synced();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#sleep(ms, signal, this.#alive);
  }

  pause(ms: number): Promise<void> {
    return this.#sleep(ms, undefined, this.#alive);
  }

  wire(): Clock {
    return this;
  }

  halt(): void {
    this.#alive.halted = true;
  }

  suspend(ms: number): void {
    const until = this.#world.monotonicMs() + ms;
    this.#alive.stoppedUntil = Math.max(this.#alive.stoppedUntil, until);
  }
}

/**
 * Calls `then` when every promise that can settle by itself has. A tick queued from a microtask runs when the
 * microtasks are used up, at a third of the cost of a turn of the event loop.
 */
function settled(then: () => void): void {
  queueMicrotask(() => process.nextTick(then));
}

function byTime(a: Sleeper, b: Sleeper): number {
  return a.at === b.at ? a.sequence - b.sequence : a.at < b.at ? -1 : 1;
}

function rise(heap: Sleeper[], from: number): void {
  let child = from;
  const sleeper = heap[child] as Sleeper;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    const above = heap[parent] as Sleeper;
    if (byTime(above, sleeper) < 0) break;
    heap[child] = above;
    child = parent;
  }
  heap[child] = sleeper;
}

function sink(heap: Sleeper[], from: number): void {
  let parent = from;
  const sleeper = heap[parent] as Sleeper;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && byTime(heap[child + 1] as Sleeper, heap[child] as Sleeper) < 0) {
      child += 1;
    }
    if (byTime(sleeper, heap[child] as Sleeper) < 0) break;
    heap[parent] = heap[child] as Sleeper;
    parent = child;
  }
  heap[parent] = sleeper;
}
