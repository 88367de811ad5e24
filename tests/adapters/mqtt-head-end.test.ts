// The MQTT link alone: versions, pauses between tries, hostile brokers, passwords and TLS.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createMqttHeadEnd } from '../../src/adapters/mqtt-head-end.ts';
import type { Clock, HeadEnd } from '../../src/boundaries.ts';
import { codeOf, message, WILL } from '../boundaries/head-end.suite.ts';
import {
  aedes,
  freePort,
  hasMosquitto,
  MOSQUITTO_PACKET_BYTES,
  mosquitto,
  observed,
  partsFor,
} from '../fakes/real-brokers.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { until } from '../fakes/until.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0).toReversed()) await part.close();
});

async function watched(broker: Awaited<ReturnType<typeof aedes>>) {
  const watch = await observed(broker);
  opened.push({ close: watch.dispose });
  return watch;
}

function headEndFor(port: number, parts: Parameters<typeof partsFor>[1] = {}): HeadEnd {
  const headEnd = createMqttHeadEnd(partsFor(port, parts));
  opened.push(headEnd);
  return headEnd;
}

async function linked(headEnd: HeadEnd): Promise<HeadEnd> {
  headEnd.start(WILL);
  await until('the link is up', () => headEnd.isConnected());
  return headEnd;
}

const says = (headEnd: HeadEnd, words: RegExp) =>
  until(`${words}`, () => words.test(headEnd.linkState()));

describe('the protocol version', () => {
  it('a broker without MQTT 5 is asked for it once, then spoken to in 3.1.1', async () => {
    const { proxy } = await watched(await aedes());
    const headEnd = await linked(headEndFor(proxy.port));
    expect(headEnd.linkState()).toBe(
      `connected to 127.0.0.1:${proxy.port} (MQTT 3.1.1, what is sent is not confirmed)`,
    );
    proxy.cut();
    await until('another link', () => headEnd.isConnected() && proxy.connections === 3);
    expect(proxy.levels).toEqual([5, 4, 4]);
  });

  it('a broker that closes at MQTT 5 without a word is spoken to in 3.1.1 once that is certain', async () => {
    const { proxy } = await watched(await aedes());
    proxy.mute5 = Number.POSITIVE_INFINITY;
    const headEnd = await linked(headEndFor(proxy.port));
    expect(headEnd.linkState()).toContain('(MQTT 3.1.1, ');
    expect(proxy.levels).toEqual([5, 4, 5, 4]);
  });

  it.skipIf(!hasMosquitto)(
    'a broker that was only away behind its balancer is spoken to in MQTT 5 (needs mosquitto)',
    async () => {
      const { proxy } = await watched(await mosquitto());
      proxy.mute5 = 1;
      const headEnd = await linked(headEndFor(proxy.port));
      expect(headEnd.linkState()).toContain('(MQTT 5)');
      expect(proxy.levels).toEqual([5, 4, 5]);
    },
  );

  it('the setting is obeyed: 3.1.1 never asks for 5, and 5 never takes less', async () => {
    const { proxy } = await watched(await aedes());
    await linked(headEndFor(proxy.port, { settings: { protocol: '3.1.1' } }));
    expect(proxy.levels).toEqual([4]);
    const strict = headEndFor(proxy.port, { settings: { protocol: '5' } });
    strict.start(WILL);
    await says(strict, /^refused by .*: 1 Unacceptable protocol version, next try in 1 s$/);
    await until('it tries again', () => proxy.connections === 3);
    expect(proxy.levels).toEqual([4, 5, 5]);
  });
});

