// A line over a TCP connection to a serial-over-TCP bridge.

import type { Socket } from 'node:net';
import type { Clock, Line } from '../boundaries.ts';
import { CR_FRAMING, framerOf } from '../codec/framer.ts';
import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { Framing } from '../domain/profile.ts';
import type { PeerSettings } from '../settings/settings.ts';
import { within } from './bounded.ts';
import { LineInbox } from './line-inbox.ts';
import { connectPeer } from './peer-socket.ts';
import { WRITE_LIMIT_MS } from './port-fault.ts';

/**
 * A peer that vanished without a word looks like silent meters, and the kernel goes on repeating the request for
 * 15 minutes. After so many answers missed in a row the connection is made anew.
 */
const SILENCES_TO_RECONNECT = 3;

/** A closed line to the bridge at `peer`. `clock` is the wire's. */
export function createTcpLine(options: {
  peer: PeerSettings;
  clock: Clock;
  /** CR unless said otherwise. */
  framing?: Framing;
}): Line {
  return new TcpLine(options.peer, options.clock, options.framing ?? CR_FRAMING);
}

class TcpLine implements Line {
  readonly #peer: PeerSettings;
  readonly #clock: Clock;
  readonly #inbox: LineInbox;
  #socket: Socket | undefined;
  #closes = 0;
  #silences = 0;

  constructor(peer: PeerSettings, clock: Clock, framing: Framing) {
    this.#peer = peer;
    this.#clock = clock;
    this.#inbox = new LineInbox(clock, framerOf(framing));
  }

  isOpen(): boolean {
    return this.#socket !== undefined;
  }

  async open(): Promise<Result<void>> {
    if (this.isOpen()) return good(undefined);
    const closes = this.#closes;
    const connected = await connectPeer(this.#peer, this.#clock);
    if (!connected.ok) return connected;
    const socket = connected.value;
    if (closes !== this.#closes) {
      socket.destroy();
      return faulty('aborted', 'closed while opening');
    }
    this.#socket = socket;
    this.#silences = 0;
    this.#inbox.opened();
    socket.on('data', (bytes) => {
      if (this.#socket !== socket) return;
      this.#silences = 0;
      this.#inbox.put(bytes);
    });
    socket.on('close', () => this.#lose(socket));
    // The peer may have gone between its accept and these listeners.
    if (socket.destroyed) this.#lose(socket);
    return good(undefined);
  }

  async write(bytes: Uint8Array): Promise<Result<void>> {
    const socket = this.#socket;
    if (socket === undefined) return faulty('port.absent', 'the line is not open');
    const written = new Promise<Error | null | undefined>((resolve) => {
      socket.write(bytes, resolve);
    });
    const outcome = await within(this.#clock, WRITE_LIMIT_MS, written);
    if (outcome === null || outcome === undefined) return good(undefined);
    this.#lose(socket);
    if (outcome !== 'late') return faulty('port.absent', `writing failed: ${outcome.message}`);
    return faulty('port.failed', 'the peer takes no bytes');
  }

  async receive(timeoutMs: number, signal?: AbortSignal): Promise<Result<Uint8Array>> {
    const socket = this.#socket;
    const frame = await this.#inbox.receive(timeoutMs, signal);
    if (!frame.ok && frame.fault.code === 'line.silent') {
      this.#silences += 1;
      if (this.#silences >= SILENCES_TO_RECONNECT && socket !== undefined) this.#lose(socket);
    }
    return frame;
  }

  drain(): void {
    this.#inbox.drain();
  }

  async close(): Promise<void> {
    this.#closes += 1;
    if (this.#socket !== undefined) this.#lose(this.#socket);
  }

  #lose(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#inbox.lost(`the connection to ${this.#peer.host}:${this.#peer.port} is gone`);
    socket.destroy();
  }
}
