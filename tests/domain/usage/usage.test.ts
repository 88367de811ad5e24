// Usage alerts: windows of local days, thresholds in whole counts, told once, and known again after whatever happens.

import { describe, expect, it } from 'vitest';
import { Random } from '../../../simulator/random.ts';
import { zoneOf } from '../../../src/codec/time-zone.ts';
import { cycleStart, dateOf, dayOf, type Zone } from '../../../src/domain/usage/civil.ts';
import { thresholdOf } from '../../../src/domain/usage/threshold.ts';
import {
  changeDial,
  consume,
  NO_USAGE,
  reconfigure,
  type Usage,
  type UsageEvent,
  type UsageRules,
} from '../../../src/domain/usage/usage.ts';

const DIAL = { digits: 8, unit: 'ft3', pow10: -1 } as const;
const HOUR_MS = 3_600_000;
const DENVER = zoneOf('America/Denver') as Zone;
const RULES: UsageRules = { dial: DIAL, pollMs: 900_000, zone: DENVER, service: 'active' };

const at = (text: string) => Date.parse(text);
const day = (date: string) => dayOf(date) as number;

/** An hourly reading from `from` to `to`, `counts` in each hour. */
function run(
  from: string,
  to: string,
  counts: (at: number) => number,
  rules: UsageRules,
  usage: Usage = NO_USAGE,
): { usage: Usage; events: UsageEvent[] } {
  const events: UsageEvent[] = [];
  let state = usage;
  for (let now = at(from); now <= at(to); now += HOUR_MS) {
    const step = { at: now, elapsedMs: HOUR_MS, counts: counts(now) };
    const after = consume(state, step, { ...rules, pollMs: HOUR_MS });
    state = after.usage;
    events.push(...after.events);
  }
  return { usage: state, events };
}

const told = (events: readonly UsageEvent[]) => events.map(({ code, phase }) => `${code} ${phase}`);

/** Whatever somebody may set on 10 June. */
function anyRules(random: Random): UsageRules {
  const amount = () => ({
    amount: random.whole(1, 40),
    unit: (['ft3', 'gal', 'L'] as const)[random.whole(0, 2)] ?? 'gal',
  });
  const from = day('2026-06-10') - random.whole(0, 9);
  const vacation = { ...amount(), from, to: day('2026-06-12') };
  return {
    ...RULES,
    ...(random.chance(0.5) ? { daily: amount() } : {}),
    ...(random.chance(0.5) ? { multiDay: amount() } : {}),
    ...(random.chance(0.5) ? { billingCycle: { ...amount(), day: random.whole(1, 10) } } : {}),
    ...(random.chance(0.3) ? { vacation } : {}),
    ...(random.chance(0.3) ? { noUseDays: random.whole(1, 3) } : {}),
  };
}

describe('thresholds', () => {
  it('are whole counts, rounded up and said so', () => {
    expect(thresholdOf({ amount: 10, unit: 'ft3' }, DIAL)).toEqual({ counts: 100, rounded: false });
    expect(thresholdOf({ amount: 0.3, unit: 'ft3' }, DIAL)).toEqual({ counts: 3, rounded: false });
    expect(thresholdOf({ amount: 100, unit: 'gal' }, DIAL)).toEqual({ counts: 134, rounded: true });
    expect(thresholdOf({ amount: 1, unit: 'm3' }, DIAL)).toEqual({ counts: 354, rounded: true });
    expect(thresholdOf({ amount: 500, unit: 'L' }, { unit: 'm3', pow10: -3 })).toEqual({
      ...{ counts: 500, rounded: false },
    });
  });

  it('below one count are one count', () => {
    const coarse = { unit: 'ft3', pow10: 2 } as const;
    expect(thresholdOf({ amount: 5, unit: 'gal' }, coarse)).toEqual({ counts: 1, rounded: true });
  });
});

