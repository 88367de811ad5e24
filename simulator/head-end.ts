// A small reference head-end: subscribes to the collectors of one utility and keeps what they publish.

import { createWriteStream, existsSync, openSync, readFileSync, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import type { Conflict, Entry, HourEntry, Installation, MeterEvent } from './entries.ts';
import { type Arrival, type Counts, Ledger } from './ledger.ts';

export interface HeadEndOptions {
  /** mqtt:// with host and port. */
  readonly url: string;
  readonly utility: string;
  /** The same id again takes the session up where it was left. */
  readonly clientId?: string;
  /** NDJSON file with everything kept; read at start when it exists, then added to. */
  readonly store?: string;
}

/** The broker cannot be reached or does not want us; `message` is fit for a person. */
export class BrokerRefused extends Error {}

/** How long a broker may take to answer, at the beginning and at the end. */
const ANSWER_MS = 5_000;
/** After so long away the broker may forget what waits for us. */
const SESSION_EXPIRY_S = 24 * 3600;

function connectAs(
  version: 4 | 5,
  url: string,
  clientId: string,
  onMessage: (topic: string, payload: string, retained: boolean) => void,
): Promise<MqttClient> {
  const client = mqtt.connect(url, {
    protocolVersion: version,
    clientId,
    // A persistent session: what is published while we are away waits at the broker.
    clean: false,
    ...(version === 5 ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_S } } : {}),
    reconnectPeriod: 500,
    connectTimeout: ANSWER_MS,
  });
  // Before CONNACK: what waited in the session follows it at once.
  client.on('message', (topic, payload, { retain }) =>
    onMessage(topic, payload.toString('utf8'), retain),
  );
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

/** MQTT 5, or 3.1.1 for a broker that knows nothing newer. Rejects with BrokerRefused. */
async function connectAny(
  url: string,
  clientId: string,
  onMessage: (topic: string, payload: string, retained: boolean) => void,
): Promise<MqttClient> {
  try {
    return await connectAs(5, url, clientId, onMessage);
  } catch (error) {
    // A text code (ECONNREFUSED, ENOTFOUND) is the network's: another protocol would not help.
    if (!(error instanceof Error) || typeof Reflect.get(error, 'code') === 'string') {
      throw new BrokerRefused(`No broker answers at ${url}.`);
    }
  }
  try {
    return await connectAs(4, url, clientId, onMessage);
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

/** Lives from `connect` to `close`; reconnects for ever in between. */
export class HeadEnd {
  readonly #client: MqttClient;
  readonly #ledger: Ledger;
  readonly #file: WriteStream | undefined;
  readonly #listeners: ((entry: Entry) => void)[];
  readonly #retained: Set<string>;

  private constructor(
    client: MqttClient,
    ledger: Ledger,
    file: WriteStream | undefined,
    listeners: ((entry: Entry) => void)[],
    retained: Set<string>,
  ) {
    this.#client = client;
    this.#ledger = ledger;
    this.#file = file;
    this.#listeners = listeners;
    this.#retained = retained;
  }

  /** Resolves when subscribed. Rejects with BrokerRefused, or with the system's error for the store's file. */
  static async connect(options: HeadEndOptions): Promise<HeadEnd> {
    const { url, utility, store } = options;
    const clientId = options.clientId ?? `head-end-${utility}-${process.pid}-${Date.now()}`;
    const listeners: ((entry: Entry) => void)[] = [];
    const retained = new Set<string>();
    let file: WriteStream | undefined;
    const write = (line: object) => file?.write(`${JSON.stringify(line)}\n`);
    const ledger = new Ledger(
      (arrival) => {
        write(arrival);
        for (const listener of listeners) listener(arrival.entry);
      },
      (id, event) => write({ id, event }),
    );
    if (store !== undefined) {
      // Read before the file is opened for adding, so that nothing is written twice.
      for (const line of readStore(store)) {
        if ('event' in line) ledger.keepEvent(line.id, line.event);
        else ledger.keep(line);
      }
      // Opened here and now: a place that cannot be written to is the caller's to hear of.
      file = createWriteStream(store, { fd: openSync(store, 'a') });
      // Ends the line at which an earlier run may have been cut off.
      if (ledger.counts.entries + ledger.events.size > 0) file.write('\n');
    }
    const client = await connectAny(url, clientId, (topic, payload, isRetained) => {
      if (/\/up\/(state|birth|meter\/[^/]+\/info)$/.test(topic)) retained.add(topic);
      ledger.take(topic, payload, isRetained);
    });
    const [grant] = await client.subscribeAsync(`watermeter-v1/${utility}/+/up/#`, { qos: 1 });
    if (grant === undefined || grant.qos > 1) {
      client.end(true);
      throw new BrokerRefused(`The broker at ${url} refuses the subscription.`);
    }
    return new HeadEnd(client, ledger, file, listeners, retained);
  }

  /** Calls `listener` for every hour and gap newly kept, restated ones too; not for resends. */
  onEntry(listener: (entry: Entry) => void): void {
    this.#listeners.push(listener);
  }

  isConnected(): boolean {
    return this.#client.connected;
  }

  /** What is kept, as Ledger.entries. */
  entries(): Entry[] {
    return this.#ledger.entries();
  }

  /** The `info` message of each meter. */
  meters(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return this.#ledger.infos;
  }

  installations(): Installation[] {
    return this.#ledger.installations();
  }

  /** Arrivals that contradict an earlier one. */
  conflicts(): readonly Conflict[] {
    return this.#ledger.conflicts;
  }

  /** What was told of the meters beside their hours. */
  events(): readonly MeterEvent[] {
    return [...this.#ledger.events.values()];
  }

  /** The newest hour of a meter. */
  latest(meter: string): HourEntry | undefined {
    return this.#ledger.latest(meter);
  }

  /** What a collector last said of itself: ready, alert, disconnected, lost; undefined before it spoke. */
  state(collector: string): string | undefined {
    return this.#ledger.states.get(collector)?.state;
  }

  counts(): Readonly<Counts> {
    return this.#ledger.counts;
  }

  /** Takes the retained messages it saw off the broker, so that a borrowed broker keeps nothing of a demo. */
  async clearRetained(): Promise<void> {
    if (!this.#client.connected) return;
    const clearing = [...this.#retained].map((topic) =>
      this.#client.publishAsync(topic, '', { qos: 1, retain: true }),
    );
    // A broker that is lost meanwhile cannot be tidied.
    await Promise.race([Promise.allSettled(clearing), pause(ANSWER_MS, undefined, { ref: false })]);
  }

  /** Ends the session and completes the file. */
  async close(): Promise<void> {
    const isV5 = this.#client.options.protocolVersion === 5;
    const ending = this.#client.endAsync(
      !this.#client.connected,
      isV5 ? { properties: { sessionExpiryInterval: 0 } } : {},
    );
    await Promise.race([ending, pause(ANSWER_MS, undefined, { ref: false })]);
    if (this.#file === undefined) return;
    this.#file.end();
    await finished(this.#file);
  }
}

/** What arrived in an earlier run. The line at which that run was cut off is left out. */
function readStore(store: string): (Arrival | { id: string; event: MeterEvent })[] {
  if (!existsSync(store)) return [];
  const arrivals: (Arrival | { id: string; event: MeterEvent })[] = [];
  for (const line of readFileSync(store, 'utf8').split('\n')) {
    try {
      arrivals.push(JSON.parse(line));
    } catch {
      // Torn: the broker will not send it again, and the audit will say what is missing.
    }
  }
  return arrivals;
}
