// Notices that a serial port's device has gone when the driver's library does not.

import { stat } from 'node:fs/promises';
import type { Clock } from '../boundaries.ts';

/** A lost port is noticed within so long; a look costs one system call. */
const LOOK_MS = 500;

/**
 * Resolves when `path` no longer leads to `device` (as `deviceAt` told it before the port was opened), or when
 * `signal` aborts.
 *
 * Needed because serialport 13 reads a port that hung up between two of its reads as "0 bytes, try again": it never
 * says close and burns most of a core. Unplugging a pseudo-terminal right after opening did that 21 times in 100.
 */
export async function deviceGone(
  path: string,
  device: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await deviceAt(path)) === device) await clock.sleep(LOOK_MS, signal);
}

/** Tells one device from the next under the same name; empty when there is none. */
export async function deviceAt(path: string): Promise<string> {
  try {
    const { dev, ino, rdev } = await stat(path);
    return `${dev} ${ino} ${rdev}`;
  } catch {
    return '';
  }
}
