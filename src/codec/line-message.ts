// What one frame of text says, before it is held against a meter's dial; shared by all line codecs.

import type { DeviceFlag } from '../domain/device-flag.ts';
import type { Result } from '../domain/fault.ts';
import { faulty } from '../domain/fault.ts';

/** Digits and identification as sent. `id` is null when none was sent or one of its characters was unreadable. */
export interface LineMessage {
  readonly digits: string;
  readonly id: string | null;
  /** The volume of one count that the frame itself states; absent where it states none. */
  readonly states?: StatedCount;
  readonly flags?: readonly DeviceFlag[];
  /** Something that is none of a message followed it: perhaps its last character, arrived wrong. */
  readonly filled?: true;
}

/** One count is 10^`pow10` `unit`. The unit may be one that no dial of ours has. */
export interface StatedCount {
  readonly unit: string;
  readonly pow10: number;
}

/** What a wheel between two digits may look like: `?` (Arad), `:` (Elster), `H` (Neptune); encoders 1.4. */
export const WHEELS = /^[0-9?:H]+$/;
export const DIGITS = /^[0-9]+$/;

/** The refusal of a reading of which a wheel stood between two digits. */
export function unreadable(digits: string): Result<never> {
  return faulty('frame.unreadable', `unreadable digit in ${digits}`);
}

/** An identification with an unreadable character identifies nobody. */
export function readableId(id: string | undefined): string | null {
  return id === undefined || id.includes('?') ? null : id;
}
