// What the program runs on: time, who started it, and where it tells what happens.

import type { EpochMs } from '../domain/units.ts';

/**
 * Time as an argument. The schedule's clock (hours, retention, alerts) may run scaled or virtual;
 * the wire's clock (time-outs and gaps of lines, disk and network) is a second instance at speed 1.
 */
export interface Clock {
  /** Milliseconds of this clock in one millisecond of the wire; 1 outside simulations. */
  readonly speed: number;
  /** Names the run of `monotonicMs`: readings of two boots cannot be subtracted. */
  readonly boot: string;
  /** Wall time in whole milliseconds. May step. */
  now(): EpochMs;
  /** Time that never steps, from an arbitrary origin within one boot. */
  monotonicMs(): number;
  /** Whether the wall time is synchronised; null when nobody can tell. */
  synced(): boolean | null;
  /** Resolves after `ms` of this clock, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * As `sleep`, but as near to its end as the machine can tell, which costs more than a timer. For the few milliseconds between two frames of a line, where a timer's whole millisecond is too coarse.
   */
  pause(ms: number): Promise<void>;
}

/** Who started this program and wants to know how it is: systemd, or nobody. Nothing here ever rejects. */
export interface Supervisor {
  /** A sign of life is wanted at least so often, in milliseconds; null: none is. */
  readonly watchdogMs: number | null;
  ready(): Promise<void>;
  /** It lives; `status` is one line for people. */
  alive(status: string): Promise<void>;
  stopping(): Promise<void>;
}

/** Where the daemon tells what happens. Fields are plain data; no secrets, nothing untrusted as a key. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
