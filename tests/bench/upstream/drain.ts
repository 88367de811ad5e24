// Drains a journal in LevelDB through the real forwarder, upstream and MQTT link, until every row is settled durably.

import { openLevelStore } from '../../../src/adapters/level-store.ts';
import { createMqttHeadEnd } from '../../../src/adapters/mqtt-head-end.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { Bell } from '../../../src/bell.ts';
import type { HeadEnd, InMessage, OutMessage } from '../../../src/boundaries.ts';
import type { Result } from '../../../src/domain/fault.ts';
import { commitGroups } from '../../../src/jobs/commit-groups.ts';
import { forwardBacklog } from '../../../src/jobs/forward-backlog.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { createUpstream } from '../../../src/upstream/upstream.ts';
import { partsFor } from '../../fakes/real-brokers.ts';
import { RecordingLog } from '../../fakes/recording-log.ts';
import { until } from '../../fakes/until.ts';
import { must } from './pending-store.ts';
import type { Sent } from './raw-socket.ts';

export interface Drained {
  readonly seconds: number;
  /** Of all threads of this program. */
  readonly cpuS: number;
  readonly rows: number;
  readonly messages: readonly Sent[];
}

/** `messageRows` absent: as many as fit. Every message is kept, to be sent again by the raw socket. */
export async function drain(
  folder: string,
  port: number,
  options: { readonly window?: number; readonly messageRows?: number; readonly keep: boolean },
): Promise<Drained> {
  const clock = createSystemClock();
  const wire = clock;
  const log = new RecordingLog();
  const openStore = () => openLevelStore(folder);
  const journal = must(await openJournal({ collector: 'COL-1', openStore, newEpoch: () => 'E' }));
  const { window, messageRows } = options;
  const own = { ...(window && { window }), ...(messageRows && { messageRows }) };
  const link = createMqttHeadEnd({ ...partsFor(port, { clientId: 'COL-1' }), ...own });
  const headEnd = new WatchedHeadEnd(link, options.keep);
  const stir = new Bell();
  const upstream = createUpstream({
    ...{ headEnd, journal, clock, wire, log, configRevision: 'r', meters: new Map() },
    ...{ utility: 'u', collector: 'COL-1', session: 'S', software: '1', ack: 'auto' },
    ...{ stir: () => stir.ring(), commands: [], onCommand: () => undefined },
  });
  upstream.start();
  // The birth is told before: what is measured is the water.
  await until('born', () => headEnd.isBorn);
  const stop = new AbortController();
  const { rows } = await journal.pending();
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  const parts = { journal, upstream, clock, wire, log, collector: 'COL-1', stir };
  const jobs = [
    forwardBacklog({ ...parts, smearMs: 0, backlogPerS: 1e9, ...own }, stop.signal),
    commitGroups({ journal, wire, log }, 60_000, stop.signal),
  ];
  await until('all is settled', () => journal.metersPending().length === 0, 600_000);
  must(await journal.flush());
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpuBegun);
  stop.abort('over');
  stir.ring();
  await Promise.all(jobs);
  await upstream.stop();
  await journal.close();
  return { seconds, cpuS: (user + system) / 1e6, rows, messages: headEnd.messages };
}

/** A head-end of which it is known what was sent. A class: a method put over that of each link would be optimized anew for each. */
class WatchedHeadEnd implements HeadEnd {
  isBorn = false;
  readonly messages: Sent[] = [];
  readonly #link: HeadEnd;
  readonly #keeps: boolean;

  constructor(link: HeadEnd, keeps: boolean) {
    this.#link = link;
    this.#keeps = keeps;
  }

  publish(message: OutMessage): Promise<Result<void>> {
    const { topic, payload } = message;
    const sent = this.#link.publish(message);
    if (this.isBorn) {
      if (this.#keeps) this.messages.push({ topic, payload });
    } else if (topic.endsWith('/up/birth')) {
      void sent.then(() => {
        this.isBorn = true;
      });
    }
    return sent;
  }

  payloadMax(topic: string): number {
    return this.#link.payloadMax?.(topic) ?? Number.POSITIVE_INFINITY;
  }

  start(will: OutMessage): void {
    this.#link.start(will);
  }

  isConnected(): boolean {
    return this.#link.isConnected();
  }

  linkState(): string {
    return this.#link.linkState();
  }

  listen(topics: readonly string[], listener: (message: InMessage) => void): void {
    this.#link.listen(topics, listener);
  }

  onConnect(listener: () => void): void {
    this.#link.onConnect(listener);
  }

  onTakeover(listener: (why: string) => void): void {
    this.#link.onTakeover(listener);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
