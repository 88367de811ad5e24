// This collector's key and certificate: the key is made here and never leaves, a request goes out, a certificate comes in.

import { createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import type { CommandAnswer } from '../boundaries.ts';
import { certificateRequest, pem } from '../codec/certificate-request.ts';
import type { Expiry } from '../domain/doctor.ts';
import type { Settings, UpstreamSettings } from '../settings/settings.ts';
import { writeWhole } from './files.ts';
import { makeKey, publicHalf } from './key-file.ts';

/** Where settings say that key and certificate are, and whose they are. */
export interface Enrolled {
  readonly collector: string;
  readonly upstream: UpstreamSettings;
}

const refused = (code: string, message: string, hint = ''): CommandAnswer => ({
  ...{ ok: false, code, message, hint },
});

const NO_FILES = refused(
  'bad_request',
  'The settings say nowhere where key and certificate are to be.',
  'Set upstream.key_file and upstream.cert_file.',
);

/** A key that takes the place of the present one when its certificate comes. */
const nextOf = (keyFile: string) => `${keyFile}.next`;

/**
 * The request in PEM, for the key that is there or one made now; with `isNew` for another key, which waits beside the present
 * one. The answer's data: {request, key_file, made}. `internal` when the key's file cannot be written or read.
 */
export async function requestCertificate(
  { collector, upstream: { keyFile } }: Enrolled,
  isNew: boolean,
): Promise<CommandAnswer> {
  if (keyFile === undefined) return NO_FILES;
  try {
    const present = isNew ? undefined : await keyIn(keyFile);
    const file = isNew && (await keyIn(keyFile)) ? nextOf(keyFile) : keyFile;
    const key = present ?? (await keyIn(file)) ?? (await makeKey(file));
    const made = present === undefined;
    return { ok: true, data: { request: requestFor(collector, key), key_file: file, made } };
  } catch (cause) {
    return refused('internal', `The key cannot be kept: ${wordsOf(cause)}.`);
  }
}

function requestFor(collector: string, key: KeyObject): string {
  const signed = (bytes: Uint8Array) => sign('sha256', bytes, key);
  const request = certificateRequest(collector, publicHalf(key), signed);
  return pem('CERTIFICATE REQUEST', Buffer.from(request).toString('base64'));
}

/** Undefined where there is no such file; what is no key throws. */
async function keyIn(file: string): Promise<KeyObject | undefined> {
  try {
    return createPrivateKey(await readFile(file));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/**
 * Puts a certificate in its place, with the key that it is for. It must be of this collector, for a key made here, and not be over
 * at `now`: `verify_failed`. The answer's data: {cert_file, until, from}.
 */
export async function takeCertificate(
  { collector, upstream: { keyFile, certFile } }: Enrolled,
  text: string,
  now: number,
): Promise<CommandAnswer> {
  if (keyFile === undefined || certFile === undefined) return NO_FILES;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(text);
  } catch {
    // OpenSSL's own words ("no start line") say less than what is to be done.
    const hint = 'Take the file as it came, with its lines BEGIN and END.';
    return refused('bad_request', 'That is no certificate in PEM, or a damaged one.', hint);
  }
  const wrong = wrongWith(certificate, collector, now);
  if (wrong) return wrong;
  try {
    const file = await keyFileOf(certificate, keyFile);
    if (file === undefined) {
      const message = 'It is for another key than this collector has.';
      return refused(
        'verify_failed',
        message,
        'Send the request again: upstream enroll --csr FILE',
      );
    }
    if (file !== keyFile) await rename(file, keyFile);
    await writeWhole(certFile, text);
  } catch (cause) {
    return refused('internal', `It cannot be kept: ${wordsOf(cause)}.`);
  }
  const [from, until] = [certificate.validFrom, certificate.validTo].map(isoOf);
  return { ok: true, data: { cert_file: certFile, from, until } };
}

function wrongWith(certificate: X509Certificate, collector: string, now: number) {
  const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  if (name !== collector) {
    const message = `It is of ${name ?? 'nobody'}, and this collector is ${collector}.`;
    return refused('verify_failed', message, 'The common name must be the id of the collector.');
  }
  if (Date.parse(certificate.validTo) > now) return undefined;
  const message = `It was over on ${isoOf(certificate.validTo)}, and here it is ${isoOf(now)}.`;
  return refused('verify_failed', message, 'Ask for a new one, or set the clock.');
}

async function keyFileOf(certificate: X509Certificate, keyFile: string) {
  for (const file of [nextOf(keyFile), keyFile]) {
    const key = await keyIn(file);
    if (key && certificate.checkPrivateKey(key)) return file;
  }
  return undefined;
}

/** Of every certificate that can be read; one that cannot is told by the link, or at the start of the console. */
export async function expiries({
  upstream: { certFile, caFile },
  console,
}: Pick<Settings, 'upstream' | 'console'>): Promise<Expiry[]> {
  const found: Expiry[] = [];
  const named = [
    ['upstream', certFile],
    ['upstream', caFile],
    ['console', console?.tls?.certFile],
  ] as const;
  for (const [of, file] of named) {
    if (file === undefined) continue;
    try {
      const { validTo } = new X509Certificate(await readFile(file));
      found.push({ of, file, until: Date.parse(validTo) });
    } catch {
      // Whoever uses it says what is wrong with it.
    }
  }
  return found;
}

const isoOf = (at: string | number) =>
  new Date(typeof at === 'string' ? Date.parse(at) : at).toISOString().replace('.000Z', 'Z');

function wordsOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code ?? message;
}
