// Shows that a head-end stores durably, acknowledges only what it stored, asks for what is missing, and shares its load.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Acks, ASK_AFTER_MS } from '../../simulator/acks.ts';
import { startBroker } from '../../simulator/broker.ts';
import { RowSet } from '../../simulator/contract-rules/row-set.ts';
import { decimal, toCsv } from '../../simulator/csv.ts';
import type { HourEntry } from '../../simulator/entries.ts';
import { HeadEnd, readKept } from '../../simulator/head-end.ts';
import { runHeadEnd } from '../../simulator/head-end-program.ts';
import { forget, KeptStore } from '../../simulator/kept-store.ts';
import { assertContract } from '../contract/schemas.ts';
import { hasMosquitto, mosquitto } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'kept-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (name = 'kept.ndjson') => {
  files += 1;
  return join(folder, `${files}-${name}`);
};

const START = Date.UTC(2026, 5, 1);
const iso = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');
/** The hour of a row: row 1 is the first. */
const hour = (row: number, more: object = {}) => ({
  ...{
    row,
    start: iso(START + row * 3_600_000),
    read: row,
    at: iso(START + (row + 1) * 3_600_000),
  },
  ...{ total: row, use: 1, q: 'A', n: 4, flags: [], ...more },
});
const message = (...rows: number[]) => ({
  ...{ v: 1, type: 'interval', collector: 'COL-1', epoch: 'E1', meter: 'SP-1', inst: 1 },
  ...{ unit: 'ft3', pow10: -1, digits: 8, len: 3600, cause: 'scheduled' },
  ...{ sent: '2026-06-01T12:00:00Z', intervals: rows.map((row) => hour(row)), gaps: [] },
});
const TOPIC = 'watermeter-v1/u/COL-1/up/meter/SP-1/interval';

describe('the acknowledgement of rows', () => {
  const rowsOf = (...rows: number[]) => {
    const set = new RowSet();
    for (const row of rows) set.add(row);
    return set;
  };

  it('A1: claims every row up to the first hole, and a young hole is not asked for', () => {
    const acks = new Acks('COL-1');
    expect(acks.next('E1', rowsOf(1, 2, 3), 0)).toMatchObject({ row: 3, missing: [], epoch: 'E1' });
    expect(acks.next('E1', rowsOf(1, 2, 3, 7, 9), 1_000)).toBeUndefined();
    const asked = acks.next('E1', rowsOf(1, 2, 3, 7, 9), 1_000 + ASK_AFTER_MS);
    expect(asked).toMatchObject({
      row: 9,
      missing: [
        [4, 6],
        [8, 8],
      ],
    });
    expect(() =>
      assertContract('watermeter-v1/u/COL-1/dn/ack', JSON.stringify(asked)),
    ).not.toThrow();
  });

  it('A1: what is still missing is asked for again, what has come is not', () => {
    const acks = new Acks('COL-1');
    acks.next('E1', rowsOf(1, 5), 0);
    acks.next('E1', rowsOf(1, 5), ASK_AFTER_MS);
    expect(acks.next('E1', rowsOf(1, 5), ASK_AFTER_MS + 1_000)).toBeUndefined();
    expect(acks.next('E1', rowsOf(1, 5), 2 * ASK_AFTER_MS)?.missing).toEqual([[2, 4]]);
    expect(acks.next('E1', rowsOf(1, 2, 3, 4, 5), 2 * ASK_AFTER_MS + 1)).toMatchObject({
      ...{ row: 5, missing: [] },
    });
  });

  it('A1: `sent` rises although the clock steps back', () => {
    const acks = new Acks('COL-1');
    const first = acks.next('E1', rowsOf(1), 10_000)?.sent ?? '';
    const second = acks.next('E1', rowsOf(1, 2), 5_000)?.sent ?? '';
    expect(Date.parse(second)).toBeGreaterThan(Date.parse(first));
  });

  it('A1: more holes than a message holds are asked for from the oldest on', () => {
    const acks = new Acks('COL-1');
    const odd = rowsOf(...Array.from({ length: 5_000 }, (_, i) => 2 * i + 1));
    acks.next('E1', odd, 0);
    const ack = acks.next('E1', odd, ASK_AFTER_MS);
    expect(JSON.stringify(ack).length).toBeLessThan(32 * 1024);
    expect(ack?.missing[0]).toEqual([2, 2]);
    expect(ack?.row).toBe((ack?.missing.at(-1)?.[1] ?? 0) + 1);
  });
});

