// A journal of an earlier version is brought up to date in place, one of a later version is left alone.

import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/codec/crc32.ts';
import { keys, seal, unseal } from '../../src/codec/journal-record.ts';
import { fiveLetters } from '../../src/codec/short-numbers.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { Medium } from '../fakes/memory-store.ts';
import { all, COARSE, FINE, openMetered, read, readHours, waiting } from './metered.ts';
import { asVersion1, sealV1 } from './version-1.ts';

/** What two meters leave in two days: hours sent and not sent, a change of dial, increments, an open hour, an event of the collector. */
async function lived(): Promise<Medium> {
  const medium = new Medium();
  let journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': COARSE });
  readHours(journal, 'SP-1', 0, 48);
  readHours(journal, 'SP-2', 0, 48);
  journal.note({ code: 'login.failed', severity: 'info', data: { by: 'ana' } });
  await journal.flush();
  journal.settle((await waiting(journal)).slice(0, 40));
  await journal.close();
  journal = await openMetered(() => medium.open(), { 'SP-1': COARSE, 'SP-2': COARSE });
  for (let minute = 2_890; minute < 3_000; minute += 7) read(journal, 'SP-1', minute, minute);
  await journal.close();
  return medium;
}

async function filled(records: Iterable<readonly [key: string, text: string]>): Promise<Medium> {
  const medium = new Medium();
  const store = await medium.open();
  if (!store.ok) throw new Error(store.fault.detail);
  await store.value.write([...records].map(([key, value]) => ({ key, value })));
  await store.value.close();
  return medium;
}

const opening = (medium: Medium) =>
  openJournal({ collector: 'COL-1', openStore: () => medium.open(), newEpoch: () => 'NEW' });

/** Without the row that every opening may tell something in. */
const told = (medium: Medium) => new Map(medium.dump());

describe('a journal of version 1', () => {
  it('becomes one of today that says the same, record for record', async () => {
    const today = await lived();
    const old = await filled(asVersion1(today.dump()));
    expect([...told(old).values()].every((text) => !text.startsWith('2'))).toBe(true);
    const opened = await opening(old);
    if (!opened.ok) throw new Error(opened.fault.detail);
    expect(opened.value.epoch).not.toBe('NEW');
    expect(opened.value.metersPending()).toEqual(['', 'SP-1', 'SP-2']);
    await opened.value.close();
    expect(told(old)).toEqual(told(today));
  });

  it('is gone on from wherever a power cut ended the change, and no record is renewed twice or left', async () => {
    const today = await lived();
    const records = asVersion1(today.dump());
    for (const outcome of ['applied', 'lost'] as const) {
      for (let cut = 1; ; cut += 1) {
        const medium = await filled(records);
        const before = medium.writes;
        const failing = cutAt(medium, cut, outcome);
        const first = await openJournal({ ...failing, collector: 'COL-1', newEpoch: () => 'NEW' });
        medium.crash();
        if (first.ok && medium.writes - before < cut) break;
        const again = await opening(medium);
        if (!again.ok) throw new Error(again.fault.detail);
        await again.value.close();
        expect(told(medium)).toEqual(told(today));
      }
    }
  });

  it('with a damaged name or a damaged record is changed all the same; what is damaged never becomes a number', async () => {
    const today = await lived();
    const records = new Map(asVersion1(today.dump()));
    records.set(keys.meta, (records.get(keys.meta) ?? '').replace('COL-1', 'COL-7'));
    const damaged = keys.increment('SP-2', 1, 3);
    records.set(damaged, (records.get(damaged) ?? '').replace(/,(\d)/, ',9$1'));
    const medium = await filled(records);
    const opened = await opening(medium);
    if (!opened.ok) throw new Error(opened.fault.detail);
    expect((await all(opened.value.rowsOf('SP-2'))).length).toBe(48);
    await expect(all(opened.value.incrementsOf('SP-2'))).rejects.toThrow(damaged);
    await opened.value.close();
  });

  it('another collector does not take it over', async () => {
    const old = await filled(asVersion1((await lived()).dump()));
    const how = { openStore: () => old.open(), newEpoch: () => 'NEW' };
    const other = await openJournal({ ...how, collector: 'COL-2' });
    expect(other).toMatchObject({ ok: false, fault: { code: 'store.failed' } });
    expect((await opening(old)).ok).toBe(true);
  });
});

describe('a journal of version 3', () => {
  const version3 = (key: string, content: unknown) => {
    const json = JSON.stringify(content);
    return `3${fiveLetters(crc32(json, crc32(key, crc32('3'))))}${json}`;
  };

  it('is refused as newer, and not a letter of it is changed', async () => {
    const medium = await filled([
      [keys.meta, version3(keys.meta, { epoch: 'E9', collector: 'COL-1' })],
      ['s/SP-1', 'something of tomorrow'],
    ]);
    const before = [...medium.dump()];
    expect(await opening(medium)).toMatchObject({ ok: false, fault: { code: 'store.newer' } });
    expect([...medium.dump()]).toEqual(before);
  });

  it('is not what a bit flip in the version of a record makes: the version is under the check sum', () => {
    const text = seal(keys.meta, { epoch: 'E1', collector: 'COL-1' });
    expect(unseal(keys.meta, text)).toBeDefined();
    expect(unseal(keys.meta, `3${text.slice(1)}`)).toBeUndefined();
    expect(unseal(keys.meta, sealV1(keys.meta, {}))).toBeUndefined();
  });
});

/** Opens the medium so that its n-th write is the last thing that happens, done or not. */
function cutAt(medium: Medium, cut: number, outcome: 'applied' | 'lost') {
  const openStore: Parameters<typeof openJournal>[0]['openStore'] = async () => {
    const opened = await medium.open();
    if (!opened.ok) return opened;
    let writes = 0;
    const write: typeof opened.value.write = (changes) => {
      writes += 1;
      if (writes === cut) medium.failNext(1, outcome);
      return opened.value.write(changes);
    };
    return { ok: true, value: { ...opened.value, write } };
  };
  return { openStore };
}