describe('the windows of usage alerts', () => {
  it('a day has 23 hours in March and 25 in November', () => {
    const daily = { ...RULES, daily: { amount: 2.4, unit: 'ft3' } as const };
    const raisedAt = (date: string) =>
      run(`${date}T12:00:00Z`, `${dateOf(day(date) + 2)}T23:00:00Z`, () => 1, daily)
        .events.filter(({ phase }) => phase === 'raise')
        .map((event) => new Date(event.at).toISOString().slice(0, 13));
    // 24 counts in a day: the short one never gets there, the long one an hour before its end.
    expect(raisedAt('2026-03-07')).toEqual([]);
    expect(raisedAt('2026-10-31')).toEqual(['2026-11-02T06']);
    // Its last count comes with the reading at midnight.
    expect(raisedAt('2026-06-01')).toEqual(['2026-06-03T06']);
  });

  it('a daily alert ends with its day and comes again with the next', () => {
    const daily = { ...RULES, daily: { amount: 1, unit: 'ft3' } as const };
    const { events } = run('2026-06-01T06:00:00Z', '2026-06-03T05:00:00Z', () => 1, daily);
    expect(told(events)).toEqual(['usage.daily raise', 'usage.daily clear', 'usage.daily raise']);
    expect(new Set(events.map(({ alarm }) => alarm)).size).toBe(2);
    expect(events[0]?.data).toMatchObject({ use: 10, threshold: 10, rounded: 'no' });
  });

  it("a billing cycle begins on its day, or on a short month's last", () => {
    expect(dateOf(cycleStart(day('2026-03-05'), 15))).toBe('2026-02-15');
    expect(dateOf(cycleStart(day('2026-03-15'), 15))).toBe('2026-03-15');
    expect(dateOf(cycleStart(day('2026-03-05'), 31))).toBe('2026-02-28');
    expect(dateOf(cycleStart(day('2028-02-29'), 30))).toBe('2028-02-29');
    const cycle = { ...RULES, billingCycle: { amount: 60, unit: 'ft3', day: 10 } as const };
    const { events } = run('2026-05-10T06:00:00Z', '2026-06-10T06:30:00Z', () => 1, cycle);
    const raised = events.filter(({ phase }) => phase === 'raise');
    expect(raised.map((event) => dateOf(DENVER(event.at)))).toEqual(['2026-06-03']);
    expect(raised[0]?.data).toMatchObject({ from: '2026-05-10', to: '2026-06-09' });
    expect(events.at(-1)?.phase).toBe('clear');
  });

  it('seven days roll on, and clear when the use has left them', () => {
    const several = { ...RULES, multiDay: { amount: 10, unit: 'ft3' } as const };
    const once = (now: number) => (now === at('2026-06-02T18:00:00Z') ? 100 : 0);
    const { events } = run('2026-06-01T06:00:00Z', '2026-06-12T06:00:00Z', once, several);
    expect(events[0]?.phase).toBe('raise');
    expect(events.at(-1)?.phase).toBe('clear');
    expect(dateOf(DENVER(events.at(-1)?.at ?? 0))).toBe('2026-06-09');
    expect(events.filter(({ phase }) => phase === 'update')).toHaveLength(6);
  });

  it('water that passed while nobody read is put on no single day', () => {
    const rules = {
      ...RULES,
      daily: { amount: 10, unit: 'ft3' } as const,
      billingCycle: { amount: 30, unit: 'ft3', day: 1 } as const,
    };
    const before = run('2026-06-05T06:00:00Z', '2026-06-05T20:00:00Z', () => 1, rules);
    const step = { at: at('2026-06-08T20:00:00Z'), elapsedMs: 72 * HOUR_MS, counts: 400 };
    expect(told(consume(before.usage, step, rules).events)).toEqual(['usage.billing_cycle raise']);
  });
});

describe('water that passed while nobody read', () => {
  const rules = { ...RULES, daily: { amount: 10, unit: 'ft3' } as const };

  it('before a place is known for two readings is put on no single day', () => {
    const step = { at: at('2026-06-08T20:00:00Z'), elapsedMs: 72 * HOUR_MS, counts: 400 };
    const cycle = { ...rules, billingCycle: { amount: 30, unit: 'ft3', day: 1 } as const };
    const { usage, events } = consume(NO_USAGE, step, cycle);
    expect(told(events)).toEqual(['usage.billing_cycle raise']);
    expect(usage).toMatchObject({ use: 0, past: [0, 0, 400] });
  });

  it('within one day of a new meter belongs to that day, however long the old one was silent', () => {
    const before = run('2026-06-01T06:00:00Z', '2026-06-01T20:00:00Z', () => 1, rules);
    const changed = changeDial(before.usage, DIAL, DIAL);
    const step = { at: at('2026-06-08T20:00:00Z'), elapsedMs: 4 * HOUR_MS, counts: 400 };
    const after = consume(changed, step, rules);
    expect(told(after.events)).toEqual(['usage.daily raise']);
    expect(after.usage.use).toBe(400);
  });
});

