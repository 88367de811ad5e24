// Shows that the reference head-end keeps entries by key and revision, and misses nothing while it is away.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startBroker } from '../../simulator/broker.ts';
import type { HourEntry } from '../../simulator/entries.ts';
import { BrokerRefused, HeadEnd } from '../../simulator/head-end.ts';
import { runHeadEnd } from '../../simulator/head-end-program.ts';

const UTILITY = 'rivertown';
const COLLECTOR = 'COL-00017';
const METER = 'SP-1';
const UP = `watermeter-v1/${UTILITY}/${COLLECTOR}/up`;

const hour = (start: string, use: number | null, more: object = {}) => ({
  row: 7,
  start,
  read: 100,
  at: start.replace(':00:00Z', ':59:58Z'),
  total: 50,
  use,
  q: 'A',
  n: 4,
  flags: [],
  ...more,
});

const message = (intervals: object[], gaps: object[] = [], more: object = {}) =>
  JSON.stringify({
    v: 1,
    type: 'interval',
    collector: COLLECTOR,
    epoch: '01JD9Z',
    meter: METER,
    inst: 1,
    unit: 'ft3',
    pow10: -1,
    digits: 8,
    len: 3600,
    cause: 'scheduled',
    sent: '2026-06-01T04:00:21Z',
    intervals,
    gaps,
    ...more,
  });

const info = (more: object = {}) =>
  JSON.stringify({
    v: 1,
    type: 'meter',
    meter: METER,
    inst: 1,
    digits: 8,
    unit: 'ft3',
    pow10: -1,
    initial_read: 50,
    installed: '2026-06-01T00:10:00Z',
    ...more,
  });

