// A certificate request of one shape: PKCS#10 (RFC 2986) for a common name and a key on the curve P-256, signed with SHA-256.

import { bitString, context, objectIdentifier, sequence, set, smallInteger, utf8 } from './der.ts';

const COMMON_NAME = objectIdentifier('2.5.4.3');
/** RFC 5758: ecdsa-with-SHA256 has no parameters. */
export const ECDSA_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));

/** The name of whoever has this common name and nothing else (X.501). */
export function nameOf(commonName: string): Uint8Array {
  return sequence(set(sequence(COMMON_NAME, utf8(commonName))));
}

/** The request, in DER. `publicKey` is a SubjectPublicKeyInfo in DER; `sign` gives an ECDSA signature over SHA-256, in DER. */
export function certificateRequest(
  commonName: string,
  publicKey: Uint8Array,
  sign: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const info = sequence(smallInteger(0), nameOf(commonName), publicKey, context(0));
  return sequence(info, ECDSA_SHA256, bitString(sign(info)));
}

/** Lines of a PEM file are so long (RFC 7468). */
const PEM_LINE = 64;

/** The text of a PEM file around `base64`. */
export function pem(label: string, base64: string): string {
  const lines = base64.match(new RegExp(`.{1,${PEM_LINE}}`, 'g')) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
