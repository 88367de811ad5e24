// A broker with its subscriber in memory, and head-ends connected to it on any clock; faults are planted by switches.

import { InFlight } from '../../src/adapters/in-flight.ts';
import type { Clock, HeadEnd, InMessage, OutMessage } from '../../src/boundaries.ts';
import { faulty, good, type Result } from '../../src/domain/fault.ts';
import type { EpochMs } from '../../src/domain/units.ts';
import { assertContract } from '../contract/schemas.ts';

/** The first pause before another try to connect; doubles up to the ceiling. */
const PAUSE_MIN_MS = 500;
const CLOSE_MS = 1_000;
/** A link that held so long begins the pauses anew, as the real one's. */
const STABLE_MS = 60_000;

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly at: EpochMs;
}

/** What the broker keeps back: the acks (the message arrives all the same), or the messages as well. */
export type Withheld = 'nothing' | 'acks' | 'messages';

interface Link {
  readonly inFlight: InFlight;
  readonly hears: (topic: string) => boolean;
  readonly hear: (message: InMessage) => void;
  readonly will: OutMessage;
  alive: boolean;
  /** The last message on its way. */
  ahead: Promise<unknown>;
  lose(): void;
}

export interface MemoryHeadEndOptions {
  /** The wire's clock of the program that publishes. */
  readonly clock: Clock;
  /** Default 30. */
  readonly ackTimeoutS?: number;
  /** Default 60. */
  readonly reconnectMaxS?: number;
}

/** Survives the head-ends connected to it. Its own delays run on the clock it is given. */
export class MemoryBroker {
  /** Everything a subscriber to all topics has seen, in order; a message whose ack was withheld too. */
  readonly received: Received[] = [];
  /** The last retained message of each topic. */
  readonly retained = new Map<string, string>();
  /** One way. */
  latencyMs = 0;
  /** How long a will is held back for a reconnection. */
  willDelayMs = 0;
  receiveMaximum = 20;
  withheld: Withheld = 'nothing';
  refuses: (topic: string) => boolean = () => false;
  refusesMessage: (message: OutMessage) => boolean = () => false;
  /** Most QoS 1 messages that were un-acknowledged at one time. */
  inFlightPeak = 0;
  /** Told when a rival takes a session over. */
  readonly rivals: ((why: string) => void)[] = [];
  connections = 0;
  readonly #clock: Clock;
  readonly #links = new Set<Link>();
  /** Retained messages towards the collectors. */
  readonly #kept = new Map<string, string>();
  readonly #listeners: ((message: Received) => void)[] = [];
  #isUp = true;
  /** A program that has died never hears how its connecting went. */
  #deaths = 0;
  #inFlight = 0;

  readonly #check: (topic: string, payload: string) => void;

  /** `check` throws for a message that the contract does not allow; a bench measures without it. */
  constructor(clock: Clock, check: (topic: string, payload: string) => void = assertContract) {
    this.#clock = clock;
    this.#check = check;
  }

  /** A way to this broker; it connects when started. */
  headEnd(options: MemoryHeadEndOptions): HeadEnd {
    return new MemoryHeadEnd(this, options);
  }

