// A bus on virtual time whose meters take their time, fall silent or answer wrongly as told, polled by the real loop.

import { setMaxListeners } from 'node:events';
import type { Bus, Journal, ReadTarget, Register } from '../../src/boundaries.ts';
import { type Fault, type FaultCode, faulty, good, type Result } from '../../src/domain/fault.ts';
import { AskedReads } from '../../src/jobs/asked-reads.ts';
import type { BusScansOf } from '../../src/jobs/bus-scans.ts';
import { type Polled, type PollRecord, pollBus } from '../../src/jobs/poll-bus.ts';
import { Medium } from '../fakes/memory-store.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FINE, MINUTE, openMetered, rulesOf, T0 } from '../journal/metered.ts';

export const TIMEOUT = 1_000;

export interface TimedOptions {
  readonly meters: number;
  readonly pollMs: number;
  /** How long a good answer takes. */
  readonly readMs: number;
  readonly parallel?: number;
  readonly expectMs?: number;
  readonly toleranceMs?: number;
  readonly minPollS?: number;
  readonly checked?: boolean;
  /** Milliseconds after T0 at which polling starts. */
  readonly startMs?: number;
  readonly scans?: (clock: VirtualClock) => BusScansOf;
  /** Reads go over this bus, which answers as it does. The meters' addresses are 1, 2, ... */
  readonly over?: (clock: VirtualClock) => Bus;
}

export interface Ask {
  readonly meter: string;
  readonly from: number;
  readonly to: number;
}

/** Meters SP-1, SP-2, ... that count one a minute; times in the lists are milliseconds after T0. */
export class TimedBus implements Bus {
  readonly clock: VirtualClock;
  readonly asks: Ask[] = [];
  readonly polled: Polled[] = [];
  readonly records = new Map<string, PollRecord>();
  readonly door: AskedReads;
  readonly faults = new Map<string, FaultCode | Fault>();
  /** So long a single answer takes. */
  readonly slow = new Map<string, number>();
  /** The most reads that were under way at once. */
  atOnce = 0;
  journal!: Journal;
  readonly #options: TimedOptions;
  readonly #over: Bus | undefined;
  readonly #medium = new Medium();
  #under = new Set<string>();
  #halt = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: TimedOptions) {
    this.#options = options;
    this.clock = new VirtualClock(T0 + (options.startMs ?? 0));
    this.door = new AskedReads(this.clock);
    this.#over = options.over?.(this.clock);
  }

  get atOnceNow(): number {
    return this.#over?.atOnceNow ?? this.#options.parallel ?? 1;
  }

  get names(): string[] {
    return Array.from({ length: this.#options.meters }, (_, i) => `SP-${i + 1}`);
  }

  async start(): Promise<this> {
    const { meters: _, pollMs, expectMs, toleranceMs = 15_000, minPollS = 0 } = this.#options;
    const { checked = true, parallel, scans } = this.#options;
    this.journal = await openMetered(
      () => this.#medium.open(),
      Object.fromEntries(this.names.map((meter) => [meter, FINE])),
    );
    const profile = { ...modbusProfile({ type: 'u32', order: 'ABCD' }), minPollS, checked };
    const places = this.names.map((meter, i) => ({
      target: { meter, address: String(i + 1), profile, dial: FINE },
      rules: { ...rulesOf(FINE), pollMs, toleranceMs },
    }));
    const { clock, journal, door, polled } = this;
    this.#halt = new AbortController();
    // As in the collector: every read that is under way listens.
    setMaxListeners(0, this.#halt.signal);
    this.#running = pollBus(
      {
        ...{ bus: this, journal, clock, log: new RecordingLog(), timeoutMs: TIMEOUT, places },
        ...{ asked: door, watch: (one) => polled.push(one) },
        ...(parallel === undefined ? {} : { parallel }),
        ...(scans && { scans: scans(clock) }),
        ...(expectMs === undefined ? {} : { expectMs: () => expectMs }),
      },
      this.records,
      this.#halt.signal,
    );
    return this;
  }

  async stop(): Promise<void> {
    this.#halt.abort();
    await this.clock.runUntil(this.#running);
    await this.clock.runUntil(this.journal.close());
  }

  /** Lives until so many minutes after T0, of the world's time. */
  until(minutes: number): Promise<void> {
    return this.clock.run(T0 + minutes * MINUTE);
  }

  /** The asks of one meter, or of all but some. */
  of(meter: string): Ask[] {
    return this.asks.filter((ask) => ask.meter === meter);
  }

  async read(target: ReadTarget, signal?: AbortSignal): Promise<Result<Register>> {
    const { meter } = target;
    if (this.#under.has(meter)) throw new Error(`${meter} is asked twice at once`);
    this.#under.add(meter);
    this.atOnce = Math.max(this.atOnce, this.#under.size);
    const from = this.clock.trueNow() - T0;
    const outcome = await (this.#over?.read(target, signal) ?? this.#scripted(meter, signal));
    this.#under.delete(meter);
    this.asks.push({ meter, from, to: this.clock.trueNow() - T0 });
    return outcome;
  }

  async #scripted(meter: string, signal?: AbortSignal): Promise<Result<Register>> {
    const fault = this.faults.get(meter);
    const ms = fault === 'line.silent' ? TIMEOUT : (this.slow.get(meter) ?? this.#options.readMs);
    await this.clock.sleep(ms, signal);
    if (signal?.aborted) return faulty('aborted', 'given up');
    if (typeof fault === 'object') return { ok: false, fault };
    if (fault !== undefined) return faulty(fault, 'as told');
    const register = Math.floor((this.clock.trueNow() - T0) / MINUTE);
    return good({ register, digits: String(register).padStart(8, '0'), id: null, flags: [] });
  }

  link(): { open: boolean; detail: string } {
    return { open: true, detail: '' };
  }

  async close(): Promise<void> {
    this.#halt.abort();
  }
}
