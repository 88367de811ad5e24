// systemd as the supervisor, told by its own systemd-notify: Node has no datagram sockets of the Unix kind (faults 7).

import { execFile } from 'node:child_process';
import type { Log, Supervisor } from '../boundaries.ts';

/** Without --no-block it returns when systemd has taken the message, five seconds later where nobody does. */
const NOTIFY_TIMEOUT_MS = 10_000;

const NOBODY: Supervisor = {
  watchdogMs: null,
  ready: () => Promise.resolve(),
  alive: () => Promise.resolve(),
  stopping: () => Promise.resolve(),
};

/** The supervisor that the environment names (sd_notify(3), sd_watchdog_enabled(3)), or one that asks nothing. */
export function createSupervisor({
  env,
  log,
}: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}): Supervisor {
  if (!env['NOTIFY_SOCKET']) return NOBODY;
  let told = '';
  const notify = (...words: string[]) =>
    new Promise<void>((resolve) => {
      execFile('systemd-notify', words, { timeout: NOTIFY_TIMEOUT_MS }, (error) => {
        const trouble = error ? error.message : '';
        if (trouble !== '' && trouble !== told) log.error({ trouble }, 'systemd cannot be told');
        told = trouble;
        resolve();
      });
    });
  return {
    watchdogMs: watchdogMsOf(env),
    ready: () => notify('--ready', '--status=collecting'),
    alive: (status) => notify('WATCHDOG=1', `--status=${status}`),
    stopping: () => notify('STOPPING=1', '--status=stopping'),
  };
}

function watchdogMsOf(env: Readonly<Record<string, string | undefined>>): number | null {
  const { WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = env;
  if (pid !== undefined && pid !== String(process.pid)) return null; // It is meant for another.
  const ms = Number(micros) / 1000;
  return ms > 0 ? ms : null;
}
