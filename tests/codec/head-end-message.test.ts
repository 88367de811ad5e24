// Payloads are the contract's, field by field and in its order.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/codec/crc32.ts';
import {
  encodeBirth,
  encodeCollectorState,
  encodeEvent,
  encodeIntervals,
  entryPayload,
  isoTime,
  MESSAGE_BYTES_MAX,
  type MeterFacts,
  meterPayload,
  topicOf,
} from '../../src/codec/head-end-message.ts';
import { type EntryRow, type EventRow, FLAGS } from '../../src/domain/entry.ts';
import type { InstallationFacts } from '../../src/domain/facts.ts';
import { HOUR_MS } from '../../src/domain/units.ts';

const FACTS: InstallationFacts = {
  meter: 'SP-48213377',
  inst: 2,
  dial: { digits: 8, unit: 'ft3', pow10: -1 },
  registerId: '48213377',
  declared: { dial: { digits: 8, unit: 'ft3', pow10: -1 }, registerId: '48213377' },
  bodySerial: null,
  installed: Date.UTC(2026, 10, 1, 8, 30),
  initialRead: 1_214_176,
};
const ENVELOPE = {
  collector: 'COL-00017',
  epoch: '01JD9Z',
  cause: 'scheduled',
  sent: Date.UTC(2026, 10, 22, 4, 0, 21),
} as const;
const HOUR: EntryRow = {
  kind: 'hour',
  meter: 'SP-48213377',
  row: 20_811,
  inst: 2,
  start: Date.UTC(2026, 10, 22, 3),
  read: 1_234_603,
  at: Date.UTC(2026, 10, 22, 4, 0, 2),
  total: 20_427,
  use: 12,
  q: 'A',
  n: 60,
  flags: [],
  rev: 0,
};
const GAP: EntryRow = {
  kind: 'gap',
  meter: 'SP-48213377',
  row: 20_812,
  inst: 2,
  from: Date.UTC(2026, 10, 22, 1, 45),
  to: Date.UTC(2026, 10, 22, 3, 10, 0, 250),
  use: 7,
  why: 'bus',
  flags: ['rollover'],
  rev: 0,
};
const METER: MeterFacts = {
  service: 'active',
  profile: 'generic-8-digit-line',
  bus: 'pole-1',
  address: '1',
  pollS: 900,
  toleranceS: 15,
  maxFlowPerH: 2_406,
};

