// The head-end's voice: its retained state with its will, and its acknowledgements, on a connection of their own.

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import { Acks } from './acks.ts';
import { ANSWER_MS, connectBroker, type TlsFiles } from './broker-connection.ts';
import type { HeadEndState } from './contract-rules/messages.ts';
import type { Ledger } from './ledger.ts';

export interface VoiceOptions {
  readonly url: string;
  readonly utility: string;
  readonly tls?: TlsFiles | undefined;
  /** A hole must have stood so long before it is asked for. Default a minute. */
  readonly askAfterMs?: number;
}

/** Lives from `open` to `close`. One voice at a time speaks for a utility. */
export class Voice {
  readonly #client: MqttClient;
  readonly #utility: string;
  readonly #session: string;
  readonly #acks = new Map<string, Acks>();

  readonly #askAfterMs: number | undefined;

  private constructor(client: MqttClient, options: VoiceOptions, session: string) {
    this.#askAfterMs = options.askAfterMs;
    const { utility } = options;
    this.#client = client;
    this.#utility = utility;
    this.#session = session;
  }

  /** Rejects with BrokerRefused. */
  static async open(options: VoiceOptions): Promise<Voice> {
    const { url, utility, tls } = options;
    const session = randomBytes(6).toString('hex');
    const topic = `watermeter-v1/${utility}/_headend/state`;
    const client = await connectBroker({
      ...{ url, tls, clientId: `head-end-voice-${utility}`, sessionS: 0 },
      will: { topic, payload: JSON.stringify(stateOf('offline', session)) },
      onMessage: () => undefined,
    });
    const voice = new Voice(client, options, session);
    // A broker may have forgotten what it was to retain.
    client.on('connect', () => {
      for (const acks of voice.#acks.values()) acks.repeat();
      void voice.#say('online');
    });
    await voice.#say('online');
    return voice;
  }

  /** Acknowledges what the ledger holds; all of it must be on the medium. */
  async acknowledge(ledger: Ledger, now: number): Promise<void> {
    if (!this.#client.connected) return;
    // All are made before the first is sent: what comes meanwhile is not on the medium yet.
    const acks = [...ledger.epochs()].flatMap(([collector, epoch]) => {
      const mine = this.#acks.get(collector) ?? new Acks(collector, this.#askAfterMs);
      this.#acks.set(collector, mine);
      return mine.next(epoch, ledger.rowsOf(collector, epoch), now) ?? [];
    });
    for (const ack of acks) {
      const topic = `watermeter-v1/${this.#utility}/${ack.collector}/dn/ack`;
      await this.#publish(topic, JSON.stringify(ack));
    }
  }

  async close(): Promise<void> {
    await this.#say('offline');
    await Promise.race([
      this.#client.endAsync(!this.#client.connected),
      pause(ANSWER_MS, undefined, { ref: false }),
    ]);
  }

  #say(state: 'online' | 'offline'): Promise<void> {
    const topic = `watermeter-v1/${this.#utility}/_headend/state`;
    return this.#publish(topic, JSON.stringify(stateOf(state, this.#session)));
  }

  /** What a broker that is away does not hear is said again on the next connection or with the next row. */
  async #publish(topic: string, payload: string): Promise<void> {
    if (!this.#client.connected) return;
    await Promise.race([
      this.#client.publishAsync(topic, payload, { qos: 1, retain: true }).catch(() => undefined),
      pause(ANSWER_MS, undefined, { ref: false }),
    ]);
  }
}

function stateOf(state: 'online' | 'offline', session: string): HeadEndState {
  return { v: 1, type: 'headend', state, session, ack: 'required' };
}
