// The time of the pages: the one place that reads a clock or waits.

/** Milliseconds since 1970 by this device. */
export const now = (): number => Date.now();

/** Calls `act` once after `ms`; the answer takes it back. */
export function after(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/** Calls `act` every `ms` until the answer is called. */
export function every(ms: number, act: () => void): () => void {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
}

export const pause = (ms: number): Promise<void> =>
  new Promise((done) => {
    after(ms, done);
  });
