// Opens the journal of a collector: one that cannot be opened, or takes long, keeps nobody from polling.

import type { Clock, Journal, Log, Vault } from './boundaries.ts';
import type { Fault } from './domain/fault.ts';
import type { JournalParts } from './journal/books.ts';
import type { Parts } from './parts.ts';
import type { Settings } from './settings/settings.ts';

/** The start waits so long for the journal, in milliseconds of the wire; then the collector polls without it. */
const OPEN_WAIT_MS = 3_000;
/** A medium that cannot be opened is tried again after this long, in milliseconds of the wire. */
const OPEN_RETRY_MS = 2_000;
/** The same trouble is told again after this long. */
const OPEN_TELL_MS = 60_000;

/** Opens the journal, or leaves it to be opened later; a journal that another collector holds is waited for. */
export async function openPatiently(
  journal: Journal,
  { wire, log }: Parts,
  signal: AbortSignal,
): Promise<void> {
  let told = { detail: '', at: 0 };
  for (;;) {
    const slow = new AbortController();
    const opened = await Promise.race([
      journal.flush(),
      wire.sleep(OPEN_WAIT_MS, slow.signal).then(() => null),
    ]);
    slow.abort('opened');
    if (opened?.ok) return;
    const fault = opened?.fault ?? SLOW;
    const now = wire.monotonicMs();
    if (fault.detail !== told.detail || now - told.at >= OPEN_TELL_MS) {
      tellClosed(fault, log);
      told = { detail: fault.detail, at: now };
    }
    if (fault.code !== 'store.locked') return;
    await wire.sleep(OPEN_RETRY_MS, signal);
  }
}

const SLOW: Fault = { code: 'store.failed', detail: 'the disk takes long to open the journal' };

function tellClosed({ code, detail }: Fault, log: Log): void {
  const isLocked = code === 'store.locked';
  const hint = isLocked
    ? 'stop the other collector, or give this one a data folder of its own; the other may run in a container, or on a machine that shares the folder'
    : code === 'store.newer'
      ? 'run the newer program, or restore a backup of this version into a new data folder'
      : 'see that the data folder can be written and its disk has room';
  const what = isLocked ? 'waiting for it' : 'polling without it, and trying again';
  log.error({ code, detail, hint }, `the journal cannot be opened; ${what}`);
}

/** What the journal of these settings is opened with. */
export function journalParts(
  { collector }: Settings,
  vault: Vault,
  clock: Clock,
  newEpoch: () => string,
): JournalParts {
  return { collector, newEpoch, vault, openStore: () => vault.open(), now: () => clock.now() };
}
