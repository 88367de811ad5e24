// Real brokers for tests, behind a fault proxy and with a subscriber: Mosquitto (MQTT 5) and aedes (3.1.1).

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes, type AedesOptions } from 'aedes';
import mqtt from 'mqtt';
import type { MqttHeadEndParts } from '../../src/adapters/mqtt-head-end.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import type { UpstreamSettings } from '../../src/settings/settings.ts';
import { MqttProxy } from './mqtt-proxy.ts';
import { RecordingLog } from './recording-log.ts';
import { until } from './until.ts';

/** A broker that can be stopped and started again on one port. */
export interface RealBroker {
  readonly port: number;
  start(): Promise<void>;
  /** Stops it as a crash would. */
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

/** A broker in a process of its own. */
export interface BrokerProcess extends RealBroker {
  signal(signal: NodeJS.Signals): void;
}

export interface Seen {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

/** Mosquitto's window in these tests: smaller than ours, so that it is the one that counts. */
export const MOSQUITTO_WINDOW = 7;

/** The largest packet that Mosquitto takes in these tests. */
export const MOSQUITTO_PACKET_BYTES = 20_000;

export const hasMosquitto = spawnSync('mosquitto', ['-h']).error === undefined;

/** A test that is killed leaves no broker behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const broker of running) broker.kill('SIGKILL');
});

/** Allows everybody what `acl` says; by default topics below `ok/` and no others. `limits` are lines of its settings. */
export async function mosquitto({
  acl = 'topic readwrite ok/#',
  limits = `max_inflight_messages ${MOSQUITTO_WINDOW}\nmax_packet_size ${MOSQUITTO_PACKET_BYTES}`,
} = {}): Promise<BrokerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'mosquitto-'));
  const port = await freePort();
  const settings = join(folder, 'mosquitto.conf');
  await writeFile(join(folder, 'acl'), `${acl}\n`);
  await writeFile(
    settings,
    `listener ${port} 127.0.0.1
allow_anonymous true
acl_file ${join(folder, 'acl')}
persistence false
user root
set_tcp_nodelay true
${limits}
`,
  );
  let broker: ChildProcess | undefined;
  const stop = async () => {
    if (broker === undefined) return;
    const gone = once(broker, 'exit');
    broker.kill('SIGKILL');
    running.delete(broker);
    broker = undefined;
    await gone;
  };
  return {
    port,
    start: async () => {
      broker = spawn('mosquitto', ['-c', settings], { stdio: 'ignore' });
      running.add(broker);
      await answering(port);
    },
    signal: (signal) => void broker?.kill(signal),
    stop,
    dispose: async () => {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}

export async function aedes(
  options: AedesOptions = {},
  listen: (handle: (stream: Socket) => void) => Server = createServer,
): Promise<RealBroker> {
  const port = await freePort();
  let current: { broker: Aedes; server: Server; sockets: Set<Socket> } | undefined;
  const stop = async () => {
    if (current === undefined) return;
    const { broker, server, sockets } = current;
    current = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    await new Promise<void>((resolve) => broker.close(() => resolve()));
  };
  return {
    port,
    start: async () => {
      const broker = await Aedes.createBroker(options);
      const sockets = new Set<Socket>();
      const server = listen((stream) => broker.handle(stream));
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      current = { broker, server, sockets };
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    stop,
    dispose: stop,
  };
}

/** A running broker behind a proxy, and a subscriber to `ok/#` that comes back with the broker. */
export async function observed(broker: RealBroker) {
  await broker.start();
  const proxy = await MqttProxy.open(broker.port);
  const received: Seen[] = [];
  const subscriber = mqtt.connect({
    host: '127.0.0.1',
    port: broker.port,
    protocolVersion: 4,
    reconnectPeriod: 20,
    resubscribe: false,
  });
  let subscriptions = 0;
  subscriber.on('error', () => undefined);
  subscriber.on('connect', () => {
    subscriber.subscribe('ok/#', { qos: 1 }, (error) => {
      if (!error) subscriptions += 1;
    });
  });
  subscriber.on('message', (topic, payload, { retain }) => {
    received.push({ topic, payload: payload.toString('utf8'), retain });
  });
  await until('the subscriber is there', () => subscriptions === 1);
  return {
    proxy,
    received,
    say: async (topic: string, payload: string, retain: boolean) => {
      await subscriber.publishAsync(topic, payload, { qos: 1, retain });
    },
    restart: async () => {
      const before = subscriptions;
      await broker.start();
      await until('the subscriber is back', () => subscriptions > before);
    },
    dispose: async () => {
      await subscriber.endAsync(true);
      await proxy.close();
      await broker.dispose();
    },
  };
}

/** What a head-end over MQTT needs to reach a broker on `port`; the first retry comes after a quarter of a second. */
export function partsFor(
  port: number,
  {
    settings = {},
    ...parts
  }: Partial<Omit<MqttHeadEndParts, 'settings'>> & { settings?: Partial<UpstreamSettings> } = {},
): MqttHeadEndParts {
  return {
    clientId: 'COL-00001',
    clock: createSystemClock(),
    random: () => 0,
    log: new RecordingLog(),
    ...parts,
    settings: {
      url: `mqtt://127.0.0.1:${port}`,
      protocol: 'auto',
      keepaliveS: 30,
      ackTimeoutS: 30,
      ack: 'auto',
      commands: { operate: false, configure: false },
      backlogPerS: 10,
      smearS: 0,
      reconnectMaxS: 1,
      ...settings,
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answering(port: number): Promise<void> {
  let answered = false;
  const knock = () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      answered = true;
      socket.destroy();
    });
    socket.on('error', () => setTimeout(knock, 10));
  };
  knock();
  await until(`a broker on port ${port}`, () => answered);
}
