// Local dates by the platform's tables, at the edges where clocks change.

import { describe, expect, it } from 'vitest';
import { zoneOf } from '../../src/codec/time-zone.ts';
import { dateOf, dayOf, type Zone } from '../../src/domain/usage/civil.ts';

describe('the local date', () => {
  it.each([
    ['America/Denver', '2026-03-08T06:59:59.999Z', '2026-03-07'],
    ['America/Denver', '2026-03-08T07:00:00Z', '2026-03-08'],
    ['America/Denver', '2026-03-09T05:59:59.999Z', '2026-03-08'],
    ['America/Denver', '2026-03-09T06:00:00Z', '2026-03-09'],
    ['America/Denver', '2026-11-01T06:00:00Z', '2026-11-01'],
    ['America/Denver', '2026-11-02T06:59:59.999Z', '2026-11-01'],
    ['America/Denver', '2026-11-02T07:00:00Z', '2026-11-02'],
    ['Asia/Kathmandu', '2026-06-01T18:15:00Z', '2026-06-02'],
    ['Pacific/Kiritimati', '2026-06-01T10:00:00Z', '2026-06-02'],
  ])('in %s at %s is %s', (name, at, date) => {
    const zone = zoneOf(name) as Zone;
    expect(dateOf(zone(Date.parse(at)))).toBe(date);
  });

  it('is the same in whatever order instants are asked for', () => {
    const zone = zoneOf('America/Denver') as Zone;
    const fresh = (at: number) => (zoneOf('America/Denver') as Zone)(at);
    for (let i = 0; i < 200; i++) {
      const at = Date.UTC(2026, 0, 1) + ((i * 7919) % 8760) * 3_600_000;
      expect(zone(at)).toBe(fresh(at));
    }
  });

  it('of an unknown zone is nothing', () => {
    expect(zoneOf('Mars/Olympus')).toBeNull();
  });

  it('is read from text only where it is a date', () => {
    expect(dayOf('2026-02-29')).toBeNull();
    expect(dayOf('2026-2-1')).toBeNull();
    expect(dateOf(dayOf('2028-02-29') as number)).toBe('2028-02-29');
  });
});
