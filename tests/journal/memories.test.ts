// Detectors remember rarely and cheaply, and are brought up to date from the increments that came since.

import { expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { Medium } from '../fakes/memory-store.ts';
import { FINE, HOUR, read, rulesOf, T0 } from './metered.ts';

let now = T0;

async function open(medium: Medium): Promise<Journal> {
  const how = { openStore: () => medium.open(), newEpoch: () => 'E', now: () => now };
  const opened = await openJournal({ collector: 'COL-1', ...how });
  if (!opened.ok) throw new Error(opened.fault.detail);
  opened.value.declare('SP-1', { dial: FINE, registerId: null }, rulesOf(FINE));
  return opened.value;
}

it('what was remembered comes back with every increment since, after a stop and after a power cut', async () => {
  const medium = new Medium();
  let journal = await open(medium);
  for (const minute of [0, 15, 30]) read(journal, 'SP-1', minute, minute);
  expect(journal.remember('SP-1', { quiet: 7 })).toBe(true);
  for (const minute of [45, 60, 75]) read(journal, 'SP-1', minute, minute);
  await journal.flush();
  medium.crash();
  journal = await open(medium);
  const memory = await journal.remembered('SP-1');
  expect(memory?.known).toEqual({ quiet: 7 });
  expect(memory?.since.map(({ counts, toRead }) => [counts, toRead])).toEqual([
    [15, 45],
    [15, 60],
    [15, 75],
  ]);
  await journal.close();
});

it('a meter has one kilobyte an hour on average, saved up for a day', async () => {
  const journal = await open(new Medium());
  read(journal, 'SP-1', 0, 0);
  const kilobyte = 'x'.repeat(900);
  expect(journal.remember('SP-1', kilobyte)).toBe(true);
  expect(journal.remember('SP-1', kilobyte)).toBe(false);
  now += HOUR;
  expect(journal.remember('SP-1', kilobyte)).toBe(true);
  now += 1_000 * HOUR;
  expect(journal.remember('SP-1', 'x'.repeat(24 * 1024))).toBe(false);
  expect(journal.remember('SP-1', 'x'.repeat(23 * 1024))).toBe(true);
  expect(journal.remember('SP-1', kilobyte + kilobyte)).toBe(false);
});

it('is not handed out where increments since are missing, nor to another installation', async () => {
  const journal = await open(new Medium());
  for (const minute of [0, 15, 30]) read(journal, 'SP-1', minute, minute);
  now += 24 * HOUR;
  journal.remember('SP-1', 'known');
  for (const minute of [45, 60]) read(journal, 'SP-1', minute, minute);
  await journal.flush();
  expect(await journal.remembered('SP-1')).toBeDefined();
  const limits = { incrementDays: 0, hourDays: 400, eventDays: 400 };
  await journal.thin({ ...limits, maxBytes: 1e9, minFreeBytes: 0 }, () => Promise.resolve());
  expect(await journal.remembered('SP-1')).toBeUndefined();
  const next = { dial: FINE, registerId: null, bodySerial: null, told: {} };
  journal.changeOut('SP-1', next, rulesOf(FINE));
  expect(await journal.remembered('SP-1')).toBeUndefined();
});