  /** What a head-end publishes towards the collectors; a retained message is told again on every connection. */
  say(topic: string, payload: string, retain = false): void {
    if (retain) this.#kept.set(topic, payload);
    for (const link of this.#links) tell(link, topic, payload, false);
  }

  /** The same with what MQTT 5 and a broker add: kept from before, an answer awaited elsewhere. */
  sayAs(message: Omit<InMessage, 'bytes'>): void {
    const bytes = Buffer.byteLength(message.payload);
    for (const link of this.#links) {
      if (link.hears(message.topic)) link.hear({ ...message, bytes });
    }
  }

  /** What it had retained is gone, as when it restarts without persistence. */
  forget(): void {
    this.#kept.clear();
    this.retained.clear();
  }

  /** Messages that are on their way or wait for their acknowledgement. */
  unacknowledged(): number {
    return this.#inFlight;
  }

  onMessage(listener: (message: Received) => void): void {
    this.#listeners.push(listener);
  }

  /** Down: every link is lost and none is accepted. A broker that dies leaves no wills. */
  setUp(up: boolean): void {
    this.#isUp = up;
    if (!up) for (const link of [...this.#links]) this.#drop(link, 'told', 'unsaid');
  }

  /** Cuts every link without a DISCONNECT: the wills are said. */
  cut(): void {
    for (const link of [...this.#links]) this.tear(link);
  }

  /** The publishing program is killed: its wills are said, and nothing it awaited ever settles. */
  vanish(): void {
    this.#deaths += 1;
    for (const link of [...this.#links]) this.#drop(link, 'untold', 'said');
  }

  async accept(link: Link): Promise<boolean> {
    const deaths = this.#deaths;
    if (this.latencyMs > 0) await this.#clock.sleep(2 * this.latencyMs);
    if (deaths !== this.#deaths) return new Promise(() => {});
    if (!this.#isUp) return false;
    this.#links.add(link);
    this.connections += 1;
    for (const [topic, payload] of this.#kept) tell(link, topic, payload, true);
    return true;
  }

  /** A clean DISCONNECT. */
  leave(link: Link): void {
    this.#drop(link, 'told', 'unsaid');
  }

  /** The link ends without a DISCONNECT. */
  tear(link: Link): void {
    this.#drop(link, 'told', 'said');
  }

  async take(link: Link, message: OutMessage, answer: (outcome: Result<void>) => void) {
    if (message.qos === 0) answer(good(undefined));
    else this.#inFlight += 1;
    this.inFlightPeak = Math.max(this.inFlightPeak, this.#inFlight);
    const outcome = await this.#outcome(link, message);
    if (message.qos === 1) this.#inFlight -= 1;
    if (outcome !== undefined && link.alive) answer(outcome);
  }

  async #outcome(link: Link, message: OutMessage): Promise<Result<void> | undefined> {
    await this.#travel(link);
    if (!link.alive || this.withheld === 'messages') return undefined;
    const refused = this.refuses(message.topic) || this.refusesMessage(message);
    if (!refused) this.#deliver(message);
    if (this.withheld === 'acks') return undefined;
    await this.#travel(link);
    return refused ? faulty('upstream.refused', '135 Not authorized') : good(undefined);
  }

  /** One way over the link; what went first arrives first, as on TCP. */
  #travel(link: Link): Promise<unknown> {
    if (this.latencyMs === 0) return Promise.resolve();
    link.ahead = Promise.all([link.ahead, this.#clock.sleep(this.latencyMs)]);
    return link.ahead;
  }

  #deliver({ topic, payload, qos, retain }: OutMessage): void {
    // Every message that any test's collector sends is held against the published schemas.
    if (topic.startsWith('watermeter-v1/')) this.#check(topic, payload);
    if (retain && payload === '') this.retained.delete(topic);
    else if (retain) this.retained.set(topic, payload);
    const message: Received = { topic, payload, qos, retain, at: this.#clock.now() };
    this.received.push(message);
    for (const listener of this.#listeners) listener(message);
  }

  #drop(link: Link, holder: 'told' | 'untold', will: 'said' | 'unsaid'): void {
    this.#links.delete(link);
    link.alive = false;
    if (holder === 'told') link.lose();
    if (will === 'said') void this.#sayWill(link.will);
  }

  async #sayWill(will: OutMessage): Promise<void> {
    const connections = this.connections;
    if (this.willDelayMs > 0) await this.#clock.sleep(this.willDelayMs);
    if (this.connections === connections || this.willDelayMs === 0) this.#deliver(will);
  }
}

/** `+` stands for one level of a topic. */
function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  return (
    wanted.length === levels.length && wanted.every((one, i) => one === '+' || one === levels[i])
  );
}

/** Comes after what the link is doing, as over a network. */
function tell(link: Link, topic: string, payload: string, retained: boolean): void {
  queueMicrotask(() => {
    if (!link.alive || !link.hears(topic)) return;
    link.hear({ topic, payload, bytes: Buffer.byteLength(payload), retained });
  });
}

class MemoryHeadEnd implements HeadEnd {
  readonly #broker: MemoryBroker;
  readonly #options: MemoryHeadEndOptions;
  readonly #listeners: (() => void)[] = [];
  readonly #stop = new AbortController();
  #link: Link | undefined;
  #loop: Promise<void> | undefined;
  #words = 'not started';
  #topics: readonly string[] = [];
  #hear: (message: InMessage) => void = () => undefined;

  constructor(broker: MemoryBroker, options: MemoryHeadEndOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  start(will: OutMessage): void {
    this.#loop ??= this.#keepLinked(will);
  }

  isConnected(): boolean {
    return this.#link?.alive ?? false;
  }

  linkState(): string {
    return this.#words;
  }

  onConnect(listener: () => void): void {
    this.#listeners.push(listener);
  }

  onTakeover(listener: (why: string) => void): void {
    this.#broker.rivals.push(listener);
  }

  listen(topics: readonly string[], listener: (message: InMessage) => void): void {
    this.#topics = topics;
    this.#hear = listener;
  }

  publish(message: OutMessage): Promise<Result<void>> {
    const link = this.#link;
    if (!link?.alive || this.#stop.signal.aborted) {
      return Promise.resolve(faulty('upstream.offline', this.#words));
    }
    return link.inFlight.send(message);
  }

  async close(): Promise<void> {
    this.#stop.abort('over');
    if (this.#link?.alive) {
      const settled = new AbortController();
      const idle = this.#link.inFlight.idle();
      await Promise.race([idle, this.#options.clock.sleep(CLOSE_MS, settled.signal)]);
      settled.abort('over');
      this.#broker.leave(this.#link);
    }
    await this.#loop;
    this.#words = 'closed';
  }

  async #keepLinked(will: OutMessage): Promise<void> {
    const { clock, reconnectMaxS = 60 } = this.#options;
    let pause = PAUSE_MIN_MS;
    while (!this.#stop.signal.aborted) {
      const { link, lost } = this.#newLink(will);
      if (await this.#broker.accept(link)) {
        if (this.#stop.signal.aborted) this.#broker.leave(link);
        else {
          const began = clock.monotonicMs();
          await this.#live(link, lost);
          if (clock.monotonicMs() - began >= STABLE_MS) pause = PAUSE_MIN_MS;
        }
      } else {
        this.#words = 'no answer from memory, next try soon';
      }
      await clock.sleep(pause, this.#stop.signal);
      pause = Math.min(2 * pause, reconnectMaxS * 1_000);
    }
  }

  async #live(link: Link, lost: Promise<void>): Promise<void> {
    this.#link = link;
    this.#words = 'connected to memory';
    for (const listener of this.#listeners) listener();
    await lost;
    this.#words = 'lost the link to memory, next try soon';
  }

  #newLink(will: OutMessage): { link: Link; lost: Promise<void> } {
    let over: () => void = () => undefined;
    const lost = new Promise<void>((resolve) => {
      over = resolve;
    });
    const inFlight = new InFlight({
      clock: this.#options.clock,
      ackTimeoutMs: (this.#options.ackTimeoutS ?? 30) * 1_000,
      receiveMaximum: this.#broker.receiveMaximum,
      hand: (sent) => {
        void this.#broker.take(link, sent.message, (outcome) => {
          inFlight.answered(sent, outcome);
          inFlight.tell();
        });
      },
      onSilent: () => {
        inFlight.end({ code: 'upstream.silent', detail: 'no PUBACK came' });
        this.#broker.tear(link);
      },
    });
    const lose = () => {
      inFlight.end({ code: 'upstream.offline', detail: 'the link was lost' });
      over();
    };
    const hears = (topic: string) => this.#topics.some((filter) => matches(filter, topic));
    const hear = (message: InMessage) => this.#hear(message);
    const about = { inFlight, will, hears, hear, lose };
    const link: Link = { ...about, alive: true, ahead: Promise.resolve() };
    return { link, lost };
  }
}
