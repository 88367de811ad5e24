// The whole journal as NDJSON, so that anyone can prove with his own means what was published and measured.

import type { Journal } from '../boundaries.ts';
import { entryPayload, eventPayload, isoTime } from '../codec/head-end-message.ts';
import type { InstallationFacts } from '../domain/facts.ts';

/** One JSON document a line: the journal, each installation with all that is held of it, events, and how many lines there were. */
export async function* exportLines(journal: Journal): AsyncGenerator<string> {
  await journal.flush();
  let lines = 0;
  for await (const content of contentsOf(journal)) {
    lines += 1;
    yield `${JSON.stringify(content)}\n`;
  }
  yield `${JSON.stringify({ type: 'end', lines })}\n`;
}

async function* contentsOf(journal: Journal): AsyncGenerator<object> {
  const pending = await journal.pending();
  const rows = { rows: journal.lastRow(), pending: pending.rows };
  yield { type: 'journal', v: 1, epoch: journal.epoch, ...rows };
  for (const meter of journal.meters()) {
    yield* installationsOf(journal, meter);
    yield* incrementsOf(journal, meter);
    for await (const row of journal.rowsOf(meter)) {
      const type = row.kind === 'hour' ? 'interval' : 'gap';
      yield { type, meter, inst: row.inst, ...entryPayload(row) };
    }
  }
  for (const meter of [...journal.meters(), '']) {
    for await (const row of journal.eventsOf(meter)) yield { type: 'event', ...eventPayload(row) };
  }
}

function installationsOf(journal: Journal, meter: string): object[] {
  const last = journal.facts(meter)?.inst ?? 0;
  return Array.from({ length: last }, (_, i) => journal.factsOf(meter, i + 1)).flatMap((facts) =>
    facts ? installationOf(journal, facts) : [],
  );
}

async function* incrementsOf(journal: Journal, meter: string): AsyncGenerator<object> {
  for await (const step of journal.incrementsOf(meter)) {
    const dial = journal.factsOf(meter, step.inst)?.dial;
    const { inst, seq, fromAt, fromRead, toAt, toRead, counts, kind } = step;
    const span = { from: isoTime(fromAt), to: isoTime(toAt), from_read: fromRead, read: toRead };
    const resolution = { unit: dial?.unit, pow10: dial?.pow10 };
    yield { type: 'increment', meter, inst, seq, ...span, counts, kind, ...resolution };
  }
}

function installationOf(journal: Journal, facts: InstallationFacts): object[] {
  const { meter, inst, dial, registerId, installed, initialRead } = facts;
  const described = {
    ...{ type: 'installation', meter, inst, ...dial, register_id: registerId },
    installed: installed === null ? null : isoTime(installed),
    initial_read: initialRead,
  };
  const point = journal.checkpoint(meter, inst);
  if (!point) return [described];
  const { seq, total, read, at, start, hours, gaps, use } = point;
  const thinned = {
    ...{ type: 'checkpoint', meter, inst },
    increments: { seq, total, read, at: at === null ? null : isoTime(at) },
    intervals: { start: isoTime(start), hours, gaps, use },
  };
  return [described, thinned];
}
