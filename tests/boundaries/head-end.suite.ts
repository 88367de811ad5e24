// What every HeadEnd promises, over memory or over a real broker.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeadEnd, InMessage, OutMessage } from '../../src/boundaries.ts';
import type { Result } from '../../src/domain/fault.ts';
import { until } from '../fakes/until.ts';

export interface HeadEndRig {
  /** A head-end of the kind under test, not yet started, whose first retry comes within a second. */
  create(options?: { ackTimeoutS?: number }): HeadEnd;
  /** What a subscriber to `ok/#` has seen, oldest first. */
  received(): readonly { topic: string; payload: string }[];
  /** Publishes to the head-end under test. */
  say(topic: string, payload: string, retain: boolean): Promise<void>;
  stopBroker(): Promise<void>;
  startBroker(): Promise<void>;
  withholdAcks(withhold: boolean): void;
  /** Cuts the links of the head-ends without a DISCONNECT. */
  cut(): void;
  connections(): number;
  /** Most QoS 1 messages un-acknowledged at one time. */
  inFlightPeak(): number;
  readonly receiveMaximum: number;
  /** Whether a refused publish can be told from an acknowledged one; topics outside `ok/` are refused. */
  readonly refusalsSeen: boolean;
  dispose(): Promise<void>;
}

export const WILL: OutMessage = { topic: 'ok/state', payload: 'offline', qos: 1, retain: false };

export function message(payload: string, topic = 'ok/interval'): OutMessage {
  return { topic, payload, qos: 1, retain: false };
}

