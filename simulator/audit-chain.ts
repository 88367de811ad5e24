// Walks the entries of one installation edge by edge and holds each one against the registers really served.

import type { Body } from './audit-bodies.ts';
import type { Entry, GapEntry, HourEntry, Installation } from './entries.ts';
import { HOUR_MS, iso, modulo } from './entries.ts';
import { servedAround, servedAs, servedNearest } from './served.ts';

/** What the audit can find beside lost and invented counts. */
export type FindingCode =
  | 'read.unserved'
  | 'gap.unserved'
  | 'gap.missing'
  | 'edges.apart'
  | 'total.broken'
  | 'total.incongruent'
  | 'count.fractional'
  | 'numbers.wrong'
  | 'dial.differs'
  | 'hour.missing'
  | 'hour.misplaced'
  | 'entry.twice'
  | 'resend.differs'
  | 'installation.apart'
  | 'swap.untold'
  | 'meter.unknown'
  | 'meter.absent';

export interface Finding {
  readonly code: FindingCode;
  readonly meter: string;
  readonly inst: number;
  readonly text: string;
}

/** Sums of one installation, in counts; lost and invented are added up entry by entry and never netted. */
export interface Tally {
  truth: number;
  head_end: number;
  lost: number;
  invented: number;
  duplicates: number;
  /** Served after the last entry with numbers, in hours told as missing: due in the gap that ends the silence. */
  pending: number;
  /**
   * Passed while no collector could count it: on a dial between its last reading and its removal, and on a new one before
   * anybody said that it belongs there. Nothing of it was served to a collector that did not say that it doubts.
   */
  unaccounted: number;
}

/** A reading at which one entry ends and the next begins: its true count, its time, the total it states. */
export interface Edge {
  readonly count: number;
  readonly at: number;
  readonly total: number;
}

/** The entries of one meter and installation, with all that is needed to judge them. */
export interface Chain {
  readonly meter: string;
  readonly inst: number;
  /** The meter that stood there meanwhile. */
  readonly body: Body;
  /** 10^digits counts. */
  readonly capacity: number;
  readonly entries: readonly Entry[];
  readonly installation: Installation | undefined;
  readonly slackMs: number;
}

/** An hour with all its numbers. */
export type MeasuredHour = HourEntry & { read: number; at: number; total: number; use: number };
/** A gap not withdrawn. */
export type MeasuredGap = GapEntry & { use: number };
type Step = MeasuredHour | MeasuredGap;

/** Where the judgement of one installation is written down. */
export interface Account {
  readonly meter: string;
  readonly inst: number;
  readonly tally: Tally;
  readonly findings: Finding[];
}

/** Adds what one entry says to what is true of it; the difference is lost or invented, whole. */
export function settle({ tally }: Account, truth: number, use: number): void {
  tally.truth += truth;
  tally.head_end += use;
  tally.lost += Math.max(0, truth - use);
  tally.invented += Math.max(0, use - truth);
}

/** Notes what is wrong without a count being lost or invented by it. */
export function note(account: Account, code: FindingCode, text: string): void {
  account.findings.push({ code, meter: account.meter, inst: account.inst, text });
}

/** True when the hour carries the four numbers that quality A, P, T and H promise. */
export function isMeasured(hour: HourEntry): hour is MeasuredHour {
  return hour.read !== null && hour.at !== null && hour.total !== null && hour.use !== null;
}

function endOf(step: Step): number {
  return step.kind === 'hour' ? step.at : step.to;
}

/**
 * The steps in the order in which water passed: by the reading that ends each. A gap that ends with the
 * same reading as an hour goes first, for the hour begins there.
 */
function stepsOf(entries: readonly Entry[]): Step[] {
  const steps: Step[] = [];
  for (const entry of entries) {
    if (entry.kind === 'gap' ? entry.use !== null : isMeasured(entry)) steps.push(entry as Step);
  }
  const rank = (step: Step): number => (step.kind === 'gap' ? -1 : step.start);
  return steps.sort((a, b) => endOf(a) - endOf(b) || rank(a) - rank(b));
}

/** What the dial showed, by its own words, where this step began; undefined for a gap. */
function registerBefore(step: Step | undefined, capacity: number): number | undefined {
  return step?.kind === 'hour' ? modulo(step.read - step.use, capacity) : undefined;
}

