// What the serial driver's words mean for the next try, and the limits on its calls.

import type { Fault } from '../domain/fault.ts';

/** A port opens within milliseconds; one that takes so long has a stuck driver. */
export const OPEN_LIMIT_MS = 5_000;
/** The driver waits at close for bytes it cannot send; longer than this nobody is there to take them. */
export const CLOSE_LIMIT_MS = 2_000;

/** The fault behind an error of opening `path`; the driver tells causes apart in words only. */
export function portFault(path: string, error: unknown): Fault {
  const said = error instanceof Error ? error.message : String(error);
  if (/No such (file|device)/i.test(said)) {
    return { code: 'port.absent', detail: `no port at ${path}` };
  }
  if (/Permission denied|Operation not permitted/i.test(said)) {
    return { code: 'port.denied', detail: `no right to open ${path}` };
  }
  if (/Cannot lock port|busy/i.test(said)) {
    return { code: 'port.failed', detail: `another program holds ${path}` };
  }
  if (/Inappropriate ioctl/i.test(said)) {
    return { code: 'port.failed', detail: `${path} is no serial port` };
  }
  return { code: 'port.failed', detail: `${path}: ${said}` };
}
