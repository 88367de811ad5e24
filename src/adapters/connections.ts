// The open connections of an HTTP server: bounded, and the one given up for a new one is never that of a person at work.

import type { Socket } from 'node:net';

/** A page takes six, a stream one for as long as it is open; the rest is room for slow ones to die in. */
export const CONNECTIONS_MAX = 64;

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  readonly number: number;
  /** A whole request is being answered. */
  isAnswering: () => boolean;
  trusted: boolean;
}

const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

/** Lives as long as its server. */
export class Connections {
  readonly #all = new Map<string, Connection>();
  #count = 0;

  get size(): number {
    return this.#all.size;
  }

  /** Takes a new connection in, and gives up another one where there are too many. */
  add(socket: Socket): void {
    if (this.#all.size >= CONNECTIONS_MAX) this.#weakest()?.socket.destroy();
    const key = keyOf(socket);
    const address = socket.remoteAddress ?? '';
    const number = ++this.#count;
    const connection = { socket, address, number, isAnswering: () => false, trusted: false };
    this.#all.set(key, connection);
    socket.once('close', () => {
      if (this.#all.get(key) === connection) this.#all.delete(key);
    });
  }

  /** A request came on the connection; `isAnswering` tells whether it is whole and not answered yet. */
  asked(socket: Socket, isAnswering: () => boolean): void {
    const connection = this.#all.get(keyOf(socket));
    if (connection) connection.isAnswering = isAnswering;
  }

  trust(socket: Socket): void {
    const connection = this.#all.get(keyOf(socket));
    if (connection) connection.trusted = true;
  }

  /** Of strangers before people, of those who let us wait before those who wait for us, of the address with the most, the oldest. */
  #weakest(): Connection | undefined {
    const count = new Map<string, number>();
    for (const { address, trusted } of this.#all.values()) {
      if (!trusted) count.set(address, (count.get(address) ?? 0) + 1);
    }
    const rank = (one: Connection) => (one.trusted ? 2 : 0) + (one.isAnswering() ? 1 : 0);
    let weakest: Connection | undefined;
    for (const one of this.#all.values()) {
      if (!weakest) weakest = one;
      else {
        const by =
          rank(one) - rank(weakest) ||
          (count.get(weakest.address) ?? 0) - (count.get(one.address) ?? 0) ||
          one.number - weakest.number;
        if (by < 0) weakest = one;
      }
    }
    return weakest;
  }
}