describe('tries to connect', () => {
  it('come after pauses that double up to the ceiling, each somewhere in its upper half', async () => {
    const { clock, noting, pauses } = pausesNoted();
    let dice = 0;
    const random = () => {
      dice += 1;
      return dice % 2 === 0 ? 0.5 : 0;
    };
    const settings = { reconnectMaxS: 6 };
    const headEnd = headEndFor(await freePort(), { clock: noting, random, settings });
    headEnd.start(WILL);
    for (let tries = 1; tries <= 7; tries += 1) {
      await until(`try ${tries} has failed`, () => pauses.length === tries);
      expect(headEnd.linkState()).toMatch(
        /^no answer from 127.0.0.1:\d+: ECONNREFUSED, next try in \d s$/,
      );
      await clock.run(clock.now() + (pauses.at(-1) as number));
    }
    expect(pauses.slice(0, 7)).toEqual([250, 750, 1_000, 3_000, 3_000, 4_500, 3_000]);
  });

  it('begin anew with short pauses only after a link that held for a minute', async () => {
    const { clock, noting, pauses } = pausesNoted();
    const { proxy } = await watched(await aedes());
    const headEnd = headEndFor(proxy.port, {
      clock: noting,
      settings: { protocol: '3.1.1', ackTimeoutS: 3_600, reconnectMaxS: 60 },
    });
    await linked(headEnd);
    for (const held of [0, 59_000, 60_000]) {
      await clock.run(clock.now() + held);
      expect(codeOf(await headEnd.publish(message('hour')))).toBe('good');
      const links = proxy.connections;
      const before = pauses.length;
      proxy.cut();
      await until('the loss is noticed', () => pauses.length > before);
      await clock.run(clock.now() + (pauses.at(-1) as number));
      await until('the link is back', () => headEnd.isConnected() && proxy.connections > links);
    }
    expect(pauses).toEqual([250, 500, 250]);
  });

  it('a peer that accepts and says nothing is given up after twenty seconds of the wire', async () => {
    const clock = new VirtualClock();
    const { port, sockets } = await peer(() => undefined);
    const headEnd = headEndFor(port, { clock });
    headEnd.start(WILL);
    await until('it has called', () => sockets.length === 1);
    await clock.run(clock.now() + 20_000);
    expect(headEnd.linkState()).toContain('timed out, next try in');
  });

  it('a broker away for long is one warning, not one at every try', async () => {
    const clock = new VirtualClock();
    const log = new RecordingLog();
    const headEnd = headEndFor(await freePort(), { clock, log });
    headEnd.start(WILL);
    for (let tries = 1; tries <= 5; tries += 1) {
      await until(`try ${tries} has failed`, () => log.lines.length === tries);
      await clock.run(clock.now() + 1_000);
    }
    expect(log.lines.map(({ level }) => level)).toEqual([
      'warn',
      'debug',
      'debug',
      'debug',
      'debug',
    ]);
  });
});

describe('a hostile or broken broker', () => {
  it('that answers in noise is left and called again', async () => {
    let noise = 0;
    const { port } = await peer((socket) => {
      noise += 1;
      socket.write(
        Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 37 + noise * 101) % 256)),
      );
    });
    const headEnd = headEndFor(port);
    headEnd.start(WILL);
    await until('several calls', () => noise >= 3);
    expect(headEnd.isConnected()).toBe(false);
  });

  it('that speaks noise in the middle of a link loses it, and the link comes back', async () => {
    const { proxy } = await watched(await aedes());
    const headEnd = await linked(headEndFor(proxy.port, { settings: { protocol: '3.1.1' } }));
    proxy.withholdAcks = true;
    const pending = headEnd.publish(message('hour'));
    proxy.inject(Buffer.from([0xf0, 0x03, 1, 2, 3, 0x00, 0x00, 0x21, 0x00]));
    expect(codeOf(await pending)).toBe('upstream.offline');
    proxy.withholdAcks = false;
    await until('the link is back', () => headEnd.isConnected() && proxy.connections === 2);
    expect(codeOf(await headEnd.publish(message('again')))).toBe('good');
  });

  it.skipIf(!hasMosquitto)(
    'that gives the session to a second client with our id is recognised (needs mosquitto)',
    async () => {
      const { proxy } = await watched(await mosquitto());
      const one = await linked(headEndFor(proxy.port));
      const other = await linked(headEndFor(proxy.port));
      const rival = /is another client using the id COL-00001\?/;
      await until(
        'one of them asks',
        () => [one, other].some((h) => rival.test(h.linkState())),
        20_000,
      );
    },
  );

  it.skipIf(!hasMosquitto)(
    'that takes no packet so large is not sent it, and the link stays (needs mosquitto)',
    async () => {
      const { proxy, received } = await watched(await mosquitto());
      const headEnd = await linked(headEndFor(proxy.port));
      const large = await headEnd.publish(message('x'.repeat(MOSQUITTO_PACKET_BYTES)));
      expect(codeOf(large)).toBe('upstream.refused');
      expect(codeOf(await headEnd.publish(message('small')))).toBe('good');
      await until('the small one arrives', () => received.length === 1);
      expect(proxy.connections).toBe(1);
    },
  );
});

