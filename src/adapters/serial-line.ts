// A line over a serial port.

import { ReadlineParser } from '@serialport/parser-readline';
import { SerialPort } from 'serialport';
import type { Clock, Line } from '../boundaries.ts';
import { CR_FRAMING, framerOf } from '../codec/framer.ts';
import type { Delimiter, LineSplitter } from '../codec/line-framer.ts';
import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { Framing } from '../domain/profile.ts';
import type { SerialSettings } from '../settings/settings.ts';
import { within } from './bounded.ts';
import { LineInbox } from './line-inbox.ts';
import { CLOSE_LIMIT_MS, OPEN_LIMIT_MS, portFault, WRITE_LIMIT_MS } from './port-fault.ts';
import { deviceAt, deviceGone } from './port-watch.ts';

/** A closed line over the port of `settings`. `clock` is the wire's. The port is locked while it is open. */
export function createSerialLine(options: {
  settings: SerialSettings;
  clock: Clock;
  /** CR unless said otherwise. */
  framing?: Framing;
}): Line {
  return new SerialLine(options.settings, options.clock, options.framing ?? CR_FRAMING);
}

class SerialLine implements Line {
  readonly #settings: SerialSettings;
  readonly #clock: Clock;
  readonly #inbox: LineInbox;
  #port: SerialPort | undefined;
  /** A native open that has not come back. Another would only take one more thread from the other ports. */
  #opening: Promise<Error | null> | undefined;
  /** Counts closes, so that an open overtaken by one is undone. */
  #closes = 0;

  constructor(settings: SerialSettings, clock: Clock, framing: Framing) {
    this.#settings = settings;
    this.#clock = clock;
    this.#inbox = new LineInbox(clock, framerOf(framing, readlineSplitter));
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
    const port = this.#newPort();
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
    this.#inbox.opened();
    // The port may have gone between the driver's word and ours.
    if (!port.isOpen) this.#lose(port);
    else this.#watch(port, device);
    return good(undefined);
  }

  async write(bytes: Uint8Array): Promise<Result<void>> {
    const port = this.#port;
    if (port === undefined) return faulty('port.absent', 'the line is not open');
    const written = new Promise<Error | null | undefined>((resolve) => {
      port.write(Buffer.from(bytes), resolve);
    });
    const outcome = await within(this.#clock, WRITE_LIMIT_MS, written);
    if (outcome === null || outcome === undefined) return good(undefined);
    // A request half sent, or sent later in a burst, would be answered out of turn.
    this.#lose(port);
    if (outcome !== 'late') return faulty('port.absent', `writing failed: ${outcome.message}`);
    return faulty('port.failed', `${this.#settings.path} takes no bytes`);
  }

  async receive(timeoutMs: number, signal?: AbortSignal): Promise<Result<Uint8Array>> {
    return this.#inbox.receive(timeoutMs, signal);
  }

  drain(): void {
    this.#inbox.drain();
  }

  async close(): Promise<void> {
    this.#closes += 1;
    const port = this.#port;
    if (port === undefined) return;
    this.#port = undefined;
    this.#inbox.lost('the line was closed');
    await this.#release(port);
  }

  #newPort(): SerialPort {
    const { path, baud, dataBits, parity, stopBits } = this.#settings;
    const port = new SerialPort({
      path,
      baudRate: baud,
      dataBits,
      parity,
      stopBits,
      autoOpen: false,
    });
    // A listener for data must always be there: without one an unplugged port stays open for ever (limits 2).
    port.on('data', (bytes: Buffer) => {
      if (this.#port === port) this.#inbox.put(bytes);
    });
    // After an unplug, close may come twice and an error with it (limits 2).
    port.on('close', () => this.#lose(port));
    port.on('error', () => this.#lose(port));
    return port;
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
    this.#inbox.lost(`${this.#settings.path} is gone`);
    void this.#release(port);
  }

  async #release(port: SerialPort): Promise<void> {
    if (!port.isOpen) return;
    const closed = new Promise<void>((resolve) => port.close(() => resolve()));
    await within(this.#clock, CLOSE_LIMIT_MS, closed);
  }
}

/**
 * The library's parser, read in step with its writes. It has no bound of its own and, when ended, gives a torn tail
 * as a line: so it only sees guarded bytes, is never ended, and is thrown away to forget.
 */
function readlineSplitter(delimiter: Delimiter): LineSplitter {
  const newParser = () =>
    new ReadlineParser({
      delimiter: delimiter === 'CR' ? '\r' : '\r\n',
      // Latin-1 keeps all 8 bits; object mode gives one line a read.
      encoding: 'latin1',
      readableObjectMode: true,
    });
  let parser = newParser();
  return {
    split(bytes) {
      const lines: Uint8Array[] = [];
      parser.write(Buffer.from(bytes));
      for (let line = parser.read(); line !== null; line = parser.read()) {
        lines.push(Uint8Array.from(Buffer.from(line, 'latin1')));
      }
      return lines;
    },
    forget() {
      parser = newParser();
    },
  };
}
