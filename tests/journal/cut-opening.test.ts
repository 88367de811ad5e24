// An opening that mended the store and was cut off before it could say so: the next one says it, once.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLevelVault } from '../../src/adapters/level-vault.ts';
import type { Journal } from '../../src/boundaries.ts';
import { createJournal } from '../../src/journal/journal.ts';
import { all, FINE, HOUR, readHours, rulesOf, T0 } from './metered.ts';

let folder: string;
let journal: Journal | undefined;
let epochs = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cut-'));
});
afterEach(async () => {
  await journal?.close();
  await rm(folder, { recursive: true });
});

const vaultHere = () => createLevelVault({ folder: join(folder, 'journal'), ballastBytes: 0 });

async function open(): Promise<Journal> {
  await journal?.close();
  const vault = vaultHere();
  const newEpoch = () => {
    epochs += 1;
    return `E${epochs}`;
  };
  const how = { openStore: () => vault.open(), vault, newEpoch, now: () => T0 + 40 * HOUR };
  journal = createJournal({ collector: 'COL-1', ...how });
  journal.declare('SP-1', { dial: FINE, registerId: null }, rulesOf(FINE));
  const opened = await journal.flush();
  if (!opened.ok) throw new Error(opened.fault.detail);
  return journal;
}

it('A1: rows that it may have lost are numbered anew under another epoch, and it is told what was repaired', async () => {
  const one = await open();
  readHours(one, 'SP-1', 0, 30);
  await one.flush();
  const { epoch } = one;
  const before = (await open()).epoch;
  expect(before).toBe(epoch);
  await journal?.close();
  journal = undefined;
  // As if it had been cut: no mark says that all was told by then.
  await rm(join(folder, 'journal', 'mark'));
  const store = join(folder, 'journal', 'store');
  const table = (await readdir(store)).find((name) => name.endsWith('.ldb')) ?? '';
  const bytes = await readFile(join(store, table));
  bytes[100] = (bytes[100] ?? 0) ^ 4;
  await writeFile(join(store, table), bytes);
  // It is killed when its store is mended and open, and nothing is written to it yet.
  const cut = await vaultHere().open();
  if (!cut.ok) throw new Error(cut.fault.detail);
  await cut.value.close();
  const next = await open();
  await next.flush();
  expect(next.epoch).not.toBe(epoch);
  const repaired = async (of: Journal) =>
    (await all(of.eventsOf(''))).filter(({ code }) => code === 'journal.repaired').length;
  const told = await repaired(next);
  expect(told).toBeGreaterThan(0);
  const { epoch: renewed } = next;
  const last = await open();
  await last.flush();
  expect([last.epoch, await repaired(last)]).toEqual([renewed, told]);
});
