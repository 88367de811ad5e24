// Writes to a port or socket behind what waits there already, and waits in bounded time for all of it to be taken.

import type { Writable } from 'node:stream';
import type { Clock } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { within } from './bounded.ts';

/** A request is shorter than the driver's buffer and the kernel's, so it is taken at once unless port or peer is stuck. */
const WRITE_LIMIT_MS = 2_000;

/** `who` takes the bytes, in the words of the fault. After a fault part of them may be gone: the stream is to be given up. */
export async function writeAll(
  stream: Writable,
  bytes: Uint8Array,
  clock: Clock,
  who: string,
): Promise<Result<void>> {
  const written = new Promise<Error | null | undefined>((resolve) => {
    stream.write(bytes, resolve);
  });
  const outcome = await within(clock, WRITE_LIMIT_MS, written);
  if (outcome === null || outcome === undefined) return good(undefined);
  if (outcome !== 'late') return faulty('port.absent', `writing failed: ${outcome.message}`);
  return faulty('port.failed', `${who} takes no bytes`);
}
