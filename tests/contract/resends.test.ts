// A2 in the conformance check: a head-end that is dead behind a living broker causes no storm, and a planted one is found.

import { beforeAll, describe, expect, it } from 'vitest';
import { Acks } from '../../simulator/acks.ts';
import { ContractChecker, type Message } from '../../simulator/contract-rules/checker.ts';
import type { Verdict } from '../../simulator/contract-rules/verdicts.ts';
import { Ledger } from '../../simulator/ledger.ts';
import { VirtualWorld } from '../whole/virtual-world.ts';

const MINUTE = 60_000;
const STATE = 'watermeter-v1/test/_headend/state';
const ACK = 'watermeter-v1/test/COL-1/dn/ack';
const isOfRows = ({ topic }: Message) => /\/(?:interval|event)$/.test(topic);

function judge(messages: readonly Message[]): Verdict[] {
  const checker = new ContractChecker();
  for (const message of messages) checker.take(message);
  return checker.finish(null);
}
const a2 = (messages: readonly Message[]) => judge(messages).find(({ rule }) => rule === 'A2');
const broken = (messages: readonly Message[]) =>
  judge(messages).flatMap(({ rule, outcome }) => (outcome === 'failed' ? [rule] : []));

/** A collector and a head-end that acknowledges while it lives, and all that both say. */
class Watched {
  readonly world = new VirtualWorld({ seed: 5, meters: 4 });
  readonly heard: Message[] = [];
  #acks = new Acks('COL-1');
  #ledger = new Ledger();
  #taken = 0;

  constructor() {
    this.world.broker.onMessage((message) => this.heard.push(message));
  }

  greet(session: string): void {
    this.#say(STATE, { v: 1, type: 'headend', state: 'online', session, ack: 'required' });
  }

  /** Minutes in which what came is acknowledged. */
  async live(minutes: number): Promise<void> {
    for (let i = 0; i < minutes; i += 1) {
      await this.world.run(1 / 60);
      for (const { topic, payload } of this.heard.slice(this.#taken)) {
        this.#ledger.take(topic, payload);
      }
      this.#taken = this.heard.length;
      for (const [collector, epoch] of this.#ledger.epochs()) {
        const rows = this.#ledger.rowsOf(collector, epoch);
        const ack = this.#acks.next(epoch, rows, Math.floor(this.world.clock.now()));
        if (ack) this.#say(ACK, ack);
      }
    }
  }

  /** It has lost what it had. */
  forget(): void {
    this.#ledger = new Ledger();
    this.#acks = new Acks('COL-1');
    this.#taken = this.heard.length;
  }

  #say(topic: string, message: object): void {
    const payload = JSON.stringify(message);
    this.heard.push({ at: this.world.clock.now(), topic, payload, qos: 1, retain: true });
    this.world.broker.say(topic, payload, true);
  }
}

let heard: readonly Message[];
/** When the head-end died, and when it came back. */
let died: number;
let revived: number;

beforeAll(async () => {
  const watched = new Watched();
  const { world } = watched;
  await world.start();
  watched.greet('h1');
  await watched.live(240);
  died = world.clock.now();
  await world.run(30);
  world.kill();
  await world.start();
  await world.run(3);
  world.broker.cut();
  await world.run(1);
  revived = world.clock.now();
  watched.greet('h2');
  await watched.live(90);
  // From an older copy: a hole is asked for, again and again.
  watched.forget();
  await watched.live(100);
  await world.stop();
  ({ heard } = watched);
}, 60_000);

/** The messages of the time in which nobody acknowledged, each again so long after it, as often as it is said. */
function withStorm(pauses: readonly number[], which = (_: Message) => true): Message[] {
  const unheard = heard.filter(
    (message) => isOfRows(message) && message.at > died && message.at < died + 20 * 60 * MINUTE,
  );
  const again = unheard.filter(which).flatMap((message) =>
    pauses.map((pause) => {
      const at = message.at + pause;
      const sent = new Date(at).toISOString();
      return {
        ...message,
        at,
        payload: message.payload.replace(/"sent":"[^"]*"/, `"sent":"${sent}"`),
      };
    }),
  );
  return [...heard, ...again].sort((a, b) => a.at - b.at);
}

describe('A2: the rule of resends', () => {
  it('is kept by our collector while a head-end is dead, comes back, and asks for what it has lost', () => {
    expect(judge(heard).flatMap(({ breaches }) => breaches)).toEqual([]);
    // The oldest message alone came again in those thirty hours.
    expect(a2(heard)?.checked).toBeGreaterThan(5);
    expect(a2(heard)?.checked).toBeLessThan(15);
    expect(heard.some(({ payload }) => payload.includes('"cause":"replay"'))).toBe(true);
    expect(heard.filter(({ at }) => at > revived).some(isOfRows)).toBe(true);
  });

  it.each([
    ['each message once more after two minutes', [2 * MINUTE]],
    ['each message every second', [61, 62, 63].map((s) => s * 1_000)],
    ['all messages after a quarter of an hour, not the oldest alone', [15 * MINUTE]],
    ['all messages with a proper backing off', [15 * MINUTE, 45 * MINUTE, 105 * MINUTE]],
  ])('fails with a storm of %s, and no other rule does', (_, pauses) => {
    expect(broken(withStorm(pauses))).toEqual(['A2']);
  });

  it('fails with one message that comes again every minute', () => {
    const one = heard.find(({ topic, at }) => topic.endsWith('/interval') && at > died);
    const pauses = Array.from({ length: 20 }, (_, i) => (i + 1) * MINUTE);
    expect(broken(withStorm(pauses, (message) => message === one))).toEqual(['A2']);
  });

  it('says nothing where no acknowledgement can be heard: nobody knows what was asked for', () => {
    const up = withStorm([2 * MINUTE]).filter(({ topic }) => topic.includes('/up/'));
    expect(a2(up)).toMatchObject({ outcome: 'not seen' });
  });

  it('takes a message that is delivered twice for one', () => {
    const twice = heard.flatMap((message) =>
      message.topic.endsWith('/interval') ? [message, message] : [message],
    );
    expect(broken(twice)).toEqual([]);
  });

  it('does not mind an acknowledgement that is overtaken by what it asked for', () => {
    const late = heard.map((message) =>
      message.topic === ACK ? { ...message, at: message.at + 20_000 } : message,
    );
    expect(broken([...late].sort((a, b) => a.at - b.at))).toEqual([]);
  });
});
