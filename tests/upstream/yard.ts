// A journal full of water, the real way up to a real broker, and the reference head-end behind it, in one process.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '../../simulator/entries.ts';
import { HeadEnd } from '../../simulator/head-end.ts';
import { openLevelStore } from '../../src/adapters/level-store.ts';
import { createMqttHeadEnd } from '../../src/adapters/mqtt-head-end.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { Bell } from '../../src/bell.ts';
import type { Journal, HeadEnd as Link } from '../../src/boundaries.ts';
import type { EntryRow } from '../../src/domain/entry.ts';
import { commitGroups } from '../../src/jobs/commit-groups.ts';
import { forwardNews } from '../../src/jobs/forward.ts';
import { forwardBacklog } from '../../src/jobs/forward-backlog.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { createUpstream, type RunningUpstream } from '../../src/upstream/upstream.ts';
import { fillPending, must } from '../bench/upstream/pending-store.ts';
import { partsFor } from '../fakes/real-brokers.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { until } from '../fakes/until.ts';

export const END = Date.UTC(2026, 10, 1);

export interface YardOptions {
  readonly meters: number;
  readonly hours: number;
  /** Where the collector finds the broker, and where the head-end does. */
  readonly port: number;
  readonly headEndPort: number;
  readonly backlogPerS?: number;
  /** Rows of a message. */
  readonly messageRows?: number;
  readonly clientId?: string;
  /** Something of each message that the journal hands over and the broker has. */
  readonly log?: RecordingLog;
}

/** Lives from `open` to `close`. */
export class Yard {
  readonly journal: Journal;
  readonly headEnd: HeadEnd;
  readonly link: Link;
  readonly log: RecordingLog;
  /** Messages of hours that the broker has acknowledged. */
  acknowledged = 0;
  readonly #folder: string;
  readonly #upstream: RunningUpstream;
  readonly #stop = new AbortController();
  readonly #stir: Bell;
  readonly #jobs: Promise<unknown>;

  private constructor(
    parts: Pick<Yard, 'journal' | 'headEnd' | 'link' | 'log'>,
    made: { folder: string; upstream: RunningUpstream; stir: Bell; options: YardOptions },
  ) {
    ({ journal: this.journal, headEnd: this.headEnd, link: this.link, log: this.log } = parts);
    this.#folder = made.folder;
    this.#upstream = made.upstream;
    this.#stir = made.stir;
    const publish = this.link.publish.bind(this.link);
    this.link.publish = async (message) => {
      const outcome = await publish(message);
      if (outcome.ok && message.topic.endsWith('/interval')) this.acknowledged += 1;
      return outcome;
    };
    this.#jobs = this.#work(made.options);
  }

  static async open(options: YardOptions): Promise<Yard> {
    const folder = await mkdtemp(join(tmpdir(), 'yard-'));
    const openStore = () => openLevelStore(join(folder, 'store'));
    await fillPending(openStore, { meters: options.meters, hours: options.hours, end: END });
    const journal = must(
      await openJournal({ collector: 'COL-1', openStore, newEpoch: () => 'E', now: () => END }),
    );
    const headEnd = await HeadEnd.connect({
      ...{ url: `mqtt://127.0.0.1:${options.headEndPort}`, utility: 'u' },
      ...{ clientId: 'head-end', acks: true, askAfterMs: 2_000 },
    });
    const clock = createSystemClock();
    const log = options.log ?? new RecordingLog();
    const stir = new Bell();
    const { clientId = 'COL-1' } = options;
    // What takes half a minute and a minute in the field takes one and two seconds here.
    const settings = { ackTimeoutS: 1, reconnectMaxS: 2 };
    const link = createMqttHeadEnd(partsFor(options.port, { clientId, log, settings }));
    const upstream = createUpstream({
      ...{ headEnd: link, journal, clock, wire: clock, log, configRevision: 'r' },
      ...{ utility: 'u', collector: 'COL-1', session: 'S', software: '1', ack: 'auto' },
      ...{ meters: new Map(), stir: () => stir.ring(), commands: [], onCommand: () => undefined },
    });
    link.onConnect(() => stir.ring());
    return new Yard({ journal, headEnd, link, log }, { folder, upstream, stir, options });
  }

  async #work({ backlogPerS = 10, messageRows }: YardOptions): Promise<void> {
    const { journal, log } = this;
    const clock = createSystemClock();
    const parts = {
      ...{ journal, upstream: this.#upstream, clock, wire: clock, log, collector: 'COL-1' },
      ...{ smearMs: 0, backlogPerS, stir: this.#stir, ...(messageRows && { messageRows }) },
    };
    const { signal } = this.#stop;
    this.#upstream.start();
    await Promise.all([
      forwardNews(parts, signal),
      forwardBacklog(parts, signal),
      this.#upstream.watchAcks(signal),
      commitGroups({ journal, wire: clock, log }, 1_000, signal),
    ]);
  }

  pending(): number {
    return this.journal.metersPending().length;
  }

  /** Resolves when nothing waits any more; says after how many milliseconds. */
  async drained(ms: number): Promise<number> {
    const begun = performance.now();
    const isDone = async () => (await this.journal.pending()).rows === 0;
    await until('nothing waits', isDone, ms);
    return performance.now() - begun;
  }

  /** What differs between what the journal holds and what the head-end keeps, in words. */
  async differences(): Promise<string[]> {
    const told = new Map<string, Entry>();
    const wrong: string[] = this.headEnd
      .conflicts()
      .map((one) => `conflict ${JSON.stringify(one)}`);
    for (const entry of this.headEnd.entries()) {
      const key = keyOf(entry);
      if (told.has(key)) wrong.push(`twice ${key}`);
      told.set(key, entry);
    }
    for (const meter of this.journal.meters()) {
      for await (const row of this.journal.rowsOf(meter)) {
        const key = keyOf(row);
        const got = told.get(key);
        told.delete(key);
        if (!got) wrong.push(`missing ${key}`);
        else if (got.use !== row.use || got.rev !== 0)
          wrong.push(`${key}: ${got.use} for ${row.use}`);
      }
    }
    for (const key of told.keys()) wrong.push(`invented ${key}`);
    return wrong;
  }

  async close(): Promise<void> {
    this.#stop.abort('over');
    this.#stir.ring();
    await this.#jobs;
    await this.#upstream.stop();
    await this.journal.close();
    await this.headEnd.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function keyOf(entry: Entry | EntryRow): string {
  const at = entry.kind === 'hour' ? entry.start : entry.from;
  return `${entry.kind} ${entry.meter}/${entry.inst} ${new Date(at).toISOString()}`;
}
