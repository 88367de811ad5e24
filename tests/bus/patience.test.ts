// For how long a slow device is waited for, and a silent one left alone.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Patience, patienceMs, restMs } from '../../src/bus/patience.ts';

const TIMEOUT_MS = 1_000;

describe('the patience with a device', () => {
  it('that was silent the last time too, or never answered, ends with its time-out', () => {
    expect(patienceMs({ latencyMs: 400, missed: 1 }, TIMEOUT_MS)).toBe(0);
    expect(patienceMs({ latencyMs: null, missed: 0 }, TIMEOUT_MS)).toBe(0);
    expect(patienceMs({ latencyMs: null, missed: 0 }, TIMEOUT_MS, 5_000)).toBe(0);
  });

  it('that answers lasts as long as its slow answers took, where others wait', () => {
    expect(patienceMs({ latencyMs: 400, missed: 0 }, TIMEOUT_MS)).toBe(400);
    expect(patienceMs({ latencyMs: 1_700, missed: 0 }, TIMEOUT_MS)).toBe(TIMEOUT_MS);
  });

  it('lasts longer where nobody else needs the line, by what is to spare at the most', () => {
    expect(patienceMs({ latencyMs: 600, missed: 1 }, TIMEOUT_MS, 2_000)).toBe(2_000);
    // Nobody waits seconds for one that answers in 50 ms.
    expect(patienceMs({ latencyMs: 50, missed: 1 }, TIMEOUT_MS, 2_000)).toBe(200);
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(3), fc.nat(5_000), (latencyMs, missed, spareMs) => {
        const ms = patienceMs({ latencyMs, missed }, TIMEOUT_MS, spareMs);
        expect(ms).toBeLessThanOrEqual(Math.max(spareMs, missed === 0 ? TIMEOUT_MS : 0));
      }),
    );
  });

  it('is followed by a rest of twice its latency, and of a time-out where nothing is known', () => {
    expect(restMs(40, TIMEOUT_MS)).toBe(80);
    expect(restMs(900, TIMEOUT_MS)).toBe(TIMEOUT_MS);
    expect(restMs(null, TIMEOUT_MS)).toBe(TIMEOUT_MS);
  });

  it('knows each device by its own answers', () => {
    const patience = new Patience();
    patience.took('SP-1', 40);
    patience.missed('SP-1');
    patience.missed('SP-1');
    expect(patience.of('SP-1')).toEqual({ latencyMs: 40, missed: 2 });
    expect(patience.of('SP-2')).toEqual({ latencyMs: null, missed: 0 });
    patience.heard('SP-1');
    expect(patience.of('SP-1').missed).toBe(0);
  });
});
