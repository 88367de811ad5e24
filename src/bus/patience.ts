// For how long a device on a line is waited for beyond its time-out, and then left alone: what a late answer of it takes.

import { Latencies } from './latencies.ts';

/** An answer later than this share of a device's answers is not waited for. */
export const LATE_SHARE = 0.95;
/** Where nobody else needs the line, a device is waited for so many times as long as its slow answers took. */
const LATE_TIMES = 4;

/** Silences in a row from which on a device is taken for gone. */
const GONE_FROM = 3;

/** What is known of a device. */
export interface Known {
  /** What its slow answers took; null when it never answered. */
  readonly latencyMs: number | null;
  /** Questions without any answer since the last one that had one. */
  readonly missed: number;
}

/**
 * How long after its time-out a device's answer is still waited for. The line would be held silent for its latency
 * anyway, lest its answer and another's spoil each other; a device that was silent the last time too has no claim to
 * that: it costs its time-out and no more. Where nobody else needs the line for `spareMs`, a slow one gets of that.
 */
export function patienceMs({ latencyMs, missed }: Known, timeoutMs: number, spareMs = 0): number {
  const latency = latencyMs ?? 0;
  const held = missed === 0 ? Math.min(latency, timeoutMs) : 0;
  return Math.max(held, Math.min(LATE_TIMES * latency, spareMs));
}

/** How long a device is left alone after a silence: its late answer falls into that. */
export function restMs(latencyMs: number | null, timeoutMs: number): number {
  return latencyMs === null ? timeoutMs : Math.min(2 * latencyMs, timeoutMs);
}

/** What is known of each device of a line. */
export class Patience {
  readonly #latencies = new Map<string, Latencies>();
  readonly #missed = new Map<string, number>();

  of(device: string): Known {
    const latencyMs = this.#latencies.get(device)?.atShare(LATE_SHARE) ?? null;
    return { latencyMs, missed: this.#missed.get(device) ?? 0 };
  }

  /** It answered so long after the question. */
  took(device: string, ms: number): void {
    const latencies = this.#latencies.get(device) ?? new Latencies();
    latencies.took(ms);
    this.#latencies.set(device, latencies);
    this.heard(device);
  }

  /** It has been silent so often that a late answer of it is hardly to be expected. */
  isGone(device: string): boolean {
    return (this.#missed.get(device) ?? 0) >= GONE_FROM;
  }

  /** It is there. */
  heard(device: string): void {
    this.#missed.delete(device);
  }

  missed(device: string): void {
    this.#missed.set(device, (this.#missed.get(device) ?? 0) + 1);
  }
}