describe('a clock that was a year ahead', () => {
  const rules = { ...RULES, daily: { amount: 1, unit: 'ft3' } as const, noUseDays: 2 };

  it('and was put right silences no alert of the days that come', () => {
    const before = run('2026-06-01T06:00:00Z', '2026-06-01T20:00:00Z', () => 1, rules);
    const ahead = run('2027-06-01T06:00:00Z', '2027-06-01T20:00:00Z', () => 1, rules, before.usage);
    expect(ahead.usage.standing['usage.daily']).toBeDefined();
    const right = run('2026-06-01T22:00:00Z', '2026-06-04T05:00:00Z', () => 1, rules, ahead.usage);
    expect(told(right.events)).toEqual([
      ...['usage.daily clear', 'usage.daily raise', 'usage.daily clear', 'usage.daily raise'],
    ]);
  });

  it('and was put right over a rest does not count the rest from the year to come', () => {
    const ahead = run('2027-06-01T06:00:00Z', '2027-06-01T20:00:00Z', () => 1, rules);
    const right = run('2026-06-01T22:00:00Z', '2026-06-05T00:00:00Z', () => 0, rules, ahead.usage);
    const none = right.events.filter(({ code }) => code === 'usage.none');
    expect(none[0]).toMatchObject({ phase: 'raise', at: at('2026-06-03T22:00:00Z') });
  });
});

describe('a dial that goes back', () => {
  /** Ten counts, and from then on back and forth around the tenth. */
  const rocking = (): ((now: number) => number) => {
    let n = 0;
    return () => {
      n += 1;
      return n <= 10 ? 1 : n % 2 === 1 ? -2 : 2;
    };
  };

  it('below what was reached clears no alert of a day, and raises it no second time', () => {
    const rules = { ...RULES, daily: { amount: 1, unit: 'ft3' } as const };
    const { events } = run('2026-06-01T06:00:00Z', '2026-06-02T06:00:00Z', rocking(), rules);
    expect(told(events)).toEqual(['usage.daily raise', 'usage.daily clear']);
    expect(events[1]?.at).toBe(at('2026-06-02T06:00:00Z'));
  });

  it('rocks over midnights without an end of what several days have reached, until those days have passed', () => {
    const rules = { ...RULES, multiDay: { amount: 1, unit: 'ft3', days: 5 } as const };
    for (const hours of [0, 1, 2, 3]) {
      const from = new Date(at('2026-06-01T06:00:00Z') + hours * HOUR_MS).toISOString();
      const all = run(from, '2026-06-05T23:00:00Z', rocking(), rules);
      expect(told(all.events.filter(({ phase }) => phase !== 'update'))).toEqual([
        'usage.multi_day raise',
      ]);
      const rest = run('2026-06-06T00:00:00Z', '2026-06-06T12:00:00Z', () => 0, rules, all.usage);
      expect(told(rest.events)).toContain('usage.multi_day clear');
    }
  });

  it('clears one of several days at most with the day, and an alert that is set higher at once', () => {
    const rules = { ...RULES, multiDay: { amount: 1, unit: 'ft3' } as const };
    const { usage, events } = run(
      ...(['2026-06-01T06:00:00Z', '2026-06-02T05:00:00Z', rocking(), rules] as const),
    );
    expect(told(events)).toEqual(['usage.multi_day raise']);
    const shorter = { ...RULES, multiDay: { amount: 1.2, unit: 'ft3' } as const };
    expect(told(reconfigure(usage, usage.at, shorter).events)).toEqual(['usage.multi_day clear']);
  });
});

