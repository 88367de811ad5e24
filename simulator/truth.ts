// What really happened: every count and when it passed, every register that was served; kept in memory and as NDJSON.

import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** What a meter is, as only the one who made it can know. */
export interface MeterTruth {
  readonly meter: string;
  readonly bus: string;
  readonly profile: string;
  readonly registerId: string | null;
  readonly digits: number;
  readonly unit: string;
  readonly pow10: number;
  /** Unwrapped count at the world's start. */
  readonly initial: number;
  /** What is special about it: 'leak', 'rollover', 'apartments', ... */
  readonly labels: readonly string[];
}

/** Another meter put where one stood: the body that measures from then on, with a dial of its own. */
export interface Swap {
  readonly meter: string;
  /** How many bodies have stood here with this one: 2, 3, ... */
  readonly body: number;
  /** Simulated epoch ms. */
  readonly at: number;
  /** Unwrapped count at which the one before it was taken away. */
  readonly final: number;
  readonly registerId: string | null;
  readonly digits: number;
  readonly unit: string;
  readonly pow10: number;
  /** Unwrapped count of the new dial when it was put in. */
  readonly initial: number;
}

/** A register that went out on the wire. */
export interface Served {
  readonly meter: string;
  /** Which body of the place sent it; absent: the first. */
  readonly body?: number;
  /** Simulated epoch ms at which it was latched. */
  readonly at: number;
  /** `count` modulo 10^digits. */
  readonly register: number;
  readonly count: number;
}

/** A register of another encoder that went out in a meter's place. */
export interface ServedByStranger {
  readonly meter: string;
  readonly at: number;
  readonly register: number;
  /** Whose it was; null where the device sends no identification. */
  readonly id: string | null;
}

/** Registers kept in memory for each meter, the newest ones: 14 years at four polls an hour, about 40 MB. */
export const SERVED_KEPT = 500_000;

/**
 * The log of the truth. Lines of the file: {"type":"meter",...}, {"type":"count","meter","at","count"},
 * {"type":"served","meter","at","register","count"}, {"type":"stranger","meter","at","register","id"} and
 * {"type":"swap","meter","body","at","final","registerId","digits","unit","pow10","initial"}, `at` in ISO 8601; counts and
 * registers of a later body say which (`body`). Lines of one meter are in order of time.
 */
export class Truth {
  readonly meters: readonly MeterTruth[];
  /** By meter, body by body. */
  readonly #served = new Map<string, Served[][]>();
  readonly #swaps = new Map<string, Swap[]>();
  readonly #file: WriteStream | undefined;
  #failure: Error | undefined;

  /** Without `path` the truth is kept in memory only. */
  constructor(meters: readonly MeterTruth[], path?: string) {
    this.meters = meters;
    for (const { meter } of meters) this.#served.set(meter, [[]]);
    if (path === undefined) return;
    this.#file = createWriteStream(path);
    this.#file.on('error', (error) => {
      this.#failure = error;
    });
    for (const meter of meters) this.#line({ type: 'meter', ...meter });
  }

  /** Registers served by a body of a place, oldest first; empty for a meter that is not of this world. */
  served(meter: string, body = 1): readonly Served[] {
    return this.#served.get(meter)?.[body - 1] ?? [];
  }

  /** The meters put in where one stood, in order of time. */
  swaps(meter: string): readonly Swap[] {
    return this.#swaps.get(meter) ?? [];
  }

  /** Notes that the dial of `meter` reached `count` at `at`. */
  passed(meter: string, at: number, count: number, body = 1): void {
    const whose = body === 1 ? {} : { body };
    this.#line({ type: 'count', meter, ...whose, at: new Date(at).toISOString(), count });
  }

  /** Notes that another meter stands there from now on. */
  swap(swap: Swap): void {
    const bodies = this.#served.get(swap.meter);
    if (!bodies) throw new Error(`no such meter: ${swap.meter}`);
    if (bodies.length !== swap.body - 1) throw new Error(`body ${swap.body} out of turn`);
    bodies.push([]);
    this.#swaps.set(swap.meter, [...this.swaps(swap.meter), swap]);
    this.#line({ type: 'swap', ...swap, at: new Date(swap.at).toISOString() });
  }

  /** Notes a register that is about to go out. */
  serve(served: Served): void {
    const kept = this.#served.get(served.meter)?.[(served.body ?? 1) - 1];
    if (!kept) throw new Error(`no such meter: ${served.meter} (body ${served.body ?? 1})`);
    kept.push(served);
    if (kept.length > SERVED_KEPT) kept.splice(0, SERVED_KEPT / 10);
    this.#line({ type: 'served', ...served, at: new Date(served.at).toISOString() });
  }

  /** Notes a register of another encoder that is about to go out; it is no reading of the meter. */
  serveStranger(served: ServedByStranger): void {
    this.#line({ type: 'stranger', ...served, at: new Date(served.at).toISOString() });
  }

  /** Resolves when the file holds everything. Rejects if the file could not be written: a torn truth proves nothing. */
  async close(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (!this.#file || this.#file.closed) return;
    this.#file.end();
    await finished(this.#file);
  }

  #line(fields: object): void {
    if (!this.#failure) this.#file?.write(`${JSON.stringify(fields)}\n`);
  }
}
