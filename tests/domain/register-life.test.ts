// The life of a register, an oddity at a time: what is counted, and what is told, once, with evidence.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, heed, type Installation, newInstallation } from '../../src/domain/advance.ts';
import { conserve } from '../../src/domain/conservation.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { HOUR_MS } from '../../src/domain/units.ts';
import {
  gapsOf,
  hoursOf,
  MINUTE,
  type Poll,
  RULES,
  type Run,
  run,
  SILENCE,
  T0,
} from './meter-run.ts';

const QUARTER = 15 * MINUTE;

function quarters(
  count: number,
  read: (i: number) => number | null,
  more: Partial<Poll> = {},
): Poll[] {
  return Array.from({ length: count }, (_, i) => ({
    at: T0 + i * QUARTER + 2_000,
    read: read(i),
    ...more,
  }));
}

const told = ({ events }: Pick<Run, 'events'>) =>
  events.map((event) => `${event.code} ${event.phase} ${event.severity}`);

const moment = (at: number) => ({ at, mono: at, boot: 'b', synced: true });

describe('readings without a check sum', () => {
  it('an unchanged reading costs nothing more, a changed one waits for a second that agrees', () => {
    const unchecked = (reads: readonly number[]) =>
      run(reads.map((read, i) => ({ at: T0 + 2_000 + i * 10_000, read, checked: false })));
    expect(unchecked([100, 100]).state.last?.read).toBe(100);
    expect(unchecked([100, 100, 103]).state.last?.read).toBe(100);
    expect(unchecked([100, 100, 103]).state.unconfirmed?.read).toBe(103);
    expect(unchecked([100, 100, 103, 103]).state.last?.read).toBe(103);
    // A dial that moves is never read twice alike: what lies between two others is confirmed.
    expect(unchecked([100, 100, 103, 105]).state.last?.read).toBe(100);
    expect(unchecked([100, 100, 103, 105, 107]).state.last?.read).toBe(105);
    // A digit too low, by a flipped bit, and then the true ones.
    expect(unchecked([100, 100, 101, 105, 105]).state.last?.read).toBe(105);
    expect(unchecked([100, 100, 104, 107, 101, 101]).state.last?.read).toBe(101);
    expect(unchecked([100, 100, 903, 104]).state).toMatchObject({
      last: { read: 100 },
      unconfirmed: { read: 104 },
    });
  });

  it('a damaged reading that nothing confirms is never counted', () => {
    const reads = [100, 100, 110, 100, 100, 190, 101, 101];
    const { state, increments, notices } = run(
      reads.map((read, i) => ({ at: T0 + 2_000 + i * 10_000, read, checked: false })),
    );
    expect(state.last?.total).toBe(1);
    expect(increments.map((step) => step.counts)).toEqual([0, 1]);
    expect(notices.map((notice) => notice.code)).toEqual(['read.unconfirmed', 'read.unconfirmed']);
  });

  it('a reading that an hour ends with waits for its second also where it seems unchanged', () => {
    const edge = T0 + HOUR_MS + 1_000;
    const polls: Poll[] = [
      { at: T0 + 1_000, read: 100, checked: false },
      { at: T0 + 2_000, read: 100, checked: false },
      // The dial shows 104; a flipped bit made the old 100 of it.
      { at: edge, read: 100, checked: false },
      { at: edge + 200, read: 104, checked: false },
      { at: edge + 400, read: 104, checked: false },
    ];
    expect(run(polls.slice(0, 3)).state.last?.at).toBe(T0 + 2_000);
    const after = run([...polls, { at: edge + 30 * 60_000, read: 104, checked: false }]);
    expect(hoursOf(after.entries).map((hour) => [hour.use, hour.at])).toEqual([[4, edge + 200]]);
  });

  it('a reading at the edge of an hour counts for it though its second comes after the tolerance', () => {
    const polls: Poll[] = [
      { at: T0 + 1_000, read: 100, checked: false },
      { at: T0 + 2_000, read: 100, checked: false },
      { at: T0 + HOUR_MS + 1_000, read: 140, checked: false },
      { at: T0 + HOUR_MS + 14_000, read: null },
      { at: T0 + HOUR_MS + 17_000, read: 140, checked: false },
      { at: T0 + 2 * HOUR_MS + 1_000, read: 150, checked: false },
      { at: T0 + 2 * HOUR_MS + 17_000, read: 150, checked: false },
    ];
    expect(hoursOf(run(polls).entries).map((hour) => [hour.use, hour.q, hour.at])).toEqual([
      [40, 'P', T0 + HOUR_MS + 1_000],
      [10, 'A', T0 + 2 * HOUR_MS + 1_000],
    ]);
  });
});

