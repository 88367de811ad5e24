// A proxy in front of a real MQTT broker that drops, delays and doubles packets and cuts links by chance, until it is healed.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { generate, type Packet, type Parser, parser } from 'mqtt-packet';
import type { Random } from '../../simulator/random.ts';

/** Of a hundred PUBLISH and PUBACK packets, how many suffer what. */
const DROPPED = 0.04;
const DOUBLED = 0.08;
const DELAYED = 0.1;
const CUT = 0.02;
const DELAY_MS = 120;

/** What happened to packets, for a test that is to know that something did. */
export interface Suffered {
  dropped: number;
  doubled: number;
  delayed: number;
  cut: number;
}

export class ChaosProxy {
  readonly suffered: Suffered = { dropped: 0, doubled: 0, delayed: 0, cut: 0 };
  #isHealed = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #brokerPort: number;
  readonly #random: Random;

  private constructor(brokerPort: number, random: Random) {
    this.#brokerPort = brokerPort;
    this.#random = random;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(brokerPort: number, random: Random): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(brokerPort, random);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * It is mended, as by whoever starts it again: links that it had are gone. What it swallowed on one of them last, such as
   * the head-end's newest word, would otherwise be missed for 15 minutes (A2).
   */
  heal(): void {
    this.#isHealed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const broker = connect(this.#brokerPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    let up: Parser | undefined;
    let down: Parser | undefined;
    client.on('data', (chunk) => {
      // The level follows the name in every CONNECT.
      const protocolVersion = chunk[chunk.indexOf('MQTT') + 4];
      up ??= this.#reader(protocolVersion ?? 5, broker, client);
      down ??= this.#reader(protocolVersion ?? 5, client, broker);
      up.parse(chunk);
    });
    broker.on('data', (chunk) => down?.parse(chunk));
  }

  /** Passes packets on in their order, as TCP does; what is delayed delays what is behind it. */
  #reader(protocolVersion: number, to: Socket, from: Socket): Parser {
    let ahead = Promise.resolve();
    const reader = parser({ protocolVersion });
    reader.on('packet', (packet) => {
      const times = this.#fate(packet, from);
      const ms = times > 0 ? this.#delay(packet) : 0;
      ahead = ahead.then(async () => {
        if (ms > 0) await pause(ms);
        for (let i = 0; i < times && !to.destroyed; i += 1) {
          to.write(generate(packet, { protocolVersion }));
        }
      });
    });
    reader.on('error', () => from.destroy());
    return reader;
  }

  /** How many times a packet is passed on. */
  #fate({ cmd }: Packet, from: Socket): number {
    if (this.#isHealed || (cmd !== 'publish' && cmd !== 'puback')) return 1;
    if (this.#random.chance(CUT)) {
      this.suffered.cut += 1;
      from.destroy();
      return 0;
    }
    if (this.#random.chance(DROPPED)) {
      this.suffered.dropped += 1;
      return 0;
    }
    if (cmd === 'publish' && this.#random.chance(DOUBLED)) {
      this.suffered.doubled += 1;
      return 2;
    }
    return 1;
  }

  #delay({ cmd }: Packet): number {
    if (this.#isHealed || cmd === 'connect' || !this.#random.chance(DELAYED)) return 0;
    this.suffered.delayed += 1;
    return this.#random.between(1, DELAY_MS);
  }
}
