// Alerts in an installation's book: one number from raise to clear, nothing raised twice, nothing cleared that was not raised.

import { describe, expect, it } from 'vitest';
import { type AlarmState, NO_ALARMS } from '../../src/domain/alarms.ts';
import {
  acknowledge,
  disown,
  endAlerts,
  pausesOf,
  type Said,
  standingAlarm,
  tell,
} from '../../src/domain/alerts.ts';
import { inVolumes } from '../../src/domain/evidence.ts';

const say = (name: string, phase: Said['phase'], more: Partial<Said> = {}): Said => ({
  ...{ name, code: 'leak.slow', severity: 'minor', phase, at: 100, since: 50 },
  ...{ data: { clears_after_h: 6 }, ...more },
});

/** Tells one after another; phases and numbers, and the book. */
function course(before: AlarmState, said: readonly Said[]) {
  const { alarms, events } = tell(before, 1, said);
  return { alarms, told: events.map((one) => `${one.phase} ${one.alarm}.${one.message}`) };
}

describe('the book of alerts', () => {
  it('gives one number from raise to clear, shared with all other alarms of the installation', () => {
    const first = course({ ...NO_ALARMS, next: 7 }, [say('leak-1', 'raise')]);
    expect(first.told).toEqual(['raise 7.0']);
    const rest = course(first.alarms, [say('leak-1', 'update'), say('leak-1', 'clear')]);
    expect(rest.told).toEqual(['update 7.1', 'clear 7.2']);
    expect(rest.alarms).toMatchObject({ next: 8, alerts: {} });
  });

  it('raises nothing twice, clears nothing that was not raised, and raises what an update finds untold', () => {
    const { told } = course(NO_ALARMS, [
      ...[say('leak-1', 'clear'), say('leak-1', 'raise'), say('leak-1', 'raise')],
      say('leak-2', 'update'),
    ]);
    expect(told).toEqual(['raise 1.0', 'raise 2.0']);
  });

  it('a leak that nobody remembers is the one that is found anew, under its number and code', () => {
    const { alarms } = course(NO_ALARMS, [say('leak-4', 'raise')]);
    const lost = disown(alarms, new Set());
    expect(disown(lost, new Set())).toBe(lost);
    const after = tell(lost, 1, [say('leak-1', 'raise', { code: 'leak.continuous', since: 90 })]);
    expect(after.events).toMatchObject([
      { phase: 'update', alarm: 1, message: 1, code: 'leak.slow', since: 50 },
    ]);
    expect(course(after.alarms, [say('leak-1', 'clear')]).told).toEqual(['clear 1.2']);
  });

  it("a maker's rule is not taken for the leak that nobody remembers", () => {
    const { alarms } = course(NO_ALARMS, [say('leak-4', 'raise')]);
    const lost = disown(alarms, new Set());
    const { told } = course(lost, [say('rule-hours-24', 'raise'), say('leak-1', 'raise')]);
    expect(told).toEqual(['raise 2.0', 'update 1.1']);
  });

  it('a leak that nobody remembers and that is not found anew ends with the pause that it said would end it', () => {
    const { alarms } = course(NO_ALARMS, [say('leak-4', 'raise')]);
    expect(pausesOf(alarms, 100, 0)).toEqual([]);
    const lost = disown(alarms, new Set());
    expect(pausesOf(lost, 5.9, 0)).toEqual([]);
    const said = pausesOf(lost, 6, 300);
    expect(course(lost, said).told).toEqual(['clear 1.1']);
    expect(disown(alarms, new Set(['leak-4']))).toBe(alarms);
  });

  it('leaks end with their meter, alerts of use go on with the place', () => {
    const { alarms } = course(NO_ALARMS, [
      say('leak-1', 'raise'),
      say('rule-hours-24', 'raise'),
      say('usage.daily', 'raise', { code: 'usage.daily' }),
    ]);
    const ended = endAlerts(alarms, 1, 200, 'changeout');
    expect(ended.events.map(({ phase, alarm }) => [phase, alarm])).toEqual([
      ['clear', 1],
      ['clear', 2],
    ]);
    const next = tell({ ...NO_ALARMS, alerts: ended.alarms.alerts ?? {} }, 2, [
      say('usage.daily', 'clear', { code: 'usage.daily' }),
    ]);
    expect(next.events).toMatchObject([{ inst: 1, alarm: 3, message: 1 }]);
  });

  it('what somebody knows of is told again only when it is graver or over', () => {
    const { alarms } = course(NO_ALARMS, [say('leak-1', 'raise')]);
    const known = acknowledge(alarms, 1, 1, 'A', 120);
    expect(known.events).toMatchObject([{ phase: 'update', message: 1, at: 120 }]);
    expect(standingAlarm(known.alarms, 1, 1, 1)).toMatchObject({ acknowledged: 'A' });
    const { told } = course(known.alarms, [
      ...[say('leak-1', 'update'), say('leak-1', 'update', { severity: 'major' })],
      ...[say('leak-1', 'update'), say('leak-1', 'clear')],
    ]);
    expect(told).toEqual(['update 1.2', 'clear 1.3']);
    expect(standingAlarm(alarms, 1, 2, 1)).toBeUndefined();
  });

  it('evidence in counts comes with its volumes in the unit of the dial', () => {
    const dial = { unit: 'ft3', pow10: -1 } as const;
    expect(inVolumes({ rate: 8, counts: 120, leak_counts: 30, why: 'no_pause' }, dial)).toEqual({
      ...{ rate_per_h: 0.8, counts: 120, volume: 12, leak_counts: 30, leak_volume: 3 },
      ...{ why: 'no_pause', unit: 'ft3' },
    });
  });
});
