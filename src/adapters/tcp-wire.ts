// The bytes of a TCP connection to a bridge, gateway or device.

import type { Socket } from 'node:net';
import type { Clock, Wire } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import type { PeerSettings } from '../settings/settings.ts';
import { connectPeer } from './peer-socket.ts';
import { writeAll } from './write-all.ts';

/** A closed wire to `peer`. `clock` is the wire's. */
export function createTcpWire(options: { peer: PeerSettings; clock: Clock }): Wire {
  return new TcpWire(options.peer, options.clock);
}

const TAKEN: Promise<Result<void>> = Promise.resolve(good(undefined));

class TcpWire implements Wire {
  readonly #peer: PeerSettings;
  readonly #clock: Clock;
  #socket: Socket | undefined;
  /** Counts closes, so that an open overtaken by one is undone. */
  #closes = 0;
  #hear: (bytes: Uint8Array) => void = () => {};
  #tellLost: () => void = () => {};

  constructor(peer: PeerSettings, clock: Clock) {
    this.#peer = peer;
    this.#clock = clock;
  }

  isOpen(): boolean {
    return this.#socket !== undefined;
  }

  async open(): Promise<Result<void>> {
    if (this.isOpen()) return good(undefined);
    const closes = this.#closes;
    let current: Socket | undefined;
    const connected = await connectPeer(this.#peer, this.#clock, (bytes) => {
      // What the peer says at once may come before the word that it is connected.
      if (current === undefined ? closes === this.#closes : this.#socket === current) {
        this.#hear(bytes);
      }
    });
    if (!connected.ok) return connected;
    const socket = connected.value;
    if (closes !== this.#closes) {
      socket.destroy();
      return faulty('aborted', 'closed while opening');
    }
    current = socket;
    this.#socket = socket;
    socket.on('close', () => this.#lose(socket));
    // The peer may have gone between its accept and this listener.
    if (socket.destroyed) this.#lose(socket);
    return good(undefined);
  }

  write(bytes: Uint8Array): Promise<Result<void>> {
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve(faulty('port.absent', 'no connection'));
    // Nearly always the kernel takes a request at once; nothing is left to wait for then.
    if (socket.writableLength === 0) {
      socket.write(bytes);
      return socket.writableLength === 0 ? TAKEN : this.#taken(socket, Buffer.alloc(0));
    }
    return this.#taken(socket, bytes);
  }

  unsent(): number {
    return this.#socket?.writableLength ?? 0;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#hear = listener;
  }

  onLost(listener: () => void): void {
    this.#tellLost = listener;
  }

  async close(): Promise<void> {
    this.#closes += 1;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  /** Writes `bytes` behind what waits already, and waits for all of it. */
  async #taken(socket: Socket, bytes: Uint8Array): Promise<Result<void>> {
    const written = await writeAll(socket, bytes, this.#clock, 'the peer');
    if (!written.ok) this.#lose(socket);
    return written;
  }

  #lose(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    socket.destroy();
    this.#tellLost();
  }
}
