// What the collector says in its CONNECT and on each message; key, certificates and password are read here.

import { readFile as readFromDisk } from 'node:fs/promises';
import type { OutMessage } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import type { UpstreamSettings } from '../settings/settings.ts';

/** MQTT protocol versions as the CONNECT states them: 5, and 4 for 3.1.1. */
export type Version = 5 | 4;

/** The broker keeps our session so long (contract: 7 days). */
const SESSION_EXPIRY_S = 7 * 24 * 3_600;
/** A cut shorter than this makes no offline notice (contract: 60 s; MQTT 5 only). */
const WILL_DELAY_S = 60;

/** What we take in one packet: acknowledgements with many ranges are the largest that is of use. */
const INCOMING_BYTES_MAX = 64 * 1024;

export interface ConnectParts {
  readonly settings: UpstreamSettings;
  readonly clientId: string;
  /** Reads key, certificates and password, anew for each connection. Default: the file system. */
  readonly readFile?: (path: string) => Promise<Uint8Array>;
  /** How long the broker keeps our session; absent: 7 days. */
  readonly sessionS?: number;
  /** How long the broker holds the will back (MQTT 5). Default 60. */
  readonly willDelayS?: number;
}

/** The options of one connection, files as they are now: a renewed certificate serves at the next try. */
export async function connectOptions(parts: ConnectParts, version: Version, will: OutMessage) {
  const { settings, clientId } = parts;
  const url = new URL(settings.url);
  const secure = url.protocol === 'mqtts:';
  const secrets = await readSecrets(parts, secure);
  if (!secrets.ok) return secrets;
  return good({
    protocol: secure ? ('mqtts' as const) : ('mqtt' as const),
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (secure ? 8883 : 1883)),
    ...(secure ? { minVersion: 'TLSv1.2', rejectUnauthorized: true } : {}),
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...secrets.value,
    protocolVersion: version,
    clientId,
    clean: parts.sessionS === 0,
    keepalive: settings.keepaliveS,
    will: willOf(will, parts.willDelayS ?? WILL_DELAY_S, version),
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: parts.sessionS ?? SESSION_EXPIRY_S,
            maximumPacketSize: INCOMING_BYTES_MAX,
          },
        }
      : {}),
  });
}

function willOf(
  { topic, payload, qos, retain, expiryS }: OutMessage,
  delayS: number,
  version: Version,
) {
  const plain = { topic, payload: Buffer.from(payload), qos, retain };
  if (version !== 5) return plain;
  const properties = {
    contentType: 'application/json',
    payloadFormatIndicator: true,
    ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
    willDelayInterval: delayS,
  };
  return { ...plain, properties };
}

type Secret = 'password' | 'ca' | 'cert' | 'key';

async function readSecrets(
  { settings, readFile = readFromDisk }: ConnectParts,
  secure: boolean,
): Promise<Result<Partial<Record<Secret, Buffer>>>> {
  const files: readonly (readonly [Secret, string | undefined])[] = [
    ['password', settings.passwordFile],
    ['ca', secure ? settings.caFile : undefined],
    ['cert', secure ? settings.certFile : undefined],
    ['key', secure ? settings.keyFile : undefined],
  ];
  const read: Partial<Record<Secret, Buffer>> = {};
  for (const [secret, path] of files) {
    if (path === undefined) continue;
    try {
      const content = Buffer.from(await readFile(path));
      read[secret] = secret === 'password' ? withoutNewline(content) : content;
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const { fault } = faulty('upstream.offline', `cannot read ${path}: ${code ?? message}`);
      return { ok: false, fault: { ...fault, why: 'file' } };
    }
  }
  return good(read);
}

/** Editors end a file with a newline; no password does. */
function withoutNewline(content: Buffer): Buffer {
  return Buffer.from(content.toString('utf8').replace(/\r?\n$/, ''));
}
