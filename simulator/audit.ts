// Compares what a head-end keeps with what really passed: pure, entry by entry, never netted between entries or meters.

import type { Account, Chain, Edge, Finding, Tally } from './audit-chain.ts';
import { note, settle, walkChain } from './audit-chain.ts';
import { checkChain } from './audit-checks.ts';
import type { Conflict, Dial, Entry, HourEntry, Installation } from './entries.ts';
import { HOUR_MS, iso } from './entries.ts';
import type { ServedReading } from './served.ts';
import { servedNearest } from './served.ts';

export type { Finding, FindingCode } from './audit-chain.ts';

/** The truth as far as the audit needs it; `served` is in order of time. */
export interface TruthView {
  readonly meters: readonly (Dial & { readonly meter: string })[];
  served(meter: string): readonly ServedReading[];
}

export interface AuditOptions {
  /** Where each installation began, from the `meter` info messages. */
  readonly installations?: readonly Installation[];
  /** Arrivals that contradict an earlier one of the same key and rev. */
  readonly conflicts?: readonly Conflict[];
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

export interface Audit extends Readonly<Tally> {
  readonly type: 'audit';
  readonly meters: number;
  readonly hours: number;
  readonly findings: readonly Finding[];
  readonly per_meter: readonly MeterAudit[];
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

/** What was served after the last entry and up to `until`: lost where whole hours are missing from the end. */
function settleTail(chain: Chain, last: Edge, until: number | undefined, account: Account): void {
  const hours = chain.entries.filter((entry) => entry.kind === 'hour');
  const newest = hours.reduce<HourEntry | undefined>(
    (best, hour) => (best === undefined || hour.start > best.start ? hour : best),
    undefined,
  );
  const told = newest === undefined ? last.at - (last.at % HOUR_MS) : newest.start + HOUR_MS;
  const due = servedNearest(chain.served, until ?? told);
  const passed = due === undefined ? 0 : due.count - last.count;
  if (until !== undefined && told < until) {
    note(account, 'hour.missing', `no hour was told from ${iso(told)} to ${iso(until)}`);
    settle(account, passed, 0);
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

/** Between two installations on one place nothing may pass uncounted. */
function settleSeam(last: Edge | undefined, first: Edge | undefined, account: Account): void {
  if (last === undefined || first === undefined || last.count === first.count) return;
  note(account, 'installation.apart', `begins ${first.count - last.count} counts after the last`);
  settle(account, first.count - last.count, 0);
}

function auditMeter(
  meter: string,
  dial: Dial,
  served: readonly ServedReading[],
  entries: readonly Entry[],
  options: AuditOptions,
): Account[] {
  const places = (options.installations ?? []).filter((place) => place.meter === meter);
  const numbers = new Set([...entries, ...places].map(({ inst }) => inst));
  const insts = [...numbers].sort((a, b) => a - b);
  const accounts: Account[] = [];
  let last: Edge | undefined;
  let lastChain: Chain | undefined;
  for (const inst of insts) {
    const chain: Chain = {
      meter,
      inst,
      dial,
      capacity: 10 ** dial.digits,
      entries: entries.filter((entry) => entry.inst === inst),
      installation: places.find((place) => place.inst === inst),
      served,
      slackMs: slackOf(options),
    };
    const account = newAccount(meter, inst);
    checkChain(chain, account);
    const edges = walkChain(chain, account);
    settleSeam(last, edges.first, account);
    last = edges.last ?? last;
    lastChain = chain;
    accounts.push(account);
  }
  const tail = newAccount(meter, insts.at(-1) ?? 1);
  if (entries.length === 0 || lastChain === undefined || last === undefined) {
    settleAbsent(served, options, tail);
  } else {
    settleTail(lastChain, last, options.until, tail);
  }
  return [...accounts, tail];
}

function sum(tallies: readonly Readonly<Tally>[]): Tally {
  const total: Tally = {
    truth: 0,
    head_end: 0,
    lost: 0,
    invented: 0,
    duplicates: 0,
    pending: 0,
  };
  for (const tally of tallies) {
    total.truth += tally.truth;
    total.head_end += tally.head_end;
    total.lost += tally.lost;
    total.invented += tally.invented;
    total.duplicates += tally.duplicates;
    total.pending += tally.pending;
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
        : auditMeter(meter, dial, truth.served(meter), kept, options);
    const conflicts = (options.conflicts ?? []).filter((conflict) => conflict.meter === meter);
    judged.push(...conflicts.map(auditConflict));
    accounts.push(...judged);
    parts.push(partOf(meter, judged, kept));
  }
  const hours = parts.reduce((total, part) => total + part.hours, 0);
  const findings = accounts.flatMap((account) => account.findings);
  const tally = sum(parts);
  return { type: 'audit', meters: byMeter.size, hours, ...tally, findings, per_meter: parts };
}

/** True when not one count is lost, invented or told twice, and nothing else was found wrong. */
export function passes(result: Audit): boolean {
  const { lost, invented, duplicates, findings } = result;
  return lost === 0 && invented === 0 && duplicates === 0 && findings.length === 0;
}
