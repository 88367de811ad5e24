// The leak watch of one meter: one accepted reading in, what it says of leaks out.

import { type Bank, binOf, disproofHours, fade, learnPeak, limitOf, newBank, turn } from './bank.ts';
import { type Gaps, newGaps, type Regularity, space } from './gaps.ts';
import { EVERY_H, louder, type Nights, newNights, night, wake } from './nights.ts';
import { CLOCKS_MAX, type Rates } from './rates.ts';
import { isUsual, newSchedules, remember, type Schedules } from './schedules.ts';
import { cut, finest, newSegments, piece, quietest, type Segments } from './segments.ts';
import { newSteady, run, type Steady, steadyRun } from './steady.ts';

export interface WatchRules {
  readonly rates: Rates;
  readonly pollMs: number;
}

/** One accepted reading: `hours` of true time since the one before, `counts` moved (signed). */
export interface Step {
  readonly at: number;
  readonly hours: number;
  readonly counts: number;
  /** What passed since the reading before is not known to be use within `hours`. */
  readonly broken: boolean;
}

export interface Alarm {
  readonly id: number;
  readonly code: string;
  /** The clock that raised it; it may rise with the leak. */
  clock: number;
  /** True time of the beginning and of the raise, in hours; and in epoch ms. */
  readonly since: number;
  readonly raised: number;
  readonly sinceAt: number;
  /** Rate as last told, counts an hour. */
  rate: number;
  /** Bounds taken since the raise, the newest last. */
  bounds: number[];
  boundAt: number;
  counts: number;
  lack: number;
  most: number;
  /** Evidence at the raise. */
  readonly seen: number;
}

export interface Watch {
  now: number;
  days: number;
  /** Hours since a count, since what passed was unknown, in debt. */
  idle: number;
  unbroken: number;
  debt: number;
  debtHours: number;
  next: number;
  readonly bank: Bank;
  readonly segments: Segments;
  readonly gaps: Gaps;
  readonly schedules: Schedules;
  readonly steady: Steady;
  readonly nights: Nights;
  alarms: Alarm[];
}

export interface WatchEvent {
  readonly phase: 'raise' | 'update' | 'clear';
  readonly alarm: Alarm;
  readonly at: number;
}

export function newWatch(): Watch {
  return {
    now: 0, days: 0, idle: 0, unbroken: 0, debt: 0, debtHours: 0, next: 1,
    bank: newBank(CLOCKS_MAX), segments: newSegments(), gaps: newGaps(),
    schedules: newSchedules(), steady: newSteady(), nights: newNights(), alarms: [],
  };
}

export const P = {
  steadyH: 1.4, hoseGph: 250, minGph: 8, minH: 4.1, mildGph: 75, mildH: 2.6, spreadK: 3, spreadF: 1.5, hoseH: 2.2, leastSlow: 6, nights: 13, both: 0.6, sum: 1.5, consistSlow: 1.7, least: 9, steadyStartH: 4, consist: 1.8, fine: 0.8, demoteH: 24, demoteF: 0.15, demoteS: 0.7, selfH: 96,  clear: 0.7, clearCap: 1.2, clearLag: 1.1, mostF: 1.25, mostMax: 2.5,  startDays: 6,
};

export function watch(w: Watch, step: Step, rules: WatchRules): WatchEvent[] {
  const events: WatchEvent[] = [];
  const { rates } = rules;
  const pollH = rules.pollMs / 3_600_000;
  const hours = step.hours;
  w.now += hours;
  let counts = step.counts;
  if (counts < 0) { w.debt -= counts; counts = 0; }
  const pay = Math.min(w.debt, counts);
  w.debt -= pay; counts -= pay;
  if (step.broken) {
    w.bank.lack.fill(0); w.unbroken = 0;
    Object.assign(w.gaps, newGaps());
    w.steady.hours = -1; w.steady.pieces = 0;
    return events;
  }
  w.unbroken += hours;
  w.idle = counts > 0 ? 0 : w.idle + hours;
  const top = w.alarms.reduce((m, a) => Math.max(m, a.clock), -1);
  const learnFrom = w.idle > 12 ? 999 : top < 0 ? 0 : top + 4;
  const bin = binOf(step.at);
  turn(w.bank, rates, {
    now: w.now, hours, watched: Math.min(hours, 1.25 * pollH), counts, bin, learnFrom, unbroken: w.unbroken,
  });
  const day = Math.floor(w.now / 24);
  if (day > w.days) { w.days = day; if (top < 0) fade(w.bank, day); }
  for (const a of w.alarms) a.counts += counts;
  const regular = space(w.gaps, hours, counts, pollH);
  if (regular) addRegular(w, rates, regular);
  const closed = cut(w.segments, hours, counts);
  if (closed) {
    const p = piece(w.segments, 1);
    if (p) {
      const hod = (step.at / 3_600_000) % 24;
      const ended = run(w.steady, p.hours, p.counts, rates.q, w.now, hod);
      if (ended && ended.hours >= 0.5) remember(w.schedules, w.steady.start, ended.hours, ended.perHour, w.now);
    }
    refreshRates(w, events, step.at, rates);
    if (w.now - w.nights.at >= EVERY_H) {
      w.nights.at = w.now;
      if (w.now >= 30) {
        const bound = finest(w.segments, 30, 0);
        night(w.nights, bound * rates.q, w.alarms.length > 0);
        if (w.alarms.length === 0) raiseByNights(w, rates, step.at, events, bound);
      }
    }
  }
  clearAlarms(w, rates, { hours, counts, at: step.at }, events);
  if (closed || counts > 0) {
    raiseByClock(w, rates, step.at, events, regular);
    raiseBySteady(w, rates, step.at, events);
  }
  return events;
}

