// The way to the head-end: messages over a link, and the rows that they carry.

import type { Row } from '../domain/entry.ts';
import type { Result } from '../domain/fault.ts';

/** A message for the head-end. `topic` is complete; `expiryS` asks the broker to drop it when older (MQTT 5). */
export interface OutMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly expiryS?: number;
  /** What a question wants to see in its answer (MQTT 5). */
  readonly correlation?: Uint8Array;
  /** Whatever else waits for a place in the window goes before it (A4). */
  readonly late?: boolean;
}

/** A message from the head-end, as the broker passed it on. */
export interface InMessage {
  readonly topic: string;
  /** As UTF-8; what is none of it is replaced, and so no JSON. */
  readonly payload: string;
  readonly bytes: number;
  /** The broker had kept it: it may be old. */
  readonly retained: boolean;
  /** Where an answer is awaited, and what it must carry (MQTT 5). */
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

/** The way to the head-end through a broker. Reconnects for ever by itself, backing off to a ceiling. */
export interface HeadEnd {
  /** Begins connecting. `will` is left with the broker for the day the link is lost. */
  start(will: OutMessage): void;
  isConnected(): boolean;
  /** Says in words what the link is doing, for `status`. */
  linkState(): string;
  /** Asks the broker for `topics` on every connection and hands on what comes on them. Set once, before `start`. */
  listen(topics: readonly string[], listener: (message: InMessage) => void): void;
  /** Called after each new connection, before anything else is published on it. */
  onConnect(listener: () => void): void;
  /** Called with the reason when another client seems to use our id; once, until a link has held for a minute. */
  onTakeover(listener: (why: string) => void): void;
  /**
   * Good only when the broker has acknowledged (QoS 1) or the bytes are sent (QoS 0). `upstream.offline` at once
   * when not connected: nothing is queued here. `upstream.silent` when no PUBACK came in time, `upstream.refused`
   * when the broker said no.
   */
  publish(message: OutMessage): Promise<Result<void>>;
  /** Most bytes that the broker now linked takes as payload on `topic`; absent or infinite: it named no limit. */
  payloadMax?(topic: string): number;
  /** Disconnects cleanly, after what is in flight has settled or one second has passed. */
  close(): Promise<void>;
}

/** What the broker refused of what is published beside the rows, and its word on the last of them. */
export interface Unsaid {
  readonly count: number;
  readonly detail: string;
}

/** Why rows are sent (I8): an hour just over, an earlier one, one asked for again, the last of an installation that ended. */
export type SendCause = 'scheduled' | 'backfill' | 'replay' | 'final';

/** A message ready to be sent, with the rows that it carries. */
export interface Prepared {
  readonly topic: string;
  readonly payload: string;
  readonly rows: readonly Row[];
}

/** The way up: turns rows and facts into the contract's messages and hands them to the head-end. */
export interface Upstream {
  isConnected(): boolean;
  /** The messages that carry these rows of one meter and installation: events first, then hours and gaps, as many as fit (A4, I8). */
  prepare(rows: readonly Row[], cause: SendCause): Result<readonly Prepared[]>;
  /** Publishes a message; good when the broker has acknowledged it. `late`: after everything else that waits. */
  publish(message: Prepared, late?: boolean): Promise<Result<void>>;
  /** Takes rows that the broker has: they are settled at once, or once the head-end has stored them (A2). */
  delivered(rows: readonly Row[]): void;
  /** Publishes the retained description of a meter. */
  describe(meter: string): Promise<void>;
}
