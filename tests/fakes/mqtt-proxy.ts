// A proxy in front of a real MQTT broker: counts what is un-acknowledged, keeps PUBACKs back, cuts links.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { generate, type Packet, type Parser, parser } from 'mqtt-packet';

export class MqttProxy {
  withholdAcks = false;
  /** Nobody is let through. */
  isBarred = false;
  /** So many of the next CONNECTs with MQTT 5 are answered by closing without a word. */
  mute5 = 0;
  /** Most QoS 1 messages un-acknowledged on one link at one time. */
  inFlightPeak = 0;
  connections = 0;
  /** The level of each CONNECT: 5, or 4 for 3.1.1. */
  readonly levels: number[] = [];
  /** DISCONNECT packets seen. */
  farewells = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  readonly #brokerPort: number;

  private constructor(brokerPort: number) {
    this.#brokerPort = brokerPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(brokerPort: number, port = 0): Promise<MqttProxy> {
    const proxy = new MqttProxy(brokerPort);
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends bytes to the clients as if the broker had. */
  inject(bytes: Uint8Array): void {
    for (const client of this.#clients) client.write(bytes);
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    if (this.isBarred) {
      client.on('error', () => undefined).destroy();
      return;
    }
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
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    const unacknowledged = new Set<number>();
    let up: Parser | undefined;
    let down: Parser | undefined;
    client.on('data', (chunk) => {
      if (up === undefined) {
        const protocolVersion = this.#greet(chunk);
        if (this.mute5 > 0 && protocolVersion === 5) {
          this.mute5 -= 1;
          client.destroy();
          return;
        }
        up = parser({ protocolVersion }).on('packet', (packet) =>
          this.#went(packet, unacknowledged),
        );
        down = parser({ protocolVersion }).on('packet', (packet) =>
          this.#came(packet, unacknowledged, client, protocolVersion),
        );
      }
      up.parse(chunk);
      broker.write(chunk);
    });
    broker.on('data', (chunk) => down?.parse(chunk));
  }

  #greet(connectPacket: Buffer): number {
    const level = connectPacket[connectPacket.indexOf('MQTT') + 4] as number;
    this.connections += 1;
    this.levels.push(level);
    return level;
  }

  #went(packet: Packet, unacknowledged: Set<number>): void {
    if (packet.cmd === 'disconnect') this.farewells += 1;
    if (packet.cmd !== 'publish' || packet.qos !== 1) return;
    unacknowledged.add(packet.messageId as number);
    this.inFlightPeak = Math.max(this.inFlightPeak, unacknowledged.size);
  }

  #came(packet: Packet, unacknowledged: Set<number>, client: Socket, protocolVersion: number) {
    if (packet.cmd === 'puback') {
      if (this.withholdAcks) return;
      unacknowledged.delete(packet.messageId as number);
    }
    client.write(generate(packet, { protocolVersion }));
  }
}
