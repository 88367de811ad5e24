// The published contract itself: schemas that refuse what it forbids, types that follow them, an AsyncAPI document that is whole.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { assertContract, CONTRACT, kindOf, SCHEMAS, validatorOf } from './schemas.ts';
import { contractTypes } from './types.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const KINDS = [...SCHEMAS.keys()].filter((kind) => kind !== 'common');

const HOUR = {
  ...{ row: 20811, start: '2026-11-22T03:00:00Z', read: 1234603, at: '2026-11-22T04:00:02Z' },
  ...{ total: 20427, use: 12, q: 'A', n: 60, flags: [] },
};
const GAP = {
  ...{ row: 20812, from: '2026-11-22T01:45:00Z', to: '2026-11-22T03:10:00.250Z' },
  ...{ use: 7, why: 'bus', flags: ['rollover'] },
};
const INTERVAL = {
  ...{ v: 1, type: 'interval', collector: 'COL-00017', epoch: '01JD9Z', meter: 'SP-1', inst: 2 },
  ...{ unit: 'ft3', pow10: -1, digits: 8, len: 3600, cause: 'scheduled' },
  ...{ sent: '2026-11-22T04:00:21Z', intervals: [HOUR], gaps: [GAP] },
};
const keeps = (kind: string, message: object) => validatorOf(kind)(message);
const withHour = (change: object) => ({ ...INTERVAL, intervals: [{ ...HOUR, ...change }] });
const withGap = (change: object) => ({ ...INTERVAL, gaps: [{ ...GAP, ...change }] });

describe('the schemas of the contract', () => {
  it('take the interval message that the contract shows', () => {
    expect(keeps('interval', INTERVAL)).toBe(true);
  });

  it.each([
    ['an hour in local time', withHour({ start: '2026-11-22T03:00:00-06:00' })],
    ['an hour that begins within an hour', withHour({ start: '2026-11-22T03:30:00Z' })],
    ['a day that no month has', withHour({ at: '2026-11-32T04:00:02Z' })],
    ['volume as a float', withHour({ use: 1.2 })],
    ['volume as text', withHour({ use: '12' })],
    ['a negative dial', withHour({ read: -1 })],
    ['an actual hour without its use', withHour({ use: null })],
    ['a missing hour filled with zero', withHour({ q: 'M', read: null, total: null, use: 0 })],
    ['a suspect hour with a use', withHour({ q: 'S' })],
    ['an estimated hour', withHour({ q: 'E' })],
    ['an unknown flag', withHour({ flags: ['wet'] })],
    ['a flag twice', withHour({ flags: ['gap', 'gap'] })],
    ['an hour without its row', withHour({ row: undefined })],
    ['a gap of an unknown cause', withGap({ why: 'weather' })],
    ['a gap that begins nowhere', withGap({ from: undefined })],
    ['hours that are not of an hour', { ...INTERVAL, len: 900 }],
    ['an unknown cause of sending', { ...INTERVAL, cause: 'whim' }],
    ['an installation of number 0', { ...INTERVAL, inst: 0 }],
    ['a unit that nobody agreed on', { ...INTERVAL, unit: 'bucket' }],
    ['a customer’s name for a meter', { ...INTERVAL, meter: 'Mrs. Smith' }],
    ['more than a week of hours', { ...INTERVAL, intervals: Array(169).fill(HOUR) }],
    ['another major version', { ...INTERVAL, v: 2 }],
  ])('refuse %s', (_, message) => {
    expect(keeps('interval', JSON.parse(JSON.stringify(message)))).toBe(false);
  });

  it('are open for fields of a later minor version', () => {
    expect(keeps('interval', { ...withHour({ temperature_c: 4 }), zone: 7 })).toBe(true);
  });

  it('refuse an answer whose code contradicts its status, and a command that never expires', () => {
    const rsp = { v: 1, type: 'rsp', id: 'a', name: 'ping', at: '2026-11-22T04:00:21Z', data: {} };
    expect(keeps('rsp', { ...rsp, status: 'done', code: 'ok' })).toBe(true);
    expect(keeps('rsp', { ...rsp, status: 'done', code: 'busy' })).toBe(false);
    expect(keeps('rsp', { ...rsp, status: 'error', code: 'ok' })).toBe(false);
    const cmd = { v: 1, type: 'cmd', id: 'a', name: 'ping', by: 'ops', issued: rsp.at, args: {} };
    expect(keeps('cmd', { ...cmd, expires: rsp.at })).toBe(true);
    expect(keeps('cmd', cmd)).toBe(false);
  });

  it('every kind states its version, its type and which fields must be there', () => {
    for (const kind of KINDS) {
      expect(keeps(kind, {})).toBe(false);
      const { required, properties } = SCHEMAS.get(kind) ?? {};
      expect(required).toEqual(expect.arrayContaining(['v', 'type']));
      expect(properties?.['v']?.const).toBe(1);
      expect(properties?.['type']?.const).toBe(kind);
    }
  });

  it('a breach is told with its topic, and an unknown topic is one', () => {
    const topic = 'watermeter-v1/u/COL-1/up/meter/SP-1/interval';
    expect(() => assertContract(topic, JSON.stringify(INTERVAL))).not.toThrow();
    expect(() => assertContract(topic, JSON.stringify(withHour({ use: 0.5 })))).toThrow(/use/);
    expect(() => assertContract('watermeter-v1/u/COL-1/up/water', '{}')).toThrow(/no topic/);
    expect(() => assertContract('watermeter-v1/u/COL-1/up/meter/SP-1/info', '')).not.toThrow();
  });
});

