// What a bus cannot do is said beforehand, as arithmetic that comes out: sentence, numbers and place.

import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { expectedReadMs } from '../../src/settings/read-time.ts';
import type { BusSettings } from '../../src/settings/settings.ts';
import { modbusProfile } from '../fakes/profiles.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

interface Street {
  readonly bus: string;
  readonly meters: number;
  readonly profile: string;
  readonly more?: string;
}

async function warningsOf({ bus, meters, profile, more = '' }: Street) {
  const text = [
    'version: 1',
    'utility: demo',
    'collector: COL-1',
    'data: ./journal',
    'upstream: { url: "mqtt://127.0.0.1:1883" }',
    'buses:',
    `  - { bus: pole-1, ${bus} }`,
    'meters:',
    ...Array.from(
      { length: meters },
      (_, i) =>
        `  - { meter: SP-${i}, bus: pole-1, profile: ${profile}, address: "${i + 1}"${more} }`,
    ),
  ].join('\n');
  const readText = async () => text;
  const loaded = await loadSettings({ file: '/site/settings.yaml', root: ROOT, readText });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.warnings;
}

const LINE = 'type: line-serial, path: /dev/ttyUSB0, baud: 2400, timeout_ms: 1300';

describe('a bus with more meters than the hour’s edge has room for', () => {
  it('is told with the round, how many are left out, and the tolerance that would do', async () => {
    const [warning, ...more] = await warningsOf({
      ...{ bus: LINE, meters: 40, profile: 'generic-8-digit-line' },
    });
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ code: 'edge.missed', line: 7 });
    expect(warning?.numbers).toEqual({
      ...{ meters: 40, read_ms: 1_300, round_ms: 52_000 },
      ...{ missed: 17, tolerance_s: 15, tolerance_needed_s: 26 },
    });
    expect(warning?.message).toBe(
      'pole-1: 40 meters need 52 s a round at 2400 baud (1.3 s each); 17 of them cannot be read within 15 s of the hour: raise tolerance_s to 26 or split the bus.',
    );
  });

  it('is silent with the tolerance that was said to do', async () => {
    const street = { bus: LINE, meters: 40, profile: 'generic-8-digit-line' };
    expect(await warningsOf({ ...street, more: ', tolerance_s: 26' })).toEqual([]);
    expect(await warningsOf({ ...street, more: ', tolerance_s: 25' })).toHaveLength(1);
  });
});

describe('a bus that is polled faster than it can be read', () => {
  it('is told with its load and the period that would do', async () => {
    const street = {
      bus: 'type: modbus-rtu, path: /dev/ttyUSB0, baud: 9600',
      meters: 32,
      profile: 'generic-8-digit-modbus',
    };
    const [warning] = await warningsOf({ ...street, more: ', poll_s: 1' });
    expect(warning).toMatchObject({ code: 'poll.overload', line: 7 });
    const { round_ms = 0, poll_needed_s = 0, load_percent } = warning?.numbers ?? {};
    expect(load_percent).toBe(Math.round(round_ms / 10));
    expect(poll_needed_s).toBe(Math.ceil(round_ms / 1_000));
    expect(await warningsOf({ ...street, more: `, poll_s: ${poll_needed_s}` })).toEqual([]);
  });
});

describe('a gateway that takes several questions at once', () => {
  const street = (more: string) => ({
    bus: `type: modbus-tcp, host: 127.0.0.1, port: 502${more}`,
    ...{ meters: 50, profile: 'generic-8-digit-modbus', more: ', poll_s: 1' },
  });

  it('has room for sixteen times as many meters as one that takes one', async () => {
    expect(await warningsOf(street(''))).toEqual([]);
    const [warning] = await warningsOf(street(', in_flight: 2'));
    expect(warning?.numbers).toMatchObject({ read_ms: 50, round_ms: 1_250, load_percent: 125 });
    expect(warning?.message).toContain('50 meters need 1.3 s a round (0.05 s each, 2 at once)');
  });
});

describe('what a read is expected to take', () => {
  const profile = modbusProfile({ type: 'u32', order: 'ABCD' });
  const serial = { path: '', dataBits: 8, parity: 'even', stopBits: 1 } as const;
  const rtu = (baud: number): BusSettings => ({
    ...{ bus: 'b', type: 'modbus-rtu', timeoutMs: 1_000, reopenMaxMs: 1 },
    serial: { ...serial, baud },
  });

  it('on a Modbus line is its characters, two silences and the device’s pause', () => {
    const meter = { profile, address: '1' };
    // 17 characters of 11 bits and twice 3.5 of them: 27.5 ms at 9600 baud (encoders 6), and 30 ms.
    expect(expectedReadMs(meter, rtu(9_600))).toBeCloseTo(57.5, 1);
    expect(expectedReadMs(meter, rtu(115_200))).toBeCloseTo((17 * 11) / 115.2 + 2 * 1.75 + 30, 3);
  });

  it('is never more than the time-out', () => {
    expect(expectedReadMs({ profile, address: '1' }, { ...rtu(300), timeoutMs: 400 })).toBe(400);
  });
});