export function headEndSuite(name: string, create: () => Promise<HeadEndRig>): void {
  describe(`${name} as a HeadEnd`, () => {
    let rig: HeadEndRig;
    let headEnd: HeadEnd;
    beforeEach(async () => {
      rig = await create();
      headEnd = rig.create();
    });
    afterEach(async () => {
      try {
        await headEnd.close();
      } finally {
        await rig.dispose();
      }
    });
    const seen = (payload: string) => rig.received().some((got) => got.payload === payload);
    const started = async (other = headEnd) => {
      other.start(WILL);
      await until('the link is up', () => other.isConnected());
      return other;
    };

    it('an acknowledged hour has reached the subscriber, as it was sent', async () => {
      await started();
      const hour = message('{"use":12,"unit":"ft³"}');
      expect(codeOf(await headEnd.publish(hour))).toBe('good');
      await until('the hour arrives', () => rig.received().length > 0);
      expect(rig.received()[0]).toMatchObject({ topic: hour.topic, payload: hour.payload });
    });

    it('a health message at QoS 0 arrives too', async () => {
      await started();
      expect(codeOf(await headEnd.publish({ ...message('health'), qos: 0, expiryS: 7_200 }))).toBe(
        'good',
      );
      await until('it arrives', () => seen('health'));
    });

    it('messages arrive in the order in which they were published', async () => {
      await started();
      const payloads = Array.from({ length: 50 }, (_, i) => `hour ${i}`);
      const outcomes = await Promise.all(
        payloads.map((payload) => headEnd.publish(message(payload))),
      );
      expect(new Set(outcomes.map(codeOf))).toEqual(new Set(['good']));
      await until('all arrive', () => rig.received().length >= payloads.length);
      expect(rig.received().map(({ payload }) => payload)).toEqual(payloads);
    });

    it('with the broker away a publish is answered as offline at once, and never sent later', async () => {
      expect(codeOf(await headEnd.publish(message('before the start')))).toBe('upstream.offline');
      await rig.stopBroker();
      headEnd.start(WILL);
      expect(headEnd.isConnected()).toBe(false);
      expect(codeOf(await headEnd.publish(message('into the void')))).toBe('upstream.offline');
      await until('it waits for another try', () => /next try/.test(headEnd.linkState()));
      await rig.startBroker();
      await until('the link is up', () => headEnd.isConnected());
      await headEnd.publish(message('after'));
      await until('the later one arrives', () => seen('after'));
      expect(rig.received().map(({ payload }) => payload)).toEqual(['after']);
    });

    it('after the broker was restarted the link comes back and says so each time', async () => {
      let links = 0;
      let publishedFirst: Promise<Result<void>> | undefined;
      headEnd.onConnect(() => {
        links += 1;
        expect(headEnd.isConnected()).toBe(true);
        publishedFirst = headEnd.publish(message(`birth ${links}`));
      });
      await started();
      expect(links).toBe(1);
      await rig.stopBroker();
      await until('the loss is noticed', () => !headEnd.isConnected());
      await rig.startBroker();
      await until('the link is back', () => headEnd.isConnected());
      expect(links).toBe(2);
      expect(codeOf(await (publishedFirst as Promise<Result<void>>))).toBe('good');
      await until('the second birth arrives', () => seen('birth 2'));
    });

    it('what is said to it arrives as it was said, and nothing of another topic', async () => {
      const heard: InMessage[] = [];
      headEnd.listen(['ok/dn/+', 'ok/state'], (said) => heard.push(said));
      await started();
      await until('it listens', async () => {
        await rig.say('ok/dn/ping', '1', false);
        return heard.length > 0;
      });
      await rig.say('ok/dn/cmd/ping', 'deeper', false);
      await rig.say('ok/dn/ack', '{"row":7,"unit":"ft³"}', false);
      await until('it arrives', () => heard.some(({ topic }) => topic === 'ok/dn/ack'));
      const { payload, bytes, retained } = heard.at(-1) as InMessage;
      expect(payload).toBe('{"row":7,"unit":"ft³"}');
      expect(bytes).toBe(23);
      expect(retained).toBe(false);
      expect(heard.some(({ topic }) => topic === 'ok/dn/cmd/ping')).toBe(false);
    });

    it('what the broker kept is told on every connection, marked as old', async () => {
      const heard: InMessage[] = [];
      headEnd.listen(['ok/dn/ack'], (said) => heard.push(said));
      await rig.say('ok/dn/ack', 'kept', true);
      await started();
      await until('it is told', () => heard.length === 1);
      rig.cut();
      await until('it is told again', () => heard.length === 2);
      expect(heard.map(({ retained }) => retained)).toEqual([true, true]);
    });

    it('the will is said when the link is cut', async () => {
      await started();
      rig.cut();
      await until('the will arrives', () => seen('offline'));
    });

    it('a clean close leaves the will unsaid and later publishes offline', async () => {
      await started();
      await headEnd.close();
      expect(headEnd.isConnected()).toBe(false);
      expect(codeOf(await headEnd.publish(message('late')))).toBe('upstream.offline');
      const next = await started(rig.create());
      await next.publish(message('marker'));
      await until('the marker arrives', () => seen('marker'));
      expect(seen('offline')).toBe(false);
      await next.close();
    });

    it('a close with the broker away, before a start, or twice comes to its end', async () => {
      await rig.create().close();
      await rig.stopBroker();
      headEnd.start(WILL);
      await headEnd.close();
      await headEnd.close();
      expect(headEnd.isConnected()).toBe(false);
    });

    it('an ack that never comes is told as silent, and a new link is made on which all goes on', async () => {
      const impatient = await started(rig.create({ ackTimeoutS: 0.2 }));
      rig.withholdAcks(true);
      const outcomes = await Promise.all([
        impatient.publish(message('first')),
        impatient.publish(message('second')),
      ]);
      // The second waited for the first PUBACK of the link, and was never sent.
      expect(outcomes.map(codeOf)).toEqual(['upstream.silent', 'upstream.offline']);
      expect(impatient.isConnected()).toBe(false);
      rig.withholdAcks(false);
      await until('a new link', () => impatient.isConnected() && rig.connections() === 2);
      expect(codeOf(await impatient.publish(message('third')))).toBe('good');
      await impatient.close();
    });

    it('what is in flight when the link is cut is told as offline', async () => {
      await started();
      rig.withholdAcks(true);
      const pending = Array.from({ length: 30 }, (_, i) => headEnd.publish(message(`hour ${i}`)));
      await until('some have gone', () => seen('hour 0'));
      rig.cut();
      expect(new Set((await Promise.all(pending)).map(codeOf))).toEqual(
        new Set(['upstream.offline']),
      );
      rig.withholdAcks(false);
    });

    it('a close does not wait for an ack that never comes, and still leaves the will unsaid', async () => {
      await started();
      rig.withholdAcks(true);
      const pending = headEnd.publish(message('unanswered'));
      await until('it has gone', () => seen('unanswered'));
      await headEnd.close();
      expect(codeOf(await pending)).toBe('upstream.offline');
      rig.withholdAcks(false);
      const next = await started(rig.create());
      await next.publish(message('marker'));
      await until('the marker arrives', () => seen('marker'));
      expect(seen('offline')).toBe(false);
      await next.close();
    });

    it('a hundred hours at once all settle, and never more are in flight than the broker allows', async () => {
      await started();
      const hundred = Array.from({ length: 100 }, (_, i) => headEnd.publish(message(`hour ${i}`)));
      const codes = (await Promise.all(hundred)).map(codeOf);
      expect(codes).toEqual(Array.from({ length: 100 }, () => 'good'));
      expect(rig.inFlightPeak()).toBeLessThanOrEqual(rig.receiveMaximum);
      expect(rig.inFlightPeak()).toBeGreaterThan(1);
      await until('all arrive', () => rig.received().length === 100);
    });

    it('a publish that the broker refuses is told as refused, and the link stays', async (test) => {
      test.skip(!rig.refusalsSeen, 'MQTT 3.1.1 has no word for a refusal');
      await started();
      const outcome = await headEnd.publish(message('x', 'forbidden/interval'));
      expect(codeOf(outcome)).toBe('upstream.refused');
      expect(outcome.ok ? '' : outcome.fault.detail).toContain('135 Not authorized');
      expect(codeOf(await headEnd.publish(message('allowed')))).toBe('good');
      expect(rig.connections()).toBe(1);
    });
  });
}

/** "good", or the code of the fault. */
export function codeOf(outcome: Result<unknown>): string {
  return outcome.ok ? 'good' : outcome.fault.code;
}
