// What the head-end hears on every connection, and how rows are handed up and acknowledged.

import { beforeEach, describe, expect, it } from 'vitest';
import type { HeadEnd, Journal, Prepared, SendCause } from '../../src/boundaries.ts';
import type { Answer } from '../../src/codec/command-message.ts';
import type { MeterFacts } from '../../src/codec/head-end-message.ts';
import type { EventRow, Row } from '../../src/domain/entry.ts';
import type { Health } from '../../src/domain/health.ts';
import type { Scorecard } from '../../src/domain/scorecard.ts';
import { createUpstream, type RunningUpstream } from '../../src/upstream/upstream.ts';
import { asyncApiLines } from '../contract/asyncapi.ts';
import { MemoryBroker } from '../fakes/memory-head-end.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { COARSE, FINE, openMetered, readHours, T0 } from '../journal/metered.ts';

const METER: MeterFacts = {
  ...{ service: 'active', profile: 'p', bus: 'b', address: '1' },
  ...{ pollS: 900, toleranceS: 15, maxFlowPerH: 2_000 },
};
const HEALTH: Health = {
  ...{ uptimeMs: 0, clock: { synced: null, source: 'none' }, buses: [], metersSilent: [] },
  journal: { pending: 0, oldest: null, drainEtaS: null, bytes: 0, daysLeft: null },
  disk: { freeBytes: 0, totalBytes: 0 },
};
const SCORES: Scorecard = {
  span: { day: 20_000, from: T0, to: T0 + 86_400_000 },
  ...{ reads: { due: 96, made: 96 }, hours: { actual: 24, partial: 0, missing: 0 } },
  ...{ available: 1, unavailable: [], day1: 1, day3: 1 },
};
const BELOW = 'watermeter-v1/u/COL-1/up/';

function prepared(upstream: RunningUpstream, rows: readonly Row[], cause: SendCause) {
  const messages = upstream.prepare(rows, cause);
  if (!messages.ok) throw new Error(messages.fault.detail);
  return messages.value;
}

