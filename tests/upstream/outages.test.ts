// Brokers and networks at their worst, on a real broker: after healing the head-end has every hour once, as the journal holds it.

import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../simulator/random.ts';
import { ChaosProxy } from '../fakes/chaos-proxy.ts';
import { MqttProxy } from '../fakes/mqtt-proxy.ts';
import { freePort, hasMosquitto, mosquitto, type RealBroker } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import { Yard, type YardOptions } from './yard.ts';

/** Nothing waits so long after healing. */
const HEALED_MS = 60_000;
/** A week of 25 meters in messages of a day: time enough for much to go wrong. */
const WEEK = { meters: 25, hours: 168, messageRows: 24, backlogPerS: 60 };

describe.skipIf(!hasMosquitto)('after an outage is healed (needs mosquitto)', () => {
  let broker: RealBroker;
  let yard: Yard | undefined;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    broker = await mosquitto({ acl: 'topic readwrite #', limits: 'max_queued_messages 0' });
    await broker.start();
  });
  afterEach(async () => {
    await yard?.close();
    yard = undefined;
    for (const close of closers.splice(0)) await close();
    await broker.dispose();
  });

  async function openYard(port: number, more: Partial<YardOptions> = {}): Promise<Yard> {
    yard = await Yard.open({ ...WEEK, port, headEndPort: broker.port, ...more });
    return yard;
  }

  /** So many messages have reached the head-end. */
  const arrived = (count: number) =>
    until(`${count} hours arrive`, () => (yard?.headEnd.entries().length ?? 0) >= count, 30_000);

  async function isWhole(): Promise<void> {
    await yard?.drained(HEALED_MS);
    await arrived(WEEK.meters * WEEK.hours);
    expect(await yard?.differences()).toEqual([]);
  }

  it('of a broker that takes packets of 4 KB at the most, each hour is there once', async () => {
    await broker.dispose();
    const limits = 'max_queued_messages 0\nmax_packet_size 4096';
    broker = await mosquitto({ acl: 'topic readwrite #', limits });
    await broker.start();
    await openYard(broker.port, { messageRows: 168 });
    await isWhole();
  });

  it.each([1, 2])(
    'of a proxy that drops, delays, doubles and cuts by chance (seed %i), each hour is there once',
    async (seed) => {
      const proxy = await ChaosProxy.open(broker.port, new Random(`chaos/${seed}`));
      closers.push(() => proxy.close());
      await openYard(proxy.port);
      await until(
        'each kind of harm was done',
        () => Object.values(proxy.suffered).every((n) => n > 1),
        60_000,
      );
      proxy.heal();
      await isWhole();
    },
    150_000,
  );

  it('of a broker that answers pings and keeps its PUBACKs back, each hour is there once', async () => {
    const proxy = await MqttProxy.open(broker.port);
    closers.push(() => proxy.close());
    await openYard(proxy.port);
    await arrived(500);
    proxy.withholdAcks = true;
    const before = proxy.connections;
    await until('links were given up', () => proxy.connections > before + 1, 30_000);
    proxy.withholdAcks = false;
    await isWhole();
    expect(proxy.inFlightPeak).toBeLessThanOrEqual(20);
  }, 150_000);

  it('of a broker that was started again without what it kept, each hour is there once', async () => {
    const door = await MqttProxy.open(broker.port);
    closers.push(() => door.close());
    const held = await openYard(broker.port, { headEndPort: door.port });
    for (const count of [300, 900]) {
      await arrived(count);
      await broker.stop();
      await until('the link is lost', () => !held.link.isConnected());
      // What the broker acknowledges before the head-end has subscribed again, nobody hears.
      door.isBarred = true;
      await broker.start();
      const before = held.acknowledged;
      await until('hours are told to nobody', () => held.acknowledged > before + 5, 30_000);
      door.isBarred = false;
    }
    await isWhole();
  }, 150_000);

  it('of another client with the same id, each hour is there once, and the log names the rival', async () => {
    const held = await openYard(broker.port);
    const suspected: string[] = [];
    held.link.onTakeover((why) => suspected.push(why));
    await arrived(200);
    const rival = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
      ...{ clientId: 'COL-1', protocolVersion: 5, clean: true, reconnectPeriod: 50 },
    });
    rival.on('error', () => undefined);
    const isNamed = () =>
      yard?.log.lines.some((line) => /another client/.test(JSON.stringify(line)));
    await until('the rival is suspected', () => isNamed() === true, 60_000);
    expect(suspected).toHaveLength(1);
    await rival.endAsync(true);
    await isWhole();
  }, 150_000);

  it('30 days of 25 meters without a broker are delivered within a minute at the usual pace', async () => {
    const port = await freePort();
    const month = { meters: 25, hours: 720, messageRows: 168, backlogPerS: 10 };
    await openYard(port, month);
    await until('the broker is missed', () => /no answer/.test(yard?.link.linkState() ?? ''));
    const way = await MqttProxy.open(broker.port, port);
    closers.push(() => way.close());
    if (yard === undefined) throw new Error('not open');
    const ms = await yard.drained(HEALED_MS);
    expect(ms).toBeLessThan(HEALED_MS);
    await arrived(month.meters * month.hours);
    expect(await yard.differences()).toEqual([]);
  }, 150_000);
});