describe('what is told of a register', () => {
  it('reverse flow is one event, minor at first and major beyond 100 counts, over after a day', () => {
    const reads = (i: number) => {
      if (i < 4) return 5_000;
      if (i < 8) return 5_000 - (i - 3) * 30;
      return 4_880;
    };
    const result = run(quarters(8 + 4 * 26, reads));
    expect(told(result)).toEqual([
      'flow.reverse raise minor',
      'flow.reverse update major',
      'flow.reverse clear major',
    ]);
    expect(new Set(result.events.map((event) => event.alarm)).size).toBe(1);
    expect(result.events[1]?.data).toMatchObject({ counts: 120 });
    expect(result.state.last?.total).toBe(-120);
  });

  it('a meter silent or unreadable for three polls is told once, and cleared by its next answer', () => {
    const silent = quarters(12, (i) => (i >= 3 && i < 9 ? null : 7), { fault: 'line.silent' });
    expect(told(run(silent))).toEqual(['read.silent raise minor', 'read.silent clear minor']);
    const blind = quarters(12, (i) => (i >= 3 && i < 9 ? null : 7), { fault: 'frame.unreadable' });
    expect(told(run(blind))).toEqual([
      'read.unreadable raise minor',
      'read.unreadable clear minor',
    ]);
    const blinks = quarters(12, (i) => (i % 3 === 1 ? null : 7), { fault: 'line.silent' });
    expect(told(run(blinks))).toEqual([]);
  });

  it('a dial that used to move and stands still for ten days is stuck; one count clears it', () => {
    const days = (n: number) => n * 96;
    const polls = quarters(days(13), (i) => (i < days(1) ? i : i < days(12) ? 95 : 96));
    const result = run(polls);
    expect(told(result)).toEqual(['read.stuck raise minor', 'read.stuck clear minor']);
    expect(result.events[0]?.since).toBe(T0 + 95 * QUARTER + 2_000);
  });

  it('a dial that always rests for a week is not stuck after ten days', () => {
    const week = 7 * 96;
    const result = run(quarters(week * 5, (i) => Math.floor(Math.min(i, week * 3) / week)));
    expect(told(result)).toEqual([]);
  });

  it('a rollover is told with what passed', () => {
    const result = run(quarters(3, (i) => (99_999_998 + i * 4) % 100_000_000));
    expect(told(result)).toEqual(['meter.rollover raise info']);
    expect(result.events[0]?.data).toMatchObject({ last: 99_999_998, counts: 4 });
  });

  it('a jump is doubted until the dial is plausible again, and told once', () => {
    const result = run(quarters(12, (i) => (i >= 4 && i < 8 ? 80_000_000 : 100 + i)));
    expect(told(result)).toEqual(['read.implausible raise major', 'read.implausible clear major']);
    expect(result.events[1]?.data).toMatchObject({ outcome: 'refused' });
    expect(result.state.last?.total).toBe(11);
  });

  it.each([
    ['ahead', 100, 40_000_000, 40_000_029 - 100],
    // From it a dial that was believed wrongly comes back; it did not turn all the way round.
    ['back', 5_000_000, 3_000_000, 3_000_029 - 5_000_000],
  ])('a person confirms a jump %s: it counts as a gap, exactly', (_, from, to, total) => {
    const doubted = run(quarters(10, (i) => (i >= 4 ? to + i : from + i)));
    const at = T0 + 10 * QUARTER;
    const heard = heed(doubted.state, { kind: 'vouch' }, moment(at), RULES);
    const after = run(quarters(30, (i) => to + i).slice(10), RULES, heard.state);
    const entries = [...doubted.entries, ...heard.entries, ...after.entries];
    expect(conserve(1, entries, from, RULES.dial).problem).toBeNull();
    expect(gapsOf(entries)[0]).toMatchObject({ why: 'quarantine' });
    expect(after.state.last?.total).toBe(total);
  });

  it('an encoder that names itself confirms a jump after a day, one that does not never does', () => {
    const jump = (identified: boolean): Installation => {
      let state = newInstallation(1);
      for (let i = 0; i < 96 * 2; i += 1) {
        const at = T0 + i * QUARTER;
        const register = i < 4 ? 100 : 50_000_000;
        const seen = { kind: 'reading', moment: moment(at), register, checked: true, identified };
        state = advance(state, seen as Parameters<typeof advance>[1], RULES).state;
      }
      return state;
    };
    expect(jump(true).last?.read).toBe(50_000_000);
    expect(jump(false).last?.read).toBe(100);
  });

  it('another encoder on the address is a swap suspected; taking turns with the own one is a conflict', () => {
    const stranger = (state: Installation, at: number) =>
      advance(
        state,
        { ...SILENCE, moment: moment(at), fault: 'frame.wrong_id', stranger: '999' },
        RULES,
      );
    const own = (state: Installation, at: number) =>
      advance(
        state,
        { kind: 'reading', moment: moment(at), register: 5, checked: true, identified: true },
        RULES,
      );
    const fold = (pattern: string) => {
      let state = newInstallation(1);
      const events = [...pattern].flatMap((letter, i) => {
        const step = (letter === 'o' ? own : stranger)(state, T0 + i * QUARTER);
        state = step.state;
        return step.events;
      });
      return told({ events });
    };
    expect(fold('oosss')).toEqual(['meter.swap_suspected raise major']);
    expect(fold('oossoo')).toEqual([
      'meter.swap_suspected raise major',
      'meter.swap_suspected clear major',
    ]);
    expect(fold('ososososo')).toEqual(['meter.address_conflict raise major']);
  });
});

