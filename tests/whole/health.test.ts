// S4: how a collector fares, told every quarter of an hour by the whole collector on virtual time.

import { describe, expect, it } from 'vitest';
import { daysLeft, drainEtaS } from '../../src/domain/health.ts';
import { VirtualWorld } from './virtual-world.ts';

const KEYS = {
  message: [
    ...['v', 'type', 'collector', 'session', 'uptime_s', 'clock', 'journal', 'disk'],
    ...['buses', 'meters_silent', 'sent'],
  ],
  clock: ['synced', 'offset_ms', 'source'],
  journal: ['pending', 'oldest_pending', 'bytes', 'days_left', 'drain_eta_s'],
  bus: [
    ...['bus', 'polls', 'ok', 'timeouts', 'crc', 'exceptions', 'late_refused'],
    ...['rtt_p50_ms', 'rtt_p95_ms', 'framing'],
  ],
};

const heardIn = (world: VirtualWorld) =>
  world.broker.received.filter(({ topic }) => topic.endsWith('/COL-1/up/health'));
const saidIn = (world: VirtualWorld) => heardIn(world).map(({ payload }) => JSON.parse(payload));

describe('S4: health', () => {
  it('comes every 15 minutes, not retained, QoS 0, with all that the contract names', async () => {
    const world = new VirtualWorld({ seed: 11, meters: 4 });
    await world.start();
    await world.run(2);
    await world.stop();
    const heard = heardIn(world);
    expect(heard).toHaveLength(8);
    expect(heard.every(({ qos, retain }) => qos === 0 && !retain)).toBe(true);
    const steps = heard.slice(1).map(({ at }, i) => at - (heard[i]?.at ?? 0));
    expect(steps.every((ms) => Math.abs(ms - 900_000) < 1_000)).toBe(true);
    const [first] = saidIn(world);
    expect(Object.keys(first)).toEqual(KEYS.message);
    expect(Object.keys(first.clock)).toEqual(KEYS.clock);
    expect(Object.keys(first.journal)).toEqual(KEYS.journal);
    expect(Object.keys(first.buses[0])).toEqual(KEYS.bus);
    expect(first).toMatchObject({
      ...{ v: 1, type: 'health', collector: 'COL-1', disk: null, meters_silent: [] },
      clock: { offset_ms: null, source: 'assumed' },
      journal: { bytes: null, days_left: null },
    });
    expect(saidIn(world).at(-1).uptime_s).toBeGreaterThan(6_000);
  });

  it('tells of each bus how its questions ended, and which meters are silent', async () => {
    const world = new VirtualWorld({ seed: 12, meters: 4 });
    await world.start();
    await world.run(1);
    world.silence('SP-00003', true);
    world.unplug('bus-4');
    await world.run(1);
    await world.stop();
    const last = saidIn(world).at(-1);
    expect(last.meters_silent).toEqual(['SP-00003', 'SP-00004']);
    const [line, , rtu, tcp] = last.buses;
    expect(line).toMatchObject({
      bus: 'bus-1',
      timeouts: 0,
      crc: 0,
      rtt_p50_ms: 250,
      framing: null,
    });
    expect(line.ok).toBe(line.polls);
    expect(rtu.timeouts).toBeGreaterThan(0);
    expect(rtu.polls).toBe(rtu.ok + rtu.timeouts);
    // A port that is away is not a question that ended badly.
    expect(tcp.polls).toBe(tcp.ok);
  });

  it('while the broker is away nothing is kept for it; then what waits is told, and how long it will take', async () => {
    const world = new VirtualWorld({ seed: 13, meters: 4 });
    await world.start();
    await world.run(2);
    world.broker.setUp(false);
    await world.run(3);
    const before = heardIn(world).length;
    world.broker.setUp(true);
    await world.run(1);
    await world.stop();
    expect(heardIn(world).length - before).toBeLessThanOrEqual(5);
    const last = saidIn(world).at(-1);
    expect(last.journal).toMatchObject({ pending: 0, oldest_pending: null, drain_eta_s: 0 });
  });

  it('tells what the journal takes up, for how many days there is room, and how full the disk is', async () => {
    const world = new VirtualWorld({ seed: 14, meters: 4 });
    world.medium.room = { bytes: 1e6, freeBytes: 1.2e9, totalBytes: 4e9 };
    await world.start();
    await world.run(50);
    await world.stop();
    const said = saidIn(world);
    expect(said[0].journal).toMatchObject({ bytes: 1e6, days_left: null });
    const { journal, disk } = said.at(-1);
    expect(disk).toEqual({ free_bytes: 1.2e9, total_bytes: 4e9 });
    // Fifty hours took a megabyte, and the settings allow 1,023 more.
    expect(journal.days_left / (1_023 * (50 / 24))).toBeCloseTo(1, 1);
  });

  it('reckons the days that are left from the least of what it may take and what it must leave', () => {
    const limits = { maxBytes: 1_000, minFreeBytes: 100 };
    expect(daysLeft({ bytes: 500, freeBytes: 10_000 }, 5, limits)).toBe(5);
    expect(daysLeft({ bytes: 500, freeBytes: 300 }, 5, limits)).toBe(2);
    expect(daysLeft({ bytes: 500, freeBytes: 50 }, 5, limits)).toBe(0);
    expect(daysLeft({ bytes: 500, freeBytes: 300 }, 0.9, limits)).toBeNull();
    expect(daysLeft({ bytes: null, freeBytes: 300 }, 5, limits)).toBeNull();
  });

  it('reckons the time to drain from the pace: a message for each meter, or for each week of rows', () => {
    const at = { meters: 40, connected: true, messagesPerS: 10 };
    expect(drainEtaS({ ...at, rows: 40 })).toBe(4);
    expect(drainEtaS({ ...at, rows: 168_000 })).toBe(100);
    expect(drainEtaS({ ...at, rows: 40, connected: false })).toBeNull();
    expect(drainEtaS({ ...at, rows: 0, meters: 0, connected: false })).toBe(0);
  });
});
