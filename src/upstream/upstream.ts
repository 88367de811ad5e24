// The way up over the head-end's link: announces the collector on every connection and sends rows until acknowledged.

import type { Clock, HeadEnd, Journal, Log, OutMessage, Upstream } from '../boundaries.ts';
import { crc32 } from '../codec/crc32.ts';
import {
  type CollectorState,
  encodeBirth,
  encodeCollectorState,
  encodeEvent,
  encodeIntervals,
  type MeterFacts,
  meterPayload,
  topicOf,
} from '../codec/head-end-message.ts';
import type { EntryRow, EventRow, Row } from '../domain/entry.ts';
import { faulty, good, type Result, StoreLost } from '../domain/fault.ts';

export interface UpstreamParts {
  readonly headEnd: HeadEnd;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly utility: string;
  readonly collector: string;
  /** New at each start: a late will of an old session overrules nothing (S1). */
  readonly session: string;
  readonly software: string;
  readonly configRevision: string;
  readonly meters: ReadonlyMap<string, MeterFacts>;
}

export interface RunningUpstream extends Upstream {
  /** Begins connecting, and announces on every connection from then on. */
  start(): void;
  /** Announces again, where it is connected: the journal is there now, or is not any more. */
  announce(): void;
  /** Says goodbye (state `disconnected`) and disconnects. */
  stop(): Promise<void>;
}

export function createUpstream(parts: UpstreamParts): RunningUpstream {
  const { headEnd, journal, clock, utility, collector, session } = parts;
  const topic = (path: string) => topicOf(utility, collector, path);
  const retained = (path: string, payload: string): OutMessage => ({
    topic: topic(path),
    payload,
    qos: 1,
    retain: true,
  });
  const state = (name: CollectorState, at: number | null) =>
    retained('up/state', encodeCollectorState(collector, session, name, at));

  const describe = async (meter: string) => {
    const facts = journal.facts(meter);
    const known = parts.meters.get(meter);
    // A meter that is no longer in the settings is cleared with an empty payload.
    const payload = facts && known ? JSON.stringify(withRevision(meterPayload(facts, known))) : '';
    await headEnd.publish(retained(`up/meter/${meter}/info`, payload));
  };

  const announce = async () => {
    // Without its journal the collector polls and has nothing to say but that somebody should come.
    const isSound = journal.isSound();
    await headEnd.publish(state(isSound ? 'ready' : 'alert', clock.now()));
    if (!isSound) return;
    for (const meter of journal.meters()) await describe(meter);
    await headEnd.publish(retained('up/birth', await birth(parts)));
  };

  const publish = async (path: string, payload: string, carried: readonly Row[]) => {
    const message = { topic: topic(path), payload, qos: 1, retain: false } as const;
    return { carried, outcome: await headEnd.publish(message) };
  };

  /** Events of the collector itself. */
  const sendOwn = async (rows: readonly Row[]) => {
    const events = rows
      .filter((row): row is EventRow => row.kind === 'event')
      .map((row) => publish('up/event', encodeEvent(row, collector, journal.epoch), [row]));
    return settled(await Promise.all(events));
  };

  const send: Upstream['send'] = async (rows, cause) => {
    const first = rows[0];
    if (!first) return good([]);
    if (first.meter === '') return sendOwn(rows);
    const facts = journal.factsOf(first.meter, first.inst);
    if (!facts) return faulty('store.failed', `no facts of ${first.meter}/${first.inst}`);
    const envelope = { collector, epoch: journal.epoch, cause, sent: clock.now() };
    const path = `up/meter/${first.meter}`;
    // Events go first (A4).
    const events = rows
      .filter((row): row is EventRow => row.kind === 'event')
      .map((row) => publish(`${path}/event`, encodeEvent(row, collector, journal.epoch), [row]));
    const entries = rows.filter((row): row is EntryRow => row.kind !== 'event');
    const intervals = encodeIntervals(entries, facts, envelope).map(({ payload, rows: carried }) =>
      publish(`${path}/interval`, payload, carried),
    );
    return settled(await Promise.all([...events, ...intervals]));
  };

  const announceAll = () => {
    announce().catch((error: unknown) => {
      parts.log.warn({ error: String(error) }, 'announcing to the head-end failed');
    });
  };

  return {
    start() {
      headEnd.onConnect(announceAll);
      headEnd.start(state('lost', null));
    },
    isConnected: () => headEnd.isConnected(),
    announce() {
      if (headEnd.isConnected()) announceAll();
    },
    send,
    describe,
    async stop() {
      if (headEnd.isConnected()) await headEnd.publish(state('disconnected', clock.now()));
      await headEnd.close();
    },
  };
}

/** The rows whose messages were acknowledged; the first fault only when none was. */
function settled(
  outcomes: readonly { carried: readonly Row[]; outcome: Result<void> }[],
): Result<readonly Row[]> {
  const rows = outcomes.flatMap(({ carried, outcome }) => (outcome.ok ? carried : []));
  const failed = outcomes.find(({ outcome }) => !outcome.ok)?.outcome;
  return rows.length === 0 && failed && !failed.ok ? failed : good(rows);
}

/** `rev` names the content: it differs whenever anything in it does (S3). */
function withRevision(payload: object): object & { rev: number } {
  return { ...payload, rev: crc32(JSON.stringify(payload)) };
}

async function birth(parts: UpstreamParts): Promise<string> {
  const { journal, clock, collector, session, software, configRevision } = parts;
  const pending = await journal.pending();
  const meters = [...parts.meters].flatMap(([meter, known]) => {
    const facts = journal.facts(meter);
    if (!facts) return [];
    return [{ meter, inst: facts.inst, rev: withRevision(meterPayload(facts, known)).rev }];
  });
  const oldest = await oldestHour(journal);
  return encodeBirth(
    {
      collector,
      session,
      software,
      configRevision,
      epoch: journal.epoch,
      oldestHour: oldest,
      rowsPending: pending.rows,
      sent: clock.now(),
      meters,
    },
    crc32,
  );
}

/** Beginning of the oldest hour that the journal holds, of any meter. */
async function oldestHour(journal: Journal): Promise<number | null> {
  let oldest: number | null = null;
  for (const meter of journal.meters()) {
    try {
      for await (const row of journal.rowsOf(meter)) {
        if (row.kind === 'hour' && (oldest === null || row.start < oldest)) oldest = row.start;
        break;
      }
    } catch (error) {
      // One damaged entry must not keep the birth back; the audit says where it is.
      if (!(error instanceof StoreLost)) throw error;
    }
  }
  return oldest;
}
