// The way to the head-end over MQTT: 5 first and 3.1.1 where the broker knows no better, a new link after every loss.

import type { HeadEnd, InMessage, Log, OutMessage } from '../boundaries.ts';
import { type Fault, faulty, type Result } from '../domain/fault.ts';
import { connectOptions, type Version } from './mqtt-connect.ts';
import {
  explained,
  Link,
  type LinkParts,
  type Loss,
  openLink,
  withoutNumberCache,
} from './mqtt-link.ts';

/** The first pause after a lost link; each further failure doubles its ceiling. */
const PAUSE_MIN_MS = 500;
/**
 * A link that held so long resets the pause. A first PUBACK would be too soon a sign: of two collectors with one
 * id each gets its PUBACK before the other takes the session over, and both would come back at once, for ever.
 */
const STABLE_MS = 60_000;
/** So many links in a row lost within `BRIEF_MS` look like such a second client. */
const BRIEF_LINKS = 3;
const BRIEF_MS = 10_000;

export interface MqttHeadEndParts extends LinkParts {
  /** Evenly spread in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

export interface MqttLink extends HeadEnd {
  /** Why the last link ended or could not be made; null while none did since the last one was up. */
  lastFault(): Fault | null;
}

/** A head-end behind an MQTT broker. Nothing that a broker or network does makes it throw. */
export function createMqttHeadEnd(parts: MqttHeadEndParts): MqttLink {
  withoutNumberCache();
  return new MqttHeadEnd(parts);
}

class MqttHeadEnd implements MqttLink {
  readonly #parts: MqttHeadEndParts;
  readonly #where: string;
  readonly #listeners: (() => void)[] = [];
  #topics: readonly string[] = [];
  #onMessage: (message: InMessage) => void = () => undefined;
  readonly #stop = new AbortController();
  #isClosed = false;
  #version: Version;
  /** False once the broker has refused a will that is to be retained (MQTT 5 3.1.2.7). */
  #retainsWill = true;
  #trial: 'older' | 'confirm' | undefined;
  #link: Link | undefined;
  /** The link once its listeners are being told: nothing is published on it sooner. */
  #ready: Link | undefined;
  #loop: Promise<void> | undefined;
  #failures = 0;
  #fault: Fault | null = null;
  #briefLinks = 0;
  #hasRival = false;
  readonly #rivalListeners: ((why: string) => void)[] = [];
  #words = 'not started';
  #warned = '';
  #nextTry: number | undefined;

  constructor(parts: MqttHeadEndParts) {
    this.#parts = parts;
    this.#where = new URL(parts.settings.url).host;
    this.#version = parts.settings.protocol === '3.1.1' ? 4 : 5;
  }

  start(will: OutMessage): void {
    this.#loop ??= this.#keepLinked(will);
  }

  isConnected(): boolean {
    return this.#ready?.isUp ?? false;
  }