describe.skipIf(!hasMosquitto)('the will on MQTT 5 (needs mosquitto)', () => {
  it('is held back while the link may come back', async () => {
    const { proxy, received } = await watched(await mosquitto());
    const headEnd = await linked(headEndFor(proxy.port));
    proxy.cut();
    await until('the link is back', () => headEnd.isConnected() && proxy.connections === 2);
    expect(codeOf(await headEnd.publish(message('marker')))).toBe('good');
    await until('the marker arrives', () => received.length > 0);
    expect(received.map(({ payload }) => payload)).toEqual(['marker']);
  });
});

describe('secrets', () => {
  it('a wrong password is told as refused; the file is read again at the next try', async () => {
    const broker = await aedes({
      authenticate: (_client, username, password, done) => {
        const known = username === 'COL-00001' && password?.toString() === 'right';
        done(null, known);
      },
    });
    await broker.start();
    opened.push({ close: broker.dispose });
    const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    opened.push({ close: () => rm(folder, { recursive: true }) });
    const passwordFile = join(folder, 'password');
    const log = new RecordingLog();
    const settings = { username: 'COL-00001', passwordFile };
    const headEnd = headEndFor(broker.port, { settings, log });
    headEnd.start(WILL);
    await says(headEnd, /^cannot read .*password: ENOENT, next try in/);
    await writeFile(passwordFile, 'wrong\n');
    await says(headEnd, /^refused by .*: 5 Not authorized, next try in/);
    await writeFile(passwordFile, 'right\n');
    await until('the link is up', () => headEnd.isConnected());
    expect(JSON.stringify(log.lines)).not.toMatch(/wrong|right/);
  });

  const openssl = spawnSync('openssl', ['version']);
  it.skipIf(openssl.status !== 0)(
    'a broker whose certificate is not of our authority gets no word, and a mended file is used at the next try (needs openssl)',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tls-'));
      opened.push({ close: () => rm(folder, { recursive: true }) });
      const ours = certificate(folder, 'ours');
      const foreign = certificate(folder, 'foreign');
      const identity = { key: await readFile(ours.key), cert: await readFile(ours.cert) };
      const broker = await aedes({}, (handle) =>
        createTlsServer(identity, handle as (socket: Socket) => void).on(
          'tlsClientError',
          () => undefined,
        ),
      );
      await broker.start();
      opened.push({ close: broker.dispose });
      const caFile = join(folder, 'ca.pem');
      await writeFile(caFile, await readFile(foreign.cert));
      const settings = { url: `mqtts://127.0.0.1:${broker.port}`, caFile };
      const headEnd = headEndFor(broker.port, { settings });
      headEnd.start(WILL);
      await says(headEnd, /is signed by nobody that ca_file names.*, next try in/);
      await writeFile(caFile, 'no certificate at all');
      await says(headEnd, /(failed|no answer|without a word|ca_file).*next try in/);
      await writeFile(caFile, await readFile(ours.cert));
      await until('the link is up', () => headEnd.isConnected());
      expect(codeOf(await headEnd.publish(message('hour')))).toBe('good');
    },
  );
});

/** Virtual time that notes every pause between tries; the limits of connections and of acks are no pauses. */
function pausesNoted() {
  const clock = new VirtualClock();
  const pauses: number[] = [];
  const life = clock.life();
  const noting: Clock = {
    speed: life.speed,
    boot: life.boot,
    now: () => life.now(),
    monotonicMs: () => life.monotonicMs(),
    synced: () => life.synced(),
    pause: (ms) => life.pause(ms),
    sleep: (ms, signal) => {
      if (ms < 20_000) pauses.push(ms);
      return clock.sleep(ms, signal);
    },
  };
  return { clock, noting, pauses };
}

/** A TCP peer on a free port that is no broker. */
async function peer(greet: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    greet(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

/** A self-signed certificate for 127.0.0.1. */
function certificate(folder: string, name: string) {
  const key = join(folder, `${name}.key`);
  const cert = join(folder, `${name}.pem`);
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...curve,
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    '2',
    ...subject,
  ]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return { key, cert };
}