function addRegular(w: Watch, rates: Rates, regular: Regularity): void {
  for (let k = 0; k < rates.perHour.length; k++) {
    const c = (rates.perHour[k] as number) * regular.hours;
    if (c >= 0.62 && c <= 1.06 && (w.bank.evidence[k] as number) > 0)
      w.bank.evidence[k] = (w.bank.evidence[k] as number) + regular.evidence;
  }
}

function refreshRates(w: Watch, events: WatchEvent[], at: number, rates: Rates): void {
  for (const a of w.alarms) {
    if (w.now - a.boundAt < 6) continue;
    a.boundAt = w.now;
    const span = Math.min(w.now - a.since, (rates.gph[a.clock] as number) < 1 ? 47 : 24);
    const b = P.fine ? finest(w.segments, span, P.fine / (rates.perHour[a.clock] as number)) : quietest(w.segments, span, rates.perHour[a.clock] as number);
    if (Number.isFinite(b)) {
      a.bounds.push(b); if (a.bounds.length > 28) a.bounds.shift();
      const s = [...a.bounds].sort((x, y) => x - y);
      a.rate = Math.max(s[s.length >> 1] as number, 0.72 * (rates.perHour[a.clock] as number));
      a.most = 0; a.lack = 0;
      replay(w, a, Math.min(a.rate, P.clearCap * (rates.perHour[a.clock] as number)));
      events.push({ phase: 'update', alarm: { ...a }, at });
    }
  }
}

function clearAlarms(w: Watch, rates: Rates, step: { hours: number; counts: number; at: number }, events: WatchEvent[]): void {
  for (const a of [...w.alarms]) {
    const base = Math.min(a.rate, P.clearCap * (rates.perHour[a.clock] as number));
    if (!sink(a, base, step.hours, step.counts)) continue;
    if (!demote(w, a, rates, events, step.at)) end(w, a, rates, events, step.at);
  }
}

/** True when the leak is disproved. */
function sink(a: Alarm, rate: number, hours: number, counts: number): boolean {
  const lack = a.lack + P.clear * rate * hours - counts;
  if (counts > 0) a.most = Math.max(a.most, Math.min(P.mostMax, lack + counts));
  a.lack = Math.max(0, lack);
  return lack > Math.max(P.clearLag, Math.min(P.mostMax, P.mostF * a.most));
}

function demote(w: Watch, a: Alarm, rates: Rates, events: WatchEvent[], at: number): boolean {
  if (w.now - a.raised > P.demoteH) return false;
  for (let j = a.clock - 1; j >= 0 && (rates.perHour[j] as number) > P.demoteF * a.rate; j--) {
    if ((w.bank.evidence[j] as number) < P.demoteS * limitOf(w.bank, rates, j, w.days)) continue;
    if ((w.bank.since[j] as number) > a.since + 0.5) continue;
    a.clock = j;
    a.rate = Math.max(rates.perHour[j] as number, Math.min(0.9 * a.rate, finest(w.segments, Math.min(24, w.now - a.since), P.fine / (rates.perHour[j] as number))));
    a.bounds = [a.rate]; a.most = 0; a.lack = 0;
    replay(w, a, Math.min(a.rate, P.clearCap * (rates.perHour[j] as number)));
    events.push({ phase: 'update', alarm: { ...a }, at });
    return true;
  }
  return false;
}

function end(w: Watch, a: Alarm, rates: Rates, events: WatchEvent[], at: number): void {
  w.alarms = w.alarms.filter((o) => o !== a);
  events.push({ phase: 'clear', alarm: { ...a }, at });
  const len = w.now - a.since;
  if (w.now - a.raised < 48) {
    const hod = (((at / 3_600_000 - len) % 24) + 24) % 24;
    if (len < 48) remember(w.schedules, hod, len, a.rate, w.now);
  }
  for (let j = Math.max(0, a.clock - P.spreadK); j <= Math.min(rates.perHour.length - 1, a.clock + P.spreadK); j++) {
    if (w.now - a.raised < P.selfH) learnPeak(w.bank, j, P.spreadF * a.seen);
  }
  wake(w.nights);
  for (let j = 0; j < rates.perHour.length; j++) {
    w.bank.evidence[j] = 0; w.bank.known[j] = 0; w.bank.since[j] = w.now; w.bank.lack[j] = 0;
  }
}

