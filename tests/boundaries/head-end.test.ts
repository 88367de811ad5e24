// Runs the head-end suite on memory, on MQTT 5 (Mosquitto) and on MQTT 3.1.1 (aedes).

import { describe, expect, it } from 'vitest';
import { createMqttHeadEnd } from '../../src/adapters/mqtt-head-end.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { MemoryBroker } from '../fakes/memory-head-end.ts';
import {
  aedes,
  hasMosquitto,
  MOSQUITTO_WINDOW,
  mosquitto,
  observed,
  partsFor,
  type RealBroker,
} from '../fakes/real-brokers.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { codeOf, type HeadEndRig, headEndSuite, message, WILL } from './head-end.suite.ts';

headEndSuite('the memory head-end', () => {
  const clock = createSystemClock();
  const broker = new MemoryBroker(clock);
  broker.latencyMs = 2;
  broker.refuses = (topic) => !topic.startsWith('ok/');
  return Promise.resolve({
    create: (options) => broker.headEnd({ clock, ...options }),
    received: () => broker.received,
    say: async (topic, payload, retain) => broker.say(topic, payload, retain),
    stopBroker: async () => broker.setUp(false),
    startBroker: async () => broker.setUp(true),
    withholdAcks: (withhold) => {
      broker.withheld = withhold ? 'acks' : 'nothing';
    },
    cut: () => broker.cut(),
    connections: () => broker.connections,
    inFlightPeak: () => broker.inFlightPeak,
    receiveMaximum: broker.receiveMaximum,
    refusalsSeen: true,
    dispose: () => Promise.resolve(),
  });
});

describe.skipIf(!hasMosquitto)('MQTT 5 (needs mosquitto)', () => {
  headEndSuite('MQTT 5 over Mosquitto', async () =>
    overMqtt(await mosquitto(), { receiveMaximum: MOSQUITTO_WINDOW, refusalsSeen: true }),
  );
});

headEndSuite('MQTT 3.1.1 over aedes', async () =>
  overMqtt(await aedes(), { receiveMaximum: 20, refusalsSeen: false }),
);

async function overMqtt(
  broker: RealBroker,
  kind: { receiveMaximum: number; refusalsSeen: boolean },
): Promise<HeadEndRig> {
  const { proxy, received, say, restart, dispose } = await observed(broker);
  return {
    ...kind,
    create: ({ ackTimeoutS = 30 } = {}) =>
      createMqttHeadEnd(partsFor(proxy.port, { settings: { ackTimeoutS }, willDelayS: 0 })),
    received: () => received,
    say,
    stopBroker: () => broker.stop(),
    startBroker: restart,
    withholdAcks: (withhold) => {
      proxy.withholdAcks = withhold;
    },
    cut: () => proxy.cut(),
    connections: () => proxy.levels.filter((level) => level === proxy.levels.at(-1)).length,
    inFlightPeak: () => proxy.inFlightPeak,
    dispose,
  };
}

describe('the memory head-end in virtual time', () => {
  const world = () => {
    const clock = new VirtualClock();
    const broker = new MemoryBroker(clock);
    return { clock, broker, headEnd: broker.headEnd({ clock }) };
  };

  it('two days without a broker pass in a moment, and the link comes back within a minute', async () => {
    const { clock, broker, headEnd } = world();
    broker.setUp(false);
    headEnd.start(WILL);
    await clock.run(clock.now() + 48 * 3_600_000);
    expect(headEnd.isConnected()).toBe(false);
    broker.setUp(true);
    await clock.run(clock.now() + 60_000);
    expect(headEnd.isConnected()).toBe(true);
  });

  it('a withheld ack is silent after the time-out to the millisecond; the message has arrived', async () => {
    const { clock, broker, headEnd } = world();
    headEnd.start(WILL);
    await clock.run(clock.now());
    broker.withheld = 'acks';
    const began = clock.now();
    const told = headEnd.publish(message('hour')).then((outcome) => [codeOf(outcome), clock.now()]);
    // One last look at the link belongs to the time-out.
    expect(await clock.runUntil(told)).toEqual(['upstream.silent', began + 30_050]);
    expect(broker.received.map(({ payload }) => payload)).toEqual(['hour', 'offline']);
  });

  it('messages that are kept back altogether have not arrived', async () => {
    const { clock, broker, headEnd } = world();
    headEnd.start(WILL);
    await clock.run(clock.now());
    broker.withheld = 'messages';
    expect(codeOf(await clock.runUntil(headEnd.publish(message('hour'))))).toBe('upstream.silent');
    expect(broker.received.map(({ payload }) => payload)).toEqual(['offline']);
  });

  it('a will held back is not said when the link is back in time', async () => {
    const { clock, broker, headEnd } = world();
    broker.willDelayMs = 60_000;
    headEnd.start(WILL);
    await clock.run(clock.now());
    broker.cut();
    await clock.run(clock.now() + 120_000);
    expect(headEnd.isConnected()).toBe(true);
    expect(broker.received).toEqual([]);
    broker.cut();
    broker.setUp(false);
    await clock.run(clock.now() + 120_000);
    expect(broker.received.map(({ payload }) => payload)).toEqual(['offline']);
  });

  it('a killed program learns nothing more of what it had published', async () => {
    const { clock, broker, headEnd } = world();
    broker.latencyMs = 100;
    headEnd.start(WILL);
    await clock.run(clock.now() + 1_000);
    let told = false;
    void headEnd.publish(message('hour')).then(() => {
      told = true;
    });
    await clock.run(clock.now() + 150);
    broker.vanish();
    await clock.run(clock.now() + 10_000);
    expect(told).toBe(false);
    expect(broker.received.map(({ payload }) => payload)).toEqual(['hour', 'offline']);
  });

  it('what is retained is what was published last, and an empty message clears it', async () => {
    const { clock, broker, headEnd } = world();
    headEnd.start(WILL);
    await clock.run(clock.now());
    for (const [topic, payload] of [
      ['ok/a', '1'],
      ['ok/a', '2'],
      ['ok/b', '1'],
      ['ok/b', ''],
    ] as const) {
      await clock.runUntil(headEnd.publish({ ...message(payload, topic), retain: true }));
    }
    expect([...broker.retained]).toEqual([['ok/a', '2']]);
  });
});
