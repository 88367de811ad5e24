// Buses with their meters: reads, and what else a person does on a wire.

import type { BusSeen, BusSummary } from '../domain/bus-seen.ts';
import type { Result } from '../domain/fault.ts';
import type { HandProfile, Profile, Register } from '../domain/profile.ts';
import type { ScanProgress } from '../domain/scan.ts';
import type { Counts, Dial, EpochMs } from '../domain/units.ts';

/** Where a meter hangs and how it is asked. */
export interface ReadTarget {
  readonly meter: string;
  /** Modbus unit (1 to 247; over TCP also 0 and 255, the device itself), with `/CHANNEL` where the device has several, or the text that takes the place of `{address}` in a line's request. */
  readonly address: string;
  /** Identification the encoder must send with its register. */
  readonly registerId?: string;
  readonly profile: Profile | HandProfile;
  readonly dial: Dial;
}

/** What came of a read that a person asked for: the dial, the fault, or when the meter may be asked (`busyUntil`). */
export type AskedOutcome = Result<Counts> | { readonly ok: false; readonly busyUntil: EpochMs };

/** A piece of bytes as it went over a wire: microseconds since the trace began, and since the piece before. */
export interface TracedFrame {
  readonly at_us: number;
  readonly dir: 'tx' | 'rx';
  readonly hex: string;
  readonly gap_us: number;
}

/** Pieces in their order, of which `lost` before them came too fast to be kept; `next` is where the following begin. */
export interface TracedFrames {
  readonly frames: readonly TracedFrame[];
  readonly next: number;
  readonly lost: number;
  /** Nothing follows. */
  readonly over: boolean;
}

/** A trace of one wire that can be switched on while it runs; one at a time, bounded in bytes and time. */
export interface WireTrace {
  /** Begins a trace, which ends one under way, and names it. */
  start(forMs: number): number;
  /** What came since `after`; when there is nothing, at most a second later. Never rejects. */
  take(trace: number, after: number): Promise<TracedFrames>;
  stop(trace: number): void;
}

/** A search for devices on a wire, in as many sittings as it is given. */
export interface ScanRun {
  progress(): ScanProgress;
  /** Asks for about so long, on a link that it opens and closes. Never rejects. */
  work(forMs: number, signal?: AbortSignal): Promise<void>;
}

/** The scan of a bus whose port a running collector owns. */
export interface BusScans {
  /** False while one is under way. */
  start(run: ScanRun, timeoutMs: number): boolean;
  /** How far the newest is, after at most a second; null when there was none. */
  progress(waitMs?: number): Promise<ScanProgress | null>;
  stop(): void;
}

/** One bus with its meters: one conversation at a time, or a bounded number of them. */
export interface Bus {
  /** How many reads may be under way at once; 1 where it does not say. One more is a bug of the owner, and rejects. */
  readonly atOnce?: number;
  /** How many it bears just now: fewer where more get into each other's way. Absent: `atOnce`. */
  readonly atOnceNow?: number;
  /**
   * Asks one meter for its dial. Settles within the bus's time-out, or twice it where one retry helps (a Modbus profile whose
   * words lie apart: for each of its questions, of which the first unanswered one is the last); `port.absent` or
   * `peer.unreachable` at once between two tries to open the link. Never rejects. The caller stamps the time. Where nobody
   * else needs the bus for `spareMs` of the wire, the answer may come so much later; a bus need not make use of it.
   */
  read(target: ReadTarget, signal?: AbortSignal, spareMs?: number): Promise<Result<Register>>;
  /** What the link is doing, in words, and whether it is open. */
  link(): { readonly open: boolean; readonly detail: string };
  /** What was seen on it since the start; absent where nobody counts. */
  seen?(): BusSeen;
  /** The same in few numbers; absent where `seen` is. */
  summary?(): BusSummary;
  /** What goes over its wire; absent where there is none. */
  readonly trace?: WireTrace | undefined;
  /** Lets go of the link; the next read opens it again at once. Only between reads. */
  rest?(): Promise<void>;
  /** Releases the link; what is being read settles. Idempotent. */
  close(): Promise<void>;
}