describe('the contract’s messages', () => {
  it('an interval message is the one of the contract, to the character', () => {
    const [message] = encodeIntervals([HOUR], FACTS, ENVELOPE);
    expect(message?.payload).toBe(
      '{"v":1,"type":"interval","collector":"COL-00017","epoch":"01JD9Z","meter":"SP-48213377","inst":2,"unit":"ft3","pow10":-1,"digits":8,"len":3600,' +
        '"cause":"scheduled","sent":"2026-11-22T04:00:21Z",' +
        '"intervals":[{"row":20811,"start":"2026-11-22T03:00:00Z","read":1234603,"at":"2026-11-22T04:00:02Z","total":20427,"use":12,"q":"A","n":60,"flags":[]}],' +
        '"gaps":[]}',
    );
  });

  it('an hour in a message is the one that is told everywhere else, whatever it holds', () => {
    const counts = fc.option(fc.integer({ min: -1e9, max: 1e9 }));
    const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
    const any = fc.record({
      ...{ row: fc.nat(), start: time, read: fc.option(fc.nat()), at: fc.option(time) },
      ...{
        total: counts,
        use: counts,
        q: fc.constantFrom('A', 'P', 'M', 'S', 'T', 'H'),
        n: fc.nat(),
      },
      ...{ flags: fc.subarray([...FLAGS]), rev: fc.constantFrom(0, 0, 1, 12) },
    });
    fc.assert(
      fc.property(any, (drawn) => {
        const row = { ...HOUR, ...drawn } as EntryRow;
        const [message] = encodeIntervals([row, GAP, row], FACTS, ENVELOPE);
        const text = JSON.stringify(entryPayload(row));
        const gap = JSON.stringify(entryPayload(GAP));
        expect(message?.payload).toContain(`"intervals":[${text},${text}],"gaps":[${gap}]}`);
      }),
    );
  });

  it('an installation’s messages differ in cause and epoch, one after another', () => {
    const headOf = (envelope: typeof ENVELOPE) => {
      const [message] = encodeIntervals([HOUR], FACTS, envelope);
      const { cause, epoch, collector, sent } = JSON.parse(message?.payload ?? '');
      return { cause, epoch, collector, sent };
    };
    const told = { ...ENVELOPE, sent: '2026-11-22T04:00:21Z' };
    expect(headOf(ENVELOPE)).toEqual(told);
    for (const other of [{ cause: 'replay' }, { epoch: 'E2' }, { collector: 'COL-2' }]) {
      expect(headOf({ ...ENVELOPE, ...other } as typeof ENVELOPE)).toEqual({ ...told, ...other });
    }
    const later = { ...ENVELOPE, sent: ENVELOPE.sent + 1_000 } as unknown as typeof ENVELOPE;
    expect(headOf(later).sent).toBe('2026-11-22T04:00:22Z');
  });

  it('I4: a gap tells from when to when, how much and why, apart from the hours', () => {
    const [message] = encodeIntervals([GAP], FACTS, ENVELOPE);
    expect(JSON.parse(message?.payload ?? '')).toMatchObject({
      intervals: [],
      gaps: [
        {
          row: 20_812,
          from: '2026-11-22T01:45:00Z',
          to: '2026-11-22T03:10:00.250Z',
          use: 7,
          why: 'bus',
          flags: ['rollover'],
        },
      ],
    });
  });

  it('I3: a missing hour says null, never zero', () => {
    const missing = { ...HOUR, q: 'M', read: null, at: null, total: null, use: null } as const;
    const told = { q: 'M', read: null, at: null, total: null, use: null };
    expect(entryPayload(missing)).toMatchObject(told);
  });

  it('I6: rev is told only when an entry was restated', () => {
    for (const row of [HOUR, GAP]) {
      expect(entryPayload(row)).not.toHaveProperty('rev');
      expect(entryPayload({ ...row, rev: 3 })).toHaveProperty('rev', 3);
    }
  });

  it('I8: a message holds at most 168 entries', () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({
      ...HOUR,
      row: i + 1,
      start: HOUR.start + i * HOUR_MS,
    }));
    const messages = encodeIntervals(rows, FACTS, ENVELOPE);
    expect(messages.map((message) => message.rows.length)).toEqual([168, 168, 64]);
    expect(messages.flatMap((message) => message.rows)).toEqual(rows);
  });

  it('I8: no message is over 32 KB, and each is as full as it can be', () => {
    const rows = Array.from({ length: 168 }, (_, i) => ({ ...HOUR, flags: FLAGS, row: 1e9 + i }));
    const messages = encodeIntervals(rows, FACTS, ENVELOPE);
    expect(messages.length).toBeGreaterThan(1);
    expect(messages.flatMap((message) => message.rows)).toEqual(rows);
    const sizes = messages.map(({ payload }) => Buffer.byteLength(payload));
    const entry = JSON.stringify(entryPayload(rows[0] as EntryRow)).length;
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
    expect(sizes[0]).toBeGreaterThan(MESSAGE_BYTES_MAX - entry - 2);
  });

  it('I8: a broker that takes less is sent less at a time', () => {
    const rows = Array.from({ length: 168 }, (_, i) => ({ ...HOUR, row: i + 1 }));
    const messages = encodeIntervals(rows, FACTS, ENVELOPE, 4_000);
    expect(messages.flatMap((message) => message.rows)).toEqual(rows);
    const sizes = messages.map(({ payload }) => Buffer.byteLength(payload));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4_000);
    expect(sizes[0]).toBeGreaterThan(3_500);
  });

  it('no rows make no message', () => {
    expect(encodeIntervals([], FACTS, ENVELOPE)).toEqual([]);
  });

  it('S1: state carries its session; a will, written long before, no time', () => {
    const ready = JSON.parse(encodeCollectorState('COL-1', 'S1', 'ready', ENVELOPE.sent));
    expect(ready).toEqual({
      ...{ v: 1, type: 'state', collector: 'COL-1', session: 'S1', state: 'ready' },
      sent: '2026-11-22T04:00:21Z',
    });
    expect(JSON.parse(encodeCollectorState('COL-1', 'S1', 'lost', null))).toEqual({
      ...{ v: 1, type: 'state', collector: 'COL-1', session: 'S1', state: 'lost' },
    });
  });

  it('S2: birth lists the meters while they fit in 32 KB, else their count and hash', () => {
    const birth = (count: number) => {
      const meters = Array.from({ length: count }, (_, i) => ({
        meter: `SP-${i}`,
        inst: 1,
        rev: 4e9,
      }));
      const facts = {
        ...{ collector: 'COL-1', session: 'S1', software: '1.2.3', configRevision: 'ab12' },
        ...{ epoch: 'E1', oldestHour: HOUR.start, rowsPending: 3, sent: ENVELOPE.sent, meters },
        commands: ['ping'],
      };
      return { meters, text: encodeBirth(facts, crc32) };
    };
    const few = birth(3);
    expect(JSON.parse(few.text)).toEqual({
      ...{ v: 1, type: 'birth', collector: 'COL-1', session: 'S1', software: '1.2.3' },
      ...{ contract: '1.0', config_rev: 'ab12', epoch: 'E1', commands: ['ping'], rows_pending: 3 },
      ...{ oldest_hour: '2026-11-22T03:00:00Z', sent: '2026-11-22T04:00:21Z' },
      meters: few.meters,
    });
    const many = birth(2_000);
    const told = JSON.parse(many.text);
    expect(many.text.length).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
    expect(told.meters).toBeUndefined();
    expect(told.meters_count).toBe(2_000);
    expect(told.meters_hash).toBe(crc32(JSON.stringify(many.meters)));
  });

  it('S3: a meter’s description names every fact of the contract, null where nobody knows it', () => {
    expect(meterPayload(FACTS, { ...METER, size: '5/8in' })).toEqual({
      ...{ v: 1, type: 'meter', meter: 'SP-48213377', inst: 2, body_serial: null },
      ...{ register_id: '48213377', register: 'single', service_point: null, route: null },
      ...{ service: 'active', unit: 'ft3', pow10: -1, digits: 8, size: '5/8in' },
      ...{ profile: 'generic-8-digit-line', bus: 'pole-1', address: '1', poll_s: 900 },
      ...{ tolerance_s: 15, max_flow_per_h: 2_406, installed: '2026-11-01T08:30:00Z' },
      ...{ initial_read: 1_214_176, verified: null },
      detectable: { rate_per_h: 0.033, unit: 'ft3', after_h: 72, rate_per_h_in_a_day: 0.089 },
    });
    // Nobody looks for leaks on a dial that only people read.
    expect(meterPayload(FACTS, { ...METER, bus: null }).detectable).toBeNull();
  });

  it('S3: a coarse dial says plainly what it cannot see', () => {
    const dial = { digits: 4, unit: 'ft3', pow10: 2 } as const;
    const { detectable } = meterPayload({ ...FACTS, dial }, METER);
    expect(detectable).toMatchObject({ rate_per_h: 8, unit: 'ft3' });
    expect(Number(detectable?.['after_h'])).toBeGreaterThan(72);
  });

  it('topics lie below the collector, with at most 6 slashes; times are UTC', () => {
    const topic = topicOf('demo', 'COL-1', 'up/meter/SP-1/interval');
    expect(topic).toBe('watermeter-v1/demo/COL-1/up/meter/SP-1/interval');
    expect(topic.split('/').length - 1).toBeLessThanOrEqual(6);
    expect(isoTime(Date.UTC(2026, 10, 22, 4, 0, 0, 5))).toBe('2026-11-22T04:00:00.005Z');
  });

  it('a time is written as JavaScript writes it, whatever other times were written before', () => {
    const near = fc.integer({ min: -200_000, max: 200_000 }).map((hours) => hours * HOUR_MS);
    const far = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2286, 0, 1) });
    const within = fc.constantFrom(0, 200, 1_000, 3_599_999);
    const instants = fc.array(
      fc.oneof(
        far,
        fc.tuple(near, within).map(([at, ms]) => at + ms),
      ),
    );
    fc.assert(
      fc.property(instants, (all) => {
        // The same hours again, and those that stand in their place where hours are remembered.
        for (const at of all.flatMap((one) => [one, one + 1_024 * HOUR_MS, one])) {
          expect(isoTime(at)).toBe(new Date(at).toISOString().replace('.000Z', 'Z'));
        }
      }),
    );
  });
});