describe('the store of a head-end', () => {
  it('is read again up to the line at which a run was cut off', async () => {
    const path = fresh();
    const opened = await KeptStore.open(path, undefined, () => undefined);
    for (const row of [1, 2]) opened.store.add({ type: 'row', collector: 'C', epoch: 'E', row });
    await opened.store.synced();
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2);
    await opened.store.close();
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"type":"row","collector":"C","ep`);
    const again = await KeptStore.open(path, undefined, () => undefined);
    expect(again.lines).toHaveLength(2);
    again.store.add({ type: 'row', collector: 'C', epoch: 'E', row: 3 });
    await again.store.close();
    const third = await KeptStore.open(path, undefined, () => undefined);
    expect(third.lines).toHaveLength(3);
    await third.store.close();
  });

  it('of a shared folder is known to every instance, and one alone speaks', async () => {
    const shared = fresh('shared');
    const one = await KeptStore.open(shared, 'a', () => undefined);
    const other = await KeptStore.open(shared, 'b', () => undefined);
    expect([await one.store.leads(0), await other.store.leads(0)]).toEqual([true, false]);
    one.store.add({ type: 'row', collector: 'C', epoch: 'E', row: 1 });
    await one.store.synced();
    expect(other.store.fromOthers()).toEqual([{ type: 'row', collector: 'C', epoch: 'E', row: 1 }]);
    expect(other.store.fromOthers()).toEqual([]);
    // Gone without a word: its lock grows old.
    const later = Date.now() + 60_000;
    expect(await other.store.leads(later)).toBe(true);
    expect(await one.store.leads(later)).toBe(false);
    await one.store.close();
    await other.store.close();
    expect(existsSync(join(shared, 'voice.lock'))).toBe(false);
  });

  it('does not count a line of another instance before that has made sure of it', async () => {
    const shared = fresh('shared');
    const one = await KeptStore.open(shared, 'a', () => undefined);
    writeFileSync(
      join(shared, 'kept-b.ndjson'),
      '{"type":"row","collector":"C","epoch":"E","row":1}\n',
    );
    expect(one.store.fromOthers()).toEqual([]);
    writeFileSync(
      join(shared, 'kept-b.ndjson'),
      '{"type":"row","collector":"C","epoch":"E","row":1}\n{"type":"synced"}\n{"type":"row"',
    );
    expect(one.store.fromOthers()).toHaveLength(1);
    await one.store.close();
  });
});

describe('a head-end with a store', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>;
  let collector: MqttClient;
  const down: { topic: string; payload: string }[] = [];
  const running: HeadEnd[] = [];
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.close());
  beforeEach(async () => {
    down.length = 0;
    collector = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
    collector.on('message', (topic, payload) => down.push({ topic, payload: String(payload) }));
    await collector.subscribeAsync(
      ['watermeter-v1/u/COL-1/dn/ack', 'watermeter-v1/u/_headend/state'],
      { qos: 1 },
    );
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.close();
    await collector.endAsync();
  });
  const send = (body: object) => collector.publishAsync(TOPIC, JSON.stringify(body), { qos: 1 });
  const heardAck = (row: number) =>
    down.some(({ topic, payload }) => topic.endsWith('/ack') && JSON.parse(payload).row === row);
  const open = async (more: object) => {
    const opened = await HeadEnd.connect({ url: broker.url, utility: 'u', acks: true, ...more });
    running.push(opened);
    return opened;
  };

  it('says that it listens, acknowledges what it stored, and says when it leaves', async () => {
    const store = fresh();
    await open({ store, clientId: 'he-1' });
    await send(message(1, 2));
    await until('the ack', () => heardAck(2));
    const kept = readKept(store);
    expect(kept.rowsOf('COL-1', 'E1').ranges()).toEqual([[1, 2]]);
    for (const { topic, payload } of down) {
      expect(() => assertContract(topic, payload)).not.toThrow();
    }
    const states = () =>
      down
        .filter(({ topic }) => topic.endsWith('/state'))
        .map(({ payload }) => JSON.parse(payload).state);
    expect(states().at(-1)).toBe('online');
    await running.pop()?.close();
    await until('its leave', () => states().at(-1) === 'offline');
  });

  it('taken up again has what it had, and what came meanwhile', async () => {
    const store = fresh();
    await (await open({ store, clientId: 'he-2' })).close();
    running.pop();
    await send(message(1, 2, 3));
    const again = await open({ store, clientId: 'he-2' });
    await until('what waited', () => again.entries().length === 3);
    await again.close();
    running.pop();
    const third = await open({ store, clientId: 'he-2', acks: false });
    expect(third.entries()).toHaveLength(3);
  });

  it('keeps its acknowledgements to itself when told to, and loses what it is told to lose', async () => {
    let drop = true;
    const lossy = await open({
      store: fresh(),
      clientId: 'he-3',
      noAckMs: 600_000,
      drops: () => drop,
    });
    await send(message(4));
    await until('it is through the broker', () => collector.connected);
    drop = false;
    await send(message(5));
    await until('the second', () => lossy.entries().length === 1);
    expect(
      down.filter(({ topic, payload }) => topic.endsWith('/ack') && JSON.parse(payload).row >= 4),
    ).toEqual([]);
  });

  it('that came back from an older copy has rows to ask for', async () => {
    const path = fresh();
    await open({ store: path, clientId: 'he-4' });
    await send(message(1, 2, 3, 4));
    await until('the ack', () => heardAck(4));
    await running.pop()?.close();
    const gone = forget(path, (line) => line.type === 'entry' && line.sent['row'] === 3);
    expect(gone).toBe(1);
    const kept = readKept(path);
    expect(kept.rowsOf('COL-1', 'E1').holes()).toEqual([[3, 3]]);
  });

  it('the command line forgets the newest of a store when asked to', async () => {
    const store = fresh();
    const first = await open({ store, clientId: 'he-6' });
    await send(message(1, 2, 3, 4));
    await until('they are kept', () => first.entries().length === 4);
    await running.pop()?.close();
    const said: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    const args = ['--store', store, '--forget', '2h', '--for', '0.1s', '--json'];
    const exit = await runHeadEnd([...args, '--broker', broker.url, '--utility', 'u']);
    vi.restoreAllMocks();
    expect(exit).toBe(0);
    expect(JSON.parse(said[0] ?? '')).toMatchObject({ type: 'forgot', lines: 2 });
    expect(readKept(store).rowsOf('COL-1', 'E1').ranges()).toEqual([[1, 2]]);
  });

  it('the command line exports what a store keeps, without a broker', async () => {
    const store = fresh();
    const csv = fresh('hours.csv');
    const first = await open({ store, clientId: 'he-5' });
    await send(message(1, 2));
    await until('they are kept', () => first.entries().length === 2);
    await running.pop()?.close();
    const said = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const exit = await runHeadEnd(['--offline', '--store', store, '--export', csv]);
    said.mockRestore();
    expect(exit).toBe(0);
    const [head = '', ...lines] = readFileSync(csv, 'utf8').trim().split('\r\n');
    expect(lines).toHaveLength(2);
    const cells = Object.fromEntries(
      head.split(',').map((name, i) => [name, lines[0]?.split(',')[i]]),
    );
    expect(cells).toMatchObject({ meter: 'SP-1', use: '1', volume: '0.1', quality: 'A', row: '1' });
  });
});