interface RunningBroker {
  readonly url: string;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function startMosquitto(): Promise<RunningBroker> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'head-end-mosquitto-'));
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const child = spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `mqtt://127.0.0.1:${port}`;
  await vi.waitFor(async () => (await HeadEnd.connect({ url, utility: 'probe' })).close(), 10_000);
  return {
    url,
    close: async () => {
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function hasMosquitto(): boolean {
  try {
    execFileSync('mosquitto', ['-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // Its usage text comes with a non-zero exit; only a missing program has a code.
    return Reflect.get(error as object, 'code') !== 'ENOENT';
  }
}

/** The suite that any broker has to let the head-end pass. */
function keepsWhatIsPublished(start: () => Promise<RunningBroker>): void {
  let broker: RunningBroker;
  let collector: MqttClient;
  let headEnd: HeadEnd;
  const folder = mkdtempSync(join(tmpdir(), 'head-end-'));

  const publish = (topic: string, payload: string, retain = false) =>
    collector.publishAsync(`${UP}/${topic}`, payload, { qos: 1, retain });
  const publishHours = (payload: string) => publish(`meter/${METER}/interval`, payload);
  const arrived = (messages: number) =>
    vi.waitFor(() => expect(headEnd.counts().messages).toBe(messages), 5_000);

  beforeAll(async () => {
    broker = await start();
  });
  afterAll(async () => {
    await broker.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    headEnd = await HeadEnd.connect({ url: broker.url, utility: UTILITY });
    collector = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
  });
  afterEach(async () => {
    await headEnd.clearRetained();
    await collector.endAsync();
    await headEnd.close();
  });

  test('keeps the hours and gaps of a message by their keys', async () => {
    const gap = { row: 9, from: '2026-06-01T05:00:00Z', to: '2026-06-01T07:10:00Z' };
    const told: number[] = [];
    headEnd.onEntry((entry) => told.push(entry.use ?? -1));
    await publishHours(
      message(
        [hour('2026-06-01T03:00:00Z', 5), hour('2026-06-01T04:00:00Z', 6)],
        [{ ...gap, use: 3, why: 'bus', flags: [] }],
      ),
    );
    await arrived(1);
    expect(headEnd.entries().map(({ kind, use }) => [kind, use])).toEqual([
      ['hour', 5],
      ['hour', 6],
      ['gap', 3],
    ]);
    expect(told).toEqual([5, 6, 3]);
    expect(headEnd.latest(METER)?.start).toBe(Date.parse('2026-06-01T04:00:00Z'));
    expect((headEnd.entries()[0] as HourEntry).at).toBe(Date.parse('2026-06-01T03:59:58Z'));
  });

  test('an equal resend is kept once, whenever and why it was sent', async () => {
    const one = [hour('2026-06-01T03:00:00Z', 5)];
    await publishHours(message(one));
    await publishHours(message(one, [], { cause: 'replay', sent: '2026-06-02T00:00:00Z' }));
    await arrived(2);
    expect(headEnd.entries()).toHaveLength(1);
    expect(headEnd.counts()).toMatchObject({ resends: 1, conflicts: 0 });
  });

  test('an event that comes again is one event', async () => {
    const event = JSON.stringify({
      ...{ v: 1, type: 'event', epoch: 'E1', collector: 'COL-1', row: 4, id: `${METER}-1-1` },
      ...{ meter: METER, inst: 1, code: 'read.silent', severity: 'minor', phase: 'raise' },
      ...{ at: '2026-06-01T03:00:00Z', since: '2026-06-01T03:00:00Z', data: {} },
    });
    await publish(`meter/${METER}/event`, event);
    await publish(`meter/${METER}/event`, event);
    await arrived(2);
    expect(headEnd.counts()).toMatchObject({ events: 1, malformed: 0 });
  });

  test('a resend that differs in a field is a conflict, and the first stays', async () => {
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5)]));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 6)]));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5, { flags: ['late'] })]));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5)], [], { pow10: 0 }));
    await arrived(4);
    expect(headEnd.conflicts()).toHaveLength(3);
    expect(headEnd.entries().map(({ use }) => use)).toEqual([5]);
  });

  test('a resend may have a field more, but none less', async () => {
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5)]));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5, { temperature: 4 })]));
    await arrived(2);
    expect(headEnd.conflicts()).toHaveLength(0);
    const { q, ...less } = hour('2026-06-01T03:00:00Z', 5, { flags: undefined });
    await publishHours(message([{ ...less, q }]));
    await arrived(3);
    expect(headEnd.conflicts()).toHaveLength(1);
  });

  test('the highest rev of an hour wins, in whatever order they come', async () => {
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5, { rev: 2 })]));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 4, { rev: 1 })]));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 8, { rev: 3 })]));
    await arrived(3);
    expect(headEnd.entries().map(({ use, rev }) => [use, rev])).toEqual([[8, 3]]);
    expect(headEnd.counts()).toMatchObject({ stale: 1, restated: 1, conflicts: 0 });
  });

  test('a gap whose use becomes null is withdrawn, and may come again', async () => {
    const gap = { row: 9, from: '2026-06-01T05:00:00Z', to: '2026-06-01T07:10:00Z', why: 'bus' };
    await publishHours(message([], [{ ...gap, use: 3 }]));
    await publishHours(message([], [{ ...gap, use: null, rev: 1 }]));
    await publishHours(message([], [{ ...gap, use: 3 }]));
    await arrived(3);
    expect(headEnd.entries()).toEqual([]);
    await publishHours(message([], [{ ...gap, use: 4, rev: 2 }]));
    await arrived(4);
    expect(headEnd.entries().map(({ use }) => use)).toEqual([4]);
  });

  test('what breaks the contract is counted and not kept', async () => {
    await publishHours('{');
    await publishHours(message([hour('yesterday', 5)]));
    await publishHours(message([{ ...hour('2026-06-01T03:00:00Z', 5), use: '5' }]));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5)], [], { meter: 'SP-2' }));
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5)], [], { v: 2 }));
    await arrived(5);
    expect(headEnd.counts().malformed).toBe(5);
    expect(headEnd.entries()).toEqual([]);
  });

  test('an installation begins as its info says, and does not begin anew', async () => {
    await publish(`meter/${METER}/info`, info(), true);
    await publish(`meter/${METER}/info`, info({ rev: 2, verified: null }), true);
    await arrived(2);
    const installed = Date.parse('2026-06-01T00:10:00Z');
    expect(headEnd.installations()).toEqual([
      { meter: METER, inst: 1, digits: 8, unit: 'ft3', pow10: -1, initialRead: 50, installed },
    ]);
    expect(headEnd.conflicts()).toEqual([]);
    await publish(`meter/${METER}/info`, info({ initial_read: 51 }), true);
    await arrived(3);
    expect(headEnd.conflicts()).toHaveLength(1);
  });

  test('an info kept by the broker from earlier gives way to a new one', async () => {
    await publish(`meter/${METER}/info`, info(), true);
    await arrived(1);
    const later = await HeadEnd.connect({ url: broker.url, utility: UTILITY });
    await vi.waitFor(() => expect(later.installations()[0]?.initialRead).toBe(50), 5_000);
    await publish(`meter/${METER}/info`, info({ initial_read: 60 }), true);
    await vi.waitFor(() => expect(later.installations()[0]?.initialRead).toBe(60), 5_000);
    expect(later.conflicts()).toEqual([]);
    await later.close();
  });

  test('a late will of an old session overrules nothing', async () => {
    const state = (text: string, session: string) =>
      publish('state', JSON.stringify({ v: 1, type: 'state', state: text, session }), true);
    await state('ready', 'one');
    await state('lost', 'one');
    await arrived(2);
    expect(headEnd.state(COLLECTOR)).toBe('lost');
    await state('ready', 'two');
    await state('lost', 'one');
    await arrived(4);
    expect(headEnd.state(COLLECTOR)).toBe('ready');
  });

  test('hours published while the head-end is cut off reach it afterwards', async () => {
    const clientId = `head-end-cut-${Date.now()}`;
    const away = await HeadEnd.connect({ url: broker.url, utility: UTILITY, clientId });
    // Another client of the same id throws it off the broker, as a cut of its own link would.
    const thief = await mqtt.connectAsync(broker.url, {
      protocolVersion: 4,
      clientId,
      clean: false,
      reconnectPeriod: 0,
    });
    thief.end(true);
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5)]));
    await vi.waitFor(() => expect(away.entries()).toHaveLength(1), 10_000);
    await away.close();
  });

  test('what is kept in a file is taken up by the next run, but for a torn line', async () => {
    const store = join(folder, 'kept.ndjson');
    const first = await HeadEnd.connect({ url: broker.url, utility: UTILITY, store });
    await publishHours(message([hour('2026-06-01T03:00:00Z', 5), hour('2026-06-01T04:00:00Z', 6)]));
    await vi.waitFor(() => expect(first.entries()).toHaveLength(2), 5_000);
    await first.close();
    writeFileSync(store, readFileSync(store, 'utf8').slice(0, -9));
    for (const hours of [1, 2]) {
      const next = await HeadEnd.connect({ url: broker.url, utility: UTILITY, store });
      expect(next.entries()).toHaveLength(hours);
      await publishHours(message([hour('2026-06-01T05:00:00Z', 7)]));
      await vi.waitFor(() => expect(next.entries()).toHaveLength(2), 5_000);
      await next.close();
    }
  });
}

