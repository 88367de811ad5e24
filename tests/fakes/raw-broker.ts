// A broker of raw packets that answers a test's way: what no real broker can be told to do.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type Packet,
  parser,
} from 'mqtt-packet';

/** One connection, as the test's rules see it. */
export interface RawLink {
  readonly socket: Socket;
  send(packet: Packet): void;
}

export interface RawRules {
  /** Answers a CONNECT; by default it is taken. */
  readonly connect?: (packet: IConnectPacket, link: RawLink) => void;
  /** Answers a PUBLISH; by default QoS 1 is acknowledged. */
  readonly publish?: (packet: IPublishPacket, link: RawLink) => void;
}

export interface RawBroker {
  readonly port: number;
  readonly connects: readonly IConnectPacket[];
  readonly published: readonly IPublishPacket[];
  /** Clients that left with a DISCONNECT. */
  readonly goodbyes: number;
  close(): Promise<void>;
}

/** A CONNACK that takes the client, with these properties. */
export function taken(properties: object = {}): Packet {
  return { cmd: 'connack', sessionPresent: false, reasonCode: 0, properties };
}

/** Speaks MQTT 5. */
export async function rawBroker(rules: RawRules): Promise<RawBroker> {
  const connects: IConnectPacket[] = [];
  const published: IPublishPacket[] = [];
  const sockets = new Set<Socket>();
  let goodbyes = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    const version = { protocolVersion: 5 } as const;
    const read = parser(version);
    const link: RawLink = { socket, send: (packet) => socket.write(generate(packet, version)) };
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => read.parse(bytes));
    read.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        connects.push(packet);
        if (rules.connect) rules.connect(packet, link);
        else link.send(taken());
      } else if (packet.cmd === 'publish') {
        published.push(packet);
        if (rules.publish) rules.publish(packet, link);
        else if (packet.qos === 1) link.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      } else if (packet.cmd === 'disconnect') goodbyes += 1;
      else if (packet.cmd === 'pingreq') link.send({ cmd: 'pingresp' });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connects,
    published,
    get goodbyes() {
      return goodbyes;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
