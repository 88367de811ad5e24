// The oddities of a register: what an encoder shows and who answers, hour by hour, and which plans are refused.

import { describe, expect, test } from 'vitest';
import { Encoder } from '../../simulator/encoder.ts';
import { parseFault } from '../../simulator/faults.ts';
import { misfit } from '../../simulator/fitting.ts';
import { layStreet } from '../../simulator/street.ts';

const START = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;
const PLACES = layStreet({ seed: 5, meters: 8, start: START });
const hour = (h: number): number => START + h * HOUR_MS;

/** The first place's encoder with one plan, and the same without. */
function odd(text: string) {
  const plan = parseFault(text);
  const [point] = PLACES;
  if (!plan || !point) throw new Error(`no plan: ${text}`);
  return {
    encoder: new Encoder(point, [plan], START),
    plain: new Encoder(point, [], START),
    id: point.truth.registerId,
  };
}

describe('an encoder', () => {
  test('that is silent says nothing for so long', () => {
    const { encoder, plain } = odd('silent:SP-00001@2h-5h');
    expect(encoder.answerAt(hour(2))).toBeNull();
    expect(encoder.answerAt(hour(5))).toEqual(plain.answerAt(hour(5)));
  });

  test('that is unreadable says so, and its dial goes on', () => {
    const { encoder, plain } = odd('unreadable:SP-00001@2h-5h');
    expect(encoder.answerAt(hour(3))).toMatchObject({ unreadable: true });
    expect(encoder.answerAt(hour(5))).toEqual(plain.answerAt(hour(5)));
  });

  test('that is frozen stands still and goes on from there', () => {
    const { encoder, plain } = odd('frozen:SP-00001@6h-30h');
    expect(plain.countAt(hour(30))).toBeGreaterThan(plain.countAt(hour(6)));
    expect(encoder.countAt(hour(5))).toBe(plain.countAt(hour(5)));
    expect(encoder.countAt(hour(29))).toBe(plain.countAt(hour(6)));
    const since = plain.countAt(hour(48)) - plain.countAt(hour(30));
    expect(encoder.countAt(hour(48))).toBe(plain.countAt(hour(6)) + since);
  });

  test('that is shifted shows so many more, and only so long', () => {
    const { encoder, plain } = odd('shifted:SP-00001@2h-5h=+1000000');
    expect(encoder.countAt(hour(4)) - plain.countAt(hour(4))).toBe(1_000_000);
    expect(encoder.countAt(hour(5))).toBe(plain.countAt(hour(5)));
    expect([...encoder.passings(hour(1), hour(3))].at(-1)?.count).toBe(encoder.countAt(hour(3)));
  });

  test('shifted below zero shows the dial before its rollover', () => {
    const { encoder, plain } = odd('shifted:SP-00001@2h=-99999999');
    expect(encoder.registerAt(hour(3))).toBe((plain.registerAt(hour(3)) + 1) % 1e8);
  });

  test('that runs in reverse counts so many backwards an hour', () => {
    const { encoder, plain } = odd('reverse:SP-00001@2h-5h=30');
    expect(encoder.countAt(hour(0))).toBe(plain.countAt(hour(0)));
    expect(encoder.countAt(hour(4))).toBe(plain.countAt(hour(2)) - 60);
    const since = plain.countAt(hour(9)) - plain.countAt(hour(5));
    expect(encoder.countAt(hour(9))).toBe(plain.countAt(hour(2)) - 90 + since);
    const falling = [...encoder.passings(hour(2), hour(5))].map(({ count }) => count);
    expect(falling).toHaveLength(90);
    expect(falling).toEqual(falling.toSorted((a, b) => b - a));
  });

  test('in whose place a stranger answers is not its own', () => {
    const { encoder, id } = odd('stranger:SP-00001@2h-5h=77770001');
    expect(encoder.answerAt(hour(1))).toMatchObject({ id, body: 1 });
    expect(encoder.answerAt(hour(3))).toMatchObject({ id: '77770001', body: null });
    expect(encoder.answerAt(hour(5))).toMatchObject({ id, body: 1 });
  });

  test('that shares its address speaks by turns with the other', () => {
    const { encoder, id } = odd('shared:SP-00001@2h-5h=77770001');
    const ids = [1, 2, 3, 4].map(() => {
      const answer = encoder.answerAt(hour(3));
      encoder.spoken();
      return answer?.id;
    });
    expect(ids).toEqual([id, '77770001', id, '77770001']);
  });

  test('on a noisy wire is damaged as often as told', () => {
    const { encoder } = odd('damaged:SP-00001@0h-5h=0.02');
    const damaged = Array.from({ length: 20_000 }, () => encoder.isDamaged(hour(1)));
    const share = damaged.filter(Boolean).length / damaged.length;
    expect(share).toBeGreaterThan(0.015);
    expect(share).toBeLessThan(0.025);
    expect(encoder.isDamaged(hour(6))).toBe(false);
    const frame = Buffer.from('V;RB00000042;IB12345678\r');
    expect(encoder.damage(frame)).not.toEqual(frame);
    expect(encoder.damage(frame)).toHaveLength(frame.length);
  });

  test('that was swapped has its own dial and identification from then on, and the old one stands', () => {
    const { encoder, plain } = odd('swapped:SP-00001@2h=4/77770001');
    const answer = encoder.answerAt(hour(200));
    expect(answer).toMatchObject({ id: '77770001', body: 2, dial: { digits: 4, pow10: 2 } });
    const passed = plain.countAt(hour(200)) - plain.countAt(hour(2));
    // One count of the new dial is 1000 of the old.
    expect(Math.abs((answer?.count ?? 0) - passed / 1000)).toBeLessThanOrEqual(1);
    expect(encoder.countAt(hour(200))).toBe(plain.countAt(hour(2)));
  });
});