describe('the types of the messages', () => {
  // `npm run fix` writes the files anew.
  it.each(['src/codec/contract.ts', 'simulator/contract-rules/messages.ts'])(
    'in %s are those of the schemas',
    async (file) => {
      await expect(contractTypes()).toMatchFileSnapshot(join(root, file));
    },
  );
});

interface AsyncApi {
  readonly channels: Readonly<Record<string, { address: string; messages: object }>>;
  readonly operations: Readonly<
    Record<
      string,
      { channel: { $ref: string }; bindings: { mqtt: { qos: number; retain: boolean } } }
    >
  >;
  readonly components: { readonly messages: Readonly<Record<string, unknown>> };
}

/** The contract's table of topics: direction, QoS, retained. */
const TABLE: Readonly<Record<string, readonly ['send' | 'receive', 0 | 1, boolean]>> = {
  '{collector}/up/state': ['send', 1, true],
  '{collector}/up/birth': ['send', 1, true],
  '{collector}/up/health': ['send', 0, false],
  '{collector}/up/meter/{meter}/info': ['send', 1, true],
  '{collector}/up/meter/{meter}/interval': ['send', 1, false],
  '{collector}/up/meter/{meter}/event': ['send', 1, false],
  '{collector}/up/meter/{meter}/last': ['send', 0, true],
  '{collector}/up/event': ['send', 1, false],
  '{collector}/up/scorecard': ['send', 1, false],
  '{collector}/up/rsp': ['send', 1, false],
  '{collector}/dn/cmd/{name}': ['receive', 1, false],
  '{collector}/dn/ack': ['receive', 1, true],
  '_headend/state': ['receive', 1, true],
};

describe('the AsyncAPI document', () => {
  const text = readFileSync(join(CONTRACT, 'asyncapi.yaml'), 'utf8');
  const document = parse(text) as AsyncApi & Readonly<Record<string, unknown>>;

  const pointed = (ref: string): unknown =>
    ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);

  function refsOf(node: unknown): string[] {
    if (typeof node !== 'object' || node === null) return [];
    return Object.entries(node).flatMap(([key, one]) =>
      key === '$ref' && typeof one === 'string' ? [one] : refsOf(one),
    );
  }

  it('is of version 3 and tells its own', () => {
    expect(document['asyncapi']).toBe('3.0.0');
    expect(document['info']).toMatchObject({ title: expect.any(String), version: '1.0' });
  });

  it('has every topic of the contract, with its direction, QoS and retain', () => {
    const operations = Object.entries(document.operations).map(([, operation]) => {
      const channel = pointed(operation.channel.$ref) as { address: string };
      const { qos, retain } = operation.bindings.mqtt;
      const { action } = operation as unknown as { action: string };
      return [channel.address.replace('watermeter-v1/{utility}/', ''), [action, qos, retain]];
    });
    expect(Object.fromEntries(operations)).toEqual(TABLE);
    const addresses = Object.values(document.channels).map(({ address }) => address);
    expect(addresses).toHaveLength(Object.keys(TABLE).length);
  });

  it('every parameter of an address is declared', () => {
    for (const { address, ...channel } of Object.values(document.channels)) {
      const names = [...address.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const { parameters } = channel as unknown as { parameters: object };
      expect(Object.keys(parameters).sort()).toEqual(names.sort());
    }
  });

  it('every reference leads somewhere, and every schema is used', () => {
    const refs = refsOf(document);
    const files = refs.filter((ref) => ref.startsWith('./'));
    for (const ref of refs.filter((one) => one.startsWith('#/')))
      expect(pointed(ref)).toBeDefined();
    expect(files.map((ref) => ref.slice(2)).sort()).toEqual(
      KINDS.map((kind) => `${kind}.schema.json`).sort(),
    );
  });

  it('the topics of the table are those whose payloads the schemas judge', () => {
    const kinds = Object.keys(TABLE).map((path) =>
      kindOf(`watermeter-v1/u/${path.replace('{collector}', 'C').replace(/\{\w+\}/, 'X')}`),
    );
    expect([...new Set(kinds)].sort()).toEqual([...KINDS].sort());
  });
});
