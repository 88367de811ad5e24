// One place under watch in a running collector: leaks, use and makers' rules, stepped by its readings or by what the journal kept of them.

import type { AlarmState, Evidence } from './alarms.ts';
import { FOUND_LEAK, type Said } from './alerts.ts';
import type { Increment } from './entry.ts';
import { inVolumes } from './evidence.ts';
import { AWAY_MAX_MS, type Past, stepBetween } from './followed.ts';
import type { Installation } from './installation.ts';
import {
  applyMakers,
  MAKERS_CODES,
  type MakersEvent,
  type MakersRule,
  type MakersState,
  NO_MAKERS,
} from './leaks/makers.ts';
import { beginWatch, type LeakEvent, type Watch, type WatchStep, watch } from './leaks/watch.ts';
import type { Counts, Dial, EpochMs } from './units.ts';
import {
  changeDial,
  consume,
  NO_USAGE,
  reconfigure,
  type Usage,
  type UsageEvent,
  type UsageRules,
} from './usage/usage.ts';

/** The newest reading taken in: increments recorded up to it, the dial, and all that has passed it. */
export interface Seen {
  readonly steps: number;
  readonly at: EpochMs;
  readonly read: Counts;
  readonly total: Counts;
}

/** What is known of a place. Changed in place; the codec keeps it as a record. */
export interface Watched {
  inst: number;
  seen: Seen | null;
  watch: Watch;
  usage: Usage;
  makers: MakersState;
  /** Up to where use was counted: readings under a doubtful clock wait until it is believed. */
  used: { readonly at: EpochMs; readonly total: Counts } | null;
  /** It has seen what its increments will not tell: an elapsed time that the wall clock had wrong, or none at all. */
  torn: boolean;
}

export interface WatchedRules {
  readonly dial: Dial;
  readonly pollMs: number;
  readonly usage: UsageRules;
  readonly makers: readonly MakersRule[];
}

/** A place of which nothing is known yet. */
export function beginWatched(inst: number): Watched {
  return {
    inst,
    seen: null,
    watch: beginWatch(),
    usage: NO_USAGE,
    makers: NO_MAKERS,
    used: null,
    torn: false,
  };
}

/** Another meter stands there: the watch begins anew, what the place has used stays known. */
export function nextInstallation(watched: Watched, inst: number, from: Dial, to: Dial): void {
  const usage = changeDial(watched.usage, from, to);
  Object.assign(watched, { ...beginWatched(inst), usage });
}

/** Takes in what `after` has accepted since `before`, of the installation that is watched. */
export function see(
  watched: Watched,
  before: Past,
  after: Installation,
  rules: WatchedRules,
): readonly Said[] {
  const { last, steps, clock } = after;
  const { seen } = watched;
  if (!last) return NOTHING;
  if (seen && last === before.last) return NOTHING;
  const now = { steps, at: last.at, read: last.read, total: last.total };
  if (!seen) {
    begin(watched, now);
    return NOTHING;
  }
  const isNext = before.last !== null && before.last.total === seen.total;
  const step = isNext ? stepBetween(before, after) : unknown(seen, now);
  if (!step) return NOTHING;
  return take(watched, step, now, rules, clock?.heldSince == null);
}

/** What others took in, such as a dial read by a person: nobody knows when it passed. */
function unknown(seen: Seen, { at, total }: Seen): WatchStep {
  const elapsedMs = Math.max(0, at - seen.at);
  return { at, elapsedMs, counts: total - seen.total, broken: true };
}

function begin(watched: Watched, now: Seen): void {
  const { at, total } = now;
  watched.seen = now;
  watched.used = { at, total };
}

