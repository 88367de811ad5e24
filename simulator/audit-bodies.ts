// Tells which of the meters that really stood at a place an installation of the collector is, and settles what passed between two.

import type { Account, Edge } from './audit-chain.ts';
import { note, settle } from './audit-chain.ts';
import type { Dial, Entry, Installation, MeterEvent } from './entries.ts';
import { iso } from './entries.ts';
import type { ServedReading } from './served.ts';
import { servedAs, servedBefore } from './served.ts';

/** Another meter put where one stood, from the truth of a simulation; `at` is simulated epoch ms. */
export interface BodyChange extends Dial {
  readonly at: number;
  /** Unwrapped count at which the one before it was taken away. */
  readonly final: number;
  /** Unwrapped count at which this one began. */
  readonly initial: number;
  readonly registerId: string | null;
}

/** A meter that stood at a place, with every register it served. */
export interface Body {
  readonly dial: Dial;
  /** Null where it sends none, or none is known. */
  readonly registerId: string | null;
  /** When and at which unwrapped count it was put in; undefined for the first of a place, which the collector found there. */
  readonly began: { readonly at: number; readonly count: number } | undefined;
  /** When and at which unwrapped count it was taken away. */
  readonly removed: { readonly at: number; readonly count: number } | undefined;
  readonly served: readonly ServedReading[];
}

/** The bodies of a place in order of time; `served` tells what the nth of them (from 1) sent. */
export function bodiesOf(
  first: Dial,
  swaps: readonly BodyChange[],
  served: (body: number) => readonly ServedReading[],
): Body[] {
  return [undefined, ...swaps].map((swap, i) => {
    const next = swaps[i];
    return {
      dial: swap ?? first,
      registerId: swap?.registerId ?? null,
      began: swap && { at: swap.at, count: swap.initial },
      removed: next && { at: next.at, count: next.final },
      served: served(i + 1),
    };
  });
}

function isDial(one: Dial, other: Dial): boolean {
  return one.digits === other.digits && one.unit === other.unit && one.pow10 === other.pow10;
}

/** The first reading an installation tells of: its initial one, else that of its first hour with numbers. */
function firstTold(
  place: Installation | undefined,
  entries: readonly Entry[],
): { readonly dial: Dial; readonly read: number; readonly at: number } | undefined {
  if (place) return { dial: place, read: place.initialRead, at: place.installed };
  for (const entry of entries) {
    if (entry.kind === 'gap' || entry.read === null || entry.at === null) continue;
    return { dial: entry, read: entry.read, at: entry.at };
  }
  return undefined;
}

/**
 * Which body an installation is: the one that it names, else the one whose dial it states and which served its first
 * reading; where neither tells, the one that the installation before it was. It is never an earlier one. Index from 0.
 */
export function bodyOf(
  bodies: readonly Body[],
  before: number,
  place: Installation | undefined,
  entries: readonly Entry[],
  slackMs: number,
): number {
  const isLater = (i: number): boolean => i >= before;
  const id = place?.registerId;
  const named = bodies.findIndex(
    ({ registerId }, i) => isLater(i) && id !== undefined && registerId === id,
  );
  if (named >= 0) return named;
  const told = firstTold(place, entries);
  const shown = bodies.findIndex(
    ({ dial, served }, i) =>
      isLater(i) &&
      told !== undefined &&
      isDial(dial, told.dial) &&
      servedAs(served, told.read, told.at, slackMs) !== undefined,
  );
  return shown >= 0 ? shown : before;
}

/** What a collector says when another encoder answers, or answers turn by turn, or shows what cannot be (contract E2). */
const DOUBTS: ReadonlySet<string> = new Set([
  'meter.swap_suspected',
  'meter.address_conflict',
  'read.implausible',
]);

/** A collector that was answered so often by another encoder has no excuse for silence: two answers, and two more for noise. */
const ANSWERS_TO_TELL = 4;

/** What a collector said, and how far the time of a reading may lie from the moment its register was served. */
export interface Sayings {
  readonly events: readonly MeterEvent[];
  readonly slackMs: number;
}

/** Whether the collector doubted the body before `until`, or had no time to. */
function isTold(body: Body, until: number, { events, slackMs }: Sayings): boolean {
  const from = (body.began?.at ?? Number.NEGATIVE_INFINITY) - slackMs;
  const doubted = events.some(
    ({ code, phase, at }) =>
      DOUBTS.has(code) && phase === 'raise' && at >= from && at <= until + slackMs,
  );
  return doubted || servedBefore(body.served, until - slackMs) < ANSWERS_TO_TELL;
}

/**
 * The end of a body that was taken away: what it served up to `until` beyond the last entry is lost, but for one answer that may have
 * been damaged, for none came after it; what it counted after its last answer nobody could read.
 */
export function settleRemoval(body: Body, last: Edge, until: number, account: Account): void {
  const { removed, served } = body;
  if (removed === undefined || until < removed.at) return;
  const after = served.slice(servedBefore(served, last.at));
  const newest = after.filter(({ at, count }) => at <= until && count !== last.count).at(-2);
  const due = newest === undefined ? 0 : Math.max(0, newest.count - last.count);
  if (due > 0) {
    const text = `the dial taken away showed ${newest?.register} at ${iso(newest?.at ?? 0)}, which was not told`;
    note(account, 'installation.apart', text);
    settle(account, due, 0);
  }
  account.tally.unaccounted += Math.max(0, removed.count - last.count - due);
}

/**
 * The beginning of a body that was put in: what passed before its first reading that counts (`first`; none: up to `until`).
 * By design nobody counts it while another encoder is expected, so it is no loss if the collector said that it doubts.
 */
export function settleArrival(
  body: Body,
  first: Edge | undefined,
  until: number,
  said: Sayings,
  account: Account,
): void {
  const { began, removed, served } = body;
  if (began === undefined || until < began.at) return;
  const end = first?.at ?? until;
  const heard = served.filter(({ at }) => at <= end);
  const count = first?.count ?? heard.at(-1)?.count ?? began.count;
  const told = isTold(body, end, said);
  const unheard = first === undefined && removed && removed.at <= until ? removed.count : count;
  const due = told ? 0 : Math.max(0, count - (heard[0]?.count ?? count));
  if (!told) {
    const text = `another meter stood there from ${iso(began.at)} and answered; nobody was told until ${iso(end)}`;
    note(account, 'swap.untold', text);
    settle(account, due, 0);
  }
  account.tally.unaccounted += Math.max(0, unheard - began.count - due);
}
