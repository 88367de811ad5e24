// `alarms`: what stands at each place with its evidence, who knows of it, and who is on vacation.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { eventPayload } from '../codec/head-end-message.ts';
import type { EventRow } from '../domain/entry.ts';
import type { EpochMs } from '../domain/units.ts';
import { HOUR_MS } from '../domain/units.ts';
import { standing } from '../pipeline.ts';
import { LASTING, rulesTold } from './alerts.ts';
import type { Operating } from './operations.ts';

/** What the collector told of itself is over when it is told; it is shown for so long, and so many of it. */
const RECENT_MS = 7 * 24 * HOUR_MS;
const RECENT_MAX = 50;

/**
 * Answers {open: [..], vacations: [..], recent: [..]}: `open` are the events that stand, as they were told last, with
 * `raised_at` and `acknowledged_by` (null: nobody knows of it); `recent` what the collector told of itself in a week, newest first.
 */
export async function alarms(journal: Journal, operating: Operating): Promise<CommandAnswer> {
  const open = [];
  for (const meter of journal.meters()) open.push(...(await openEvents(journal, meter)));
  const own = await ownEvents(journal, operating.clock.now());
  open.push(...own.open);
  open.sort((a, b) => (a.since < b.since ? -1 : 1));
  return { ok: true, data: { open, vacations: vacations(journal, operating), recent: own.recent } };
}

type OpenEvent = ReturnType<typeof eventPayload> & {
  readonly raised_at: string;
  readonly acknowledged_by: string | null;
};

/** The events of a meter that stand, oldest first. */
export async function openEvents(journal: Journal, meter: string): Promise<OpenEvent[]> {
  const state = journal.installation(meter);
  if (!state) return [];
  const { standing: own, alerts = {} } = state.alarms;
  const standing = new Map<string, string | null>();
  for (const one of Object.values(own)) {
    standing.set(`${state.inst}/${one.alarm}`, one.acknowledged ?? null);
  }
  for (const one of Object.values(alerts)) {
    standing.set(`${one.inst}/${one.alarm}`, one.acknowledged ?? null);
  }
  if (standing.size === 0) return [];
  const told = new Map<string, EventRow[]>();
  for await (const row of journal.eventsOf(meter)) {
    const id = `${row.inst}/${row.alarm}`;
    if (standing.has(id)) told.set(id, [...(told.get(id) ?? []), row]);
  }
  return [...told]
    .map(([id, rows]) => openEvent(rows, standing.get(id) ?? null))
    .sort((a, b) => (a.since < b.since ? -1 : 1));
}

/** As it was told last; that somebody knows of it is no evidence. */
function openEvent(rows: readonly EventRow[], known: string | null): OpenEvent {
  const isWord = ({ data }: EventRow) => 'acknowledged_by' in data;
  const last = rows.findLast((row) => !isWord(row)) ?? rows.at(-1);
  const [first] = rows;
  if (!last || !first) throw new Error('an event without a message');
  return { ...eventPayload(last), raised_at: eventPayload(first).at, acknowledged_by: known };
}

/** What the collector told of itself: the things that last, and the news of a week. */
async function ownEvents(journal: Journal, now: EpochMs) {
  const lasting = new Map<number, EventRow[]>();
  const recent: EventRow[] = [];
  for await (const row of journal.eventsOf('')) {
    if (LASTING.has(row.code)) {
      if (row.phase === 'clear') lasting.delete(row.alarm);
      else lasting.set(row.alarm, [...(lasting.get(row.alarm) ?? []), row]);
    } else if (row.at > now - RECENT_MS) recent.push(row);
  }
  recent.sort((a, b) => b.at - a.at || b.row - a.row);
  return {
    open: [...lasting.values()].map((rows) => openEvent(rows, null)),
    recent: recent.slice(0, RECENT_MAX).map(eventPayload),
  };
}

function vacations(journal: Journal, operating: Operating): object[] {
  return [...operating.places.values()].flatMap((place) => {
    const told = rulesTold(journal, operating, standing(place, journal)) as {
      readonly meter: string;
      readonly alerts?: { readonly vacation: { readonly over: boolean } | null };
    };
    const vacation = told.alerts?.vacation;
    return vacation && !vacation.over ? [{ meter: told.meter, ...vacation }] : [];
  });
}
