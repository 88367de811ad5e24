// Why TLS with the broker failed, in a sentence that says what to do about it.

import { X509Certificate } from 'node:crypto';

/** What is wrong, for programs. */
export type TlsTrouble =
  | 'clock'
  | 'broker_expired'
  | 'broker_not_yet_valid'
  | 'broker_other_host'
  | 'broker_unknown_authority'
  | 'own_missing'
  | 'own_expired'
  | 'own_unknown_authority'
  | 'own_refused'
  | 'own_key_mismatch'
  | 'own_unreadable'
  | 'too_old'
  | 'no_tls'
  | 'cut_off'
  | 'other';

/** Nothing was made before: a clock that shows an earlier time has lost it. */
const BUILT_MS = Date.UTC(2026, 0, 1);

/** Codes of OpenSSL's verification and of TLS alerts, as Node gives them. */
const CODES: readonly (readonly [RegExp, TlsTrouble])[] = [
  [/^CERT_HAS_EXPIRED$/, 'broker_expired'],
  [/^CERT_NOT_YET_VALID$/, 'broker_not_yet_valid'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$|^HOSTNAME_MISMATCH$/, 'broker_other_host'],
  [
    /SELF_SIGNED|^UNABLE_TO_|^CERT_UNTRUSTED$|^CERT_SIGNATURE_FAILURE$|^INVALID_CA$/,
    'broker_unknown_authority',
  ],
  [/CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/, 'own_missing'],
  [/ALERT_CERTIFICATE_EXPIRED/, 'own_expired'],
  [/ALERT_UNKNOWN_CA/, 'own_unknown_authority'],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_UNKNOWN|ACCESS_DENIED|DECRYPT_ERROR)/,
    'own_refused',
  ],
  [/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/, 'own_key_mismatch'],
  [/^ERR_OSSL_|^ERR_CRYPTO|NO_START_LINE|BAD_DECRYPT/, 'own_unreadable'],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|VERSION_TOO_LOW/, 'too_old'],
  [/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE/, 'no_tls'],
  [/^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|HOSTNAME)/, 'other'],
];

/** OpenSSL's reason, where the system only says EPROTO: "...:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:...". */
export function tlsCodeOf(code: string, message: string): string {
  const reason = code === 'EPROTO' ? /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] : undefined;
  return reason === undefined ? code : `ERR_SSL_${reason.trim().replace(/ /g, '_').toUpperCase()}`;
}

/** What our own certificate alone tells of a broker that closed the link without a word, as some do instead of an alert. */
export function ownTroubleOf(cert: Uint8Array | undefined, now: number): TlsTrouble {
  if (cert === undefined) return 'cut_off';
  try {
    const { validTo } = new X509Certificate(cert);
    return Date.parse(validTo) < now ? 'own_expired' : 'cut_off';
  } catch {
    return 'own_unreadable';
  }
}

/** The trouble that an error's code tells of at `now`; undefined where it is none of TLS. */
export function tlsTroubleOf(code: string, now: number): TlsTrouble | undefined {
  const found = CODES.find(([pattern]) => pattern.test(code))?.[1];
  const isOfTime = found === 'broker_not_yet_valid' || found === 'broker_expired';
  return isOfTime && now < BUILT_MS ? 'clock' : found;
}

/** The sentence. `names` are those of the broker's certificate, where they are known. */
export function tlsSentence(
  trouble: TlsTrouble,
  { where, code, now, names }: { where: string; code: string; now: number; names?: string },
): string {
  const today = new Date(now).toISOString().slice(0, 16).replace('T', ' ');
  const host = where.replace(/:\d+$/, '');
  const whose = `the certificate of ${where}`;
  const own = "this collector's certificate";
  const sentences: Readonly<Record<TlsTrouble, string>> = {
    clock: `this clock says ${today} UTC, so no certificate can be judged: set the clock`,
    broker_expired: `${whose} has expired (it is ${today} UTC here): the broker needs a new one`,
    broker_not_yet_valid: `${whose} is not valid yet (it is ${today} UTC here): look at both clocks`,
    broker_other_host: `${whose} is not for ${host}${names ? ` but for ${names}` : ''}: look at url`,
    broker_unknown_authority: `${whose} is signed by nobody that ca_file names: look at ca_file`,
    own_missing: `${where} wants a certificate: set cert_file and key_file, see "upstream enroll"`,
    own_expired: `${own} has expired (it is ${today} UTC here): see "upstream enroll"`,
    own_unknown_authority: `${where} does not know who signed ${own}: look at cert_file`,
    own_refused: `${where} does not accept ${own}: look at cert_file, and at the broker's log`,
    own_key_mismatch: 'key_file is not the key of the certificate in cert_file',
    own_unreadable: 'ca_file, cert_file or key_file holds no certificate or key in PEM',
    too_old: `${where} speaks no TLS 1.2 or newer: nothing older is spoken here`,
    no_tls: `what answers at ${where} speaks no TLS: is it the port of mqtt://?`,
    cut_off: `${where} closed the link without a word: does it accept ${own}?`,
    other: `TLS with ${where} failed`,
  };
  return `${sentences[trouble]} (${code})`;
}
