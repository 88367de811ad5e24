// Compares what a head-end keeps with what really passed: pure, entry by entry, never netted between entries or meters.

import type { Body, BodyChange, Sayings } from './audit-bodies.ts';
import { bodiesOf, bodyOf, settleArrival, settleRemoval } from './audit-bodies.ts';
import type { Account, Chain, Edge, Finding, Tally } from './audit-chain.ts';
import { note, settle, walkChain } from './audit-chain.ts';
import { checkChain } from './audit-checks.ts';
import type { Conflict, Dial, Entry, HourEntry, Installation, MeterEvent } from './entries.ts';
import { HOUR_MS, iso } from './entries.ts';
import type { ServedReading } from './served.ts';
import { servedNearest } from './served.ts';

export type { BodyChange } from './audit-bodies.ts';
export type { Finding, FindingCode } from './audit-chain.ts';

/** The truth as far as the audit needs it; `served` is in order of time. */
export interface TruthView {
  readonly meters: readonly (Dial & { readonly meter: string })[];
  /** What a body of a place sent; `body` counts the meters that stood there, from 1, the default. */
  served(meter: string, body?: number): readonly ServedReading[];
  /** The meters put in where one stood, in order of time; absent: nobody swapped one. */
  swaps?(meter: string): readonly BodyChange[];
}

export interface AuditOptions {
  /** Where each installation began, from the `meter` info messages. */
  readonly installations?: readonly Installation[];
  /** Arrivals that contradict an earlier one of the same key and rev. */
  readonly conflicts?: readonly Conflict[];
  /** What was told of the meters beside their hours: it excuses what was not counted on the dial of another meter. */
  readonly events?: readonly MeterEvent[];
  /** Simulated ms in one real ms; makes the slack when none is given. */
  readonly speed?: number;
  /** How far in simulated ms a reading's time may lie from the moment its register was served. */
  readonly slackMs?: number;
  /** Every meter's hours are due up to this edge of an hour, in simulated epoch ms. */
  readonly until?: number;
  /** When the truth began, simulated epoch ms; with `until` it tells a meter that was never read at all. */
  readonly since?: number;
}

/** One meter's part of the audit, in counts of its own dial. */
export interface MeterAudit extends Readonly<Tally> {
  readonly meter: string;
  readonly hours: number;
  readonly gaps: number;
  /** Hours of each quality. */
  readonly qualities: Readonly<Record<string, number>>;
}

/** One installation's part, in counts of its dial; what is wrong in one is never made good by another. */
export interface InstallationAudit extends Readonly<Tally> {
  readonly meter: string;
  readonly inst: number;
}

export interface Audit extends Readonly<Tally> {
  readonly type: 'audit';
  readonly meters: number;
  readonly hours: number;
  readonly findings: readonly Finding[];
  readonly per_meter: readonly MeterAudit[];
  readonly per_installation: readonly InstallationAudit[];
}

/** A reading and the stamp a collector gives it lie within a poll's tolerance, or, speeded up, within 3 s of the wire. */
export function defaultSlackMs(speed = 1): number {
  return Math.max(20_000, 3_000 * speed);
}

function slackOf({ slackMs, speed }: AuditOptions): number {
  return slackMs ?? defaultSlackMs(speed);
}

function newAccount(meter: string, inst: number): Account {
  return { meter, inst, tally: sum([]), findings: [] };
}

/**
 * What was served after the last entry and up to `until`: lost where whole hours are missing from the end. Of a meter that
 * was taken away meanwhile the rest is never told, for nothing comes after it.
 */
function settleTail(chain: Chain, last: Edge, until: number | undefined, account: Account): void {
  const { body } = chain;
  const hours = chain.entries.filter((entry) => entry.kind === 'hour');
  const newest = hours.reduce<HourEntry | undefined>(
    (best, hour) => (best === undefined || hour.start > best.start ? hour : best),
    undefined,
  );
  const told = newest === undefined ? last.at - (last.at % HOUR_MS) : newest.start + HOUR_MS;
  const due = servedNearest(body.served, until ?? told);
  const passed = due === undefined ? 0 : due.count - last.count;
  if (until !== undefined && told < until) {
    note(account, 'hour.missing', `no hour was told from ${iso(told)} to ${iso(until)}`);
    settle(account, passed, 0);
    if (body.removed) {
      const seen = due?.count ?? last.count;
      account.tally.unaccounted += Math.max(0, body.removed.count - seen);
    }
  } else if (body.removed !== undefined && body.removed.at <= (until ?? told)) {
    settleRemoval(body, last, until ?? told, account);
  } else if (newest?.use === null) {
    account.tally.pending += passed;
  }
}

