// One connection to a broker: an MQTT client of the library's, with the publishing, the acknowledgements and the end in our hands.

import { createRequire } from 'node:module';
import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from 'mqtt';
import type { Clock, InMessage, OutMessage } from '../boundaries.ts';
import { type Fault, faulty, good, type Result } from '../domain/fault.ts';
import { within } from './bounded.ts';
import { InFlight, type Sent } from './in-flight.ts';
import type { ConnectParts, Version } from './mqtt-connect.ts';
import { PacketIds, PublishPackets } from './mqtt-publish.ts';
import { PubackSieve } from './puback-sieve.ts';
import {
  ownTroubleOf,
  tlsCodeOf,
  tlsSentence,
  tlsTroubleOf,
  unreadableSentence,
} from './tls-trouble.ts';

/** TCP, TLS and CONNACK together; on a slow cellular link TLS alone takes several seconds. */
const CONNECT_TIMEOUT_MS = 20_000;
/** What is in flight at `close` gets so long to settle, and the DISCONNECT as long again to be sent. */
const CLOSE_MS = 1_000;
/**
 * So much of one packet is heard and no more. On MQTT 5 brokers know that we take 64 KB; on 3.1.1, where none can, a large message that
 * somebody left retained must not end every link.
 */
const UNFINISHED_BYTES_MAX = 4 * 1024 * 1024;
/** On 3.1.1 no broker can say what it takes, and ends the link at more: so much the configuration that we ship takes. */
const UNSAID_PACKET_BYTES = 64 * 1024;
/** The ping is put off so seldom: it comes so much sooner than it must. */
const PING_STEP_MS = 1_000;
/** Room for header and properties when a message is held against the broker's maximum packet size. */
const PACKET_OVERHEAD_BYTES = 128;
/** Reason codes: the broker does not speak this version (MQTT 3.1.1 table 3.1, MQTT 5 table 3-1), packet too large. */
const VERSION_REFUSED = [1, 132];
const PACKET_TOO_LARGE = 149;
const RETAIN_NOT_SUPPORTED = 154;
const QOS_NOT_SUPPORTED = 155;
const TAKEN_OVER = 142;
const REFUSED_FROM = 128;
const TAKEN = good(undefined);

/**
 * The library's packet writer makes a buffer for each of 65,536 numbers beforehand (7 MiB measured), which pays where thousands of
 * packets are written a second. Ours are few.
 */
export function withoutNumberCache(): void {
  const { writeToStream } = createRequire(createRequire(import.meta.url).resolve('mqtt'))(
    'mqtt-packet',
  ) as { writeToStream?: { cacheNumbers: boolean } };
  if (writeToStream) writeToStream.cacheNumbers = false;
}

export interface LinkParts extends ConnectParts {
  /** The wire's clock. */
  readonly clock: Clock;
  /** Messages in flight; absent: the contract's 20. Only a measurement gives another number. */
  readonly window?: number;
}

/** How a link ended. */
export interface Loss {
  readonly fault: Fault;
  /** The broker answered that it does not speak this version. */
  readonly versionRefused?: boolean;
  /** Closed without a word before CONNACK, as old brokers do at a version unknown to them. */
  readonly mute?: boolean;
  /** The broker said that another client took the session over (MQTT 5). */
  readonly takenOver?: boolean;
  /** Why is known, and it is no second client. */
  readonly explained?: boolean;
  /** The broker keeps no retained messages, and therefore does not take our will. */
  readonly willRefused?: boolean;
  readonly opened?: boolean;
}