/** The edge at which the installation begins: as its info says, else as its first entry implies. */
function firstEdge(chain: Chain, steps: readonly Step[], account: Account): Edge | undefined {
  const { installation, slackMs } = chain;
  const { served } = chain.body;
  if (installation !== undefined) {
    const { initialRead, installed } = installation;
    const found =
      servedAs(served, initialRead, installed, slackMs) ??
      readAfterRemoval(chain, { read: initialRead, at: installed });
    if (found !== undefined) return { count: found.count, at: installed, total: 0 };
    note(
      account,
      'read.unserved',
      `initial read ${initialRead} was not served at ${iso(installed)}`,
    );
  }
  const first = steps[0];
  if (first === undefined) return undefined;
  const register = registerBefore(first, chain.capacity);
  if (first.kind === 'gap' || register === undefined) {
    const at = first.kind === 'gap' ? first.from : first.start;
    const found = servedNearest(served, at);
    return found && { count: found.count, at, total: 0 };
  }
  const found = servedAs(served, register, first.start, HOUR_MS + slackMs);
  if (found === undefined) {
    note(account, 'read.unserved', `${register}, where ${iso(first.start)} begins, was not served`);
    return undefined;
  }
  return { count: found.count, at: found.at, total: first.total - first.use };
}

/** I5: the totals rise by exactly the uses, and agree with the dial modulo its capacity. */
function checkTotal(chain: Chain, hour: MeasuredHour, before: number, account: Account): void {
  if (hour.total !== before + hour.use) {
    note(
      account,
      'total.broken',
      `${iso(hour.start)}: total ${hour.total} is not ${before} + ${hour.use}`,
    );
  }
  const initial = chain.installation?.initialRead;
  if (initial !== undefined && modulo(initial + hour.total - hour.read, chain.capacity) !== 0) {
    note(
      account,
      'total.incongruent',
      `${iso(hour.start)}: read ${hour.read} does not follow from ${initial} + ${hour.total}`,
    );
  }
}

/** A meter taken away can still be read by a person, and shows what it showed when it was. */
function readAfterRemoval(
  { body, capacity, slackMs }: Chain,
  { read, at }: { readonly read: number; readonly at: number },
): { readonly count: number } | undefined {
  const { removed } = body;
  if (removed === undefined || at < removed.at - slackMs) return undefined;
  return modulo(removed.count, capacity) === read ? removed : undefined;
}

/** The same where a gap ends with that reading; `expected` is the register at which the following hour says it begins. */
function readLater(
  { body, capacity }: Chain,
  gap: MeasuredGap,
  expected: number | undefined,
): { readonly count: number } | undefined {
  const { removed } = body;
  if (removed === undefined || gap.to < removed.at) return undefined;
  const register = modulo(removed.count, capacity);
  return expected === undefined || expected === register ? removed : undefined;
}

function walkHour(chain: Chain, hour: MeasuredHour, edge: Edge, account: Account): Edge {
  checkTotal(chain, hour, edge.total, account);
  const found =
    (hour.q === 'H' ? readAfterRemoval(chain, hour) : undefined) ??
    servedAs(chain.body.served, hour.read, hour.at, chain.slackMs);
  if (found === undefined) {
    // Nothing was served to rest this hour on, so all of its use is invented; its water is missed
    // where the next edge that was served is compared with the last one.
    note(
      account,
      'read.unserved',
      `${iso(hour.start)}: read ${hour.read} was not served at ${iso(hour.at)}`,
    );
    settle(account, 0, hour.use);
    return { ...edge, total: hour.total };
  }
  settle(account, found.count - edge.count, hour.use);
  return { count: found.count, at: hour.at, total: hour.total };
}

function walkGap(
  chain: Chain,
  gap: MeasuredGap,
  edge: Edge,
  expected: number | undefined,
  account: Account,
): Edge {
  if (Math.abs(gap.from - edge.at) > chain.slackMs) {
    note(account, 'edges.apart', `gap from ${iso(gap.from)} follows an edge of ${iso(edge.at)}`);
  }
  const total = edge.total + gap.use;
  const found =
    readLater(chain, gap, expected) ??
    servedAround(chain.body.served, gap.to, chain.slackMs, expected);
  if (found === undefined) {
    note(account, 'gap.unserved', `nothing was served at ${iso(gap.to)}, where a gap ends`);
    settle(account, 0, gap.use);
    return { ...edge, total };
  }
  settle(account, found.count - edge.count, gap.use);
  return { count: found.count, at: gap.to, total };
}

/**
 * Settles every entry of the chain into `account`. Returns the edges at which it begins and ends, both
 * undefined when nothing in it could be tied to a register served.
 */
export function walkChain(
  chain: Chain,
  account: Account,
): { first: Edge | undefined; last: Edge | undefined } {
  const steps = stepsOf(chain.entries);
  const first = firstEdge(chain, steps, account);
  if (first === undefined) {
    for (const step of steps) settle(account, 0, step.use);
    return { first, last: undefined };
  }
  let edge = first;
  steps.forEach((step, index) => {
    const expected = registerBefore(steps[index + 1], chain.capacity);
    edge =
      step.kind === 'hour'
        ? walkHour(chain, step, edge, account)
        : walkGap(chain, step, edge, expected, account);
  });
  return { first, last: edge };
}
