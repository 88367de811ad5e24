// The bytes of a serial port: opened in bounded time, locked while open, its loss noticed even when the driver is silent.

import type { SerialPort } from 'serialport';
import type { Clock, Wire } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import type { SerialSettings } from '../settings/settings.ts';
import { within } from './bounded.ts';
import { CLOSE_LIMIT_MS, OPEN_LIMIT_MS, portFault } from './port-fault.ts';
import { deviceAt, deviceGone } from './port-watch.ts';
import { readDirectly, writeDirectly } from './serial-calls.ts';
import { writeAll } from './write-all.ts';

/** A closed wire over the port of `settings`. `clock` is the wire's. */
export function createSerialWire(options: { settings: SerialSettings; clock: Clock }): Wire {
  return new SerialWire(options.settings, options.clock);
}

class SerialWire implements Wire {
  readonly #settings: SerialSettings;
  readonly #clock: Clock;
  #port: SerialPort | undefined;
  /** A native open that has not come back. Another would only take one more thread from the other ports. */
  #opening: Promise<Error | null> | undefined;
  /** Counts closes, so that an open overtaken by one is undone. */
  #closes = 0;
  #hear: (bytes: Uint8Array) => void = () => {};
  #tellLost: () => void = () => {};

  constructor(settings: SerialSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  isOpen(): boolean {
    return this.#port !== undefined;
  }

  async open(): Promise<Result<void>> {
    if (this.isOpen()) return good(undefined);
    const { path } = this.#settings;
    if (this.#opening !== undefined) return faulty('port.failed', `${path} is stuck while opening`);
    const closes = this.#closes;
    const device = await deviceAt(path);
    const port = await this.#newPort();
    this.#opening = new Promise((resolve) => port.open(resolve));
    const opening = this.#opening.finally(() => {
      this.#opening = undefined;
    });
    const outcome = await within(this.#clock, OPEN_LIMIT_MS, opening);
    if (outcome === 'late') {
      void opening.then((error) => (error === null ? this.#release(port) : undefined));
      return faulty('port.failed', `${path} did not open in ${OPEN_LIMIT_MS} ms`);
    }
    if (outcome !== null) return { ok: false, fault: portFault(path, outcome) };
    if (closes !== this.#closes) {
      await this.#release(port);
      return faulty('aborted', 'closed while opening');
    }
    this.#port = port;
    // The port may have gone between the driver's word and ours.
    if (!port.isOpen) this.#lose(port);
    else this.#watch(port, device);
    return good(undefined);
  }

  async write(bytes: Uint8Array): Promise<Result<void>> {
    const port = this.#port;
    if (port === undefined) return faulty('port.absent', 'the port is not open');
    const taken = this.#takeAtOnce(port, bytes);
    if (taken === bytes.length) return good(undefined);
    const rest = bytes.subarray(taken);
    const { path } = this.#settings;
    const behind = Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength);
    const written = await writeAll(port, behind, this.#clock, path);
    // A request half sent, or sent later in a burst, would be answered out of turn.
    if (!written.ok) this.#lose(port);
    return written;
  }

  unsent(): number {
    return this.#port?.writableLength ?? 0;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#hear = listener;
  }

  onLost(listener: () => void): void {
    this.#tellLost = listener;
  }

  async close(): Promise<void> {
    this.#closes += 1;
    const port = this.#port;
    if (port === undefined) return;
    this.#port = undefined;
    await this.#release(port);
  }

  async #newPort(): Promise<SerialPort> {
    // Many collectors have no serial line: the library is loaded by the first that is opened.
    const { SerialPort } = await import('serialport');
    const { path, baud, dataBits, parity, stopBits } = this.#settings;
    const port = new SerialPort({
      path,
      baudRate: baud,
      dataBits,
      parity,
      stopBits,
      autoOpen: false,
    });
    // Before the listener for data, with which the reading begins.
    port.once('open', () => readDirectly(port.port));
    // A listener for data must always be there: without one an unplugged port stays open for ever (limits 2).
    port.on('data', (bytes: Buffer) => {
      if (this.#port === port) this.#hear(bytes);
    });
    // After an unplug, close may come twice and an error with it (limits 2).
    port.on('close', () => this.#lose(port));
    port.on('error', () => this.#lose(port));
    return port;
  }

  /** How many of the bytes the driver took at once; what waits already goes before them. */
  #takeAtOnce(port: SerialPort, bytes: Uint8Array): number {
    if (port.writableLength > 0) return 0;
    try {
      return writeDirectly(port.port, bytes);
    } catch {
      // Said again, and told, by the library's own try.
      return 0;
    }
  }

  #watch(port: SerialPort, device: string): void {
    const over = new AbortController();
    port.once('close', () => over.abort());
    const gone = deviceGone(this.#settings.path, device, this.#clock, over.signal);
    void gone.then(() => this.#lose(port));
  }

  #lose(port: SerialPort): void {
    if (this.#port !== port) return;
    this.#port = undefined;
    void this.#release(port);
    this.#tellLost();
  }

  async #release(port: SerialPort): Promise<void> {
    if (!port.isOpen) return;
    const closed = new Promise<void>((resolve) => port.close(() => resolve()));
    await within(this.#clock, CLOSE_LIMIT_MS, closed);
  }
}
