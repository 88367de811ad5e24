// Starts the whole collector over a journal of 45 days, in a process of its own, and says when it asked the first meter.

import { createLevelVault } from '../../src/adapters/level-vault.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import type { Bus } from '../../src/boundaries.ts';
import { CR_FRAMING } from '../../src/codec/framer.ts';
import { runCollector } from '../../src/collector.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { COMMAND_CHECK } from '../contract/command-check.ts';
import { MemoryBroker } from '../fakes/memory-head-end.ts';
import { lineProfile } from '../fakes/profiles.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { FINE, meterName } from './old-store.ts';

/** The scrub runs behind polling; memory is looked at again after so long. */
const LOOK_AGAIN_MS = 10_000;

const [folder = '', count = '250', end = '0'] = process.argv.slice(2);
const wire = createSystemClock();
let tell: (ms: number) => void = () => undefined;
const asked = new Promise<number>((resolve) => {
  tell = resolve;
});
const profile = { ...lineProfile('ui1203', CR_FRAMING), request: '#{address}\r', dial: FINE };
const bus: Bus = {
  read: async (_, signal) => {
    // Since the process began.
    tell(wire.monotonicMs());
    await wire.sleep(1_000, signal);
    return faulty('line.silent', 'a bench has no meters');
  },
  link: () => ({ open: true, detail: 'open' }),
  close: async () => undefined,
};
const serial = { path: '', baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
const settings: Settings = {
  ...{ utility: 'bench', collector: 'COL-1', data: folder, control: '', logLevel: 'info' },
  time: { speed: 1, real: 0, simulated: 0, sync: 'assumed' },
  upstream: {
    ...{ url: '', protocol: 'auto', keepaliveS: 30, ackTimeoutS: 30, backlogPerS: 10 },
    ...{
      ack: 'auto',
      commands: { operate: false, configure: false },
      smearS: 0,
      reconnectMaxS: 60,
    },
  },
  journal: {
    ...{ commitS: 60, ballastMb: 0, incrementDays: 45, hourDays: 400, eventDays: 400 },
    ...{ maxMb: 1024, minFreeMb: 64, writeMbPerDay: 40 },
  },
  buses: [{ bus: 'b', type: 'line-serial', serial, timeoutMs: 1_000, reopenMaxMs: 1_000 }],
  meters: Array.from({ length: Number(count) }, (_, i) => ({
    ...{ meter: meterName(i), bus: 'b', profile, dial: FINE, address: String(i) },
    ...{
      service: 'active',
      pollS: 60,
      toleranceS: 15,
      maxFlowPerH: 2_406,
      jitter: 1,
      stuckDays: 10,
    },
  })),
};
const clock = createSystemClock({ real: wire.now(), simulated: Number(end) + 60_000 });
let names = 0;
const collector = await runCollector(settings, {
  commandCheck: COMMAND_CHECK,
  ...{
    clock,
    wire,
    log: new RecordingLog(),
    serve: null,
    writeFile: async () => good(0),
    version: 'bench',
  },
  headEnd: new MemoryBroker(wire).headEnd({ clock: wire }),
  vault: createLevelVault({ folder, ballastBytes: 0 }),
  openBus: () => bus,
  newName: () => {
    names += 1;
    return `BENCH${names}`;
  },
});
const firstPollMs = await asked;
const rss = () => process.resourceUsage().maxRSS / 1024;
const atFirstPoll = rss();
await wire.sleep(LOOK_AGAIN_MS);
process.stdout.write(`${JSON.stringify({ firstPollMs, rssMb: atFirstPoll, scrubRssMb: rss() })}\n`);
await collector.stop();
process.exit(0);
