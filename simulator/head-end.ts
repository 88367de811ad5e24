// A small reference head-end: subscribes to the collectors of one utility, keeps what they publish and acknowledges it.

import { setTimeout as pause } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import {
  ANSWER_MS,
  BrokerRefused,
  connectBroker,
  type Heard,
  isV5,
  type TlsFiles,
} from './broker-connection.ts';
import type { Message } from './contract-rules/checker.ts';
import type { Conflict, Entry, HourEntry, Installation, MeterEvent } from './entries.ts';
import { KeptStore, lookIntoStore } from './kept-store.ts';
import { type Counts, Ledger } from './ledger.ts';
import { Voice } from './voice.ts';

export { BrokerRefused } from './broker-connection.ts';

export interface HeadEndOptions {
  /** mqtt:// or mqtts:// with host and port. */
  readonly url: string;
  readonly utility: string;
  /** The same id again takes the session up where it was left. */
  readonly clientId?: string;
  /**
   * NDJSON file with everything kept; read at start when it exists, then added to. With `instance` a folder, in which
   * each instance has a file of its own.
   */
  readonly store?: string;
  /** Name among the instances that share the load by a shared subscription (MQTT 5). */
  readonly instance?: string;
  /** Whether it says that it listens and acknowledges what is stored (A1). */
  readonly acks?: boolean;
  /** A hole in the rows must have stood so long before it is asked for. Default a minute. */
  readonly askAfterMs?: number;
  /** It keeps its acknowledgements to itself for so long after the start. */
  readonly noAckMs?: number;
  /** Loses a message on purpose where this is true, as if it had never come. */
  readonly drops?: (topic: string) => boolean;
  readonly tls?: TlsFiles;
  /** Hears of every message, before it is kept. */
  readonly onMessage?: (message: Message) => void;
  /** Hears when the store's medium fails: nothing is acknowledged from then on. */
  readonly onFailure?: (error: Error) => void;
}

/** After so long away the broker may forget what waits for us. */
const SESSION_S = 24 * 3600;
/** Instances that share a load come and go: what waits for one that is gone, no other gets (MQTT 5, 4.8.2). */
const SHARED_SESSION_S = 60;
/** How often what is stored is acknowledged, and other instances' files are read. */
const ACK_MS = 1_000;

const RETAINED = /\/up\/(state|birth|meter\/[^/]+\/info)$/;

/** What is subscribed to: alone all of it, sharing only what need not be known to every instance. */
function subscriptions({ utility, instance }: HeadEndOptions): string[] {
  const below = `watermeter-v1/${utility}/+/up`;
  if (instance === undefined) return [`${below}/#`];
  const shared = ['meter/+/interval', 'meter/+/event', 'event', 'scorecard', 'rsp'];
  // Retained messages do not come through a shared subscription (MQTT 5, 4.8.2).
  return [
    ...shared.map((path) => `$share/head-end-${utility}/${below}/${path}`),
    ...['state', 'birth', 'health', 'meter/+/info'].map((path) => `${below}/${path}`),
  ];
}

/** What a head-end is made of. */
interface Parts {
  readonly client: MqttClient;
  readonly ledger: Ledger;
  readonly store: KeptStore | undefined;
  readonly options: HeadEndOptions;
  readonly listeners: ((entry: Entry) => void)[];
  readonly retained: Set<string>;
}

/** Lives from `connect` to `close`; reconnects for ever in between. */
export class HeadEnd {
  readonly #client: MqttClient;
  readonly #ledger: Ledger;
  readonly #store: KeptStore | undefined;
  readonly #options: HeadEndOptions;
  readonly #listeners: ((entry: Entry) => void)[];
  readonly #retained: Set<string>;
  readonly #stop = new AbortController();
  readonly #speaking: Promise<void>;

  private constructor({ client, ledger, store, options, listeners, retained }: Parts) {
    this.#client = client;
    this.#ledger = ledger;
    this.#store = store;
    this.#options = options;
    this.#listeners = listeners;
    this.#retained = retained;
    this.#speaking = this.#speak();
  }

