// Drains a journal in LevelDB through the real forwarder, upstream and MQTT link, until every row is settled durably.

import { openLevelStore } from '../../../src/adapters/level-store.ts';
import { createMqttHeadEnd } from '../../../src/adapters/mqtt-head-end.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { Bell } from '../../../src/bell.ts';
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
  let isBorn = false;
  const publish = link.publish.bind(link);
  link.publish = async (message) => {
    const outcome = await publish(message);
    if (message.topic.endsWith('/up/birth')) isBorn = true;
    return outcome;
  };
  const stir = new Bell();
  const upstream = createUpstream({
    ...{ headEnd: link, journal, clock, wire, log, configRevision: 'r', meters: new Map() },
    ...{ utility: 'u', collector: 'COL-1', session: 'S', software: '1', ack: 'auto' },
    ...{ stir: () => stir.ring(), commands: [], onCommand: () => undefined },
  });
  const messages: Sent[] = [];
  const handOver = upstream.publish.bind(upstream);
  if (options.keep) {
    upstream.publish = (message, late) => {
      messages.push({ topic: message.topic, payload: message.payload });
      return handOver(message, late);
    };
  }
  upstream.start();
  // The birth is told before: what is measured is the water.
  await until('born', () => isBorn);
  link.publish = publish;
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
  return { seconds, cpuS: (user + system) / 1e6, rows, messages };
}
