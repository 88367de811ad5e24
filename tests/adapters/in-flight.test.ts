// Answers that come together: the broker has the next messages before anybody is told what came of those before.

import { describe, expect, it } from 'vitest';
import { InFlight, type Sent } from '../../src/adapters/in-flight.ts';
import { good } from '../../src/domain/fault.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const DONE = good(undefined);

function windowOf(window: number) {
  const handed: Sent[] = [];
  const inFlight = new InFlight({
    ...{ clock: new VirtualClock(), ackTimeoutMs: 30_000, window },
    hand: (sent) => handed.push(sent),
    onSilent: () => undefined,
  });
  const told: string[] = [];
  const send = (payload: string) => {
    void inFlight.send({ topic: 't', payload, qos: 1, retain: false }).then(({ ok }) => {
      told.push(`${payload} ${ok ? 'delivered' : 'not'}`);
    });
  };
  return { inFlight, handed, told, send };
}

/** Whatever was settled is told in microtasks. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('messages in flight', () => {
  it('a place is filled at once, and who waits is told afterwards', async () => {
    const { inFlight, handed, told, send } = windowOf(2);
    for (const payload of ['a', 'b', 'c', 'd']) send(payload);
    const ids = () => handed.map(({ message }) => message.payload);
    expect(ids()).toEqual(['a']); // One alone until the first PUBACK.
    inFlight.answered(handed[0] as Sent, DONE);
    inFlight.answered(handed[1] as Sent, DONE);
    expect(ids()).toEqual(['a', 'b', 'c', 'd']);
    await turn();
    expect(told).toEqual([]);
    expect(inFlight.tell()).toBe(true);
    await turn();
    expect(told).toEqual(['a delivered', 'b delivered']);
    expect(inFlight.tell()).toBe(false);
  });

  it('what the broker has acknowledged is delivered, though the link ends before it is told', async () => {
    const { inFlight, handed, told, send } = windowOf(2);
    for (const payload of ['a', 'b']) send(payload);
    inFlight.answered(handed[0] as Sent, DONE);
    inFlight.end({ code: 'upstream.offline', detail: 'lost' });
    inFlight.answered(handed[1] as Sent, DONE); // Too late: nobody may be told twice.
    inFlight.tell();
    await turn();
    expect(told).toEqual(['a delivered', 'b not']);
  });

  it('is not idle while an answer is not told', async () => {
    const { inFlight, handed, told, send } = windowOf(2);
    send('a');
    inFlight.answered(handed[0] as Sent, DONE);
    let isIdle = false;
    void inFlight.idle().then(() => {
      isIdle = true;
    });
    await turn();
    expect(isIdle).toBe(false);
    inFlight.tell();
    await turn();
    expect([isIdle, told]).toEqual([true, ['a delivered']]);
  });
});
