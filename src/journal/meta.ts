// The name of a journal: its epoch, whose it is, and how it came to be.

import { keys, seal, unseal } from '../codec/journal-record.ts';
import type { EpochMs } from '../domain/units.ts';

/** What names a journal. */
export interface Meta {
  readonly epoch: string;
  readonly collector: string;
  /** The version from which it is being brought up to date. */
  readonly from?: number;
  /** It was restored from a backup and has not been opened since. */
  readonly restored?: boolean;
  /** What that backup knew. */
  readonly backup?: BackupKnown;
}

/** Up to where a backup knows what was told: the highest row of its epoch, and when it was made. */
export interface BackupKnown {
  readonly epoch: string;
  readonly rows: number;
  readonly at: EpochMs;
}

export const encodeMeta = (meta: Meta): string => seal(keys.meta, meta);

export const decodeMeta = (text: string | undefined): Meta | undefined =>
  unseal(keys.meta, text ?? '') as Meta | undefined;