function startLimit(gph: number): number {
  if (gph >= 15) return 10;
  if (gph >= 4) return 18;
  return 18 * (4 / gph) ** 1.35;
}

function raiseByClock(w: Watch, rates: Rates, at: number, events: WatchEvent[], regular: Regularity | null): void {
  const low = w.alarms.reduce((m, a) => Math.max(m, a.rate), 0);
  for (let k = rates.perHour.length - 1; k >= 0; k--) {
    const c = rates.perHour[k] as number;
    if (low > 0 && c < 3 * low) break;
    const S = w.bank.evidence[k] as number;
    const gph = rates.gph[k] as number;
    const byRun = regular !== null && regular.run > 12 && c * regular.hours >= 0.62 && c * regular.hours <= 1.06;
    if (S < 5 && !byRun) continue;
    const hours = w.now - (w.bank.since[k] as number);
    if (gph >= P.minGph && hours < P.minH && !byRun) continue;
    const limit = limitOf(w.bank, rates, k, w.days);
    if (!byRun) {
      if (S < limit) continue;
      if (w.days < P.startDays || w.bank.known[k] === 0) {
        if (S < 12 || hours < startLimit(gph)) continue;
      }
    }
    const span = Math.min(24, Math.max(hours, 1));
    const bound = quietest(w.segments, span, c);
    if (bound > (gph < 1.3 ? P.consistSlow : P.consist) * c && S < 3 * limit) continue;
    const hod = (((at / 3_600_000 - hours) % 24) + 24) % 24;
    if (gph >= 3 && isUsual(w.schedules, hod, hours, c, w.now)) continue;
    raise(w, rates, k, w.now - hours, Math.max(bound, 0.72 * c), at, events, byRun ? 'run' : S>=3*limit?'clock3': w.days < P.startDays || w.bank.known[k] === 0 ?'start':gph<1.2?'slow':'clock');
    return;
  }
}

function raiseByNights(w: Watch, rates: Rates, at: number, events: WatchEvent[], bound: number): void {
  const loud = louder(w.nights) / P.nights;
  if (loud < P.both) return;
  if (bound * rates.q < 0.2) return;
  let k = 0;
  while (k + 1 < rates.perHour.length && (rates.perHour[k + 1] as number) <= 0.9 * bound) k++;
  const hours = w.now - (w.bank.since[k] as number);
  if (hours < 24) return;
  if (loud < 1) {
    const j = Math.max(0, k - 1);
    const part = Math.max((w.bank.evidence[k] as number) / limitOf(w.bank, rates, k, w.days), (w.bank.evidence[j] as number) / limitOf(w.bank, rates, j, w.days));
    if (part < P.both || loud + part < P.sum) return;
  }
  raise(w, rates, k, w.now - hours, bound, at, events, 'nights');
}

function raise(w: Watch, rates: Rates, k: number, since: number, rate: number, at: number, events: WatchEvent[], code: string) {
  const alarm: Alarm = {
    id: w.next++, code, clock: k, since, raised: w.now, sinceAt: at - (w.now - since) * 3_600_000,
    rate, bounds: [rate], boundAt: w.now, counts: 0, lack: 0, most: 0, seen: Math.min(w.bank.evidence[k] as number, limitOf(w.bank, rates, k, w.days)),
  };
  replay(w, alarm, Math.min(rate, P.clearCap * (rates.perHour[k] as number)));
  w.alarms.push(alarm);
  events.push({ phase: 'raise', alarm: { ...alarm }, at });
}

function raiseBySteady(w: Watch, rates: Rates, at: number, events: WatchEvent[]): void {
  if (w.steady.hours < P.steadyH) return;
  const now = steadyRun(w.steady);
  if (!now) return;
  const low = w.alarms.reduce((m, a) => Math.max(m, a.rate), 0);
  if (low > 0 && now.perHour < 3 * low) return;
  if (now.hours < (w.days < 3 ? P.steadyStartH : P.steadyH)) return;
  if (isUsual(w.schedules, w.steady.start, now.hours, now.perHour, w.now)) return;
  let k = 0;
  while (k + 1 < rates.perHour.length && (rates.perHour[k + 1] as number) <= now.perHour) k++;
  if (now.perHour * rates.q < P.mildGph && now.hours < P.mildH) return;
  if (now.perHour * rates.q > P.hoseGph && now.hours < P.hoseH) return;
  raise(w, rates, k, w.steady.since, now.perHour, at, events, 'steady');
}
/** What the evidence itself shows of the leak's lags. */
function replay(w: Watch, a: Alarm, rate: number): void {
  const span = w.now - a.since;
  let hours = 0;
  let back = 1;
  for (let p = piece(w.segments, back); p && hours + p.hours <= span; p = piece(w.segments, ++back)) hours += p.hours;
  for (back -= 1; back >= 1; back--) {
    const p = piece(w.segments, back);
    if (p) sink(a, rate, p.hours, p.counts);
  }
}
void disproofHours;
