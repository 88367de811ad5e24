// Whatever befalls a journal, one thing after another: what it tells sums to what the dial moved, here and at the head-end.

import { describe, expect, it } from 'vitest';
import { Ledger } from '../../simulator/ledger.ts';
import { eventPayload } from '../../src/codec/head-end-message.ts';
import type { Installation } from '../../src/domain/advance.ts';
import { conserve } from '../../src/domain/conservation.ts';
import { liveFromOldBackups, liveInAnyOrder } from './any-order.ts';
import { DAY, Life } from './life.ts';
import { all, FINE, HOUR } from './metered.ts';

describe('a journal that is restored, or whose state was lost', () => {
  it('goes on where the last hour with a total ended, also when the clock was ten years ahead since then', async () => {
    const life = await Life.begin();
    await life.read(30, 3);
    Object.assign(life, { synced: null, ahead: 3_650 * DAY });
    await life.read(2, 3);
    Object.assign(life, { synced: true, ahead: 0 });
    await life.read(6, 3);
    expect(await life.problems()).toEqual([]);
    await life.restore(await life.backup());
    expect(await life.problems()).toEqual([]);
    await life.read(5, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('tells no water again of a meter that was silent until all hours with a total were thinned', async () => {
    const life = await Life.begin();
    await life.read(48, 3);
    await life.deliver();
    await life.silent(5 * 24, 1);
    await life.deliver();
    await life.thin({ hourDays: 3 });
    expect(await life.problems()).toEqual([]);
    await life.restore(await life.backup());
    await life.read(5, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('tells no hour again that was thinned', async () => {
    const life = await Life.begin();
    await life.read(48, 3);
    await life.deliver();
    await life.thin({ hourDays: 0 });
    await life.restore(await life.backup());
    await life.read(5, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('tells no water again of a meter that was silent for longer than hours are kept', async () => {
    const life = await Life.begin();
    await life.read(48, 3);
    life.pass(410 * DAY, 0);
    await life.silent(1, 1);
    await life.deliver();
    await life.loseState();
    await life.read(5, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('numbers the increments of a meter that rested until all of them were thinned on from those', async () => {
    const life = await Life.begin();
    await life.read(48, 3);
    await life.read(5 * 24, 0);
    await life.deliver();
    await life.thin({ incrementDays: 3 });
    await life.restore(await life.backup());
    await life.read(5, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('begins its gap at no instant at which one begins that was told', async () => {
    const life = await Life.begin();
    life.ahead = 3 * HOUR;
    await life.read(11.75, 3);
    // Right again: what passed meanwhile is a gap of no length.
    life.ahead = 0;
    await life.restart('stop', 10_000);
    await life.restart('cut', 3 * HOUR);
    await life.deliver();
    const gaps = (await all(life.journal.rowsOf('SP-1'))).filter((row) => row.kind === 'gap');
    expect(gaps.some(({ from, to, use }) => from === to && use !== null)).toBe(true);
    await life.loseState();
    await life.read(1.5, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('goes on from the newest increment, also where a clock that went back gave it the instant of the last hour', async () => {
    const life = await Life.begin();
    await life.read(4.25, 3);
    life.ahead = -15 * 60_000;
    await life.read(0.25, 3);
    await life.restore(await life.backup());
    expect(await life.problems()).toEqual([]);
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('goes on from a first reading that was thinned before any hour had begun', async () => {
    const life = await Life.begin();
    life.synced = false;
    await life.read(0.25, 3);
    await life.thin({ incrementDays: 0 });
    life.synced = true;
    await life.loseState();
    expect(await life.problems()).toEqual([]);
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('goes on where the dial stands that went back from what was told, all of its increments thinned', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    await life.read(0.25, 2);
    life.dial -= 4;
    await life.read(0.5, 0);
    await life.deliver();
    await life.thin({ hourDays: 0, incrementDays: 0 });
    await life.restore(await life.backup());
    expect(await life.problems()).toEqual([]);
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('goes on from where a dial ran back to, also where all increments of that were thinned', async () => {
    const life = await Life.begin();
    await life.read(3.25, 3);
    life.dial -= 9;
    await life.read(0.5, 0);
    await life.deliver();
    await life.thin({ incrementDays: 0 });
    await life.restore(await life.backup());
    expect(await life.problems()).toEqual([]);
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('is proved while what it tells again is open, too: water that its gap has lost is missed at once', async () => {
    const life = await Life.begin();
    await life.read(30, 3);
    await life.deliver();
    await life.restore(await life.backup());
    expect(await life.problems()).toEqual([]);
    const state = life.journal.installation('SP-1') as Installation;
    const { hours } = state;
    if (!hours?.gap) throw new Error('no gap is open');
    expect(hours.gap.rev).toBeGreaterThan(0);
    // Five counts that no hour and no gap will ever tell.
    const { from } = hours.gap;
    const gap = { ...hours.gap, from: { ...from, total: from.total + 5 } };
    const nothing = { increments: [], entries: [], events: [], notices: [] };
    life.journal.commit('SP-1', { state: { ...state, hours: { ...hours, gap } }, ...nothing });
    expect(await life.problems(false)).toEqual([expect.stringMatching(/^published \d+, closed/)]);
  });

  it.each([2, 100, 401, 3_650])(
    'tells its hours from when a clock that was %i days ahead, while room was short, is right again',
    async (days) => {
      const life = await Life.begin();
      life.medium.room = { bytes: 100, freeBytes: 1_000, totalBytes: 2_000 };
      await life.restart('stop', 1_000);
      const short = { maxBytes: 50 };
      await life.read(48, 3);
      await life.thin(short, HOUR);
      Object.assign(life, { synced: null, ahead: days * DAY });
      for (let hour = 0; hour < 20; hour += 1) {
        await life.read(1, 3);
        await life.deliver();
        await life.thin(short, HOUR);
      }
      Object.assign(life, { synced: true, ahead: 0 });
      await life.read(6, 3);
      expect(await life.problems()).toEqual([]);
      expect(life.journal.installation('SP-1')?.hours?.start).toBe(life.now - HOUR - 1_000);
      await life.thin(short, 6 * HOUR);
      await life.read(2, 3);
      expect(await life.problems()).toEqual([]);
    },
  );

  it('lets what a clock calls old that may be ahead go before the disk is full, and not before', async () => {
    for (const freeBytes of [1_000, 10]) {
      const life = await Life.begin();
      life.medium.room = { bytes: 1_000, freeBytes, totalBytes: 2_000 };
      await life.restart('stop', 1_000);
      await life.read(48, 3);
      await life.deliver();
      await life.thin({}, HOUR);
      // Off for a month, as it seems.
      await life.restart('stop', 30 * DAY);
      await life.read(30, 3);
      await life.deliver();
      await life.thin({ maxBytes: 500, minFreeBytes: 100 }, 30 * HOUR);
      const isGone = life.journal.heldFrom('SP-1') > life.now - 2 * DAY;
      expect(isGone, `${freeBytes} free`).toBe(freeBytes < 25);
      expect(await life.problems()).toEqual([]);
    }
  });

  it('tells up to which row its backup knows, so that a head-end can leave out the gaps told after it', async () => {
    const life = await Life.begin();
    await life.read(30, 3);
    await life.deliver();
    const backup = await life.backup();
    const { epoch } = life.journal;
    const known = life.journal.lastRow();
    await life.read(3, 3);
    await life.silent(5, 7);
    await life.read(5, 3);
    await life.deliver();
    const later = (await all(life.journal.rowsOf('SP-1'))).filter(({ row }) => row > known);
    await life.restore(backup);
    await life.read(5, 3);
    const [repaired] = await life.told();
    expect(repaired).toMatchObject({
      ...{ kind: 'event', code: 'journal.repaired' },
      data: { backup_epoch: epoch, backup_rows: known, backup_at: expect.any(String) },
    });
    // A head-end that leaves out what the backup did not know of has all of it once.
    expect(await life.problems()).toEqual([]);
    const unknown = later.flatMap((row) => (row.kind === 'gap' ? [row.from] : []));
    expect(unknown).toHaveLength(1);
    // One that hears nothing of the restore counts twice: the gap that was told after the backup, and the one that covers it.
    const deaf = new Ledger();
    for (const { topic, payload } of life.sent) {
      if (!topic.endsWith('/event')) deaf.take(topic, payload);
    }
    const entries = deaf.entries() as unknown as Parameters<typeof conserve>[1];
    expect(conserve(1, entries, 0, FINE).problem).not.toBeNull();
    const left = entries.filter((one) => !(one.kind === 'gap' && unknown.includes(one.from)));
    const { sum } = conserve(1, await all(life.journal.rowsOf('SP-1')), 0, FINE);
    expect(conserve(1, left, 0, FINE)).toMatchObject({ problem: null, sum });
    await life.restart('stop', 1_000);
    expect(await life.told()).toHaveLength(1);
  });

  it('keeps the events of a meter that was never read', async () => {
    const life = await Life.begin();
    await life.silent(2, 0);
    const before = await all(life.journal.eventsOf('SP-1'));
    expect(before).toHaveLength(1);
    await life.restore(await life.backup());
    await life.read(1, 3);
    await life.silent(2, 0);
    expect(await life.problems()).toEqual([]);
    const after = await all(life.journal.eventsOf('SP-1'));
    expect(after.slice(0, 1)).toEqual(before);
    expect(after.map((event) => event.alarm)).toEqual([1, 1, 2]);
  });

  it('E1: gives none of its own events the key of one that is held, although rows count from 1 again', async () => {
    const life = await Life.begin();
    await life.read(60, 3);
    await life.note('before');
    await life.read(5, 3);
    await life.deliver();
    await life.thin({ hourDays: 1 });
    await life.note('waits');
    const before = await life.told();
    await life.restore(await life.backup());
    for (let i = 0; i < 100; i += 1) await life.note('after');
    expect(await life.problems()).toEqual([]);
    const told = await life.told();
    expect(told).toHaveLength(before.length + 1 + 100);
    const ids = told.map((row) => (row.kind === 'event' ? eventPayload(row).id : ''));
    expect(new Set(ids).size).toBe(told.length);
  });
});

describe('a journal short of room', () => {
  it('that is restored where there is room tells that it is over, under the id with which it began', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    life.medium.room = { bytes: 2_000, freeBytes: 1e9, totalBytes: 1e9 };
    await life.restart('stop', 1_000);
    await life.thin({ maxBytes: 1_000 });
    await life.restore(await life.backup());
    await life.thin({ maxBytes: 1_000 });
    await life.problems();
    const told = (await life.told()).filter((row) => row.kind === 'event');
    const pressure = told.filter(({ code }) => code === 'journal.pressure');
    expect(pressure.map(({ phase }) => phase)).toEqual(['raise', 'clear']);
    expect(new Set(pressure.map((row) => eventPayload(row).id)).size).toBe(1);
  });
});

describe('thinning', () => {
  it('lets no gap go that is told again with more: what was told of it would count twice', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    await life.silent(2.5, 3);
    // One reading late in its hour ends the gap: it is told, and grows again.
    await life.read(0.25, 3);
    await life.silent(3 * 24, 3);
    await life.deliver();
    await life.thin({ hourDays: 1 });
    expect(await life.problems()).toEqual([]);
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
    await life.read(3 * 24, 3);
    await life.deliver();
    for (let i = 0; i < 3; i += 1) await life.thin({ hourDays: 1 });
    const left = await all(life.journal.rowsOf('SP-1'));
    expect(left.filter(({ kind }) => kind === 'gap')).toEqual([]);
    expect(await life.problems()).toEqual([]);
  });

  it('lets no hour go that a clock which went back opens again', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    Object.assign(life, { synced: true, ahead: -3 * HOUR });
    await life.read(1, 2);
    await life.deliver();
    await life.thin({ hourDays: 0 });
    await life.read(5.75, 2);
    Object.assign(life, { synced: false, ahead: 2 * DAY });
    await life.deliver();
    await life.thin({ hourDays: 1 });
    expect(await life.problems()).toEqual([]);
  });
});

describe('a change-out', () => {
  it('tells what a reading brought whose time nobody knew, and which waited for the next', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    Object.assign(life, { synced: false, ahead: -2 * DAY });
    await life.restore(await life.backup());
    await life.read(0.25, 2);
    await life.restart('stop', 3 * HOUR);
    Object.assign(life, { synced: true, ahead: 0 });
    await life.say({ kind: 'resume' });
    await life.changeOut(50);
    expect(await life.problems()).toEqual([]);
  });
});

describe('I10: a clock that went back', () => {
  it('and leaps ahead takes no hour with it that is still to be told', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    // The hours of before are taken back; the first of them is open again.
    Object.assign(life, { ahead: -3 * HOUR, synced: false });
    await life.read(0.5, 2);
    Object.assign(life, { ahead: 3 * HOUR, synced: true });
    await life.deliver();
    await life.thin({ hourDays: 0 });
    await life.read(6, 2);
    expect(await life.problems()).toEqual([]);
    await life.thin({ hourDays: 0 });
    expect(await life.problems()).toEqual([]);
    const left = (await all(life.journal.rowsOf('SP-1'))).filter(({ kind }) => kind === 'hour');
    expect(left).toEqual([]);
  });

  it('takes nothing back of what was thinned: those hours stay as they were told, and the head-end counts each once', async () => {
    const life = await Life.begin();
    await life.read(6 * 24, 3);
    await life.deliver();
    for (let i = 0; i < 3; i += 1) await life.thin({ hourDays: 1 });
    Object.assign(life, { synced: null, ahead: -3 * DAY });
    await life.read(5, 3);
    expect(await life.problems()).toEqual([]);
    life.ahead = 0;
    await life.read(30, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('tells a gap again whose volume a dial that went back has taken back', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    Object.assign(life, { synced: false, ahead: -0.5 * HOUR });
    await life.read(0.25, 2);
    await life.restart('stop', 2 * DAY);
    await life.read(0.25, 2);
    Object.assign(life, { synced: true, ahead: 3 * HOUR });
    await life.restart('cut', 10_000);
    life.dial -= 4;
    await life.read(0.5, 0);
    Object.assign(life, { synced: false, ahead: -3 * HOUR });
    await life.read(0.25, 2);
    Object.assign(life, { synced: true, ahead: 0 });
    await life.read(4, 2);
    expect(await life.problems()).toEqual([]);
  });

  it('and again, both times beyond what was thinned, tells what it takes back as two gaps', async () => {
    const life = await Life.begin();
    await life.read(3, 3);
    await life.deliver();
    await life.thin({ hourDays: 0 });
    await life.read(0.25, 2);
    Object.assign(life, { synced: false, ahead: -3 * HOUR });
    await life.read(9, 2);
    life.ahead = -2 * DAY;
    await life.read(1.25, 2);
    Object.assign(life, { synced: true, ahead: 0 });
    await life.read(4, 2);
    expect(await life.problems()).toEqual([]);
  });

  it('is put right also where the first that is heard of it is that the meter is disabled', async () => {
    const life = await Life.begin();
    await life.read(30, 3);
    Object.assign(life, { synced: null, ahead: 5 * HOUR });
    await life.read(3, 3);
    Object.assign(life, { synced: true, ahead: 0 });
    await life.say({ kind: 'disable' });
    await life.say({ kind: 'enable' });
    await life.read(12, 3);
    expect(await life.problems()).toEqual([]);
  });
});

describe('a dial read by a person', () => {
  it('in the last minutes of an hour tells its total, and the silence after it is another gap', async () => {
    const life = await Life.begin();
    await life.read(4, 3);
    await life.silent(3.75, 3);
    await life.say({ kind: 'read', register: life.dial, by: 'ana' });
    await life.silent(5, 3);
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
  });

  it('is counted in its hour, also where a jump that nobody believes comes after it', async () => {
    const life = await Life.begin();
    await life.read(4, 3);
    await life.say({ kind: 'read', register: life.dial, by: 'ana' });
    await life.read(0.5, 3);
    const { dial } = life;
    life.dial += 40_000;
    await life.read(0.75, 0);
    life.dial = dial;
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
  });
});

describe('a life', () => {
  it('of restores, lost states, thinning, change-outs and wrong clocks in any order loses and invents no water', async () => {
    await liveInAnyOrder(60);
  }, 120_000);

  it('of restores from old backups loses and invents no water at the head-end', async () => {
    await liveFromOldBackups(60);
  }, 120_000);
});