/** One connection: an mqtt.js client that never reconnects, so that nothing is sent again behind our back. */
export class Link {
  /** True after CONNACK, false when the link is lost before. */
  readonly opened: Promise<boolean>;
  /** Settles when the link is lost or closed. */
  readonly lost: Promise<Loss>;
  isUp = false;
  wasUp = false;
  /** Packets that wait for the end of this turn of the event loop, where one has an end that is waited for. */
  readonly #gathered = new PublishPackets();
  #isGathering = false;
  #pingPutOffAt = Number.NEGATIVE_INFINITY;
  /** Bytes heard since the last packet that was whole. */
  #unfinished = 0;
  readonly #client: MqttClient;
  readonly #clock: Clock;
  readonly #where: string;
  readonly #over = new AbortController();
  readonly #ackTimeoutS: number;
  readonly #window: number | undefined;
  readonly #version: Version;
  readonly #ids = new PacketIds();
  readonly #unanswered = new Map<number, Sent>();
  #inFlight: InFlight | undefined;
  #settleLost: (loss: Loss) => void = () => undefined;
  #limits: {
    packetBytes?: number | undefined;
    retain?: boolean | undefined;
    qos?: number | undefined;
  } = {};

  constructor(
    client: MqttClient,
    where: string,
    { clock, settings, window }: LinkParts,
    version: Version,
    onMessage: (message: InMessage) => void,
  ) {
    // What waited in the session follows the CONNACK at once.
    client.on('message', (topic, payload, { retain, properties }) => {
      const { responseTopic, correlationData: correlation } = properties ?? {};
      const reply = {
        ...(responseTopic && { responseTopic }),
        ...(correlation && { correlation }),
      };
      const { length: bytes } = payload;
      onMessage({ topic, payload: payload.toString('utf8'), bytes, retained: retain, ...reply });
    });
    this.#client = client;
    this.#where = where;
    this.#clock = clock;
    this.#ackTimeoutS = settings.ackTimeoutS;
    this.#window = window;
    this.#version = version;
    this.lost = new Promise((resolve) => {
      this.#settleLost = resolve;
    });
    this.opened = new Promise((resolve) => {
      client.once('connect', (connack) => {
        this.#connected(connack.properties ?? {});
        resolve(true);
      });
      this.#over.signal.addEventListener('abort', () => resolve(false), { once: true });
    });
    this.#readAcks();
    client.on('packetreceive', () => {
      this.#unfinished = 0;
    });
    // The broker says why it is about to close (MQTT 5).
    client.on('disconnect', ({ reasonCode = 0 }) => {
      const fault = offline(`${where} ended the link: ${reasonWords(reasonCode)}`);
      const takenOver = reasonCode === TAKEN_OVER;
      this.#lose({ fault, takenOver, explained: reasonCode >= REFUSED_FROM && !takenOver });
    });
    // Stays for the life of the client: an error after the end must not end the process.
    client.on('error', (error) => this.#lose(lossOf(error, where, this.wasUp, clock.now())));
    client.on('close', () => {
      const words = this.wasUp ? `${where} closed the link` : `${where} closed the link unanswered`;
      this.#lose({ fault: offline(words), mute: !this.wasUp });
    });
    void this.#limitConnecting();
  }

  /**
   * Stands between the socket and the library's reader, which has all but the PUBACKs. They seldom come alone: the broker has
   * the next messages, in one piece, before anybody is told what came of those before.
   */
  #readAcks(): void {
    const { stream } = this.#client;
    const readers = stream.listeners('data');
    const sieve = new PubackSieve((id, reason) => this.#acknowledged(id, reason));
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Buffer) => {
      const wasGathering = this.#isGathering;
      this.#isGathering = true;
      const others = sieve.take(chunk);
      this.#isGathering = wasGathering;
      this.#flush();
      if (this.#inFlight?.tell()) this.#putOffPing();
      for (const bytes of others) {
        this.#unfinished += bytes.length;
        for (const read of readers) read.call(stream, bytes);
      }
      if (this.#unfinished > UNFINISHED_BYTES_MAX) this.#loseOversized();
    });
  }

  /** The library puts its own ping off at each packet that it hears: a timer anew each time, hundreds of thousands of times in a drain. */
  #putOffPing(): void {
    const now = this.#clock.monotonicMs();
    if (now - this.#pingPutOffAt < PING_STEP_MS) return;
    this.#pingPutOffAt = now;
    this.#client.reschedulePing();
  }

  /** The library holds a packet against our limit when it is whole, and keeps up to 256 MB of one that is not. */
  #loseOversized(): void {
    const fault = offline(`${this.#where} sends a packet that is too large`);
    this.#lose({ fault, explained: true });
  }

  subscribe(topics: readonly string[], refused: (words: string) => void): void {
    this.#client.subscribe([...topics], { qos: 1 }, (error, granted) => {
      const denied = granted?.find(({ qos }) => qos > 2);
      if (denied) refused(`${denied.topic} ${reasonWords(denied.qos)}`);
      else if (error && this.isUp) refused(wordsOf(error));
    });
  }

  payloadMax(topic: string): number {
    const unsaid = this.#version === 5 ? Number.POSITIVE_INFINITY : UNSAID_PACKET_BYTES;
    // 0 is no limit (MQTT 5 3.2.2.3.6); taken at its word it would hold everything back for ever.
    const packetBytes = this.#limits.packetBytes || unsaid;
    if (packetBytes === Number.POSITIVE_INFINITY) return packetBytes;
    return packetBytes - Buffer.byteLength(topic) - PACKET_OVERHEAD_BYTES;
  }

  publish(message: OutMessage): Promise<Result<void>> {
    const { topic, payload, qos, correlation } = message;
    const most = this.payloadMax(topic);
    // MQTT 5 3.1.2.11.4: a broker closes the link on a larger packet; the same message would cut it for ever.
    if (Number.isFinite(most) && bytesOf(payload, correlation) > most) {
      return Promise.resolve(refused(topic, reasonWords(PACKET_TOO_LARGE)));
    }
    // MQTT 5 3.2.2.3.4: a broker that takes QoS 0 alone ends the link at anything else, and QoS 0 proves no delivery.
    if (qos > (this.#limits.qos ?? qos)) {
      return Promise.resolve(refused(topic, reasonWords(QOS_NOT_SUPPORTED)));
    }
    return (this.#inFlight as InFlight).send(message);
  }

  /** The library writes all packets but these: what it is given it keeps, copies and logs. */
  #write(sent: Sent): void {
    const { stream } = this.#client;
    const { message } = sent;
    // MQTT 5 3.2.2.3.5: where the broker keeps nothing, a retained message would end the link.
    const retain = message.retain && this.#limits.retain !== false;
    if (message.qos === 0) {
      this.#flush(); // Nothing overtakes what was published before it.
      this.#gathered.add({ message, retain, id: 0 }, this.#version);
      stream.write(this.#gathered.take(), (error) => this.#written(sent, error));
      return;
    }
    const id = this.#ids.next(this.#isTaken);
    this.#unanswered.set(id, sent);
    this.#gathered.add({ message, retain, id }, this.#version);
    this.#send();
  }

  readonly #isTaken = (id: number) => this.#unanswered.has(id) || id in this.#client.outgoing;

  /** A PUBACK; its reason code says no from 128 on (MQTT 5 3.4.2.1), and does not exist on 3.1.1. */
  #acknowledged(id: number, reason: number): void {
    const sent = this.#unanswered.get(id);
    if (!sent) return;
    this.#unanswered.delete(id);
    const isTaken = reason < REFUSED_FROM;
    const outcome = isTaken ? TAKEN : refused(sent.message.topic, reasonWords(reason));
    this.#inFlight?.answered(sent, outcome);
  }

  #written(sent: Sent, error: Error | null | undefined): void {
    const outcome = error ? faulty('upstream.offline', wordsOf(error)) : good(undefined);
    this.#inFlight?.answered(sent, outcome);
    this.#inFlight?.tell();
  }

  /**
   * The first message of a turn of the event loop goes at once, while the broker waits; all others of that turn go in one
   * piece.
   */
  #send(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    setImmediate(() => {
      this.#isGathering = false;
      this.#flush();
    });
    this.#flush();
  }

  #flush(): void {
    const packets = this.#gathered.take();
    const { stream } = this.#client;
    if (packets && !stream.destroyed) stream.write(packets);
  }

  /**
   * Ends the link with a DISCONNECT, so that the broker leaves the will unsaid; without one where something was never
   * sent, the goodbye perhaps.
   */
  async close(): Promise<void> {
    const inFlight = this.#inFlight;
    if (inFlight && this.isUp) await within(this.#clock, CLOSE_MS, inFlight.idle());
    if (this.isUp && !inFlight?.isWaiting()) {
      // mqtt.js sends no DISCONNECT while it waits for an acknowledgement of its own.
      for (const id of Object.keys(this.#client.outgoing)) {
        this.#client.removeOutgoingMessage(Number(id));
      }
      this.isUp = false;
      this.#client.end();
      await within(this.#clock, CLOSE_MS, this.lost);
    }
    this.#lose({ fault: { code: 'aborted', detail: 'closed' } });
  }

  #connected(properties: NonNullable<IConnackPacket['properties']>): void {
    if (this.#over.signal.aborted) return;
    this.isUp = true;
    this.wasUp = true;
    this.#limits = {
      packetBytes: properties.maximumPacketSize,
      retain: properties.retainAvailable,
      qos: properties.maximumQoS,
    };
    this.#inFlight = new InFlight({
      clock: this.#clock,
      ackTimeoutMs: this.#ackTimeoutS * 1_000,
      receiveMaximum: properties.receiveMaximum,
      window: this.#window,
      hand: (sent) => this.#write(sent),
      // mqtt.js waits for a PUBACK for ever and calls such a link connected.
      onSilent: () => {
        const words = `${this.#where} left a message unacknowledged for ${this.#ackTimeoutS} s`;
        this.#lose({ fault: { code: 'upstream.silent', detail: words } });
      },
    });
  }

  /** The one end of a link, whatever ended it; idempotent. */
  #lose(loss: Loss): void {
    if (this.#over.signal.aborted) return;
    this.isUp = false;
    this.#over.abort();
    const silent = loss.fault.code === 'upstream.silent';
    this.#inFlight?.end(silent ? loss.fault : offline(loss.fault.detail));
    // Forced: an unforced end never comes while a PUBACK is missing.
    this.#client.end(true);
    this.#client.stream.destroy();
    this.#settleLost(loss);
  }

  async #limitConnecting(): Promise<void> {
    const late = new AbortController();
    void this.opened.then(() => late.abort());
    await this.#clock.sleep(CONNECT_TIMEOUT_MS, late.signal);
    const fault = offline(`no answer from ${this.#where}: timed out`);
    if (!this.wasUp) this.#lose({ fault: { ...fault, why: 'ETIMEDOUT' } });
  }
}