describe('the head-end on the embedded broker', () => {
  keepsWhatIsPublished(() => startBroker());

  test('a broker that is not there is told in words', async () => {
    const url = `mqtt://127.0.0.1:${await freePort()}`;
    await expect(HeadEnd.connect({ url, utility: UTILITY })).rejects.toThrow(BrokerRefused);
  });
});

describe('the command line of the head-end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'head-end-command-'));
  const written = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  afterEach(() => {
    vi.restoreAllMocks();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ['a truth that is not there', () => ['--truth', join(folder, 'no-truth.ndjson')]],
    ['a truth that is none', () => ['--truth', written('none.ndjson', '{"type":"other"}\n')]],
    ['a truth that is no JSON', () => ['--truth', written('torn.ndjson', 'water}\n')]],
    ['a store that cannot be written', () => ['--store', join(folder, 'no-folder', 'store')]],
    ['a store that is none', () => ['--store', written('own.txt', 'a letter\nof mine\n')]],
    ['a CSV that cannot be written', () => ['--export', join(folder, 'no-folder', 'x.csv')]],
    ['a certificate that is not there', () => ['--ca', join(folder, 'no-ca.pem')]],
    ['an older copy of no store', () => ['--forget', '1h', '--store', join(folder, 'no-store')]],
  ])('%s is told in words before anything is listened to', async (_, args) => {
    const said: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    expect(await runHeadEnd([...args(), '--json', '--broker', 'mqtt://127.0.0.1:1'])).toBe(1);
    expect(said).toHaveLength(1);
    expect(JSON.parse(said[0] ?? '').error.code).toBe('internal');
    expect(readdirSync(folder)).not.toContain('no-store');
  });

  test.each([
    [['--forget', '1h']],
    [['--no-ack', '1h']],
    [['--instance', 'a']],
    [['--until', '2026-06-01']],
    [['--truth', 'truth', '--until', '2026-06-01T00:00:00']],
    [['--offline']],
    [['--offline', '--store', 'store', '--truth', 'truth']],
  ])('what %j would do nothing for is refused, not passed over', async (args) => {
    const said: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    expect(await runHeadEnd([...args, '--json', '--broker', 'mqtt://127.0.0.1:1'])).toBe(2);
    expect(JSON.parse(said[0] ?? '').error.code).toBe('bad_request');
  });

  test('a look at a store that is not there makes none', async () => {
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    expect(await runHeadEnd(['--offline', '--store', join(folder, 'mistyped')])).toBe(1);
    expect(readdirSync(folder)).not.toContain('mistyped');
  });
});

describe.skipIf(!hasMosquitto())('the head-end on mosquitto (needs mosquitto)', () => {
  keepsWhatIsPublished(startMosquitto);
});
