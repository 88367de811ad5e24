// `scan`: which devices hang on a port, a peer or a bus, with its progress on standard error.

import type { ScanFound, ScanProgress, ScanWish } from '../domain/scan.ts';
import type { BusSettings, ScanTarget, Settings } from '../settings/settings.ts';
import { NAME } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail, failHeard, sayJson, table } from './say.ts';
import { settingsOf } from './settings-file.ts';

/** What was typed. */
export interface ScanRequest {
  readonly port?: string;
  readonly host?: string;
  readonly tcpPort?: string;
  readonly config?: string;
  readonly bus?: string;
  readonly way?: string;
  readonly baud?: string;
  readonly parity?: string;
  readonly addresses?: string;
  readonly profiles?: string;
  readonly timeoutMs?: string;
}

/** A sitting of a scan of our own: as often its progress is told. */
const SITTING_MS = 1_000;
/** Lines of progress: one for each so many hundredths. */
const STEP = 0.05;

/** Where a scan is done: here, or by a running collector. */
interface Seat {
  next(): Promise<ScanProgress | { readonly exit: number }>;
  stop(): Promise<void>;
}

/** 0 when a device was found, 4 when none was, 130 when it was broken off (what was found is said all the same). */
export async function scan(
  request: ScanRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const loaded = await settingsFor(request, manner, io, parts);
  if (loaded && 'exit' in loaded) return loaded.exit;
  const target = targetOf(request, loaded?.settings ?? null, manner);
  if ('problem' in target) return usage(target.problem, manner, io);
  const wish = wishOf(request);
  let seat: Seat | undefined;
  let stopped = false;
  const stop = () => {
    stopped = true;
    void seat?.stop();
  };
  // Heard from the beginning, and when the terminal closes: the collector would scan on for nobody, and refuse the next one.
  const releases = [parts.onStop(stop), parts.onReload?.(stop)];
  const tell = teller(manner, io);
  try {
    const seated = await seatAt(target, wish, loaded?.settings ?? null, manner, io, parts);
    if ('exit' in seated) return seated.exit;
    seat = seated;
    if (stopped) await seat.stop();
    for (;;) {
      const now = await seat.next();
      if ('exit' in now) return now.exit;
      tell(now);
      if (now.over || stopped) return say(now, stopped, manner, io);
    }
  } finally {
    for (const release of releases) release?.();
  }
}

/**
 * The settings that were named; else the usual ones, where they are there and good: a collector that runs by them holds
 * the port. Without them a port is looked at directly.
 */
