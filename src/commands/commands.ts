// The command handlers: one set for every door, answering in the contract's words from the journal and the running jobs.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { entryPayload, eventPayload, isoTime } from '../codec/head-end-message.ts';
import { readInstant } from '../codec/instant.ts';
import type { EntryRow, EventRow } from '../domain/entry.ts';
import { JOURNAL_CLOSED, StoreLost } from '../domain/fault.ts';
import { alarms } from './alarms.ts';
import { createAlertCommands } from './alerts.ts';
import {
  type Answerer,
  type Args,
  type NamedCommands,
  refused,
  unknownMeter,
  unlessLost,
} from './answer.ts';
import { auditJournal } from './audit.ts';
import { createScans } from './bus-scan.ts';
import { busStats, type ToldBus } from './bus-stats.ts';
import { createTraces } from './bus-trace.ts';
import { type Configuring, createConfigCommands } from './config.ts';
import { createHeadEndCommands, type Sending } from './head-end.ts';
import { type MeterLive, showMeter } from './meter-show.ts';
import { createOperations, type Operating } from './operations.ts';
import { createQueueCommands, type Queue } from './queue.ts';
import { type ReadNow, readMeter } from './read.ts';
import { readings } from './readings.ts';
import { verifyDial } from './verify.ts';

/** What only a running collector can tell or do; a journal read offline has none of it. */
export interface LiveStatus {
  status(): Promise<object>;
  readonly sending?: Sending;
  /** Has a meter read now, within so many milliseconds of the wire; undefined for a meter on no bus. */
  readNow?: ReadNow;
  readonly buses?: readonly ToldBus[];
  readonly configuring?: Configuring;
  /** What is known of a meter beside the journal. */
  meterLive?: (meter: string) => MeterLive;
  /** How the sending goes. */
  queue?: () => Queue;
}

/** The commands over `journal`; `live` answers `status`. */
export function createCommands(
  journal: Journal,
  live: LiveStatus,
  operating: Operating,
): NamedCommands {
  const headEnd = createHeadEndCommands(journal, operating, live.sending);
  const named: Readonly<Record<string, Answerer>> = {
    status: async () => ({ ok: true, data: await live.status() }),
    intervals: (args) => intervals(journal, args),
    audit: async () => ({ ok: true, data: await auditJournal(journal) }),
    events: (args) => events(journal, args),
    ...headEnd,
    ...createQueueCommands(journal, live.queue, headEnd.replay),
    'bus.stats': (args) => busStats(live.buses, args),
    ...createTraces(live.buses),
    ...createScans(live.buses),
    read: (args) => readMeter(journal, live.readNow, args),
    ...createOperations(journal, operating),
    ...createConfigCommands(journal, live.configuring, operating.clock),
    ...createAlertCommands(journal, operating),
    readings: (args) => readings(journal, operating, args),
    verify: (args) => verifyDial(journal, operating, live.readNow, args),
    'meter.show': (args) => showMeter(journal, operating, live, args),
    alarms: () => alarms(journal, operating),
  };
  return {
    names: Object.keys(named),
    async run(name, args) {
      const handler = Object.hasOwn(named, name) ? named[name] : undefined;
      if (!handler) {
        const known = Object.keys(named).join(', ');
        return refused('unknown_command', `there is no command ${name}`, `known: ${known}`);
      }
      const answer = await unlessLost(handler(args));
      // What cannot be found in a journal that is not open may well be in it.
      const isLost = !answer.ok && answer.code === 'unknown_meter' && !journal.isSound();
      return isLost ? refused('internal', JOURNAL_CLOSED, 'Try again.') : answer;
    },
  };
}

