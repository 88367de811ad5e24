// Bytes and words on a wire: a port or peer, and what may be spoken over it.

import type { Result } from '../domain/fault.ts';

/**
 * Raw bytes of one serial port or TCP peer, under a line or a Modbus link. Used by one owner, who sets both listeners
 * before the first opening.
 */
export interface Wire {
  /** True between a good `open` and the loss of the port or peer, noticed even while nothing is written. */
  isOpen(): boolean;
  /** One try to open; bounded. Opening an open wire is good. Never rejects. */
  open(): Promise<Result<void>>;
  /**
   * Good when the bytes are handed to the driver. `port.absent` when not open; `port.failed` when nobody takes them for
   * two seconds, after which the wire is lost. The bytes must not change until it resolves.
   */
  write(bytes: Uint8Array): Promise<Result<void>>;
  /** Bytes written and not yet taken by the driver: requests that pile up in a stuck port. */
  unsent(): number;
  /** Sets the one listener for arriving bytes; they are valid only during the call. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Sets the one listener told, once per opening, that the port or peer is gone; a close is not told. */
  onLost(listener: () => void): void;
  /** Releases the port: not open, and silent, from the call on. Idempotent. */
  close(): Promise<void>;
}

/** One conversation of bytes with what hangs on a serial port or a TCP peer. Used by one owner, one call at a time. */
export interface Line {
  /** True between a good `open` and the loss of the port, noticed even while nothing is asked of it. */
  isOpen(): boolean;
  /** One try to open; bounded by the adapter's own time-out. Opening an open line is good. Never rejects. */
  open(): Promise<Result<void>>;
  /** Resolves when the bytes are handed to the driver. `port.absent` when not open. */
  write(bytes: Uint8Array): Promise<Result<void>>;
  /**
   * The next whole frame (without its delimiter) that began after the last `drain`. `line.silent` after
   * `timeoutMs` of the wire, `line.torn` when by then part of a frame had come, `line.overlong` when the cap is
   * passed without a delimiter, `port.absent` at once when the port is lost. A torn tail is never a frame.
   */
  receive(timeoutMs: number, signal?: AbortSignal): Promise<Result<Uint8Array>>;
  /** Forgets every byte received so far. */
  drain(): void;
  /** Releases the port; a pending `receive` settles. Idempotent. */
  close(): Promise<void>;
}

/** A question to a Modbus device: `quantity` 16-bit words from the 0-based `address`. Reading only: there is no write. */
export interface ModbusQuestion {
  readonly unit: number;
  readonly table: 'holding' | 'input';
  readonly address: number;
  readonly quantity: number;
  readonly timeoutMs: number;
  /** Nobody else needs the line for so long after the time-out: the answer may come until then. On a line only. */
  readonly spareMs?: number;
}

/** A Modbus link (RTU on a line, or TCP). Used by one owner. */
export interface ModbusLink {
  /** How many questions may be under way at once: 1 on a line. One more is a bug of the owner, and rejects. */
  readonly atOnce: number;
  /** How many the peer was seen to answer in time; absent: `atOnce`. */
  readonly atOnceNow?: number;
  isOpen(): boolean;
  /** One try to open; bounded. Never rejects. */
  open(): Promise<Result<void>>;
  /**
   * The words in address order. `line.silent` after `timeoutMs`, `line.torn` when by then a part of an answer had come.
   * On a line two pauses may come before the question (its quiet, and the wait for what a unit owes: at most one time-out
   * more), and a unit that still owes answers is asked more than once, as many times as could be needed to know which of
   * its answers is new.
   */
  read(question: ModbusQuestion, signal?: AbortSignal): Promise<Result<readonly number[]>>;
  /** Releases the link; every question under way settles. Idempotent. */
  close(): Promise<void>;
}
