// A journal with water in it: meters that are read each quarter hour, one count a minute.

import type { Journal, Store } from '../../src/boundaries.ts';
import { advance, type MeterRules } from '../../src/domain/advance.ts';
import type { Row } from '../../src/domain/entry.ts';
import type { Result } from '../../src/domain/fault.ts';
import type { Moment } from '../../src/domain/moment.ts';
import type { Dial } from '../../src/domain/units.ts';
import { openJournal } from '../../src/journal/journal.ts';

export const T0 = Date.UTC(2026, 5, 1);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const FINE: Dial = { digits: 8, unit: 'ft3', pow10: -1 };
export const COARSE: Dial = { digits: 4, unit: 'ft3', pow10: 2 };

export const rulesOf = (dial: Dial): MeterRules => ({
  dial,
  maxFlowPerH: 2_000,
  jitter: 1,
  toleranceMs: 15_000,
  pollMs: 15 * MINUTE,
  stuckMs: 10 * 24 * HOUR,
});

let epochs = 0;

/** Opens the journal of COL-1 (or another) and declares its meters. Throws where it cannot be opened. */
export async function openMetered(
  openStore: () => Promise<Result<Store>>,
  meters: Readonly<Record<string, Dial>> = { 'SP-1': FINE },
  collector = 'COL-1',
): Promise<Journal> {
  const newEpoch = () => {
    epochs += 1;
    return `E${epochs}`;
  };
  const opened = await openJournal({ collector, openStore, newEpoch });
  if (!opened.ok) throw new Error(opened.fault.detail);
  for (const [meter, dial] of Object.entries(meters)) {
    opened.value.declare(meter, { dial, registerId: null }, rulesOf(dial));
  }
  return opened.value;
}

/** Takes in one reading at `minute` after T0, without flushing. */
export function read(journal: Journal, meter: string, minute: number, register: number): void {
  observe(journal, meter, minute, register);
}

export function silence(journal: Journal, meter: string, minute: number): void {
  observe(journal, meter, minute, null);
}

export function observe(
  journal: Journal,
  meter: string,
  minute: number,
  register: number | null,
  /** How far the monotonic clock is ahead, in milliseconds, and whether the wall clock is believed. */
  { aheadMs = 0, synced = true } = {},
): void {
  const at = T0 + minute * MINUTE;
  observeAt(journal, meter, { at, mono: at + aheadMs, boot: 'b', synced }, register);
}

/** The same at any moment of any clock. */
export function observeAt(
  journal: Journal,
  meter: string,
  moment: Moment,
  register: number | null,
): void {
  const state = journal.installation(meter);
  const dial = journal.facts(meter)?.dial;
  if (!state || !dial) return;
  const seen =
    register === null
      ? ({
          kind: 'silence',
          moment,
          why: 'bus',
          flags: [],
          fault: 'line.silent',
          stranger: null,
        } as const)
      : ({ kind: 'reading', moment, register, checked: true, identified: true } as const);
  journal.commit(meter, advance(state, seen, rulesOf(dial)));
}

/** Reads the meter each quarter hour of `[from, to]` hours after T0, one count a minute: an hour closes at each edge. */
export function readHours(journal: Journal, meter: string, from: number, to: number): void {
  for (let minute = from * 60; minute <= to * 60; minute += 15) {
    read(journal, meter, minute, minute);
  }
}

export async function all<T>(things: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const thing of things) list.push(thing);
  return list;
}

/** Everything that waits, as the forwarder finds it when nothing is in flight. */
export async function waiting(journal: Journal, meter = 'SP-1'): Promise<readonly Row[]> {
  journal.release(journal.takeFresh());
  return journal.backlog(meter, 1_000);
}
