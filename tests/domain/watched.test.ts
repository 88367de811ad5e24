// A place under watch brought up to date from increments: as if every reading had been there, and nothing decided by what they do not tell.

import { describe, expect, it } from 'vitest';
import type { Said } from '../../src/domain/alerts.ts';
import type { Increment } from '../../src/domain/entry.ts';
import { stepBetween } from '../../src/domain/followed.ts';
import { newInstallation } from '../../src/domain/installation.ts';
import { UTC } from '../../src/domain/usage/civil.ts';
import {
  arrive,
  beginWatched,
  nextInstallation,
  recall,
  rest,
  see,
  type Watched,
  type WatchedRules,
} from '../../src/domain/watched.ts';
import { DIAL, HOUR_MS, POLL_MS, type Register, registers, T0 } from './leaks/watched.ts';

const DAY_MS = 24 * HOUR_MS;
const RULES: WatchedRules = {
  ...{ dial: DIAL, pollMs: POLL_MS, makers: [] },
  usage: {
    ...{ dial: DIAL, pollMs: POLL_MS, zone: UTC, service: 'active' },
    daily: { amount: 30, unit: 'ft3' },
  },
};
const LEAK = { perHour: 8, from: 10, to: 12 };

/** The state of the dial's life after each register, as far as the watch looks at it. */
function lives(all: readonly Register[]) {
  let steps = 0;
  return all.map(({ at, count }, seq) => {
    steps += seq === 0 || count !== all[seq - 1]?.count ? 1 : 0;
    const clock = { boot: 'b', at, mono: at, heldSince: null, waitedOut: false };
    const last = { seq, at, read: count, total: count - (all[0]?.count ?? 0), clock };
    return { ...newInstallation(1), steps, clock, last };
  });
}

/** What a journal keeps of them. */
function incrementsOf(all: readonly Register[]): Increment[] {
  const kept: Increment[] = [];
  for (const [i, { at, count }] of all.entries()) {
    const before = all[i - 1];
    if (before && before.count === count) continue;
    const { at: fromAt, count: fromRead } = before ?? { at, count };
    const common = { inst: 1, seq: kept.length, fromAt, fromRead, toAt: at, toRead: count };
    kept.push({ ...common, counts: count - fromRead, kind: before ? 'forward' : 'first' });
  }
  return kept;
}

function live(all: readonly Register[]): { watched: Watched; said: Said[] } {
  const watched = beginWatched(1);
  const said: Said[] = [];
  let before = newInstallation(1);
  for (const after of lives(all)) {
    said.push(...see(watched, before, after, RULES));
    before = after;
  }
  return { watched, said };
}

const brief = (said: readonly Said[]) =>
  said.map(({ name, phase, at }) => `${name} ${phase} ${new Date(at).toISOString()}`);

describe('a place that is brought up to date', () => {
  const all = registers({ days: 14, seed: 'w', leak: LEAK });

  it('has said what it would have said reading by reading, and knows the same', () => {
    const whole = live(all);
    const watched = beginWatched(1);
    const said = incrementsOf(all).flatMap((step) => recall(watched, step, RULES));
    const end = lives(all).at(-1);
    if (!end?.last) throw new Error('no reading');
    const { at, read, total } = end.last;
    said.push(...arrive(watched, { steps: end.steps, at, read, total }, RULES));
    expect(brief(said)).toEqual(brief(whole.said));
    expect(whole.said.some(({ name, phase }) => name === 'leak-1' && phase === 'clear')).toBe(true);
    expect(whole.said.some(({ name }) => name === 'usage.daily')).toBe(true);
    expect(watched.seen).toEqual(whole.watched.seen);
    expect(watched.usage).toEqual(whole.watched.usage);
  });

  it('where increments are missing it says nothing of leaks', () => {
    const during = all.filter(({ at }) => at < T0 + 11 * DAY_MS);
    const steps = incrementsOf(during);
    const watched = beginWatched(1);
    const said = steps.flatMap((step, i) =>
      i > steps.length - 40 && i < steps.length - 20 ? [] : recall(watched, step, RULES),
    );
    const leaks = said.filter(({ name }) => name.startsWith('leak-'));
    expect(leaks.filter(({ phase }) => phase !== 'update').map(({ phase }) => phase)).toEqual([
      'raise',
    ]);
    expect(watched.watch.standing).toHaveLength(1);
  });

  it('a wall clock that stepped unseen clears nothing, and puts no use on a wrong day', () => {
    const steps = incrementsOf(all.filter(({ at }) => at < T0 + 11 * DAY_MS));
    for (const by of [-400 * DAY_MS, -3 * DAY_MS, -HOUR_MS, 9 * HOUR_MS, 5 * DAY_MS]) {
      const stepped = steps.map((step, i) => {
        const shift = (k: number) => (k >= steps.length - 30 && k < steps.length - 10 ? by : 0);
        return { ...step, fromAt: step.fromAt + shift(i - 1), toAt: step.toAt + shift(i) };
      });
      const watched = beginWatched(1);
      const said = stepped.flatMap((step) => recall(watched, step, RULES));
      const leaks = said.filter(({ name }) => name.startsWith('leak-'));
      expect(leaks.filter(({ phase }) => phase === 'clear')).toEqual([]);
      expect(watched.watch.standing, String(by)).toHaveLength(1);
    }
  });

  it('a rest of years is a wrong clock, not a million polls', () => {
    const { watched } = live(all.slice(0, 96));
    const until = T0 + 60 * 365 * DAY_MS;
    expect(rest(watched, until, RULES).filter(({ name }) => name.startsWith('leak-'))).toEqual([]);
    expect(watched.seen?.at).toBe(until);
  });

  it('an absence of weeks by the wall clock is nothing that a meter is known by', () => {
    const off = (days: number) => {
      const [before, after] = lives([
        { at: T0, count: 10 },
        { at: T0 + days * DAY_MS, count: 10 },
      ]);
      if (!before || !after) throw new Error('two lives');
      const { last } = after;
      return stepBetween(before, {
        ...after,
        last: { ...last, clock: { ...last.clock, boot: 'c' } },
      });
    };
    expect(off(1)).toMatchObject({ broken: false, elapsedMs: DAY_MS });
    expect(off(30)).toMatchObject({ broken: true });
  });

  it('another dial begins afresh and keeps what the place has used, in its own counts', () => {
    const { watched } = live(all.slice(0, 96 * 2 + 40));
    const used = watched.usage.use;
    expect(used).toBeGreaterThan(10);
    nextInstallation(watched, 2, DIAL, { digits: 6, unit: 'ft3', pow10: 0 });
    expect(watched.usage.use).toBe(Math.floor(used / 10));
    expect(watched).toMatchObject({ inst: 2, seen: null, watch: { now: 0, standing: [] } });
  });

  it('readings under a doubtful clock count as use when it is believed', () => {
    const watched = beginWatched(1);
    const states = lives(all.slice(0, 300));
    let before = newInstallation(1);
    for (const [i, after] of states.entries()) {
      const held = i >= 200 && i < 220 ? 0 : null;
      const clock = { ...after.clock, heldSince: held };
      see(watched, before, { ...after, clock }, RULES);
      if (i === 219) expect(watched.used?.at).toBe(states[199]?.last.at);
      before = after;
    }
    expect(watched.used?.at).toBe(states.at(-1)?.last.at);
    expect(watched.usage.total).toBe(states.at(-1)?.last.total);
  });
});
