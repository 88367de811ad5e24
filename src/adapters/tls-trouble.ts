// Why TLS with the broker failed, in a sentence that says what to do about it.

import { createPrivateKey, X509Certificate } from 'node:crypto';

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

/** What the files of the settings hold, as TLS is given it. */
interface TlsFiles {
  readonly ca?: unknown;
  readonly cert?: unknown;
  readonly key?: unknown;
}

/** Node passes over an authority that it cannot read without a word, so that the broker's certificate seems a stranger's. */
const SUSPECT: readonly string[] = ['own_unreadable', 'broker_unknown_authority'];

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** A key and what it is made of may stand beside its certificate. */
const BEGIN = /-----BEGIN (?!.*(?:PRIVATE KEY|PARAMETERS))/g;

/** The sentence on the first file that cannot be read as what it is for; undefined where none of them is to blame for `trouble`. */
export function unreadableSentence(trouble: string, files: TlsFiles): string | undefined {
  if (!SUSPECT.includes(trouble)) return undefined;
  const again = 'copy it anew, with its lines BEGIN and END';
  const { ca, cert, key } = files;
  // What is ours alone does not make a stranger of the broker.
  const own = trouble === 'own_unreadable';
  for (const [name, file] of [
    ['ca_file', ca] as const,
    ['cert_file', own ? cert : undefined] as const,
  ]) {
    if (file === undefined || holdsCertificates(file)) continue;
    return `${name} holds no certificate in PEM, or a damaged one: ${again}`;
  }
  if (!own || key === undefined || isKey(key)) return undefined;
  return `key_file holds no private key in PEM, or one with a password: ${again}`;
}

function holdsCertificates(file: unknown): boolean {
  const text = String(file);
  const whole = text.match(CERTIFICATE) ?? [];
  if (whole.length === 0 || whole.length !== text.match(BEGIN)?.length) return false;
  return whole.every((one) => {
    try {
      return new X509Certificate(one).subject !== undefined;
    } catch {
      return false;
    }
  });
}

function isKey(file: unknown): boolean {
  try {
    return createPrivateKey(String(file)).type === 'private';
  } catch {
    return false;
  }
}
