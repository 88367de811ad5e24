// A bound on work that a driver or a peer may never finish.

import type { Clock } from '../boundaries.ts';

/** The outcome of `work`, or `late` when `ms` of the clock pass first. Work that is late goes on; see to its outcome. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | 'late'> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then((): 'late' => 'late');
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort('over');
  }
}
