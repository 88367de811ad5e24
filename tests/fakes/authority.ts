// A certificate authority for tests: keys on P-256 and certificates (RFC 5280) of any name, address and time.

import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { ECDSA_SHA256, nameOf, pem } from '../../src/codec/certificate-request.ts';
import {
  bitString,
  context,
  der,
  objectIdentifier,
  sequence,
  smallInteger,
} from '../../src/codec/der.ts';

const DAY = 86_400_000;
const OCTETS = 0x04;
const BOOLEAN_TRUE = der(0x01, Uint8Array.of(0xff));
const GENERALIZED_TIME = 0x18;

export interface Identity {
  readonly cert: string;
  readonly key: string;
}

interface Wanted {
  readonly name: string;
  readonly from?: number;
  readonly to?: number;
  /** Addresses (IPv4) and host names that it is for. */
  readonly addresses?: readonly string[];
  readonly hosts?: readonly string[];
}

let serial = 0;

export class Authority {
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#key = privateKey;
    const isAuthority = extension('2.5.29.19', sequence(BOOLEAN_TRUE), true);
    this.cert = this.#certificate({ name }, publicKey, [isAuthority]);
  }

  /** A key and a certificate for it, good from yesterday for two days unless it says otherwise. */
  issue(wanted: Wanted): Identity {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return { cert: this.#certificate(wanted, publicKey, altNames(wanted)), key };
  }

  /** A certificate for the key of somebody who sent a request with it. */
  certify(wanted: Wanted, publicKey: KeyObject): string {
    return this.#certificate(wanted, publicKey, altNames(wanted));
  }

  #certificate(
    { name, from = Date.now() - DAY, to = Date.now() + DAY }: Wanted,
    publicKey: KeyObject,
    extensions: readonly Uint8Array[],
  ): string {
    serial += 1;
    const body = sequence(
      ...[context(0, smallInteger(2)), der(0x02, Uint8Array.of(1 + (serial >> 8), serial & 0xff))],
      ...[ECDSA_SHA256, nameOf(this.#name), sequence(time(from), time(to)), nameOf(name)],
      publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length > 0 ? [context(3, sequence(...extensions))] : []),
    );
    const signature = sign(
      'sha256',
      body,
      createPrivateKey(this.#key.export({ type: 'pkcs8', format: 'pem' })),
    );
    const bytes = sequence(body, ECDSA_SHA256, bitString(signature));
    const text = pem('CERTIFICATE', Buffer.from(bytes).toString('base64'));
    // What Node cannot read would fail far from here.
    new X509Certificate(text);
    return text;
  }
}

function time(at: number): Uint8Array {
  const text = new Date(at).toISOString().replace(/[-:T]/g, '').replace(/\.\d+/, '');
  // Before 2050 it is to be written with two digits of the year (RFC 5280 4.1.2.5).
  return text < '2050' && text >= '1950'
    ? der(0x17, Buffer.from(text.slice(2)))
    : der(GENERALIZED_TIME, Buffer.from(text));
}

function extension(id: string, content: Uint8Array, critical = false): Uint8Array {
  return sequence(objectIdentifier(id), ...(critical ? [BOOLEAN_TRUE] : []), der(OCTETS, content));
}

function altNames({ addresses = [], hosts = [] }: Wanted): Uint8Array[] {
  if (addresses.length + hosts.length === 0) return [];
  const names = [
    ...hosts.map((host) => der(0x82, Buffer.from(host))),
    ...addresses.map((address) => der(0x87, Uint8Array.from(address.split('.').map(Number)))),
  ];
  return [extension('2.5.29.17', sequence(...names))];
}