/** Begins a connection; how it could not be made where nothing can even be tried. */
export function openLink(
  parts: LinkParts,
  where: string,
  options: IClientOptions,
  onMessage: (message: InMessage) => void,
) {
  try {
    const client = mqtt.connect({
      ...options,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // Ours, on the wire's clock, ends sooner.
      connectTimeout: 2 * CONNECT_TIMEOUT_MS,
    });
    return new Link(client, where, parts, options.protocolVersion === 5 ? 5 : 4, onMessage);
  } catch (cause) {
    // An unusable key or certificate is thrown, not emitted.
    return lossOf(cause as Error, where, false, parts.clock.now());
  }
}

function lossOf(error: Error, where: string, wasUp: boolean, now: number): Loss {
  const code = codeOf(error);
  if (typeof code === 'number' && !wasUp) {
    const fault = {
      code: 'upstream.refused',
      detail: `refused by ${where}: ${reasonWords(code)}`,
      why: `connack_${code}`,
    } as const;
    const versionRefused = VERSION_REFUSED.includes(code);
    return { fault, versionRefused, willRefused: code === RETAIN_NOT_SUPPORTED };
  }
  const words = wordsOf(error);
  const tls = tlsCodeOf(words, error.message);
  const trouble = tlsTroubleOf(tls, now);
  if (trouble) {
    const names = (error as { cert?: { subjectaltname?: string } }).cert?.subjectaltname;
    const detail = tlsSentence(trouble, { where, code: tls, now, ...(names && { names }) });
    return { fault: { code: 'upstream.untrusted', detail, why: trouble } };
  }
  const what = wasUp ? 'lost the link to' : 'no answer from';
  // A network's errors have a name; what breaks the protocol has a sentence of the library's.
  const explained = typeof code !== 'string';
  return { fault: { ...offline(`${what} ${where}: ${words}`), why: words }, explained };
}

