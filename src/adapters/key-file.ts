// A private key in a file that its owner alone reads: it is made here and never leaves.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeSynced } from './files.ts';

/** Only its owner reads a key. */
const KEY_MODE = 0o600;

/** Makes a key (P-256) and writes it in PEM (PKCS 8), where no file may be yet. Throws what the file system says. */
export async function makeKey(file: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeSynced(file, text, { flag: 'wx', mode: KEY_MODE });
  return privateKey;
}

/** What a certificate says of a key: its public half as DER (SubjectPublicKeyInfo). */
export function publicHalf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}
