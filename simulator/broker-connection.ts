// One connection of a subscriber to a broker: MQTT 5, or 3.1.1 for a broker that knows nothing newer.

import { readFileSync } from 'node:fs';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

/** The broker cannot be reached or does not want us; `message` is fit for a person. */
export class BrokerRefused extends Error {
  /** What to do about it. */
  readonly hint: string;

  constructor(message: string, hint = 'Is it running, and is the URL right?') {
    super(message);
    this.hint = hint;
  }
}

/** What Node says of a certificate that it does not trust, or of ours that the broker does not. */
const UNTRUSTED = /^(CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO$)/;

export interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

/** PEM files for mqtts://. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface ConnectionOptions {
  /** mqtt:// or mqtts:// with host and port. */
  readonly url: string;
  readonly clientId: string;
  /** How long the broker keeps what comes while we are away; 0: nothing. */
  readonly sessionS: number;
  readonly tls?: TlsFiles | undefined;
  /** Said by the broker when the connection is lost. */
  readonly will?: { readonly topic: string; readonly payload: string };
  readonly onMessage: (message: Heard) => void;
  /** The broker is told that a message has come only when this has resolved. */
  readonly stored?: () => Promise<void>;
}

/** How long a broker may take to answer, at the beginning and at the end. */
export const ANSWER_MS = 5_000;

/** What the PEM files hold. Throws the system's error, which names the file. */
function readTls({ ca, cert, key }: TlsFiles): IClientOptions {
  return {
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  };
}

function clientOptions(
  version: 4 | 5,
  options: ConnectionOptions,
  tls: IClientOptions,
): IClientOptions {
  return {
    protocolVersion: version,
    clientId: options.clientId,
    clean: options.sessionS === 0,
    ...(version === 5 ? { properties: { sessionExpiryInterval: options.sessionS } } : {}),
    ...(options.will
      ? {
          will: {
            ...options.will,
            payload: Buffer.from(options.will.payload),
            qos: 1,
            retain: true,
          },
        }
      : {}),
    ...tls,
    reconnectPeriod: 500,
    connectTimeout: ANSWER_MS,
  };
}

function connectAs(
  version: 4 | 5,
  options: ConnectionOptions,
  tls: IClientOptions,
): Promise<MqttClient> {
  const client = mqtt.connect(options.url, clientOptions(version, options, tls));
  // Before CONNACK: what waited in the session follows it at once.
  client.on('message', (topic, payload, { retain, qos }) =>
    options.onMessage({ topic, payload: payload.toString('utf8'), retain, qos }),
  );
  const { stored } = options;
  if (stored) {
    client.handleMessage = (_, done) => {
      stored().then(() => done(), done);
    };
  }
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => {
      client.end(true);
      reject(error);
    };
    const onClose = () => refuse(new Error('the connection was closed'));
    client.once('error', refuse);
    client.once('close', onClose);
    client.once('connect', () => {
      client.removeListener('close', onClose);
      client.removeListener('error', refuse);
      resolve(client);
    });
    // From here on reconnecting is mqtt's own business; an error without a listener would end the process.
    client.on('error', () => undefined);
  });
}

/** Rejects with BrokerRefused, or with the system's error for a PEM file. Once connected it reconnects for ever. */
export async function connectBroker(options: ConnectionOptions): Promise<MqttClient> {
  const { url } = options;
  const tls = readTls(options.tls ?? {});
  try {
    return await connectAs(5, options, tls);
  } catch (error) {
    // A text code (ECONNREFUSED, ENOTFOUND) is the network's or TLS's: another protocol would not help.
    const code = error instanceof Error ? Reflect.get(error, 'code') : '';
    if (typeof code === 'string') {
      if (UNTRUSTED.test(code)) {
        const hint =
          'See that --ca holds who signed its certificate, whole, that the certificate names the host of the URL, and --cert and --key.';
        throw new BrokerRefused(`No trust between us and the broker at ${url} (${code}).`, hint);
      }
      const why = /^ECONN|^ENOTFOUND|^$/.test(code) ? '' : ` (${code})`;
      throw new BrokerRefused(`No broker answers at ${url}${why}.`);
    }
  }
  try {
    return await connectAs(4, options, tls);
  } catch (error) {
    const { message } = error as Error;
    // Only an answer in MQTT is a refusal; a stranger's bytes or silence are not.
    throw new BrokerRefused(
      message.startsWith('Connection refused')
        ? `The broker at ${url} refuses the connection: ${message}.`
        : `What answers at ${url} does not do so as a broker: ${message}.`,
    );
  }
}

/** True for a client that speaks MQTT 5. */
export function isV5(client: MqttClient): boolean {
  return client.options.protocolVersion === 5;
}