describe('meters out of service', () => {
  it('C6: a disabled meter publishes no hours; on enabling, what passed is one gap', () => {
    const before = run(quarters(6, (i) => i));
    const off = heed(before.state, { kind: 'disable' }, moment(T0 + 6 * QUARTER), RULES);
    const idle = run(
      Array.from({ length: 30 }, (_, i) => ({ at: T0 + (7 + i) * QUARTER, read: null })),
      RULES,
      off.state,
    );
    const on = heed(idle.state, { kind: 'enable' }, moment(T0 + 37 * QUARTER), RULES);
    const after = run(
      Array.from({ length: 20 }, (_, i) => ({ at: T0 + (38 + i) * QUARTER + 2_000, read: 90 + i })),
      RULES,
      on.state,
    );
    const entries = [
      ...before.entries,
      ...off.entries,
      ...idle.entries,
      ...on.entries,
      ...after.entries,
    ];
    expect(gapsOf(entries)).toMatchObject([{ why: 'disabled', use: 85 }]);
    expect(hoursOf(entries).map((hour) => (hour.start - T0) / HOUR_MS)).toEqual([
      0, 1, 9, 10, 11, 12, 13,
    ]);
    expect(conserve(1, entries, 0, RULES.dial).problem).toBeNull();
  });

  it('hours under maintenance are told as such and count like others', () => {
    const before = run(quarters(6, (i) => i));
    const begun = heed(before.state, { kind: 'maintain' }, moment(T0 + 6 * QUARTER), RULES);
    const after = run(quarters(20, (i) => i).slice(7), RULES, begun.state);
    expect(hoursOf(after.entries).map((hour) => hour.q)).toEqual(['T', 'T', 'T']);
  });

  it('a dial read by a person ends a gap and makes its hour H', () => {
    const before = run(quarters(6, (i) => i));
    const silent = run(
      Array.from({ length: 40 }, (_, i) => ({ at: T0 + (6 + i) * QUARTER, read: null })),
      RULES,
      before.state,
    );
    const word = { kind: 'read', register: 500, by: 'tech-4' } as const;
    const heard = heed(silent.state, word, moment(T0 + 46 * QUARTER), RULES);
    const after = run(
      Array.from({ length: 8 }, (_, i) => ({ at: T0 + (47 + i) * QUARTER, read: null })),
      RULES,
      heard.state,
    );
    const entries = [...before.entries, ...silent.entries, ...heard.entries, ...after.entries];
    const person = hoursOf(entries).find((hour) => hour.q === 'H');
    expect(person).toMatchObject({ start: T0 + 11 * HOUR_MS, read: 500, total: 500, use: null });
    const told = { code: 'read.by_person', evidence: { read: 500, by: 'tech-4' } };
    expect(heard.notices).toMatchObject([told]);
    expect(gapsOf(entries)).toMatchObject([{ use: 495 }]);
    expect(conserve(1, entries, 0, RULES.dial)).toMatchObject({ problem: null, sum: 500 });
  });

  it('a dial read by a person while nobody knows the time makes the hour H in which that was, and no other', () => {
    const before = run(quarters(5, (i) => i));
    const unsynced = { boot: 'b', synced: false };
    const read = (state: Installation, minutes: number, dial: number) =>
      run([{ at: T0 + minutes * MINUTE + 20_000, read: dial, ...unsynced }], RULES, state);
    const late = read(before.state, 115, 8);
    const word = { kind: 'read', register: 9, by: 'tech-4' } as const;
    const at = T0 + 121 * MINUTE;
    const heard = heed(late.state, word, { ...moment(at), synced: false }, RULES);
    expect(heard.state.clock?.heldSince).not.toBeNull();
    const after = run(
      Array.from({ length: 9 }, (_, i) => ({ at: T0 + (9 + i) * QUARTER, read: 10 + i })),
      RULES,
      heard.state,
    );
    const entries = [...before.entries, ...late.entries, ...heard.entries, ...after.entries];
    expect(hoursOf(entries).map(({ q }) => q)).toEqual(['P', 'P', 'H', 'A']);
    expect(conserve(1, entries, 0, RULES.dial).problem).toBeNull();
  });

  it('a dial read by a person at the edge of an hour makes both hours H, for one ends and the other begins with it', () => {
    const before = run(quarters(8, (i) => i));
    const word = { kind: 'read', register: 8, by: 'tech-4' } as const;
    const heard = heed(before.state, word, moment(T0 + 2 * HOUR_MS + 1_000), RULES);
    const after = run(
      Array.from({ length: 9 }, (_, i) => ({ at: T0 + (9 + i) * QUARTER, read: 9 + i })),
      RULES,
      heard.state,
    );
    const hours = hoursOf([...before.entries, ...heard.entries, ...after.entries]);
    expect(hours.map(({ q }) => q)).toEqual(['P', 'H', 'H', 'A']);
  });

  /** Readings every quarter of an hour, and a dial that a person reads so many minutes after T0 and says to the collector. */
  function withPerson(reads: readonly (number | null)[], minutes: readonly number[]) {
    const entries: Entry[] = [];
    let state: Installation | undefined;
    let dial = 0;
    reads.forEach((read, i) => {
      const one = run([{ at: T0 + i * QUARTER + 2_000, read }], RULES, state);
      const next = T0 + (i + 1) * QUARTER;
      dial = Math.max(dial, read !== null && read < JUMP ? read : 0);
      entries.push(...one.entries);
      ({ state } = one);
      for (const at of minutes.map((minute) => T0 + minute * MINUTE + 5_000)) {
        if (at < next - QUARTER || at >= next) continue;
        dial += 1;
        const word = { kind: 'read', register: dial, by: 'tech-4' } as const;
        const heard = heed(state, word, moment(at), RULES);
        entries.push(...heard.entries);
        ({ state } = heard);
      }
    });
    return entries;
  }
  const JUMP = 5_000_000;
  const dials = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  const same = (count: number, read: number | null) => Array<typeof read>(count).fill(read);

  it('I5: what a person read stands when a reading that nobody believes ends its hour', () => {
    const entries = withPerson([...dials(0, 6), ...same(4, JUMP), ...dials(30, 8)], [82]);
    expect(hoursOf(entries)[1]).toMatchObject({ q: 'H', read: 6, total: 6, use: 2 });
    expect(conserve(1, entries, 0, RULES.dial).problem).toBeNull();
    const late = withPerson(
      [...dials(0, 6), ...same(8, null), ...same(6, JUMP), ...dials(60, 6)],
      [200],
    );
    expect(hoursOf(late)[3]).toMatchObject({ q: 'H', total: 6, use: null });
    expect(gapsOf(late).map(({ use }) => use)).toEqual([1, 54]);
    expect(conserve(1, late, 0, RULES.dial).problem).toBeNull();
  });

  it('I5: a gap on which a total that a person read rests grows no further', () => {
    const entries = withPerson(
      [...dials(0, 9), ...same(28, null), ...dials(90, 6)],
      [237, 337, 424],
    );
    const persons = hoursOf(entries).filter(({ q }) => q === 'H');
    expect(persons.map(({ use }) => use)).toEqual([null, null, null]);
    expect(gapsOf(entries).every(({ rev }) => rev === 0)).toBe(true);
    expect(conserve(1, entries, 0, RULES.dial).problem).toBeNull();
  });

  it('I5: hours and gaps add up to every total whatever a person reads between whatever answers', () => {
    const answer = fc.constantFrom('dial', 'dial', 'dial', 'silence', 'silence', 'jump');
    const run4 = fc.array(fc.tuple(answer, fc.integer({ min: 1, max: 9 })), { maxLength: 8 });
    fc.assert(
      fc.property(
        run4,
        fc.array(fc.integer({ min: 60, max: 900 }), { maxLength: 9 }),
        (runs, at) => {
          const kinds = runs.flatMap(([kind, count]) => Array<string>(count).fill(kind));
          const reads = kinds.map((kind, i) =>
            kind === 'dial' ? 20 * i + 100 : kind === 'jump' ? JUMP : null,
          );
          const entries = withPerson([...dials(0, 5), ...reads], at);
          expect(conserve(1, entries, 0, RULES.dial).problem).toBeNull();
        },
      ),
    );
  });
});
