// What technicians leave in the journal: kept over a restart and a scrub, gone when taken away, never guessed from damage.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import { Medium } from '../fakes/memory-store.ts';
import { openMetered, readHours, T0, waiting } from './metered.ts';

let medium: Medium;
let journal: Journal;

const again = async () => {
  await journal.close();
  journal = await openMetered(() => medium.open());
};

beforeEach(async () => {
  medium = new Medium();
  journal = await openMetered(() => medium.open());
  readHours(journal, 'SP-1', 0, 2);
  await journal.flush();
});

describe('papers', () => {
  it('are there before they are written and after a restart, in the order of their names', async () => {
    journal.keepPaper('session/C2', { n: 2 });
    journal.keepPaper('session/C1', { n: 1 });
    journal.keepPaper('report/R1', 'text');
    expect(await journal.papers('session')).toEqual([{ n: 1 }, { n: 2 }]);
    await journal.flush();
    await again();
    expect(await journal.papers('session')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await journal.paper('report/R1')).toBe('text');
    expect(await journal.paper('report/R2')).toBeUndefined();
  });

  it('are changed and taken away', async () => {
    journal.keepPaper('session/C1', { n: 1 });
    await journal.flush();
    journal.keepPaper('session/C1', { n: 9 });
    expect(await journal.paper('session/C1')).toEqual({ n: 9 });
    journal.keepPaper('session/C1', undefined);
    expect([await journal.paper('session/C1'), await journal.papers('session')]).toEqual([
      undefined,
      [],
    ]);
    await journal.flush();
    await again();
    expect(await journal.papers('session')).toEqual([]);
  });

  it('are no damage to who reads the whole journal, and go into its backup', async () => {
    journal.keepPaper('report/R1', 'text');
    await journal.flush();
    const examined = await journal.examine(async () => undefined);
    expect(examined).toMatchObject({ ok: true, value: { problems: [] } });
    expect(await journal.scrub(async () => undefined)).toMatchObject({ value: { damaged: 0 } });
    const keys: string[] = [];
    for await (const [key] of journal.records()) keys.push(key);
    expect(keys).toContain('a/paper/report/R1');
  });

  it('that are damaged are not there', async () => {
    journal.keepPaper('report/R1', 'text');
    await journal.flush();
    await journal.close();
    const opened = await medium.open();
    if (!opened.ok) throw new Error(opened.fault.detail);
    const found = await opened.value.get('a/paper/report/R1');
    if (!found.ok || found.value === undefined) throw new Error('nothing there');
    const value = found.value.replace('text', 'next');
    await opened.value.write([{ key: 'a/paper/report/R1', value }]);
    await opened.value.close();
    journal = await openMetered(() => medium.open());
    expect(await journal.paper('report/R1')).toBeUndefined();
    expect(await journal.papers('report')).toEqual([]);
  });
});

describe('a meter proved on site', () => {
  const proved = { at: T0, by: 'Ana', dial: 120, report: 'R1' };

  it('is known after a restart, and has its description told again', async () => {
    journal.takeDescribed();
    journal.noteProved('SP-1', proved);
    await journal.flush();
    expect(journal.takeDescribed()).toEqual(['SP-1']);
    await again();
    expect(journal.facts('SP-1')).toMatchObject({ proved });
  });

  it('is not the meter that stands there after a change-out', async () => {
    journal.noteProved('SP-1', proved);
    const rules = { maxFlowPerH: 2_000, jitter: 1, toleranceMs: 15_000, pollMs: 900_000 };
    const dial = { digits: 8, unit: 'ft3', pow10: -1 } as const;
    journal.changeOut(
      'SP-1',
      { dial, registerId: null, bodySerial: null, told: {} },
      { ...rules, dial, stuckMs: 8.64e8 },
    );
    await journal.flush();
    expect(journal.facts('SP-1')).toMatchObject({ inst: 2 });
    expect(journal.facts('SP-1')?.proved).toBeUndefined();
    expect(journal.factsOf('SP-1', 1)?.proved).toEqual(proved);
  });
});

describe('rows', () => {
  it('wait until they are settled, before and after they are on the medium', async () => {
    journal.note({ code: 'command.executed', severity: 'info', data: {} });
    const row = journal.lastRow();
    expect(await journal.isPending('', row)).toBe(true);
    await journal.flush();
    expect(await journal.isPending('', row)).toBe(true);
    journal.release(journal.takeFresh());
    journal.settle(await journal.backlog('', 10));
    expect(await journal.isPending('', row)).toBe(false);
    await journal.flush();
    expect(await journal.isPending('', row)).toBe(false);
  });

  it('that somebody had claimed who is gone are found again, news once', async () => {
    const [first] = await waiting(journal);
    if (!first) throw new Error('nothing waits');
    journal.claim([first]);
    expect((await journal.backlog('SP-1', 10)).map(({ row }) => row)).not.toContain(first.row);
    readHours(journal, 'SP-1', 2, 3);
    await journal.flush();
    journal.letGo();
    const rows = (await journal.backlog('SP-1', 10)).map(({ row }) => row);
    expect(rows).toContain(first.row);
    const fresh = journal.takeFresh().map(({ row }) => row);
    expect(fresh.length).toBeGreaterThan(0);
    expect(rows.filter((row) => fresh.includes(row))).toEqual([]);
  });
});
