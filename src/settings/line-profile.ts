// The keys of a device file that only lines have, as a LineProfile.

import type { Framing, LineFrame, LineProfile, ProfileBase } from '../domain/profile.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The forms whose check sum is known well enough to refuse a frame on it: none (encoders 2.1, 2.2). */
const CHECKED: Readonly<Record<LineFrame, boolean>> = {
  ui1203: false,
  'neptune-arb': false,
  'elster-k': false,
  'ethermeter-ascii': false,
};

/** A profile from data that has passed its schema. */
export function toLineProfile(data: Fields, base: Omit<ProfileBase, 'checked'>): LineProfile {
  const raw = data as unknown as {
    request?: string;
    framing: { type: Framing['kind']; delimiter?: string; start?: string; length?: number };
    frame: LineFrame;
    channel?: number;
    speaks_every_s?: number;
  };
  const { type: kind, ...rest } = raw.framing;
  return {
    ...base,
    transport: 'line',
    ...(raw.request === undefined ? {} : { request: raw.request }),
    framing: { kind, ...rest } as Framing,
    frame: raw.frame,
    ...(raw.channel === undefined ? {} : { channel: raw.channel }),
    ...(raw.speaks_every_s === undefined ? {} : { speaksEveryS: raw.speaks_every_s }),
    checked: CHECKED[raw.frame],
  };
}
