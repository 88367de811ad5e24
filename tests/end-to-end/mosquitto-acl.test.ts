// The shipped Mosquitto configuration on a real broker: collectors are kept apart by their certificates, and nobody comes without one.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HeadEnd } from '../../simulator/head-end.ts';
import { createMqttHeadEnd } from '../../src/adapters/mqtt-head-end.ts';
import { freePort, hasMosquitto, partsFor } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';

const CONFIG = fileURLToPath(new URL('../../config/mosquitto/', import.meta.url));
const PAGE = readFileSync(new URL('../../docs/head-end.md', import.meta.url), 'utf8');
const hasClients = spawnSync('mosquitto_pub', ['--help']).error === undefined;
const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const NOT_AUTHORIZED = 135;

describe.skipIf(!hasMosquitto || !hasOpenssl)(
  'the Mosquitto configuration in config/ (needs mosquitto and openssl)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'mosquitto-acl-'));
    const clients: MqttClient[] = [];
    let broker: ChildProcess | undefined;
    let port = 0;

    const at = (name: string) => join(folder, name);
    const openssl = (...args: string[]) =>
      execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

    /** A key and a certificate of that common name, signed by `ca`. */
    function certify(name: string, ca = 'ca', days = '2'): void {
      const file = `${ca}-${name}`;
      openssl(
        'req',
        ...EC,
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        `${file}.key`,
        '-out',
        `${file}.csr`,
      );
      openssl(
        'x509',
        '-req',
        '-in',
        `${file}.csr`,
        '-CA',
        `${ca}.crt`,
        '-CAkey',
        `${ca}.key`,
        '-CAcreateserial',
        '-days',
        days,
        '-copy_extensions',
        'copy',
        '-out',
        `${file}.crt`,
      );
    }

    const identity = (name: string, ca = 'ca') => ({
      ca: readFileSync(at('ca.crt')),
      cert: readFileSync(at(`${ca}-${name}.crt`)),
      key: readFileSync(at(`${ca}-${name}.key`)),
    });

    async function client(name: string, ca = 'ca'): Promise<MqttClient> {
      const options = { ...identity(name, ca), protocolVersion: 5, reconnectPeriod: 0 } as const;
      const opened = await mqtt.connectAsync(`mqtts://127.0.0.1:${port}`, options, false);
      clients.push(opened);
      return opened;
    }

    const reasonOf = (published: Promise<unknown>): Promise<unknown> =>
      published.then(
        () => 0,
        (error: { code?: unknown }) => error.code,
      );

    beforeAll(async () => {
      port = await freePort();
      for (const ca of ['ca', 'other']) {
        openssl(
          'req',
          '-x509',
          ...EC,
          '-days',
          '2',
          '-subj',
          `/CN=${ca}`,
          '-keyout',
          `${ca}.key`,
          '-out',
          `${ca}.crt`,
        );
      }
      for (const name of ['broker', 'COL-1', 'COL-2', 'COL-00001', 'head-end']) certify(name);
      certify('COL-1', 'other');
      // The shipped file, with nothing changed but where things lie.
      const shipped = readFileSync(join(CONFIG, 'mosquitto.conf'), 'utf8')
        .replace('listener 8883', `listener ${port} 127.0.0.1`)
        .replaceAll('/etc/mosquitto/certs/broker.', at('ca-broker.'))
        .replaceAll('/etc/mosquitto/certs/', `${folder}/`)
        .replace('/etc/mosquitto/acl', join(CONFIG, 'acl'))
        .replace('/var/lib/mosquitto/', `${folder}/`);
      expect(shipped).not.toContain('/etc/mosquitto/certs/broker');
      writeFileSync(at('mosquitto.conf'), `${shipped}\nuser root\n`);
      broker = spawn('mosquitto', ['-c', at('mosquitto.conf')], { stdio: 'ignore' });
      await until('the broker answers', () =>
        client('head-end').then(
          () => true,
          () => false,
        ),
      );
    });
    afterEach(async () => {
      for (const one of clients.splice(0)) await one.endAsync(true);
    });
    afterAll(async () => {
      if (broker && broker.exitCode === null) {
        broker.kill('SIGKILL');
        await once(broker, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    });

    const up = (collector: string, utility = 'demo') =>
      `watermeter-v1/${utility}/${collector}/up/meter/SP-1/interval`;

    test('a collector publishes below its own name, and the head-end hears it', async () => {
      const headEnd = await client('head-end');
      const heard: string[] = [];
      headEnd.on('message', (topic) => heard.push(topic));
      await headEnd.subscribeAsync('watermeter-v1/demo/+/up/#', { qos: 1 });
      const collector = await client('COL-1');
      expect(await reasonOf(collector.publishAsync(up('COL-1'), '{}', { qos: 1 }))).toBe(0);
      await until('the hour arrives', () => heard.includes(up('COL-1')));
    });

    test.each([
      ['as another collector', up('COL-2')],
      ['below another utility', up('COL-1', 'other')],
      ['an acknowledgement for itself', 'watermeter-v1/demo/COL-1/dn/ack'],
      ['a command to another', 'watermeter-v1/demo/COL-2/dn/cmd/read'],
      ['as the head-end', 'watermeter-v1/demo/_headend/state'],
      ['anywhere else', 'water'],
    ])('a collector cannot publish %s: reason 135', async (_, topic) => {
      const collector = await client('COL-1');
      expect(await reasonOf(collector.publishAsync(topic, '{}', { qos: 1 }))).toBe(NOT_AUTHORIZED);
    });

    test('a collector reads what is sent to it, and nothing that is sent to or by another', async () => {
      const collector = await client('COL-1');
      const heard: string[] = [];
      collector.on('message', (topic) => heard.push(topic));
      await collector.subscribeAsync(
        [
          '#',
          'watermeter-v1/demo/+/up/#',
          'watermeter-v1/demo/COL-2/dn/#',
          'watermeter-v1/demo/COL-1/dn/#',
          'watermeter-v1/demo/_headend/state',
        ],
        { qos: 1 },
      );
      const other = await client('COL-2');
      const headEnd = await client('head-end');
      await other.publishAsync(up('COL-2'), '{}', { qos: 1 });
      for (const to of ['COL-2', 'COL-1']) {
        const topic = `watermeter-v1/demo/${to}/dn/cmd/ping`;
        expect(await reasonOf(headEnd.publishAsync(topic, '{}', { qos: 1 }))).toBe(0);
      }
      const state = 'watermeter-v1/demo/_headend/state';
      expect(await reasonOf(headEnd.publishAsync(state, '{}', { qos: 1 }))).toBe(0);
      await until('its own arrive', () => new Set(heard).size >= 2);
      expect(new Set(heard)).toEqual(new Set(['watermeter-v1/demo/COL-1/dn/cmd/ping', state]));
    });

    test('the head-end cannot speak as a collector', async () => {
      const headEnd = await client('head-end');
      const forged = headEnd.publishAsync(up('COL-1'), '{}', { qos: 1 });
      expect(await reasonOf(forged)).toBe(NOT_AUTHORIZED);
    });

    test('our collector is told that a publish as another was refused, and does not call it delivered', async () => {
      const settings = {
        url: `mqtts://127.0.0.1:${port}`,
        caFile: at('ca.crt'),
        certFile: at('ca-COL-1.crt'),
        keyFile: at('ca-COL-1.key'),
      };
      const link = createMqttHeadEnd(partsFor(port, { settings, clientId: 'COL-1' }));
      link.start({
        topic: 'watermeter-v1/demo/COL-1/up/state',
        payload: '{}',
        qos: 1,
        retain: true,
      });
      await until('the link is up', () => link.isConnected());
      const message = (topic: string) => ({ topic, payload: '{}', qos: 1, retain: false }) as const;
      expect(await link.publish(message(up('COL-1')))).toMatchObject({ ok: true });
      expect(await link.publish(message(up('COL-2')))).toMatchObject({
        ...{ ok: false, fault: { code: 'upstream.refused' } },
      });
      await link.close();
    });

    /** The page's lines for a shell, as the head-end runs them on this broker. */
    const lines = (program: string) =>
      PAGE.split('\n')
        .filter((line) => line.startsWith(`${program} -h broker `))
        .map((line) => {
          const files = `--cafile ca.crt --cert ca-head-end.crt --key ca-head-end.key`;
          return line.replace('-h broker', `-h 127.0.0.1 -p ${port} ${files}`);
        });

    test.skipIf(!hasClients)(
      'each mosquitto_pub line of the page for head-ends reaches its collector',
      async () => {
        const collector = await client('COL-00001');
        const heard: string[] = [];
        collector.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
        const below = ['demo/COL-00001/dn/#', 'demo/_headend/state'];
        await collector.subscribeAsync(
          below.map((path) => `watermeter-v1/${path}`),
          { qos: 1 },
        );
        for (const line of lines('mosquitto_pub')) {
          const ran = spawnSync('sh', ['-c', line], { cwd: folder, encoding: 'utf8' });
          expect([line, ran.status, ran.stderr]).toEqual([line, 0, '']);
          const [, topic, payload] = /-t '([^']+)' -m '([^']+)'/.exec(line) ?? [];
          await until(`${topic} comes`, () => heard.includes(`${topic} ${payload}`));
        }
        expect(heard.length).toBeGreaterThanOrEqual(3);
      },
    );

    test.skipIf(!hasClients)(
      'each topic of the mosquitto_sub lines is heard by the head-end',
      async () => {
        const collector = await client('COL-00001');
        for (const line of lines('mosquitto_sub')) {
          for (const [, filter = ''] of line.matchAll(/-t '([^']+)'/g)) {
            const topic = filter.replace('+', 'COL-00001').replace('+', 'SP-1');
            // What is retained is heard whenever the line begins to listen.
            await collector.publishAsync(topic, topic, { qos: 1, retain: true });
            const one = line.replace(/-t .*/, `-t '${filter}' -C 1 -W 10`).replace(/-c -i \S+/, '');
            const ran = spawnSync('sh', ['-c', one], { cwd: folder, encoding: 'utf8' });
            expect([line, ran.status, ran.stdout.trim()]).toEqual([line, 0, topic]);
            await collector.publishAsync(topic, '', { qos: 1, retain: true });
          }
        }
      },
    );

    test.skipIf(!hasClients)(
      'the will of the page for head-ends comes when its program is gone without a word',
      async () => {
        const collector = await client('COL-00001');
        const heard: string[] = [];
        collector.on('message', (_topic, payload) => heard.push(String(payload)));
        await collector.subscribeAsync('watermeter-v1/demo/_headend/state', { qos: 1 });
        const [line = ''] = lines('mosquitto_sub').filter((one) => one.includes('--will-topic'));
        const [, will = ''] = /--will-payload '([^']+)'/.exec(line) ?? [];
        const child = spawn('sh', ['-c', `exec ${line}`], { cwd: folder });
        let said = '';
        child.stdout.on('data', (data) => {
          said += data;
        });
        try {
          const up = 'watermeter-v1/demo/COL-00001/up/state';
          await collector.publishAsync(up, 'here', { qos: 1, retain: true });
          await until('it listens', () => said.includes('here'));
        } finally {
          child.kill('SIGKILL');
        }
        await until('the will comes', () => heard.includes(will));
      },
    );

    /** Resolves to whether the broker lets a TLS client speak MQTT. */
    async function admitted(options: object): Promise<boolean> {
      const opened = mqtt.connectAsync(
        `mqtts://127.0.0.1:${port}`,
        { reconnectPeriod: 0, ...options },
        false,
      );
      return opened.then(
        async (one) => {
          await one.endAsync(true);
          return true;
        },
        () => false,
      );
    }

    test('without a certificate, or with one of another authority, nobody comes in', async () => {
      expect(await admitted(identity('COL-1'))).toBe(true);
      expect(await admitted({ ca: readFileSync(at('ca.crt')) })).toBe(false);
      expect(await admitted({ ...identity('COL-1', 'other') })).toBe(false);
      const named = { ca: readFileSync(at('ca.crt')), username: 'COL-1', password: 'x' };
      expect(await admitted(named)).toBe(false);
    });

    test('the reference head-end says that trust is missing, not that nobody answers', async () => {
      const url = `mqtts://127.0.0.1:${port}`;
      const connect = (tls: object) => HeadEnd.connect({ url, utility: 'demo', tls });
      for (const tls of [{}, { ca: at('other.crt') }]) {
        await expect(connect(tls)).rejects.toMatchObject({
          message: expect.stringContaining('No trust'),
          hint: expect.stringContaining('--ca'),
        });
      }
    });

    test('TLS 1.1 is refused, TLS 1.2 is not', async () => {
      const spoken = (version: 'TLSv1.1' | 'TLSv1.2') =>
        new Promise<string | null>((resolve) => {
          const socket = connectTls({
            ...{ host: '127.0.0.1', port, minVersion: version, maxVersion: version },
            // So low that this side would speak the old version: the refusal is the broker's.
            ...{ ...identity('COL-1'), ciphers: 'ALL:@SECLEVEL=0' },
          });
          socket.once('secureConnect', () => {
            resolve(socket.getProtocol());
            socket.destroy();
          });
          socket.once('error', () => resolve(null));
        });
      expect(await spoken('TLSv1.2')).toBe('TLSv1.2');
      expect(await spoken('TLSv1.1')).toBe(null);
    });
  },
);
