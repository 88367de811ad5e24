// When a program is to end: after its time, at Ctrl-C or SIGTERM, or when nobody reads its output any more.

/** Lives from `listenForStop` to `release`. */
export interface StopRequest {
  /** Resolves at the first request. Never rejects. */
  readonly requested: Promise<void>;
  /** Asks for the end from within. */
  end(): void;
  release(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A terminal sends Ctrl-C to every process of its group, and a parent may pass on the one it got: two signals
 * within this time are one.
 */
const ONE_PRESS_MS = 400;

/** `seconds` from now, or a signal, ends it; a further signal calls `atOnce`. */
export function listenForStop(seconds: number | undefined, atOnce: () => void): StopRequest {
  let first: number | undefined;
  let request: () => void = () => undefined;
  const requested = new Promise<void>((resolve) => {
    request = resolve;
  });
  const onSignal = () => {
    if (first !== undefined && performance.now() - first > ONE_PRESS_MS) atOnce();
    first ??= performance.now();
    request();
  };
  const timer = seconds === undefined ? undefined : setTimeout(request, seconds * 1000);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // EPIPE: the reader of a pipe has gone. Without a listener it would end the process with a stack trace.
  const onGone = () => request();
  process.stdout.on('error', onGone);
  return {
    requested,
    end: request,
    release: () => {
      clearTimeout(timer);
      // The same press may still be on its way, passed on by whoever started us: by default it would end us as a failure.
      if (first === undefined) for (const signal of SIGNALS) process.off(signal, onSignal);
      process.stdout.off('error', onGone);
    },
  };
}
