// Journal records come back as they went in, and a damaged one is never taken for water.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFacts,
  decodeIncrement,
  decodeRow,
  encodeFacts,
  encodeIncrement,
  encodeRow,
  keyOfRow,
  keys,
  pendingOf,
  seal,
  unseal,
} from '../../src/codec/journal-record.ts';
import { FLAGS, orderFlags, type Row } from '../../src/domain/entry.ts';
import type { InstallationFacts } from '../../src/domain/facts.ts';
import { capacity, modulo } from '../../src/domain/units.ts';

const meter = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const counts = fc.integer({ min: -1e9, max: 1e9 });
const flags = fc.subarray([...FLAGS]).map(orderFlags);
const common = {
  meter,
  flags,
  row: fc.nat(),
  inst: fc.integer({ min: 1, max: 9_999 }),
  rev: fc.integer({ min: 0, max: 999 }),
  use: fc.option(counts),
};
const row: fc.Arbitrary<Row> = fc.oneof(
  fc.record({
    ...common,
    kind: fc.constant('hour' as const),
    start: time,
    read: fc.option(fc.nat()),
    at: fc.option(time),
    total: fc.option(fc.maxSafeInteger()),
    q: fc.constantFrom('A', 'P', 'M', 'S', 'T', 'H'),
    n: fc.nat(),
  }),
  fc.record({
    ...common,
    kind: fc.constant('gap' as const),
    from: time,
    to: time,
    why: fc.constantFrom('bus', 'power', 'clock', 'quarantine', 'disabled'),
  }),
  fc.record({
    kind: fc.constant('event' as const),
    meter: common.meter,
    row: common.row,
    inst: common.inst,
    alarm: fc.integer({ min: 1, max: 1e7 }),
    message: fc.nat(),
    code: fc.constantFrom('flow.reverse', 'read.silent', 'meter.changeout'),
    severity: fc.constantFrom('info', 'minor', 'major'),
    phase: fc.constantFrom('raise', 'update', 'clear'),
    at: time,
    since: time,
    data: fc.dictionary(
      fc.stringMatching(/^[a-z_]{1,20}$/),
      fc.oneof(counts, fc.string({ maxLength: 20 }), fc.constant(null)),
      { maxKeys: 6, noNullPrototype: true },
    ),
  }),
);

const factsOf = (unit: 'ft3', pow10: number): InstallationFacts => ({
  meter: 'SP-1',
  inst: 1,
  dial: { digits: 8, unit, pow10 },
  registerId: null,
  declared: { dial: { digits: 8, unit, pow10 }, registerId: null },
  bodySerial: null,
  installed: null,
  initialRead: null,
});

describe('journal records', () => {
  it('an hour, a gap or an event comes back with every count, time, flag and evidence', () => {
    fc.assert(
      fc.property(row, (one) => {
        expect(decodeRow(keyOfRow(one), encodeRow(one))).toEqual(one);
      }),
    );
  });

  it('an increment comes back whatever its counts, and the dial from which it went', () => {
    const step = fc.record({
      inst: fc.integer({ min: 1, max: 9_999 }),
      seq: fc.nat(),
      fromAt: time,
      toAt: time,
      digits: fc.integer({ min: 4, max: 9 }),
      to: fc.nat(),
      counts,
    });
    fc.assert(
      fc.property(step, ({ digits, to, ...rest }) => {
        const { inst, seq } = rest;
        const dial = { digits, unit: 'ft3', pow10: 0 } as const;
        const toRead = to % capacity(dial);
        const fromRead = modulo(toRead - rest.counts, capacity(dial));
        const kind = seq === 0 ? 'first' : rest.counts < 0 ? 'reverse' : 'forward';
        const increment = { ...rest, fromRead, toRead, kind } as const;
        const text = encodeIncrement('SP-1', increment);
        const key = keys.increment('SP-1', inst, seq);
        expect(decodeIncrement(key, text, dial)).toEqual(increment);
      }),
    );
  });

  it('an installation comes back with its dial', () => {
    const facts = factsOf('ft3', 2);
    expect(decodeFacts(keys.facts('SP-1', 1), encodeFacts(facts))).toEqual(facts);
  });

  it('a record in which any one character is another is no record', () => {
    const letter = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(row, fc.nat(), letter, (one, place, other) => {
        const text = encodeRow(one);
        const i = place % text.length;
        fc.pre(text[i] !== other);
        const damaged = text.slice(0, i) + other + text.slice(i + 1);
        expect(unseal(keyOfRow(one), damaged)).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('a record cut short, or filed under the key of another hour, is no record', () => {
    fc.assert(
      fc.property(row, row, fc.nat(), (one, other, cut) => {
        const text = encodeRow(one);
        const key = keyOfRow(one);
        expect(unseal(key, text.slice(0, cut % text.length))).toBeUndefined();
        fc.pre(keyOfRow(other) !== key);
        expect(decodeRow(keyOfRow(other), text)).toBeUndefined();
      }),
    );
  });

  it('a record of another version is refused, not guessed at', () => {
    expect(unseal('a/row', seal('a/row', 7))).toBe(7);
    expect(unseal('a/row', seal('a/row', 7).replace(/^2/, '3'))).toBeUndefined();
  });

  it('keys sort as hours and rows do, and a pending key tells its meter and row', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(keys.row(a) < keys.row(b)).toBe(a < b);
        expect(keys.pending('SP-1', a) < keys.pending('SP-1', b)).toBe(a < b);
        expect(keys.hoursFrom('SP-1', 1, a) < keys.hoursFrom('SP-1', 1, b)).toBe(a < b);
        expect(pendingOf(keys.pending('SP-1', a))).toEqual({ meter: 'SP-1', row: a });
      }),
    );
  });
});