async function settingsFor(
  { config, bus }: ScanRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<{ readonly settings: Settings } | { readonly exit: number } | null> {
  const { path, isThere } = parts.settingsFile;
  if (config !== undefined || bus !== undefined) {
    return settingsOf(config ?? path, manner, io, parts);
  }
  if (!isThere) return null;
  const usual = await parts.loadSettings(path);
  return usual.ok ? usual : null;
}

function targetOf(
  { port, host, tcpPort, bus }: ScanRequest,
  settings: Settings | null,
  { say }: Manner,
): ScanTarget | { readonly problem: string } {
  const peer = host === undefined ? null : { host, port: Number(tcpPort ?? 502) };
  if (peer && !(Number.isInteger(peer.port) && peer.port >= 1 && peer.port <= 65_535)) {
    return { problem: say('cli.scan_tcp_port') };
  }
  const found = settings?.buses.find((one) => bus === one.bus || isAt(one, port, peer));
  if (found) return { bus: found };
  if (bus !== undefined) return { problem: say('cli.scan_no_bus', { bus }) };
  if ((port === undefined) === (peer === null)) {
    return { problem: say('cli.scan_where') };
  }
  return peer === null ? { port: port ?? '' } : { peer };
}

function isAt(
  bus: BusSettings,
  port: string | undefined,
  peer: { host: string; port: number } | null,
): boolean {
  if ('serial' in bus) return port === bus.serial.path;
  return peer?.host === bus.peer.host && peer.port === bus.peer.port;
}

function wishOf(request: ScanRequest): ScanWish {
  const { way, baud, parity, addresses, profiles, timeoutMs } = request;
  return {
    ...(way !== undefined && { ways: way.split(',') }),
    ...(baud !== undefined && { baud: baud.split(',').map(Number) }),
    ...(parity !== undefined && { parity: parity.split(',') }),
    ...(addresses !== undefined && { addresses }),
    ...(profiles !== undefined && { profiles: profiles.split(',') }),
    ...(timeoutMs !== undefined && { timeout_ms: Number(timeoutMs) }),
  };
}

/** The running collector where it owns the port, else this process. */
async function seatAt(
  target: ScanTarget,
  wish: ScanWish,
  settings: Settings | null,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<Seat | { readonly exit: number }> {
  if (settings && 'bus' in target) {
    const daemon = parts.daemon(settings.control);
    const { bus } = target.bus;
    const began = await daemon.run('bus.scan', { ...wish, bus });
    if (began.ok) {
      if (io.isTTY) io.err(`${manner.say('cli.scan_daemon', { bus })}\n`);
      return {
        next: async () => {
          const now = await daemon.run('bus.scan.progress', { bus });
          return now.ok ? (now.data as ScanProgress) : { exit: failHeard(io, manner, now) };
        },
        stop: async () => void (await daemon.run('bus.scan.stop', { bus })),
      };
    }
    if (began.code !== 'daemon.absent') return { exit: failHeard(io, manner, began) };
  }
  const opened = await parts.openScan(target, wish);
  if ('problem' in opened) return { exit: usage(manner.hear(opened.problem), manner, io) };
  const over = new AbortController();
  return {
    next: async () => {
      await opened.run.work(SITTING_MS, over.signal);
      return opened.run.progress();
    },
    stop: async () => over.abort('stopped'),
  };
}

/** Says how far it is, when that is news; and each device as it is found. */
function teller(manner: Manner, io: Io): (now: ScanProgress) => void {
  const { say } = manner;
  let told = 0;
  let share = -1;
  return ({ asked, of, found, left_ms }) => {
    if (!io.isTTY) return;
    for (const one of found.slice(told)) {
      io.err(`${say('cli.scan_found', { row: rowOf(one, manner).join('  ') })}\n`);
    }
    told = found.length;
    const now = of === 0 ? 1 : asked / of;
    if (now - share < STEP && now < 1) return;
    share = now;
    const places = { percent: Math.floor(100 * now), of, left: inWords(left_ms) };
    io.err(`${say(now < 1 ? 'cli.scan_progress_left' : 'cli.scan_progress', places)}\n`);
  };
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

function say(now: ScanProgress, stopped: boolean, manner: Manner, io: Io): number {
  const { found, fault } = now;
  if (fault !== null && found.length === 0) {
    const [code = '', ...words] = fault.split(': ');
    const isNone = /no serial port|no port at/.test(fault);
    // Nothing listens there, or nothing is there: no collector holds what cannot be opened.
    const why = code === 'peer.unreachable' ? 'cli.scan_peer' : 'cli.scan_held';
    const hint = isNone ? '' : manner.say(why);
    return failHeard(io, manner, { ok: false, code, message: `${words.join(': ')}.`, hint });
  }
  if (manner.json) sayJson(io, now);
  else {
    io.out(scanTable(found, manner));
    const step = found.length === 0 ? 'cli.scan_none_hint' : 'cli.scan_next';
    io.err(`${manner.say(step, { name: NAME })}\n`);
  }
  if (stopped) return EXIT.interrupted;
  return found.some(({ garbled }) => !garbled) ? EXIT.ok : EXIT.noAnswer;
}

/** What was found, a device a line. */
export function scanTable(found: readonly ScanFound[], manner: Manner): string {
  const { say } = manner;
  if (found.length === 0) return `${say('cli.scan_none')}\n`;
  const headings = HEADINGS.map((name) => say(`cli.h_${name}`));
  return table(
    headings,
    found.map((one) => rowOf(one, manner)),
    manner,
  );
}

const HEADINGS = ['way', 'baud', 'parity', 'address', 'profile', 'dial', 'id', 'also'];

function rowOf(
  { way, baud, parity, address, fits, garbled }: ScanFound,
  { say }: Manner,
): string[] {
  const [best, ...others] = fits;
  const profile = best?.profile ?? say(garbled ? 'cli.scan_garbled' : 'cli.scan_unfit');
  return [
    ...[way, String(baud ?? '-'), parity ?? '-', address ?? say('cli.scan_by_itself'), profile],
    ...[best?.digits ?? '-', best?.id ?? '-', others.map((one) => one.profile).join(' ')],
  ];
}

function usage(message: string, manner: Manner, io: Io): number {
  const hint = manner.say('cli.scan_see', { name: NAME });
  return fail(io, manner, { code: 'usage.scan', message, hint }, EXIT.usage);
}