/** Takes in an increment that the journal kept, and the rest of the dial before it. */
export function recall(watched: Watched, step: Increment, rules: WatchedRules): Said[] {
  const { seq, fromAt, fromRead, toAt, toRead, counts } = step;
  const steps = seq + 1;
  const { seen } = watched;
  if (!seen || step.kind === 'first') {
    begin(watched, { steps, at: toAt, read: toRead, total: seen ? seen.total : 0 });
    return [];
  }
  const total = seen.total + counts;
  const now = { steps, at: toAt, read: toRead, total };
  const follows = seq === seen.steps && fromRead === seen.read && toAt >= fromAt;
  // A clock that was wrong then puts no use on its days.
  const believed = toAt >= (watched.used?.at ?? 0);
  if (!follows) return [...take(watched, { ...unknown(seen, now), counts }, now, rules, believed)];
  const said = rest(watched, fromAt, rules);
  const elapsedMs = toAt - Math.max(fromAt, seen.at);
  // Whether polls were missed for so long or the wall clock stepped, an increment does not tell.
  const broken = elapsedMs < 0 || elapsedMs > MISSED_POLLS * rules.pollMs;
  const since = { at: toAt, elapsedMs: Math.max(0, elapsedMs), counts, broken };
  return [...said, ...take(watched, since, now, rules, believed)];
}

/** The dial showed the same until `at`: as if it had been read at every poll, for that is what it would have shown. */
export function rest(watched: Watched, at: EpochMs, rules: WatchedRules): Said[] {
  const said: Said[] = [];
  const { seen: first } = watched;
  if (first && at - first.at > AWAY_MAX_MS) {
    const step = { at, elapsedMs: at - first.at, counts: 0, broken: true };
    return [...take(watched, step, { ...first, at }, rules, true)];
  }
  for (let { seen } = watched; seen && seen.at < at; seen = watched.seen) {
    const until = Math.min(at, seen.at + rules.pollMs);
    const step = { at: until, elapsedMs: until - seen.at, counts: 0, broken: false };
    const believed = until >= (watched.used?.at ?? 0);
    said.push(...take(watched, step, { ...seen, at: until }, rules, believed));
  }
  return said;
}

/**
 * The last of what is recalled: the dial stood until `now`. Where what was recalled does not lead there, nobody knows what
 * passed between.
 */
export function arrive(watched: Watched, now: Seen, rules: WatchedRules): readonly Said[] {
  const { seen, used } = watched;
  if (!seen) {
    begin(watched, now);
    return NOTHING;
  }
  if (seen.steps !== now.steps || seen.read !== now.read) {
    return take(watched, unknown(seen, now), now, rules, true);
  }
  // Where the first increments are thinned, sums began anew.
  if (used) watched.used = { at: used.at, total: used.total + now.total - seen.total };
  watched.seen = { ...seen, total: now.total };
  return rest(watched, now.at, rules);
}

/** Told so long ago, in hours: it is to be told again. */
const LONG_AGO_H = 1_000;

/** What stands and was never told is told with the next look at it. */
export function tellAgain(watched: Watched, told: (name: string) => boolean): void {
  for (const one of watched.watch.standing) {
    if (!told(leakName(one.alarm))) one.told = watched.watch.now - LONG_AGO_H;
  }
  const { standing } = watched.usage;
  const again = Object.entries(standing).map(([code, one]) => [
    code,
    told(code) ? one : { ...one, told: 0 },
  ]);
  watched.usage = { ...watched.usage, standing: Object.fromEntries(again) };
}

/** The names of the leaks that stand. */
export const standingLeaks = ({ watch }: Watched): readonly string[] =>
  watch.standing.map(({ alarm }) => leakName(alarm));

/** Takes rules in at once that have changed: what no longer holds is cleared, what does is raised. */
export function heedRules(
  watched: Watched,
  { alerts = {} }: AlarmState,
  at: EpochMs,
  rules: WatchedRules,
): readonly Said[] {
  const { usage, events } = reconfigure(watched.usage, watched.usage.at, rules.usage, at);
  watched.usage = usage;
  if (rules.makers.length === 0) watched.makers = NO_MAKERS;
  const apply = watched.makers.standing.filter((rule) => rules.makers.includes(rule));
  const said = events.map((one) => usageSaid(one, rules.dial));
  const raised = apply
    .filter((rule) => !alerts[ruleName(rule)])
    .map((rule) => makersSaid({ rule, phase: 'raise', at }));
  const stands = new Set<string>([
    ...[...Object.keys(usage.standing), ...apply.map(ruleName)],
    ...said.map(({ name }) => name),
  ]);
  const over = Object.entries(alerts)
    .filter(([name]) => /^(?:usage\.|rule-)/.test(name) && !stands.has(name))
    .map(([name, { code, severity, since }]): Said => {
      return { name, code, severity, phase: 'clear', at, since, data: { outcome: 'off' } };
    });
  return [...said, ...raised, ...over];
}