test.each([
  'silent:SP-00001@2h',
  'silent:SP-00001@2h-5h=3',
  'unplug:bus-1@2h-5h=3',
  'reverse:SP-00001@2h=30',
  'reverse:SP-00001@2h-5h=-30',
  'shifted:SP-00001@2h-5h',
  'shifted:SP-00001@2h-5h=1.5',
  'damaged:SP-00001@2h-5h=2',
  'stranger:SP-00001@2h-5h',
  'swapped:SP-00001@2h=8',
  'swapped:SP-00001@2h=3/1234',
  'frozen:SP-00001@5h-2h',
  'constructor:SP-00001@2h-5h',
])('the plan %s is refused', (text) => {
  expect(parseFault(text)).toBeUndefined();
});

describe('profiles in a street', () => {
  const wish = (...pairs: [string, string][]) => misfit(new Map(pairs), 8);

  test('fit when their bus carries them', () => {
    expect(wish()).toBeUndefined();
    expect(wish(['SP-00003', 'arad-octave'], ['SP-00008', 'siemens-mag-8000'])).toBeUndefined();
    expect(wish(['SP-00001', 'badger-e-series'])).toBeUndefined();
    const both: [string, string][] = [
      ['SP-00001', 'scadametrics-ethermeter-ascii'],
      ['SP-00005', 'scadametrics-ethermeter-ascii-2'],
    ];
    expect(wish(...both)).toBeUndefined();
  });

  test('are refused on another transport, in another framing, or twice in one device', () => {
    expect(wish(['SP-00001', 'arad-octave'])).toMatch(/^SP-00001 is on bus-1/);
    expect(wish(['SP-00001', 'neptune-e-coder'])).toMatch(/one framing/);
    expect(wish(['SP-00001', 'no-such'])).toMatch(/no profile no-such/);
    expect(wish(['SP-00009', 'arad-octave'])).toBe('no such meter: SP-00009');
    const twice: [string, string][] = [
      ['SP-00001', 'scadametrics-ethermeter-ascii'],
      ['SP-00005', 'scadametrics-ethermeter-ascii'],
    ];
    expect(wish(...twice)).toMatch(/channel 1/);
  });
});