describe('CRC-32', () => {
  it('gives the check value of the published algorithm', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
  });

  it('is that of each bit in turn, of any text, from any place, and in parts', () => {
    const bitByBit = (text: string): number => {
      let crc = -1;
      for (const unit of text.split('').map((letter) => letter.charCodeAt(0))) {
        const bits = unit > 0xff ? 16 : 8;
        for (let bit = 0; bit < bits; bit += 1) {
          const isOdd = ((crc ^ (unit >>> bit)) & 1) === 1;
          crc = (crc >>> 1) ^ (isOdd ? 0xedb88320 : 0);
        }
      }
      return ~crc >>> 0;
    };
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('a', '7', 'ÿ', 'Ā', '水'), fc.string()),
    });
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(crc32(one)).toBe(bitByBit(one));
        expect(crc32(other, crc32(one))).toBe(bitByBit(one + other));
        expect(crc32(one + other, 0, one.length)).toBe(bitByBit(other));
      }),
    );
  });
});

describe('an event of the journal', () => {
  it('A3: rows that are lost are told as ranges', () => {
    const event: EventRow = {
      ...{ kind: 'event', meter: '', row: 9, inst: 0, alarm: 9, message: 0, phase: 'raise' },
      ...{ code: 'journal.loss', severity: 'major', at: 0, since: 0 },
      data: { rows: '2-4,7', row_count: 4 },
    };
    const { data } = JSON.parse(encodeEvent(event, 'COL-1', 'E'));
    expect(data).toEqual({
      rows: [
        [2, 4],
        [7, 7],
      ],
      row_count: 4,
    });
    const none = { ...event, data: { rows: '' } };
    expect(JSON.parse(encodeEvent(none, 'COL-1', 'E')).data).toEqual({ rows: [] });
  });
});
