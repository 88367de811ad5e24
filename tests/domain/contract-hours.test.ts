// The contract's rules on hours, one example each, by number.

import { describe, expect, it } from 'vitest';
import { advance, finish, newInstallation } from '../../src/domain/advance.ts';
import { conserve, newest } from '../../src/domain/conservation.ts';
import { HOUR_MS } from '../../src/domain/units.ts';
import { gapsOf, hoursOf, MINUTE, type Poll, RULES, run, SILENCE, T0 } from './meter-run.ts';

const QUARTER = 15 * MINUTE;

/** Polls each quarter hour from `from` for `hours`, `perPoll` counts each, two seconds after the quarter. */
function steady(from: number, hours: number, start: number, perPoll: number): Poll[] {
  const turn = 10 ** RULES.dial.digits;
  return Array.from({ length: hours * 4 + 1 }, (_, i) => ({
    at: from + i * QUARTER + 2_000,
    read: (start + i * perPoll) % turn,
  }));
}

const without = (polls: readonly Poll[], from: number, to: number): Poll[] =>
  polls.map((poll) => (poll.at >= from && poll.at < to ? { ...poll, read: null } : poll));

describe('hours of the contract', () => {
  it('I1: an hour ends at the reading nearest its edge, and states dial, time, total and use', () => {
    const { entries } = run(steady(T0, 3, 1_000, 5));
    expect(hoursOf(entries)[1]).toMatchObject({
      start: T0 + HOUR_MS,
      read: 1_040,
      at: T0 + 2 * HOUR_MS + 2_000,
      total: 40,
      use: 20,
      q: 'A',
      n: 4,
      flags: [],
    });
  });

  it('I1: on a tie the earlier of two readings ends the hour', () => {
    const edge = T0 + HOUR_MS;
    const polls = [
      { at: T0 + 2_000, read: 0 },
      { at: edge - 3_000, read: 7 },
      { at: edge + 3_000, read: 9 },
      { at: edge + HOUR_MS, read: 9 },
    ];
    expect(hoursOf(run(polls).entries).map((hour) => hour.use)).toEqual([7, 2]);
  });

  it('I1: a dial that went back gives a negative use', () => {
    const polls = steady(T0, 2, 1_000, 0);
    polls[6] = { ...(polls[6] as Poll), read: 990 };
    polls[7] = { ...(polls[7] as Poll), read: 990 };
    polls[8] = { ...(polls[8] as Poll), read: 990 };
    const last = hoursOf(run(polls).entries)[1];
    expect(last).toMatchObject({ use: -10, q: 'A', flags: ['reverse'] });
  });

  it('I2: a register that passes 99999999 counts on from zero', () => {
    const { entries, events } = run(steady(T0, 2, 99_999_990, 5));
    expect(hoursOf(entries).map((hour) => [hour.use, hour.read, hour.flags])).toEqual([
      [20, 10, ['rollover']],
      [20, 30, []],
    ]);
    expect(events.map((event) => event.code)).toEqual(['meter.rollover']);
  });

  it('I3: the first hour of an installation is partial, whole ones after it are actual', () => {
    const { entries } = run(steady(T0 + 20 * MINUTE, 3, 0, 1));
    expect(hoursOf(entries).map((hour) => hour.q)[0]).toBe('P');
    expect(hoursOf(run(steady(T0, 4, 0, 1)).entries).map((hour) => hour.q)).toEqual([
      'P',
      'A',
      'A',
      'A',
    ]);
  });

  it('I3: an edge read late makes both its hours partial, with the reading before it', () => {
    const edge = T0 + 2 * HOUR_MS;
    const polls = without(steady(T0, 4, 0, 5), edge - MINUTE, edge + MINUTE);
    expect(hoursOf(run(polls).entries).map((hour) => [hour.use, hour.q, hour.flags])).toEqual([
      [20, 'P', []],
      [15, 'P', ['late']],
      [25, 'P', ['late']],
      [20, 'A', []],
    ]);
  });

  it('I3: an hour with fewer than two edges is missing, at its time and not at healing', () => {
    const polls = without(steady(T0, 6, 0, 5), T0 + HOUR_MS + MINUTE, T0 + 4 * HOUR_MS + MINUTE);
    const silentUntil = polls.filter((poll) => poll.at < T0 + 4 * HOUR_MS);
    const before = hoursOf(run(silentUntil).entries);
    expect(before.map((hour) => hour.q)).toEqual(['P', 'M', 'M']);
    expect(before[1]).toMatchObject({ read: null, total: null, use: null, flags: ['gap'] });
  });

  it('I4: what passed while edges went unread is one gap, sent with the hour in which it ended', () => {
    const polls = without(steady(T0, 6, 0, 5), T0 + HOUR_MS + MINUTE, T0 + 4 * HOUR_MS + MINUTE);
    const { entries } = run(polls);
    const from = T0 + HOUR_MS + 2_000;
    const to = T0 + 4 * HOUR_MS + QUARTER + 2_000;
    expect(gapsOf(entries)).toEqual([
      { kind: 'gap', inst: 1, from, to, use: 65, why: 'bus', flags: [], rev: 0 },
    ]);
    const order = entries.map((entry) => (entry.kind === 'gap' ? 'gap' : entry.q));
    expect(order).toEqual(['P', 'M', 'M', 'M', 'gap', 'P', 'A']);
  });

  it('I4: gaps that adjoin at a single reading merge into one', () => {
    const polls: Poll[] = steady(T0, 8, 0, 5).map((poll, i) =>
      i > 4 && i < 26 && i !== 14 ? { ...poll, read: null } : poll,
    );
    const { entries } = run(polls);
    expect(gapsOf(newest(entries))).toHaveLength(1);
    expect(conserve(1, entries, 0, RULES.dial).problem).toBeNull();
  });

  it('I5: a planted count breaks the proof, wherever it is', () => {
    const { entries } = run(without(steady(T0, 6, 0, 5), T0 + HOUR_MS + MINUTE, T0 + 4 * HOUR_MS));
    expect(conserve(1, entries, 0, RULES.dial)).toMatchObject({ problem: null });
    for (const [i, entry] of entries.entries()) {
      if (entry.use === null) continue;
      const changed = entries.with(i, { ...entry, use: entry.use + 1 });
      expect(conserve(1, changed, 0, RULES.dial).problem).not.toBeNull();
    }
    const first = entries[0];
    expect(first && conserve(1, [...entries, first], 0, RULES.dial).problem?.violation).toBe(
      'told twice',
    );
  });

  it('I7: a dial that may have turned further is flagged, and the smallest forward amount published', () => {
    const rules = { ...RULES, dial: { digits: 4, unit: 'ft3', pow10: 2 } as const };
    const polls = [
      { at: T0 + 2_000, read: 9_000 },
      { at: T0 + 10 * 24 * HOUR_MS + 2_000, read: 100 },
      { at: T0 + 10 * 24 * HOUR_MS + HOUR_MS, read: 100 },
    ];
    const gap = gapsOf(run(polls, rules).entries)[0];
    expect(gap).toMatchObject({ use: 1_100, flags: ['rollover', 'rollover_ambiguous'] });
  });

  it('I9: an installation ends at its newest reading, and the next begins at its own first', () => {
    const { state } = run(steady(T0, 1, 0, 5).slice(0, 3));
    const ended = finish(state, ['changeout'], RULES);
    expect(hoursOf(ended.entries)).toMatchObject([
      { inst: 1, use: 10, total: 10, q: 'P', flags: ['changeout'] },
    ]);
    const next = run(steady(T0 + 45 * MINUTE, 2, 77, 5), RULES, newInstallation(2, ['changeout']));
    expect(hoursOf(next.entries)[0]).toMatchObject({
      inst: 2,
      start: T0,
      q: 'P',
      flags: ['changeout'],
    });
  });

  it('a reading one count below the last is not accepted; the third in a row is reverse flow', () => {
    const polls = steady(T0, 1, 500, 0).map((poll, i) => (i > 0 ? { ...poll, read: 499 } : poll));
    const { increments, notices, events, state } = run(polls);
    expect(notices.map((notice) => notice.code)).toEqual(['read.jitter', 'read.jitter']);
    expect(events.map((event) => [event.code, event.phase])).toEqual([['flow.reverse', 'raise']]);
    expect(increments.map((step) => step.counts)).toEqual([0, -1]);
    expect(state.last?.total).toBe(-1);
  });

  it('I3: a jump beyond the flow limit is quarantined: the hour is suspect, its volume follows as a gap', () => {
    const polls = steady(T0, 5, 1_000, 5).map((poll, i) =>
      i >= 6 && i <= 9 ? { ...poll, read: 5_000_000 } : poll,
    );
    const { entries, events, state } = run(polls);
    expect(hoursOf(entries).map((hour) => [hour.q, hour.use])).toEqual([
      ['P', 20],
      ['S', null],
      ['P', 10],
      ['A', 20],
      ['A', 20],
    ]);
    expect(hoursOf(entries)[1]).toMatchObject({ read: 5_000_000, flags: ['unconfirmed'] });
    expect(gapsOf(entries)).toMatchObject([{ why: 'quarantine', use: 30 }]);
    expect(events.map((event) => [event.code, event.phase])).toEqual([
      ['read.implausible', 'raise'],
      ['read.implausible', 'clear'],
    ]);
    expect(state.last?.total).toBe(100);
  });

  it('the collector away over an edge leaves a gap cut by power and a restart flag', () => {
    const before = run(steady(T0, 1, 0, 5).slice(0, 2));
    const moment = { at: T0 + 3 * HOUR_MS + 5_000, mono: 0, boot: 'c', synced: true };
    const seen = { ...SILENCE, moment, why: 'power', flags: ['restart'] } as const;
    const back = advance(before.state, seen, RULES);
    const after = run(
      [
        { at: T0 + 3 * HOUR_MS + 6_000, read: 60, boot: 'c', mono: 1_000 },
        { at: T0 + 4 * HOUR_MS + 1_000, read: 80, boot: 'c', mono: 3_596_000 },
      ],
      RULES,
      back.state,
    );
    const all = [...before.entries, ...back.entries, ...after.entries];
    expect(gapsOf(all)).toMatchObject([{ why: 'power', use: 55 }]);
    expect(hoursOf(all).map((hour) => [hour.q, hour.flags])).toEqual([
      ['P', ['gap']],
      ['M', ['gap']],
      ['M', ['gap', 'restart']],
      ['A', []],
    ]);
  });
});
