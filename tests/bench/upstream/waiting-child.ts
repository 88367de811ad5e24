// Forwards without a broker over a journal in which rows wait, in a process of its own, and says what memory it takes.

import { readFileSync } from 'node:fs';
import { openLevelStore } from '../../../src/adapters/level-store.ts';
import { createMqttHeadEnd } from '../../../src/adapters/mqtt-head-end.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { clearHeap, keepHeapSmall } from '../../../src/adapters/v8-heap.ts';
import { Bell } from '../../../src/bell.ts';
import { forwardNews } from '../../../src/jobs/forward.ts';
import { forwardBacklog } from '../../../src/jobs/forward-backlog.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { createUpstream } from '../../../src/upstream/upstream.ts';
import { freePort, partsFor } from '../../fakes/real-brokers.ts';
import { RecordingLog } from '../../fakes/recording-log.ts';
import { must } from './pending-store.ts';

/** The daemon clears its heap first after 20 s. */
const SETTLE_MS = 25_000;

const [folder = ''] = process.argv.slice(2);
keepHeapSmall(1);
const wire = createSystemClock();
const over = new AbortController();
void clearHeap(wire, over.signal);
const openStore = () => openLevelStore(folder);
const journal = must(await openJournal({ collector: 'COL-1', openStore, newEpoch: () => 'E' }));
const log = new RecordingLog();
const stir = new Bell();
const headEnd = createMqttHeadEnd(partsFor(await freePort(), { log }));
const upstream = createUpstream({
  ...{ headEnd, journal, clock: wire, wire, log, configRevision: 'r', meters: new Map() },
  ...{ utility: 'u', collector: 'COL-1', session: 'S', software: '1', ack: 'auto' },
  ...{ stir: () => stir.ring(), commands: [], onCommand: () => undefined },
});
const parts = { journal, upstream, clock: wire, wire, log, collector: 'COL-1', stir };
void forwardNews({ ...parts, smearMs: 0, backlogPerS: 10 }, over.signal);
void forwardBacklog({ ...parts, smearMs: 0, backlogPerS: 10 }, over.signal);
upstream.start();
// As health and status do, over and over.
const { rows } = await journal.pending();
await wire.sleep(SETTLE_MS);
await journal.pending();
/** What the files of the store take up in memory is the kernel's to give away; what is ours is anonymous. */
const anonymousKb = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
process.stdout.write(`${JSON.stringify({ rows, mib: Number(anonymousKb) / 1024 })}\n`);
process.exit(0);