describe.skipIf(!hasMosquitto)('head-ends that share a load (needs mosquitto)', () => {
  it('each get a part, together keep all, and acknowledge it as one', async () => {
    const broker = await mosquitto({ acl: 'topic readwrite #' });
    await broker.start();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const store = fresh('shared');
    const acks: number[] = [];
    const collector = await mqtt.connectAsync(url, { protocolVersion: 5 });
    collector.on('message', (_, payload) => acks.push(JSON.parse(String(payload)).row));
    await collector.subscribeAsync('watermeter-v1/u/COL-1/dn/ack', { qos: 1 });
    const parts: number[] = [0, 0];
    const heads = await Promise.all(
      ['a', 'b'].map((instance, i) =>
        HeadEnd.connect({
          ...{ url, utility: 'u', acks: true, store, instance, clientId: `share-${instance}` },
          onMessage: ({ topic }) => {
            if (topic === TOPIC) parts[i] = (parts[i] ?? 0) + 1;
          },
        }),
      ),
    );
    for (let row = 1; row <= 20; row += 1) {
      await collector.publishAsync(TOPIC, JSON.stringify(message(row)), { qos: 1 });
    }
    await until('all rows are acknowledged', () => acks.includes(20), 20_000);
    expect(parts.reduce((sum, one) => sum + one, 0)).toBe(20);
    expect(Math.min(...parts)).toBeGreaterThan(0);
    expect(acks).toEqual([...acks].sort((a, b) => a - b));
    for (const head of heads) await head.close();
    await collector.endAsync();
    await broker.dispose();
    expect(readKept(store).rowsOf('COL-1', 'E1').ranges()).toEqual([[1, 20]]);
  });
});

describe('the CSV of hours and gaps', () => {
  it('states volume exactly, and no text that a spreadsheet would run', () => {
    expect([decimal(12, -1), decimal(-3, -2), decimal(7, 2), decimal(0, 2), decimal(5, 0)]).toEqual(
      [...['1.2', '-0.03', '700', '0', '5']],
    );
    const entry: HourEntry = {
      kind: 'hour',
      ...{ meter: '-2+3', inst: 1, unit: 'ft3', pow10: -1, digits: 8, rev: 0 },
      ...{ start: START, read: 1, at: START, total: -7, use: -7, q: 'A' },
    };
    const text = toCsv([
      { collector: 'C', epoch: 'E', entry, sent: { row: 1, flags: ['reverse'] } },
    ]);
    expect(text.split('\r\n')[1]).toMatch(
      /^C,'-2\+3,1,hour,.*,-7,-7,ft3,-1,-0\.7,A,,reverse,0,E,1$/,
    );
  });
});
