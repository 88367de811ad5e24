// `queue.status` and `queue.resend`: what waits for the head-end, how long it will take, and having it sent again.

import type { CommandAnswer, Journal, Unsaid } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { drainEtaS } from '../domain/health.ts';
import { type Answerer, type Args, refused } from './answer.ts';

/** How the sending goes, of a running collector. */
export interface Queue {
  readonly connected: boolean;
  /** What the link is doing, in words. */
  readonly detail: string;
  /** Rows that the broker refuses. */
  readonly refused: number;
  readonly refusedWhy: string;
  /** What else the broker refuses: state, meters, birth, answers. */
  readonly unsaid: Unsaid;
  /** Messages of backlog a second, and how many may be under way at once. */
  readonly messagesPerS: number;
  readonly window: number;
  /** Delivered rows that wait for the head-end's word; null where the broker's is enough. */
  readonly awaitingAck: number | null;
  /** The broker has the row, and the head-end has not acknowledged it. */
  isWithBroker(row: number): boolean;
}

/**
 * `queue.status` {row?} answers {pending, oldest, drain_eta_s, refused, refused_why, connected, link, window, awaiting_ack,
 * acknowledged_row, last_row}, and where that row (of the collector itself) stands: `row_state` pending, with_broker or settled;
 * `queue.resend` {meter?, from, to} has hours sent again, of one meter or of all, and answers {rows}.
 */
export function createQueueCommands(
  journal: Journal,
  queueNow: (() => Queue) | undefined,
  replay: Answerer,
): Readonly<Record<string, Answerer>> {
  return {
    'queue.status': (args) => queueStatus(journal, queueNow?.(), args),
    'queue.resend': (args) => resend(journal, replay, args),
  };
}

async function queueStatus(
  journal: Journal,
  queue: Queue | undefined,
  { row }: Args,
): Promise<CommandAnswer> {
  const { rows, oldest } = await journal.pending();
  const meters = journal.metersPending().length;
  const eta = queue && drainEtaS({ ...queue, rows, meters });
  return {
    ok: true,
    data: {
      ...{ pending: rows, oldest: oldest === null ? null : isoTime(oldest) },
      ...{ drain_eta_s: eta ?? null, refused: queue?.refused ?? 0 },
      ...{ refused_why: queue?.refusedWhy ?? '', connected: queue?.connected ?? false },
      ...{ link: queue?.detail ?? 'the collector is not running', window: queue?.window ?? 0 },
      ...{ awaiting_ack: queue?.awaitingAck ?? null, last_row: journal.lastRow() },
      acknowledged_row: journal.acknowledged().row,
      ...(typeof row === 'number' ? { row_state: await stateOf(journal, queue, row) } : {}),
    },
  };
}

async function stateOf(journal: Journal, queue: Queue | undefined, row: number): Promise<string> {
  if (!(await journal.isPending('', row))) return 'settled';
  return queue?.isWithBroker(row) ? 'with_broker' : 'pending';
}

async function resend(journal: Journal, replay: Answerer, args: Args): Promise<CommandAnswer> {
  const { meter, from, to } = args;
  if (meter !== undefined) return replay({ meter, from, to });
  const meters = journal.meters();
  if (meters.length === 0) return refused('unknown_meter', 'There is no meter yet.', '');
  let rows = 0;
  for (const one of meters) {
    const answer = await replay({ meter: one, from, to });
    if (!answer.ok) return answer;
    rows += (answer.data as { rows: number }).rows;
  }
  return { ok: true, data: { rows } };
}