/** A meter of which the head-end holds nothing that was served: all that passed is lost. */
function settleAbsent(
  served: readonly ServedReading[],
  options: AuditOptions,
  account: Account,
): void {
  const { until, since } = options;
  const first = served[0];
  const due = until === undefined ? served.at(-1) : servedNearest(served, until);
  if (until !== undefined) {
    const begun = first === undefined ? (since ?? until) + HOUR_MS : first.at + slackOf(options);
    if (until < begun) return;
  }
  note(account, 'meter.absent', 'the head-end holds nothing that this meter served');
  if (first !== undefined && due !== undefined) settle(account, due.count - first.count, 0);
}

/** Between two installations on one dial nothing may pass uncounted. */
function settleSeam(last: Edge | undefined, first: Edge | undefined, account: Account): void {
  if (last === undefined || first === undefined || last.count === first.count) return;
  note(account, 'installation.apart', `begins ${first.count - last.count} counts after the last`);
  settle(account, first.count - last.count, 0);
}

/** An installation that was ended by a change-out has told every hour that was over by then; the open one only where it was read in it. */
function checkEnd(chain: Chain, said: Sayings, account: Account): void {
  const { meter, inst, entries, installation, slackMs } = chain;
  const end = said.events.find(
    (event) => event.code === 'meter.changeout' && event.meter === meter && event.inst === inst,
  );
  const told = entries.map((entry) => (entry.kind === 'hour' ? entry.start + HOUR_MS : 0));
  const newest = Math.max(installation?.installed ?? 0, ...told);
  if (end === undefined || newest + HOUR_MS + slackMs >= end.at) return;
  note(account, 'hour.missing', `its hours were not told up to the change-out at ${iso(end.at)}`);
}

/** An installation with the body that it is, by its place among the bodies. */
interface Walked {
  readonly chain: Chain;
  readonly nth: number;
  readonly account: Account;
  readonly first: Edge | undefined;
  readonly last: Edge | undefined;
}

function walk(chain: Chain, nth: number, said: Sayings): Walked {
  const account = newAccount(chain.meter, chain.inst);
  checkChain(chain, account);
  checkEnd(chain, said, account);
  return { chain, nth, account, ...walkChain(chain, account) };
}

/** Settles what lies between two installations: on one dial nothing, between two dials what nobody could count. */
function settleBetween(
  before: Walked,
  after: Walked,
  bodies: readonly Body[],
  until: number,
  said: Sayings,
): void {
  if (before.nth === after.nth) {
    // A chain of which nothing could be tied to a register has no edges to compare.
    settleSeam(before.last, after.first, after.account);
    return;
  }
  if (before.last !== undefined) {
    settleRemoval(before.chain.body, before.last, until, before.account);
  }
  for (const missed of bodies.slice(before.nth + 1, after.nth)) {
    settleArrival(missed, undefined, missed.removed?.at ?? until, said, after.account);
  }
  if (after.first !== undefined) {
    settleArrival(after.chain.body, after.first, until, said, after.account);
  }
}

function auditMeter(
  meter: string,
  bodies: readonly Body[],
  entries: readonly Entry[],
  options: AuditOptions,
): Account[] {
  const places = (options.installations ?? []).filter((place) => place.meter === meter);
  const events = (options.events ?? []).filter((event) => event.meter === meter);
  const numbers = new Set([...entries, ...places].map(({ inst }) => inst));
  const slackMs = slackOf(options);
  const said = { events, slackMs };
  const until = options.until ?? Number.POSITIVE_INFINITY;
  const walked: Walked[] = [];
  for (const inst of [...numbers].sort((a, b) => a - b)) {
    const own = entries.filter((entry) => entry.inst === inst);
    const installation = places.find((place) => place.inst === inst);
    const before = walked.at(-1);
    const nth = bodyOf(bodies, before?.nth ?? 0, installation, own, slackMs);
    const body = bodies[nth] as Body;
    const capacity = 10 ** body.dial.digits;
    const after = walk(
      { meter, inst, body, capacity, entries: own, installation, slackMs },
      nth,
      said,
    );
    if (before) settleBetween(before, after, bodies, until, said);
    walked.push(after);
  }
  const newest = walked.at(-1);
  const tail = newAccount(meter, newest?.chain.inst ?? 1);
  const known = entries.length > 0 ? newest : undefined;
  if (known?.last === undefined) {
    const body = bodies[known?.nth ?? 0] as Body;
    settleAbsent(body.served, options, tail);
  } else {
    settleTail(known.chain, known.last, options.until, tail);
  }
  for (const untold of bodies.slice((newest?.nth ?? 0) + 1)) {
    settleArrival(untold, undefined, until, said, tail);
  }
  return [...walked.map(({ account }) => account), tail];
}

