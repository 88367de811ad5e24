// The head-end of a hostile world: stores what the broker brings, acknowledges it where it is to, dies, and comes back from an older store.

import { Acks } from '../../simulator/acks.ts';
import { Ledger } from '../../simulator/ledger.ts';
import type { Clock } from '../../src/boundaries.ts';
import type { MemoryBroker, Received } from '../fakes/memory-head-end.ts';

export type AckMode = 'none' | 'required';

const STATE = 'watermeter-v1/test/_headend/state';
const COLLECTOR = 'COL-1';
/** It acknowledges so soon after something came, and looks for old holes so often. */
const ACK_MS = 2_000;
const LOOK_MS = 60_000;

/** Lives as long as its world. */
export class StoringHeadEnd {
  ledger = new Ledger();
  readonly #broker: MemoryBroker;
  readonly #clock: Clock;
  readonly #mode: AckMode;
  readonly #acks = new Acks(COLLECTOR);
  #heard: Received[] = [];
  #alive = true;
  #sessions = 0;
  #soon = false;

  /** `clock` tells the true time: a head-end has a good one. */
  constructor(broker: MemoryBroker, clock: Clock, mode: AckMode) {
    this.#broker = broker;
    this.#clock = clock;
    this.#mode = mode;
    broker.onMessage((message) => this.#hear(message));
    if (mode === 'required') void this.#look();
    this.greet();
  }

  /** Says that it is there, as after a connection; its session is a new one. */
  greet(): void {
    if (this.#mode === 'none') return;
    this.#sessions += 1;
    const session = `HE${this.#sessions}`;
    const state = { v: 1, type: 'headend', state: 'online', session, ack: 'required' };
    this.#broker.say(STATE, JSON.stringify(state), true);
    this.#acks.repeat();
    this.#acknowledgeSoon();
  }

  /** It hears nothing any more. Only one that acknowledges can be missed. */
  die(): void {
    this.#alive = false;
  }

  /** What the broker has retained is heard again. */
  revive(): void {
    if (this.#alive) return;
    this.#alive = true;
    for (const [topic, payload] of this.#broker.retained) this.ledger.take(topic, payload, true);
    this.greet();
  }

  /** Its store of `at` is put back, and whatever came since is gone. */
  fallBack(at: number): void {
    if (this.#mode === 'none') return;
    this.#heard = this.#heard.filter((message) => message.at <= at);
    this.ledger = new Ledger();
    for (const { topic, payload } of this.#heard) this.ledger.take(topic, payload);
    for (const [topic, payload] of this.#broker.retained) this.ledger.take(topic, payload, true);
    this.greet();
  }

  #hear(message: Received): void {
    if (!this.#alive) return;
    this.#heard.push(message);
    this.ledger.take(message.topic, message.payload);
    if (this.#mode === 'required') this.#acknowledgeSoon();
  }

  #acknowledgeSoon(): void {
    if (this.#soon || this.#mode === 'none') return;
    this.#soon = true;
    void this.#clock.sleep(ACK_MS).then(() => {
      this.#soon = false;
      this.#acknowledge();
    });
  }

  #acknowledge(): void {
    if (!this.#alive) return;
    for (const [collector, epoch] of this.ledger.epochs()) {
      const rows = this.ledger.rowsOf(collector, epoch);
      const ack = this.#acks.next(epoch, rows, Math.floor(this.#clock.now()));
      if (ack)
        this.#broker.say(`watermeter-v1/test/${collector}/dn/ack`, JSON.stringify(ack), true);
    }
  }

  async #look(): Promise<never> {
    for (;;) {
      await this.#clock.sleep(LOOK_MS);
      this.#acknowledge();
    }
  }
}
