// Every fault of the hostile world, one table.

import type { FaultKind } from './fault-kind.ts';
import { BUS_FAULTS } from './faults-bus.ts';
import { SETTINGS_FAULTS } from './faults-settings.ts';
import { STORAGE_FAULTS } from './faults-storage.ts';
import { TIME_FAULTS } from './faults-time.ts';
import { UPSTREAM_FAULTS } from './faults-upstream.ts';

export const FAULT_KINDS: readonly FaultKind[] = [
  ...STORAGE_FAULTS,
  ...TIME_FAULTS,
  ...UPSTREAM_FAULTS,
  ...BUS_FAULTS,
  ...SETTINGS_FAULTS,
];

/** The clock is wrong at times under these: what is compared by time is compared otherwise. One that is only not synchronised is right. */
export const CLOCK_FAULTS: ReadonlySet<string> = new Set(
  TIME_FAULTS.map(({ id }) => id).filter((id) => id !== 'F13u'),
);

/** Rollover is no strike: dials that begin near their end pass it. F35 counts each refusal. */
export const COUNTED_OTHERWISE = ['F38', 'F35'];
