// A collector's key and certificate: the key is made here, the request is what OpenSSL reads, and only the right certificate comes in.

import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { expiries, requestCertificate, takeCertificate } from '../../src/adapters/enrolment.ts';
import type { CommandAnswer } from '../../src/boundaries.ts';
import { certificateRequest } from '../../src/codec/certificate-request.ts';
import { der, objectIdentifier } from '../../src/codec/der.ts';
import { Authority } from '../fakes/authority.ts';
import { partsFor } from '../fakes/real-brokers.ts';

const DAY = 86_400_000;
const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;
const root = mkdtempSync(join(tmpdir(), 'enrolment-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let keyFile: string;
let certFile: string;
let runs = 0;
const authority = new Authority('utility');
const me = () => ({ collector: 'COL-1', upstream: { ...partsFor(1).settings, keyFile, certFile } });
const dataOf = (answer: CommandAnswer) => {
  if (!answer.ok) throw new Error(answer.message);
  return answer.data as Readonly<Record<string, string>>;
};
const codeOf = (answer: CommandAnswer) => (answer.ok ? 'ok' : answer.code);
const keyOf = (file: string) => createPublicKey(readFileSync(file));

beforeEach(() => {
  runs += 1;
  keyFile = join(root, `${runs}.key`);
  certFile = join(root, `${runs}.crt`);
});

describe('a request for a certificate', () => {
  it('is made with a key that only its owner may read, and again with the same key', async () => {
    const first = dataOf(await requestCertificate(me(), false));
    expect(first['made']).toBe(true);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const key = readFileSync(keyFile, 'utf8');
    expect(dataOf(await requestCertificate(me(), false))['made']).toBe(false);
    expect(readFileSync(keyFile, 'utf8')).toBe(key);
  });

  it.skipIf(!hasOpenssl)(
    'is sound, names the collector and carries its key (needs openssl)',
    async () => {
      const { request = '' } = dataOf(await requestCertificate(me(), false));
      const input = { input: request, encoding: 'utf8' as const };
      const read = execFileSync(
        'openssl',
        ['req', '-verify', '-noout', '-subject', '-pubkey'],
        input,
      );
      expect(read).toMatch(/^subject=.*CN ?= ?COL-1$/m);
      expect(read).toContain(
        keyOf(keyFile).export({ type: 'spki', format: 'pem' }).toString().trim(),
      );
      // OpenSSL 3.0 ends well although the signature does not hold.
      const verified = (input: string) =>
        String(spawnSync('openssl', ['req', '-verify', '-noout'], { input }).stderr);
      expect(verified(request)).toMatch(/verify OK/);
      expect(verified(spoiled(request))).not.toMatch(/verify OK/);
    },
  );

  it('with a new key leaves the present one in its place until the certificate comes', async () => {
    await requestCertificate(me(), false);
    const old = readFileSync(keyFile, 'utf8');
    await takeCertificate(me(), authority.certify({ name: 'COL-1' }, keyOf(keyFile)), Date.now());
    const next = dataOf(await requestCertificate(me(), true))['key_file'] ?? '';
    expect(next).not.toBe(keyFile);
    expect(readFileSync(keyFile, 'utf8')).toBe(old);
    const certificate = authority.certify({ name: 'COL-1' }, keyOf(next));
    expect(codeOf(await takeCertificate(me(), certificate, Date.now()))).toBe('ok');
    expect(readFileSync(keyFile, 'utf8')).not.toBe(old);
    expect(new X509Certificate(readFileSync(certFile)).publicKey.equals(keyOf(keyFile))).toBe(true);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  });

  it('is refused where the settings name no files, and where the key’s folder is not there', async () => {
    const nowhere = { collector: 'COL-1', upstream: partsFor(1).settings };
    expect(codeOf(await requestCertificate(nowhere, false))).toBe('bad_request');
    keyFile = join(root, 'absent', 'x.key');
    expect(codeOf(await requestCertificate(me(), false))).toBe('internal');
  });
});

describe('a certificate', () => {
  beforeEach(async () => {
    await requestCertificate(me(), false);
  });

  it('of this collector and its key is put in its place', async () => {
    const certificate = authority.certify({ name: 'COL-1' }, keyOf(keyFile));
    const taken = dataOf(await takeCertificate(me(), certificate, Date.now()));
    expect(readFileSync(certFile, 'utf8')).toBe(certificate);
    expect(Date.parse(taken['until'] ?? '')).toBeGreaterThan(Date.now());
    const [own] = await expiries(me());
    expect(own).toEqual({
      of: 'upstream',
      file: certFile,
      until: Date.parse(taken['until'] ?? ''),
    });
  });

  it.each([
    [
      'of another collector',
      'verify_failed',
      (): string => authority.certify({ name: 'COL-2' }, keyOf(keyFile)),
    ],
    ['for another key', 'verify_failed', (): string => authority.issue({ name: 'COL-1' }).cert],
    [
      'that is over',
      'verify_failed',
      (): string =>
        authority.certify(
          { name: 'COL-1', from: Date.now() - 9 * DAY, to: Date.now() - DAY },
          keyOf(keyFile),
        ),
    ],
    ['that is none', 'bad_request', (): string => 'water'],
  ] as const)('%s is refused, and nothing is put in place', async (_, code, make) => {
    expect(codeOf(await takeCertificate(me(), make(), Date.now()))).toBe(code);
    expect(() => statSync(certFile)).toThrow();
  });
});

describe('DER', () => {
  it('writes lengths in as few bytes as they take, and object identifiers in base 128', () => {
    expect([...der(4, new Uint8Array(127))].slice(0, 2)).toEqual([4, 127]);
    expect([...der(4, new Uint8Array(128))].slice(0, 3)).toEqual([4, 0x81, 128]);
    expect([...der(4, new Uint8Array(300))].slice(0, 4)).toEqual([4, 0x82, 1, 44]);
    // X.690 8.19.5: 2.100.3; and ecdsa-with-SHA256 as RFC 5758 gives it.
    expect([...objectIdentifier('2.100.3')]).toEqual([6, 3, 0x81, 0x34, 3]);
    const bytes = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    expect([...objectIdentifier('1.2.840.10045.4.3.2')]).toEqual(bytes);
  });

  it('a request holds what was signed', () => {
    let signed = new Uint8Array();
    const request = certificateRequest('COL-1', Uint8Array.of(0x30, 0), (bytes) => {
      signed = Uint8Array.from(bytes);
      return Uint8Array.of(1, 2, 3);
    });
    expect(Buffer.from(request).includes(Buffer.from(signed))).toBe(true);
  });
});

/** The request with one letter of its common name changed: the signature is of another. */
function spoiled(request: string): string {
  const body = request.replace(/-----[^-]+-----/g, '').replace(/\n/g, '');
  const bytes = Buffer.from(body, 'base64');
  bytes[bytes.indexOf('COL-1')] = 0x44;
  const text = bytes.toString('base64');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${text.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

it('the end of the console’s certificate is told as the console’s', async () => {
  await requestCertificate(me(), false);
  const until = Date.now() + 40 * 86_400_000;
  writeFileSync(certFile, authority.certify({ name: 'localhost', to: until }, keyOf(keyFile)));
  const console = { host: '0.0.0.0', port: 8443, allowedHosts: [], tls: { certFile, keyFile } };
  const { certFile: _, ...upstream } = me().upstream;
  const told = await expiries({ upstream, console });
  expect(told).toEqual([{ of: 'console', file: certFile, until: Math.floor(until / 1000) * 1000 }]);
});

it('what the settings do not name, or nobody can read, has no end that could be told', async () => {
  writeFileSync(certFile, 'water');
  expect(await expiries(me())).toEqual([]);
});