describe('the way up', () => {
  let clock: VirtualClock;
  let broker: MemoryBroker;
  let medium: Medium;
  let journal: Journal;
  let log: RecordingLog;
  const heard = () => broker.received.map(({ topic }) => topic.slice(BELOW.length));
  const kept = (path: string) => JSON.parse(broker.retained.get(BELOW + path) ?? 'null');
  const later = (ms: number) => clock.run(clock.trueNow() + ms);
  const create = (
    meters: readonly string[],
    session = 'S1',
    headEnd: HeadEnd = broker.headEnd({ clock }),
  ): RunningUpstream =>
    createUpstream({
      ...{ journal, clock, log, utility: 'u', collector: 'COL-1', session, software: '1.2.3' },
      ...{ headEnd, configRevision: 'c1' },
      ...{
        wire: clock,
        ack: 'auto',
        stir: () => undefined,
        commands: [],
        onCommand: () => undefined,
      },
      meters: new Map(meters.map((meter) => [meter, METER])),
    });
  beforeEach(async () => {
    clock = new VirtualClock(T0);
    broker = new MemoryBroker(clock);
    medium = new Medium();
    log = new RecordingLog();
    journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': COARSE });
    readHours(journal, 'SP-1', 0, 3);
    await journal.flush();
  });

  it('announces itself on every connection: ready, every meter, then birth, all retained', async () => {
    create(['SP-1', 'SP-2']).start();
    await later(10);
    const all = ['state', 'meter/SP-1/info', 'meter/SP-2/info', 'birth'];
    expect(heard()).toEqual(all);
    expect(broker.received.every(({ qos, retain }) => qos === 1 && retain)).toBe(true);
    broker.cut();
    await later(2_000);
    expect(heard()).toEqual([...all, 'state', ...all]); // The first is the will.
  });

  it('what it may not say of itself is told, warned of once, and tried again until the broker takes it', async () => {
    const upstream = create(['SP-1', 'SP-2']);
    broker.refuses = (topic) => /(?:\/info|\/state|\/birth)$/.test(topic);
    upstream.start();
    await later(10);
    const { count, detail } = upstream.unsaid();
    expect([count, detail]).toEqual([4, '135 Not authorized']);
    const warned = () => log.lines.filter(({ level }) => level === 'warn').length;
    expect(warned()).toBe(1);
    // Its state alone is let through, then all.
    broker.refuses = (topic) => /(?:\/info|\/birth)$/.test(topic);
    await upstream.tellHealth(HEALTH);
    await later(10);
    expect(upstream.unsaid().count).toBe(3);
    expect(warned()).toBe(1);
    broker.refuses = () => false;
    await upstream.tellHealth(HEALTH);
    await later(10);
    expect(upstream.unsaid()).toEqual({ count: 0, detail: '' });
    const told = broker.received.length;
    await upstream.tellHealth(HEALTH);
    await later(10);
    // With nothing refused there is nothing to announce again.
    expect(broker.received.length).toBe(told + 1);
  });

  it('an answer that is refused below its own name is told; elsewhere a refusal is the rule', async () => {
    const upstream = create(['SP-1']);
    upstream.start();
    await later(10);
    const answer: Answer = {
      ...{ id: 'q1', name: 'ping', status: 'done', code: 'ok', at: T0, data: {} },
    };
    const question = { topic: 'x', payload: '', bytes: 0, retained: false } as const;
    broker.refuses = (topic) => topic.startsWith('elsewhere');
    const elsewhere = upstream.answer(answer, { ...question, responseTopic: 'elsewhere/rsp' });
    await later(100);
    await elsewhere;
    expect(upstream.unsaid().count).toBe(0);
    broker.refuses = (topic) => topic.endsWith('/up/rsp');
    const refused = upstream.answer(answer, question);
    await later(100);
    await refused;
    expect(upstream.unsaid().count).toBe(1);
    // Nobody asks again: to announce everything each quarter of an hour would not bring it back.
    const told = broker.received.length;
    await upstream.tellHealth(HEALTH);
    await later(10);
    expect(broker.received.length).toBe(told + 1);
    // On another link nobody knows whether it would be refused.
    broker.cut();
    await later(2_000);
    expect(upstream.unsaid().count).toBe(0);
  });

  it('whoever asks for answers on ever other topics below its name fills no memory', async () => {
    const upstream = create(['SP-1']);
    upstream.start();
    await later(10);
    broker.refuses = (topic) => topic.startsWith(`${BELOW}r`) && !topic.endsWith('/up/rsp');
    const answer: Answer = {
      ...{ id: 'q1', name: 'ping', status: 'done', code: 'ok', at: T0, data: {} },
    };
    for (let i = 0; i < 20; i += 1) {
      const responseTopic = `${BELOW}r${i}`;
      const said = upstream.answer(answer, {
        ...{ topic: 'x', payload: '', bytes: 0, retained: false, responseTopic },
      });
      await later(100);
      await said;
    }
    expect(heard().filter((path) => path === 'rsp')).toHaveLength(20);
    expect(upstream.unsaid().count).toBe(0);
  });

  it('S1: ready and the will carry the session of this start', async () => {
    create(['SP-1'], 'S7').start();
    await later(10);
    expect(kept('state')).toMatchObject({ state: 'ready', session: 'S7' });
    broker.vanish();
    await later(10);
    expect(kept('state')).toEqual({
      ...{ v: 1, type: 'state', collector: 'COL-1', session: 'S7', state: 'lost' },
    });
  });

  it('S1: a clean stop says disconnected, and no will follows', async () => {
    const upstream = create(['SP-1']);
    upstream.start();
    await later(10);
    await clock.runUntil(upstream.stop());
    await later(120_000);
    expect(kept('state')).toMatchObject({ state: 'disconnected', session: 'S1' });
  });

  it('a stop ends though the broker acknowledges nothing', async () => {
    const upstream = create(['SP-1']);
    upstream.start();
    await later(10);
    broker.withheld = 'messages';
    const from = clock.trueNow();
    await clock.runUntil(upstream.stop());
    expect(clock.trueNow() - from).toBeLessThanOrEqual(32_000);
  });

  it('S2: birth tells epoch, oldest hour, what waits, and each meter’s revision as in its info', async () => {
    create(['SP-1', 'SP-2']).start();
    await later(10);
    expect(kept('birth')).toMatchObject({
      ...{ software: '1.2.3', contract: '1.0', config_rev: 'c1', session: 'S1' },
      ...{ epoch: journal.epoch, oldest_hour: '2026-06-01T00:00:00Z', rows_pending: 3 },
      commands: [],
      meters: ['SP-1', 'SP-2'].map((meter) => ({
        meter,
        inst: 1,
        rev: kept(`meter/${meter}/info`).rev,
      })),
    });
  });

  it('S2: one damaged entry does not keep the birth back', async () => {
    await journal.close();
    const [key, text] = [...medium.dump()].find(([one]) => one.startsWith('h/')) ?? ['', ''];
    const store = await medium.open();
    if (!store.ok) throw new Error('not opened');
    await store.value.write([{ key, value: `${text}9` }]);
    await store.value.close();
    journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': COARSE });
    create(['SP-1', 'SP-2']).start();
    await later(10);
    expect(kept('birth')).toMatchObject({ oldest_hour: null, rows_pending: 3 });
  });

  it('S3: rev names the content: another description has another one, the same the same', async () => {
    const upstream = create(['SP-1', 'SP-2']);
    upstream.start();
    await later(10);
    const before = kept('meter/SP-2/info');
    await clock.runUntil(upstream.describe('SP-2'));
    expect(kept('meter/SP-2/info')).toEqual(before);
    readHours(journal, 'SP-2', 0, 1);
    await clock.runUntil(upstream.describe('SP-2'));
    const after = kept('meter/SP-2/info');
    expect(after).toMatchObject({ initial_read: 0, installed: '2026-06-01T00:00:00Z', pow10: 2 });
    expect(after.rev).not.toBe(before.rev);
  });

  it('a meter that is no longer in the settings is cleared by an empty payload, and not in birth', async () => {
    create(['SP-1', 'SP-2'], 'S1').start();
    await later(10);
    create(['SP-1'], 'S2').start();
    await later(10);
    expect(broker.retained.has(`${BELOW}meter/SP-2/info`)).toBe(false);
    expect(broker.received.at(-2)).toMatchObject({ payload: '', retain: true });
    expect(kept('birth').meters.map(({ meter }: { meter: string }) => meter)).toEqual(['SP-1']);
  });

  it('says and hears on the topics of the AsyncAPI document and no other, each as it stands there', async () => {
    const headEnd = broker.headEnd({ clock });
    const listened: string[] = [];
    const listen = headEnd.listen.bind(headEnd);
    headEnd.listen = (topics, hear) => {
      listened.push(...topics);
      listen(topics, hear);
    };
    const upstream = create(['SP-1'], 'S1', headEnd);
    upstream.start();
    await later(10);
    const event: EventRow = {
      ...{ kind: 'event', inst: 1, alarm: 1, message: 0, phase: 'raise', severity: 'major' },
      ...{ meter: 'SP-1', row: 90, at: T0, since: T0, data: {}, code: 'read.silent' },
    };
    const own: EventRow = { ...event, meter: '', inst: 0, code: 'journal.pressure' };
    for (const rows of [journal.takeFresh(), [event], [own]]) {
      for (const one of prepared(upstream, rows, 'scheduled')) {
        await clock.runUntil(upstream.publish(one));
      }
    }
    await clock.runUntil(upstream.tellHealth(HEALTH));
    await clock.runUntil(upstream.tellScorecard(SCORES));
    await clock.runUntil(upstream.tellLast('SP-1'));
    const question = { topic: 'x', payload: '', bytes: 0, retained: false } as const;
    const answer = { id: 'q', name: 'ping', status: 'done', code: 'ok', at: T0, data: {} } as const;
    await clock.runUntil(upstream.answer(answer, question));
    // That each keeps its schema the broker looks after.
    const said = broker.received.map(({ topic, qos, retain }) => {
      return ['send', topic.replace(/SP-\d/, '{meter}'), qos, retain].join(' ');
    });
    const heardOn = listened.map((topic) => `receive ${topic.replace(/\+$/, '{name}')}`);
    const inDocument = asyncApiLines({ utility: 'u', collector: 'COL-1' });
    const [sent, received] = ['send', 'receive'].map((action) =>
      inDocument.filter((line) => line.startsWith(`${action} `)),
    );
    expect([...new Set(said)].sort()).toEqual(sent?.sort());
    expect(heardOn.sort()).toEqual(received?.map((line) => line.replace(/ \d \w+$/, '')).sort());
  });

  it('sends rows unretained with the dial of their installation; good with those acknowledged', async () => {
    const upstream = create(['SP-1']);
    upstream.start();
    await later(10);
    const rows = journal.takeFresh();
    const [message] = prepared(upstream, rows, 'backfill');
    expect(message?.rows).toEqual(rows);
    expect(await clock.runUntil(upstream.publish(message as Prepared))).toMatchObject({ ok: true });
    const heardLast = broker.received.at(-1);
    expect(heardLast).toMatchObject({
      topic: `${BELOW}meter/SP-1/interval`,
      qos: 1,
      retain: false,
    });
    expect(JSON.parse(heardLast?.payload ?? '')).toMatchObject({
      ...{ meter: 'SP-1', inst: 1, digits: 8, pow10: -1, cause: 'backfill', epoch: journal.epoch },
    });
  });

  it('rows that the broker refuses, or that nobody can take, are not called sent', async () => {
    const upstream = create(['SP-1']);
    const rows = journal.takeFresh();
    const [message] = prepared(upstream, rows, 'scheduled') as [Prepared];
    const offline = await clock.runUntil(upstream.publish(message));
    expect(offline).toMatchObject({ ok: false, fault: { code: 'upstream.offline' } });
    upstream.start();
    await later(10);
    broker.refuses = () => true;
    const refused = await clock.runUntil(upstream.publish(message));
    expect(refused).toMatchObject({ ok: false, fault: { code: 'upstream.refused' } });
  });

  it('S2: a birth that is larger than the broker takes has count and hash in place of the meters', async () => {
    const headEnd = broker.headEnd({ clock });
    headEnd.payloadMax = () => 310;
    create(['SP-1', 'SP-2'], 'S1', headEnd).start();
    await later(10);
    expect(kept('birth')).toMatchObject({ meters_count: 2, session: 'S1' });
    expect(kept('birth').meters).toBeUndefined();
    expect(broker.retained.get(`${BELOW}birth`)?.length).toBeLessThanOrEqual(310);
  });

  describe('the answer to a command', () => {
    const answer = (data: object) =>
      ({ id: 'c-1', name: 'events.list', status: 'done', code: 'ok', at: T0, data }) as const;
    const question = { topic: '', payload: '', bytes: 0, retained: false };
    const correlation = new Uint8Array(100);
    const limited = (bytes: number) => {
      const headEnd = broker.headEnd({ clock });
      headEnd.payloadMax = () => bytes;
      const upstream = create([], 'S1', headEnd);
      upstream.start();
      return upstream;
    };
    const answers = () => broker.received.filter(({ payload }) => payload.includes('"rsp"'));

    it('C1: goes where it is awaited; where the broker does not let us, it is told as all others are', async () => {
      const upstream = limited(1_000_000);
      await later(10);
      broker.refuses = (topic) => topic === 'theirs/only';
      for (const responseTopic of ['theirs/too', 'theirs/only', 'not/#', '$SYS/no', '']) {
        await clock.runUntil(upstream.answer(answer({}), { ...question, responseTopic }));
      }
      const own = `${BELOW}rsp`;
      expect(answers().map(({ topic }) => topic)).toEqual(['theirs/too', own, own, own, own]);
    });

    it('C1: that is larger than the broker takes is answered as an error, and not with silence', async () => {
      const upstream = limited(1_000);
      await later(10);
      const large = answer({ events: 'x'.repeat(1_000) });
      await clock.runUntil(upstream.answer(large, { ...question, correlation }));
      await clock.runUntil(upstream.answer(answer({ events: [] }), question));
      expect(answers().map(({ payload }) => JSON.parse(payload))).toMatchObject([
        { id: 'c-1', name: 'events.list', status: 'error', code: 'internal' },
        { id: 'c-1', name: 'events.list', status: 'done', code: 'ok' },
      ]);
    });

    it('C1: to a question whose correlation data leave no room goes without them', async () => {
      const upstream = limited(500);
      await later(10);
      const large = { ...question, correlation: new Uint8Array(480) };
      await clock.runUntil(upstream.answer(answer({}), large));
      expect(answers()).toHaveLength(1);
    });
  });
});
