// Detectors remember rarely and cheaply, and are brought up to date from the increments that came since.

import { expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { Medium } from '../fakes/memory-store.ts';
import { all, FINE, HOUR, read, rulesOf, T0 } from './metered.ts';

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
  const since = await all(journal.incrementsFrom('SP-1', memory?.inst ?? 0, memory?.seq ?? 0));
  expect(since.map(({ counts, toRead }) => [counts, toRead])).toEqual([
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

it('what must be written is written, and owed', async () => {
  const journal = await open(new Medium());
  read(journal, 'SP-1', 0, 0);
  expect(journal.remember('SP-1', 'x'.repeat(6_000), true)).toBe(true);
  now += 5 * HOUR;
  expect(journal.remember('SP-1', 'x'.repeat(900))).toBe(false);
  now += 2 * HOUR;
  expect(journal.remember('SP-1', 'x'.repeat(900))).toBe(true);
});

it('a quiet reading that is remembered is written with its state: no memory is newer than its dial', async () => {
  const medium = new Medium();
  let journal = await open(medium);
  for (const minute of [0, 15, 30]) read(journal, 'SP-1', minute, 7);
  await journal.flush();
  read(journal, 'SP-1', 45, 7);
  now += 24 * HOUR;
  expect(journal.remember('SP-1', 'known')).toBe(true);
  await journal.flush();
  medium.crash();
  journal = await open(medium);
  expect(journal.installation('SP-1')?.last?.at).toBe(T0 + 45 * 60_000);
  await journal.close();
});

it('goes with the increments that are left, and over a change-out', async () => {
  const journal = await open(new Medium());
  for (const minute of [0, 15, 30]) read(journal, 'SP-1', minute, minute);
  now += 24 * HOUR;
  journal.remember('SP-1', 'known');
  for (const minute of [45, 60]) read(journal, 'SP-1', minute, minute);
  const next = { dial: FINE, registerId: null, bodySerial: null, told: {} };
  journal.changeOut('SP-1', next, rulesOf(FINE));
  for (const minute of [75, 90]) read(journal, 'SP-1', minute, minute);
  await journal.flush();
  expect(await journal.remembered('SP-1')).toEqual({ inst: 1, seq: 3, known: 'known' });
  const since = await all(journal.incrementsFrom('SP-1', 1, 3));
  expect(since.map(({ inst, seq, kind }) => [inst, seq, kind])).toEqual([
    [1, 3, 'forward'],
    [1, 4, 'forward'],
    [2, 0, 'first'],
    [2, 1, 'forward'],
  ]);
});