describe('a vacation', () => {
  const vacation = (from: string, to: string): UsageRules => ({
    ...RULES,
    daily: { amount: 2, unit: 'ft3' },
    multiDay: { amount: 2, unit: 'ft3' },
    vacation: { amount: 4, unit: 'ft3', from: day(from), to: day(to) },
  });

  // In March the clocks go forward on the 8th, in November back on the 1st.
  for (const [name, from, to] of [
    ['over the short day', '2026-03-07', '2026-03-09'],
    ['that begins on the short day', '2026-03-08', '2026-03-10'],
    ['that ends on the short day', '2026-03-06', '2026-03-08'],
    ['over the long day', '2026-10-31', '2026-11-02'],
    ['that begins on the long day', '2026-11-01', '2026-11-03'],
    ['that ends on the long day', '2026-10-30', '2026-11-01'],
  ] as const) {
    it(`${name} replaces the others from its first local midnight to its last`, () => {
      const rules = vacation(from, to);
      const { events } = run(
        `${dateOf(day(from) - 2)}T06:00:00Z`,
        `${dateOf(day(to) + 3)}T06:00:00Z`,
        () => 1,
        rules,
      );
      const inside = (one: UsageEvent) => {
        const local = DENVER(one.at);
        return local >= day(from) && local <= day(to);
      };
      const vacationEvents = events.filter(({ code }) => code === 'usage.vacation');
      expect(told(vacationEvents.filter(({ phase }) => phase !== 'update'))).toEqual([
        'usage.vacation raise',
        'usage.vacation clear',
      ]);
      expect(vacationEvents.filter(({ phase }) => phase !== 'clear').every(inside)).toBe(true);
      const others = events.filter(
        ({ code, phase }) => code !== 'usage.vacation' && phase === 'raise',
      );
      expect(others.length).toBeGreaterThan(2);
      expect(others.some(inside)).toBe(false);
      // What stood when it began was cleared with its first reading.
      const cleared = events.filter(({ data }) => data['outcome'] === 'vacation');
      expect(cleared.map((one) => dateOf(DENVER(one.at)))).toContain(from);
    });
  }
});

