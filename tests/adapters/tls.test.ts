// TLS that fails, on real sockets: each cause is told by its own sentence, and nothing is delivered.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { Aedes } from 'aedes';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createMqttHeadEnd } from '../../src/adapters/mqtt-head-end.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { type TlsTrouble, tlsSentence } from '../../src/adapters/tls-trouble.ts';
import type { Clock, HeadEnd } from '../../src/boundaries.ts';
import { Authority, type Identity } from '../fakes/authority.ts';
import { hasMosquitto, partsFor, mosquitto as startMosquitto } from '../fakes/real-brokers.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { until } from '../fakes/until.ts';

const DAY = 86_400_000;
const past = (days: number) => Date.now() - days * DAY;
const folder = mkdtempSync(join(tmpdir(), 'tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const authority = new Authority('utility');
const stranger = new Authority('stranger');
const HERE = { addresses: ['127.0.0.1'] };
const good = authority.issue({ name: 'broker', ...HERE });
const own = authority.issue({ name: 'COL-00001' });

let files = 0;
function file(text: string): string {
  files += 1;
  const path = join(folder, `${files}.pem`);
  writeFileSync(path, text);
  return path;
}
const asFiles = ({ cert, key }: Identity) => ({ certFile: file(cert), keyFile: file(key) });

let server: Server | undefined;
let link: HeadEnd | undefined;
let broker: Aedes | undefined;
afterEach(async () => {
  await link?.close();
  link = undefined;
  await new Promise<void>((resolve) => (broker ? broker.close(() => resolve()) : resolve()));
  broker = undefined;
  server?.close();
  server = undefined;
});

async function listen(made: Server): Promise<number> {
  server = made.listen(0, '127.0.0.1');
  await until('it listens', () => made.listening);
  return (made.address() as AddressInfo).port;
}

/** A broker behind TLS. */
async function secure(options: TlsOptions): Promise<number> {
  const made = await Aedes.createBroker();
  broker = made;
  return listen(
    createServer(options, (socket) => made.handle(socket)).on('tlsClientError', () => undefined),
  );
}

interface Case {
  readonly server?: TlsOptions;
  readonly client?: Partial<ReturnType<typeof asFiles>> & { readonly caFile?: string };
  readonly clock?: Clock;
}

/** What the link says of itself after its first try. */
async function saidOf(port: number, { client, clock }: Case): Promise<string> {
  const log = new RecordingLog();
  const settings = { url: `mqtts://127.0.0.1:${port}`, caFile: file(authority.cert), ...client };
  link = createMqttHeadEnd(partsFor(port, { settings, log, ...(clock && { clock }) }));
  link.start({ topic: 'ok/state', payload: 'lost', qos: 1, retain: false });
  await until('it says something', () => /next try|connected/.test(link?.linkState() ?? ''));
  const sent = await link.publish({ topic: 'ok/x', payload: '1', qos: 1, retain: false });
  return sent.ok ? 'delivered' : link.linkState();
}

const mutual: TlsOptions = {
  ...good,
  ca: authority.cert,
  requestCert: true,
  rejectUnauthorized: true,
};

/** A clock that lost its battery. */
function clockAt(now: number): Clock {
  return { ...createSystemClock(), now: () => now };
}

const CASES: readonly (readonly [what: string, trouble: TlsTrouble, of: () => Case])[] = [
  [
    'a broker whose certificate has expired',
    'broker_expired',
    () => ({
      server: authority.issue({
        name: 'b',
        ...HERE,
        from: Date.now() - 9 * DAY,
        to: Date.now() - DAY,
      }),
    }),
  ],
  [
    'a broker whose certificate is not valid yet',
    'broker_not_yet_valid',
    () => ({
      server: authority.issue({
        name: 'b',
        ...HERE,
        from: Date.now() + DAY,
        to: Date.now() + 9 * DAY,
      }),
    }),
  ],
  [
    'a certificate that is not valid yet by a clock of 1970',
    'clock',
    () => ({
      server: authority.issue({
        name: 'b',
        ...HERE,
        from: Date.now() + DAY,
        to: Date.now() + 9 * DAY,
      }),
      clock: clockAt(60_000),
    }),
  ],
  [
    'a broker of another host',
    'broker_other_host',
    () => ({
      server: authority.issue({ name: 'b', hosts: ['broker.example'] }),
    }),
  ],
  [
    'a broker that somebody else vouches for',
    'broker_unknown_authority',
    () => ({
      server: stranger.issue({ name: 'b', ...HERE }),
    }),
  ],
  ['no certificate of our own where one is wanted', 'own_missing', () => ({ server: mutual })],
  [
    'our own certificate expired',
    'own_expired',
    () => ({
      server: mutual,
      client: asFiles(
        authority.issue({ name: 'COL-00001', from: Date.now() - 9 * DAY, to: Date.now() - DAY }),
      ),
    }),
  ],
  [
    'our own certificate of another authority, without a word',
    'cut_off',
    () => ({
      server: mutual,
      client: asFiles(stranger.issue({ name: 'COL-00001' })),
    }),
  ],
  [
    'a key that is not the certificate’s',
    'own_key_mismatch',
    () => ({
      server: mutual,
      client: { certFile: file(own.cert), keyFile: file(good.key) },
    }),
  ],
  [
    'a broker that speaks TLS 1.1 at most',
    'too_old',
    () => ({
      server: {
        ...good,
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      },
    }),
  ],
];

describe('TLS with a broker', () => {
  it('with good certificates on both sides carries water', async () => {
    const port = await secure(mutual);
    expect(await saidOf(port, { client: asFiles(own) })).toBe('delivered');
  });

  it.each(CASES)('refused for %s is told as %s', async (_, trouble, make) => {
    const of = make();
    const port = await secure(of.server ?? good);
    const said = await saidOf(port, of);
    const now = of.clock?.now() ?? Date.now();
    // The sentence is the one of that trouble, up to what it says of names and times.
    const [begin] = tlsSentence(trouble, { where: `127.0.0.1:${port}`, code: '', now }).split(
      / \(| but |: /,
    );
    expect(said).toContain(begin);
  });

  const torn = (pem: string) => pem.replace('BEGIN CERTIFICATE', 'BEGIN CERTIFICAT');
  const cut = (pem: string) => pem.split('\n').slice(0, 3).join('\n');
  const spoilt = (pem: string) => pem.replace(/\n..../, '\nAAAA');
  it.each([
    ['ca_file', 'words of another kind', () => ({ caFile: file(torn(authority.cert)) })],
    ['ca_file', 'no end', () => ({ caFile: file(cut(authority.cert)) })],
    ['ca_file', 'other bytes', () => ({ caFile: file(spoilt(authority.cert)) })],
    ['ca_file', 'a second one cut', () => ({ caFile: file(good.cert + cut(authority.cert)) })],
    ['ca_file', 'a key', () => ({ caFile: file(own.key) })],
    ['cert_file', 'words alone', () => ({ ...asFiles(own), certFile: file('water') })],
    [
      'cert_file',
      'words of another kind',
      () => ({ ...asFiles(own), certFile: file(torn(own.cert)) }),
    ],
    ['cert_file', 'a key', () => ({ ...asFiles(own), certFile: file(own.key) })],
    ['key_file', 'a certificate', () => ({ ...asFiles(own), keyFile: file(own.cert) })],
  ])('a %s with %s is named as the one to be copied anew', async (name, _, client) => {
    const said = await saidOf(await secure(mutual), { client: client() });
    expect(said).toMatch(new RegExp(`^${name} holds no .*: copy it anew`));
  });

  it('where nothing speaks TLS says so', async () => {
    const port = await listen(createPlain());
    expect(await saidOf(port, {})).toContain('speaks no TLS:');
  });

  it('where the broker hangs up at once is tried again, and is no delivery', async () => {
    const port = await listen(createTcp((socket) => socket.destroy()));
    expect(await saidOf(port, {})).toMatch(/next try/);
  });

  it('TLS 1.2 is spoken where the broker has no newer one', async () => {
    const port = await secure({ ...mutual, maxVersion: 'TLSv1.2' });
    expect(await saidOf(port, { client: asFiles(own) })).toBe('delivered');
  });
});

describe.skipIf(!hasMosquitto)('TLS with Mosquitto (needs mosquitto)', () => {
  it.each([
    ['own_missing', () => ({})],
    ['own_expired', () => asFiles(authority.issue({ name: 'C', from: past(9), to: past(1) }))],
    ['own_unknown_authority', () => asFiles(stranger.issue({ name: 'C' }))],
  ] as const)('a collector is refused, and told %s', async (trouble, client) => {
    const { cert, key } = good;
    const limits = `cafile ${file(authority.cert)}\ncertfile ${file(cert)}\nkeyfile ${file(key)}\nrequire_certificate true`;
    const mosquitto = await startMosquitto({ limits });
    await mosquitto.start();
    const said = await saidOf(mosquitto.port, { client: client() });
    const where = `127.0.0.1:${mosquitto.port}`;
    const [begin] = tlsSentence(trouble, { where, code: '', now: Date.now() }).split(
      / \(| but |: /,
    );
    expect(said).toContain(begin);
    await mosquitto.dispose();
  });
});
