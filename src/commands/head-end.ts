// Commands that only a head-end gives: to be there, to say what is there, to send again, to bill.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { entryPayload, isoTime } from '../codec/head-end-message.ts';
import { readInstant } from '../codec/instant.ts';
import type { EntryRow } from '../domain/entry.ts';
import { HOUR_MS } from '../domain/units.ts';
import { type Answerer, type Args, refused, unknownMeter } from './answer.ts';
import type { Operating } from './operations.ts';

/** What a running collector lends to these commands. */
export interface Sending {
  /** Publishes the birth again. */
  announceBirth(): Promise<void>;
  /** Rows wait that did not before. */
  stir(): void;
}

/** Rows that one command may have sent again: 400 days of one meter, or an hour of every meter for two weeks. */
const REPLAY_ROWS_MAX = 100_000;

export function createHeadEndCommands(
  journal: Journal,
  { clock }: Operating,
  sending: Sending | undefined,
): Readonly<Record<string, Answerer>> & { readonly replay: Answerer } {
  return {
    ping: async () => ({ ok: true, data: { now: isoTime(clock.now()) } }),
    'time.get': async () => ({
      ok: true,
      data: { now: isoTime(clock.now()), synced: clock.synced() },
    }),
    birth: async () => {
      await sending?.announceBirth();
      return { ok: true, data: { epoch: journal.epoch, last_row: journal.lastRow() } };
    },
    'meter.list': async () => ({ ok: true, data: { meters: metersOf(journal) } }),
    'billing.read': (args) => billingRead(journal, args),
    replay: async (args) => {
      const answer = await replay(journal, args);
      if (answer.ok) sending?.stir();
      return answer;
    },
  };
}

function metersOf(journal: Journal): object[] {
  return journal.meters().flatMap((meter) => {
    const facts = journal.facts(meter);
    if (!facts) return [];
    const last = journal.installation(meter)?.last;
    return [
      {
        ...{ meter, inst: facts.inst, ...facts.dial, register_id: facts.registerId },
        ...{ read: last?.read ?? null, at: last ? isoTime(last.at) : null },
      },
    ];
  });
}

/** C5: the end register of a named hour with its quality, as its entry has it. */
async function billingRead(journal: Journal, { meter, hour }: Args): Promise<CommandAnswer> {
  if (typeof meter !== 'string' || !journal.meters().includes(meter)) {
    return unknownMeter(journal.meters(), meter);
  }
  const start = readInstant(hour);
  if (Number.isNaN(start) || start % HOUR_MS !== 0) {
    const message = 'hour is the beginning of a UTC hour.';
    return refused('bad_request', message, 'For example 2026-11-22T03:00:00Z.');
  }
  let found: EntryRow | undefined;
  for await (const row of journal.rowsOf(meter, start, start + 1)) {
    if (row.kind !== 'hour' || row.start !== start) continue;
    const newer =
      !found || row.inst > found.inst || (row.inst === found.inst && row.rev > found.rev);
    if (newer) found = row;
  }
  if (!found)
    return refused('no_answer', 'That hour is not in the journal.', 'See birth: oldest_hour.');
  const facts = journal.factsOf(meter, found.inst);
  return { ok: true, data: { meter, inst: found.inst, ...facts?.dial, ...entryPayload(found) } };
}

/** Has hours (`meter`, `from`, `to`) or rows (`rows`: [first, last]) sent again. */
async function replay(journal: Journal, args: Args): Promise<CommandAnswer> {
  const { rows, meter } = args;
  if (rows !== undefined) {
    if (!isRange(rows)) {
      return refused('bad_request', 'rows is [first, last].', 'For example [20790, 20792].');
    }
    if (rows[1] - rows[0] >= REPLAY_ROWS_MAX) return tooMany();
    return { ok: true, data: { rows: await journal.sendAgain([rows]) } };
  }
  if (typeof meter !== 'string' || !journal.meters().includes(meter)) {
    return unknownMeter(journal.meters(), meter);
  }
  const [from, to] = [args['from'], args['to']].map((time) => readInstant(time)) as [
    number,
    number,
  ];
  if (!(from < to)) {
    const message = 'from and to are two ISO 8601 times, the earlier first; or give rows.';
    return refused('bad_request', message, 'For example 2026-11-22T03:00:00Z.');
  }
  const ranges: [number, number][] = [];
  for await (const { row } of journal.rowsOf(meter, from, to)) {
    ranges.push([row, row]);
    if (ranges.length > REPLAY_ROWS_MAX) return tooMany();
  }
  return { ok: true, data: { rows: await journal.sendAgain(ranges) } };
}

function tooMany(): CommandAnswer {
  return refused('bad_request', `At most ${REPLAY_ROWS_MAX} rows at once.`, 'Ask for less.');
}

function isRange(rows: unknown): rows is [number, number] {
  if (!Array.isArray(rows) || rows.length !== 2) return false;
  const [first, last]: unknown[] = rows;
  return (
    Number.isSafeInteger(first) &&
    Number.isSafeInteger(last) &&
    (first as number) >= 1 &&
    (first as number) <= (last as number)
  );
}
