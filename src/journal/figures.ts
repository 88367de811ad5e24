// What a journal holds and costs, for `journal stats` and the head-end's health.

import type { JournalFigures, Store } from '../boundaries.ts';
import { within } from '../codec/journal-record.ts';
import { type Checkpoint, nothingThinned } from '../domain/checkpoint.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import type { Wear } from './standing.ts';
import { firstHour, firstIncrement } from './thin.ts';

const DAY_MS = 24 * HOUR_MS;

/** Kinds of records by the prefix of their keys. */
const KINDS = { increments: 'i/', hours: 'h/', gaps: 'g/', events: 'e/', rows: 'r/' } as const;

/** Bytes by kind, and the oldest that is held. Throws StoreLost. */
export async function measure(
  store: Store,
  facts: readonly InstallationFacts[],
  checkpoint: (meter: string, inst: number) => Checkpoint | undefined,
): Promise<
  Pick<JournalFigures, 'bytes' | 'freeBytes' | 'bytesOf' | 'oldestHour' | 'oldestIncrement'>
> {
  const room = await store.room?.();
  const bytesOf: Record<string, number> = {};
  for (const [kind, prefix] of Object.entries(KINDS)) {
    const size = await store.sizeOf?.(within(prefix));
    if (size?.ok) bytesOf[kind] = size.value;
  }
  let oldestHour: EpochMs | null = null;
  let oldestIncrement: EpochMs | null = null;
  for (const one of facts) {
    const point = checkpoint(one.meter, one.inst) ?? nothingThinned(one.meter, one.inst);
    oldestHour = earlier(oldestHour, await firstHour(store, one, point));
    oldestIncrement = earlier(oldestIncrement, await firstIncrement(store, one, point));
  }
  const { bytes = null, freeBytes = null } = room?.ok ? room.value : {};
  return { bytes, freeBytes, bytesOf, oldestHour, oldestIncrement };
}

function earlier(one: EpochMs | null, other: EpochMs | undefined): EpochMs | null {
  if (other === undefined) return one;
  return one === null ? other : Math.min(one, other);
}

/** What the disk bears in a day, over restarts as far as an hour was written since. */
export class WearMeter {
  #day = -1;
  #base = 0;
  #carried = 0;

  /** Bytes sent to the disk on the UTC day of `now`; `worn`: by this process since it began, `kept`: what was written down last. */
  today(now: EpochMs, worn: number | null, kept: Wear | null): Wear | null {
    if (worn === null) return null;
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) {
      // What a process did before its first look is of its first day.
      this.#base = this.#day === -1 ? 0 : worn;
      this.#carried = kept?.day === day ? kept.bytes : 0;
      this.#day = day;
    }
    return { day, bytes: this.#carried + worn - this.#base };
  }
}
