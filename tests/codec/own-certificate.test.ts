// A certificate that vouches for itself, as node's own reader and a TLS handshake see it.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureOwnCertificate, fingerprintOf } from '../../src/adapters/own-certificate.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const files = () => ({ certFile: join(folder, 'c.crt'), keyFile: join(folder, 'c.key') });
const NAMES = ['pole-7', 'pole-7.local', '127.0.0.1', '192.168.7.1', 'fe80::1', '::1'];
const read = async () => new X509Certificate(await readFile(files().certFile));

describe('a certificate of one’s own making', () => {
  it('is signed by its own key, names every host and address, and is good whatever day it is', async () => {
    expect(await ensureOwnCertificate(files(), NAMES)).toBeNull();
    const certificate = await read();
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(await readFile(files().keyFile)))).toBe(
      true,
    );
    for (const host of ['pole-7', 'pole-7.local']) expect(certificate.checkHost(host)).toBe(host);
    for (const ip of ['127.0.0.1', '192.168.7.1', 'fe80::1', '::1']) {
      expect([ip, certificate.checkIP(ip)]).toEqual([ip, ip]);
    }
    expect(certificate.checkHost('pole-8')).toBeUndefined();
    expect(Date.parse(certificate.validFrom)).toBe(Date.UTC(2020, 0, 1));
    expect(Date.parse(certificate.validTo)).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
    expect(certificate.ca).toBe(false);
    expect((await stat(files().keyFile)).mode & 0o777).toBe(0o600);
  });

  it('is made once, for whoever compared its fingerprint need not do it again', async () => {
    await ensureOwnCertificate(files(), NAMES);
    const before = await fingerprintOf(files().certFile);
    expect(before).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    await ensureOwnCertificate(files(), ['another-name']);
    expect(await fingerprintOf(files().certFile)).toBe(before);
  });

  it('that a power cut left in pieces, or without its key, is made anew', async () => {
    await ensureOwnCertificate(files(), NAMES);
    const whole = await readFile(files().certFile, 'utf8');
    for (const spoil of [
      () => writeFile(files().certFile, whole.slice(0, 200)),
      () => writeFile(files().keyFile, ''),
      () => rm(files().keyFile),
    ]) {
      const before = await fingerprintOf(files().certFile);
      await spoil();
      expect(await ensureOwnCertificate(files(), NAMES)).toBeNull();
      const certificate = await read();
      expect(certificate.fingerprint256).not.toBe(before);
      expect(certificate.checkPrivateKey(createPrivateKey(await readFile(files().keyFile)))).toBe(
        true,
      );
    }
  });

  it('that cannot be written is told in words', async () => {
    const nowhere = { certFile: join(folder, 'no', 'c.crt'), keyFile: join(folder, 'no', 'c.key') };
    expect(await ensureOwnCertificate(nowhere, NAMES)).toContain('c.crt');
  });
});