function sum(tallies: readonly Readonly<Tally>[]): Tally {
  const total: Tally = {
    truth: 0,
    head_end: 0,
    lost: 0,
    invented: 0,
    duplicates: 0,
    pending: 0,
    unaccounted: 0,
  };
  for (const tally of tallies) {
    total.truth += tally.truth;
    total.head_end += tally.head_end;
    total.lost += tally.lost;
    total.invented += tally.invented;
    total.duplicates += tally.duplicates;
    total.pending += tally.pending;
    total.unaccounted += tally.unaccounted;
  }
  return total;
}

function partOf(
  meter: string,
  accounts: readonly Account[],
  entries: readonly Entry[],
): MeterAudit {
  const qualities: Record<string, number> = {};
  let hours = 0;
  for (const entry of entries) {
    if (entry.kind === 'gap') continue;
    hours += 1;
    qualities[entry.q] = (qualities[entry.q] ?? 0) + 1;
  }
  const tally = sum(accounts.map((account) => account.tally));
  return { meter, hours, gaps: entries.length - hours, qualities, ...tally };
}

function bodiesIn(truth: TruthView, meter: string, dial: Dial): Body[] {
  return bodiesOf(dial, truth.swaps?.(meter) ?? [], (body) => truth.served(meter, body));
}

/** What was written down of each installation, in one part each. */
function installationsOf(accounts: readonly Account[]): InstallationAudit[] {
  const byKey = new Map<string, Account[]>();
  for (const account of accounts) {
    const key = `${account.meter}/${account.inst}`;
    byKey.set(key, [...(byKey.get(key) ?? []), account]);
  }
  return [...byKey.values()].flatMap((parts) => {
    const [first] = parts;
    if (first === undefined) return [];
    const { meter, inst } = first;
    return [{ meter, inst, ...sum(parts.map(({ tally }) => tally)) }];
  });
}

/** Entries of a place where no meter stands: whatever they tell is invented. */
function auditUnknown(meter: string, entries: readonly Entry[]): Account {
  const account = newAccount(meter, entries[0]?.inst ?? 1);
  note(account, 'meter.unknown', 'no such meter stands in the simulated world');
  for (const entry of entries) settle(account, 0, entry.use ?? 0);
  return account;
}

/** Contradicting resends count as hours told twice: which of the two is right cannot be known. */
function auditConflict(conflict: Conflict): Account {
  const account = newAccount(conflict.meter, conflict.inst);
  account.tally.duplicates += 1;
  note(account, 'resend.differs', conflict.what);
  return account;
}

/**
 * The audit of everything a head-end keeps against everything the simulator served. For each entry the
 * true volume is the unwrapped count of the register served at its end edge less that at its start edge;
 * what it says less is lost, what it says more is invented, so that head_end - truth = invented - lost.
 */
export function audit(
  truth: TruthView,
  entries: readonly Entry[],
  options: AuditOptions = {},
): Audit {
  const byMeter = new Map<string, Entry[]>(truth.meters.map(({ meter }) => [meter, []]));
  const dials = new Map(truth.meters.map((dial) => [dial.meter, dial]));
  for (const entry of entries) {
    const kept = byMeter.get(entry.meter) ?? [];
    kept.push(entry);
    byMeter.set(entry.meter, kept);
  }
  for (const { meter } of options.conflicts ?? []) {
    if (!byMeter.has(meter)) byMeter.set(meter, []);
  }
  const accounts: Account[] = [];
  const parts: MeterAudit[] = [];
  for (const [meter, kept] of byMeter) {
    const dial = dials.get(meter);
    const judged =
      dial === undefined
        ? [auditUnknown(meter, kept)]
        : auditMeter(meter, bodiesIn(truth, meter, dial), kept, options);
    const conflicts = (options.conflicts ?? []).filter((conflict) => conflict.meter === meter);
    judged.push(...conflicts.map(auditConflict));
    accounts.push(...judged);
    parts.push(partOf(meter, judged, kept));
  }
  const hours = parts.reduce((total, part) => total + part.hours, 0);
  const findings = accounts.flatMap((account) => account.findings);
  const tally = sum(parts);
  const per_installation = installationsOf(accounts);
  const found = { findings, per_meter: parts, per_installation };
  return { type: 'audit', meters: byMeter.size, hours, ...tally, ...found };
}

/** True when not one count is lost, invented or told twice, and nothing else was found wrong. */
export function passes(result: Audit): boolean {
  const { lost, invented, duplicates, findings } = result;
  return lost === 0 && invented === 0 && duplicates === 0 && findings.length === 0;
}