/** Why a TLS link failed may lie in our own files, also where it was closed without a word. */
export function explained(loss: Loss, options: IClientOptions, where: string, now: number): Loss {
  if (options.protocol !== 'mqtts') return loss;
  const unreadable = unreadableSentence(loss.fault.why ?? '', options);
  if (unreadable !== undefined) {
    const why = 'own_unreadable';
    return { ...loss, fault: { code: 'upstream.untrusted', detail: unreadable, why } };
  }
  if (!loss.mute) return loss;
  const trouble = ownTroubleOf(options.cert as Uint8Array | undefined, now);
  const code = 'closed unanswered';
  const detail = tlsSentence(trouble, { where, code, now });
  return { ...loss, fault: { code: 'upstream.untrusted', detail, why: trouble } };
}

function bytesOf(payload: string, correlation: OutMessage['correlation']): number {
  return Buffer.byteLength(payload) + (correlation?.length ?? 0);
}

function offline(detail: string): Fault {
  return { code: 'upstream.offline', detail };
}

function refused(topic: string, words: string) {
  const { fault } = faulty('upstream.refused', `the broker refused ${topic}: ${words}`);
  return { ok: false, fault: { ...fault, why: `publish_${Number.parseInt(words, 10)}` } } as const;
}

/** "135 Not authorized", as MQTT 5 table 2-6 has it. */
function reasonWords(code: number): string {
  const name = (mqtt.ReasonCodes as Readonly<Record<number, string>>)[code];
  return name === undefined ? `${code}` : `${code} ${name}`;
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code;
}

function wordsOf(error: Error): string {
  const code = codeOf(error);
  return typeof code === 'string' ? code : error.message;
}
