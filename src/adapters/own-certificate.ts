// The console's certificate of its own making: key and certificate are made once, in the data folder, and stay for good.

import { createPrivateKey, randomBytes, sign, X509Certificate } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { isIP, isIPv4 } from 'node:net';
import { pem } from '../codec/certificate-request.ts';
import { ownCertificate } from '../codec/own-certificate.ts';
import { fileWords } from './file-words.ts';
import { writeWhole } from './files.ts';
import { makeKey, publicHalf } from './key-file.ts';

const SERIAL_BYTES = 16;
/** What X.520 lets a common name have. */
const COMMON_NAME_MAX = 64;

export interface OwnFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** SHA-256 of a certificate as browsers show it (`AB:CD:...`); undefined where there is none that can be read. */
export async function fingerprintOf(certFile: string): Promise<string | undefined> {
  try {
    return new X509Certificate(await readFile(certFile)).fingerprint256;
  } catch {
    return undefined;
  }
}

/**
 * Sees to it that there is a key and a certificate for these names and addresses; what stands there as a pair stays. Why it
 * cannot be, in words; else null. Never rejects.
 */
export async function ensureOwnCertificate(
  files: OwnFiles,
  names: readonly string[],
): Promise<string | null> {
  try {
    if (!(await isPair(files))) await make(files, names);
    return null;
  } catch (cause) {
    return fileWords(cause, files.certFile);
  }
}

async function isPair({ certFile, keyFile }: OwnFiles): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(certFile));
    return certificate.checkPrivateKey(createPrivateKey(await readFile(keyFile)));
  } catch (cause) {
    // What a power cut left of a first start is made anew; what this user may not read is another's trouble.
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') throw cause;
    return false;
  }
}

async function make({ certFile, keyFile }: OwnFiles, names: readonly string[]): Promise<void> {
  await rm(keyFile, { force: true });
  const key = await makeKey(keyFile);
  const serial = randomBytes(SERIAL_BYTES);
  // Neither negative nor with a first byte of nothing.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const all = [...new Set(names)];
  const certificate = ownCertificate(
    {
      commonName: (all[0] ?? 'meter-collector').slice(0, COMMON_NAME_MAX),
      hosts: all.filter((name) => isIP(name) === 0),
      addresses: all.filter((name) => isIP(name) !== 0).map(bytesOf),
      serial,
    },
    publicHalf(key),
    (bytes) => sign('sha256', bytes, key),
  );
  await writeWhole(certFile, pem('CERTIFICATE', Buffer.from(certificate).toString('base64')));
}

/** An address as its 4 or 16 bytes. */
function bytesOf(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':'));
  const front = words(head);
  const back = words(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const all = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  return Uint8Array.from(
    all.flatMap((word) => {
      const number = Number.parseInt(word, 16);
      return [number >> 8, number & 0xff];
    }),
  );
}
