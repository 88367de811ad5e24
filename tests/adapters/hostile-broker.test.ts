// Brokers that keep to MQTT 5 and take little, and brokers that do not keep to it at all.

import { afterEach, describe, expect, it } from 'vitest';
import { createMqttHeadEnd } from '../../src/adapters/mqtt-head-end.ts';
import type { HeadEnd } from '../../src/boundaries.ts';
import { codeOf, message, WILL } from '../boundaries/head-end.suite.ts';
import { type RawBroker, type RawRules, rawBroker, taken } from '../fakes/raw-broker.ts';
import { partsFor } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0).toReversed()) await part.close();
});

const RETAIN_NOT_SUPPORTED = 154;
const SERVER_MOVED = 157;

async function facing(rules: RawRules): Promise<{ broker: RawBroker; headEnd: HeadEnd }> {
  const broker = await rawBroker(rules);
  opened.push(broker);
  const headEnd = createMqttHeadEnd(partsFor(broker.port));
  opened.push(headEnd);
  headEnd.start({ ...WILL, retain: true });
  return { broker, headEnd };
}

async function linkedTo(rules: RawRules) {
  const facts = await facing(rules);
  await until('the link is up', () => facts.headEnd.isConnected());
  return facts;
}

const refusal = (reasonCode: number) =>
  ({ cmd: 'connack', sessionPresent: false, reasonCode }) as const;

describe('a broker that takes little', () => {
  it('keeps no retained messages and refuses our will for it: it gets a will that is not to be kept, and the rows', async () => {
    const { broker, headEnd } = await linkedTo({
      connect: ({ will }, { send, socket }) => {
        if (!will?.retain) return send(taken({ retainAvailable: false }));
        send(refusal(RETAIN_NOT_SUPPORTED));
        socket.end();
      },
    });
    expect(broker.connects.map(({ will }) => will?.retain)).toEqual([true, false]);
    expect(codeOf(await headEnd.publish({ ...message('hour'), retain: true }))).toBe('good');
    expect(broker.published.map(({ retain }) => retain)).toEqual([false]);
  });

  it('takes QoS 0 alone: a row is refused and not sent, for it would end the link', async () => {
    const { broker, headEnd } = await linkedTo({
      connect: (_, { send }) => send(taken({ maximumQoS: 0 })),
    });
    expect(codeOf(await headEnd.publish(message('hour')))).toBe('upstream.refused');
    expect(codeOf(await headEnd.publish({ ...message('health'), qos: 0 }))).toBe('good');
    await until('the other arrives', () => broker.published.length === 1);
    expect(headEnd.isConnected()).toBe(true);
  });

  it('says a receive maximum of 0, which is none: messages go one by one', async () => {
    const { broker, headEnd } = await linkedTo({
      // The packet writer knows better than to write it.
      connect: (_, { socket }) => socket.write(Uint8Array.of(0x20, 6, 0, 0, 3, 0x21, 0, 0)),
    });
    const sent = await Promise.all(['a', 'b', 'c'].map((one) => headEnd.publish(message(one))));
    expect(sent.map(codeOf)).toEqual(['good', 'good', 'good']);
    expect(broker.published).toHaveLength(3);
  });
});

it('a broker that takes small packets is sent none that is larger, what an answer repeats of its question counted', async () => {
  const { broker, headEnd } = await linkedTo({
    connect: (_, { send }) => send(taken({ maximumPacketSize: 1_000 })),
  });
  const answer = { ...message('x'.repeat(500)), correlation: new Uint8Array(600) };
  expect(codeOf(await headEnd.publish(answer))).toBe('upstream.refused');
  expect(codeOf(await headEnd.publish({ ...answer, correlation: new Uint8Array(60) }))).toBe(
    'good',
  );
  expect(broker.published.map(({ properties }) => properties?.correlationData?.length)).toEqual([
    60,
  ]);
});

describe('a hostile broker', () => {
  it('that begins a packet without an end is left before it has filled the memory', async () => {
    const sent: number[] = [];
    const { headEnd } = await facing({
      connect: (_, { send, socket }) => {
        socket.on('close', () => sent.push(socket.bytesWritten));
        send(taken());
        // A PUBLISH of 256 MB.
        socket.write(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f));
        const piece = new Uint8Array(1 << 20);
        const fill = () => {
          while (!socket.destroyed && socket.write(piece));
        };
        socket.on('drain', fill);
        fill();
      },
    });
    await until('it is left', () => sent.length > 0, 20_000);
    expect(sent[0]).toBeLessThan(32 << 20);
    expect(headEnd.isConnected()).toBe(false);
  });

  it('that acknowledges nothing holds up no stop, and gets no goodbye: it tells the will', async () => {
    const { broker, headEnd } = await linkedTo({ publish: () => undefined });
    const hour = headEnd.publish(message('hour'));
    const others = ['a', 'b'].map((one) => headEnd.publish(message(one)));
    await headEnd.close();
    expect(await Promise.all([hour, ...others].map(async (one) => codeOf(await one)))).toEqual([
      'upstream.offline',
      'upstream.offline',
      'upstream.offline',
    ]);
    expect(broker.goodbyes).toBe(0);
  });

  it('that says why it ends a link, over and over, is not taken for a second client with our id', async () => {
    const { broker, headEnd } = await facing({
      connect: (_, { send, socket }) => {
        send(taken());
        send({ cmd: 'disconnect', reasonCode: SERVER_MOVED });
        socket.end();
      },
    });
    const suspected: string[] = [];
    headEnd.onTakeover((why) => suspected.push(why));
    await until('it is called a fifth time', () => broker.connects.length >= 5, 20_000);
    await until('it says why', () => headEnd.linkState().includes('157 Server moved'));
    expect(suspected).toEqual([]);
  });
});