  /** Resolves when subscribed. Rejects with BrokerRefused, NoStore, or the system's error for a file. */
  static async connect(options: HeadEndOptions): Promise<HeadEnd> {
    const { url, utility, instance } = options;
    const listeners: ((entry: Entry) => void)[] = [];
    const retained = new Set<string>();
    let store: KeptStore | undefined;
    const ledger = new Ledger((line) => {
      store?.add(line);
      if (line.type === 'entry') for (const listener of listeners) listener(line.entry);
    });
    // Opened before anything is heard: a place that cannot be written to is the caller's to hear of.
    store = await openStore(options, ledger);
    const client = await connectBroker({
      ...{ url, tls: options.tls },
      clientId: options.clientId ?? `head-end-${utility}-${process.pid}-${Date.now()}`,
      sessionS: instance === undefined ? SESSION_S : SHARED_SESSION_S,
      onMessage: (message) => hear(message, ledger, retained, options),
      // A PUBACK says that what came is on the medium: a broker gives it up then.
      ...(store ? { stored: () => (store as KeptStore).synced() } : {}),
    }).catch(async (error: unknown) => {
      await store?.close();
      throw error;
    });
    const refused = await subscribed(client, options);
    if (refused !== undefined) {
      client.end(true);
      await store?.close();
      throw new BrokerRefused(refused);
    }
    return new HeadEnd({ client, ledger, store, options, listeners, retained });
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
    return this.#ledger.meterEvents();
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

  /** Every entry kept, with the fields as sent. */
  arrivals(): ReturnType<Ledger['arrivals']> {
    return this.#ledger.arrivals();
  }

  /** As Ledger.forgotten. */
  forgotten(): ReturnType<Ledger['forgotten']> {
    return this.#ledger.forgotten();
  }

  /** Leaves, and completes the store. With a store the session stays: what comes meanwhile waits at the broker. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#speaking;
    const stays = this.#store !== undefined && this.#options.instance === undefined;
    const ending = this.#client.endAsync(
      !this.#client.connected,
      isV5(this.#client) && !stays ? { properties: { sessionExpiryInterval: 0 } } : {},
    );
    await Promise.race([ending, pause(ANSWER_MS, undefined, { ref: false })]);
    await this.#store?.close();
  }

  /** Takes in what other instances stored and acknowledges what is on the medium, until it is closed. */
  async #speak(): Promise<void> {
    const { acks = false, noAckMs = 0 } = this.#options;
    const quietUntil = performance.now() + noAckMs;
    let voice: Voice | undefined;
    for (let last = false; ; ) {
      const leads = (await this.#store?.leads()) ?? true;
      for (const line of this.#store?.fromOthers() ?? []) this.#ledger.restore(line);
      if (acks && leads && performance.now() >= quietUntil) {
        voice ??= await Voice.open(this.#options).catch(() => undefined);
        await this.#store?.synced();
        await voice?.acknowledge(this.#ledger, Date.now());
      } else if (!leads) {
        await voice?.close();
        voice = undefined;
      }
      if (last) break;
      last = await pause(ACK_MS, false, { signal: this.#stop.signal }).catch(() => true);
    }
    await voice?.close();
  }
}

async function openStore(
  { store: path, instance, onFailure }: HeadEndOptions,
  ledger: Ledger,
): Promise<KeptStore | undefined> {
  if (path === undefined) return undefined;
  const { store, lines } = await KeptStore.open(path, instance, onFailure ?? (() => undefined));
  for (const line of lines) ledger.restore(line);
  return store;
}

function hear(
  message: Heard,
  ledger: Ledger,
  retained: Set<string>,
  options: HeadEndOptions,
): void {
  const { topic, payload, retain } = message;
  if (options.drops?.(topic)) return;
  options.onMessage?.({ at: Date.now(), ...message });
  if (RETAINED.test(topic)) retained.add(topic);
  ledger.take(topic, payload, retain);
}

/** Subscribes; says in words why not, when the broker refuses. */
async function subscribed(
  client: MqttClient,
  options: HeadEndOptions,
): Promise<string | undefined> {
  const { url, instance } = options;
  if (instance !== undefined && !isV5(client)) {
    return `The broker at ${url} speaks no MQTT 5, which sharing the load needs.`;
  }
  const grants = await client.subscribeAsync(subscriptions(options), { qos: 1 });
  const refused = grants.length === 0 || grants.some(({ qos }) => qos > 1);
  return refused ? `The broker at ${url} refuses the subscription.` : undefined;
}

/** What a store holds, without any broker. Throws NoStore or the system's error; nothing is written. */
export function readKept(path: string): Ledger {
  const ledger = new Ledger();
  for (const line of lookIntoStore(path)) ledger.restore(line);
  return ledger;
}
