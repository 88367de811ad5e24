// Sends what is durable and new at once, spread over the hour's first minutes; the backlog goes beside it and neither waits.

import type { Bell } from '../bell.ts';
import type { Clock, Journal, Log, SendCause, Upstream } from '../boundaries.ts';
import { byInstallation, type Row } from '../domain/entry.ts';
import type { Result } from '../domain/fault.ts';
import { spreadOf } from '../domain/schedule.ts';
import { HOUR_MS } from '../domain/units.ts';
import { forwardPending } from '../pipeline.ts';
import { sometimes } from '../sometimes.ts';
import type { Refusals } from './refused.ts';

export interface ForwardParts {
  readonly journal: Journal;
  readonly upstream: Upstream;
  /** The schedule's clock: the hourly send is spread on it. */
  readonly clock: Clock;
  readonly wire: Clock;
  readonly log: Log;
  readonly collector: string;
  readonly smearMs: number;
  readonly backlogPerS: number;
  /** Where what the broker refuses is told. */
  readonly refusals?: Refusals;
  /** Messages of backlog under way at once; absent: the contract's window. Only a measurement gives another number. */
  readonly window?: number;
  /** Rows of a message; absent: a week of one meter (I8). Only a measurement gives another number. */
  readonly messageRows?: number;
  /** Rung when there may be a backlog to send: a new link, rows that were not acknowledged or are no news. */
  readonly stir: Bell;
}

/** Rows older than this when they become durable are no news: they go with the backlog. */
const NEWS_MS = 2 * HOUR_MS;

/**
 * Sends new rows as they become durable, spread over the smear by the collector's id (A4). What the collector tells of itself is no
 * hourly send and goes at once: somebody at the pole may wait for it.
 */
export async function forwardNews(parts: ForwardParts, signal: AbortSignal): Promise<void> {
  const smear = spreadOf(parts.collector) * parts.smearMs;
  const failed = new AbortController();
  const over = AbortSignal.any([signal, failed.signal]);
  const sending = new Set<Promise<void>>();
  const begin = (work: Promise<void>) => {
    const done = work
      .catch((bug: unknown) => failed.abort({ bug }))
      .finally(() => sending.delete(done));
    sending.add(done);
  };
  let gathered: Row[] = [];
  let isSpreading = false;
  const spread = async () => {
    isSpreading = true;
    while (gathered.length > 0) {
      const rows = gathered;
      gathered = [];
      await sendNews(rows, smear, parts, signal);
    }
    // In the same breath as the look that found nothing: what comes next begins anew.
    isSpreading = false;
  };
  while (!over.aborted) {
    await parts.journal.fresh(over);
    await describeChanged(parts);
    const rows = takeNews(parts);
    const own = rows.filter(({ meter }) => meter === '');
    gathered.push(...rows.filter(({ meter }) => meter !== ''));
    if (own.length > 0) begin(sendNews(own, 0, parts, signal));
    if (gathered.length > 0 && !isSpreading) begin(spread());
  }
  await Promise.all(sending);
  if (failed.signal.aborted) throw (failed.signal.reason as { bug: unknown }).bug;
}

async function describeChanged({ journal, upstream }: ForwardParts): Promise<void> {
  if (!upstream.isConnected()) return; // Everything is described on the next link.
  for (const meter of journal.takeDescribed()) await upstream.describe(meter);
}

/** The fresh rows that are news; the others are left to the backlog. */
function takeNews({ journal, clock, stir }: ForwardParts): readonly Row[] {
  const fresh = journal.takeFresh();
  const isNews = (row: Row) => endOf(row) > clock.now() - NEWS_MS;
  const news = fresh.filter(isNews);
  journal.release(fresh.filter((row) => !isNews(row)));
  // A journal that was read anew may hold rows that never were news, beside some that are.
  stir.ring();
  return news;
}

async function sendNews(
  rows: readonly Row[],
  smear: number,
  parts: ForwardParts,
  signal: AbortSignal,
): Promise<void> {
  const { journal, clock, upstream, stir } = parts;
  journal.claim(rows); // They are on their way: the backlog leaves them alone.
  // Hours that a wrong clock closed end in the future: nothing waits longer than the spread.
  const wait = Math.min(Math.max(...rows.map(endOf)) - clock.now(), 0) + smear;
  if (wait > 0) await clock.sleep(wait, signal);
  journal.release(rows);
  if (!upstream.isConnected()) return; // They wait in the backlog for the next link.
  // Events first (A4), whatever meter they are of.
  const isEvent = ({ kind }: Row) => kind === 'event';
  const others = rows.filter((row) => !isEvent(row));
  const groups = [...byInstallation(rows.filter(isEvent)), ...byInstallation(others)];
  const sent = await Promise.all(groups.map((group) => send(group, parts)));
  if (sent.includes(false)) stir.ring(); // What did not arrive is backlog now.
}

/** Whether all of it was acknowledged. */
async function send(group: readonly Row[], parts: ForwardParts): Promise<boolean> {
  const { journal, upstream, log } = parts;
  const prepared = upstream.prepare(group, causeOf(group, parts));
  if (!prepared.ok) return false;
  journal.claim(group);
  const sent = prepared.value.map(async (message) => {
    const { ok, ...outcome } = await new Promise<Result<void>>((told, failed) => {
      forwardPending(message, parts, told, failed);
    });
    if (ok) return true;
    journal.release(message.rows);
    sometimes('upstream: rows were not acknowledged');
    log.debug(outcome, 'rows were not acknowledged and stay pending');
    return false;
  });
  return !(await Promise.all(sent)).includes(false);
}

/** What is new of an installation that ended is its end. */
function causeOf([first]: readonly Row[], { journal }: ForwardParts): SendCause {
  const standing = first && journal.facts(first.meter)?.inst;
  return standing !== undefined && first && first.inst < standing ? 'final' : 'scheduled';
}

function endOf(row: Row): number {
  if (row.kind === 'event') return row.at;
  return row.kind === 'hour' ? row.start + HOUR_MS : row.to;
}