  linkState(): string {
    if (this.#nextTry === undefined) return this.#words;
    const seconds = Math.max(
      0,
      Math.ceil((this.#nextTry - this.#parts.clock.monotonicMs()) / 1_000),
    );
    return `${this.#words}, next try in ${seconds} s`;
  }

  lastFault(): Fault | null {
    return this.#fault;
  }

  onConnect(listener: () => void): void {
    this.#listeners.push(listener);
  }

  onTakeover(listener: (why: string) => void): void {
    this.#rivalListeners.push(listener);
  }

  listen(topics: readonly string[], listener: (message: InMessage) => void): void {
    this.#topics = topics;
    this.#onMessage = listener;
  }

  publish(message: OutMessage): Promise<Result<void>> {
    const link = this.#ready;
    if (link === undefined || !link.isUp || this.#isClosed) {
      return Promise.resolve(faulty('upstream.offline', this.linkState()));
    }
    return link.publish(message);
  }

  payloadMax(topic: string): number {
    return this.#ready?.payloadMax(topic) ?? Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop.abort();
    await this.#link?.close();
    await this.#loop;
    this.#say('closed');
  }

  async #keepLinked(will: OutMessage): Promise<void> {
    const stop = this.#stop.signal;
    while (!stop.aborted) {
      const version = this.#trial === 'older' ? 4 : this.#version;
      const loss = await this.#oneLink(will, version);
      if (!stop.aborted && !this.#triesAgainAtOnce(version, loss)) await this.#pause(loss.fault);
    }
  }

  /**
   * Decides on the version of the next try. A broker that says it does not speak 5 is believed. One that closes
   * without a word may be a dead one behind a balancer: it is taken for old only if 3.1.1 opens and 5 fails again
   * right after, for on 3.1.1 a refused publish cannot be seen.
   */
  #triesAgainAtOnce(version: Version, loss: Loss): boolean {
    const { versionRefused, willRefused, mute, opened } = loss;
    if (willRefused && this.#retainsWill) {
      this.#retainsWill = false;
      return true;
    }
    const trial = this.#trial;
    this.#trial = undefined;
    if (this.#parts.settings.protocol !== 'auto' || this.#version === 4) return false;
    if (trial === 'older') {
      if (opened) this.#trial = 'confirm';
      return opened === true;
    }
    if (version === 5 && (versionRefused || (mute && trial === 'confirm'))) {
      this.#version = 4;
      this.#parts.log.info({ broker: this.#where }, 'the broker speaks MQTT 3.1.1 only');
      return true;
    }
    if (mute) this.#trial = 'older';
    return false;
  }

  /** From one connection to its loss. */
  async #oneLink(will: OutMessage, version: Version): Promise<Loss> {
    this.#say(`connecting to ${this.#where}`);
    const retain = will.retain && this.#retainsWill;
    const options = await connectOptions(this.#parts, version, { ...will, retain });
    if (!options.ok) return options;
    if (this.#stop.signal.aborted) return { fault: { code: 'aborted', detail: 'closed' } };
    const hear = (message: InMessage) => this.#onMessage(message);
    const link = openLink(this.#parts, this.#where, options.value, hear);
    const { clock } = this.#parts;
    if (!(link instanceof Link)) return explained(link, options.value, this.#where, clock.now());
    this.#link = link;
    const began = clock.monotonicMs();
    if ((await link.opened) && link.isUp) {
      if (this.#trial === 'older') await link.close();
      else {
        this.#subscribe(link);
        this.#announce(link, version);
      }
    }
    const loss = explained(await link.lost, options.value, this.#where, clock.now());
    const held = link.wasUp ? clock.monotonicMs() - began : 0;
    if (held >= STABLE_MS) {
      this.#failures = 0;
      this.#hasRival = false;
    }
    const isBrief = link.wasUp && held < BRIEF_MS && !loss.explained;
    this.#briefLinks = isBrief ? this.#briefLinks + 1 : 0;
    if (loss.takenOver || this.#briefLinks >= BRIEF_LINKS) this.#suspectRival(loss);
    return { ...loss, opened: link.wasUp };
  }

  #suspectRival({ takenOver }: Loss): void {
    if (this.#hasRival) return;
    this.#hasRival = true;
    const brief = `${BRIEF_LINKS} links in a row were lost within ${BRIEF_MS / 1_000} s`;
    const why = takenOver ? 'the broker says that the session was taken over' : brief;
    for (const listener of this.#rivalListeners) listener(why);
  }

  #announce(link: Link, version: Version): void {
    this.#ready = link;
    this.#fault = null;
    this.#warned = '';
    // On 3.1.1 a broker that refuses a message acknowledges it all the same.
    const spoken = version === 5 ? 'MQTT 5' : 'MQTT 3.1.1, what is sent is not confirmed';
    this.#say(`connected to ${this.#where} (${spoken})`);
    this.#parts.log.info({ broker: this.#where, version }, 'connected to the broker');
    for (const listener of this.#listeners) listener();
  }

  /** A grant is no proof of rights (upstream 1.1); a refusal is worth telling, and no reason to stop sending. */
  #subscribe(link: Link): void {
    if (this.#topics.length === 0) return;
    link.subscribe(this.#topics, (words) => {
      this.#parts.log.warn({ broker: this.#where }, `the broker lets us hear nothing: ${words}`);
    });
  }

  async #pause(fault: Fault): Promise<void> {
    const { clock, random, settings, log, clientId } = this.#parts;
    const rival = this.#hasRival ? `; is another client using the id ${clientId}?` : '';
    const ceiling = Math.min(settings.reconnectMaxS * 1_000, PAUSE_MIN_MS * 2 ** this.#failures);
    // Half fixed, half by chance: a broker that comes back is not met by all collectors at once.
    const pause = (ceiling / 2) * (1 + random());
    this.#failures += 1;
    this.#fault = fault;
    const words = fault.detail + rival;
    // A broker away for weeks is one line, not one a minute.
    log[words === this.#warned ? 'debug' : 'warn']({ broker: this.#where }, words);
    this.#warned = words;
    this.#say(words);
    this.#nextTry = clock.monotonicMs() + pause;
    await clock.sleep(pause, this.#stop.signal);
  }

  #say(words: string): void {
    this.#words = words;
    this.#nextTry = undefined;
  }
}
