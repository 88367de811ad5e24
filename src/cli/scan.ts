// `scan`: which devices hang on a port, a peer or a bus, with its progress on standard error.

import type { ScanFound, ScanProgress, ScanWish } from '../domain/scan.ts';
import type { BusSettings, Settings } from '../settings/settings.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts, ScanTarget } from './parts.ts';
import { fail, sayJson, table } from './say.ts';
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
  const loaded =
    request.config === undefined ? null : await settingsOf(request.config, manner, io, parts);
  if (loaded && 'exit' in loaded) return loaded.exit;
  const target = targetOf(request, loaded?.settings ?? null);
  if ('problem' in target) return usage(target.problem, manner, io);
  const wish = wishOf(request);
  const seat = await seatAt(target, wish, loaded?.settings ?? null, manner, io, parts);
  if ('exit' in seat) return seat.exit;
  let stopped = false;
  const release = parts.onStop(() => {
    stopped = true;
    void seat.stop();
  });
  const tell = teller(manner, io);
  try {
    for (;;) {
      const now = await seat.next();
      if ('exit' in now) return now.exit;
      tell(now);
      if (now.over || stopped) return say(now, stopped, manner, io);
    }
  } finally {
    release();
  }
}

function targetOf(
  { port, host, tcpPort, bus }: ScanRequest,
  settings: Settings | null,
): ScanTarget | { readonly problem: string } {
  const peer = host === undefined ? null : { host, port: Number(tcpPort ?? 502) };
  if (peer && !(Number.isInteger(peer.port) && peer.port >= 1 && peer.port <= 65_535)) {
    return { problem: '--tcp-port takes 1 to 65535.' };
  }
  const found = settings?.buses.find((one) => bus === one.bus || isAt(one, port, peer));
  if (found) return { bus: found };
  if (bus !== undefined) return { problem: `There is no bus ${bus} in the settings.` };
  if ((port === undefined) === (peer === null)) {
    return { problem: 'Say where: --port /dev/ttyUSB0, or --host H --tcp-port N, or --bus B.' };
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
      io.err(`The running collector scans ${bus} between its polls.\n`);
      return {
        next: async () => {
          const now = await daemon.run('bus.scan.progress', { bus });
          return now.ok ? (now.data as ScanProgress) : { exit: fail(io, manner, now) };
        },
        stop: async () => void (await daemon.run('bus.scan.stop', { bus })),
      };
    }
    if (began.code !== 'daemon.absent') return { exit: fail(io, manner, began) };
  }
  const opened = await parts.openScan(target, wish);
  if ('problem' in opened) return { exit: usage(opened.problem, manner, io) };
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
  let told = 0;
  let share = -1;
  return ({ asked, of, found, left_ms }) => {
    if (manner.json && !io.isTTY) return;
    for (const one of found.slice(told)) io.err(`found ${rowOf(one).join('  ')}\n`);
    told = found.length;
    const now = of === 0 ? 1 : asked / of;
    if (now - share < STEP && now < 1) return;
    share = now;
    const left = now < 1 ? `, about ${inWords(left_ms)} left` : '';
    io.err(`${Math.floor(100 * now)} % of ${of} questions${left}\n`);
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
    const hint = 'If a collector holds it, add --config FILE, and it will be asked.';
    return fail(io, manner, { code, message: `${words.join(': ')}.`, hint });
  }
  if (manner.json) sayJson(io, now);
  else if (found.length === 0) io.out('No device was found.\n');
  else io.out(table(HEADINGS, found.map(rowOf)));
  if (stopped) return EXIT.interrupted;
  return found.some(({ garbled }) => !garbled) ? EXIT.ok : EXIT.noAnswer;
}

const HEADINGS = ['WAY', 'BAUD', 'PARITY', 'ADDRESS', 'PROFILE', 'DIAL', 'ID', 'ALSO'];

function rowOf({ way, baud, parity, address, fits, garbled }: ScanFound): string[] {
  const [best, ...others] = fits;
  const profile = best?.profile ?? (garbled ? 'its bits arrive wrong' : 'none fits');
  return [
    ...[way, String(baud ?? '-'), parity ?? '-', address ?? 'by itself', profile],
    ...[best?.digits ?? '-', best?.id ?? '-', others.map((one) => one.profile).join(' ')],
  ];
}

function usage(message: string, manner: Manner, io: Io): number {
  const hint = 'See: meter-collector help scan';
  return fail(io, manner, { code: 'usage.scan', message, hint }, EXIT.usage);
}
