// What the watch over one place takes up in memory, counted over many places that have been read for some days.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Installation } from '../../src/domain/advance.ts';
import { newInstallation } from '../../src/domain/installation.ts';
import { beginWatched, see, type Watched, type WatchedRules } from '../../src/domain/watched.ts';
import { FINE } from './leak-run.ts';

const PLACES = 2_000;
const POLLS = 300;
const POLL_MS = 900_000;

const RULES: WatchedRules = {
  dial: FINE,
  pollMs: POLL_MS,
  makers: [],
  usage: {
    dial: FINE,
    pollMs: POLL_MS,
    zone: (at) => Math.floor(at / 86_400_000),
    daily: { amount: 100, unit: 'ft3' },
    service: 'active',
  },
};

/** Bytes a place. */
export function bytesOfAWatch(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const places: Watched[] = Array.from({ length: PLACES }, (_, i) => lived(i));
  const after = used();
  return places.length === 0 ? 0 : (after - before) / PLACES;
}

/** A place that draws a little by day. */
function lived(place: number): Watched {
  const watched = beginWatched(1);
  let past = readAt(place, 0, 0);
  for (let poll = 0; poll < POLLS; poll++) {
    const count = past.last === null ? 0 : past.last.read + ((poll * 7 + place) % 11 === 0 ? 3 : 0);
    const next = readAt(place, poll, count);
    see(watched, past, next, RULES);
    past = next;
  }
  return watched;
}

function readAt(place: number, poll: number, read: number): Installation {
  const at = place + poll * POLL_MS;
  const clock = { boot: 'b', at, mono: at, heldSince: null, waitedOut: false };
  const last = { seq: poll, at, read, total: read, clock };
  return { ...newInstallation(1), last, clock, steps: read };
}
