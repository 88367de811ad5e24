// The sentence a technician needs: what the ends of the last questions on a bus mean, and the next step.

import { describe, expect, it } from 'vitest';
import { type AdviceCode, adviceOn, type BusCase } from '../../src/domain/bus-advice.ts';
import type { SeenEnd } from '../../src/domain/bus-seen.ts';

const times = (count: number, ...ends: SeenEnd[]): SeenEnd[] =>
  Array.from({ length: count }, () => ends).flat();

type Meter = BusCase['meters'][number];

function meter(address: number, recent: SeenEnd[], more: Partial<Meter> = {}): Meter {
  return {
    ...{ meter: `SP-${address}`, address: String(address), recent, p95Ms: 40, latestMs: null },
    ...{ strangerId: null, lastFault: null, ...more },
  };
}

function advice(meters: Meter[], more: Partial<BusCase> = {}) {
  return adviceOn({
    ...{ bus: 'pit', kind: 'rtu', open: true, link: '', timeoutMs: 1_000, meters, ...more },
  });
}
const codes = (meters: Meter[], more: Partial<BusCase> = {}): AdviceCode[] =>
  advice(meters, more).map(({ code }) => code);

const FINE = times(16, 'ok');

describe('what the ends of the last questions say of a bus', () => {
  it('all answer: nothing is to be done', () => {
    expect(advice([meter(1, FINE), meter(2, FINE)])).toMatchObject([
      { code: 'bus.fine', next: '' },
    ]);
  });

  it('nobody was asked yet: nothing is claimed', () => {
    expect(codes([])).toEqual(['bus.unread']);
    expect(codes([meter(1, ['late'])])).toEqual(['bus.unread']);
  });

  it('no meter hangs on it: what is to be done is not to wait', () => {
    expect(codes([], { isEmpty: true })).toEqual(['bus.empty']);
    expect(codes([], { isEmpty: true, open: false, link: 'port.absent: gone' })).toEqual([
      'bus.closed',
    ]);
  });

  it.each([
    ['port.denied: no right', 'dialout'],
    ['peer.unreachable: refused', 'network'],
    ['port.absent: gone', 'cable'],
  ])('a link that is closed (%s) says what to look at', (link, word) => {
    const [first] = advice([meter(1, FINE)], { open: false, link });
    expect(first?.code).toBe('bus.closed');
    expect(first?.next).toContain(word);
  });

  it('silence from all: addresses, baud, or A and B swapped', () => {
    const [first] = advice([meter(1, times(3, 'timeouts')), meter(2, times(3, 'timeouts'))]);
    expect(first).toMatchObject({ code: 'bus.silent', meters: [] });
    expect(first?.says).toContain('A and B swapped');
    expect(codes([meter(1, times(2, 'timeouts'))])).toEqual(['bus.fine']); // Two may be chance.
  });

  it('most answers spoilt on all units: baud or parity', () => {
    const spoilt = times(8, 'crc', 'torn');
    expect(codes([meter(1, spoilt), meter(2, times(4, 'framing'))])).toEqual(['bus.spoilt']);
    // With wrong settings some units take no question for theirs.
    expect(codes([meter(1, spoilt), meter(2, times(4, 'timeouts'))])).toEqual(['bus.spoilt']);
    expect(codes([meter(1, times(4, 'crc'))])).toEqual(['bus.spoilt']);
    // TCP brings bytes whole.
    expect(codes([meter(1, spoilt), meter(2, spoilt)], { kind: 'tcp' })).not.toContain(
      'bus.spoilt',
    );
  });

  it('some answers spoilt on several: noise, and each of them is named', () => {
    const noisy = [...times(12, 'ok'), ...times(2, 'crc')];
    expect(advice([meter(1, noisy), meter(2, noisy), meter(3, FINE)])).toMatchObject([
      { code: 'bus.noise', meters: ['SP-1', 'SP-2'] },
    ]);
  });

  it('one meter silent while the others answer', () => {
    expect(advice([meter(1, FINE), meter(17, times(3, 'timeouts'))])).toMatchObject([
      { code: 'meter.silent', meters: ['SP-17'] },
    ]);
  });

  it.each([
    ['its identifications alternate', times(4, 'ok', 'wrong_id')],
    ['answers come that nobody asked for', [...times(4, 'ok', 'unasked')]],
    ['only its answers are spoilt', times(8, 'crc')],
  ])('two meters answer 17: %s', (_what, recent) => {
    const found = advice([meter(1, FINE), meter(17, recent)]);
    expect(found).toMatchObject([{ code: 'meter.shared', meters: ['SP-17'] }]);
    expect(found[0]?.says).toContain('Two meters answer 17');
  });

  it('another encoder answers: its identification is told', () => {
    const [first] = advice([meter(17, times(3, 'wrong_id'), { strangerId: '55501234' })]);
    expect(first?.code).toBe('meter.stranger');
    expect(first?.says).toContain('55501234');
  });

  it('answers come late: the time-out that would do is told', () => {
    const late = times(3, 'timeouts', 'late');
    const [first] = advice([meter(17, late, { latestMs: 1_340 }), meter(1, FINE)]);
    expect(first).toMatchObject({ code: 'meter.late', next: 'Raise timeout_ms to 2100.' });
    const tight = [...times(10, 'ok'), 'timeouts'] as SeenEnd[];
    expect(codes([meter(17, tight, { p95Ms: 950 })])).toEqual(['meter.late']);
    expect(codes([meter(17, tight, { p95Ms: 90 })])).toEqual(['bus.fine']);
  });

  it('a device that refuses the question, or has no dial to tell', () => {
    const lastFault = 'modbus.exception: illegal data address';
    const [refuses] = advice([meter(1, FINE), meter(17, times(3, 'exceptions'), { lastFault })]);
    expect(refuses?.code).toBe('meter.refuses');
    expect(refuses?.says).toContain('illegal data address');
    expect(codes([meter(1, FINE), meter(17, times(3, 'unusable'))])).toEqual(['meter.unusable']);
  });

  it.each([
    ['each other than was asked', times(4, 'wrong_unit')],
    ['each for another reason', times(2, 'exceptions', 'timeouts', 'unusable')],
  ])('a meter that is never read is never told as one that answers: %s', (_what, recent) => {
    const lastFault = 'modbus.unexpected: unit 9 answered instead of 17';
    const [first] = advice([meter(1, FINE), meter(17, recent, { lastFault })], { kind: 'tcp' });
    expect(first).toMatchObject({ code: 'meter.unread', meters: ['SP-17'] });
    expect(first?.says).toContain('unit 9 answered');
    expect(codes([meter(17, [...recent, 'ok'])])).toEqual(['bus.fine']);
  });

  it('answers too many over TCP are the gateway’s: no second meter is looked for', () => {
    const recent = times(4, 'ok', 'unasked');
    expect(codes([meter(1, FINE), meter(17, recent)], { kind: 'tcp' })).toEqual(['bus.fine']);
  });

  it('most answers of one spoilt while another’s are noisy: its own wires', () => {
    const noisy = [...times(8, 'ok'), ...times(2, 'crc')];
    expect(codes([meter(1, noisy), meter(17, times(8, 'crc'))])).toEqual(['meter.spoilt']);
  });

  it('what may give wrong numbers is said before what is merely silent', () => {
    const shared = meter(3, times(4, 'ok', 'wrong_id'));
    expect(codes([meter(1, FINE), meter(2, times(3, 'timeouts')), shared])).toEqual([
      'meter.shared',
      'meter.silent',
    ]);
  });
});