/**
 * Of what was recalled, what is to be told: a leak as it went; of use and of makers' rules only what stands, and the end of
 * what was told. The rules may be newer than the water: what they would have raised and cleared meanwhile is no news. Nor is a
 * service of which the memory says that it was off, and that is on: one of an older program says so of every service.
 */
export function tellable({ alerts = {} }: AlarmState, said: readonly Said[]): readonly Said[] {
  return said.filter(({ name }, i) => {
    const isEnd = (one: Said) => one.name === name && one.phase === 'clear';
    if (FOUND_LEAK.test(name) || i > said.findLastIndex(isEnd)) return true;
    return name in alerts && i <= said.findIndex(isEnd);
  });
}

const NOTHING: readonly Said[] = [];

function take(
  watched: Watched,
  step: WatchStep,
  now: Seen,
  rules: WatchedRules,
  believed: boolean,
): readonly Said[] {
  const wall = now.at - (watched.seen?.at ?? now.at);
  if (step.broken || Math.abs(wall - step.elapsedMs) > GRAIN_MS) watched.torn = true;
  watched.seen = now;
  const leaks = watch(watched.watch, step, rules);
  watched.watch = leaks.state;
  const used = believed ? count(watched, now, rules) : NO_EVENTS;
  const made = rules.makers.length > 0 && !step.broken ? judge(watched, step, rules) : NO_EVENTS;
  if (leaks.events.length + used.length + made.length === 0) return NOTHING;
  return [
    ...leaks.events.map((one) => leakSaid(one, rules.dial)),
    ...used.map((one) => usageSaid(one, rules.dial)),
    ...made.map(makersSaid),
  ];
}

const NO_EVENTS: readonly never[] = [];

/** Readings further apart than so many polls are missed polls between them. */
const MISSED_POLLS = 2.5;
/** Wall and true time apart by less is the grain of clocks. */
const GRAIN_MS = 2_000;

function count(watched: Watched, now: Seen, { usage }: WatchedRules) {
  const { at, total } = now;
  const before = watched.used ?? now;
  const elapsedMs = Math.max(0, at - before.at);
  const outcome = consume(watched.usage, { at, elapsedMs, counts: total - before.total }, usage);
  watched.usage = outcome.usage;
  watched.used = now;
  return outcome.events;
}

function judge(watched: Watched, step: WatchStep, { makers, pollMs }: WatchedRules) {
  const { state, events } = applyMakers(watched.makers, step, pollMs);
  watched.makers = state;
  return events.filter(({ rule }) => makers.includes(rule));
}

function leakSaid({ alarm, code, severity, phase, at, since, data }: LeakEvent, dial: Dial): Said {
  const name = leakName(alarm);
  return { name, code, severity, phase, at, since, data: inVolumes(data, dial) };
}

/** By which name a leak of the watch is told. */
export const leakName = (alarm: number): string => `leak-${alarm}`;

function usageSaid(event: UsageEvent, dial: Dial): Said {
  const { code, severity, phase, at, since } = event;
  const data: Evidence = 'use' in event.data ? inVolumes(event.data, dial) : event.data;
  return { name: code, code, severity, phase, at, since, data };
}

const ruleName = (rule: MakersRule): string => `rule-${rule}`;

function makersSaid({ rule, phase, at }: MakersEvent): Said {
  const data = { rule, clears: 'the rule does not apply any more' };
  const code = MAKERS_CODES[rule];
  return { name: ruleName(rule), code, severity: 'minor', phase, at, since: at, data };
}