async function intervals(journal: Journal, args: Args): Promise<CommandAnswer> {
  const { meter } = args;
  if (typeof meter !== 'string' || !journal.meters().includes(meter)) {
    return unknownMeter(journal.meters(), meter);
  }
  const span = spanIn(args);
  if ('ok' in span) return span;
  const { from, to } = span;
  const kept = new Map<string, EntryRow>();
  // All of them: a revision may lie elsewhere than the entry it replaces.
  for await (const row of journal.rowsOf(meter)) {
    const key = row.kind === 'hour' ? `h${row.inst}/${row.start}` : `g${row.inst}/${row.from}`;
    const before = kept.get(key);
    if (!before || row.rev > before.rev) kept.set(key, row);
  }
  const rows = [...kept.values()].filter((row) => touches(row, from, to));
  const stated = (row: EntryRow) => ({ inst: row.inst, ...entryPayload(row) });
  const installations = [...new Set(rows.map((row) => row.inst))]
    .sort((a, b) => a - b)
    .flatMap((inst) => {
      const facts = journal.factsOf(meter, inst);
      return facts ? [{ inst, ...facts.dial }] : [];
    });
  return {
    ok: true,
    data: {
      meter,
      installations,
      intervals: rows.filter((row) => row.kind === 'hour').map(stated),
      gaps: rows.filter((row) => row.kind === 'gap').map(stated),
    },
  };
}

/** The events of a meter, or of all, told in `[from, to)`, in the contract's words, oldest first. */
async function events(journal: Journal, args: Args): Promise<CommandAnswer> {
  const { meter } = args;
  // Under no meter's name stands what the collector tells of itself.
  const meters = typeof meter === 'string' ? [meter] : [...journal.meters(), ''];
  if (typeof meter === 'string' && !journal.meters().includes(meter)) {
    return unknownMeter(journal.meters(), meter);
  }
  const span = spanIn(args);
  if ('ok' in span) return span;
  const { from, to } = span;
  const told: EventRow[] = [];
  for (const one of meters) {
    for await (const row of journal.eventsOf(one))
      if (row.at >= from && row.at < to) told.push(row);
  }
  told.sort((a, b) => a.at - b.at || a.row - b.row);
  return { ok: true, data: { events: told.map(eventPayload) } };
}

/** An hour that begins in `[from, to)`, a gap that has any part of it. */
function touches(row: EntryRow, from: number, to: number): boolean {
  if (row.kind === 'hour') return row.start >= from && row.start < to;
  return row.to >= from && row.from < to;
}

/** The time from `from` to `to`, each of which may be left out. */
function spanIn(args: Args): { readonly from: number; readonly to: number } | CommandAnswer {
  const from = timeOf(args['from'], 0);
  const to = timeOf(args['to'], Number.POSITIVE_INFINITY);
  if (from !== null && to !== null) return { from, to };
  return refused(
    'bad_request',
    'from and to must be ISO 8601 times.',
    'For example 2026-11-22T04:00:00Z.',
  );
}

/** Milliseconds of an ISO time, `absent` where none is given, null where it is none. */
function timeOf(text: unknown, absent: number): number | null {
  if (text === undefined) return absent;
  const at = readInstant(text);
  return Number.isNaN(at) ? null : at;
}

/** One meter's line of `status`, from the journal alone. */
export async function meterStatus(journal: Journal, meter: string): Promise<object> {
  const facts = journal.facts(meter);
  const state = journal.installation(meter);
  const last = state?.last;
  const opened = state?.hours?.from;
  const hour = await lastHour(journal, meter).catch(nullIfLost);
  return {
    meter,
    inst: facts?.inst ?? null,
    digits: facts?.dial.digits ?? null,
    unit: facts?.dial.unit ?? null,
    pow10: facts?.dial.pow10 ?? null,
    read: last?.read ?? null,
    at: last ? isoTime(last.at) : null,
    use_this_hour: last && opened ? last.total - opened.total : null,
    last_hour: hour,
  };
}

/** One damaged record must not keep all the rest back; it is looked into. */
function nullIfLost(error: unknown): null {
  if (error instanceof StoreLost) return null;
  throw error;
}

async function lastHour(journal: Journal, meter: string): Promise<object | null> {
  const start = journal.installation(meter)?.hours?.start;
  if (start === undefined) return null;
  let newest: EntryRow | null = null;
  for await (const row of journal.rowsOf(meter, start - 2 * 3_600_000)) {
    if (row.kind !== 'hour') continue;
    if (!newest || row.kind !== newest.kind || row.start >= newest.start) newest = row;
  }
  if (newest?.kind !== 'hour') return null;
  return { start: isoTime(newest.start), q: newest.q, use: newest.use };
}