describe('an alert', () => {
  const daily = { ...RULES, daily: { amount: 1, unit: 'ft3' } as const };

  it('is known again after a restart', () => {
    const before = run('2026-06-01T06:00:00Z', '2026-06-01T20:00:00Z', () => 1, daily);
    const loaded = JSON.parse(JSON.stringify(before.usage)) as Usage;
    const after = run('2026-06-01T21:00:00Z', '2026-06-02T06:00:00Z', () => 1, daily, loaded);
    expect(told(before.events)).toEqual(['usage.daily raise']);
    expect(told(after.events)).toEqual(['usage.daily clear']);
    expect(after.events[0]?.alarm).toBe(before.events[0]?.alarm);
  });

  it('outlives a change-out to another dial', () => {
    const before = run('2026-06-01T06:00:00Z', '2026-06-01T20:00:00Z', () => 1, daily);
    const dial = { digits: 6, unit: 'gal', pow10: 0 } as const;
    const changed = changeDial(before.usage, DIAL, dial);
    const after = run(
      '2026-06-01T21:00:00Z',
      '2026-06-02T05:00:00Z',
      () => 1,
      { ...daily, dial },
      changed,
    );
    expect(after.events).toEqual([]);
    expect(after.usage.standing['usage.daily']).toBeDefined();
  });

  it('of a billing cycle loses no more than a count by a change-out to a dial of a thousand times the step', () => {
    const cycle = { ...RULES, billingCycle: { amount: 600, unit: 'ft3', day: 1 } as const };
    const from = '2026-06-01T07:00:00Z';
    const { usage } = run(from, '2026-06-20T06:00:00Z', () => 13, cycle);
    const dial = { unit: 'ft3', pow10: 2 } as const;
    const changed = changeDial(usage, DIAL, dial);
    for (let days = 0; days <= usage.past.length; days++) {
      const sum = ({ use, past }: Usage) => past.slice(0, days).reduce((a, b) => a + b, use);
      expect(sum(changed)).toBe(Math.floor(sum(usage) / 1000));
    }
    const step = { at: at('2026-06-20T06:15:00Z'), elapsedMs: 900_000, counts: 1 };
    expect(told(consume(changed, step, { ...cycle, dial }).events)).toEqual([
      'usage.billing_cycle raise',
    ]);
  });

  it('of no use is raised after the days asked for and cleared by one count', () => {
    const none = { ...RULES, noUseDays: 3 };
    const still = (now: number) => (now === at('2026-06-06T06:00:00Z') ? 1 : 0);
    const { events } = run('2026-06-01T06:00:00Z', '2026-06-07T06:00:00Z', still, none);
    expect(told(events.filter(({ phase }) => phase !== 'update'))).toEqual([
      'usage.none raise',
      'usage.none clear',
    ]);
    expect(events[0]?.at).toBe(at('2026-06-04T06:00:00Z'));
  });

  it('of an inactive service is raised by its second count', () => {
    const inactive = { ...RULES, service: 'inactive' } as const;
    const { usage, events } = run(
      '2026-06-01T06:00:00Z',
      '2026-06-01T12:00:00Z',
      () => 1,
      inactive,
    );
    expect(told(events)).toEqual(['usage.inactive_service raise']);
    const active = reconfigure(usage, at('2026-06-01T13:00:00Z'), RULES);
    expect(told(active.events)).toEqual(['usage.inactive_service clear']);
    const again = reconfigure(active.usage, at('2026-06-01T14:00:00Z'), inactive);
    expect(again.events).toEqual([]);
  });

  it('of an inactive service is major from raise to clear', () => {
    const off = { ...RULES, service: 'inactive' } as const;
    const { usage, events } = run('2026-06-01T06:00:00Z', '2026-06-03T12:00:00Z', () => 1, off);
    const all = [...events, ...reconfigure(usage, usage.at, RULES).events];
    expect(all.map(({ phase, severity }) => `${phase} ${severity}`)).toEqual([
      ...['raise major', 'update major', 'update major', 'clear major'],
    ]);
  });

  it('of an inactive service counts nothing that may have run before it was off', () => {
    const off = { ...RULES, service: 'inactive' } as const;
    const { usage } = run('2026-06-01T06:00:00Z', '2026-06-01T12:00:00Z', () => 1, RULES);
    const set = reconfigure(usage, usage.at, off).usage;
    // The tap was open until ten minutes after the last reading, and the service off after a quarter of an hour.
    const first = consume(set, { at: set.at + 900_000, elapsedMs: 900_000, counts: 40 }, off);
    expect(first.events).toEqual([]);
    const second = consume(
      ...([first.usage, { at: set.at + 1_800_000, elapsedMs: 900_000, counts: 2 }, off] as const),
    );
    expect(told(second.events)).toEqual(['usage.inactive_service raise']);
    // A dial at rest has been read under the service that is off.
    const still = consume(set, { at: set.at + 900_000, elapsedMs: 900_000, counts: 0 }, off);
    expect(still.usage.stray).toBe(0);
  });

  it('of a day that is over is not raised by what is set later, while the meter is silent', () => {
    const { usage } = run('2026-06-01T06:00:00Z', '2026-06-01T20:00:00Z', () => 1, RULES);
    const later = at('2026-06-20T12:00:00Z');
    const cycle = { ...daily, billingCycle: { amount: 1, unit: 'ft3', day: 1 } as const };
    expect(told(reconfigure(usage, usage.at, cycle, later).events)).toEqual([
      'usage.billing_cycle raise',
    ]);
    expect(told(reconfigure(usage, usage.at, daily, usage.at).events)).toEqual([
      'usage.daily raise',
    ]);
  });

  it('of a vacation that is over says that its window has ended', () => {
    const [from, to] = [day('2026-06-01'), day('2026-06-02')];
    const away = { ...RULES, vacation: { amount: 1, unit: 'ft3', from, to } as const };
    const { events } = run('2026-06-01T06:00:00Z', '2026-06-03T06:00:00Z', () => 1, away);
    expect(events.at(-1)).toMatchObject({
      ...{ code: 'usage.vacation', phase: 'clear', data: { outcome: 'the end of the window' } },
    });
  });

  it('is raised once, whatever is set a thousand times', () => {
    const before = run('2026-06-01T06:00:00Z', '2026-06-10T20:00:00Z', () => 1, RULES);
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(`settings ${seed}`);
      const raised: string[] = [];
      let usage = before.usage;
      for (let i = 0; i < 1000; i++) {
        const standing = new Set(Object.keys(usage.standing));
        const after = reconfigure(usage, at('2026-06-10T20:00:00Z') + i, anyRules(random));
        const now = after.events.filter(({ phase }) => phase === 'raise').map(({ code }) => code);
        expect(now.filter((code) => standing.has(code))).toEqual([]);
        raised.push(...now);
        usage = after.usage;
      }
      expect(raised.length, `seed ${seed}`).toBeGreaterThan(1);
      expect([...new Set(raised)], `seed ${seed}`).toEqual(raised);
    }
  });
});
