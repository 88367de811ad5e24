// What a technician is told: hours as published, and an audit that finds what was planted and says where.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import {
  decodeIncrement,
  decodeRow,
  encodeIncrement,
  encodeRow,
  keys,
} from '../../src/codec/journal-record.ts';
import { createCommands } from '../../src/commands/commands.ts';
import type { EntryRow, GapEntry } from '../../src/domain/entry.ts';
import { Medium } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { COARSE, FINE, HOUR, openMetered, read, readHours, T0 } from '../journal/metered.ts';

describe('commands', () => {
  let medium: Medium;
  let journal: Journal;
  const run = (name: string, args = {}) =>
    createCommands(
      journal,
      { status: async () => ({ up: true }) },
      { clock: new VirtualClock(T0), places: new Map() },
    ).run(name, args);
  const told = async (name: string, args = {}) => {
    const answer = await run(name, args);
    if (!answer.ok) throw new Error(answer.code);
    return answer.data as { ok: boolean; meters: object[]; intervals: object[]; gaps: object[] };
  };
  /** Changes what lies on the medium behind the journal's back; undefined deletes. */
  const plant = async (key: string, edit: (text: string) => string | undefined) => {
    await journal.close();
    const opened = await medium.open();
    if (!opened.ok) throw new Error(opened.fault.detail);
    const found = [...medium.dump()].find(([one]) => one === key)?.[1];
    if (found === undefined) throw new Error(`nothing in ${key}`);
    const value = edit(found);
    await opened.value.write([value === undefined ? { key } : { key, value }]);
    await opened.value.close();
    journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': FINE });
  };
  const hourKey = (hour: number) =>
    [...medium.dump()].map(([key]) => key).filter((key) => key.startsWith('h/SP-1/'))[hour] ?? '';
  beforeEach(async () => {
    medium = new Medium();
    journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': FINE });
    for (const meter of ['SP-1', 'SP-2']) readHours(journal, meter, 0, 6);
    await journal.flush();
  });

  it('intervals are those that begin in the time asked for', async () => {
    const { intervals } = await told('intervals', {
      meter: 'SP-1',
      from: '2026-06-01T02:00:00Z',
      to: '2026-06-01T04:00:00Z',
    });
    expect(intervals).toMatchObject([
      { inst: 1, start: '2026-06-01T02:00:00Z', use: 60 },
      { inst: 1, start: '2026-06-01T03:00:00Z', use: 60 },
    ]);
  });

  it('of an hour or a gap that was restated only the newest revision is told, wherever it lies', async () => {
    const state = journal.installation('SP-1');
    if (!state) throw new Error('no state');
    const hour = decodeRow(
      hourKey(1),
      [...medium.dump()].find(([k]) => k === hourKey(1))?.[1] ?? '',
    );
    const gap: GapEntry = {
      ...{ kind: 'gap', inst: 1, from: T0 + HOUR, to: T0 + 4.5 * HOUR, use: 9 },
      ...{ why: 'bus', flags: [], rev: 0 },
    };
    const shorter = { ...gap, to: T0 + 1.5 * HOUR, rev: 1 };
    const entries = [{ ...(hour as EntryRow), use: 61, rev: 1 }, gap, shorter];
    journal.commit('SP-1', { state, increments: [], events: [], notices: [], entries });
    await journal.flush();
    const whole = await told('intervals', { meter: 'SP-1' });
    expect(whole.intervals).toHaveLength(6);
    expect(whole.intervals).toContainEqual(expect.objectContaining({ use: 61, rev: 1 }));
    expect(whole.gaps).toMatchObject([{ to: '2026-06-01T01:30:00Z', rev: 1 }]);
    const late = await told('intervals', { meter: 'SP-1', from: '2026-06-01T03:00:00Z' });
    expect(late.gaps).toEqual([]);
  });

  it('each refusal has the contract’s code: unknown meter, unknown command, bad time', async () => {
    expect(await run('intervals', { meter: 'SP-9' })).toMatchObject({ code: 'unknown_meter' });
    expect(await run('intervals')).toMatchObject({ code: 'unknown_meter' });
    expect(await run('toString')).toMatchObject({ code: 'unknown_command' });
    const bad = { meter: 'SP-1', from: 'yesterday' };
    expect(await run('intervals', bad)).toMatchObject({ code: 'bad_request' });
  });

  it('of a meter that a journal which is not open cannot find nobody says that there is none', async () => {
    read(journal, 'SP-1', 375, 375);
    medium.failNext(1, 'lost');
    await journal.flush();
    expect(journal.isSound()).toBe(false);
    expect(await run('intervals', { meter: 'SP-9' })).toMatchObject({ code: 'internal' });
    await journal.flush();
    expect(await run('intervals', { meter: 'SP-9' })).toMatchObject({ code: 'unknown_meter' });
  });

  it('the audit of a sound journal is good, also while readings wait for their group', async () => {
    expect(await told('audit')).toMatchObject({
      ok: true,
      rows: 12,
      pending: 12,
      meters: [
        { meter: 'SP-1', inst: 1, hours: 6, gaps: 0, sum: 360, total: 360, increments: 360 },
        { meter: 'SP-2' },
      ],
    });
    read(journal, 'SP-1', 375, 375);
    expect(await told('audit')).toMatchObject({ ok: true });
  });

  it('the audit is good of a meter that is read while it is audited', async () => {
    const { incrementsOf } = journal;
    let reads = 0;
    journal.incrementsOf = (meter) => {
      if (meter === 'SP-1' && reads < 2) {
        reads += 1;
        read(journal, 'SP-1', 360 + 15 * reads, 360 + 15 * reads);
      }
      return incrementsOf.call(journal, meter);
    };
    expect(await told('audit')).toMatchObject({ ok: true });
    expect(reads).toBe(2);
  });

  it('the audit finds one count too many in one hour, and names the hour', async () => {
    await plant(hourKey(2), (text) => {
      const row = decodeRow(hourKey(2), text) as EntryRow & { use: number };
      return encodeRow({ ...row, use: row.use + 1 });
    });
    const { ok, meters } = await told('audit');
    expect(ok).toBe(false);
    expect(meters).toMatchObject([
      { meter: 'SP-1', ok: false, problem: expect.stringContaining('2026-06-01T02:00:00Z') },
      { meter: 'SP-2', ok: true, problem: null },
    ]);
  });

  it.each([
    ['in the middle', 5],
    ['at the end', 24],
  ])('the audit finds an increment that is missing %s', async (_, seq) => {
    await plant(keys.increment('SP-1', 1, seq), () => undefined);
    const { ok, meters } = await told('audit');
    expect(ok).toBe(false);
    expect(meters).toMatchObject([{ ok: false, problem: expect.any(String) }, { ok: true }]);
  });

  it('the audit finds a changed increment', async () => {
    const key = keys.increment('SP-1', 1, 5);
    await plant(key, (text) => {
      const step = decodeIncrement(key, text, FINE);
      if (!step) throw new Error('no increment');
      return encodeIncrement('SP-1', { ...step, counts: step.counts + 1 });
    });
    expect(await told('audit')).toMatchObject({ ok: false, meters: [{ ok: false }, { ok: true }] });
  });

  it('the audit finds that the last increment of an installation that ended is missing', async () => {
    journal = await (async () => {
      await journal.close();
      return openMetered(() => medium.open(), { 'SP-1': COARSE, 'SP-2': FINE });
    })();
    await journal.flush();
    expect(await told('audit')).toMatchObject({ ok: true });
    const store = journal.incrementsOf;
    journal.incrementsOf = async function* (meter) {
      for await (const step of store.call(journal, meter)) {
        if (meter !== 'SP-1' || step.seq !== 24) yield step;
      }
    };
    expect(await told('audit')).toMatchObject({ ok: false });
  });

  it('the audit names a damaged entry and goes on with the other meters', async () => {
    const key = hourKey(3);
    await plant(key, (text) => `${text.slice(0, -1)}}`);
    const { ok, meters } = await told('audit');
    expect(ok).toBe(false);
    expect(meters).toMatchObject([
      { meter: 'SP-1', ok: false, problem: expect.stringContaining(key) },
      { meter: 'SP-2', ok: true },
    ]);
    expect(await run('intervals', { meter: 'SP-1' })).toMatchObject({ code: 'internal' });
  });
});
