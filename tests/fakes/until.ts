// Waits for a condition of the real world, looking again and again, with a deadline.

import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 5;

/** Resolves when `condition` holds; rejects with `what` when it does not within `ms`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms for: ${what}`);
    await pause(LOOK_MS);
  }
}

/** Resolves to what `attempt` gives as soon as it gives something; a failed attempt is no end. */
export async function eventually<T>(
  attempt: () => Promise<T | undefined>,
  ms = 10_000,
): Promise<T> {
  let got: T | undefined;
  await until(
    'an attempt that succeeds',
    async () => {
      got = await attempt().catch(() => undefined);
      return got !== undefined;
    },
    ms,
  );
  return got as T;
}
