// A wall clock that went back after the mark was left: the open hour is an earlier one, and nothing is missing.

import { expect, it } from 'vitest';
import { advance, futureHours } from '../../src/domain/advance.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { Medium } from '../fakes/memory-store.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { all, FINE, HOUR, rulesOf, T0 } from './metered.ts';

const RULES = rulesOf(FINE);
const DAY = 24 * HOUR;

async function open(medium: Medium, vault: MemoryVault) {
  const newEpoch = () => 'E1';
  const how = { collector: 'COL-1', vault, openStore: () => medium.open(), newEpoch };
  const opened = await openJournal(how);
  if (!opened.ok) throw new Error(opened.fault.detail);
  opened.value.declare('SP-1', { dial: FINE, registerId: null }, RULES);
  return opened.value;
}

it('is no loss, also where an earlier step had closed hours weeks ahead', async () => {
  const medium = new Medium();
  const vault = new MemoryVault(medium);
  const journal = await open(medium, vault);
  let read = 0;
  const pass = async (from: number, hours: number, ahead: number) => {
    for (let mono = from * HOUR; mono < (from + hours) * HOUR; mono += HOUR / 4) {
      const moment = { at: T0 + mono + ahead, mono, boot: 'b', synced: true };
      const state = journal.installation('SP-1');
      if (!state) throw new Error('the journal is not sound');
      read += 5;
      const seen = { kind: 'reading', moment, register: read, checked: true } as const;
      const since = futureHours(state, moment, RULES, 0);
      const entries = since === null ? [] : await journal.publishedFrom('SP-1', since);
      journal.commit(
        'SP-1',
        advance(state, { ...seen, identified: true }, RULES, { entries, held: 0 }),
      );
    }
    await journal.flush();
  };
  await pass(0, 3, 0);
  await pass(3, 3, 30 * DAY);
  await pass(6, 3, 0);
  await pass(9, 3, 5 * HOUR);
  await journal.mark();
  await pass(12, 2, 0);
  medium.crash();
  const again = await open(medium, vault);
  await again.flush();
  const events = await all(again.eventsOf(''));
  expect(events.map(({ code }) => code)).toEqual([]);
  expect(again.epoch).toBe('E1');
});
