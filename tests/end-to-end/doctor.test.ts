// Twelve faults planted on the real program, on pseudo-terminals, brokers and clocks: the doctor names each, or the group it cannot be told from.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync } from 'node:fs';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { Aedes } from 'aedes';
import { afterEach, describe, expect, it } from 'vitest';
import { callCommands } from '../../src/adapters/control-socket.ts';
import type { Commands } from '../../src/boundaries.ts';
import { crc16 } from '../../src/codec/modbus-reply.ts';
import { Authority } from '../fakes/authority.ts';
import { plugTerminal } from '../fakes/pseudo-terminal.ts';
import { hasMosquitto, mosquitto } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const MAIN = join(ROOT, 'dist/src/main.js');
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const NOBODY = 65_534;
const DAY = 86_400_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Check {
  readonly area: string;
  readonly check: string;
  readonly state: string;
  readonly cause: string;
  readonly says: string;
  readonly next: string;
}

interface Wanted {
  readonly upstream?: string;
  readonly path?: string;
  /** Addresses of the meters on the bus. */
  readonly addresses?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'doctor-'));
  cleanups.push(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function file(text: string): Promise<string> {
  const path = join(await folder(), 'file.pem');
  await writeFile(path, text);
  return path;
}

/** The program with such settings, once it collects, by its control socket. */
async function collecting(wanted: Wanted = {}): Promise<Commands> {
  const {
    upstream = '{ url: "mqtt://127.0.0.1:9" }',
    path = '/dev/none',
    addresses = [1],
  } = wanted;
  const home = await folder();
  const meters = addresses.map(
    (at) => `  - { meter: SP-${at}, bus: pit, profile: generic-8-digit-modbus, address: ${at} }`,
  );
  const settings = `version: 1
utility: demo
collector: COL-1
data: ./journal
control: ./control.sock
upstream: ${upstream}
buses:
  - { bus: pit, type: modbus-rtu, path: ${path}, baud: 9600, timeout_ms: 150 }
meters:
${meters.join('\n')}
`;
  await writeFile(join(home, 'settings.yaml'), settings);
  const { uid, env = {} } = wanted;
  if (uid !== undefined) chownSync(home, uid, uid);
  const child = spawn(process.execPath, [MAIN, 'run', '--config', join(home, 'settings.yaml')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  cleanups.push(() => ended(child));
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  await until('the collector collects', () => out.includes('"collecting"'), 60_000);
  return callCommands(join(home, 'control.sock'));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function checksOf(commands: Commands, area?: string): Promise<readonly Check[]> {
  const answer = await commands.run('doctor', area === undefined ? {} : { area });
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return (answer.data as { checks: readonly Check[] }).checks;
}

/** The causes of what is bad, each with what it says and the next step. */
async function ills(commands: Commands, area?: string): Promise<readonly Check[]> {
  const checks = await checksOf(commands, area);
  for (const { says, next, state, cause } of checks) {
    expect([cause, says]).not.toEqual([cause, `doctor.${cause}`]);
    expect(says).not.toMatch(/\{\w+\}/);
    if (state === 'bad') expect([cause, next]).not.toEqual([cause, '']);
  }
  return checks.filter(({ state }) => state === 'bad');
}

const causes = (checks: readonly Check[]) => checks.map(({ cause }) => cause);

/** Asks every meter some times: what the doctor knows of a bus it knows from its questions. */
async function asked(commands: Commands, addresses: readonly number[], times = 3): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    for (const at of addresses) await commands.run('read', { meter: `SP-${at}`, within_s: 10 });
  }
}

type Answer = (frame: Buffer) => Uint8Array | null;

/** A serial port with devices behind it: each question's answer is made worse as the fault says. */
async function portWith(addresses: readonly number[], spoil: Answer = (frame) => frame) {
  const path = join(await folder(), 'ttyUSB0');
  const terminal = plugTerminal(path);
  cleanups.push(() => terminal.unplug());
  let heard = Buffer.alloc(0);
  terminal.onHeard((bytes) => {
    heard = Buffer.concat([heard, bytes]);
    // Read holding registers: 8 bytes, two of them CRC (Modbus over serial line 1.02, 2.5.1).
    for (; heard.length >= 8; heard = heard.subarray(8)) {
      const [unit = 0] = heard;
      if (!addresses.includes(unit)) continue;
      const answer = spoil(frameOf(unit, 1_234_500 + unit));
      if (answer) terminal.say(answer);
    }
  });
  return path;
}

function frameOf(unit: number, register: number): Buffer {
  const frame = Buffer.alloc(9);
  frame.writeUInt8(unit, 0);
  frame.writeUInt8(3, 1);
  frame.writeUInt8(4, 2);
  frame.writeUInt32BE(register, 3);
  frame.writeUInt16LE(crc16(frame.subarray(0, 7)), 7);
  return frame;
}

/** A broker behind TLS. */
async function secureBroker(options: TlsOptions): Promise<number> {
  const broker = await Aedes.createBroker();
  const server: Server = createServer(options, (socket) => broker.handle(socket));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.close();
    await new Promise<void>((resolve) => broker.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
}

const HERE = { addresses: ['127.0.0.1'] };

describe.skipIf(!existsSync(MAIN))('the doctor (needs npm run build)', { timeout: 120_000 }, () => {
  it('finds nothing bad where nothing is', async () => {
    const broker = await mosquitto({ acl: 'topic readwrite #' });
    cleanups.push(() => broker.dispose());
    await broker.start();
    const commands = await collecting({
      ...{ path: await portWith([1, 2]), addresses: [1, 2] },
      upstream: `{ url: "mqtt://127.0.0.1:${broker.port}" }`,
    });
    await asked(commands, [1, 2]);
    expect(await ills(commands)).toEqual([]);
    const checks = await checksOf(commands);
    expect(causes(checks)).toEqual(
      expect.arrayContaining(['port_open', 'bus_fine', 'sign_in_ok', 'rights_ok', 'clock_ok']),
    );
    expect([...new Set(checks.map(({ area }) => area))]).toEqual([
      'bus',
      'upstream',
      'time',
      'disk',
    ]);
  });

  it('A and B swapped: nobody is heard; a scan and then the swap tell it from the rest of its group', async () => {
    const addresses = [1, 2];
    // Every bit is the other way round: no device takes it for a question.
    const commands = await collecting({ path: await portWith([]), addresses });
    await asked(commands, addresses);
    const [ill, ...more] = await ills(commands, 'bus');
    expect([ill?.cause, more]).toEqual(['nobody_heard', []]);
    expect(ill?.next).toMatch(/scan.*swap A and B/);
  });

  it('a wrong baud: what comes is something else, of another length', async () => {
    const addresses = [1, 2];
    const noise: Answer = (frame) =>
      Uint8Array.from([...frame.subarray(0, 5)].map((byte) => byte ^ 0x9c));
    const commands = await collecting({ path: await portWith(addresses, noise), addresses });
    await asked(commands, addresses);
    const [ill] = await ills(commands, 'bus');
    expect(ill?.cause).toBe('bits_wrong');
    expect(ill?.next).toMatch(/--baud.*--parity/);
  });

  it('a wrong parity: frames come whole with their top bits wrong', async () => {
    const addresses = [1, 2];
    const topBit: Answer = (frame) => Uint8Array.from(frame.map((byte) => byte | 0x80));
    const commands = await collecting({ path: await portWith(addresses, topBit), addresses });
    await asked(commands, addresses);
    expect(causes(await ills(commands, 'bus'))).toEqual(['bits_wrong']);
  });

  it('a wrong address: that one is silent while the others answer', async () => {
    const addresses = [1, 2];
    const commands = await collecting({ path: await portWith([1, 7]), addresses });
    await asked(commands, addresses);
    const [ill, ...more] = await ills(commands, 'bus');
    expect([ill?.cause, more]).toEqual(['meter_silent', []]);
    expect(ill?.says).toContain('SP-2 (address 2)');
    expect(ill?.next).toContain('scan');
  });

  it('one address twice: its answers collide while the others’ are whole', async () => {
    const addresses = [1, 2];
    // Two drive the line at once: what arrives is neither's.
    const collide: Answer = (frame) =>
      frame[0] === 2 ? Uint8Array.from(frame.map((byte, i) => byte & (0xff >> (i % 4)))) : frame;
    const commands = await collecting({ path: await portWith(addresses, collide), addresses });
    await asked(commands, addresses);
    const [ill, ...more] = await ills(commands, 'bus');
    expect([ill?.cause, more]).toEqual(['address_shared', []]);
    expect(ill?.next).toContain('Unplug SP-2');
  });

  it.skipIf(process.getuid?.() !== 0)(
    'no permission: the port is there and is another’s (needs root, to give it up)',
    async () => {
      const path = await portWith([1]);
      chmodSync(await realpath(path), 0o600);
      chmodSync(join(path, '..'), 0o755);
      const commands = await collecting({ path, uid: NOBODY });
      await asked(commands, [1], 1);
      const [ill, ...more] = await ills(commands, 'bus');
      expect([ill?.cause, more]).toEqual(['no_permission', []]);
      expect(ill?.next).toContain('dialout');
    },
  );

  it('a port that is gone', async () => {
    const commands = await collecting({ path: '/dev/ttyUSB-not-there' });
    const [ill, ...more] = await ills(commands, 'bus');
    expect([ill?.cause, more]).toEqual(['port_gone', []]);
    expect(ill?.says).toContain('/dev/ttyUSB-not-there');
  });

  it('a name that no name server knows', async () => {
    const upstream = '{ url: "mqtt://broker.invalid" }';
    const commands = await collecting({ upstream });
    const checks = await checksOf(commands, 'upstream');
    expect(checks.slice(0, 3)).toMatchObject([
      { check: 'files', state: 'ok' },
      { check: 'name', state: 'bad', cause: 'dns' },
      { check: 'connection', state: 'unknown', cause: 'not_reached' },
    ]);
    expect(causes(await ills(commands, 'upstream'))).toEqual(['dns']);
  });

  it('a chain that leads to nobody we trust', async () => {
    const broker = new Authority('stranger').issue({ name: 'broker', ...HERE });
    const port = await secureBroker(broker);
    const ca = await file(new Authority('utility').cert);
    const upstream = `{ url: "mqtts://127.0.0.1:${port}", ca_file: ${ca} }`;
    const commands = await collecting({ upstream });
    expect(causes(await ills(commands, 'upstream'))).toEqual(['tls_chain']);
  });

  it.each(['broker', 'own'])('an expired certificate: %s', async (whose) => {
    const authority = new Authority('utility');
    const over = { from: Date.now() - 10 * DAY, to: Date.now() - DAY };
    const of = (name: string) => (name === whose ? over : {});
    const port = await secureBroker({
      ...authority.issue({ name: 'broker', ...HERE, ...of('broker') }),
      ...{ ca: authority.cert, requestCert: true, rejectUnauthorized: true },
    });
    const own = authority.issue({ name: 'COL-1', ...of('own') });
    const files = `cert_file: ${await file(own.cert)}, key_file: ${await file(own.key)}`;
    const ca = await file(authority.cert);
    const upstream = `{ url: "mqtts://127.0.0.1:${port}", ca_file: ${ca}, ${files} }`;
    const commands = await collecting({ upstream });
    const found = new Set(causes(await ills(commands, 'upstream')));
    expect([...found]).toEqual([
      whose === 'own' ? 'own_certificate_expired' : 'certificate_expired',
    ]);
  });

  it.skipIf(!hasMosquitto)('rights that the broker does not give (needs mosquitto)', async () => {
    const broker = await mosquitto({ acl: 'topic readwrite elsewhere/#' });
    cleanups.push(() => broker.dispose());
    await broker.start();
    const commands = await collecting({ upstream: `{ url: "mqtt://127.0.0.1:${broker.port}" }` });
    await until('the link is up', async () => {
      const now = await commands.run('queue.status', {});
      return now.ok && (now.data as { connected: boolean }).connected;
    });
    const checks = await checksOf(commands, 'upstream');
    expect(checks.filter(({ check }) => check === 'sign_in')).toMatchObject([{ state: 'ok' }]);
    const [ill, ...more] = await ills(commands, 'upstream');
    expect([ill?.check, ill?.cause, more]).toEqual(['rights', 'acl_refused', []]);
  });

  it.skipIf(!existsSync(FAKETIME))(
    'a clock at 1970, which spoils TLS too, is named as what it is (needs libfaketime)',
    async () => {
      const authority = new Authority('utility');
      const port = await secureBroker(authority.issue({ name: 'broker', ...HERE }));
      const ca = await file(authority.cert);
      const commands = await collecting({
        upstream: `{ url: "mqtts://127.0.0.1:${port}", ca_file: ${ca} }`,
        env: {
          LD_PRELOAD: FAKETIME,
          FAKETIME: '@1970-01-01 00:10:00',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        },
      });
      expect(causes(await ills(commands, 'time'))).toEqual(['clock_1970']);
      expect(causes(await ills(commands, 'upstream'))).toEqual(['tls_clock']);
    },
  );
});
