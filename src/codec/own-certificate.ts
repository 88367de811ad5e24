// A certificate that vouches for itself: X.509 version 3 (RFC 5280) for a server with a key on the curve P-256, signed with SHA-256.

import { ECDSA_SHA256, nameOf } from './certificate-request.ts';
import {
  asciiAs,
  bitString,
  bytesAs,
  context,
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
  unsigned,
  utcTime,
  yes,
} from './der.ts';

const SUBJECT_ALT_NAME = objectIdentifier('2.5.29.17');
const BASIC_CONSTRAINTS = objectIdentifier('2.5.29.19');
const EXTENDED_KEY_USAGE = objectIdentifier('2.5.29.37');
const SERVER_AUTH = objectIdentifier('1.3.6.1.5.5.7.3.1');
/** GeneralName (RFC 5280, 4.2.1.6). */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
/** Version 3 is the number 2. */
const V3 = context(0, smallInteger(2));

export interface OwnName {
  readonly commonName: string;
  /** Host names, of ASCII. */
  readonly hosts: readonly string[];
  /** Addresses as their bytes: 4 or 16. */
  readonly addresses: readonly Uint8Array[];
  /** 1 to 19 random bytes. */
  readonly serial: Uint8Array;
}

/**
 * The certificate, in DER. Whoever compares its fingerprint needs no dates, and a collector may not know what day it is: it is
 * good from 2020 to the end of 2049, the last that UTCTime can say. `sign` gives an ECDSA signature over SHA-256, in DER.
 */
export function ownCertificate(
  { commonName, hosts, addresses, serial }: OwnName,
  publicKey: Uint8Array,
  sign: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const name = nameOf(commonName);
  const alternatives = [
    ...hosts.map((host) => asciiAs(DNS_NAME, host)),
    ...addresses.map((address) => bytesAs(IP_ADDRESS, address)),
  ];
  const extensions = [
    sequence(SUBJECT_ALT_NAME, octetString(sequence(...alternatives))),
    sequence(BASIC_CONSTRAINTS, yes, octetString(sequence())),
    sequence(EXTENDED_KEY_USAGE, octetString(sequence(SERVER_AUTH))),
  ];
  const validity = sequence(utcTime('200101000000Z'), utcTime('491231235959Z'));
  const body = sequence(
    ...[V3, unsigned(serial), ECDSA_SHA256, name, validity, name, publicKey],
    context(3, sequence(...extensions)),
  );
  return sequence(body, ECDSA_SHA256, bitString(sign(body)));
}
