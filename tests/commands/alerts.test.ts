// Alert settings by command are told as kept only when they are on the medium, whatever else is written meanwhile.

import { expect, it } from 'vitest';
import { AlertRules } from '../../src/alerts/rules.ts';
import { PlaceWatches } from '../../src/alerts/watches.ts';
import { createAlertCommands } from '../../src/commands/alerts.ts';
import { Medium } from '../fakes/memory-store.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FINE, HOUR, openMetered, readHours, rulesOf, T0 } from '../journal/metered.ts';

it('alerts.set that a write of another loses is not told as done', async () => {
  const medium = new Medium();
  const journal = await openMetered(() => medium.open(), { 'SP-1': FINE });
  readHours(journal, 'SP-1', 0, 1);
  await journal.flush();
  const clock = new VirtualClock(T0 + HOUR);
  const profile = modbusProfile({ type: 'u32', order: 'ABCD' }, { dial: FINE });
  const target = { meter: 'SP-1', address: '1', profile, dial: FINE };
  const places = new Map([['SP-1', { target, rules: rulesOf(FINE) }]]);
  const watches = new PlaceWatches(journal, new AlertRules(journal), () => clock.now());
  const commands = createAlertCommands(journal, { clock, places, watches });
  // What is known of the place is being recalled, for which the journal is written.
  const recalling = watches.recall('SP-1', rulesOf(FINE));
  medium.failNext(1);
  const args = { meter: 'SP-1', no_use_days: 3 };
  const answer = await commands['alerts.set']?.(args);
  await recalling;
  await journal.flush();
  expect(answer).toMatchObject({ ok: false, code: 'internal' });
  expect(journal.wishes('SP-1')).toBeUndefined();
  expect(await commands['alerts.set']?.(args)).toMatchObject({ ok: true });
  expect(journal.wishes('SP-1')?.usage).toMatchObject({ noUseDays: 3 });
  await journal.close();
});
