// Sends what is durable: the newest hours at once, the backlog beside them at a bounded pace. Either never waits for the other.

import type { Bell } from '../bell.ts';
import type { Clock, Journal, Log, SendCause, Upstream } from '../boundaries.ts';
import type { Row } from '../domain/entry.ts';
import { spreadOf } from '../domain/schedule.ts';
import { HOUR_MS } from '../domain/units.ts';
import { forwardPending } from '../pipeline.ts';
import { sometimes } from '../sometimes.ts';

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
  /** Rung when there may be a backlog to send: a new link, rows that were not acknowledged or are no news. */
  readonly stir: Bell;
}

/** A message holds a week of one meter (I8). */
const BACKLOG_ROWS = 168;

/** Rows older than this when they become durable are no news: they go with the backlog. */
const NEWS_MS = 2 * HOUR_MS;

/** Rows that were not acknowledged are tried again after this, in milliseconds of the wire. */
const RETRY_MS = 2_000;

/** The pause doubles up to this while nothing is acknowledged: what a broker refuses only a person can mend. */
const RETRY_MAX_MS = 5 * 60_000;

/** Sends new rows as they become durable, spread over the smear by the collector's id (A4). */
export async function forwardNews(parts: ForwardParts, signal: AbortSignal): Promise<void> {
  const smear = spreadOf(parts.collector) * parts.smearMs;
  while (!signal.aborted) {
    await parts.journal.fresh(signal);
    await describeChanged(parts);
    const rows = takeNews(parts);
    if (rows.length > 0) await sendNews(rows, smear, parts, signal);
  }
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
  const groups = byInstallation(rows);
  const sent = await Promise.all(groups.map((group) => send(group, causeOf(group, parts), parts)));
  if (sum(sent) < rows.length) stir.ring();
}

/** What is new of an installation that ended is its end. */
function causeOf([first]: readonly Row[], { journal }: ForwardParts): SendCause {
  const standing = first && journal.facts(first.meter)?.inst;
  return standing !== undefined && first && first.inst < standing ? 'final' : 'scheduled';
}

function lateCause(rows: readonly Row[], { journal }: ForwardParts): SendCause {
  return rows.every(({ row }) => journal.isReplayed(row)) ? 'replay' : 'backfill';
}

/** Sends the backlog, meter by meter, oldest first within each, until `signal` aborts. */
export async function forwardBacklog(parts: ForwardParts, signal: AbortSignal): Promise<void> {
  const { journal, upstream, wire, stir } = parts;
  let pause = RETRY_MS;
  while (!signal.aborted) {
    let left = 0;
    let sent = 0;
    for (const meter of upstream.isConnected() ? journal.metersPending() : []) {
      const rows = await journal.backlog(meter, BACKLOG_ROWS);
      if (rows.length === 0 || signal.aborted) continue;
      const settled = await send(rows, lateCause(rows, parts), parts);
      sent += settled;
      left += rows.length - settled;
      await wire.sleep(1000 / parts.backlogPerS, signal);
    }
    pause = nextPause(pause, sent, left);
    if (left > 0) await wire.sleep(pause, signal);
    else if (sent === 0) await stir.wait(signal);
  }
}

function nextPause(pause: number, sent: number, left: number): number {
  return sent > 0 || left === 0 ? RETRY_MS : Math.min(2 * pause, RETRY_MAX_MS);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function send(rows: readonly Row[], cause: SendCause, parts: ForwardParts): Promise<number> {
  const sent = await forwardPending(rows, cause, parts);
  if (sent.ok) return sent.value;
  sometimes('upstream: rows were not acknowledged');
  parts.log.debug(
    { rows: rows.length, ...sent.fault },
    'rows were not acknowledged and stay pending',
  );
  return 0;
}

function endOf(row: Row): number {
  if (row.kind === 'event') return row.at;
  return row.kind === 'hour' ? row.start + HOUR_MS : row.to;
}

function byInstallation(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.meter}/${row.inst}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}
